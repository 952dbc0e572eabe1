# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes goldens/reference.safetensors and suites/golden.json of the release: what the encoder of `transformers` and the predictor of
model.py compute for four test images, by stage.

    python release_golden.py --release release --images images
"""

from __future__ import annotations

import argparse
import json
import os

import torch
import transformers
from safetensors.torch import safe_open, save_file

import model
from train import MEAN, STD

SAMPLES = 4
REASON = "float32 arithmetic in another order; a wrong weight, position or normalisation differs by more than 1e-2"


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default="release")
    parser.add_argument("--images", required=True, help="the folder that generate.py of the data set wrote")
    options = parser.parse_args()
    torch.set_num_threads(1)
    encoder = transformers.IJepaModel.from_pretrained(
        options.release, dtype=torch.float32, attn_implementation="eager", add_pooling_layer=False
    ).eval()
    ours, predictor = model.load(options.release)
    with safe_open(os.path.join(options.images, "test.safetensors"), "pt") as file:
        frames = file.get_slice("images")[0:SAMPLES][:, None]
    pixels = (frames.permute(0, 1, 4, 2, 3).float() / 255 - MEAN) / STD
    # The predictor completes the lower right quarter.
    side = model.CONFIG["image_size"] // model.CONFIG["patch_size"]
    ids = torch.arange(side * side)
    hidden = (ids // side >= side // 2) & (ids % side >= side // 2)
    seen, targets = (ids[mask].expand(SAMPLES, -1) for mask in (~hidden, hidden))
    out = {"frames": frames, "context_ids": seen, "target_ids": targets, "pixel_values": pixels}
    layers: list[torch.Tensor] = []
    for layer in encoder.layers:
        layer.register_forward_hook(lambda _, arguments, output: layers.append(output if torch.is_tensor(output) else output[0]))
    out["encoder.layer.0"] = encoder.embeddings(pixels[:, 0])
    last = encoder(pixels[:, 0]).last_hidden_state
    out |= {f"encoder.layer.{number}": layer for number, layer in enumerate(layers, 1)}
    out["encoder.last_hidden_state"] = last
    assert (ours(pixels[:, 0]) - last).abs().max() < 1e-4, "model.py and transformers differ"
    out["predictor.output"] = predictor(ours(pixels[:, 0], seen), seen, targets)
    path = os.path.join(options.release, "goldens", "reference.safetensors")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    save_file(
        {name: value.contiguous().clone() for name, value in out.items()},
        path,
        metadata={
            "format": "ami-zoo.goldens/1", "torch": torch.__version__, "transformers": transformers.__version__,
            "source": "release_golden.py",
        },
    )
    stages = [name for name in out if name not in ("frames", "context_ids", "target_ids")]
    document = {
        "format": "ami-zoo.suite/1", "name": "golden", "suite": "golden", "suiteVersion": 1, "data": {"kind": "release"},
        "parameters": {
            "file": "goldens/reference.safetensors",
            "stages": [dict(name=name, tolerance=1e-6 if name == "pixel_values" else 1e-4, reason=REASON) for name in stages],
        },
        "metrics": [dict(name=f"difference, {name}", unit="relative", direction="lower") for name in stages],
        "seed": 0,
    }  # fmt: skip
    os.makedirs(os.path.join(options.release, "suites"), exist_ok=True)
    with open(os.path.join(options.release, "suites", "golden.json"), "w") as file:
        json.dump(document, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()
