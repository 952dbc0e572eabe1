# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes the suite definitions of the release, release/suites/*.json, except golden.json (release_golden.py).

    python suites.py --digest sha256:…          # the digest of the manifest of ami/shapes-images:1.0.0
"""

import argparse
import json
import os

LABELS = ("shape", "colour", "count")
STRENGTHS = (0.001, 0.1, 3.0)
NEIGHBOURS, TEMPERATURE = (1, 20), 0.07  # as in DINO (arXiv 2104.14294)


def metric(name: str, unit: str) -> dict:
    return {"name": name, "unit": unit, "direction": "higher"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digest", required=True)
    digest = parser.parse_args().digest
    linear = [metric("accuracy", "fraction"), metric("class-mean accuracy", "fraction")]
    linear += [metric(f"1 - accuracy of {name} over that of the model", "ratio") for name in ("constant", "raw")]
    nearest = []
    for count in NEIGHBOURS:
        nearest.append(metric(f"accuracy, {count} neighbours", "fraction"))
        nearest.append(metric(f"1 - accuracy of raw over that of the model, {count} neighbours", "ratio"))
    methods = {
        "linear-probe": ({"task": "classification", "strengths": list(STRENGTHS), "holdOut": 5}, linear),
        "knn": ({"neighbours": list(NEIGHBOURS), "temperature": TEMPERATURE}, nearest),
    }
    os.makedirs("release/suites", exist_ok=True)
    for label in LABELS:
        for suite, (parameters, metrics) in methods.items():
            name = f"{label}-{suite}"
            document = {
                "format": "ami-zoo.suite/1", "name": name, "suite": suite, "suiteVersion": 1,
                "data": {
                    "kind": "dataset", "name": "ami/shapes-images", "version": "1.0.0", "digest": digest, "split": "test",
                },
                "parameters": {"input": "images", "fit": "train", "label": label, "raw": True} | parameters,
                "metrics": metrics, "seed": 0,
            }  # fmt: skip
            with open(f"release/suites/{name}.json", "w") as file:
                json.dump(document, file, indent=2)
                file.write("\n")


if __name__ == "__main__":
    main()
