#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Compares full-size models with random weights with the reference implementations (PyTorch, float32).

For each case: draws weights, converts them if the lab's layout differs from ours, runs both, and prints the largest
absolute difference of each output. Fails if a difference exceeds 1e-4. Runs one model at a time; the largest needs
11 GB of memory and 6 GB of disk. Needs torch, transformers and safetensors; for the labs' classes, a folder with their
checkouts (see Tests/Vectors/conversion/README.md); for action-conditioned predictors, `swift test`.
    python3 Benchmarks/parity.py [--repositories FOLDER] [--case ijepa] [--threads 2] [--work FOLDER]
"""

import argparse
import gc
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import safetensors.torch
import torch
import torch.nn.functional as F
import transformers

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "Tests/Vectors/conversion"))

from make import vjepa21_state  # noqa: E402
from make_forward import VJEPA21  # noqa: E402
from measure import table, zoo  # noqa: E402
from upstream_code import Repositories  # noqa: E402

TOLERANCE = 1e-4


class Skipped(Exception):
    """A requirement of a case is missing."""


class Case:
    """The work folder and the results."""

    def __init__(self, options, repositories, folder):
        self.options = options
        self.repositories = repositories
        self.folder = pathlib.Path(folder)
        self.release = self.folder / "release"
        self.rows = []

    def labs(self, repository):
        if self.repositories is None or not (self.repositories.folder / repository).is_dir():
            raise Skipped(f"needs --repositories with a checkout of {repository}")
        return self.repositories

    def zoo(self, *words):
        result = subprocess.run([zoo(), *map(str, words)], capture_output=True, text=True)
        if result.returncode:
            raise SystemExit(f"{words[0]} failed: {result.stderr}")
        return result.stdout

    def convert(self, content, *options):
        """Saves a checkpoint in the lab's layout and converts it."""
        torch.save(content, self.folder / "upstream.pt")
        del content
        self.zoo("convert", self.folder / "upstream.pt", "--to", self.release, "--progress", "none", *options)
        (self.folder / "upstream.pt").unlink()

    def write(self, **tensors):
        path = self.folder / "input.safetensors"
        safetensors.torch.save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
        return path

    def embed(self, what, expected, **tensors):
        output = self.folder / "output.safetensors"
        self.zoo("embed", self.release, self.write(**tensors), "--output", output, *self.compute())
        self.compare(what, safetensors.torch.load_file(output)["last_hidden_state"], expected)

    def predict(self, what, expected, *options, **tensors):
        output = self.folder / "output.safetensors"
        self.zoo("predict", self.release, self.write(**tensors), "--output", output, *self.compute(), *options)
        self.compare(what, safetensors.torch.load_file(output)["predicted"], expected)

    def compute(self):
        return "--threads", self.options.threads, "--progress", "none"

    def act(self, what, **tensors):
        """Checks an action-conditioned predictor with a test, because no command outputs its predictions.

        `latents`, `actions`, `predicted`, and `states` and `pixel_values` if the model has them.
        """
        self.write(**tensors)
        environment = os.environ | {"AMI_ZOO_FULL_SIZE": str(self.folder)}
        command = ["swift", "test", "--filter", "FullSizeTests"] + self.options.swift_test
        result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        found = self.folder / "output.safetensors"
        if result.returncode or not found.exists():
            raise SystemExit(f"swift test failed: {result.stdout[-2000:]}{result.stderr[-2000:]}")
        self.compare(what, safetensors.torch.load_file(found)["predicted"], tensors["predicted"])

    def compare(self, what, found, expected):
        if found.shape != expected.shape:
            raise SystemExit(f"{what}: the shape is {tuple(found.shape)}, expected {tuple(expected.shape)}")
        difference = (found.double() - expected.double()).abs().max().item()
        self.rows.append((what, tuple(expected.shape), f"{expected.abs().max().item():.1f}", f"{difference:.1e}",
                          "" if difference <= TOLERANCE else "TOO MUCH"))


