#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Fits linear probes and k-NN to features of a model against scikit-learn.

Features of a random series model are computed once and stored; then `ami-zoo evaluate` (which verifies the model, the data set
and the stored features first) and a Python process that reads the same files take turns.
    python3 Benchmarks/probe.py [--samples 100000] [--width 1024] [--repeats 5] [--work FOLDER]

Needs torch 2.13.0, scikit-learn 1.9.1, safetensors 0.8.0 and 6 times samples * width * 4 bytes of free disk space.
"""

import argparse
import sys
import tempfile

from measure import interleave, row, run, table, zoo
from series import CHANNELS, SEED, Workbench, save_data, save_model

STEPS, CLASSES, TESTED = 8, 10, 10_000

PEER = """
import glob, json, sys, time
import numpy as np
from safetensors.numpy import load_file
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
task, chunks, data = sys.argv[1:4]
start = time.perf_counter()
x = np.concatenate([load_file(path)["features"] for path in sorted(glob.glob(chunks))])
fit, test = load_file(f"{data}/fit.safetensors"), load_file(f"{data}/test.safetensors")
count = len(fit["values"])
label = "life" if task == "ridge" else "stage"
known, wanted = fit[label][:, 0], test[label][:, 0]
x, t = x[:count], x[count:]
if task == "knn":
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    t /= np.linalg.norm(t, axis=1, keepdims=True)
    nearest = NearestNeighbors(n_neighbors=20, metric="cosine", algorithm="brute", n_jobs=-1).fit(x)
    distance, index = nearest.kneighbors(t)
    weight = np.exp((1 - distance) / 0.07)
    score = float((np.stack([(weight * (known[index] == c)).sum(1) for c in range(10)], 1).argmax(1) == wanted).mean())
else:
    scaler = StandardScaler(copy=False).fit(x)
    x, t = scaler.transform(x), scaler.transform(t)
    if task == "ridge":
        predicted = Ridge(alpha=1.0, solver="cholesky").fit(x, known).predict(t)
        score = float(np.sqrt(((predicted - wanted) ** 2).mean()))
    else:
        score = float(LogisticRegression(C=1.0, tol=1e-5, max_iter=1000).fit(x, known).score(t, wanted))
print(json.dumps({"score": score, "seconds": time.perf_counter() - start}), file=sys.stderr)
"""


def make(folder: str, samples: int, width: int) -> None:
    """Writes the model and the data set."""
    import numpy as np

    save_model(f"{folder}/model", "probe", STEPS, STEPS, width, 16)
    rng = np.random.default_rng(SEED)
    first, second = rng.standard_normal((STEPS * CHANNELS, 32)) / 8, rng.standard_normal((32, CLASSES))
    splits = {}
    for name, count in (("fit", samples), ("test", TESTED)):
        values = rng.standard_normal((count, STEPS * CHANNELS))
        scores = np.tanh(values @ first) @ second + rng.gumbel(size=(count, CLASSES))
        splits[name] = {"values": values.reshape(count, STEPS, CHANNELS), "stage": scores.argmax(1)[:, None],
                        "life": scores[:, :1]}
    save_data(f"{folder}/data", "Benchmarks/probe.py", splits)


def definition(task: str, digest: str) -> dict:
    parameters: dict = {"input": "values", "fit": "fit", "raw": False}
    if task == "knn":
        parameters |= {"label": "stage", "neighbours": [20], "temperature": 0.07}
        metrics = [("accuracy, 20 neighbours", "fraction", "higher")]
    elif task == "ridge":
        parameters |= {"task": "regression", "label": "life", "unit": "1", "strengths": [1], "holdOut": 2}
        metrics = [("RMSE", "1", "lower"), ("R2", "fraction", "higher"),
                   ("RMSE of constant over that of the model", "ratio", "higher")]
    else:
        parameters |= {"task": "classification", "label": "stage", "strengths": [1], "holdOut": 2}
        metrics = [("accuracy", "fraction", "higher"), ("class-mean accuracy", "fraction", "higher"),
                   ("1 - accuracy of constant over that of the model", "ratio", "higher")]
    return {
        "format": "ami-zoo.suite/1", "name": task, "suite": "knn" if task == "knn" else "linear-probe", "suiteVersion": 1,
        "data": {"kind": "dataset", "name": "bench/windows", "version": "1.0.0", "digest": digest, "split": "test"},
        "parameters": parameters, "metrics": [dict(zip(("name", "unit", "direction"), metric)) for metric in metrics],
        "seed": 0,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--work")
    options = parser.parse_args()
    program = zoo()
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        make(work, options.samples, options.width)
        bench = Workbench(program, work)
        digest = bench.pack(f"{work}/data")
        rows = []
        for task in ("logistic", "ridge", "knn"):
            score, ours = bench.score(definition(task, digest), task)
            theirs = [sys.executable, "-c", PEER, task, f"{work}/stored/*/chunk-*.safetensors", f"{work}/data"]
            peer = bench.peer(theirs)
            print(f"{task}: ami-zoo {score:.5f}, scikit-learn {peer['score']:.5f} ({peer['seconds']:.1f} s after imports)", flush=True)
            found = interleave({
                f"{task}, ami-zoo": lambda: run(ours, env=bench.environment),
                f"{task}, scikit-learn": lambda: run(theirs, env=bench.environment),
            }, options.repeats)
            rows += [row(name, result) for name, result in found.items()]
            (mine, _, _), (other, _, _) = found.values()
            rows.append((f"{task}, ratio", f"{mine / other:.2f}", "", ""))
        table(rows)


if __name__ == "__main__":
    main()
