# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""A series model with random weights and a data set of windows, on which probes are timed."""

import json
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CHANNELS, SEED = 8, 5

MODEL = """kind: model
name: bench/NAME
version: 1.0.0
summary: A series model with random weights.
authors: [bench]
licence: Apache-2.0
created: 2026-11-27T00:00:00Z
architecture: {family: series-jepa, variant: bench}
inputs:
  modality: series
  length: LENGTH
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
lineage: {kind: generated, generator: GENERATOR, seed: "5"}
"""


def save_model(folder, name, steps, patch, width, heads):
    """Writes a model of one layer whose windows have `steps` steps, `patch` of them in a token."""
    import torch
    sys.path.insert(0, f"{ROOT}/models/ami/turbofan")
    import model as reference

    torch.manual_seed(SEED)
    names = [f"c{index}" for index in range(CHANNELS)]
    reference.SeriesJEPA({
        "model_type": "series_jepa", "window_steps": steps, "patch_steps": patch, "channel_names": names,
        "channel_mean": [0.0] * CHANNELS, "channel_std": [1.0] * CHANNELS, "hidden_size": width,
        "num_attention_heads": heads, "num_hidden_layers": 1, "mlp_ratio": 1.0, "pred_hidden_size": 16,
        "pred_num_attention_heads": 2, "pred_num_hidden_layers": 1, "pred_mlp_ratio": 1.0, "layer_norm_eps": 1e-06,
    }).save(folder)
    quantities = ", ".join(f'{{name: {name}, unit: "1", mean: 0, std: 1}}' for name in names)
    with open(f"{folder}/model.yaml", "w") as file:
        file.write(MODEL.replace("NAME", name).replace("QUANTITIES", quantities).replace("LENGTH", str(steps)))
    shutil.copy(f"{ROOT}/models/ami/turbofan/release/README.md", f"{folder}/README.md")


def save_data(folder, generator, splits):
    """Writes the splits `fit` and `test`: for each its columns by name."""
    import numpy as np
    from safetensors.numpy import save_file

    os.makedirs(folder)
    text = DATA.replace("GENERATOR", generator)
    for split, columns in splits.items():
        save_file({name: np.ascontiguousarray(values, dtype=np.float32) for name, values in columns.items()},
                  f"{folder}/{split}.safetensors")
        text = text.replace({"fit": "FIT", "test": "TESTED"}[split], str(len(columns["values"])))
    with open(f"{folder}/dataset.yaml", "w") as file:
        file.write(text)


class Workbench:
    """The program with a home and a registry of its own below a folder, and without settings of OpenBLAS."""

    def __init__(self, program, work):
        self.program, self.work = program, work
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
        self.environment["AMI_ZOO_HOME"] = f"{work}/home"
        subprocess.run([program, "registry", "init", f"{work}/registry"], env=self.environment, check=True,
                       stdout=subprocess.DEVNULL)

    def ask(self, *command):
        """The JSON document of a command."""
        found = subprocess.run([self.program, *command, "--json", "--quiet"], env=self.environment,
                               capture_output=True, text=True)
        if found.returncode != 0:
            sys.exit(f"{command} failed: {found.stderr}")
        return json.loads(found.stdout)

    def pack(self, folder):
        """The digest of a data set, which is in the registry then."""
        return self.ask("pack", folder, "--output", f"{self.work}/registry")["digest"]

    def score(self, definition, name):
        """The first number of a suite on the model in `model`, and the command that measured it."""
        path = f"{self.work}/{name}.json"
        with open(path, "w") as file:
            json.dump(definition, file)
        command = ["evaluate", f"{self.work}/model", "--suite", path, "--registry", f"{self.work}/registry",
                   "--work", f"{self.work}/stored"]
        return self.ask(*command)["reports"][0]["metrics"][0]["value"], [self.program, *command, "--quiet"]

    def peer(self, command):
        """The JSON document in the last line of standard error of another program."""
        found = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True)
        return json.loads(found.stderr.splitlines()[-1])
