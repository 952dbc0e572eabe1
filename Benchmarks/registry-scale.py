#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""A registry folder of many models: search, resolve, publishing, start of the server, memory.

The registry has copies of the embedded ami/ball-drop under other names and versions: own manifests,
records and index documents, the same weights.

Needs strace, for the time that publishing spends in fsync.
    python3 Benchmarks/registry-scale.py [--sizes 1000,10000,100000] [--versions 10] [--repeats 11]
"""

import argparse
import hashlib
import http.client
import json
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

from measure import interleave, row, run, table, zoo
from transfer import make_model

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


def packed(program, folder, count):
    """Image layouts with versions of one new model of 4 MiB, whose archives differ."""
    layouts = []
    for number in range(count):
        make_model(f"{folder}/model-{number}", 4)
        with open(f"{folder}/model-{number}/model.yaml", "r+") as file:
            text = file.read().replace("1.0.0", f"1.{number}.0")
            file.seek(0)
            file.write(text)
        layouts.append(f"{folder}/packed-{number}")
        run([program, "pack", f"{folder}/model-{number}", "--output", layouts[-1]])
    return layouts


def publish(program, layouts, root, folder):
    """Publishes all; returns median seconds and, under strace, median seconds in fsync and their number."""
    half = len(layouts) // 2
    seconds, synced, calls = [], [], 0
    for layout in layouts[:half]:
        seconds.append(run([program, "publish", layout, "--registry", root, "--unvalidated", "benchmark"])[0])
    for layout in layouts[half:]:
        trace = f"{folder}/trace"
        run(["strace", "-f", "-T", "-o", trace, "-e", "trace=fsync,fdatasync",
             program, "publish", layout, "--registry", root, "--unvalidated", "benchmark"])
        with open(trace) as file:
            times = [float(time) for time in re.findall(r"= 0 <([\d.]+)>", file.read())]
        synced.append(sum(times))
        calls = len(times)
    return statistics.median(seconds), statistics.median(synced), calls


def resolve(program, root, name):
    """Median seconds of a request for an index document over one connection to a running server."""
    server = subprocess.Popen([program, "serve", "--root", root, "--listen", "127.0.0.1:0", "--quiet"],
                              stdout=subprocess.PIPE, text=True)
    address = server.stdout.readline().split("//")[1].split()[0]
    connection = http.client.HTTPConnection(address)
    times = []
    for _ in range(101):
        begin = time.perf_counter()
        connection.request("GET", f"/index/{name}.json")
        response = connection.getresponse()
        response.read()
        assert response.status == 200
        times.append(time.perf_counter() - begin)
    server.terminate()
    server.wait()
    return statistics.median(times)


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
            name = f"lab-{(size - 1) % 97}/model-{size - 1}"
            print(f"index document over HTTP: {1000 * resolve(program, root, name):.2f} ms")
            seconds, synced, calls = publish(program, packed(program, folder, 10), root, folder)
            own = seconds - results["--version"][0]
            print(f"publish of one version of 4 MiB: {seconds:.3f} s, {own:.3f} s without the start of the "
                  f"program; {calls} fsync of together {synced:.3f} s; ratio {own / synced:.2f}")
            seconds, memory = start(program, root)
            print(f"serve: listening after {seconds:.2f} s, {memory / 1e6:.0f} MB; "
                  f"largest process so far {largest / 1e6:.0f} MB")
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
