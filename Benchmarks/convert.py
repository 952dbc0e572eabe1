#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Times `convert` on a full V-JEPA 2 training checkpoint against torch.load and safetensors' save_file.

Writes a checkpoint with random weights in the layout of the lab's code: both encoders, the predictor
and the AdamW moments, 5.1 GB for ViT-L and 10.3 GB for ViT-H. Runs both programs alternately, checks
that their tensors are equal, then times `verify --against` and `inspect`, the latter against hashlib.
To reduce noise from the disk, it warms the page cache, removes outputs and syncs the disk between
runs, and compares medians. Needs torch, safetensors, disk space for the checkpoint and three times
its encoder, and memory of about the size of the checkpoint, for the page cache.
    python3 Benchmarks/convert.py [--size l] [--repeats 5] [--work FOLDER] [--keep]
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from measure import interleave, row, run, table, zoo

# Width, layers, MLP width.
SIZES = {"tiny": (768, 2, 3072), "l": (1024, 24, 4096), "h": (1280, 32, 5120)}
PREDICTOR = (384, 12, 1536)
MASK_TOKENS = 10
MEMORY = 300e6

# The usual script, in a fresh interpreter; reports the time after its imports.
PEER = """
import os, sys, time
import torch
from safetensors.torch import save_file
start = time.perf_counter()
checkpoint = torch.load(sys.argv[1], mmap=True, map_location="cpu", weights_only=True)
tensors = {f"{key}.{name}": tensor
           for key in ("target_encoder", "predictor") for name, tensor in checkpoint[key].items()}
save_file(tensors, sys.argv[2])
if sys.argv[4] == "fsync":
    with open(sys.argv[2], "rb") as file:
        os.fsync(file.fileno())
with open(sys.argv[3], "w") as file:
    file.write(str(time.perf_counter() - start))
"""

# The equivalent of `inspect` in Python.
HASHER = """
import hashlib, sys, time
import torch
start = time.perf_counter()
def walk(value, path):
    if isinstance(value, torch.Tensor):
        data = value.contiguous().reshape(-1).view(torch.uint8).numpy()
        print(path, hashlib.sha256(data).hexdigest())
    elif isinstance(value, dict):
        for key, member in value.items():
            walk(member, f"{path}.{key}" if path else str(key))
walk(torch.load(sys.argv[1], mmap=True, map_location="cpu", weights_only=True), "")
with open(sys.argv[2], "w") as file:
    file.write(str(time.perf_counter() - start))
"""


def make(path, size):
    """Writes the checkpoint; needs as much memory as the size of the file. The AdamW moments are zeros."""
    import torch
    torch.manual_seed(0)

    def block(name, width, hidden):
        shapes = {
            "norm1.weight": [width], "norm1.bias": [width],
            "attn.qkv.weight": [3 * width, width], "attn.qkv.bias": [3 * width],
            "attn.proj.weight": [width, width], "attn.proj.bias": [width],
            "norm2.weight": [width], "norm2.bias": [width],
            "mlp.fc1.weight": [hidden, width], "mlp.fc1.bias": [hidden],
            "mlp.fc2.weight": [width, hidden], "mlp.fc2.bias": [width],
        }
        return {f"{name}.{key}": torch.empty(shape).normal_(0, 0.02) for key, shape in shapes.items()}

    def wrapped(tensors):
        return {f"module.backbone.{name}": tensor for name, tensor in tensors.items()}

    width, layers, hidden = SIZES[size]

    def encoder():
        tensors = {"patch_embed.proj.weight": torch.randn(width, 3, 2, 16, 16),
                   "patch_embed.proj.bias": torch.randn(width)}
        for i in range(layers):
            tensors |= block(f"blocks.{i}", width, hidden)
        return wrapped(tensors | {"norm.weight": torch.randn(width), "norm.bias": torch.randn(width)})

    def predictor():
        inner, depth, inner_hidden = PREDICTOR
        tensors = {"predictor_embed.weight": torch.randn(inner, width),
                   "predictor_embed.bias": torch.randn(inner)}
        tensors |= {f"mask_tokens.{i}": torch.randn(1, 1, inner) for i in range(MASK_TOKENS)}
        for i in range(depth):
            tensors |= block(f"predictor_blocks.{i}", inner, inner_hidden)
        return wrapped(tensors | {
            "predictor_norm.weight": torch.randn(inner), "predictor_norm.bias": torch.randn(inner),
            "predictor_proj.weight": torch.randn(width, inner), "predictor_proj.bias": torch.randn(width)})

    online, target, inner = encoder(), encoder(), predictor()
    state = {
        i: {"step": torch.tensor(1.0), "exp_avg": torch.zeros_like(tensor),
            "exp_avg_sq": torch.zeros_like(tensor)}
        for i, tensor in enumerate([*online.values(), *inner.values()])
    }
    torch.save({
        "encoder": online, "predictor": inner,
        "opt": {"state": state, "param_groups": [{"lr": 1e-4, "params": list(state)}]},
        "scaler": {}, "target_encoder": target, "epoch": 300, "loss": 0.5, "batch_size": 24,
        "world_size": 16, "lr": 1e-4}, path)


