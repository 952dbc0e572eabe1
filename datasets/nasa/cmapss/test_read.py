# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Tests of read.py on small files in the C-MAPSS format: python -m unittest test_read"""

import os
import tempfile
import unittest

import read


def row(unit: int, cycle: int, value: float = 0.5) -> str:
    return f"{unit} {cycle} " + " ".join(f"{value + i}" for i in range(24)) + "  \n"


class ReadTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "file.txt")

    def write(self, text: str) -> str:
        with open(self.path, "w") as file:
            file.write(text)
        return self.path

    def test_windows_and_lives(self) -> None:
        runs = read.read_runs(self.write("".join(row(1, c, c) for c in range(1, 201)) + row(2, 1) + row(2, 2)))
        tensors, short = read.cut(runs, [0, 7], 4, 1, only_last=False)
        self.assertEqual((tensors["values"].shape, short), ((197, 4, 24), 1))
        # The first window ends at cycle 4, 196 before the last; the last ends there.
        self.assertEqual([tensors["life"][i, 0] for i in (0, 71, 72, 196)], [125, 125, 124, 0])
        self.assertEqual(tensors["values"][5, 2].tolist(), [8 + i for i in range(24)])
        last, _ = read.cut(runs, [9, 7], 2, 1, only_last=True)
        self.assertEqual(last["life"].tolist(), [[9], [7]])
        self.assertEqual(last["unit"].tolist(), [[1], [2]])

    def test_rows_that_break_the_format(self) -> None:
        good = row(1, 1)
        for bad, what in [
            ("1 2 3\n", "3 numbers"), ("\n", "0 numbers"), (row(1, 2).replace("0.5", "nan"), "not finite"),
            (row(1, 2).replace("0.5", "1e999"), "not finite"), (row(1, 2).replace("0.5", "x"), "not a number"),
            (row(1, 3), "must be 2"), (row(1, 1), "must be 2"), (row(0, 1), "the unit is 0"), (row(2, 2), "must be 1"),
            (row(1, 2).replace("1 2 ", "1.5 2 ", 1), "the unit is 1.5"), (row(1, 2)[:-3] + " 7\n", "27 numbers"),
        ]:
            with self.assertRaisesRegex(read.FormatError, f"line 2: .*{what}"):
                read.read_runs(self.write(good + bad))
        with self.assertRaisesRegex(read.FormatError, "line 3: unit 1 is continued"):
            read.read_runs(self.write(good + row(2, 1) + row(1, 2)))
        with self.assertRaisesRegex(read.FormatError, "no rows"):
            read.read_runs(self.write(""))

    def test_lives_that_break_the_format(self) -> None:
        self.assertEqual(read.read_lives(self.write("112 \n98 \n"), 2), [112, 98])
        for bad, what in [("-1\n", "whole"), ("1.5\n", "whole"), ("a\n", "not a number"), ("1 2\n", "2 numbers"), ("", "1 lives")]:
            with self.assertRaisesRegex(read.FormatError, what):
                read.read_lives(self.write("5\n" + bad), 2)


if __name__ == "__main__":
    unittest.main()
