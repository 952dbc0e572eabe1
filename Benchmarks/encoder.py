#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""`embed` of a V-JEPA 2 encoder with random weights against transformers (PyTorch, float32).

Runs both in turn on the same clip and checks that the features agree to 1e-4. Ours is the time of
the whole program, reading the weights and writing the features included; theirs is the forward pass
alone, in a process that is warm. Needs torch, transformers, safetensors, and 3 GB of disk.
    python3 Benchmarks/encoder.py [--size vit-l] [--frames 16] [--threads 2] [--repeats 5]
"""

import argparse
import os
import resource
import sys
import tempfile
import time

import safetensors.torch
import torch
import transformers

from measure import interleave, row, run, table, zoo

SIZES = {
    "tiny": dict(hidden_size=64, num_attention_heads=4, num_hidden_layers=2, crop_size=64),
    "vit-l": dict(),
    "vit-h": dict(hidden_size=1280, num_hidden_layers=32),
}
TOLERANCE = 1e-4


def make(folder, size, frames):
    """Writes the model and the input, and returns the model and the clip."""
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
    parser.add_argument("--size", choices=SIZES, default="vit-l")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--work", default=None)
    options = parser.parse_args()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(options.threads)
    # What is compared is what a user gets, not what a tuned environment makes of it.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}

    with tempfile.TemporaryDirectory(dir=options.work) as folder, torch.no_grad():
        model, pixels = make(folder, options.size, options.frames)
        output = f"{folder}/output.safetensors"
        expected = None

        def theirs():
            nonlocal expected
            start = time.perf_counter()
            expected = model(pixels, skip_predictor=True).last_hidden_state
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            return time.perf_counter() - start, peak

        def ours():
            return run([
                zoo(), "embed", folder, f"{folder}/input.safetensors", "--output", output,
                "--threads", str(options.threads)], env=environment)

        theirs(), ours()
        results = interleave({"transformers, forward": theirs, "ami-zoo embed": ours}, options.repeats)
        found = safetensors.torch.load_file(output)["last_hidden_state"]

    difference = (found - expected).abs().max().item()
    print(f"V-JEPA 2 {options.size}, {options.frames} frames, {expected.shape[1]} tokens, float32, "
          f"{options.threads} threads; torch {torch.__version__}, transformers {transformers.__version__}")
    table([row(name, result) for name, result in results.items()])
    ratio = results["transformers, forward"][0] / results["ami-zoo embed"][0]
    print(f"{ratio:.2f} times as fast (reach: at least 1.5)")
    print(f"largest difference {difference:.1e} (tolerance {TOLERANCE:.0e})")
    return 0 if difference <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
