#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes the fixtures surprise, components and pictures (.safetensors) beside this script, or into a given folder.

Surprise: the loss of facebookresearch/jepa-intuitive-physics (evaluation_code/evals/intuitive_physics/eval.py) over
windows of random videos, computed with the V-JEPA 2 model of ../conversion/vjepa2 in transformers. Components:
NumPy's singular value decomposition in float64. Pictures: the outputs of IJepaModel and VJEPA2ForVideoClassification
for files in ../media, preprocessed by the processors of transformers. Needs torch 2.13.0, torchvision, transformers
5.23.0, Pillow, numpy and safetensors; two runs write the same bytes.
"""

import pathlib
import shutil
import sys
import tempfile

import numpy
import PIL.Image
import safetensors.numpy
import safetensors.torch
import torch
import torch.nn.functional as F
import transformers

HERE = pathlib.Path(__file__).parent
WINDOW, STRIDE, CONTEXTS = 8, 2, (2, 4, 6)
torch.set_num_threads(1)


def of_transformers(kind, name, weights="expected.safetensors", config="expected-config.json"):
    source = HERE.parent / "conversion" / name
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(source / weights, pathlib.Path(folder) / "model.safetensors")
        shutil.copy(source / config, pathlib.Path(folder) / "config.json")
        return kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


@torch.no_grad()
def surprise(output):
    network = of_transformers(transformers.VJEPA2Model, "vjepa2")
    generator = torch.Generator().manual_seed(300)
    config = network.config
    videos = torch.randn(2, 13, 3, config.crop_size, config.crop_size, generator=generator)
    cells = (config.crop_size // config.patch_size) ** 2
    ids = torch.arange(WINDOW // config.tubelet_size * cells).expand(len(videos), -1)
    windows = []
    for start in range(0, videos.shape[1] - WINDOW + 1, STRIDE):
        window = videos[:, start:start + WINDOW]
        hidden = network.encoder(window).last_hidden_state
        hidden = F.layer_norm(hidden, (hidden.size(-1),))
        losses = []
        for context in CONTEXTS:
            # Hiding the tokens of later frames from the encoder is the same as encoding the first frames only.
            known = network.encoder(window[:, :context]).last_hidden_state
            split = context // config.tubelet_size * cells
            predicted = network.predictor(known, [ids[:, :split]], [ids[:, split:]]).last_hidden_state
            losses.append((predicted - hidden[:, split:]).abs().mean((1, 2)))
        windows.append(torch.stack(losses, 1))
    safetensors.torch.save_file(
        {"pixel_values": videos, "surprise": torch.stack(windows, 1).contiguous()}, output / "surprise.safetensors",
        metadata={"protocol": f"windows of {WINDOW}, every {STRIDE}, contexts {CONTEXTS}"})


@torch.no_grad()
def pictures(output):
    """End-to-end runs on lossless image files, so that both implementations see the same pixels."""
    media = HERE.parent / "media" / "images"
    colours = dict(image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])
    tensors = {}
    model = of_transformers(transformers.IJepaModel, "ijepa")
    processor = transformers.ViTImageProcessor(size={"height": 16, "width": 16}, **colours)
    for name in ("rgb", "palette"):
        image = PIL.Image.open(media / f"{name}.png").convert("RGB")
        tensors[f"ijepa.{name}"] = model(**processor(image, return_tensors="pt")).last_hidden_state
    model = of_transformers(transformers.VJEPA2ForVideoClassification, "vjepa2-probe", "expected-full.safetensors")
    processor = transformers.VJEPA2VideoProcessor(size={"shortest_edge": 18}, crop_size={"height": 16, "width": 16},
                                                  **colours)
    names = ("rgb", "rgba", "rgb-key", "palette")
    frames = [numpy.asarray(PIL.Image.open(media / f"{name}.png").convert("RGB")) for name in names]
    video = processor(numpy.stack(frames), return_tensors="pt")["pixel_values_videos"]
    tensors["vjepa2.probabilities"] = model(video).logits.softmax(-1)
    safetensors.torch.save_file(tensors, output / "pictures.safetensors", metadata={"frames": " ".join(names)})


def components(output):
    generator = numpy.random.default_rng(301)
    tensors = {}
    for name, rows, columns in (("tall", 90, 20), ("wide", 12, 40)):
        tokens = (generator.normal(size=(rows, columns)) * numpy.linspace(4, 0.2, columns) + 1).astype(numpy.float32)
        centred = tokens.astype(numpy.float64) - tokens.astype(numpy.float64).mean(0)
        left, singular, _ = numpy.linalg.svd(centred, full_matrices=False)
        projections = (left * singular)[:, :3]
        farthest = projections[numpy.abs(projections).argmax(0), numpy.arange(3)]
        tensors[f"{name}.tokens"] = tokens
        tensors[f"{name}.projections"] = numpy.ascontiguousarray((projections * numpy.sign(farthest)).astype(numpy.float32))
        tensors[f"{name}.explained"] = (singular[:3] ** 2 / (singular ** 2).sum()).astype(numpy.float32)
    safetensors.numpy.save_file(tensors, output / "components.safetensors")


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    surprise(folder)
    pictures(folder)
    components(folder)
