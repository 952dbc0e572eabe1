#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""`verify --key` of a signed folder against the reference tool and the raw rate of SHA-256.

    pip install model-signing==1.1.1 pyOpenSSL
    python3 Benchmarks/signature.py [--gib 2] [--files 8] [--repeats 5] [--work FOLDER]
"""

import argparse
import os
import re
import shutil
import subprocess
import tempfile

from measure import interleave, row, run, table, zoo


def make(folder, gib, count):
    os.makedirs(folder)
    piece = os.urandom(1 << 20)
    for number in range(count):
        with open(f"{folder}/part-{number}.safetensors", "wb") as file:
            for _ in range((gib << 10) // count):
                file.write(piece)


def raw_rate():
    """Bytes per second of SHA-256 on each core, with all cores at work."""
    cores = os.cpu_count()
    text = subprocess.run(
        ["openssl", "speed", "-multi", str(cores), "-evp", "sha256", "-bytes", "1048576", "-seconds", "3"],
        capture_output=True, text=True, check=True).stdout
    return float(re.findall(r"([\d.]+)k\s*$", text, re.M)[-1]) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=int, default=2)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--work", default=None)
    options = parser.parse_args()
    program = zoo()
    work = tempfile.mkdtemp(dir=options.work)
    environment = {**os.environ, "AMI_ZOO_HOME": f"{work}/home", "XDG_CONFIG_HOME": f"{work}/config"}
    try:
        model, key = f"{work}/model", f"{work}/key.pub"
        make(model, options.gib, options.files)
        run([program, "keys", "new", "bench"], env=environment)
        shutil.copy(f"{work}/config/ami-zoo/keys/bench.pub", key)
        run([program, "sign", model, "--key", "bench"], env=environment)
        results = interleave({
            "ami-zoo verify --key": lambda: run([program, "verify", model, "--key", key], env=environment),
            "model_signing verify key": lambda: run(
                ["model_signing", "verify", "key", model, "--signature", f"{model}/model.sig",
                 "--public_key", key], env=environment),
        }, options.repeats)
        table([row(name, result) for name, result in results.items()])
        ours, theirs = (median for median, _, _ in results.values())
        rate = raw_rate()
        print(f"ratio {theirs / ours:.2f}; {(options.gib << 30) / ours / 1e9:.2f} GB/s, openssl on all cores "
              f"{rate / 1e9:.2f} GB/s: {(options.gib << 30) / ours / rate:.2f}")
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
