#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes clips.safetensors, pairs.safetensors and expected.json: what models/ami/ball-drop/evaluate.py measures on them.

    python make.py                  # torch 2.13.0, transformers 5.23.0, numpy, safetensors

Seed 104, which no claim of the model uses. The numbers are computed by the functions of evaluate.py with PyTorch and
transformers, and those of scikit-learn's definition of the area under the curve by counting pairs.
"""

import json
import os
import sys

import numpy as np
import torch
from safetensors.numpy import save_file
from safetensors.torch import load_file

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "../../..")
sys.path[:0] = [f"{ROOT}/models/ami/ball-drop", f"{ROOT}/datasets/ami/ball-drop-clips"]
import evaluate  # noqa: E402
import generate  # noqa: E402
import generator  # noqa: E402

SEED, CLIPS, PAIRS = 104, 8, 2
RELEASE = f"{ROOT}/models/ami/ball-drop/release"


def main() -> None:
    torch.set_num_threads(1)
    clips = generator.clips(SEED, CLIPS)
    save_file({"frames": generate.frames(clips["pixel_values"]), "positions": clips["positions"],
               "landing": clips["landing"]}, f"{HERE}/clips.safetensors")
    model = evaluate.load(RELEASE)
    read_out = load_file(f"{RELEASE}/read_outs/trajectory.safetensors")
    test = evaluate.describe(model, SEED, CLIPS)
    position = evaluate.measure_positions(read_out, test, test, evaluate.apply_position(read_out, test["predicted"]))
    landing = evaluate.measure_landing(read_out, test, test)
    expected = {"n": CLIPS, "position": position["per_tubelet"], "landing": landing, "surprise": {}}

    parts = {"possible": [], "impossible": [], "kind": []}
    for index, kind in enumerate(generator.KINDS):
        pairs = generator.pairs(SEED, PAIRS, kind)
        for name in ("possible", "impossible"):
            parts[name].append(generate.frames(pairs[name]))
            errors = evaluate.token_errors(model, read_out, pairs[name])
            # The next tubelet after each context, as evaluate.SURPRISE says.
            by_context = [errors[:, i, context].mean(-1) for i, context in enumerate(evaluate.SURPRISE_CONTEXTS)]
            expected["surprise"].setdefault(name, []).extend(np.stack(by_context, 1).tolist())
            total = evaluate.surprise(errors, **evaluate.SURPRISE)
            expected["surprise"].setdefault(f"{name} total", []).extend(total.tolist())
        parts["kind"].append(np.full((PAIRS, 1), index, np.float32))
    save_file({name: np.concatenate(values) for name, values in parts.items()}, f"{HERE}/pairs.safetensors")

    # Meta's protocol: absolute differences from layer-normalised targets, all later tokens.
    data = [generator.pairs(SEED, PAIRS, kind) for kind in generator.KINDS]
    for name in ("possible", "impossible"):
        pixels = torch.from_numpy(np.concatenate([pairs[name] for pairs in data]))
        goal = evaluate.targets(model, pixels)
        rows = []
        for context in (1, 4):
            predicted = evaluate.predict(model, pixels, context)
            rows.append((predicted - goal[:, context * evaluate.CELLS :]).abs().mean((1, 2)))
        expected["surprise"][f"{name} absolute"] = torch.stack(rows, 1).tolist()
    with open(f"{HERE}/expected.json", "w") as file:
        json.dump(expected, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
