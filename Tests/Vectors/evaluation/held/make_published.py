#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes small encoders and attentive probes as Meta publishes them, and what Meta's own evaluation makes of the clips.

    python make_published.py --repositories DIR    # torch 2.15.0, numpy 2.4.6, PyAV 18.1.0, OpenCV 5.0.0; seed 23; run it after make.py

`DIR` has checkouts of facebookresearch/jepa (51c59d518fc63c08464af6de585f78ac0c7ed4d5) and facebookresearch/vjepa2
(c2963a47433ecca0ad4f06ec28bcfa8cb5b5cefb), whose classes are imported and are no part of this project: encoders, `ClipAggregation`
and `AttentiveClassifier`, in float32. A file of a probe has the training dictionary of `evals/video_classification_frozen/eval.py`.

| probe | encoder | what it is |
|---|---|---|
| `k400-probe.pth.tar` | `vjepa.pth.tar` | V-JEPA: one block; 2 clips of 4 frames, 2 apart, 3 views |
| `ssv2-vitl-16x2x3.pt` | `vjepa2.pt` | V-JEPA 2: four blocks over the tokens of the last block of the encoder |
| `diving48-vitl-256.pt` | `vjepa2.pt` | V-JEPA 2: four blocks over the tokens of two blocks of the encoder, each after the final norm |

A file of V-JEPA 2 holds two probes, of which the first is taken. The clips are those of something/; a list for each probe gives each the class
that has the rank of `RANKS` among its probabilities.
"""

import argparse
import json
import os
import pathlib
import shutil
import sys

import torch

HERE = pathlib.Path(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "conversion")]
from make import FRAMES, RANKS, SIDE, decoded, meta_clips, meta_views  # noqa: E402
from upstream_code import Repositories  # noqa: E402

SEED, WIDTH, CLASSES = 23, 24, 8
LEVELS = [0, 2]
ENCODER = dict(dim=WIDTH, depth=3, heads=2, side=SIDE, patch=16, frames=FRAMES, tubelet=2)


def drawn(module, seed):
    """Random weights of a size at which every part of the network matters."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in module.named_parameters():
            if not value.requires_grad:
                continue
            noise = torch.randn(value.shape, generator=generator)
            if "norm" in name:
                value.copy_((0 if name.endswith("bias") else 1) + 0.1 * noise)
            elif "query_tokens" in name:
                value.copy_(noise)
            else:
                value.copy_(noise * (0.4 if "linear" in name else 0.15))
    return module


def wrapped(module):
    return {f"module.{name}": value for name, value in module.state_dict().items()}


def training(probes):
    """The dictionary that `save_checkpoint` writes."""
    return {"opt": [], "scaler": None, "epoch": 20, "batch_size": 4, "world_size": 64} | probes


def clips_of(name):
    """Nested as the data loader nests them: clips, then views, of [1, 3, frames, side, side]."""
    frames = decoded(name)
    return [[view.permute(1, 0, 2, 3)[None] for view in meta_views(frames[index])] for index in meta_clips(len(frames))]


def probabilities(encoder, probe, names):
    """[clips, classes]: the softmax of each view, averaged, as `run_one_epoch`."""
    found = []
    with torch.no_grad():
        for name in names:
            logits = [probe(view) for view in encoder(clips_of(name))]
            found.append((sum(row.softmax(1) for row in logits) / len(logits))[0])
    return torch.stack(found)


def centred(encoder, probe, names):
    """Takes from the logits what all clips have in common, so that they differ in their classes."""
    with torch.no_grad():
        logits = torch.cat([probe(view) for name in names for view in encoder(clips_of(name))])
        probe.linear.bias -= logits.mean(0)
        scale = 1.5 / logits.std(0).mean()
        probe.linear.weight *= scale
        probe.linear.bias *= scale
    return probe


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repositories", required=True)
    repositories = Repositories(parser.parse_args().repositories)
    torch.set_num_threads(1)
    folder = HERE / "published"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    names = [path.stem for path in sorted((HERE / "something" / "videos").glob("*.webm"))]
    expected = {}

    def write(file, encoder, probe, saved):
        torch.save(training(saved), folder / file)
        found = probabilities(encoder, probe, names)
        labels = [int(row.argsort(descending=True)[rank - 1]) for row, rank in zip(found, RANKS)]
        list_name = f"{file.split('.')[0]}.csv"
        (folder / list_name).write_text("".join(f"{name}.webm {label}\n" for name, label in zip(names, labels)))
        expected[file] = {"list": list_name, "probabilities": found.flatten().tolist(), "labels": labels,
                          "top1": sum(rank <= 1 for rank in RANKS) / len(RANKS),
                          "top5": sum(rank <= 5 for rank in RANKS) / len(RANKS)}

    # V-JEPA.
    encoder = drawn(repositories.vjepa_encoder(**ENCODER), SEED)
    torch.save({"target_encoder": wrapped(encoder), "epoch": 90}, folder / "vjepa.pth.tar")
    aggregation = repositories.module("jepa", "evals.video_classification_frozen.utils").ClipAggregation(
        encoder, tubelet_size=2, attend_across_segments=True).eval()
    probe = centred(aggregation, drawn(repositories.vjepa_probe(dim=WIDTH, depth=1, heads=2, classes=CLASSES), SEED + 2), names)
    write("k400-probe.pth.tar", aggregation, probe, {"classifier": wrapped(probe), "lr": 0.001})

    # V-JEPA 2.
    def encoder2(levels=None):
        built = repositories.vjepa2_encoder(**ENCODER)
        built.out_layers = levels
        return drawn(built, SEED + 3)

    predictor = drawn(repositories.vjepa2_predictor(dim=WIDTH, hidden=12, depth=1, heads=1, side=SIDE, patch=16, frames=FRAMES,
                                                    tubelet=2, mask_tokens=2), SEED + 8)
    torch.save({key: {f"module.backbone.{name}": value for name, value in module.state_dict().items()}
                for key, module in (("target_encoder", encoder2()), ("predictor", predictor))} | {"epoch": 1},
               folder / "vjepa2.pt")
    for file, levels, module, seed in (("ssv2-vitl-16x2x3.pt", None, "vit_encoder_multiclip", SEED + 4),
                                       ("diving48-vitl-256.pt", LEVELS, "vit_encoder_multiclip_multilevel", SEED + 6)):
        aggregation = repositories.module("vjepa2", f"evals.video_classification_frozen.modelcustom.{module}").ClipAggregation(
            encoder2(levels), tubelet_size=2).eval()
        first, second = (drawn(repositories.vjepa2_probe(dim=WIDTH, depth=4, heads=2, classes=CLASSES), seed + index)
                         for index in (0, 1))
        first = centred(aggregation, first, names)
        write(file, aggregation, first, {"classifiers": [wrapped(first), wrapped(second)]})

    with open(folder / "expected.json", "w") as file:
        json.dump(expected, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
