#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes reference.safetensors: what `transformers` computes, stage by stage, with the target encoder and the predictor
of the small V-JEPA 2 of Tests/Vectors/conversion/vjepa2, for two seeded clips.

torch 2.13.0, transformers 5.23.0, safetensors 0.8.0. Pixels are normalised with mean 0.5 and std 0.25.

    make.py --output .
"""

import argparse
import pathlib
import shutil
import tempfile

import safetensors.torch
import torch
import transformers

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "conversion" / "vjepa2"
SEED, CLIPS, FRAMES, SIDE, TOKENS, CONTEXT = 110, 2, 4, 16, 32, 20


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    output = parser.parse_args().output
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(VECTORS / "expected.safetensors", pathlib.Path(folder) / "model.safetensors")
        shutil.copy(VECTORS / "expected-config.json", pathlib.Path(folder) / "config.json")
        model, report = transformers.VJEPA2Model.from_pretrained(
            folder, output_loading_info=True, dtype=torch.float32, attn_implementation="eager"
        )
    assert not any(report.values()), report
    model.eval()
    random = torch.Generator().manual_seed(SEED)
    frames = torch.randint(0, 256, (CLIPS, FRAMES, SIDE, SIDE, 3), generator=random, dtype=torch.uint8)
    order = torch.stack([torch.randperm(TOKENS, generator=random) for _ in range(CLIPS)])
    context, targets = order[:, :CONTEXT].sort().values, order[:, CONTEXT:].sort().values
    pixels = (frames.permute(0, 1, 4, 2, 3).float() / 255 - 0.5) / 0.25
    out = {"frames": frames, "context_ids": context, "target_ids": targets, "pixel_values": pixels}
    hidden = model.encoder.embeddings(pixels)
    out["encoder.layer.0"] = hidden
    for number, layer in enumerate(model.encoder.layer, 1):
        hidden = layer(hidden, None)[0]
        out[f"encoder.layer.{number}"] = hidden
    out["encoder.last_hidden_state"] = model.encoder(pixels).last_hidden_state
    safetensors.torch.save_file(
        {name: value.contiguous().clone() for name, value in out.items()},
        output / "reference.safetensors",
        metadata={"format": "ami-zoo.goldens/1", "source": "make.py", "seed": str(SEED)},
    )


if __name__ == "__main__":
    main()