def randomise(model, seed=0):
    """Weights of the magnitude of trained ones, with non-trivial biases, norms and mask tokens."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                draw(name, parameter)
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(0, 0.1)
            elif name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
    return model.eval()


def draw(name, tensor):
    if any(part in name for part in ("mask_token", "mod_embed", "cls_token")):
        tensor.normal_(0, 1)
    elif tensor.ndim == 1 and name.endswith("weight"):
        tensor.normal_(1, 0.1)
    else:
        tensor.normal_(0, 0.02)


def masks(batch, tokens, context, targets):
    """Different tokens for each sample; target ids may repeat and may be among the context ids."""
    known = torch.stack([torch.randperm(tokens)[:context].sort().values for _ in range(batch)])
    return known, torch.randint(0, tokens, (batch, targets))


def ijepa(case):
    labs = case.labs("ijepa")
    encoder = randomise(labs.ijepa_encoder(dim=1280, depth=32, heads=16, side=224, patch=14))
    predictor = randomise(labs.ijepa_predictor(tokens=256, dim=1280, hidden=384, depth=12, heads=16))
    case.convert({"target_encoder": encoder.state_dict(), "predictor": predictor.state_dict()})
    pixels = torch.randn(1, 3, 224, 224)
    context, targets = masks(1, 256, 200, 40)
    # The lab's class also adds the positions of all tokens first; masks are lists of ids.
    seen = encoder(pixels, [context])
    case.predict("I-JEPA ViT-H/14, predictor", predictor(seen, [context], [targets]),
                 pixel_values=pixels, context_mask=context, target_mask=targets)
    del encoder, predictor
    model = transformers.IJepaModel.from_pretrained(case.release).eval()
    case.embed("I-JEPA ViT-H/14, transformers", model(pixels).last_hidden_state, pixel_values=pixels)


def vjepa(case):
    labs = case.labs("jepa")
    shape = dict(side=224, patch=16, frames=16, tubelet=2)
    encoder = randomise(labs.vjepa_encoder(dim=1024, depth=24, heads=16, **shape))
    predictor = randomise(labs.vjepa_predictor(dim=1024, hidden=384, depth=12, heads=16, mask_tokens=2, **shape))
    case.convert({"target_encoder": encoder.state_dict(), "predictor": predictor.state_dict()})
    pixels = torch.randn(1, 16, 3, 224, 224)
    case.embed("V-JEPA ViT-L/16", encoder(pixels.transpose(1, 2)), pixel_values=pixels)
    other = torch.randn(1, 8, 3, 160, 256)
    case.embed("V-JEPA ViT-L/16, 8 frames of 160×256", encoder(other.transpose(1, 2)), pixel_values=other)
    context, targets = masks(1, 1568, 1000, 300)
    case.predict("V-JEPA ViT-L/16, predictor",
                 predictor(encoder(pixels.transpose(1, 2), [context]), None, [context], [targets]),
                 pixel_values=pixels, context_mask=context, target_mask=targets)


def vjepa2(case):
    model = randomise(transformers.VJEPA2Model(transformers.VJEPA2Config()))
    model.save_pretrained(case.release)
    pixels = torch.randn(1, 16, 3, 256, 256)
    context, targets = masks(1, 2048, 1200, 400)
    found = model(pixels, context_mask=[context], target_mask=[targets])
    case.embed("V-JEPA 2 ViT-L/16", found.last_hidden_state, pixel_values=pixels)
    case.predict("V-JEPA 2 ViT-L/16, predictor", found.predictor_output.last_hidden_state, "--encode", "clip",
                 pixel_values=pixels, context_mask=context, target_mask=targets)


def vjepa21(case):
    # The checkout may lack the lab's class; use the float64 formulas of the fixtures instead.
    torch.manual_seed(0)
    sizes = dict(dim=768, hidden=384, patch=16)
    encoder = vjepa21_state("encoder", 1, depth=12, mlp=3072, **sizes)
    predictor = vjepa21_state("predictor", 2, depth=12, mlp=1536, levels=1, out=1664, **sizes)
    for state in (encoder, predictor):
        for name, tensor in state.items():
            draw(name, tensor)
    case.convert({"ema_encoder": encoder, "predictor": predictor})
    encoder, predictor = VJEPA21(encoder, 12), VJEPA21(predictor, 12)
    image, video = torch.randn(1, 1, 3, 384, 384), torch.randn(1, 4, 3, 384, 384)
    case.embed("V-JEPA 2.1 ViT-B/16, image (formulas in float64)", encoder.encode(image)[-1], pixel_values=image)
    case.embed("V-JEPA 2.1 ViT-B/16, 4 frames", encoder.encode(video)[-1], pixel_values=video)
    other = torch.randn(1, 4, 3, 128, 512)
    case.embed("V-JEPA 2.1 ViT-B/16, 4 frames of 128×512", encoder.encode(other)[-1], pixel_values=other)
    context, targets = masks(1, 1152, 700, 200)
    case.predict("V-JEPA 2.1 ViT-B/16, predictor",
                 predictor.predict(encoder.encode(video, context)[-1], context, targets, grid=24)[0],
                 pixel_values=video, context_mask=context, target_mask=targets)


def vjepa2_ac(case):
    labs = case.labs("vjepa2")
    shape = dict(side=256, patch=16, frames=64, tubelet=2)
    # The encoder is that of V-JEPA 2, which has its own case; one block is enough.
    encoder = randomise(labs.vjepa2_encoder(dim=1408, depth=1, heads=22, mlp_ratio=48 / 11, **shape))
    predictor = randomise(labs.vjepa2_ac_predictor(dim=1408, hidden=1024, depth=24, heads=16, **shape))
    case.convert({"encoder": encoder.state_dict(), "predictor": predictor.state_dict()}, "--heads", 22)
    latents = F.layer_norm(torch.randn(2, 2 * 256, 1408), (1408,))
    actions, states = torch.randn(2, 2, 7), torch.randn(2, 2, 7)
    predicted = F.layer_norm(predictor(latents, actions, states), (1408,))
    case.act("V-JEPA 2-AC, predictor, two frames, normed", latents=latents.view(2, 2, 256, 1408), actions=actions,
             states=states, predicted=predicted.view(2, 2, 256, 1408))


def lewm(case):
    labs = case.labs("stable-worldmodel")
    source = labs.file("stable-worldmodel", "stable_worldmodel/wm/lewm/module.py")
    whole = labs.file("stable-worldmodel", "stable_worldmodel/wm/lewm/lewm.py")
    config = transformers.ViTConfig(hidden_size=192, num_hidden_layers=12, num_attention_heads=3,
                                    intermediate_size=768, image_size=224, patch_size=14)

    def head():
        return source.MLP(input_dim=192, output_dim=192, hidden_dim=2048, norm_fn=torch.nn.BatchNorm1d)

    model = randomise(whole.LeWM(
        encoder=transformers.ViTModel(config, add_pooling_layer=False, use_mask_token=False),
        predictor=source.Predictor(num_frames=3, input_dim=192, hidden_dim=192, output_dim=192, depth=6, heads=16,
                                   mlp_dim=2048, dim_head=64),
        action_encoder=source.Embedder(input_dim=10, emb_dim=192), projector=head(), pred_proj=head()))
    case.convert(model.state_dict())
    pixels, actions = torch.randn(2, 3, 3, 224, 224), torch.randn(2, 3, 10)
    found = model.encode({"pixels": pixels, "action": actions})
    case.embed("LeWM, encoder and projector", found["emb"].flatten(0, 1)[:, None], pixel_values=pixels.flatten(0, 1))
    case.act("LeWM, predictor, three frames", latents=found["emb"][:, :, None], actions=actions,
             predicted=model.predict(found["emb"], found["act_emb"])[:, :, None])


CASES = {"ijepa": ijepa, "vjepa": vjepa, "vjepa2": vjepa2, "vjepa2.1": vjepa21, "vjepa2-ac": vjepa2_ac, "lewm": lewm}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repositories", help="folder of the labs' checkouts")
    parser.add_argument("--case", action="append", choices=CASES, help="run only this case; can be repeated")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", default=None)
    parser.add_argument("--swift-test", nargs="*", default=[], help="additional arguments of swift test")
    options = parser.parse_args()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, float32; tolerance {TOLERANCE:.0e}")
    repositories = Repositories(options.repositories) if options.repositories else None
    rows = []
    for name in options.case or CASES:
        with tempfile.TemporaryDirectory(dir=options.work) as folder, torch.no_grad():
            case = Case(options, repositories, folder)
            try:
                CASES[name](case)
            except Skipped as reason:
                print(f"{name}: skipped, {reason}")
            rows += case.rows
        gc.collect()
        print(json.dumps(case.rows), file=sys.stderr)
    table(rows, ("what", "shape", "largest", "difference", ""))
    return 0 if all(not row[-1] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
