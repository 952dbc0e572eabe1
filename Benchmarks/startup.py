#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Times start-up: `--version`, and `verify` of the embedded ami/ball-drop.

    python3 Benchmarks/startup.py [--repeats 21]
"""

import argparse
import os
import shutil
import tempfile

from measure import interleave, row, run, table, zoo


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=21)
    options = parser.parse_args()
    program = zoo()
    store = tempfile.mkdtemp()
    environment = {**os.environ, "AMI_ZOO_HOME": store}
    try:
        run([program, "pull", "ami/ball-drop"], env=environment)
        results = interleave({
            "ami-zoo --version": lambda: run([program, "--version"], env=environment),
            "ami-zoo verify ami/ball-drop": lambda: run(
                [program, "verify", "ami/ball-drop"], env=environment),
            "curl --version": lambda: run(["curl", "--version"], env=environment),
            "python3 -c pass": lambda: run(["python3", "-c", "pass"], env=environment),
        }, options.repeats)
        table([row(name, result) for name, result in results.items()])
    finally:
        shutil.rmtree(store)


if __name__ == "__main__":
    main()
