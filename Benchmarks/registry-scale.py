#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""A registry folder of many models: search, resolve, start of the server, memory.

The registry has copies of the embedded ami/ball-drop under other names and versions: own manifests,
records and index documents, the same weights.

    python3 Benchmarks/registry-scale.py [--sizes 1000,10000,100000] [--versions 10] [--repeats 11]
"""

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import tempfile
import time

from measure import interleave, row, run, table, zoo

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
EMBEDDED = os.path.join(ROOT, "registry", "embedded")
WORDS = ("video image robot arm motion drop ball world plan frame encoder predictor tiny large "
         "distilled kitchen street hand object depth").split()


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def put(root, content):
    digest = hashlib.sha256(content).hexdigest()
    with open(f"{root}/blobs/sha256/{digest}", "wb") as file:
        file.write(content)
    return "sha256:" + digest


def blob(digest):
    with open(f"{EMBEDDED}/blobs/sha256/{digest[7:]}", "rb") as file:
        return file.read()


def make(root, program, models, versions):
    run([program, "registry", "init", root, "--name", "scale"])
    os.remove(f"{root}/index.json")
    with open(f"{EMBEDDED}/index/ami/ball-drop.json", "rb") as file:
        index = json.load(file)
    entry = index["versions"][-1]
    manifest = json.loads(blob(entry["digest"]))
    record_bytes = blob(manifest["config"]["digest"])
    for layer in manifest["layers"]:
        put(root, blob(layer["digest"]))
    name, version = b'"name":"ami/ball-drop"', b'"version":"%s"' % entry["version"].encode()
    assert record_bytes.count(name) == 1 and record_bytes.count(version) == 1
    summary = json.loads(record_bytes)["summary"]
    chance = random.Random(1)
    for number in range(models):
        own = f"lab-{number % 97}/model-{number}"
        text = " ".join(chance.choices(WORDS, k=8))
        listed = []
        for minor in range(versions):
            record = record_bytes.replace(name, b'"name":"%s"' % own.encode())
            record = record.replace(version, b'"version":"1.%d.0"' % minor)
            record = record.replace(json.dumps(summary).encode(), json.dumps(text).encode())
            manifest["config"]["digest"] = put(root, record)
            manifest["config"]["size"] = len(record)
            listed.append({**entry, "digest": put(root, canonical(manifest)),
                           "version": f"1.{minor}.0"})
        folder = f"{root}/index/{own.split('/')[0]}"
        os.makedirs(folder, exist_ok=True)
        with open(f"{root}/index/{own}.json", "wb") as file:
            file.write(canonical({
                "channels": {"stable": [item["version"] for item in listed]},
                "format": index["format"], "kind": "model", "name": own, "versions": listed}))
    run([program, "registry", "index", root])


def start(program, root):
    """Seconds until the server prints its address, and its memory in bytes."""
    begin = time.perf_counter()
    server = subprocess.Popen([program, "serve", "--root", root, "--listen", "127.0.0.1:0"],
                              stdout=subprocess.PIPE)
    server.stdout.readline()
    seconds = time.perf_counter() - begin
    with open(f"/proc/{server.pid}/status") as file:
        memory = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    server.terminate()
    server.wait()
    return seconds, memory * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--versions", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=11)
    options = parser.parse_args()
    program = zoo()
    for size in map(int, options.sizes.split(",")):
        folder = tempfile.mkdtemp()
        try:
            root = f"{folder}/registry"
            begin = time.perf_counter()
            make(root, program, size, options.versions)
            print(f"\n{size} models x {options.versions} versions, made and indexed in "
                  f"{time.perf_counter() - begin:.0f} s")
            environment = {**os.environ, "AMI_ZOO_HOME": f"{folder}/home"}
            reader = ["--registry", root, "--json"]
            results = interleave({
                "--version": lambda: run([program, "--version"], env=environment),
                "search, one common word": lambda: run(
                    [program, "search", "robot", *reader], env=environment),
                "search, two words": lambda: run(
                    [program, "search", "robot kitchen", *reader], env=environment),
                "search, one name": lambda: run(
                    [program, "search", f"model-{size - 1}", *reader], env=environment),
                "show": lambda: run(
                    [program, "show", f"lab-{(size - 1) % 97}/model-{size - 1}", *reader],
                    env=environment),
            }, options.repeats)
            table([row(name, result) for name, result in results.items()])
            largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
            seconds, memory = start(program, root)
            print(f"serve: listening after {seconds:.2f} s, {memory / 1e6:.0f} MB; "
                  f"largest process so far {largest / 1e6:.0f} MB")
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
