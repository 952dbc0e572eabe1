# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""The reference implementation of the family `series-jepa`: a JEPA over windows of a multichannel time series.

A window [steps, channels] is standardised channel by channel and cut along time into tokens of `patch_steps` steps,
embedded by a convolution whose stride equals its kernel size. The encoder is a pre-norm transformer with learned
positions. The predictor gets the features of visible tokens and one mask token for each target, adds learned positions
to both, and returns features of the targets in the encoder's width, as in I-JEPA (arXiv 2301.08243) and V-JEPA
(arXiv 2404.08471). It was trained to predict encoder features that are layer-normalised without weights.

    config.json, model.safetensors = SeriesJEPA(config).save(folder);  SeriesJEPA.load(folder)
"""

from __future__ import annotations

import json
import os

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn


class Attention(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b, n, d = x.shape
        q, k, v = self.qkv(x).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d))


class MLP(nn.Module):
    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width: int, heads: int, hidden: int, epsilon: float):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=epsilon)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=epsilon)
        self.mlp = MLP(width, hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Encoder(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        width, epsilon = c["hidden_size"], c["layer_norm_eps"]
        self.register_buffer("mean", torch.tensor(c["channel_mean"], dtype=torch.float32), persistent=False)
        self.register_buffer("std", torch.tensor(c["channel_std"], dtype=torch.float32), persistent=False)
        self.patch_embed = nn.Conv1d(len(c["channel_mean"]), width, c["patch_steps"], c["patch_steps"])
        self.pos_embed = nn.Parameter(torch.zeros(1, c["window_steps"] // c["patch_steps"], width))
        hidden = int(width * c["mlp_ratio"])
        self.blocks = nn.ModuleList(
            Block(width, c["num_attention_heads"], hidden, epsilon) for _ in range(c["num_hidden_layers"])
        )
        self.norm = nn.LayerNorm(width, eps=epsilon)

    def forward(self, values: torch.Tensor, visible: torch.Tensor | None = None) -> torch.Tensor:
        """[batch, steps, channels] in the units of the channels to [batch, tokens, width]; `visible` [batch, tokens]
        names the tokens that are seen; the others have no influence."""
        x = (values - self.mean) / self.std
        x = self.patch_embed(x.transpose(1, 2)).transpose(1, 2) + self.pos_embed
        if visible is not None:
            x = x.gather(1, visible[..., None].expand(-1, -1, x.shape[-1]))
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class Predictor(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        outer, width, epsilon = c["hidden_size"], c["pred_hidden_size"], c["layer_norm_eps"]
        self.predictor_embed = nn.Linear(outer, width)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, width))
        self.predictor_pos_embed = nn.Parameter(torch.zeros(1, c["window_steps"] // c["patch_steps"], width))
        hidden = int(width * c["pred_mlp_ratio"])
        self.predictor_blocks = nn.ModuleList(
            Block(width, c["pred_num_attention_heads"], hidden, epsilon) for _ in range(c["pred_num_hidden_layers"])
        )
        self.predictor_norm = nn.LayerNorm(width, eps=epsilon)
        self.predictor_proj = nn.Linear(width, outer)

    def forward(self, context: torch.Tensor, seen: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Features [batch, tokens, width] of the tokens `seen` to predicted features of the tokens `targets`."""
        table = self.predictor_pos_embed[0]
        known = self.predictor_embed(context) + table[seen]
        x = torch.cat([known, self.mask_token + table[targets]], 1)
        for block in self.predictor_blocks:
            x = block(x)
        return self.predictor_proj(self.predictor_norm(x)[:, seen.shape[1] :])


class SeriesJEPA(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.predictor = Predictor(config)
        for name, part in self.named_parameters():
            if part.ndim > 1:
                nn.init.trunc_normal_(part, std=0.02)

    def save(self, folder: str) -> None:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "config.json"), "w") as file:
            json.dump(self.config, file, indent=2)
            file.write("\n")
        state = {name: value.detach().clone().contiguous() for name, value in self.state_dict().items()}
        save_file(state, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})

    @staticmethod
    def load(folder: str) -> SeriesJEPA:
        with open(os.path.join(folder, "config.json")) as file:
            model = SeriesJEPA(json.load(file))
        model.load_state_dict(load_file(os.path.join(folder, "model.safetensors")), strict=True)
        return model.eval()


def targets_of(features: torch.Tensor) -> torch.Tensor:
    """What predictions are compared with: features of each token, layer-normalised without weights."""
    return F.layer_norm(features, features.shape[-1:])


@torch.no_grad()
def errors(model: SeriesJEPA, values: torch.Tensor, block: int) -> torch.Tensor:
    """The squared prediction error of every token [batch, tokens], averaged over elements: each block of `block` tokens
    is hidden in turn and predicted from all other tokens."""
    goal = targets_of(model.encoder(values))
    ids = torch.arange(goal.shape[1])
    parts = []
    for hidden in ids.split(block):
        seen = torch.tensor([i for i in ids.tolist() if i not in hidden.tolist()]).expand(len(values), -1)
        wanted = hidden.expand(len(values), -1)
        found = model.predictor(model.encoder(values, seen), seen, wanted)
        parts.append(((found - goal[:, hidden]) ** 2).mean(-1))
    return torch.cat(parts, 1)
