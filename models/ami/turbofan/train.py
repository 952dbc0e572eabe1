# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Trains ami/turbofan: a JEPA over the sensor channels of simulated turbofan engines, on one CPU core.

    python train.py --output release            # torch, numpy, safetensors: requirements.txt

The encoder that is released is the moving average, used for the context and for the targets. Training stops when the
validation loss has not improved for a tenth of the run, or after --minutes of CPU time; the parameters of the lowest
validation loss are written.
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

import generator
from model import SeriesJEPA, errors, targets_of

SEED, VALIDATION_SEED = 20261126, 20261127
ENGINES, VALIDATION_ENGINES = 4000, 256
TOKENS, PATCH = 16, 4
# Weights of the variance and the covariance terms of VICReg (arXiv 2105.04906), as C-JEPA (arXiv 2410.19560) adds them.
SPREAD, CORRELATION = 0.5, 0.005
CONFIG = dict(
    model_type="series_jepa", window_steps=generator.WINDOW, patch_steps=PATCH, hidden_size=64, num_attention_heads=4,
    num_hidden_layers=4, mlp_ratio=4.0, pred_hidden_size=48, pred_num_attention_heads=4, pred_num_hidden_layers=2,
    pred_mlp_ratio=4.0, layer_norm_eps=1e-6,
)


def masks(rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Draws the ids of visible and of target tokens: one or two hidden blocks, or the end of the window."""
    hidden = np.zeros(TOKENS, bool)
    draw = rng.random()
    if draw < 0.25:
        hidden[rng.integers(6, 13) :] = True
    else:
        for _ in range(1 if draw < 0.7 else 2):
            length = int(rng.integers(2, 6))
            start = int(rng.integers(0, TOKENS - length + 1))
            hidden[start : start + length] = True
    ids = np.arange(TOKENS)
    return torch.from_numpy(ids[~hidden]), torch.from_numpy(ids[hidden])


class Runs:
    """All runs, joined; a window is drawn by its first step."""

    def __init__(self, seed: int, count: int):
        runs = [generator.rounded(generator.run(seed, index)["values"]) for index in range(count)]
        starts, offset = [], 0
        for run in runs:
            starts.append(offset + np.arange(len(run) - generator.WINDOW + 1))
            offset += len(run)
        self.values, self.starts = torch.from_numpy(np.concatenate(runs)), np.concatenate(starts)

    def draw(self, rng: np.random.Generator, count: int) -> torch.Tensor:
        first = torch.from_numpy(rng.choice(self.starts, count))
        return self.values[first[:, None] + torch.arange(generator.WINDOW)]


def loss_of(model: SeriesJEPA, teacher: torch.nn.Module, values: torch.Tensor, rng: np.random.Generator):
    """The prediction loss, and the regularisation of features."""
    seen, hidden = masks(rng)
    with torch.no_grad():
        goal = targets_of(teacher(values))[:, hidden]
    seen, hidden = seen.expand(len(values), -1), hidden.expand(len(values), -1)
    context = model.encoder(values, seen)
    prediction = ((model.predictor(context, seen, hidden) - goal) ** 2).mean()
    pooled = targets_of(context).mean(1)
    pooled = pooled - pooled.mean(0)
    covariance = pooled.T @ pooled / (len(pooled) - 1)
    spread = torch.relu(1 - (covariance.diagonal() + 1e-4).sqrt()).mean()
    correlation = (covariance.square().sum() - covariance.diagonal().square().sum()) / len(covariance)
    return prediction, SPREAD * spread + CORRELATION * correlation


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--minutes", type=float, default=14, help="CPU time after which training stops")
    parser.add_argument("--batch", type=int, default=96)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--ema", type=float, nargs=2, default=(0.98, 0.995))
    o = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    began = time.process_time()
    runs = Runs(SEED, ENGINES)
    validation = Runs(VALIDATION_SEED, VALIDATION_ENGINES).draw(np.random.default_rng(VALIDATION_SEED), 256)
    names = [name for name, _, _ in generator.CHANNELS]
    mean, std = runs.values.double().mean(0), runs.values.double().std(0)
    config = CONFIG | dict(channel_names=names, channel_mean=mean.tolist(), channel_std=std.tolist())
    model = SeriesJEPA(config)
    average = copy.deepcopy(model).requires_grad_(False)
    decay = [p for p in model.parameters() if p.ndim == 2]
    flat = [p for p in model.parameters() if p.ndim != 2]
    groups = [dict(params=decay, weight_decay=0.02), dict(params=flat, weight_decay=0.0)]
    optimiser = torch.optim.AdamW(groups, lr=o.rate, betas=(0.9, 0.98), foreach=True)
    online, averaged = list(model.parameters()), list(average.parameters())

    every = max(1, o.steps // 60)
    best, best_step, best_state, log = math.inf, 0, None, []
    for step in range(o.steps):
        rng = np.random.default_rng([SEED, step, 3])
        rate = o.rate * min(1, (step + 1) / 200, 0.02 + 0.5 * (1 + math.cos(math.pi * step / o.steps)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss, regularisation = loss_of(model, average.encoder, runs.draw(rng, o.batch), rng)
        optimiser.zero_grad()
        (loss + regularisation).backward()
        torch.nn.utils.clip_grad_norm_(online, 1.0)
        optimiser.step()
        share = min(1, step / (0.6 * o.steps))
        keep = o.ema[0] + (o.ema[1] - o.ema[0]) * share
        with torch.no_grad():
            torch._foreach_lerp_(averaged, online, 1 - keep)
        if (step + 1) % every == 0:
            with torch.no_grad():
                tokens = errors(average, validation, 4)
                features = average.encoder(validation)
            value, spread = tokens.mean().item(), features.mean(1).std(0).mean().item()
            log.append(dict(step=step + 1, loss=round(loss.item(), 5), validation=round(value, 5), spread=round(spread, 4)))
            print(json.dumps(log[-1] | {"cpu_s": round(time.process_time() - began)}), flush=True)
            # The targets move while the average does, so losses of early steps are not comparable.
            if step + 1 < o.steps * 0.5 or value < best:
                best, best_step, best_state = value, step + 1, copy.deepcopy(average.state_dict())
            if step + 1 - best_step >= o.steps / 10 or time.process_time() - began > 60 * o.minutes:
                break
    model.load_state_dict(best_state)
    model.save(o.output)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "training.json"), "w") as file:
        json.dump(dict(seed=SEED, steps=best_step, batch=o.batch, cpu_seconds=round(time.process_time() - began), log=log), file)
        file.write("\n")


if __name__ == "__main__":
    main()
