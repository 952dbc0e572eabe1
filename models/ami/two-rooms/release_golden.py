# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes goldens/reference.safetensors and suites/golden.json of the release: what PyTorch computes for pictures of
eight episodes, stage by stage.

    python release_golden.py --release release

The encoder is `ViTModel` of transformers with the weights of the release, as in LeWM (arXiv 2603.19312); projectors
and predictor are those of `train.py`, the reference implementation of this model.
"""

from __future__ import annotations

import argparse
import json
import os

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file

import generator
import train

SEED, EPISODES, STEPS = 11, 8, 5
REASON = "float32 arithmetic in another order; a wrong weight, normalisation or norm differs by more than 1e-3"


def vit(state: dict[str, torch.Tensor], config: dict) -> transformers.ViTModel:
    """The encoder of the release in transformers."""
    sizes = {name: config[name] for name in (
        "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "image_size", "patch_size",
        "num_channels", "layer_norm_eps",
    )}  # fmt: skip
    model = transformers.ViTModel(transformers.ViTConfig(**sizes, attn_implementation="eager"), add_pooling_layer=False)
    prefix = "encoder."
    own = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    names = set(model.state_dict())
    if not names <= set(own):
        # transformers 5 names the same tensors otherwise.
        own = {renamed(name): value for name, value in own.items()}
    model.load_state_dict(own, strict=True)
    return model.eval()


def renamed(name: str) -> str:
    for old, new in (
        ("encoder.layer.", "layers."), ("attention.attention.query", "attention.q_proj"),
        ("attention.attention.key", "attention.k_proj"), ("attention.attention.value", "attention.v_proj"),
        ("attention.output.dense", "attention.o_proj"), ("intermediate.dense", "mlp.fc1"), ("output.dense", "mlp.fc2"),
    ):  # fmt: skip
        name = name.replace(old, new)
    return name


def predictor(state: dict[str, torch.Tensor]) -> train.Model:
    """The model of `train.py` with the projectors and the predictor of the release: the inverse of `train.export`."""
    model = train.Model()
    own = {name: value for name, value in state.items() if name.startswith(("projector.", "pred_proj."))}
    own["action_first.weight"] = state["action_encoder.patch_embed.weight"][..., 0]
    own["action_first.bias"] = state["action_encoder.patch_embed.bias"]
    own["position"] = state["predictor.pos_embedding"]

    def linear(new: str, old: str) -> None:
        for part in ("weight", "bias"):
            own[f"{new}.{part}"] = state[f"{old}.{part}"]

    linear("action_second", "action_encoder.embed.0")
    linear("action_third", "action_encoder.embed.2")
    linear("norm", "predictor.transformer.norm")
    for i in range(train.PREDICTOR_LAYERS):
        new, old = f"blocks.{i}", f"predictor.transformer.layers.{i}"
        own[f"{new}.value.weight"] = state[f"{old}.attn.to_qkv.weight"].chunk(3)[2]
        for part, name in (
            ("attn_norm", "attn.norm"), ("out", "attn.to_out.0"), ("mlp_norm", "mlp.net.0"), ("first", "mlp.net.1"),
            ("second", "mlp.net.4"), ("modulation", "adaLN_modulation.1"),
        ):  # fmt: skip
            linear(f"{new}.{part}", f"{old}.{name}")
    missing, unexpected = model.load_state_dict(own, strict=False)
    assert not unexpected and all(name.startswith("encoder.") for name in missing), (missing, unexpected)
    return model.eval()


@torch.no_grad()
def stages(release: str) -> dict[str, torch.Tensor]:
    state = load_file(os.path.join(release, "model.safetensors"))
    with open(os.path.join(release, "config.json")) as file:
        encoder = vit(state, json.load(file))
    model = predictor(state)
    frames, actions = [], []
    for number in range(EPISODES):
        episode = generator.Episode.draw(generator.output(generator.output(SEED, number), 0))
        frames.append(generator.render(*episode.start, episode.door))
        actions.append(np.random.default_rng([SEED, number]).uniform(-1, 1, (STEPS, 2)))
    frames = torch.from_numpy(np.stack(frames))
    actions = torch.from_numpy(np.stack(actions).astype(np.float32))
    pixels = train.pixels(frames[:, 0])
    out = {"frames": frames, "actions": actions, "pixel_values": pixels[:, None]}
    found = encoder(pixels, output_hidden_states=True)
    for number, hidden in enumerate(found.hidden_states):
        out[f"encoder.layer.{number}"] = hidden
    latent = model.projector(found.last_hidden_state[:, 0])
    out["encoder.last_hidden_state"] = latent[:, None]
    predicted = []
    for step in range(STEPS):
        latent = model.predict(latent, actions[:, step])
        predicted.append(latent)
    out["predictor.roll_out"] = torch.stack(predicted, 1)[:, :, None]
    return out


def definition(names: list[str]) -> dict:
    return {
        "format": "ami-zoo.suite/1", "name": "golden", "suite": "golden", "suiteVersion": 1, "data": {"kind": "release"},
        "parameters": {
            "file": "goldens/reference.safetensors",
            "stages": [
                {"name": name, "tolerance": 1e-6 if name == "pixel_values" else 1e-4, "reason": REASON} for name in names
            ],
        },
        "metrics": [{"name": f"difference, {name}", "unit": "relative", "direction": "lower"} for name in names],
        "seed": 0,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default="release")
    release = parser.parse_args().release
    torch.set_num_threads(1)
    out = stages(release)
    os.makedirs(os.path.join(release, "goldens"), exist_ok=True)
    save_file(
        {name: value.contiguous().clone() for name, value in out.items()},
        os.path.join(release, "goldens", "reference.safetensors"),
        metadata={
            "format": "ami-zoo.goldens/1", "torch": torch.__version__, "transformers": transformers.__version__,
            "source": "release_golden.py", "seed": str(SEED),
        },
    )  # fmt: skip
    with open(os.path.join(release, "suites", "golden.json"), "w") as file:
        json.dump(definition([name for name in out if name not in ("frames", "actions")]), file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()
