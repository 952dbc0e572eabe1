# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Trains ami/shapes: an I-JEPA (arXiv 2301.08243) on generated pictures of shapes, on one CPU core, without labels.

    python train.py --output release            # torch, numpy, safetensors: requirements.txt

The encoder that is released is the moving average (the target encoder). The targets change with it, so that losses of different
steps cannot be compared. What is watched is therefore a linear probe of the shape on pictures that neither training nor the data set
ami/shapes-images has: labels choose the released step, and train nothing. Training stops when the probe has not
improved for --patience of the run, or after --minutes of CPU time, or at the end of the schedule.
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

SEED, WATCH_SEED = 20261127, 20261128
MEAN, STD = 0.5, 0.25
POOL = 16_384  # pictures that are drawn from
GRID = CONFIG["image_size"] // CONFIG["patch_size"]
BLOCKS = 6  # target blocks of a picture
LEAST = 20  # context tokens, at least


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
    """Ids of context tokens [count, k] and of target tokens [count, m].

    Targets are in the union of BLOCKS blocks, which have one size in a batch; the context is in the rest. Both are cut,
    at random, to the length of the shortest of the batch.
    """
    while True:
        size = block_size(rng, scale, (0.75, 1.5))
        hidden = blocks(rng, BLOCKS * count, size).reshape(BLOCKS, count, -1).any(0)
        lengths = hidden.sum(1)
        if GRID * GRID - lengths.max() >= LEAST:
            break
    random = rng.random(hidden.shape)

    def drawn(mask: np.ndarray, length: int) -> torch.Tensor:
        return torch.from_numpy(np.sort(np.argsort(np.where(mask, random, 2), 1)[:, :length], 1))

    return drawn(~hidden, GRID * GRID - lengths.max()), drawn(hidden, lengths.min())


@torch.no_grad()
def targets(teacher: Encoder, images: torch.Tensor) -> torch.Tensor:
    """The layer-normalised outputs of all blocks, averaged, and each channel standardised over the tokens of its picture.

    As in data2vec 2.0 (arXiv 2212.07525): what all tokens of a picture share, such as the background, is no target.
    """
    x = teacher.patch_embed.proj(images).flatten(2).transpose(1, 2) + teacher.pos_embed
    total = torch.zeros_like(x)
    for block in teacher.blocks:
        x = block(x)
        total += F.layer_norm(x, x.shape[-1:])
    return F.instance_norm((total / len(teacher.blocks)).transpose(1, 2)).transpose(1, 2)


def regularisation(context: torch.Tensor, spread: float, correlation: float) -> torch.Tensor:
    """VICReg's variance and covariance terms (arXiv 2105.04906) over all context tokens, as C-JEPA (arXiv 2410.19560) adds them."""
    tokens = F.layer_norm(context, context.shape[-1:]).flatten(0, 1)
    tokens = tokens - tokens.mean(0)
    covariance = tokens.T @ tokens / (len(tokens) - 1)
    low = torch.relu(1 - (covariance.diagonal() + 1e-4).sqrt()).mean()
    return spread * low + correlation * (covariance.square().sum() - covariance.diagonal().square().sum()) / len(covariance)


