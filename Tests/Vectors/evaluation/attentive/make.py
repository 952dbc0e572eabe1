#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Trains attentive probes with PyTorch in float64, and writes what came of it.

    python make.py    # torch 2.13.0, numpy 2.4.6, safetensors 0.8.0; seed 3

training.safetensors holds tokens, labels and numbers; the initial parameters that the generators of the project draw (written here
again); and the losses of all steps, the parameters and the outputs of trainings. expected.json holds the numbers of the suite
`attentive-probe` on the windows of ../probes and the model of Tests/Vectors/families/series-jepa. The probe is `AttentiveClassifier` of
facebookresearch/vjepa2 with one block, written from its description: keys and values of all tokens, autograd, torch.optim.AdamW.
"""

import json
import math
import os
import sys

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "../../../..")
sys.path.insert(0, f"{ROOT}/models/ami/turbofan")
import model as reference  # noqa: E402

MASK, GAMMA = (1 << 64) - 1, 0x9E3779B97F4A7C15
BLOCK = "pooler.cross_attention_block"
# The order in which parameters are drawn and stored; the files of V-JEPA join k and v.
PARTS = ["pooler.query_tokens"] + [f"{BLOCK}.{name}" for name in (
    "norm1.weight", "norm1.bias", "xattn.q.weight", "xattn.q.bias", "xattn.k.weight", "xattn.k.bias", "xattn.v.weight",
    "xattn.v.bias", "norm2.weight", "norm2.bias", "mlp.fc1.weight", "mlp.fc1.bias", "mlp.fc2.weight", "mlp.fc2.bias",
)] + ["linear.weight", "linear.bias"]


def mixed(bits: int) -> int:
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    return bits ^ (bits >> 31)


class SplitMix64:
    def __init__(self, seed: int):
        self.state = seed

    def next(self) -> int:
        self.state = (self.state + GAMMA) & MASK
        return mixed(self.state)

    @staticmethod
    def output(index: int, seed: int) -> int:
        return mixed((seed + (index + 1) * GAMMA) & MASK)


def normals(seed: int):
    """Marsaglia's polar method."""
    bits = SplitMix64(seed)
    while True:
        x, y = ((bits.next() >> 11) * 2.0 ** -52 - 1 for _ in range(2))
        square = x * x + y * y
        if 0 < square < 1:
            factor = math.sqrt(-2 * math.log(square) / square)
            yield x * factor
            yield y * factor


def shuffled(samples: list[int], epoch: int, seed: int) -> list[int]:
    samples = list(samples)
    bits = SplitMix64(SplitMix64.output(2 + epoch, seed))
    for last in range(len(samples) - 1, 0, -1):
        other = bits.next() % (last + 1)
        samples[last], samples[other] = samples[other], samples[last]
    return samples


class Attention(torch.nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v = (torch.nn.Linear(width, width) for _ in range(3))

    def forward(self, query, x):
        def split(y):
            return y.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        q, k, v = split(self.q(query)), split(self.k(x)), split(self.v(x))
        weights = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1)
        return (weights @ v).transpose(1, 2).flatten(2)


class Block(torch.nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm1, self.norm2 = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
        self.xattn = Attention(width, heads)
        self.mlp = torch.nn.Sequential()
        self.mlp.add_module("fc1", torch.nn.Linear(width, 4 * width))
        self.mlp.add_module("gelu", torch.nn.GELU())
        self.mlp.add_module("fc2", torch.nn.Linear(4 * width, width))

    def forward(self, query, x):
        query = query + self.xattn(query, self.norm1(x))
        return query + self.mlp(self.norm2(query))


class Pooler(torch.nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.query_tokens = torch.nn.Parameter(torch.zeros(1, 1, width))
        self.cross_attention_block = Block(width, heads)

    def forward(self, x):
        return self.cross_attention_block(self.query_tokens.expand(len(x), -1, -1), x)[:, 0]


class Probe(torch.nn.Module):
    def __init__(self, width: int, heads: int, outputs: int, seed: int):
        super().__init__()
        self.pooler = Pooler(width, heads)
        self.linear = torch.nn.Linear(width, outputs)
        self.double()
        noise, bits = normals(SplitMix64.output(0, seed)), SplitMix64(SplitMix64.output(1, seed))
        named = dict(self.named_parameters())
        assert sorted(named) == sorted(PARTS)
        with torch.no_grad():
            for name in PARTS:
                count = named[name].numel()
                if "norm" in name:
                    values = [1.0 if name.endswith("weight") else 0.0] * count
                elif name.startswith("linear"):
                    values = [(2 * ((bits.next() >> 11) * 2.0 ** -53) - 1) / math.sqrt(width) for _ in range(count)]
                elif name.endswith("bias"):
                    values = [0.0] * count
                else:
                    std = np.float32(0.02 / math.sqrt(2) if "fc2" in name else 0.02)
                    values = [std * np.float32(next(noise)) for _ in range(count)]
                values = np.array(values, dtype=np.float32).astype(np.float64)
                named[name].copy_(torch.from_numpy(values).reshape(named[name].shape))

    def forward(self, x):
        return self.linear(self.pooler(x))

    def vector(self) -> np.ndarray:
        named = dict(self.named_parameters())
        return np.concatenate([named[name].detach().numpy().ravel() for name in PARTS])


def losses(outputs, targets):
    if targets.dtype == torch.int64:
        return torch.nn.functional.cross_entropy(outputs, targets)
    return ((outputs[:, 0] - targets) ** 2).mean()


def train(x, targets, outputs: int, heads: int, rates, epochs: int, batch: int, warm_up: float, seed: int, included=None):
    """Returns the probe and the loss of each step."""
    included = list(range(len(x))) if included is None else included
    probe = Probe(x.shape[-1], heads, outputs, seed)
    optimizer = torch.optim.AdamW(probe.parameters(), lr=rates[0], weight_decay=rates[1])
    per_epoch = -(-len(included) // batch)
    rising, step, found = int(warm_up * per_epoch), 0, []
    for epoch in range(epochs):
        order = shuffled(included, epoch, seed)
        for first in range(0, len(order), batch):
            step += 1
            if step < rising:
                share = step / rising
            else:
                share = 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, epochs * per_epoch - rising)))
            optimizer.param_groups[0]["lr"] = rates[0] * max(0, share)
            part = order[first:first + batch]
            loss = losses(probe(x[part]), targets[part])
            found.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return probe, found


