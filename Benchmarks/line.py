#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Measures `pull` from `serve` over a line of limited rate, against `curl -o` of the archive and what TCP carries.

The server runs in a network namespace behind a token bucket filter. Needs root, iproute2 and curl.
    python3 Benchmarks/line.py [--mbit 200] [--mib 256] [--repeats 3] [--work FOLDER]
"""

import argparse
import os
import shutil
import subprocess
import tempfile

from measure import interleave, row, run, table, zoo
from serving import memory, wait_for
from transfer import make_model

NAMESPACE, INSIDE, OUTSIDE = "ami-zoo-bench", "10.213.7.1", "10.213.7.2"
# An Ethernet frame of 1514 bytes carries 1448 bytes of a TCP stream with time stamps.
CARRIED = 1448 / 1514


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mbit", type=int, default=200)
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--work", default=None)
    options = parser.parse_args()
    program = zoo()
    work = tempfile.mkdtemp(dir=options.work)
    server = None
    try:
        make_model(f"{work}/model", options.mib)
        registry = f"{work}/registry"
        run([program, "registry", "init", registry])
        run([program, "pack", f"{work}/model", "--output", registry, "--compression", "none",
             "--unvalidated", "benchmark"])
        blobs = f"{registry}/blobs/sha256"
        archive = max(os.listdir(blobs), key=lambda name: os.path.getsize(f"{blobs}/{name}"))
        size = os.path.getsize(f"{blobs}/{archive}")

        ip("netns", "add", NAMESPACE)
        ip("link", "add", "zoo-inside", "netns", NAMESPACE, "type", "veth", "peer", "name", "zoo-outside")
        ip("address", "add", f"{OUTSIDE}/24", "dev", "zoo-outside")
        ip("link", "set", "zoo-outside", "up")
        ip("-n", NAMESPACE, "address", "add", f"{INSIDE}/24", "dev", "zoo-inside")
        ip("-n", NAMESPACE, "link", "set", "zoo-inside", "up")
        # Without segmentation offload, packets have the size that a line carries.
        inside = ["ip", "netns", "exec", NAMESPACE]
        subprocess.run([*inside, "tc", "qdisc", "add", "dev", "zoo-inside", "root", "tbf", "rate",
                        f"{options.mbit}mbit", "burst", "256kb", "latency", "50ms"], check=True)
        subprocess.run([*inside, "ip", "link", "set", "dev", "zoo-inside", "gso_max_segs", "1"], check=True)
        server = subprocess.Popen(
            [*inside, program, "serve", "--root", registry, "--listen", f"{INSIDE}:8123", "--quiet"],
            stdout=subprocess.DEVNULL)
        address = f"http://{INSIDE}:8123"
        wait_for(address, "/healthz")
        environment = {**os.environ, "AMI_ZOO_HOME": f"{work}/store"}

        def pull():
            shutil.rmtree(f"{work}/store", ignore_errors=True)
            return run([program, "pull", "bench/random", "--registry", address, "--quiet"], env=environment)

        results = interleave({
            "ami-zoo pull": pull,
            "curl -o": lambda: run(["curl", "-sf", "-o", f"{work}/peer", f"{address}/blobs/sha256/{archive}"]),
        }, options.repeats)
        table([row(name, result) for name, result in results.items()])
        for name, (seconds, _, _) in results.items():
            rate = size * 8 / seconds / 1e6
            print(f"{name}: {rate:.1f} Mbit/s of content, {rate / options.mbit:.3f} of the line, "
                  f"{rate / options.mbit / CARRIED:.3f} of what TCP carries on it")
        print(f"peak memory of the server: {memory(server, 'VmHWM') / 1e6:.0f} MB")
    finally:
        if server:
            server.terminate()
            server.wait()
        subprocess.run(["ip", "netns", "delete", NAMESPACE], check=False)
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
