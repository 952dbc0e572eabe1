# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes goldens/reference.safetensors of the release: what `transformers` computes for one held-out clip, by stage.

    python release_golden.py --release release --clips ../../../datasets/ami/ball-drop-clips/release/clips.safetensors
"""

from __future__ import annotations

import argparse
import os

import torch
import transformers
from safetensors.torch import load_file, safe_open, save_file

import evaluate
import generator


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default="release")
    parser.add_argument("--clips", required=True, help="the file of the split held-out")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = transformers.VJEPA2Model.from_pretrained(
        options.release, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    read_out = load_file(os.path.join(options.release, "read_outs", "trajectory.safetensors"))
    with safe_open(options.clips, "pt") as file:
        frames = file.get_slice("frames")[0:1]
    mean = torch.tensor(generator.MEAN)[:, None, None]
    std = torch.tensor(generator.STD)[:, None, None]
    pixels = (frames.permute(0, 1, 4, 2, 3).float() / 255 - mean) / std
    ids = torch.arange(evaluate.TUBELETS * evaluate.CELLS)[None]
    split = evaluate.CONTEXT * evaluate.CELLS
    out = {"frames": frames, "context_ids": ids[:, :split], "target_ids": ids[:, split:], "pixel_values": pixels}
    hidden = model.encoder.embeddings(pixels)
    out["encoder.layer.0"] = hidden
    for number, layer in enumerate(model.encoder.layer, 1):
        hidden = layer(hidden, None)[0]
        out[f"encoder.layer.{number}"] = hidden
    out["encoder.last_hidden_state"] = model.encoder(pixels).last_hidden_state
    out["predictor.output"] = evaluate.predict(model, pixels, evaluate.CONTEXT)
    positions = evaluate.apply_position(read_out, out["predictor.output"])
    out["trajectory.positions"] = positions.reshape(1, -1)
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


if __name__ == "__main__":
    main()
