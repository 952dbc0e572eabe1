#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes tiny JEPA-WM and DINO-WM predictors with random weights, and their rollouts by upstream's code.

One folder per model: config.json and model.safetensors in the layout of `ami-zoo convert`, and unroll.safetensors with
the output of `EncPredWM.unroll` of facebookresearch/jepa-wms for one frame and three actions, in windows of two frames.

    make.py --repositories DIR      writes the folders beside this script (torch 2.13.0, seed 0, one thread)

DIR and the commit are those of Tests/Vectors/conversion/README.md. Upstream's imports for videos and plots are replaced
by stubs; none of that code runs.
"""

import argparse
import importlib.abc
import importlib.machinery
import importlib.util
import json
import pathlib
import re
import sys
import types

import safetensors.torch
import torch

FOLDER = pathlib.Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent.parent / "conversion"))
from upstream_code import Repositories  # noqa: E402

torch.set_num_threads(1)

SIDE, FRAMES, STEPS, WINDOW, ACTIONS, MEASURED, VISUAL = 3, 4, 3, 2, 10, 4, 20


class AnyName(type):
    """A class that has every attribute."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing


class Nothing(metaclass=AnyName):
    def __init__(self, *arguments, **named):
        pass


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Replaces missing modules by stubs, in which every name is a class that does nothing, or a given class."""

    NAMES = ("decord", "h5py", "lpips", "matplotlib", "omegaconf", "pandas", "ruamel", "tensordict", "torchvision", "tqdm", "wandb",
             "yaml")
    CLASSES = {"TensorDict": type("TensorDict", (dict,), {})}

    def find_spec(self, name, path=None, target=None):
        root = name.split(".")[0]
        if root in self.NAMES:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__path__ = []
        module.__getattr__ = lambda name: self.CLASSES.get(name, Nothing)
        return module

    def exec_module(self, module):
        pass


def randomise(*models):
    """Draws every parameter, because zero biases and unit weights of norms would hide errors."""
    with torch.no_grad():
        for model in models:
            for name, parameter in model.named_parameters():
                if "norm" in name and name.endswith("weight") or name.endswith("net.0.weight"):
                    parameter.normal_(1, 0.1)
                elif name == "pos_embedding":
                    parameter.normal_(0, 1)
                else:
                    parameter.normal_(0, 0.1)


def jepa_wm(labs, proprio):
    # As in the releases, the predictor embeds actions, and proprioception is embedded outside it.
    hidden, depth, heads = 24 - proprio, 2, 2
    predictor = labs.module("jepa-wms", "app.plan_common.models.AdaLN_vit").vit_predictor_AdaLN(
        img_size=4 * SIDE, patch_size=4, num_frames=FRAMES, tubelet_size=1, embed_dim=VISUAL,
        predictor_embed_dim=hidden, depth=depth, num_heads=heads, local_window=(3, -1, -1), use_rope=True,
        action_dim=ACTIONS, proprio_dim=MEASURED, use_proprio=proprio > 0, proprio_encoding="feature",
        proprio_emb_dim=proprio, action_encoder_inpred=True, proprio_encoder_inpred=False).eval()
    config = {"model_type": "jepa_wm", "embed_dim": VISUAL, "pred_hidden_size": hidden,
              "pred_total_size": hidden + proprio, "proprio_emb_dim": proprio, "pred_num_hidden_layers": depth,
              "pred_num_attention_heads": heads, "pred_mlp_ratio": 4.0, "layer_norm_eps": 1e-6, "grid_size": SIDE,
              "num_frames": FRAMES, "action_dim": ACTIONS}
    return predictor, None, config, {"pred_type": "AdaLN", "action_encoder_inpred": True}


def dino_wm(labs, proprio):
    action, depth, heads, head, mlp = 4, 2, 2, 10, 40
    width = VISUAL + proprio + action
    predictor = labs.dino_wm_predictor(tokens=SIDE ** 2, frames=FRAMES, dim=width, depth=depth, heads=heads,
                                       head_dim=head, mlp=mlp)
    config = {"model_type": "dino_wm", "pred_total_size": width, "pred_num_hidden_layers": depth,
              "pred_num_attention_heads": heads, "pred_head_dim": head, "pred_intermediate_size": mlp,
              "num_tokens": FRAMES * SIDE ** 2, "layer_norm_eps": 1e-5, "grid_size": SIDE, "action_dim": ACTIONS,
              "action_emb_dim": action, "proprio_emb_dim": proprio}
    encoder = labs.jepa_wm_embedding(inputs=ACTIONS, width=action)
    return predictor, encoder, config, {"pred_type": "dino_wm", "action_conditioning": "feature"}


def write(labs, name, build, proprio):
    predictor, action_encoder, config, options = build(labs, proprio)
    proprio_encoder = labs.jepa_wm_embedding(inputs=MEASURED, width=proprio) if proprio else None
    parts = {"predictor": predictor, "action_encoder": action_encoder, "proprio_encoder": proprio_encoder}
    parts = {key: part for key, part in parts.items() if part is not None}
    randomise(*parts.values())
    if proprio:
        config["proprio_dim"] = MEASURED
    planner = labs.module("jepa-wms", "app.vjepa_wm.modelcustom.simu_env_planning.vit_enc_preds")
    world = labs.module("jepa-wms", "app.vjepa_wm.video_wm").VideoWM(
        encoder=None, predictor=predictor, action_encoder=action_encoder, proprio_encoder=proprio_encoder,
        enc_type="dino", grid_size=SIDE, tubelet_size_enc=1, action_dim=ACTIONS, proprio_dim=MEASURED,
        use_proprio=proprio > 0, proprio_encoding="feature", batchify_video=True, **options).eval()
    model = planner.EncPredWM(world, action_dim=ACTIONS, preprocessor=None, ctxt_window=WINDOW)

    visual = torch.randn(2, 1, 1, SIDE, SIDE, VISUAL)
    actions = torch.randn(STEPS, 2, ACTIONS)
    tensors = {"visual": visual.flatten(2, 4), "actions": actions.transpose(0, 1)}
    if proprio:
        measured = torch.randn(2, 1, MEASURED)
        context = StandIns.CLASSES["TensorDict"](visual=visual, proprio=world.encode_proprio(measured))
        found = model.unroll(context, act_suffix=actions)
        tensors |= {"measured": measured, "unrolled_proprio": found["proprio"].transpose(0, 1)}
    else:
        found = {"visual": model.unroll(visual, act_suffix=actions)}
    tensors["unrolled"] = found["visual"].transpose(0, 1).flatten(2, 4)
    assert tensors["unrolled"].shape == (2, STEPS + 1, SIDE ** 2, VISUAL)

    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    weights = {f"{key}.{tensor}": value for key, part in parts.items() for tensor, value in part.state_dict().items()
               if not re.fullmatch(r"transformer\.layers\.\d+\.0\.bias", tensor)}
    for file, content in (("model", weights), ("unroll", tensors)):
        data = safetensors.torch.save({key: value.contiguous() for key, value in content.items()}, {"format": "pt"})
        assert len(data) < 100_000, len(data)
        (folder / f"{file}.safetensors").write_bytes(data)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repositories", required=True, help="folder of the labs' checkouts")
    labs = Repositories(parser.parse_args().repositories)
    StandIns.NAMES = tuple(name for name in StandIns.NAMES if importlib.util.find_spec(name) is None)
    sys.meta_path.append(StandIns())
    torch.manual_seed(0)
    with torch.no_grad():
        for name, build, proprio in (("jepa-wm", jepa_wm, 8), ("jepa-wm-visual", jepa_wm, 0),
                                     ("dino-wm", dino_wm, 4), ("dino-wm-visual", dino_wm, 0)):
            write(labs, name, build, proprio)


if __name__ == "__main__":
    main()
