#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Loads a converted folder with transformers and compares it with the lab's class on the original file.

    load_back.py --repositories DIR FOLDER UPSTREAM [--probe UPSTREAM] [--component target_encoder]

FOLDER contains config.json and model.safetensors. Its config names the class: IJepaModel, VJEPA2Model or
VJEPA2ForVideoClassification, which also requires --probe. UPSTREAM is the lab's training checkpoint. Heads, side and
frames come from the config. Prints the largest absolute difference of every output on a seeded input. The exit status
is 1 if a difference exceeds --tolerance, or if tensors are missing or unexpected.
"""

import argparse
import json
import pathlib
import sys

import torch
import transformers

from upstream_code import Repositories, clean, sizes_of

torch.set_num_threads(1)


def compare_ijepa(model, encoder):
    """Compares IJepaModel with Meta's encoder."""
    config = model.config
    torch.manual_seed(1)
    pixels = torch.randn(2, config.num_channels, config.image_size, config.image_size)
    with torch.no_grad():
        return {"last_hidden_state": largest(model(pixels).last_hidden_state, encoder(pixels))}


def compare_vjepa2(model, encoder, predictor=None):
    """Compares VJEPA2Model with Meta's encoder and predictor; the context is half of the tokens, the target a third."""
    config = model.config
    torch.manual_seed(1)
    pixels = torch.randn(2, config.frames_per_clip, config.in_chans, config.crop_size, config.crop_size)
    tokens = (config.frames_per_clip // config.tubelet_size) * (config.crop_size // config.patch_size) ** 2
    rows = [torch.randperm(tokens) for _ in range(2)]
    seen = torch.stack([row[:tokens // 2] for row in rows])
    wanted = torch.stack([row[tokens - tokens // 3:] for row in rows])
    with torch.no_grad():
        features = encoder(pixels.transpose(1, 2))
        if predictor is None:
            return {"last_hidden_state": largest(model(pixels, skip_predictor=True).last_hidden_state, features)}
        result = model(pixels, context_mask=[seen], target_mask=[wanted])
        context = torch.gather(features, 1, seen.unsqueeze(-1).expand(-1, -1, features.size(-1)))
        predicted = predictor(context, seen, wanted)
    return {"last_hidden_state": largest(result.last_hidden_state, features),
            "predictor_output": largest(result.predictor_output.last_hidden_state, predicted)}


def compare_classifier(model, encoder, probe):
    """Compares VJEPA2ForVideoClassification with Meta's encoder and probe.

    The norms of the pooler use the eps of the config (1e-6) in transformers and 1e-5 in Meta's code. The second
    difference is measured with the eps of transformers set to 1e-5.
    """
    config = model.config
    torch.manual_seed(1)
    pixels = torch.randn(2, config.frames_per_clip, config.in_chans, config.crop_size, config.crop_size)
    with torch.no_grad():
        wanted = probe(encoder(pixels.transpose(1, 2)))
        found = {"logits": largest(model(pixels).logits, wanted)}
        for module in model.pooler.modules():
            if isinstance(module, torch.nn.LayerNorm):
                module.eps = 1e-5
        found["logits (eps 1e-5)"] = largest(model(pixels).logits, wanted)
    return found


def largest(a, b):
    assert a.shape == b.shape, f"shapes {tuple(a.shape)} and {tuple(b.shape)}"
    return (a - b).abs().max().item()


def load(path):
    return torch.load(path, map_location="cpu", weights_only=True)


def filled(model, state):
    model.load_state_dict(state, strict=True)
    return model


def vjepa2_parts(repositories, checkpoint, component, config):
    """Returns Meta's encoder and its predictor, or None, from a checkpoint."""
    shared = {"side": config.crop_size, "frames": config.frames_per_clip}
    state = {k: v for k, v in clean(checkpoint[component]).items() if k != "pos_embed"}
    encoder = filled(repositories.vjepa2_encoder(**sizes_of(state), **shared, heads=config.num_attention_heads), state)
    if "predictor" not in checkpoint:
        return encoder, None
    state = {k: v for k, v in clean(checkpoint["predictor"]).items() if k != "predictor_pos_embed"}
    return encoder, filled(repositories.vjepa2_predictor(
        **sizes_of(state), **shared, heads=config.pred_num_attention_heads, patch=config.patch_size,
        tubelet=config.tubelet_size), state)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path, help="folder that ami-zoo wrote")
    parser.add_argument("upstream", type=pathlib.Path, help="the lab's checkpoint")
    parser.add_argument("--probe", type=pathlib.Path, help="the lab's probe, for a classifier")
    parser.add_argument("--repositories", required=True, help="folder of the labs' checkouts")
    parser.add_argument("--component", help="the encoder of the checkpoint; default: the first that exists of "
                        "ema_encoder, target_encoder, encoder")
    parser.add_argument("--head", type=int, default=0, help="index of the classifier in a probe")
    parser.add_argument("--tolerance", type=float, default=1e-5)
    arguments = parser.parse_args()

    repositories = Repositories(arguments.repositories)
    checkpoint = load(arguments.upstream)
    component = arguments.component or next(
        name for name in ("ema_encoder", "target_encoder", "encoder") if name in checkpoint)
    written = json.loads((arguments.folder / "config.json").read_text())
    architecture = (written.get("architectures") or [
        {"ijepa": "IJepaModel", "vjepa2": "VJEPA2ForVideoClassification" if arguments.probe else "VJEPA2Model"}[
            written["model_type"]]])[0]
    model, report = getattr(transformers, architecture).from_pretrained(
        arguments.folder, output_loading_info=True, dtype=torch.float32, attn_implementation="eager")
    model.eval()
    unexpected = {kind: sorted(names) for kind, names in report.items() if names}
    for kind, names in unexpected.items():
        print(f"{kind}: {names}")

    if architecture == "IJepaModel":
        state = clean(checkpoint[component])
        differences = compare_ijepa(model, filled(repositories.ijepa_encoder(
            **sizes_of(state), heads=model.config.num_attention_heads, side=model.config.image_size), state))
    else:
        encoder, predictor = vjepa2_parts(repositories, checkpoint, component, model.config)
        if architecture == "VJEPA2Model":
            differences = compare_vjepa2(model, encoder, predictor)
        else:
            if not arguments.probe:
                raise SystemExit("a classifier requires --probe")
            state = clean(load(arguments.probe)["classifiers"][arguments.head])
            differences = compare_classifier(model, encoder, filled(repositories.vjepa2_probe(
                **sizes_of(state), heads=model.config.num_attention_heads), state))

    print(f"{architecture}, {component}")
    for output, difference in differences.items():
        print(f"  {output}: {difference:.3g}")
    differences.pop("logits", None)  # The eps of the norms differs.
    sys.exit(bool(unexpected) or max(differences.values()) > arguments.tolerance)


if __name__ == "__main__":
    main()
