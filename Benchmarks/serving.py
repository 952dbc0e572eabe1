#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Measures `serve`: blobs against nginx, manifests against docker-registry, publishing, pulling, idle connections.

Needs nginx, docker-registry, skopeo and curl (scripts/setup --test), wrk and aria2 (Debian packages), hf (PyPI:
huggingface_hub), and about four times the size of the release of disk.
    python3 Benchmarks/serving.py [--mib 512] [--repeats 5] [--work FOLDER]
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

import hub
from measure import interleave, row, run, table, zoo
from transfer import make_model, serve as serve_with_nginx

CONNECTIONS = 8


def wait_for(address, path):
    for _ in range(200):
        try:
            urllib.request.urlopen(address + path).read()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{address} did not start")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_zoo(program, root):
    port = free_port()
    process = subprocess.Popen(
        [program, "serve", "--root", root, "--listen", f"127.0.0.1:{port}", "--quiet"],
        stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    wait_for(address, "/healthz")
    return process, address


def start_docker(work):
    port = free_port()
    with open(f"{work}/docker.yml", "w") as file:
        file.write(
            f"version: 0.1\nlog: {{accesslog: {{disabled: true}}, level: error}}\n"
            f"storage: {{filesystem: {{rootdirectory: {work}/docker}}}}\nhttp: {{addr: 127.0.0.1:{port}}}\n")
    process = subprocess.Popen(
        ["docker-registry", "serve", f"{work}/docker.yml"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    wait_for(address, "/v2/")
    return process, address


def memory(process, field):
    with open(f"/proc/{process.pid}/status") as file:
        return int(re.search(rf"{field}:\s+(\d+) kB", file.read()).group(1)) * 1024


def parallel(url):
    """The seconds in which curl fetches a file over each of several connections at once."""
    start = time.perf_counter()
    children = [
        subprocess.Popen(["curl", "-sf", "-o", "/dev/null", url]) for _ in range(CONNECTIONS)]
    if any(child.wait() for child in children):
        raise SystemExit(f"curl {url} failed")
    return time.perf_counter() - start, 0


def requests_per_second(url, seconds=4):
    result = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-H",
         "Accept: application/vnd.oci.image.manifest.v1+json", url],
        capture_output=True, text=True, check=True)
    if "Non-2xx" in result.stdout:
        raise SystemExit(result.stdout)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", result.stdout).group(1))


def median(values):
    return sorted(values)[len(values) // 2]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--work", default=None)
    options = parser.parse_args()
    program = zoo()
    work = tempfile.mkdtemp(dir=options.work)
    os.chmod(work, 0o755)
    processes = []
    try:
        make_model(f"{work}/model", options.mib)
        run([program, "pack", f"{work}/model", "--output", f"{work}/packed", "--compression", "none"])
        registry = f"{work}/registry"
        run([program, "registry", "init", registry])
        server, address = start_zoo(program, registry)
        processes.append(server)
        docker, docker_address = start_docker(work)
        processes.append(docker)
        environment = {**os.environ, "AMI_ZOO_HOME": f"{work}/store"}

        seconds, peak = run(
            [program, "publish", f"{work}/packed", "--registry", address, "--unvalidated", "benchmark"],
            env=environment)
        print(f"publish of {options.mib} MiB to serve: {seconds:.2f} s, client {peak / 1e6:.0f} MB, "
              f"server at most {memory(server, 'VmHWM') / 1e6:.0f} MB")
        seconds, peak = run(
            [program, "publish", f"{work}/packed", "--registry", docker_address, "--unvalidated", "benchmark"],
            env=environment)
        print(f"publish of it to docker-registry: {seconds:.2f} s, client {peak / 1e6:.0f} MB\n")

        nginx, nginx_address = serve_with_nginx(registry, work)
        processes.append(nginx)
        index = json.load(open(f"{registry}/index.json"))
        digest = index["manifests"][0]["digest"]
        manifest = json.load(open(f"{registry}/blobs/sha256/{digest[7:]}"))
        archive = max(manifest["layers"], key=lambda layer: layer["size"])["digest"]
        blob = f"/blobs/sha256/{archive[7:]}"
        api = f"{address}/v2/bench/random/blobs/{archive}"

        print(f"the archive over {CONNECTIONS} connections at once")
        cases = {
            "serve, static path": lambda: parallel(address + blob),
            "serve, OCI path": lambda: parallel(api),
            "nginx": lambda: parallel(nginx_address + blob),
        }
        for case in cases.values():
            case()
        results = interleave(cases, options.repeats)
        table([row(name, result) for name, result in results.items()])
        for name in list(cases)[:2]:
            print(f"{name}: {results['nginx'][0] / results[name][0]:.2f} of the rate of nginx (goal: at least 0.90)")
        print()

        def pull():
            shutil.rmtree(f"{work}/store", ignore_errors=True)
            return run([program, "pull", "bench/random", "--registry", address, "--quiet"], env=environment)

        def download(command, **options):
            shutil.rmtree(f"{work}/peer", ignore_errors=True)
            os.makedirs(f"{work}/peer")
            return run(command, **options)

        print("pull from serve, verified, against a download of the archive from serve")
        cases = {
            "ami-zoo pull": pull,
            "curl -o": lambda: download(["curl", "-sf", "-o", f"{work}/peer/a", address + blob]),
            "aria2c -x8": lambda: download([
                "aria2c", "-q", "-x8", "-s8", "--file-allocation=none", "-d", f"{work}/peer", "-o", "a",
                address + blob]),
        }
        hub_address = hub.start(f"{work}/model/model.safetensors", "bench/random", "model.safetensors")
        hf = {**os.environ, "HF_ENDPOINT": hub_address, "HF_HOME": f"{work}/hf", "HF_HUB_DISABLE_XET": "1",
              "HF_HUB_DISABLE_TELEMETRY": "1"}
        cases["hf download"] = lambda: download(
            ["hf", "download", "bench/random", "model.safetensors", "--quiet", "--local-dir", f"{work}/peer"], env=hf)
        for case in cases.values():
            case()
        results = interleave(cases, options.repeats)
        table([row(name, result) for name, result in results.items()])
        for peer, goal in (("curl -o", 0.9), ("aria2c -x8", 1.0), ("hf download", 1.5)):
            print(f"{results[peer][0] / results['ami-zoo pull'][0]:.2f} of the rate of {peer} (goal: at least {goal})")
        print()

        print(f"manifests by tag, {CONNECTIONS} connections")
        path = "/v2/bench/random/manifests/1.0.0"
        rates = {"serve": [], "docker-registry": []}
        for _ in range(options.repeats):
            rates["serve"].append(requests_per_second(address + path))
            rates["docker-registry"].append(requests_per_second(docker_address + path))
        for name, values in rates.items():
            print(f"{name}: {median(values):.0f} requests/s ({min(values):.0f} to {max(values):.0f})")
        print(f"ratio {median(rates['serve']) / median(rates['docker-registry']):.2f} (goal: at least 2)\n")

        before = memory(server, "VmRSS")
        port = int(address.rsplit(":", 1)[1])
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(500)]
        for connection in idle:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        for connection in idle:
            connection.recv(1000)
        time.sleep(1)
        print(f"500 idle connections cost {(memory(server, 'VmRSS') - before) / 1e6:.1f} MB (goal: below 50 MB)")
        print(f"peak memory of the server: {memory(server, 'VmHWM') / 1e6:.0f} MB")
    finally:
        for process in processes:
            process.terminate()
            process.wait()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
