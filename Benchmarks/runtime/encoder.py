#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Compares the V-JEPA 2 encoder of ami-zoo with transformers on the CPU: same numbers, how much faster?

Makes a model with random weights and a random clip, runs both programs on them in turn, and prints the largest
difference of the features, the median times and their ratio as JSON. Times are of the forward pass alone, as
each program reports it; the runs are interleaved so that a busy machine slows both.

    encoder.py --command 'PATH/bench {model} {input} {output} {threads} {repeats}' [--size vit-l] [--frames 16]

The command must write `last_hidden_state` to {output} (safetensors) and print one line `seconds <number>` per
forward pass. Exit status 1 means that the features differ by more than the tolerance.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

import safetensors.torch
import torch
import transformers

SIZES = {
    "tiny": dict(hidden_size=64, num_attention_heads=4, num_hidden_layers=2, crop_size=64),
    "vit-l": dict(),
    "vit-h": dict(hidden_size=1280, num_hidden_layers=32),
}
TOLERANCE = 1e-4


def make(folder, size, frames):
    """Writes the model and the input, and returns the model."""
    torch.manual_seed(0)
    config = transformers.VJEPA2Config(**SIZES[size])
    model = transformers.VJEPA2Model(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1 and "norm" not in name:
                parameter.normal_(0, 0.02)
    model.save_pretrained(folder)
    pixels = torch.randn(1, frames, 3, config.crop_size, config.crop_size)
    safetensors.torch.save_file({"pixel_values": pixels}, f"{folder}/input.safetensors")
    return model, pixels


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--command", required=True)
    parser.add_argument("--size", choices=SIZES, default="vit-l")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", help="keep the model here instead of in a temporary folder")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    # What is compared is what a user gets, not what a tuned environment makes of it.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}

    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or temporary
        model, pixels = make(folder, options.size, options.frames)
        output = f"{folder}/output.safetensors"
        command = shlex.split(
            options.command.format(
                model=folder, input=f"{folder}/input.safetensors", output=output,
                threads=options.threads, repeats=1))
        theirs, ours = [], []
        with torch.no_grad():
            # One unmeasured run each warms caches and pages.
            for round in range(options.rounds + 1):
                start = time.monotonic()
                expected = model(pixels, skip_predictor=True).last_hidden_state
                theirs.append(time.monotonic() - start)
                text = subprocess.run(
                    command, env=environment, check=True, capture_output=True, text=True).stdout
                ours += [float(l.split()[1]) for l in text.splitlines() if l.startswith("seconds ")]
                print(f"round {round}: {theirs[-1]:.2f} s, {ours[-1]:.2f} s", file=sys.stderr)
        found = safetensors.torch.load_file(output)["last_hidden_state"]
    difference = (found - expected).abs().max().item()
    medians = statistics.median(theirs[1:]), statistics.median(ours[1:])
    print(json.dumps({
        "size": options.size, "frames": options.frames, "tokens": expected.shape[1],
        "threads": options.threads, "maxAbsoluteDifference": difference,
        "transformersSeconds": round3(medians[0]), "amiZooSeconds": round3(medians[1]),
        "ratio": round3(medians[0] / medians[1]), "torch": torch.__version__,
        "transformers": transformers.__version__}, indent=2))
    return 0 if difference <= TOLERANCE else 1


def round3(value):
    return round(value, 3)


if __name__ == "__main__":
    sys.exit(main())
