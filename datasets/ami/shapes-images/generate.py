# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes the files of the data set ami/shapes-images: pictures of shapes, with the labels shape, colour and count.

    python generate.py --output release          # numpy 1.26 or later, safetensors 0.4 or later

The pictures are those of models/ami/shapes/generator.py, with seeds on which no model was trained. A probe is fitted on `train`
and measured on `test`. `shape` is an index into SHAPES of the generator and `colour` into COLOURS; `count` is 1 to 3.
"""

import argparse
import os
import sys

import numpy as np
from safetensors.numpy import save_file

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../models/ami/shapes"))
import generator  # noqa: E402

SPLITS = {"train": (411, 4000), "test": (412, 2000)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    os.makedirs(options.output, exist_ok=True)
    for name, (seed, count) in SPLITS.items():
        tensors = {key: np.ascontiguousarray(value) for key, value in generator.images(seed, count).items()}
        save_file(tensors, os.path.join(options.output, f"{name}.safetensors"))


if __name__ == "__main__":
    main()
