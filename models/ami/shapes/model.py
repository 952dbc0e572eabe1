# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""I-JEPA (arXiv 2301.08243) with the tensor names of facebookresearch/ijepa, and its release in the names of transformers.

    save(encoder, predictor, folder)  writes config.json, model.safetensors (IJepaModel) and predictor.safetensors
    load(folder)                      reads them
"""

from __future__ import annotations

import json
import os

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

CONFIG = dict(
    model_type="ijepa", architectures=["IJepaModel"], dtype="float32", image_size=32, patch_size=4, num_channels=3,
    hidden_size=64, num_hidden_layers=4, num_attention_heads=2, intermediate_size=256, hidden_act="gelu", qkv_bias=True,
    hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, layer_norm_eps=1e-6, pred_hidden_size=48,
    pred_num_hidden_layers=2, pred_num_attention_heads=2, pred_intermediate_size=192,
)  # fmt: skip


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


def positions(width: int, side: int) -> torch.Tensor:
    """The fixed sin-cos table [1, side * side, width] of I-JEPA: columns in the first half, rows in the second."""
    omega = 10_000.0 ** (-np.arange(width // 4) / (width / 4))
    angles = np.outer(np.arange(side), omega)
    one = np.concatenate([np.sin(angles), np.cos(angles)], 1)
    row, column = np.divmod(np.arange(side * side), side)
    return torch.from_numpy(np.concatenate([one[column], one[row]], 1)).float()[None]


def at(tokens: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """The tokens [batch, n, width] with the ids [batch, k]."""
    return tokens.gather(1, ids[..., None].expand(-1, -1, tokens.shape[-1]))


def start(module: nn.Module) -> None:
    """Draws weights as MAE does (Xavier, also for patches): the std of 0.02 of I-JEPA is too little for a width of 64.

    With it, positions would outweigh the picture in early targets, and the features would collapse.
    """
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(part.weight.view(len(part.weight), -1))
            nn.init.zeros_(part.bias)


class Encoder(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        width, epsilon = c["hidden_size"], c["layer_norm_eps"]
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv2d(c["num_channels"], width, c["patch_size"], c["patch_size"])
        self.pos_embed = nn.Parameter(positions(width, c["image_size"] // c["patch_size"]), requires_grad=False)
        self.blocks = nn.ModuleList(
            Block(width, c["num_attention_heads"], c["intermediate_size"], epsilon) for _ in range(c["num_hidden_layers"])
        )
        self.norm = nn.LayerNorm(width, eps=epsilon)
        start(self)

    def forward(self, pixels: torch.Tensor, visible: torch.Tensor | None = None) -> torch.Tensor:
        """Pixels [batch, 3, side, side] to tokens [batch, n, width], only those with the ids `visible` [batch, k]."""
        x = self.patch_embed.proj(pixels).flatten(2).transpose(1, 2) + self.pos_embed
        if visible is not None:
            x = at(x, visible)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class Predictor(nn.Module):
    def __init__(self, c: dict):
        super().__init__()
        outer, width, epsilon = c["hidden_size"], c["pred_hidden_size"], c["layer_norm_eps"]
        self.predictor_embed = nn.Linear(outer, width)
        self.mask_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.predictor_pos_embed = nn.Parameter(positions(width, c["image_size"] // c["patch_size"]), requires_grad=False)
        self.predictor_blocks = nn.ModuleList(
            Block(width, c["pred_num_attention_heads"], c["pred_intermediate_size"], epsilon)
            for _ in range(c["pred_num_hidden_layers"])
        )
        self.predictor_norm = nn.LayerNorm(width, eps=epsilon)
        self.predictor_proj = nn.Linear(width, outer)
        start(self)

    def forward(self, context: torch.Tensor, seen: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Features [batch, k, width] of the tokens `seen` [batch, k] to features of the tokens `targets` [batch, m]."""
        table = self.predictor_pos_embed[0]
        x = torch.cat([self.predictor_embed(context) + table[seen], self.mask_token + table[targets]], 1)
        for block in self.predictor_blocks:
            x = block(x)
        return self.predictor_proj(self.predictor_norm(x)[:, seen.shape[1] :])


def names(layers: int) -> dict[str, list[str]]:
    """The names of transformers for those of the encoder; attention has one name for each of query, key and value."""
    pairs = {"pos_embed": ["embeddings.position_embeddings"]}
    modules = {"patch_embed.proj": ["embeddings.patch_embeddings.projection"], "norm": ["layernorm"]}
    for i in range(layers):
        old, new = f"blocks.{i}", f"encoder.layer.{i}"
        modules |= {
            f"{old}.norm1": [f"{new}.layernorm_before"], f"{old}.norm2": [f"{new}.layernorm_after"],
            f"{old}.attn.qkv": [f"{new}.attention.attention.{part}" for part in ("query", "key", "value")],
            f"{old}.attn.proj": [f"{new}.attention.output.dense"],
            f"{old}.mlp.fc1": [f"{new}.intermediate.dense"], f"{old}.mlp.fc2": [f"{new}.output.dense"],
        }  # fmt: skip
    return pairs | {f"{old}.{part}": [f"{n}.{part}" for n in new] for old, new in modules.items() for part in ("weight", "bias")}


def save(encoder: Encoder, predictor: Predictor, config: dict, folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file, indent=2)
        file.write("\n")
    state, out = encoder.state_dict(), {}
    for old, new in names(config["num_hidden_layers"]).items():
        for name, part in zip(new, state.pop(old).chunk(len(new))):
            out[name] = part.clone()
    assert not state, state.keys()
    save_file(out, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    inner = {name: part.clone() for name, part in predictor.state_dict().items()}
    save_file(inner, os.path.join(folder, "predictor.safetensors"), metadata={"format": "pt"})


def load(folder: str) -> tuple[Encoder, Predictor]:
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    encoder, predictor = Encoder(config), Predictor(config)
    state = load_file(os.path.join(folder, "model.safetensors"))
    mapping = names(config["num_hidden_layers"])
    encoder.load_state_dict({old: torch.cat([state[n] for n in new]) for old, new in mapping.items()}, strict=True)
    predictor.load_state_dict(load_file(os.path.join(folder, "predictor.safetensors")), strict=True)
    return encoder.eval(), predictor.eval()
