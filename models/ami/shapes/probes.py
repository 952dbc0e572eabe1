# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Measures frozen features of ami/shapes with probes of scikit-learn, against raw pixels and an untrained network.

    python ../../../datasets/ami/shapes-images/generate.py --output images
    python probes.py --release release --images images        # writes scikit-learn.json

Features of an image are the mean over tokens of `last_hidden_state` of transformers' IJepaModel, which includes the last norm. The
untrained network has the same architecture and a fixed seed. Probes are fitted on the split `train`, measured on `test`:

- linear: multinomial logistic regression on standardised features. Of the penalties C the one is taken that is
  best when fitted on the first 3,200 samples of `train` and measured on its last 800 (the smaller of equals); then
  it is fitted on all 4,000.
- ridge: a one-against-the-rest linear least-squares classifier on standardised features, alpha chosen in the same way (the
  larger of equals).
- knn: the 20 training samples with the largest cosine of features (not standardised), which vote with one vote each, or with
  exp(cosine / 0.07) as in DINO (arXiv 2104.14294). Of equal classes the first wins.
"""

from __future__ import annotations

import argparse
import json
import os

import numpy as np
import sklearn
import torch
import transformers
from safetensors.numpy import load_file
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

import model
from train import pixels

LABELS = ("shape", "colour", "count")
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
ALPHAS = (1.0, 10.0, 100.0, 1000.0, 10000.0)
FITTED = 3200  # training samples for the choice of a penalty
NEIGHBOURS, TEMPERATURE = 20, 0.07
TOLERANCE, ITERATIONS = 1e-6, 3000
UNTRAINED_SEED = 1


@torch.no_grad()
def pooled(encode, images: np.ndarray) -> np.ndarray:
    return torch.cat([encode(pixels(part)).mean(1) for part in np.array_split(images, max(1, len(images) // 200))]).numpy()


def chosen(make, values, x: np.ndarray, y: np.ndarray) -> tuple[float, dict[str, float]]:
    """The best of the values on the last part of the training samples, and the accuracies of all."""
    scaler = StandardScaler().fit(x[:FITTED])
    a, b = scaler.transform(x[:FITTED]), scaler.transform(x[FITTED:])
    found = {value: make(value).fit(a, y[:FITTED]).score(b, y[FITTED:]) for value in values}
    best = max(values, key=lambda value: found[value])  # the first of equals
    return best, {f"{value:g}": round(found[value], 5) for value in values}


def measure(train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]) -> dict:
    (x, y), (u, v) = train, test
    scaler = StandardScaler().fit(x)
    a, b = scaler.transform(x), scaler.transform(u)
    out = {}
    kinds = {
        "linear": (lambda c: LogisticRegression(C=c, tol=TOLERANCE, max_iter=ITERATIONS), PENALTIES),
        "ridge": (lambda alpha: RidgeClassifier(alpha=alpha, solver="cholesky"), tuple(reversed(ALPHAS))),
    }
    for name, (make, values) in kinds.items():
        best, path = chosen(make, values, x, y)
        out[name] = {"accuracy": make(best).fit(a, y).score(b, v), "penalty": best, "validation": path}
    for name, weights in (("knn", "uniform"), ("knn, weighted", lambda d: np.exp((1 - d) / TEMPERATURE))):
        probe = KNeighborsClassifier(NEIGHBOURS, metric="cosine", weights=weights, algorithm="brute").fit(x, y)
        out[name] = {"accuracy": probe.score(u, v)}
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default="release")
    parser.add_argument("--images", required=True, help="the folder that generate.py of the data set wrote")
    parser.add_argument("--output", default="scikit-learn.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    released = transformers.IJepaModel.from_pretrained(options.release, dtype=torch.float32, add_pooling_layer=False).eval()
    torch.manual_seed(UNTRAINED_SEED)
    untrained = model.Encoder(model.CONFIG).eval()
    encoders = {
        "model": lambda x: released(x).last_hidden_state,
        "untrained": untrained,
    }
    splits = {name: load_file(os.path.join(options.images, f"{name}.safetensors")) for name in ("train", "test")}
    features = {name: {split: pooled(encode, t["images"]) for split, t in splits.items()} for name, encode in encoders.items()}
    features["raw pixels"] = {split: t["images"].reshape(len(t["images"]), -1) / 255.0 for split, t in splits.items()}
    results: dict[str, dict] = {}
    for label in LABELS:
        truth = {split: t[label][:, 0].astype(int) for split, t in splits.items()}
        results[label] = {}
        for name, of in features.items():
            results[label][name] = measure((of["train"], truth["train"]), (of["test"], truth["test"]))
            print(label, name, {probe: round(m["accuracy"], 4) for probe, m in results[label][name].items()}, flush=True)
    document = {
        "versions": {m.__name__: m.__version__ for m in (sklearn, transformers, torch, np)},
        "parameters": {
            "pool": "mean", "standardise": "linear and ridge: mean and std (divisor n) of the fitted samples",
            "linear": {"solver": "lbfgs", "loss": "multinomial", "tol": TOLERANCE, "max_iter": ITERATIONS, "C": PENALTIES},
            "ridge": {"solver": "cholesky", "alpha": ALPHAS}, "penalty samples": FITTED,
            "knn": {"metric": "cosine", "k": NEIGHBOURS, "temperature": TEMPERATURE}, "untrained seed": UNTRAINED_SEED,
        },
        "samples": {split: len(t["images"]) for split, t in splits.items()},
        "results": results,
    }  # fmt: skip
    with open(options.output, "w") as file:
        json.dump(document, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