def check(peer, folder, size):
    """Compares the output of `convert` with that of the peer: the numbers of tensors and elements,
    and the first and last tensors of each network, including split and stacked ones.
    Returns the number of tensors of the release that were compared."""
    import torch
    from safetensors import safe_open
    index = f"{folder}/model.safetensors.index.json"
    names = (sorted(set(json.load(open(index))["weight_map"].values()))
             if os.path.exists(index) else ["model.safetensors"])
    with contextlib.ExitStack() as stack:
        theirs = stack.enter_context(safe_open(peer, "pt"))
        ours = {}
        for name in names:
            file = stack.enter_context(safe_open(f"{folder}/{name}", "pt"))
            ours |= {key: file for key in file.keys()}

        def elements(file, key):
            count = 1
            for size in file.get_slice(key).get_shape():
                count *= size
            return count

        keys = theirs.keys()
        expected = sum(3 if ".attn.qkv." in key else 0 if ".mask_tokens." in key else 1
                       for key in keys) + 1
        assert len(ours) == expected, (len(ours), expected)
        assert (sum(elements(theirs, key) for key in keys)
                == sum(elements(file, key) for key, file in ours.items()))

        _, layers, _ = SIZES[size]
        encoder, predictor = "target_encoder.module.backbone", "predictor.module.backbone"
        pairs = {
            f"{encoder}.patch_embed.proj.weight": ["encoder.embeddings.patch_embeddings.proj.weight"],
            f"{encoder}.norm.bias": ["encoder.layernorm.bias"],
            f"{predictor}.predictor_embed.weight": ["predictor.embeddings.predictor_embeddings.weight"],
            f"{predictor}.predictor_proj.weight": ["predictor.proj.weight"],
        }
        for start, target, last in [(f"{encoder}.blocks", "encoder.layer", layers - 1),
                                    (f"{predictor}.predictor_blocks", "predictor.layer",
                                     PREDICTOR[1] - 1)]:
            for i in (0, last):
                for kind in ("weight", "bias"):
                    pairs[f"{start}.{i}.attn.qkv.{kind}"] = [
                        f"{target}.{i}.attention.{name}.{kind}" for name in ("query", "key", "value")]
                pairs[f"{start}.{i}.mlp.fc2.weight"] = [f"{target}.{i}.mlp.fc2.weight"]
        for theirs_key, ours_keys in pairs.items():
            found = torch.cat([ours[key].get_tensor(key) for key in ours_keys])
            assert torch.equal(theirs.get_tensor(theirs_key), found), theirs_key
        tokens = torch.stack([
            theirs.get_tensor(f"{predictor}.mask_tokens.{i}") for i in range(MASK_TOKENS)])
        key = "predictor.embeddings.mask_tokens"
        assert torch.equal(tokens, ours[key].get_tensor(key)), key
        return sum(map(len, pairs.values())) + 1, expected


def warm(path):
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(8 << 20)
        while file.readinto(buffer):
            pass


