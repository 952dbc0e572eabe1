# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Reads the public C-MAPSS text files into windows with remaining life, for those who hold the data.

    python read.py --folder CMAPSSData --subset FD001 --window 30 --output release      # numpy, safetensors

Reads train_FD001.txt, test_FD001.txt and RUL_FD001.txt: rows of 26 numbers separated by spaces (unit, cycle, 3
settings, 21 sensors), and one remaining life for each unit of the test file. Writes train.safetensors, all windows of
the training units, and test.safetensors, the last window of each test unit, with the tensors

    values  F32 [windows, window, 24]    the settings, then the sensors
    life    F32 [windows, 1]             cycles left after the last step, at most 125
    unit    F32 [windows, 1]

A unit with fewer cycles than the window has no window; how many is printed. A row that breaks the format ends the
program with the file and the line.

Data: A. Saxena, K. Goebel, D. Simon and N. Eklund, "Damage propagation modeling for aircraft engine run-to-failure
simulation", PHM 2008. The cap of 125 cycles: X. Li, Q. Ding and J.-Q. Sun, "Remaining useful life estimation in
prognostics using deep convolution neural networks", Reliability Engineering & System Safety 172 (2018), 1 to 11.
"""

from __future__ import annotations

import argparse
import math
import os

import numpy as np
from safetensors.numpy import save_file

COLUMNS, CAP = 26, 125


class FormatError(ValueError):
    """A line that breaks the format."""

    def __init__(self, path: str, line: int, what: str):
        super().__init__(f"{path}, line {line}: {what}")


def number(text: str, path: str, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        raise FormatError(path, line, f"'{text[:40]}' is not a number") from None
    if not math.isfinite(value):
        raise FormatError(path, line, f"'{text[:40]}' is not finite")
    return value


def whole(value: float, what: str, path: str, line: int) -> int:
    if value < 1 or value != int(value):
        raise FormatError(path, line, f"the {what} is {value:g}, and must be a whole number from 1")
    return int(value)


def read_runs(path: str) -> dict[int, np.ndarray]:
    """The runs of a train or test file: unit to [cycles, 24]."""
    rows: dict[int, list[list[float]]] = {}
    current = 0
    with open(path, encoding="ascii", errors="replace") as file:
        for line, text in enumerate(file, 1):
            fields = text.split()
            if len(fields) != COLUMNS:
                raise FormatError(path, line, f"has {len(fields)} numbers, and must have {COLUMNS}")
            values = [number(field, path, line) for field in fields]
            unit = whole(values[0], "unit", path, line)
            cycle = whole(values[1], "cycle", path, line)
            if unit != current and unit in rows:
                raise FormatError(path, line, f"unit {unit} is continued after unit {current}")
            current = unit
            run = rows.setdefault(unit, [])
            if cycle != len(run) + 1:
                raise FormatError(path, line, f"the cycle of unit {unit} is {cycle}, and must be {len(run) + 1}")
            run.append(values[2:])
    if not rows:
        raise FormatError(path, 1, "there are no rows")
    return {unit: np.asarray(run, np.float32) for unit, run in rows.items()}


def read_lives(path: str, units: int) -> list[int]:
    """The remaining lives of a RUL file, one for each unit of the test file."""
    lives = []
    with open(path, encoding="ascii", errors="replace") as file:
        for line, text in enumerate(file, 1):
            fields = text.split()
            if len(fields) != 1:
                raise FormatError(path, line, f"has {len(fields)} numbers, and must have 1")
            value = number(fields[0], path, line)
            if value < 0 or value != int(value):
                raise FormatError(path, line, f"the remaining life is {value:g}, and must be a whole number from 0")
            lives.append(int(value))
    if len(lives) != units:
        raise FormatError(path, len(lives), f"the file ends after {len(lives)} lives, and there are {units} test units")
    return lives


def cut(
    runs: dict[int, np.ndarray], left: list[int], window: int, stride: int, only_last: bool
) -> tuple[dict[str, np.ndarray], int]:
    """Cuts runs into windows; `left` is the remaining life after the last cycle of each run.

    Returns the tensors, and the number of units that are shorter than a window.
    """
    values, life, units, short = [], [], [], 0
    for (unit, run), after in zip(runs.items(), left):
        if len(run) < window:
            short += 1
            continue
        ends = [len(run)] if only_last else range(window, len(run) + 1, stride)
        for end in ends:
            values.append(run[end - window : end])
            life.append([min(len(run) - end + after, CAP)])
            units.append([unit])
    if not values:
        raise ValueError(f"no unit has {window} cycles")
    return {"values": np.stack(values), "life": np.float32(life), "unit": np.float32(units)}, short


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", required=True, help="where the text files are")
    parser.add_argument("--subset", default="FD001", choices=("FD001", "FD002", "FD003", "FD004"))
    parser.add_argument("--window", type=int, default=30, help="cycles of a window (default: 30)")
    parser.add_argument("--stride", type=int, default=1, help="cycles between training windows (default: 1)")
    parser.add_argument("--output", required=True)
    o = parser.parse_args()
    if o.window < 1 or o.stride < 1:
        parser.error("--window and --stride must be at least 1")
    try:
        train = read_runs(os.path.join(o.folder, f"train_{o.subset}.txt"))
        test = read_runs(os.path.join(o.folder, f"test_{o.subset}.txt"))
        lives = read_lives(os.path.join(o.folder, f"RUL_{o.subset}.txt"), len(test))
        parts = {
            "train": cut(train, [0] * len(train), o.window, o.stride, only_last=False),
            "test": cut(test, lives, o.window, o.stride, only_last=True),
        }
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from None
    os.makedirs(o.output, exist_ok=True)
    for name, (tensors, short) in parts.items():
        save_file(tensors, os.path.join(o.output, f"{name}.safetensors"))
        print(f"{name}: {len(tensors['values'])} windows; {short} units are shorter than {o.window} cycles")


if __name__ == "__main__":
    main()
