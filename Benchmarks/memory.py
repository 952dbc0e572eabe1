#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Peak memory of pack, publish, serve and pull for releases of different sizes.

Needs twice the largest size in free disk space. Every block has other bytes, because equal blocks
share their entries in tables.
    python3 Benchmarks/memory.py [--gib 2,16] [--work FOLDER]
"""

import argparse
import json
import os
import shutil
import struct
import subprocess
import tempfile

from measure import run, zoo
from transfer import DESCRIPTION

TENSOR = 4 << 20


def make_model(folder, gib):
    """As transfer.make_model, with random bytes that are repeated with a counter in every 4 KiB."""
    os.makedirs(folder)
    count = (gib << 30) // TENSOR
    header = {
        f"layer.{i:06}.weight": {
            "dtype": "F32", "shape": [1024, 1024], "data_offsets": [i * TENSOR, (i + 1) * TENSOR]}
        for i in range(count)
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    content = bytearray(os.urandom(TENSOR))
    with open(f"{folder}/model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for number in range(count):
            for offset in range(0, TENSOR, 4096):
                struct.pack_into("<I", content, offset, number)
            file.write(content)
    with open(f"{folder}/model.yaml", "w") as file:
        file.write(DESCRIPTION)


def measure(program, gib, work):
    """Prints the peak memory of each step; what a step no longer needs is removed."""
    environment = {**os.environ, "AMI_ZOO_HOME": f"{work}/home"}

    def step(name, *command):
        seconds, peak = run([program, *command], env=environment)
        print(f"{gib} GiB  {name:8} {peak / 1e6:6.1f} MB  {seconds:6.1f} s", flush=True)

    make_model(f"{work}/model", gib)
    step("pack", "pack", f"{work}/model", "--output", f"{work}/layout")
    shutil.rmtree(f"{work}/model")
    step("init", "registry", "init", f"{work}/registry")
    server = subprocess.Popen(
        [program, "serve", "--root", f"{work}/registry", "--listen", "127.0.0.1:0", "--quiet"],
        stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().split()[2]
        step("publish", "publish", f"{work}/layout", "--registry", url, "--unvalidated", "benchmark")
        shutil.rmtree(f"{work}/layout")
        name = DESCRIPTION.split("name: ")[1].split()[0]
        step("pull", "pull", name, "--registry", url, "--to", f"{work}/pulled")
        with open(f"/proc/{server.pid}/status") as file:
            peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        print(f"{gib} GiB  {'serve':8} {peak * 1024 / 1e6:6.1f} MB")
        step("verify", "verify", f"{work}/pulled", "--registry", url)
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", default="2,16")
    parser.add_argument("--work", default=None)
    options = parser.parse_args()
    for gib in map(int, options.gib.split(",")):
        work = tempfile.mkdtemp(dir=options.work)
        try:
            measure(zoo(), gib, work)
        finally:
            shutil.rmtree(work)


if __name__ == "__main__":
    main()
