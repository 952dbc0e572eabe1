#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes tiny V-JEPA 2 models with random weights and their outputs in transformers.

One folder per model: config.json and weights as `save_pretrained` writes them, and expected.safetensors with the
inputs and outputs of every stage of every case, in float32 (bfloat16 and half weights are widened first).
cases.json lists models, cases and masks. Runs on one thread for reproducible results:

    make.py            writes the folders beside this script (torch 2.13.0, transformers 5.23.0, seed 0)
"""

import json
import pathlib
import shutil

import safetensors.torch
import torch
import transformers

FOLDER = pathlib.Path(__file__).parent
torch.set_num_threads(1)
torch.manual_seed(0)

SMALL = dict(patch_size=8, crop_size=32, frames_per_clip=4, hidden_size=48, num_attention_heads=3,
             num_hidden_layers=2, pred_hidden_size=40, pred_num_attention_heads=2,
             pred_num_hidden_layers=2, attn_implementation="eager")

# Head dimensions 16 and 20: 4 and 2 channels remain unrotated.
MODELS = {
    "plain": dict(config=SMALL),
    # Head dimensions 32 and 24 (all channels rotate); fractional mlp ratios; no bias in q, k and v; one layer.
    "odd": dict(config=dict(
        patch_size=6, crop_size=27, frames_per_clip=7, tubelet_size=3, in_chans=2, hidden_size=64,
        num_attention_heads=2, num_hidden_layers=1, mlp_ratio=48 / 11, qkv_bias=False, layer_norm_eps=1e-5,
        pred_hidden_size=24, pred_num_attention_heads=1, pred_num_hidden_layers=3, pred_mlp_ratio=2.7,
        pred_num_mask_tokens=1, attn_implementation="eager")),
    # Head dimensions 25, which is odd, and 6, the smallest; few tensors per shard.
    "sharded": dict(config={**SMALL, "hidden_size": 50, "num_attention_heads": 2, "pred_hidden_size": 12},
                    shard="60KB"),
    "bf16": dict(config=SMALL, dtype=torch.bfloat16),
    "f16-sharded": dict(config=SMALL, dtype=torch.float16, shard="60KB"),
}


def randomise(model):
    """Draws every parameter, because zero biases and unit weights of norms would hide errors."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("mask_tokens"):
                parameter.normal_(0, 1)
            elif "norm" in name and name.endswith("weight"):
                parameter.normal_(1, 0.1)
            else:
                parameter.normal_(0, 0.1)


def encode_visible(model, pixels, ids):
    """Runs the encoder on some tokens only, as in training: gathers after the embedding, positions from the ids."""
    x = model.encoder.embeddings(pixels)
    x = torch.gather(x, 1, ids.unsqueeze(-1).expand(-1, -1, x.size(-1)))
    for layer in model.encoder.layer:
        x = layer(x, ids)[0]
    return model.encoder.layernorm(x)


def masks(batch, tokens, context, targets):
    rows = [torch.randperm(tokens) for _ in range(batch)]
    return (torch.stack([r[:context] for r in rows]),
            torch.stack([r[tokens - targets:] for r in rows]))


def run(model, name, shape, tensors, pair=None):
    pixels = torch.randn(*shape)
    with torch.no_grad():
        context, targets = ([pair[0]], [pair[1]]) if pair else (None, None)
        result = model(pixels, context_mask=context, target_mask=targets, output_hidden_states=True)
        embeddings = model.encoder.embeddings(pixels)
        layers = []
        hooks = [layer.register_forward_hook(lambda m, i, o: layers.append(o[0])) for layer in model.encoder.layer]
        again = model(pixels, skip_predictor=True).last_hidden_state
        [hook.remove() for hook in hooks]
        assert torch.equal(again, result.last_hidden_state)
        tensors[f"{name}.pixel_values"] = pixels
        for index, layer in enumerate([embeddings, *layers]):
            tensors[f"{name}.layers.{index}"] = layer
        tensors[f"{name}.last_hidden_state"] = result.last_hidden_state
        tensors[f"{name}.predicted"] = result.predictor_output.last_hidden_state
        tensors[f"{name}.targets"] = result.predictor_output.target_hidden_state
        if pair:
            tensors[f"{name}.masked"] = result.masked_hidden_state
            tensors[f"{name}.visible"] = encode_visible(model, pixels, pair[0])
    case = {"name": name}
    if pair:
        case |= {"context": pair[0].tolist(), "targets": pair[1].tolist()}
    return case


def cases(model, name):
    config, tensors = model.config, {}
    side, channels, frames = config.crop_size, config.in_chans, config.frames_per_clip
    tokens = (frames // config.tubelet_size) * (side // config.patch_size) ** 2
    square = (2, frames, channels, side, side)
    found = [run(model, "default", (1, *square[1:]), tensors),
             run(model, "scattered", square, tensors, masks(2, tokens, tokens // 2, tokens // 3))]
    if name in ("plain", "odd"):
        p = config.patch_size
        found += [
            # Predicts one token from one token, and tokens that are also in the context.
            run(model, "single", square, tensors, masks(2, tokens, 1, 1)),
            run(model, "overlapping", square, tensors, masks(2, tokens, tokens - 2, tokens - 1)),
            # Sides that are not a multiple of the patch size, more columns than rows, one frame too many.
            run(model, "rectangle", (1, 2 * config.tubelet_size + 1, channels, 3 * p + 1, 6 * p - 1), tensors),
            # Fewer frames than a tubelet: the clip is repeated.
            run(model, "short", (1, config.tubelet_size - 1, channels, side, side), tensors),
        ]
    safetensors.torch.save_file({k: v.contiguous() for k, v in tensors.items()},
                                FOLDER / name / "expected.safetensors")
    return found


listing = []
for name, model in MODELS.items():
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    made = transformers.VJEPA2Model(transformers.VJEPA2Config(**model["config"])).eval()
    randomise(made)
    made.to(model.get("dtype", torch.float32)).save_pretrained(
        FOLDER / name, max_shard_size=model.get("shard", "5GB"))
    loaded = transformers.VJEPA2Model.from_pretrained(
        FOLDER / name, dtype=torch.float32, attn_implementation="eager").eval()
    listing.append({"model": name, "layers": loaded.config.num_hidden_layers, "cases": cases(loaded, name)})

(FOLDER / "cases.json").write_text(json.dumps(
    {"origin": "make.py, random weights", "licence": "Apache-2.0", "torch": torch.__version__,
     "transformers": transformers.__version__, "models": listing}) + "\n")
