# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes the suite definitions of the release, release/suites/*.json.

    python suites.py --digest sha256:…          # the digest of the manifest of ami/turbofan-runs:1.0.0
"""

import argparse
import json
import os

import generator

BLOCK, NEIGHBOURS = 4, (1, 5, 10)
# The strengths of ridge regression to choose from, on every fifth engine of the split `train`.
STRENGTHS, HOLD_OUT = (1, 3, 10, 30, 100, 300, 1000), 5


def metric(name: str, unit: str, direction: str = "higher") -> dict:
    return {"name": name, "unit": unit, "direction": direction}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digest", required=True)
    digest = parser.parse_args().digest
    titles = [*generator.FAULTS, "any"]
    precisions = [f"precision at {k}" for k in NEIGHBOURS] + ["mean average precision"]
    suites = {
        "anomaly": (
            "anomaly", "anomalies", {"block": BLOCK, "kinds": list(generator.FAULTS), "reference": "train"},
            [metric(f"AUROC, {kind}", "fraction") for kind in titles]
            + [
                metric(f"1 - AUROC of {name} over that of the model, {kind}", "ratio")
                for kind in titles for name in ("largest-z", "mahalanobis")
            ],
        ),
        "wear-retrieval": (
            "retrieval", "test", {"label": "stage", "group": "unit", "neighbours": list(NEIGHBOURS)},
            [metric(name, "fraction") for name in precisions]
            + [
                metric(f"{name} over that of {baseline}", "ratio")
                for baseline in ("raw windows", "channel means") for name in precisions
            ],
        ),
        "remaining-life": (
            "linear-probe", "test",
            {
                "input": "values", "fit": "train", "label": "life", "raw": True, "task": "regression", "unit": "flights",
                "strengths": list(STRENGTHS), "holdOut": HOLD_OUT, "group": "unit",
            },
            [metric("RMSE", "flights", "lower"), metric("R2", "fraction")]
            + [metric(f"RMSE of {name} over that of the model", "ratio") for name in ("constant", "raw")],
        ),
    }
    os.makedirs("release/suites", exist_ok=True)
    for name, (suite, split, parameters, metrics) in suites.items():
        document = {
            "format": "ami-zoo.suite/1", "name": name, "suite": suite, "suiteVersion": 1,
            "data": {
                "kind": "dataset", "name": "ami/turbofan-runs", "version": "1.0.0", "digest": digest, "split": split,
            },
            "parameters": parameters, "metrics": metrics, "seed": 0,
        }
        with open(f"release/suites/{name}.json", "w") as file:
            json.dump(document, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
