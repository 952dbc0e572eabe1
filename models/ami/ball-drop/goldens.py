# SPDX-License-Identifier: Apache-2.0
"""Writes the held-out clips and the reference values of every stage of the released checkpoint.

    python goldens.py --release release --clips clips --output ../../../Tests/Vectors/models/ball-drop

The held-out clips are the first two of the held-out seed whose ball first touches the floor
after the last context frame and within the clip.
"""

from __future__ import annotations

import argparse
import os

import numpy as np
import torch

import evaluate
import generator

SCATTER_SEED = 5


def held_out_clips(folder: str, count: int = 2) -> list[str]:
    """Writes held-out-1.safetensors and so on; returns the paths."""
    from safetensors.numpy import save_file

    data = generator.clips(evaluate.HELD_OUT, generator.BLOCK)
    inside = evaluate.landing_inside(torch.from_numpy(data["landing"])).numpy()
    os.makedirs(folder, exist_ok=True)
    paths = []
    for number, index in enumerate(np.flatnonzero(inside)[:count], 1):
        paths.append(os.path.join(folder, f"held-out-{number}.safetensors"))
        save_file(
            {name: np.ascontiguousarray(value[index : index + 1]) for name, value in data.items()},
            paths[-1],
            metadata={
                "format": "ami-zoo.clip/1",
                "source": f"generator.py seed {evaluate.HELD_OUT} clip {index}",
                "coordinates": "px, x right, y down, pixel i covers [i, i+1)",
            },
        )
    return paths


@torch.no_grad()
def stages(model, read_out: dict[str, torch.Tensor], pixels: torch.Tensor) -> dict[str, torch.Tensor]:
    """Returns the inputs and outputs of every stage in `transformers` (float32, eager attention)."""
    out = {"pixel_values": pixels, "encoder.embeddings": model.encoder.embeddings(pixels)}
    hidden = out["encoder.embeddings"]
    for i, layer in enumerate(model.encoder.layer):
        hidden = layer(hidden, None)[0]
        out[f"encoder.layer.{i}"] = hidden
    out["encoder.last_hidden_state"] = model.encoder(pixels).last_hidden_state

    # Prediction: the encoder gets the first frames only.
    tokens = evaluate.TUBELETS * evaluate.CELLS
    split = evaluate.CONTEXT * evaluate.CELLS
    ids = torch.arange(tokens)[None]
    future = {"context_ids": ids[:, :split], "target_ids": ids[:, split:]}
    out["predict.encoder.last_hidden_state"] = model.encoder(pixels[:, : evaluate.CONTEXT_FRAMES]).last_hidden_state
    out |= {f"predict.{name}": value for name, value in future.items()}
    out["predict.predictor.output"] = evaluate.predict(model, pixels, evaluate.CONTEXT)
    out["predict.position"] = evaluate.apply_position(read_out, out["predict.predictor.output"])
    out["predict.landing"] = evaluate.apply_landing(read_out, out["predict.predictor.output"])

    # `VJEPA2Model.forward` with masks: the encoder gets the whole clip, the predictor the context tokens.
    order = np.random.default_rng(SCATTER_SEED).permutation(tokens)
    scattered = {
        "context_ids": torch.from_numpy(np.sort(order[:40]))[None],
        "target_ids": torch.from_numpy(order[40:72].copy())[None],  # unsorted on purpose
    }
    for name, masks in (("forward", future), ("scattered", scattered)):
        result = model(pixels, context_mask=[masks["context_ids"]], target_mask=[masks["target_ids"]])
        out |= {f"{name}.{key}": value for key, value in masks.items()}
        out[f"{name}.predictor.output"] = result.predictor_output.last_hidden_state
        out[f"{name}.target_hidden_state"] = result.predictor_output.target_hidden_state

    # Predictor layers of the prediction, in the order of sorted ids (here: context, then targets).
    hidden, positions = model.predictor.embeddings(
        out["predict.encoder.last_hidden_state"], [future["context_ids"]], [future["target_ids"]]
    )
    out["predict.predictor.embeddings"] = hidden
    for i, layer in enumerate(model.predictor.layer):
        hidden = layer(hidden, positions)[0]
        out[f"predict.predictor.layer.{i}"] = hidden

    # Surprise of the target tokens in normalised units, [1, target tokens].
    goal = (evaluate.targets(model, pixels) - read_out["target.mean"]) / read_out["target.scale"]
    out["predict.squared_error"] = ((out["predict.predictor.output"] - goal[:, split:]) ** 2).mean(-1)
    return {name: value.contiguous().clone() for name, value in out.items()}


def main() -> None:
    import transformers
    from safetensors.torch import load_file, save_file

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default="release")
    parser.add_argument("--clips", default="clips")
    parser.add_argument("--output", required=True)
    o = parser.parse_args()
    torch.set_num_threads(1)
    first = held_out_clips(o.clips)[0]
    model = transformers.VJEPA2Model.from_pretrained(
        o.release, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    read_out = load_file(os.path.join(o.release, "read_outs", "trajectory.safetensors"))
    values = stages(model, read_out, load_file(first)["pixel_values"])
    os.makedirs(o.output, exist_ok=True)
    path = os.path.join(o.output, "goldens.safetensors")
    save_file(
        values,
        path,
        metadata={
            "format": "ami-zoo.goldens/1",
            "model": "ami/ball-drop",
            "source": "goldens.py on clips/held-out-1.safetensors",
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
    )
    for name, value in values.items():
        print(f"{name:44} {str(value.dtype)[6:]:8} {list(value.shape)}")
    print(os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main()
