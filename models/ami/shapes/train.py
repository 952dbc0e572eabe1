# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Trains ami/shapes: an I-JEPA (arXiv 2301.08243) on generated pictures of shapes, on one CPU core, without labels.

    python train.py --output release            # torch, numpy, safetensors: requirements.txt

The encoder that is released is the moving average (the target encoder). The validation loss is what training minimises, on held-out
pictures with fixed masks. Its prediction part alone may rise while features get better, because the targets change with
the encoder. Training stops when the validation loss has not improved for a tenth of the run, after the first half (losses of
early steps have other targets), or after --minutes of CPU time; the parameters of the lowest one are written, in the first half the latest.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

import generator
from model import CONFIG, Encoder, Predictor, at, save

SEED, VALIDATION_SEED = 20261127, 20261128
MEAN, STD = 0.5, 0.25
# Weights of the variance and the covariance terms of VICReg (arXiv 2105.04906), as C-JEPA (arXiv 2410.19560) adds them.
SPREAD, CORRELATION = 0.1, 0.004
POOL = 16_384  # pictures that are drawn from
GRID = CONFIG["image_size"] // CONFIG["patch_size"]
BLOCKS = 4  # target blocks of a picture
LEAST = 10  # context tokens, at least


def pixels(images: np.ndarray) -> torch.Tensor:
    """U8 [n, side, side, 3] to the input of the encoder."""
    return ((torch.from_numpy(images).float() / 255 - MEAN) / STD).permute(0, 3, 1, 2).contiguous()


def block_size(rng: np.random.Generator, scale: tuple[float, float], aspect: tuple[float, float]) -> tuple[int, int]:
    area, ratio = rng.uniform(*scale) * GRID * GRID, math.exp(rng.uniform(*np.log(aspect)))
    return min(GRID, round(math.sqrt(area * ratio))), min(GRID, round(math.sqrt(area / ratio)))


def blocks(rng: np.random.Generator, count: int, size: tuple[int, int]) -> np.ndarray:
    """Draws `count` blocks of one size [count, GRID, GRID]."""
    first = rng.integers(0, [GRID - size[0] + 1, GRID - size[1] + 1], (count, 2))[..., None, None]
    row, column = np.arange(GRID)[:, None], np.arange(GRID)[None]
    inside_row = (row >= first[:, 0]) & (row < first[:, 0] + size[0])
    return inside_row & (column >= first[:, 1]) & (column < first[:, 1] + size[1])


