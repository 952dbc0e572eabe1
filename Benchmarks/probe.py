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
import json
import os
import shutil
import subprocess
import sys
import tempfile

from measure import interleave, row, run, table, zoo

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STEPS, CHANNELS, CLASSES, TESTED, SEED = 8, 8, 10, 10_000, 5

MODEL = """kind: model
name: bench/probe
version: 1.0.0
summary: A series model with random weights.
authors: [bench]
licence: Apache-2.0
created: 2026-11-27T00:00:00Z
architecture: {family: series-jepa, variant: bench}
inputs:
  modality: series
  length: 8
  quantities: [QUANTITIES]
components:
  - {name: encoder, prefix: "encoder.", files: [model.safetensors]}
  - {name: predictor, prefix: "predictor.", files: [model.safetensors]}
lineage: {kind: trained}
"""

DATA = """kind: dataset
name: bench/windows
version: 1.0.0
summary: Random windows.
authors: [bench]
licence: Apache-2.0
created: 2026-11-27T00:00:00Z
modality: series
splits:
  - {name: fit, count: FIT, files: [fit.safetensors]}
  - {name: test, count: TESTED, files: [test.safetensors]}
lineage: {kind: generated, generator: Benchmarks/probe.py, seed: "5"}
"""

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
    import torch
    from safetensors.numpy import save_file
    sys.path.insert(0, f"{ROOT}/models/ami/turbofan")
    import model as reference

    torch.manual_seed(SEED)
    names = [f"c{index}" for index in range(CHANNELS)]
    reference.SeriesJEPA({
        "model_type": "series_jepa", "window_steps": STEPS, "patch_steps": STEPS, "channel_names": names,
        "channel_mean": [0.0] * CHANNELS, "channel_std": [1.0] * CHANNELS, "hidden_size": width,
        "num_attention_heads": 16, "num_hidden_layers": 1, "mlp_ratio": 1.0, "pred_hidden_size": 16,
        "pred_num_attention_heads": 2, "pred_num_hidden_layers": 1, "pred_mlp_ratio": 1.0, "layer_norm_eps": 1e-06,
    }).save(f"{folder}/model")
    with open(f"{folder}/model/model.yaml", "w") as file:
        quantities = ", ".join(f'{{name: {name}, unit: "1", mean: 0, std: 1}}' for name in names)
        file.write(MODEL.replace("QUANTITIES", quantities))
    shutil.copy(f"{ROOT}/models/ami/turbofan/release/README.md", f"{folder}/model/README.md")
    os.makedirs(f"{folder}/data")
    rng = np.random.default_rng(SEED)
    first, second = rng.standard_normal((STEPS * CHANNELS, 32)) / 8, rng.standard_normal((32, CLASSES))
    for name, count in (("fit", samples), ("test", TESTED)):
        values = rng.standard_normal((count, STEPS * CHANNELS))
        scores = np.tanh(values @ first) @ second + rng.gumbel(size=(count, CLASSES))
        columns = {"values": values.reshape(count, STEPS, CHANNELS), "stage": scores.argmax(1)[:, None],
                   "life": scores[:, :1]}
        save_file({key: np.ascontiguousarray(value, dtype=np.float32) for key, value in columns.items()},
                  f"{folder}/data/{name}.safetensors")
    with open(f"{folder}/data/dataset.yaml", "w") as file:
        file.write(DATA.replace("count: FIT", f"count: {samples}").replace("TESTED", str(TESTED)))


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
        environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
        environment["AMI_ZOO_HOME"] = f"{work}/home"

        def ask(*command: str) -> dict:
            found = subprocess.run([program, *command, "--json", "--quiet"], env=environment, capture_output=True, text=True)
            if found.returncode != 0:
                sys.exit(f"{command} failed: {found.stderr}")
            return json.loads(found.stdout)

        subprocess.run([program, "registry", "init", f"{work}/registry"], env=environment, check=True,
                       stdout=subprocess.DEVNULL)
        digest = ask("pack", f"{work}/data", "--output", f"{work}/registry")["digest"]
        rows = []
        for task in ("logistic", "ridge", "knn"):
            path = f"{work}/{task}.json"
            with open(path, "w") as file:
                json.dump(definition(task, digest), file)
            ours = ["evaluate", f"{work}/model", "--suite", path, "--registry", f"{work}/registry", "--work", f"{work}/stored"]
            score = ask(*ours)["reports"][0]["metrics"][0]["value"]
            chunks = f"{work}/stored/*/chunk-*.safetensors"
            theirs = [sys.executable, "-c", PEER, task, chunks, f"{work}/data"]
            peer = json.loads(subprocess.run(theirs, env=environment, capture_output=True, text=True, check=True).stderr.splitlines()[-1])
            print(f"{task}: ami-zoo {score:.5f}, scikit-learn {peer['score']:.5f} ({peer['seconds']:.1f} s after imports)", flush=True)
            found = interleave({
                f"{task}, ami-zoo": lambda: run([program, *ours, "--quiet"], env=environment),
                f"{task}, scikit-learn": lambda: run(theirs, env=environment),
            }, options.repeats)
            rows += [row(name, result) for name, result in found.items()]
            (mine, _, _), (other, _, _) = found.values()
            rows.append((f"{task}, ratio", f"{mine / other:.2f}", "", ""))
        table(rows)


if __name__ == "__main__":
    main()