class Pictures:
    """The pictures of training, half of a batch mirrored."""

    def __init__(self):
        self.images = np.concatenate([generator.images([SEED, part], 1024)["images"] for part in range(POOL // 1024)])

    def draw(self, rng: np.random.Generator, count: int) -> torch.Tensor:
        images = self.images[rng.choice(len(self.images), count, replace=False)]
        images[: count // 2] = images[: count // 2, :, ::-1]
        return pixels(images)


class Watch:
    """Ridge classifiers on averaged features of 1,500 pictures, measured on 750 others."""

    FITTED, STRENGTHS = 1500, (1.0, 10.0, 100.0)

    def __init__(self):
        drawn = generator.images(WATCH_SEED, 2250)
        self.images = pixels(drawn["images"])
        self.labels = {name: drawn[name][:, 0] for name in ("shape", "colour", "count")}

    @torch.no_grad()
    def measure(self, encoder: Encoder) -> dict[str, float]:
        x = torch.cat([encoder(part).mean(1) for part in self.images.split(250)]).double().numpy()
        fitted = x[: self.FITTED]
        spread = fitted.std(0).mean()
        x = (x - fitted.mean(0)) / (fitted.std(0) + 1e-9)
        a, b = x[: self.FITTED], x[self.FITTED :]
        gram, found = a.T @ a, {}
        for name, labels in self.labels.items():
            classes = np.unique(labels)
            truth = (labels[: self.FITTED, None] == classes).astype(float)
            best = 0.0
            for strength in self.STRENGTHS:
                weight = np.linalg.solve(gram + strength * np.eye(len(gram)), a.T @ (truth - truth.mean(0)))
                guess = classes[(b @ weight + truth.mean(0)).argmax(1)]
                best = max(best, float((guess == labels[self.FITTED :]).mean()))
            found[name] = round(best, 4)
        return found | {"spread": round(float(spread), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    parser.add_argument("--steps", type=int, default=3500)
    parser.add_argument("--minutes", type=float, default=30, help="CPU time after which training stops")
    parser.add_argument("--patience", type=float, default=0.1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--ema", type=float, nargs=2, default=(0.996, 0.9999))
    parser.add_argument("--scale", type=float, nargs=2, default=(0.04, 0.09), help="area of a target block over that of the picture")
    parser.add_argument("--vicreg", type=float, nargs=2, default=(0.0, 0.0), help="weights of the variance and the covariance term")
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
    pictures, watch = Pictures(), Watch()

    every, warm = max(1, o.steps // 25), o.steps / 20
    log = [dict(step=0, loss=None) | watch.measure(teacher)]
    print(json.dumps(log[-1]), flush=True)
    best, best_step, losses, end = 0.0, 0, [], "the end of the schedule"
    for step in range(o.steps):
        rng = np.random.default_rng([SEED, step])
        share = step / o.steps
        rate = o.rate * min((step + 1) / warm, 0.02 + 0.49 * (1 + math.cos(math.pi * share)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        images = pictures.draw(rng, o.batch)
        seen, hidden = masks(rng, o.batch, o.scale)
        goal = at(targets(teacher, images), hidden)
        context = encoder(images, seen)
        loss = F.smooth_l1_loss(predictor(context, seen, hidden), goal)
        losses.append(loss.item())
        if any(o.vicreg):
            loss = loss + regularisation(context, *o.vicreg)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(averaged, online, 1 - (o.ema[0] + (o.ema[1] - o.ema[0]) * share))
        if (step + 1) % every == 0:
            log.append(dict(step=step + 1, loss=round(float(np.mean(losses)), 5)) | watch.measure(teacher))
            losses = []
            seconds = time.process_time() - began
            print(json.dumps(log[-1] | {"cpu_s": round(seconds)}), flush=True)
            if log[-1]["shape"] > best:
                best, best_step = log[-1]["shape"], step + 1
                save(teacher, predictor, CONFIG, o.output)
            if step + 1 - best_step >= o.steps * o.patience:
                end = f"no improvement for {o.patience:g} of the run"
                break
            if seconds > 60 * o.minutes:
                end = f"{o.minutes:g} minutes of CPU time"
                break
    document = dict(
        seed=SEED, steps=best_step, batch=o.batch, planned=o.steps, end=end, cpu_seconds=round(time.process_time() - began), log=log,
        options={name: getattr(o, name) for name in ("rate", "ema", "scale", "vicreg", "patience")},
    )  # fmt: skip
    with open(os.path.join(os.path.dirname(os.path.abspath(o.output)), "training.json"), "w") as file:
        json.dump(document, file)
        file.write("\n")


if __name__ == "__main__":
    main()
