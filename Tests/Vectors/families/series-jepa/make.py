#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes a tiny series JEPA with random weights and its outputs in PyTorch.

    python make.py                  # torch 2.13.0, numpy, safetensors 0.8.0; seed 0, one thread

config.json and model.safetensors as models/ami/turbofan/model.py saves them, and expected.safetensors.
"""

import os
import sys

import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../../../models/ami/turbofan"))
import model as reference  # noqa: E402

CONFIG = dict(
    model_type="series_jepa", window_steps=24, patch_steps=3, channel_names=["a", "b", "c", "d", "e"],
    channel_mean=[0.0, -1.5, 1000.0, 0.02, 7.0], channel_std=[1.0, 0.5, 120.0, 0.003, 9.0], hidden_size=24,
    num_attention_heads=3, num_hidden_layers=2, mlp_ratio=3.0, pred_hidden_size=16, pred_num_attention_heads=2,
    pred_num_hidden_layers=3, pred_mlp_ratio=2.5, layer_norm_eps=1e-6,
)


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = reference.SeriesJEPA(CONFIG)
    with torch.no_grad():
        # Zero biases, unit weights of norms and zero positions would hide errors.
        for name, parameter in model.named_parameters():
            is_norm = "norm" in name and name.endswith("weight")
            parameter.normal_(1 if is_norm else 0, 1 if name.endswith(("mask_token", "pos_embed")) else 0.2)
    model.save(HERE)
    model = reference.SeriesJEPA.load(HERE)
    mean, std = torch.tensor(CONFIG["channel_mean"]), torch.tensor(CONFIG["channel_std"])
    values = mean + std * torch.randn(2, 24, 5)
    order = torch.stack([torch.randperm(8) for _ in range(2)])
    seen, targets = order[:, :4].contiguous(), order[:, 4:7].contiguous()
    with torch.no_grad():
        hidden = model.encoder(values)
        context = model.encoder(values, seen)
        expected = {
            "values": values, "last_hidden_state": hidden, "context_ids": seen, "target_ids": targets,
            "context_hidden_state": context, "predicted": model.predictor(context, seen, targets),
            "targets": reference.targets_of(hidden), "errors": reference.errors(model, values, 2),
            "errors_3": reference.errors(model, values, 3),
        }
    save_file(expected, os.path.join(HERE, "expected.safetensors"), metadata={"torch": torch.__version__})


if __name__ == "__main__":
    main()