def masks(rng: np.random.Generator, count: int, scale: tuple[float, float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Multi-block masks of I-JEPA: ids of context tokens [count, k], and of targets [BLOCKS, count, m].

    Blocks have one size in a batch. All contexts are cut, at random, to the length of the shortest.
    """
    while True:
        size = block_size(rng, scale, (0.75, 1.5))
        targets = blocks(rng, BLOCKS * count, size).reshape(BLOCKS, count, -1)
        context = blocks(rng, count, block_size(rng, (0.85, 1.0), (1.0, 1.0))).reshape(count, -1) & ~targets.any(0)
        length = context.sum(1).min()
        if length >= LEAST:
            break
    order = np.argsort(np.where(context, rng.random(context.shape), 2), 1)[:, :length]
    ids = np.nonzero(targets.reshape(BLOCKS * count, -1))[1].reshape(BLOCKS, count, -1)
    return torch.from_numpy(np.sort(order, 1)), torch.from_numpy(ids)


def forward(encoder, predictor, teacher, images: torch.Tensor, seen: torch.Tensor, hidden: torch.Tensor):
    """Predictions and targets, both [BLOCKS * batch, m, width], block-major."""
    with torch.no_grad():
        goal = teacher(images)
        goal = F.layer_norm(goal, goal.shape[-1:])
        goal = torch.cat([at(goal, ids) for ids in hidden])
    context = encoder(images, seen)
    return context, predictor(context.repeat(BLOCKS, 1, 1), seen.repeat(BLOCKS, 1), hidden.flatten(0, 1)), goal


def regularisation(context: torch.Tensor) -> torch.Tensor:
    """VICReg's variance and covariance terms over all context tokens, layer-normalised."""
    tokens = F.layer_norm(context, context.shape[-1:]).flatten(0, 1)
    tokens = tokens - tokens.mean(0)
    covariance = tokens.T @ tokens / (len(tokens) - 1)
    spread = torch.relu(1 - (covariance.diagonal() + 1e-4).sqrt()).mean()
    correlation = (covariance.square().sum() - covariance.diagonal().square().sum()) / len(covariance)
    return SPREAD * spread + CORRELATION * correlation


class Pictures:
    """The pictures of training, half of a batch mirrored."""

    def __init__(self):
        self.images = np.concatenate([generator.images([SEED, part], 1024)["images"] for part in range(POOL // 1024)])

    def draw(self, rng: np.random.Generator, count: int) -> torch.Tensor:
        images = self.images[rng.choice(len(self.images), count, replace=False)]
        images[: count // 2] = images[: count // 2, :, ::-1]
        return pixels(images)


class Validation:
    """Held-out pictures with fixed masks."""

    def __init__(self, scale: tuple[float, float]):
        rng = np.random.default_rng(VALIDATION_SEED)
        self.images = pixels(generator.images(VALIDATION_SEED, 512)["images"])
        self.masks = masks(rng, len(self.images), scale)

    @torch.no_grad()
    def measure(self, encoder, predictor, teacher) -> dict[str, float]:
        """What training minimises and its prediction part, and the std of averaged target features."""
        context, found, goal = forward(encoder, predictor, teacher, self.images, *self.masks)
        loss = F.smooth_l1_loss(found, goal)
        spread = teacher(self.images).mean(1).std(0).mean()
        return dict(validation=(loss + regularisation(context)).item(), loss=loss.item(), spread=spread.item())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    parser.add_argument("--steps", type=int, default=7000)
    parser.add_argument("--minutes", type=float, default=25, help="CPU time after which training stops")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--ema", type=float, nargs=2, default=(0.99, 0.9995))
    parser.add_argument("--scale", type=float, nargs=2, default=(0.1, 0.16), help="area of a target block over that of the picture")
    o = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    began = time.process_time()
    encoder, predictor = Encoder(CONFIG), Predictor(CONFIG)
    teacher = copy.deepcopy(encoder).requires_grad_(False)
    trained = [p for p in (*encoder.parameters(), *predictor.parameters()) if p.requires_grad]
    groups = [
        dict(params=[p for p in trained if p.ndim > 1], weight_decay=0.05),
        dict(params=[p for p in trained if p.ndim == 1], weight_decay=0.0),
    ]
    optimiser = torch.optim.AdamW(groups, lr=o.rate, betas=(0.9, 0.98), foreach=True)
    online, averaged = list(encoder.parameters()), list(teacher.parameters())
    pictures, validation = Pictures(), Validation(o.scale)

    every, warm = max(1, o.steps // 60), o.steps / 20
    best, best_step, best_state, log = math.inf, 0, None, []
    for step in range(o.steps):
        rng = np.random.default_rng([SEED, step])
        share = step / o.steps
        rate = o.rate * min((step + 1) / warm, 0.02 + 0.49 * (1 + math.cos(math.pi * share)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        context, found, goal = forward(encoder, predictor, teacher, pictures.draw(rng, o.batch), *masks(rng, o.batch, o.scale))
        loss = F.smooth_l1_loss(found, goal) + regularisation(context)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(averaged, online, 1 - (o.ema[0] + (o.ema[1] - o.ema[0]) * share))
        if (step + 1) % every == 0:
            measured = validation.measure(encoder, predictor, teacher)
            log.append(dict(step=step + 1) | {name: round(value, 5) for name, value in measured.items()})
            print(json.dumps(log[-1] | {"cpu_s": round(time.process_time() - began)}), flush=True)
            if step + 1 < o.steps / 2 or measured["validation"] < best:
                best, best_step = measured["validation"], step + 1
                best_state = copy.deepcopy((teacher.state_dict(), predictor.state_dict()))
                save(teacher, predictor, CONFIG, o.output)
            if step + 1 - best_step >= o.steps / 10 or time.process_time() - began > 60 * o.minutes:
                break
    teacher.load_state_dict(best_state[0])
    predictor.load_state_dict(best_state[1])
    save(teacher, predictor, CONFIG, o.output)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "training.json"), "w") as file:
        json.dump(dict(seed=SEED, steps=best_step, batch=o.batch, cpu_seconds=round(time.process_time() - began), log=log), file)
        file.write("\n")


if __name__ == "__main__":
    main()