def remove(*paths):
    """Removes outputs and waits until the disk is idle."""
    for path in paths:
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.remove(path)
    os.sync()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="l")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--work", default=None)
    parser.add_argument("--keep", action="store_true",
                        help="keep the checkpoint in the folder of --work and reuse an existing one")
    parser.add_argument("--make", metavar="FILE", help="only write the checkpoint")
    options = parser.parse_args()
    if options.make:
        make(options.make, options.size)
        return
    if options.keep and not options.work:
        parser.error("--keep needs --work")
    program = zoo()
    work = tempfile.mkdtemp(dir=options.work)
    try:
        checkpoint = f"{options.work if options.keep else work}/vit-{options.size}.pt"
        if not os.path.exists(checkpoint):
            # A separate process writes it, so that its memory is released.
            partial = f"{work}/partial.pt"
            subprocess.run([sys.executable, os.path.abspath(__file__), "--size", options.size,
                            "--make", partial], check=True)
            os.rename(partial, checkpoint)
        measure(program, checkpoint, work, options)
    finally:
        shutil.rmtree(work)


def measure(program, checkpoint, work, options):
    release, peer, seconds = f"{work}/release", f"{work}/peer.safetensors", f"{work}/seconds"
    inside = {"no": [], "fsync": []}

    def ours():
        remove(release, peer)
        return run([program, "convert", checkpoint, "--to", release, "--quiet"])

    def theirs(sync="no"):
        remove(release, peer)
        result = run([sys.executable, "-c", PEER, checkpoint, peer, seconds, sync])
        inside[sync].append(float(open(seconds).read()))
        return result

    os.sync()
    warm(checkpoint)
    theirs()
    os.rename(peer, f"{work}/compared.safetensors")
    ours()
    compared, count = check(f"{work}/compared.safetensors", release, options.size)
    remove(f"{work}/compared.safetensors")
    inside["no"].clear()

    print(f"convert of a training checkpoint of {os.path.getsize(checkpoint) / 1e9:.2f} GB, "
          f"ViT-{options.size.upper()}/16; page cache warm")
    results = interleave({
        "ami-zoo convert": ours,
        "torch.load, save_file": theirs,
        # ami-zoo syncs the weights to the disk before it exits.
        "torch.load, save_file, fsync": lambda: theirs("fsync"),
    }, options.repeats)
    for name, times in zip(list(results)[1:], inside.values()):
        results[f"  {name}: after imports"] = (statistics.median(times), results[name][1], times)
    table([row(name, result) for name, result in results.items()])
    a, b, b_sync, inside_b, inside_sync = (result[0] for result in results.values())
    peak = results["ami-zoo convert"][1]
    print(f"ratio to the peer's time after imports {a / inside_b:.2f} (goal: at most 1.00), "
          f"with fsync {a / inside_sync:.2f}")
    print(f"ratio to its whole process {a / b:.2f}, with fsync {a / b_sync:.2f}")
    print(f"peak memory {peak / 1e6:.0f} MB (goal: less than {MEMORY / 1e6:.0f} MB)")
    print(f"same tensors: {count} in the release, of which {compared} were compared bit for bit\n")

    ours()
    print("verify of the release against the checkpoint")
    warm(checkpoint)
    results = interleave({
        "ami-zoo verify --against": lambda: run(
            [program, "verify", release, "--against", checkpoint, "--quiet"]),
    }, options.repeats)
    table([row(name, result) for name, result in results.items()])
    print()
    remove(release, peer)

    print("inspect of the checkpoint: SHA-256 of every tensor, including those of the optimiser")
    warm(checkpoint)
    times = []

    def hashlib():
        result = run([sys.executable, "-c", HASHER, checkpoint, seconds])
        times.append(float(open(seconds).read()))
        return result

    results = interleave({
        "ami-zoo inspect": lambda: run([program, "inspect", checkpoint]),
        "torch.load, hashlib": hashlib,
    }, options.repeats)
    peak = results["torch.load, hashlib"][1]
    results["  the same: after imports"] = statistics.median(times), peak, times
    table([row(name, result) for name, result in results.items()])
    a, b, b_inside = (result[0] for result in results.values())
    print(f"ratio {a / b:.2f}, after imports {a / b_inside:.2f}")


if __name__ == "__main__":
    main()
