#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes windows of time series and what PyTorch, numpy, scipy and scikit-learn measure on them.

    python make.py          # torch 2.13.0, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, safetensors 0.8.0; seed 7

The model is that of Tests/Vectors/families/series-jepa. anomalies.safetensors holds `values` and `kind`,
reference.safetensors windows without anomaly, labelled.safetensors `values`, `stage` and `unit`, and expected.json the
numbers: errors by the reference implementation, AUROC by roc_auc_score, its interval by root finding, Mahalanobis
distances by numpy, average precision by average_precision_score.
"""

import json
import os
import sys

import numpy as np
import torch
from safetensors.numpy import save_file
from scipy.optimize import brentq
from scipy.stats import norm
from sklearn.metrics import average_precision_score, roc_auc_score

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "../../../..")
sys.path.insert(0, f"{ROOT}/models/ami/turbofan")
import model as reference  # noqa: E402

SEED, BLOCK, KINDS = 7, 3, ("shift", "burst")
Z = norm.ppf(0.975)


def windows(rng: np.random.Generator, count: int, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    level = 0.8 * rng.standard_normal((count, 1, 5))
    return mean + std * (level + 0.3 * rng.standard_normal((count, 24, 5)))


def variance(area: float, low: int, high: int) -> float:
    """Hanley and McNeil 1982."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    return (area * (1 - area) + (high - 1) * (q1 - area**2) + (low - 1) * (q2 - area**2)) / (low * high)


def interval(area: float, low: int, high: int) -> list[float]:
    """Newcombe 2006: the areas that differ from the estimate by at most Z of their own standard errors."""
    def f(x: float) -> float:
        return abs(x - area) - Z * np.sqrt(max(variance(x, low, high), 0))

    ends = []
    for end in (0.0, 1.0):
        # An area of 0 or 1 is itself a root; the interval is between the others.
        start = area + 1e-9 * (end - area)
        ends.append(end if f(end) <= 0 else brentq(f, *sorted((start, end)), xtol=1e-14))
    return ends


def area(scores: np.ndarray, kind: np.ndarray, chosen: np.ndarray) -> dict:
    keep = (kind == 0) | chosen
    low, high = int((kind == 0).sum()), int(chosen.sum())
    value = roc_auc_score(chosen[keep], scores[keep])
    return {"value": value, "interval": interval(value, low, high), "low": low, "high": high}


def ratio(model: dict, other: dict) -> dict:
    """1 - AUROC of the other over that of the model; MOVER on the logarithmic scale (Zou and Donner 2008)."""
    floor = 1 / (2 * model["low"] * model["high"])

    def logs(a: dict) -> tuple[float, float, float]:
        return tuple(np.log(max(1 - x, floor)) for x in (a["interval"][1], a["value"], a["interval"][0]))

    (l2, d2, u2), (l1, d1, u1) = logs(model), logs(other)
    d = d1 - d2
    return {"value": np.exp(d), "interval": [np.exp(d - np.hypot(d1 - l1, u2 - d2)), np.exp(d + np.hypot(u1 - d1, d2 - l2))]}


def retrieval(features: np.ndarray, label: np.ndarray, unit: np.ndarray) -> dict:
    features = features / np.linalg.norm(features, axis=1, keepdims=True)
    similarity = features @ features.T
    found: dict[str, list] = {"1": [], "5": [], "mean average precision": []}
    for query in range(len(label)):
        other = unit != unit[query]
        scores, relevant = similarity[query][other], label[other] == label[query]
        order = np.argsort(-scores, kind="stable")
        for k in (1, 5):
            found[str(k)].append(relevant[order[:k]].mean())
        found["mean average precision"].append(average_precision_score(relevant, scores))
    return {name: float(np.mean(values)) for name, values in found.items()}


def main() -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(SEED)
    model = reference.SeriesJEPA.load(f"{ROOT}/Tests/Vectors/families/series-jepa")
    mean, std = np.array(model.config["channel_mean"]), np.array(model.config["channel_std"])
    normal = windows(rng, 40, mean, std).astype(np.float32)
    save_file({"values": normal}, f"{HERE}/reference.safetensors")
    kind = np.repeat([0, 1, 2], [70, 30, 30])
    values = windows(rng, 130, mean, std)
    values[kind == 1, 12:, 2] += 1.2 * std[2]
    values[kind == 2, 9:12, 4] += 2.5 * std[4] * rng.standard_normal((30, 3))
    values = values.astype(np.float32)
    save_file({"values": values, "kind": kind.astype(np.float32)[:, None]}, f"{HERE}/anomalies.safetensors")

    unit = np.repeat(np.arange(35), 4)
    stage = rng.integers(0, 3, 140)
    stage[:8] = [0, 1, 2, 0, 0, 1, 2, 0]
    labelled = windows(rng, 140, mean, std)
    labelled[np.arange(140), :, stage] += 0.7 * std[stage][:, None]
    labelled = labelled.astype(np.float32)
    save_file({"values": labelled, "stage": stage.astype(np.float32)[:, None], "unit": unit.astype(np.float32)[:, None]},
              f"{HERE}/labelled.safetensors")

    token_errors = reference.errors(model, torch.from_numpy(values), BLOCK).double().numpy()
    flat = normal.astype(np.float64).reshape(-1, 5)
    z = np.abs((values - flat.mean(0)) / flat.std(0)).max((1, 2))
    means = normal.astype(np.float64).mean(1)
    away = values.astype(np.float64).mean(1) - means.mean(0)
    distance = np.einsum("ni,ij,nj->n", away, np.linalg.inv(np.cov(means.T)), away)
    expected = {"errors": token_errors[:4].tolist(), "areas": {}, "ratios": {}}
    for title, chosen in [*((name, kind == i + 1) for i, name in enumerate(KINDS)), ("any", kind > 0)]:
        found = area(token_errors.mean(1), kind, chosen)
        expected["areas"][title] = found
        for name, scores in (("largest-z", z), ("mahalanobis", distance)):
            expected["ratios"][f"{name}, {title}"] = ratio(found, area(scores, kind, chosen))
    # Separated scores, and scores of few samples.
    expected["intervals"] = [
        {"low": low, "high": high, "value": value, "interval": interval(value, low, high)}
        for low, high, value in ((70, 30, 1.0), (70, 30, 0.0), (4, 3, 0.75), (400, 175, 0.5), (2, 2, 1.0))
    ]
    with torch.no_grad():
        features = model.encoder(torch.from_numpy(labelled)).double().mean(1).numpy()
    rows = labelled.astype(np.float64).reshape(-1, 5)
    raw = ((labelled - rows.mean(0)) / rows.std(0)).reshape(140, -1)
    expected["retrieval"] = retrieval(features, stage, unit)
    expected["raw windows"] = retrieval(raw, stage, unit)
    expected["channel means"] = retrieval(raw.reshape(140, 24, 5).mean(1), stage, unit)
    with open(f"{HERE}/expected.json", "w") as file:
        json.dump(expected, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
