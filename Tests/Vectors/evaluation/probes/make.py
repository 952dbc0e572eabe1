#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes labelled windows of time series and what scikit-learn's probes tell about them.

    python make.py    # torch 2.13.0, transformers 5.23.0, numpy 2.4.6, scikit-learn 1.9.1, safetensors 0.8.0; seed 11

The model is that of Tests/Vectors/families/series-jepa. fit.safetensors and test.safetensors hold `values`, `stage` (3
classes), `life` (a number) and `unit` (three windows each); expected.json the numbers of probes on features by PyTorch
and on the windows themselves. pictures/ holds an I-JEPA model with random weights, and pictures with the label `colour` as `images`
and as `frames` of one picture. solver.safetensors holds features with columns of very different means and stds, and the
coefficients that scikit-learn fits to them.
"""

import json
import os
import sys

import numpy as np
import torch
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from transformers import IJepaConfig, IJepaModel

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "../../../..")
sys.path.insert(0, f"{ROOT}/models/ami/turbofan")
import model as reference  # noqa: E402

SEED, HOLD_OUT, NEIGHBOURS, TEMPERATURE = 11, 4, (1, 20), 0.07
EVERY = (16, 8, 4, 2)
STRENGTHS, PENALTIES = (0.001, 0.01, 0.1, 1.0, 10.0), (0.1, 1.0, 10.0, 100.0, 1000.0)


def windows(rng: np.random.Generator, count: int, mean: np.ndarray, std: np.ndarray) -> dict[str, np.ndarray]:
    stage = rng.integers(0, 3, count)
    life = rng.uniform(0, 1, count)
    values = rng.standard_normal((count, 1, 5)) + 0.4 * rng.standard_normal((count, 24, 5))
    values[np.arange(count), :, stage] += 1.0
    values[:, :, 4] += 2 * life[:, None] * np.linspace(0, 1, 24)
    columns = {"values": mean + std * values, "stage": stage[:, None], "life": life[:, None],
               "unit": (np.arange(count) // 3)[:, None]}
    return {name: column.astype(np.float32) for name, column in columns.items()}


def classify(x, y, strength):
    scaler = StandardScaler().fit(x)
    model = LogisticRegression(C=strength, tol=1e-9, max_iter=10000).fit(scaler.transform(x), y)
    return scaler, model


def regress(x, y, penalty):
    scaler = StandardScaler().fit(x)
    return scaler, Ridge(alpha=penalty, solver="cholesky").fit(scaler.transform(x), y)


def probes(fit, test, held, known, wanted, strengths, task):
    """The predictions of a probe whose strength is chosen on the samples that are held out."""
    make = classify if task == "stage" else regress
    best = None
    for strength in strengths:
        scaler, model = make(fit[~held], known[~held], strength)
        predicted = model.predict(scaler.transform(fit[held]))
        score = (predicted == known[held]).sum() if task == "stage" else -((predicted - known[held]) ** 2).sum()
        if best is None or score > best[0]:
            best = (score, strength)
    scaler, model = make(fit, known, best[1])
    return model.predict(scaler.transform(test)), best[1]


def knn(fit, test, known, count):
    fit, test = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (fit, test))
    nearest = NearestNeighbors(n_neighbors=count, metric="cosine", algorithm="brute").fit(fit)
    distance, index = nearest.kneighbors(test)
    weight = np.exp((1 - distance) / TEMPERATURE)
    votes = np.stack([(weight * (known[index] == label)).sum(1) for label in np.unique(known)], 1)
    return np.unique(known)[votes.argmax(1)]


def pictures(rng: np.random.Generator) -> dict:
    """Writes pictures/ and returns the numbers of its probes."""
    folder = f"{HERE}/pictures"
    torch.manual_seed(SEED)
    model = IJepaModel(IJepaConfig(image_size=16, patch_size=4, hidden_size=24, num_hidden_layers=2, num_attention_heads=2,
                                   intermediate_size=48, layer_norm_eps=1e-6, initializer_range=0.2)).eval()
    model.save_pretrained(folder)
    with open(f"{folder}/preprocessor_config.json", "w") as file:
        json.dump({"do_resize": False, "do_center_crop": False, "do_rescale": True, "rescale_factor": 1 / 255,
                   "do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.25] * 3,
                   "size": {"height": 16, "width": 16}, "image_processor_type": "ViTImageProcessor"}, file, indent=1)
    features: dict = {}
    labels: dict = {}
    for name, count in (("fit", 120), ("test", 60)):
        colour = rng.integers(0, 3, count)
        images = rng.integers(0, 200, (count, 16, 16, 3)) + rng.integers(0, 40, (count, 1, 1, 1))
        images[np.arange(count), :, :, colour] += 12
        images = images.astype(np.uint8)
        save_file({"images": images, "frames": images[:, None], "colour": colour.astype(np.float32)[:, None]},
                  f"{folder}/{name}.safetensors")
        pixels = (torch.from_numpy(images).float() / 255 - 0.5) / 0.25
        with torch.no_grad():
            tokens = model(pixels.permute(0, 3, 1, 2)).last_hidden_state.double()
        features[name] = {"model": tokens.mean(1).numpy(), "raw": images.reshape(count, -1) / 255.0}
        labels[name] = colour.astype(np.float64)
    found = {}
    for kind in ("model", "raw"):
        x, t = features["fit"][kind], features["test"][kind]
        scaler, fitted = classify(x, labels["fit"], 1.0)
        found[f"colour, {kind}"] = {
            "accuracy": float((fitted.predict(scaler.transform(t)) == labels["test"]).mean()),
            "knn5": float((knn(x, t, labels["fit"], 5) == labels["test"]).mean()),
        }
    return found


def main() -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(SEED)
    model = reference.SeriesJEPA.load(f"{ROOT}/Tests/Vectors/families/series-jepa")
    mean, std = np.array(model.config["channel_mean"]), np.array(model.config["channel_std"])
    splits = {name: windows(rng, count, mean, std) for name, count in (("fit", 240), ("test", 150))}
    features = {}
    for name, columns in splits.items():
        save_file(columns, f"{HERE}/{name}.safetensors")
        with torch.no_grad():
            tokens = model.encoder(torch.from_numpy(columns["values"])).double()
        features[name] = {"model": tokens.mean(1).numpy(),
                          "raw": columns["values"].astype(np.float64).reshape(len(tokens), -1)}
    fit, test = splits["fit"], splits["test"]
    held = fit["unit"][:, 0] % HOLD_OUT == HOLD_OUT - 1
    expected: dict = {}
    for task, strengths in (("stage", STRENGTHS), ("life", PENALTIES)):
        known, wanted = fit[task][:, 0].astype(np.float64), test[task][:, 0].astype(np.float64)
        for kind in ("model", "raw"):
            x, t = features["fit"][kind], features["test"][kind]
            predicted, strength = probes(x, t, held, known, wanted, strengths, task)
            found: dict = {"strength": strength}
            if task == "stage":
                found |= {"accuracy": float((predicted == wanted).mean()),
                          "classMean": float(balanced_accuracy_score(wanted, predicted))}
                for count in NEIGHBOURS:
                    found[f"knn{count}"] = float((knn(x, t, known, count) == wanted).mean())
            else:
                found |= {"rmse": float(np.sqrt(((predicted - wanted) ** 2).mean())),
                          "r2": float(1 - ((predicted - wanted) ** 2).sum() / ((wanted - wanted.mean()) ** 2).sum())}
            found["curve"] = {}
            for step in EVERY:
                # Every 16th, 8th, … group, and of these every HOLD_OUT-th is held out.
                own, place = fit["unit"][:, 0] % step == 0, fit["unit"][:, 0] // step
                apart = place[own] % HOLD_OUT == HOLD_OUT - 1
                if len(np.unique(known[own][~apart])) < len(np.unique(known)) and task == "stage":
                    continue
                guess, _ = probes(x[own], t, apart, known[own], wanted, strengths, task)
                score = (guess == wanted).mean() if task == "stage" else np.sqrt(((guess - wanted) ** 2).mean())
                found["curve"][str(int(own.sum()))] = float(score)
            expected[f"{task}, {kind}"] = found
        if task == "stage":
            values, counts = np.unique(known, return_counts=True)
            expected["constant accuracy"] = float((wanted == values[counts.argmax()]).mean())
        else:
            expected["constant rmse"] = float(np.sqrt(((wanted - known.mean()) ** 2).mean()))
    expected |= pictures(np.random.default_rng(SEED))
    with open(f"{HERE}/expected.json", "w") as file:
        json.dump(expected, file, indent=1)
        file.write("\n")

    x = (rng.standard_normal((700, 12)) + np.linspace(-30, 30, 12)) * np.geomspace(0.01, 100, 12)
    x[:, 5] = 3
    z = (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1)
    label = (z @ rng.standard_normal((12, 4)) + 2 * rng.gumbel(size=(700, 4))).argmax(1)
    target = z @ rng.standard_normal((12, 2)) + rng.standard_normal((700, 2)) + np.array([5.0, -200.0])
    x = x.astype(np.float32)
    vectors = {"features": x, "label": label.astype(np.float32)[:, None], "target": target.astype(np.float32)}
    known = target.astype(np.float32).astype(np.float64)
    included = np.arange(700) % 7 != 3
    vectors["included"] = included.astype(np.float32)[:, None]
    x64 = x.astype(np.float64)
    for strength in (0.01, 1.0, 100.0):
        scaler, fitted = classify(x64[included], label[included], strength)
        vectors[f"logits.{strength:g}"] = fitted.decision_function(scaler.transform(x64)).astype(np.float32)
        scaler, fitted = regress(x64[included], known[included], strength)
        vectors[f"ridge.{strength:g}"] = fitted.predict(scaler.transform(x64)).astype(np.float32)
    unit = x64 / np.linalg.norm(x64, axis=1, keepdims=True)
    cosine = unit[:50] @ unit[100:].T
    order = np.argsort(-cosine, axis=1, kind="stable")[:, :9]
    vectors["nearest"] = order.astype(np.float32)
    vectors["cosines"] = np.take_along_axis(cosine, order, 1).astype(np.float32)
    save_file(vectors, f"{HERE}/solver.safetensors")


if __name__ == "__main__":
    main()
