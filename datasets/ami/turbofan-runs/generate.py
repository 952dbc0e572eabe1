# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes the files of the data set ami/turbofan-runs: windows of simulated engines that wear out.

    python generate.py --output release          # numpy 1.26 or later, safetensors 0.4 or later

The engines are those of models/ami/turbofan/generator.py, with seeds on which no model was trained. `train` and `test`
hold other engines, so that a probe that is fitted on the one is measured on the other; `anomalies` holds one window of
each of its engines, sound or with a fault of one sensor.
"""

import argparse
import os
import sys

import numpy as np
from safetensors.numpy import save_file

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../models/ami/turbofan"))
import generator  # noqa: E402

TRAIN, TEST, ANOMALIES = 301, 302, 303


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    os.makedirs(options.output, exist_ok=True)
    files = {
        "train": generator.windows(TRAIN, range(500), 2),
        "test": generator.windows(TEST, range(250), 2),
        "anomalies": generator.anomalies(ANOMALIES, range(1001), normal=400, each=150),
    }
    for name, tensors in files.items():
        tensors = {key: np.ascontiguousarray(value) for key, value in tensors.items()}
        save_file(tensors, os.path.join(options.output, f"{name}.safetensors"))


if __name__ == "__main__":
    main()
