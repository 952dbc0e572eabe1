#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Loads a .pt file of `ami-zoo export` like the lab's code: weights_only, then strictly into its class.

    meta_loads.py --repositories DIR --family vjepa2 FILE [--against UPSTREAM] [--component target_encoder]
                  [--heads 2] [--predictor-heads 1] [--side 16] [--frames 4]

Families: ijepa, vjepa, vjepa-probe, vjepa2, vjepa2-probe, vjepa2-ek100, vjepa2-ac. The numbers of heads change
no shape; side and frames do not follow from the weights. With --against, every tensor of every component in FILE must
equal that in UPSTREAM, bit for bit; --component names the state dict in UPSTREAM if FILE has its one encoder under
another key. The exit status is 1 if a tensor is missing, unexpected or different.
"""

import argparse
import sys

import torch

from upstream_code import Repositories, clean, sizes_of

ENCODERS = ("ema_encoder", "target_encoder", "encoder")


def build(repositories, family, part, state, given):
    """Builds the lab's class for one component, with the sizes of its tensors."""
    sizes = sizes_of(state)
    heads = given["predictor_heads"] if part == "predictor" else given["heads"]
    place = {"side": given["side"], "frames": given["frames"]}
    if part == "classifier":
        maker = {"vjepa-probe": repositories.vjepa_probe, "vjepa2-probe": repositories.vjepa2_probe,
                 "vjepa2-ek100": repositories.vjepa2_anticipation_probe}[family]
        return maker(**sizes, heads=heads)
    if family == "ijepa":
        if part == "predictor":
            return repositories.ijepa_predictor(**sizes, heads=heads)
        return repositories.ijepa_encoder(**sizes, heads=heads, side=given["side"])
    if part == "predictor":
        place |= {"patch": given["patch"], "tubelet": given["tubelet"]}
        if family == "vjepa2-ac":
            return repositories.vjepa2_ac_predictor(**{k: v for k, v in sizes.items() if k != "mlp_ratio"},
                                                    **place, heads=heads)
        maker = {"vjepa": repositories.vjepa_predictor, "vjepa2": repositories.vjepa2_predictor}[family]
        return maker(**sizes, **place, heads=heads)
    maker = repositories.vjepa_encoder if family == "vjepa" else repositories.vjepa2_encoder
    return maker(**sizes, **place, heads=heads)


def parts_of(checkpoint):
    """Returns every state dict of a checkpoint with cleaned names: encoders, predictor, classifiers."""
    found = {name: clean(checkpoint[name]) for name in (*ENCODERS, "predictor", "classifier") if name in checkpoint}
    for index, state in enumerate(checkpoint.get("classifiers", [])):
        found[f"classifier {index}"] = clean(state)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", help="file that ami-zoo wrote")
    parser.add_argument("--repositories", required=True, help="folder of the labs' checkouts")
    parser.add_argument("--family", required=True)
    parser.add_argument("--against", help="the checkpoint that the tensors must equal")
    parser.add_argument("--component", help="the encoder of --against to compare a single encoder with")
    parser.add_argument("--heads", type=int, default=2)
    parser.add_argument("--predictor-heads", type=int, default=1)
    parser.add_argument("--side", type=int, default=16)
    parser.add_argument("--frames", type=int, default=4)
    arguments = parser.parse_args()

    repositories = Repositories(arguments.repositories)
    given = {key: getattr(arguments, key) for key in ("heads", "predictor_heads", "side", "frames")}
    found = parts_of(torch.load(arguments.file, map_location="cpu", weights_only=True))
    if not found:
        raise SystemExit("no encoder, predictor or classifier in the file")
    for state in found.values():
        if "patch_embed.proj.weight" in state:
            weight = state["patch_embed.proj.weight"]
            given |= {"patch": weight.shape[-1], "tubelet": weight.shape[2] if weight.ndim == 5 else None}

    failed = False
    wanted = parts_of(torch.load(arguments.against, map_location="cpu", weights_only=True)) if arguments.against else {}
    for part, state in found.items():
        model = build(repositories, arguments.family, part.split()[0], state, given)
        model.load_state_dict(state, strict=True)
        line = f"{part}: {len(state)} tensors, loaded strictly"
        if wanted:
            name = arguments.component if part in ENCODERS and arguments.component else part
            other = wanted[name]
            unequal = sorted(set(state) ^ set(other)) + sorted(
                key for key in set(state) & set(other)
                if state[key].dtype != other[key].dtype or not torch.equal(state[key], other[key]))
            failed |= bool(unequal)
            line += f"; differs from {name} in {unequal}" if unequal else f"; equal to {name}"
        print(line)
    sys.exit(failed)


if __name__ == "__main__":
    main()
