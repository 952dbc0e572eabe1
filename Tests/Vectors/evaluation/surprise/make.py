#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes hand-made prediction errors, and what upstream's own metrics make of them.

    python make.py --repository DIR    # torch 2.15.0, numpy 2.4.6, scikit-learn 1.9.1, safetensors 0.8.0; seed 29

`DIR` is a checkout of facebookresearch/jepa-intuitive-physics (41fbfff6c52d5bc27c8731fa0f12250b49b34e63), whose function
`compute_metrics` is taken from `evaluation_code/evals/intuitive_physics/eval.py` as it stands there, and is no part of this project.
It gets what upstream gives it: the losses [videos, contexts, windows] of each context, then their least over contexts. Losses are
multiples of 1/8, so that some are equal; errors.safetensors holds them as the columns [pairs, windows · contexts] of ami-zoo. The
pairs of the kinds alternate.
"""

import argparse
import ast
import json
import os

import numpy as np
import torch
from safetensors.torch import save_file
from sklearn.metrics import auc, precision_recall_curve, roc_curve

HERE = os.path.dirname(os.path.abspath(__file__))
SEED, CONTEXTS, WINDOWS = 29, (2, 4, 6), 5
# Upstream's index of the threshold is outside for fewer than ten.
PAIRS = {"O1": 12, "O2": 11, "O3": 10}
# How much more an impossible clip surprises.
SHIFTS = {"O1": 0.35, "O2": 0.0, "O3": -0.2}
NAMES = {
    "relative accuracy, mean over windows": "Relative Accuracy (avg)",
    "relative accuracy, maximum over windows": "Relative Accuracy (max)",
    "absolute accuracy, maximum over windows": "Absolute Accuracy (max)",
    "AUROC, mean over windows": "AUROC (avg)",
    "AUROC, maximum over windows": "AUROC (max)",
}


def upstream(repository):
    path = f"{repository}/evaluation_code/evals/intuitive_physics/eval.py"
    with open(path) as file:
        tree = ast.parse(file.read())
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "compute_metrics"]
    names = {"torch": torch, "np": np, "auc": auc, "roc_curve": roc_curve, "precision_recall_curve": precision_recall_curve}
    exec(compile(tree, path, "exec"), names)
    return names["compute_metrics"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repository", required=True)
    compute = upstream(parser.parse_args().repository)
    rng = np.random.default_rng(SEED)
    kinds = [kind for place in range(max(PAIRS.values())) for kind in PAIRS if place < PAIRS[kind]]
    real = rng.integers(4, 20, (len(kinds), len(CONTEXTS), WINDOWS)) / 8
    fake = rng.integers(4, 20, real.shape) / 8
    for pair, kind in enumerate(kinds):
        fake[pair] = np.round((fake[pair] + SHIFTS[kind]) * 8) / 8
    expected = {}
    for kind in PAIRS:
        chosen = [pair for pair, other in enumerate(kinds) if other == kind]
        # Upstream appends the two movies of each match one after the other.
        losses = torch.tensor(np.stack((real[chosen], fake[chosen]), 1).reshape(-1, len(CONTEXTS), WINDOWS))
        labels = torch.tensor([1, 0] * len(chosen))
        rows = {f"context of {context} frames": losses[:, index] for index, context in enumerate(CONTEXTS)}
        rows["least of the contexts"] = losses.min(1)[0]
        for row, values in rows.items():
            metrics = compute(values, labels)
            for name, theirs in NAMES.items():
                expected[f"{name}, {kind}, {row}"] = float(metrics[theirs]) / (1 if "AUROC" in name else 100)
    save_file({name: torch.tensor(values.transpose(0, 2, 1).reshape(len(kinds), -1), dtype=torch.float32)
               for name, values in (("possible", real), ("impossible", fake))}, f"{HERE}/errors.safetensors")
    with open(f"{HERE}/expected.json", "w") as file:
        json.dump({"kinds": kinds, "contexts": CONTEXTS, "metrics": expected}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