def trainings() -> None:
    rng = np.random.default_rng(3)
    label = rng.integers(0, 4, 90)
    tokens = rng.standard_normal((90, 7, 12)) + 0.5
    # The class is in one token, whose place varies.
    tokens[np.arange(90), rng.integers(0, 7, 90), label] += 3
    number = tokens[:, :, 5].max(1) + 0.1 * rng.standard_normal(90)
    vectors = {"tokens": tokens.astype(np.float32), "label": label.astype(np.float32)[:, None],
               "number": number.astype(np.float32)[:, None]}
    x = torch.from_numpy(vectors["tokens"]).double()
    classes, numbers = torch.from_numpy(label), torch.from_numpy(vectors["number"][:, 0]).double()
    included = [sample for sample in range(90) if sample % 9 != 4]
    for name, targets, outputs, rates, schedule in (
        # Batches above the number of samples that are computed together, and a warm-up.
        ("first", classes, 4, (0.01, 0.1), (3, 70, 1.0)),
        ("second", classes, 4, (0.002, 0.0), (3, 70, 1.0)),
        ("long", classes, 4, (0.005, 0.02), (40, 16, 2.0)),
        ("number", numbers, 1, (0.005, 0.02), (40, 16, 0.0)),
    ):
        probe, found = train(x, targets, outputs, 3, rates, *schedule, 7, included)
        initial = Probe(12, 3, outputs, 7).vector()
        vectors[f"initial.{outputs}"] = initial.astype(np.float32)
        vectors[f"losses.{name}"] = np.array(found, dtype=np.float32)
        vectors[f"parameters.{name}"] = probe.vector().astype(np.float32)
        with torch.no_grad():
            vectors[f"outputs.{name}"] = probe(x).numpy().astype(np.float32)
        print(name, found[0], found[-1])
    save_file(vectors, f"{HERE}/training.safetensors")


# As in Tests/ZooEvalTests/ProbeEvaluation.swift.
RATES = [(learning, decay) for learning in (0.01, 0.003) for decay in (0.0, 0.1)]
HEADS, EPOCHS, BATCH, WARM_UP, HOLD_OUT, TOP, SEED = 2, 12, 32, 1.0, 4, 2, 0


def suite() -> None:
    model = reference.SeriesJEPA.load(f"{ROOT}/Tests/Vectors/families/series-jepa")
    splits, tokens = {}, {}
    for name in ("fit", "test"):
        splits[name] = load_file(f"{HERE}/../probes/{name}.safetensors")
        with torch.no_grad():
            tokens[name] = model.encoder(torch.from_numpy(splits[name]["values"])).double()
    groups = list(dict.fromkeys(splits["fit"]["unit"][:, 0].tolist()))
    held = [groups.index(unit) % HOLD_OUT == HOLD_OUT - 1 for unit in splits["fit"]["unit"][:, 0].tolist()]
    kept, out = ([sample for sample, is_held in enumerate(held) if is_held == wanted] for wanted in (False, True))
    expected = {}
    for task in ("stage", "life"):
        known, wanted = (splits[name][task][:, 0].astype(np.float64) for name in ("fit", "test"))
        if task == "stage":
            targets, outputs = torch.from_numpy(known.astype(np.int64)), 3
        else:
            targets, outputs = torch.from_numpy((known - known.mean()) / known.std()), 1
        best = None
        for rates in RATES:
            probe, _ = train(tokens["fit"], targets, outputs, HEADS, rates, EPOCHS, BATCH, WARM_UP, SEED, kept)
            with torch.no_grad():
                found = probe(tokens["fit"][out])
            if task == "stage":
                error = float((found.argmax(1) != targets[out]).sum())
            else:
                error = float(((found[:, 0] - targets[out]) ** 2).sum())
            print(task, rates, error)
            if best is None or error < best[0]:
                best = (error, rates)
        probe, _ = train(tokens["fit"], targets, outputs, HEADS, best[1], EPOCHS, BATCH, WARM_UP, SEED)
        with torch.no_grad():
            found = probe(tokens["test"]).numpy()
        if task == "stage":
            hits = found.argmax(1) == wanted
            top = np.argsort(-found, axis=1, kind="stable")[:, :TOP]
            expected[task] = {
                "accuracy": float(hits.mean()),
                "classMean": float(np.mean([hits[wanted == label].mean() for label in range(outputs)])),
                "top": float((top == wanted[:, None]).any(1).mean()),
            }
        else:
            found = found[:, 0] * known.std() + known.mean()
            squares = ((found - wanted) ** 2).sum()
            expected[task] = {"rmse": float(np.sqrt(squares / len(wanted))),
                              "r2": float(1 - squares / ((wanted - wanted.mean()) ** 2).sum())}
    with open(f"{HERE}/expected.json", "w") as file:
        json.dump(expected, file, indent=1)
        file.write("\n")
    print(expected)


if __name__ == "__main__":
    torch.set_num_threads(1)
    trainings()
    suite()
