#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Trains an attentive probe on stored tokens of a model against PyTorch.

Tokens of a random series model are computed once and stored; then `ami-zoo evaluate` (which verifies the model, the data set and
the stored tokens first) and a Python process that reads the same files take turns, with one epoch and with several. The difference
is the time of the epochs alone.
    python3 Benchmarks/attentive.py [--samples 2000] [--tokens 196] [--width 384] [--heads 12] [--rates 1] [--epochs 5]
                                    [--repeats 3] [--work FOLDER]

Needs torch 2.13.0, numpy 2.4.6, safetensors 0.8.0 and samples * tokens * width * 4 bytes of free disk space.
"""

import argparse
import os
import sys
import tempfile

from measure import interleave, row, run, table, zoo
from series import CHANNELS, SEED, Workbench, save_data, save_model

CLASSES, TESTED, BATCH = 10, 400, 64

# Linear layers of all tokens, scaled_dot_product_attention and fused AdamW: what PyTorch users write.
PEER = """
import glob, json, math, sys, time
import torch
from safetensors.torch import load_file
from torch import nn
chunks, data, width, heads, epochs, rates, threads = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
torch.set_num_threads(threads)
x = torch.cat([load_file(path)["features"] for path in sorted(glob.glob(chunks))]).unflatten(1, (-1, width))
known, wanted = (load_file(f"{data}/{name}.safetensors")["stage"][:, 0].long() for name in ("fit", "test"))
x, t = x[:len(known)], x[len(known):]

class Probe(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.kv = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.linear = nn.Linear(width, 10)
        for module in (self.q, self.kv, self.mlp[0], self.mlp[2]):
            nn.init.normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)

    def forward(self, x):
        query = self.query.expand(len(x), -1, -1)
        q = self.q(query).unflatten(-1, (heads, -1)).transpose(1, 2)
        k, v = self.kv(self.norm1(x)).unflatten(-1, (2, heads, -1)).permute(2, 0, 3, 1, 4)
        y = query + nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return self.linear((y + self.mlp(self.norm2(y)))[:, 0])

torch.manual_seed(0)
probes = [Probe() for _ in range(rates)]
optimizers = [torch.optim.AdamW(probe.parameters(), lr=1e-3, weight_decay=0.01, fused=True) for probe in probes]
per_epoch, step = -(-len(x) // 64), 0
for epoch in range(epochs):
    order = torch.randperm(len(x))
    for first in range(0, len(x), 64):
        step += 1
        part = order[first:first + 64]
        batch, targets = x[part], known[part]
        for probe, optimizer in zip(probes, optimizers):
            optimizer.param_groups[0]["lr"] = 1e-3 * 0.5 * (1 + math.cos(math.pi * step / (epochs * per_epoch)))
            loss = nn.functional.cross_entropy(probe(batch), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
with torch.no_grad():
    found = torch.cat([probes[0](t[first:first + 64]) for first in range(0, len(t), 64)])
print(json.dumps({"score": float((found.argmax(1) == wanted).float().mean())}), file=sys.stderr)
"""


def make(folder: str, samples: int, tokens: int, width: int, heads: int) -> None:
    """Writes the model and the data set."""
    import numpy as np

    save_model(f"{folder}/model", "attentive", tokens, 1, width, heads)
    rng = np.random.default_rng(SEED)
    means = rng.standard_normal((CLASSES, CHANNELS))
    splits = {}
    for name, count in (("fit", samples), ("test", TESTED)):
        stage = np.arange(count) % CLASSES
        values = rng.standard_normal((count, tokens, CHANNELS))
        # A quarter of the steps tells the class.
        places = rng.integers(0, tokens, (count, max(1, tokens // 4)))
        values[np.arange(count)[:, None], places] += means[stage][:, None]
        splits[name] = {"values": values, "stage": stage[:, None]}
    save_data(f"{folder}/data", "Benchmarks/attentive.py", splits)


def definition(digest: str, heads: int, epochs: int, rates: int) -> dict:
    metrics = [("accuracy", "fraction", "higher"), ("class-mean accuracy", "fraction", "higher"),
               ("1 - accuracy of constant over that of the model", "ratio", "higher")]
    return {
        "format": "ami-zoo.suite/1", "name": "attentive", "suite": "attentive-probe", "suiteVersion": 1,
        "data": {"kind": "dataset", "name": "bench/windows", "version": "1.0.0", "digest": digest, "split": "test"},
        "parameters": {"input": "values", "fit": "fit", "label": "stage", "task": "classification", "heads": heads,
                       "epochs": epochs, "batch": BATCH, "warmUp": 0, "weightDecays": [0.01], "holdOut": 1000,
                       "learningRates": [0.001 / 2 ** index for index in range(rates)]},
        "metrics": [dict(zip(("name", "unit", "direction"), metric)) for metric in metrics], "seed": 0,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("samples", 2000), ("tokens", 196), ("width", 384), ("heads", 12), ("rates", 1), ("epochs", 5), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--work")
    options = parser.parse_args()
    program = zoo()
    threads = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        make(work, options.samples, options.tokens, options.width, options.heads)
        bench = Workbench(program, work)
        digest = bench.pack(f"{work}/data")
        cases = {}
        for epochs in (1, options.epochs):
            score, ours = bench.score(definition(digest, options.heads, epochs, options.rates), str(epochs))
            sizes = (options.width, options.heads, epochs, options.rates, threads)
            theirs = [sys.executable, "-c", PEER, f"{work}/stored/*/chunk-*.safetensors", f"{work}/data", *map(str, sizes)]
            peer = bench.peer(theirs)
            print(f"{epochs} epochs: accuracy of ami-zoo {score:.4f}, of PyTorch {peer['score']:.4f}", flush=True)
            cases[f"ami-zoo, {epochs} epochs"] = lambda ours=ours: run(ours, env=bench.environment)
            cases[f"PyTorch, {epochs} epochs"] = lambda theirs=theirs: run(theirs, env=bench.environment)
        found = interleave(cases, options.repeats)
        rows = [row(name, result) for name, result in found.items()]
        epoch = {tool: (found[f"{tool}, {options.epochs} epochs"][0] - found[f"{tool}, 1 epochs"][0]) / (options.epochs - 1)
                 for tool in ("ami-zoo", "PyTorch")}
        rows += [(f"{tool}, one epoch", f"{seconds:.3f} s", "", "") for tool, seconds in epoch.items()]
        rows.append(("one epoch, ratio", f"{epoch['ami-zoo'] / epoch['PyTorch']:.2f}", "", ""))
        table(rows)


if __name__ == "__main__":
    main()
