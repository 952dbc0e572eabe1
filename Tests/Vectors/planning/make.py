#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes what the labs' own planners compute: poses.json here, later plans.

    make.py --repositories DIR [--output OTHER]

Made with scipy 1.17.1 and torch 2.13. Two runs write the same bytes.
"""

import argparse
import json
import pathlib
import sys
import warnings

import numpy as np
import torch
from scipy.spatial.transform import Rotation

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "conversion"))

from upstream_code import Repositories  # noqa: E402

torch.set_num_threads(1)


# MARK: Poses

def poses(labs):
    """Poses, actions and the poses they lead to, in float64; every rotation in angles about fixed x, y, z."""
    upstream = labs.module("vjepa2", "notebooks.utils.mpc_utils")
    generator = np.random.default_rng(7)
    found = []

    def add(kind, start, action):
        new = upstream.compute_new_pose(torch.tensor(start)[None, None], torch.tensor(action)[None, None])[0, 0]
        back = upstream.poses_to_diff(torch.tensor(start), new)
        found.append({"kind": kind, "start": list(map(float, start)), "action": list(map(float, action)),
                      "moved": new.tolist(), "change": back.tolist()})

    def arm(angles):
        return np.concatenate([generator.uniform(-1, 1, 3), angles, generator.uniform(0, 1, 1)])

    def step(angles):
        return np.concatenate([generator.uniform(-.1, .1, 3), angles, generator.uniform(-1, 1, 1)])

    def before(target, turn):
        """The angles from which `turn` leads to `target`."""
        rotation = Rotation.from_euler("xyz", turn).inv() * Rotation.from_euler("xyz", target)
        return rotation.as_euler("xyz")

    for _ in range(20):
        add("anywhere", arm(generator.uniform(-np.pi, np.pi, 3) * [1, .5, 1]), step(generator.uniform(-3, 3, 3)))
    add("still", arm(np.array([.1, .2, .3])), np.zeros(7))
    # Angles about x and z that end next to a half turn, on either side.
    for offset in [1e-3, 1e-6, -1e-6, -1e-3]:
        for axis in [0, 2]:
            target = generator.uniform(-1, 1, 3)
            target[axis] = np.pi - offset
            turn = generator.uniform(-.5, .5, 3)
            add("half turn", arm(before(target, turn)), step(turn))
    # The second angle at a quarter turn, where the first and the third turn about the same axis.
    for offset in [0, 1e-9, 3e-8, 1e-6, 1e-5, 1e-3]:
        for sign in [1, -1]:
            target = generator.uniform(-1, 1, 3)
            target[1] = sign * (np.pi / 2 - offset)
            turn = generator.uniform(-.5, .5, 3)
            add("locked" if offset < 1e-7 else "nearly locked", arm(before(target, turn)), step(turn))
    return found


def write(path, rows):
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    path.write_text(f"[\n{lines}\n]\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repositories", required=True, help="folder of the labs' checkouts")
    parser.add_argument("--output", type=pathlib.Path, default=HERE)
    arguments = parser.parse_args()
    labs = Repositories(arguments.repositories)
    warnings.filterwarnings("ignore", message="Gimbal lock")
    write(arguments.output / "poses.json", poses(labs))


if __name__ == "__main__":
    main()
