# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes a release with the architecture and the suites of ami/shapes, and weights as training starts with.

    python untrained.py --release release --output untrained
    ami-zoo evaluate untrained --description model.yaml --json > untrained.json

Its measurements are the baseline "untrained" of card.py.
"""

import argparse
import os
import shutil

import torch

import model

SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default="release")
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    shutil.copytree(options.release, options.output)
    torch.manual_seed(SEED)
    model.save(model.Encoder(model.CONFIG), model.Predictor(model.CONFIG), model.CONFIG, options.output)
    os.remove(os.path.join(options.output, "suites", "golden.json"))


if __name__ == "__main__":
    main()
