#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Times `pull` against curl and tar, and `verify` against sha256sum, on a 1 GiB release served by nginx.

Needs nginx, curl, tar, sha256sum and openssl (scripts/setup --test) and about 5 GiB of disk.
    python3 Benchmarks/transfer.py [--mib 1024] [--repeats 5] [--work FOLDER]
"""

import argparse
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

from measure import interleave, row, run, table, zoo

DESCRIPTION = """
name: bench/random
version: 1.0.0
summary: Random numbers, for measuring transfers.
authors: [ami-zoo contributors]
licence: Apache-2.0
created: 2026-01-01T00:00:00Z
architecture: {family: none, variant: random, configuration: {}}
inputs: {modality: image, frames: 1, height: 1, width: 1, channels: rgb, layout: BCHW,
         preprocessing: {orientation: upright, resize: {rule: none}, resampling: none,
                         crop: {rule: none}, rescale: 1, mean: [0, 0, 0], std: [1, 1, 1]}}
components: [{name: all, files: [model.safetensors]}]
lineage: {kind: trained}
"""


def make_model(folder, mib):
    """Writes a safetensors file of 4 MiB tensors with random, incompressible bytes."""
    os.makedirs(folder)
    size = 4 << 20
    header = {
        f"layer.{i:04}.weight": {
            "dtype": "F32", "shape": [1024, 1024], "data_offsets": [i * size, (i + 1) * size]}
        for i in range(mib // 4)
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(f"{folder}/model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _ in range(mib // 4):
            file.write(os.urandom(size))
    with open(f"{folder}/model.yaml", "w") as file:
        file.write(DESCRIPTION)


def serve(root, work):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with open(f"{work}/nginx.conf", "w") as file:
        file.write(
            f"daemon off; pid {work}/nginx.pid; error_log {work}/nginx.log;\n"
            "events {}\n"
            f"http {{ access_log off; sendfile on; client_body_temp_path {work}/t1; proxy_temp_path "
            f"{work}/t2; fastcgi_temp_path {work}/t3; uwsgi_temp_path {work}/t4; scgi_temp_path "
            f"{work}/t5; server {{ listen 127.0.0.1:{port}; root {root}; }} }}\n")
    process = subprocess.Popen(["nginx", "-p", work, "-c", f"{work}/nginx.conf"])
    address = f"http://127.0.0.1:{port}"
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{address}/zoo.json").read()
            return process, address
        except OSError:
            time.sleep(0.05)
    raise SystemExit("nginx did not start")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--work", default=None)
    options = parser.parse_args()
    program = zoo()
    work = tempfile.mkdtemp(dir=options.work)
    server = None
    try:
        registry = f"{work}/registry"
        make_model(f"{work}/model", options.mib)
        run([program, "registry", "init", registry])
        run([program, "pack", f"{work}/model", "--output", registry, "--compression", "none",
             "--unvalidated", "benchmark"])
        run([program, "registry", "index", registry])
        os.chmod(work, 0o755)
        server, address = serve(registry, work)
        index = json.load(open(f"{registry}/index.json"))
        manifest = json.load(open(
            f"{registry}/blobs/sha256/{index['manifests'][0]['digest'][7:]}"))
        archive = next(
            layer for layer in manifest["layers"]
            if layer["annotations"]["org.ami-zoo.archive"] == "weights"
            and layer["mediaType"].endswith("tar"))
        blob = f"{address}/blobs/sha256/{archive['digest'][7:]}"
        environment = {**os.environ, "AMI_ZOO_HOME": f"{work}/store", "AMI_ZOO_REGISTRY": address}

        def pull():
            shutil.rmtree(f"{work}/store", ignore_errors=True)
            return run([program, "pull", "bench/random", "--quiet"], env=environment)

        def curl_and_tar():
            shutil.rmtree(f"{work}/peer", ignore_errors=True)
            os.makedirs(f"{work}/peer")
            first = run(["curl", "-sf", "-o", f"{work}/peer/weights.tar", blob])
            second = run(["tar", "-xf", f"{work}/peer/weights.tar", "-C", f"{work}/peer"])
            return first[0] + second[0], max(first[1], second[1])

        pull(), curl_and_tar()
        print(f"pull of a {options.mib} MiB release from nginx on loopback, stored blocks")
        results = interleave({"ami-zoo pull": pull, "curl -o, tar -xf": curl_and_tar}, options.repeats)
        table([row(name, result) for name, result in results.items()])
        ratio = results["ami-zoo pull"][0] / results["curl -o, tar -xf"][0]
        print(f"ratio {ratio:.2f} (goal: at most 1.50)\n")

        pull()
        file = subprocess.run(
            ["find", f"{work}/store/models", "-name", "model.safetensors"],
            capture_output=True, text=True, check=True).stdout.strip()
        print("verify of the same release")
        results = interleave({
            "ami-zoo verify": lambda: run(
                [program, "verify", "bench/random"], env=environment),
            "sha256sum": lambda: run(["sha256sum", file]),
            # Uses the SHA instructions of the processor; Debian's sha256sum does not.
            "openssl dgst -sha256": lambda: run(["openssl", "dgst", "-sha256", file]),
        }, options.repeats)
        table([row(name, result) for name, result in results.items()])
        for peer in ("sha256sum", "openssl dgst -sha256"):
            ratio = results[peer][0] / results["ami-zoo verify"][0]
            print(f"{ratio:.2f} times the rate of {peer}")
        print("(goal: at least 3 times that of sha256sum)")
    finally:
        if server:
            server.terminate()
            server.wait()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
