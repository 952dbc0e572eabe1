# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes the files of the data set ami/ball-drop-clips: held-out clips, and pairs with impossible events.

    python generate.py --output release          # numpy 1.26 or later, safetensors 0.4 or later

The clips are those of models/ami/ball-drop/generator.py with the held-out seed: the first ones of those that its
evaluate.py measured on. Frames are stored as 8-bit RGB, from which the generator's numbers follow exactly.
"""

import argparse
import os
import sys

import numpy as np
from safetensors.numpy import save_file

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../models/ami/ball-drop"))
import generator  # noqa: E402

SEED = 103  # HELD_OUT of models/ami/ball-drop/evaluate.py


def frames(pixels: np.ndarray) -> np.ndarray:
    """[B,T,3,H,W] normalised float32 to [B,T,H,W,3] uint8."""
    mean = np.asarray(generator.MEAN, np.float32)[:, None, None]
    std = np.asarray(generator.STD, np.float32)[:, None, None]
    bytes_ = np.rint((pixels * std + mean) * 255).astype(np.uint8)
    return np.ascontiguousarray(bytes_.transpose(0, 1, 3, 4, 2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    parser.add_argument("--clips", type=int, default=1024)
    parser.add_argument("--pairs", type=int, default=250, help="number of pairs of each kind")
    options = parser.parse_args()
    os.makedirs(options.output, exist_ok=True)
    clips = generator.clips(SEED, options.clips)
    save_file(
        {"frames": frames(clips["pixel_values"]), "positions": clips["positions"], "landing": clips["landing"]},
        os.path.join(options.output, "clips.safetensors"),
    )
    parts: dict[str, list[np.ndarray]] = {"possible": [], "impossible": [], "kind": [], "event": []}
    for index, kind in enumerate(generator.KINDS):
        pairs = generator.pairs(SEED, options.pairs, kind)
        parts["possible"].append(frames(pairs["possible"]))
        parts["impossible"].append(frames(pairs["impossible"]))
        parts["kind"].append(np.full((options.pairs, 1), index, np.float32))
        parts["event"].append(pairs["event"].astype(np.float32)[:, None])
    save_file(
        {name: np.concatenate(values) for name, values in parts.items()},
        os.path.join(options.output, "pairs.safetensors"),
    )


if __name__ == "__main__":
    main()
