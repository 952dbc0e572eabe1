# SPDX-License-Identifier: Apache-2.0
"""Trains ball-drop: a small V-JEPA 2 on procedurally generated clips, on a CPU.

The modules compute the same function as `transformers.VJEPA2Model`, optimised for speed: one
fused q/k/v product, precomputed rotary tables, and an encoder that runs on the context tokens
only. `export` writes the weights under the names of `VJEPA2Model`.

    python train.py --run runs/a                # starts, or resumes from runs/a/last.pt
    python train.py --run runs/a --export release

The defaults are the recipe of the release. On a machine with other load, set
GOMP_SPINCOUNT=0 to avoid busy waiting between threads.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import time

import numpy as np
import torch
import torch._dynamo
import torch.nn.functional as F
from torch import nn

import generator

GRID, TUBELET, PATCH = 4, 2, 8
DEPTH = generator.FRAMES // TUBELET
TOKENS = DEPTH * GRID * GRID
CONFIG = dict(
    patch_size=PATCH,
    crop_size=generator.SIDE,
    frames_per_clip=generator.FRAMES,
    tubelet_size=TUBELET,
    hidden_size=128,
    num_attention_heads=4,
    num_hidden_layers=4,
    mlp_ratio=4.0,
    pred_hidden_size=96,
    pred_num_attention_heads=4,
    pred_num_hidden_layers=4,
    pred_mlp_ratio=4.0,
    pred_num_mask_tokens=2,
    pred_zero_init_mask_tokens=True,
)
# Context lengths in tubelets of the future-prediction masks, and how often each is drawn.
CONTEXTS = (2, 3, 4, 5, 6, 7)
CONTEXT_WEIGHTS = (0.14, 0.16, 0.36, 0.14, 0.11, 0.09)


def rotary_tables(head_dim: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns cos and sin [TOKENS, head_dim] of V-JEPA 2's tiled rotary embedding (1 and 0 in the tail)."""
    ids = torch.arange(TOKENS)
    part = 2 * ((head_dim // 3) // 2)
    omega = 1.0 / 10000 ** (torch.arange(part // 2, dtype=torch.float32) / (part / 2.0))
    angles = [p[:, None] * omega for p in (ids // GRID**2, ids % GRID**2 // GRID, ids % GRID)]
    cos = torch.ones(TOKENS, head_dim)
    sin = torch.zeros(TOKENS, head_dim)
    for i, angle in enumerate(angles):
        cos[:, i * part : (i + 1) * part] = angle.cos().repeat(1, 2)
        sin[:, i * part : (i + 1) * part] = angle.sin().repeat(1, 2)
    return cos, sin


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    even, odd = x.unflatten(-1, (-1, 2)).unbind(-1)
    return x * cos + torch.stack((-odd, even), -1).flatten(-2) * sin


class Layer(nn.Module):
    def __init__(self, width: int, heads: int, ratio: float):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.fc1 = nn.Linear(width, int(width * ratio))
        self.fc2 = nn.Linear(int(width * ratio), width)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        b, n, d = x.shape
        qkv = self.qkv(self.norm1(x)).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        y = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v)
        x = x + self.proj(y.transpose(1, 2).reshape(b, n, d))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Stack(nn.Module):
    """Layers and a final norm; positions are rows of the rotary tables."""

    def __init__(self, width: int, heads: int, depth: int, ratio: float):
        super().__init__()
        self.layer = nn.ModuleList(Layer(width, heads, ratio) for _ in range(depth))
        self.layernorm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        for layer in self.layer:
            x = layer(x, cos, sin)
        return self.layernorm(x)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        c = CONFIG
        self.patch = nn.Linear(3 * TUBELET * PATCH * PATCH, c["hidden_size"])
        self.stack = Stack(c["hidden_size"], c["num_attention_heads"], c["num_hidden_layers"], c["mlp_ratio"])

    def forward(self, patches: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        return self.stack(self.patch(patches), cos, sin)


class Predictor(nn.Module):
    def __init__(self):
        super().__init__()
        c = CONFIG
        width = c["pred_hidden_size"]
        self.embed = nn.Linear(c["hidden_size"], width)
        # `transformers` uses only row 1, its default mask index.
        self.mask_token = nn.Parameter(torch.zeros(1, 1, width))
        self.stack = Stack(width, c["pred_num_attention_heads"], c["pred_num_hidden_layers"], c["pred_mlp_ratio"])
        self.proj = nn.Linear(width, c["hidden_size"])

    def forward(self, context: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        """The tables contain the positions of the context tokens, then those of the targets."""
        b, n, _ = context.shape
        queries = self.mask_token.expand(b, cos.shape[0] - n, -1)
        x = self.stack(torch.cat([self.embed(context), queries], 1), cos, sin)
        return self.proj(x[:, n:])


def initialise(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.trunc_normal_(part.weight, std=0.02)
            nn.init.zeros_(part.bias)
    for part in module.modules():
        if isinstance(part, Stack):  # residual branches shrink with depth, as in the published code
            for i, layer in enumerate(part.layer, 1):
                layer.proj.weight.data.div_(math.sqrt(2.0 * i))
                layer.fc2.weight.data.div_(math.sqrt(2.0 * i))


def patchify(pixels: torch.Tensor) -> torch.Tensor:
    """Reshapes [B,T,C,H,W] to [B,TOKENS,C*tubelet*patch*patch] in the order of the weight of a 3-D convolution."""
    b = pixels.shape[0]
    x = pixels.view(b, -1, TUBELET, 3, GRID, PATCH, GRID, PATCH)
    return x.permute(0, 1, 4, 6, 3, 2, 5, 7).reshape(b, -1, 3 * TUBELET * PATCH * PATCH)


class Normaliser(nn.Module):
    """Layer norm without weights, then centring and scaling for each position and channel.

    The centre and the scale are running averages over training batches.
    """

    def __init__(self, keep: float = 0.98):
        super().__init__()
        self.keep = keep
        self.register_buffer("mean", torch.zeros(TOKENS, CONFIG["hidden_size"]))
        self.register_buffer("variance", torch.ones(TOKENS, CONFIG["hidden_size"]))
        self.register_buffer("weight", torch.zeros(()))

    @torch.no_grad()
    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        h = F.layer_norm(hidden, hidden.shape[-1:])
        # A plain average over the first batches, then an exponential one.
        self.weight.add_(1.0)
        step = torch.clamp(1.0 / self.weight, min=1 - self.keep)
        centred = h - self.mean
        self.mean.lerp_(h.mean(0), step)
        self.variance.lerp_((centred * (h - self.mean)).mean(0), step)
        return (h - self.mean) * (self.variance.clamp_min(0) + 1e-4).rsqrt()


class Pool:
    """Training clips, stored as scenes and trajectories and rendered on demand."""

    def __init__(self, seed: int, count: int):
        worlds, tracks = [], []
        for block in range(math.ceil(count / generator.BLOCK)):
            _, world = generator._block(seed, block)
            states, _ = generator.simulate(world, world.start, generator.FRAMES)
            tracks.append(torch.from_numpy(states[:, :, :2].astype(np.float32)))
            worlds.append(world)
        join = lambda name: torch.from_numpy(np.concatenate([getattr(w, name) for w in worlds]).astype(np.float32))
        self.tracks = torch.cat(tracks)
        self.radius, self.colour = join("radius"), join("colour")
        background = np.concatenate([np.rint(w.background * 255).astype(np.uint8) for w in worlds])
        self.background = torch.from_numpy(background)
        self.count = len(self.tracks)

    def __call__(self, index: torch.Tensor) -> torch.Tensor:
        return draw(self.tracks[index], self.radius[index], self.colour[index], self.background[index])


def draw(tracks: torch.Tensor, radius: torch.Tensor, colour: torch.Tensor, background: torch.Tensor) -> torch.Tensor:
    """Renders clips with the generator and patchifies them."""
    centre = torch.arange(generator.SIDE, dtype=torch.float32) + 0.5
    dx2 = (centre - tracks[:, :, :1]) ** 2
    dy2 = (centre - tracks[:, :, 1:]) ** 2
    distance = (dy2[:, :, :, None] + dx2[:, :, None, :]).sqrt()
    cover = (radius[:, None, None, None] + 0.5 - distance).clamp(0, 1)[:, :, None]
    scene = (background.float() / 255)[:, None]
    out = scene + cover * (colour[:, None, :, None, None] - scene)
    out = ((out * 255).round() / 255 - 0.5) * 4.0
    return patchify(out)


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised (Newton-Schulz), for the hidden matrices, batched by shape."""

    def __init__(self, params, lr: float, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes: dict[tuple, list] = {}
            for p in group["params"]:
                state = self.state[p]
                if "m" not in state:
                    state["m"] = torch.zeros_like(p)
                state["m"].lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(state["m"], group["momentum"])
                wide = update if p.shape[0] <= p.shape[1] else update.T
                # A fused q/k/v matrix is three matrices.
                if p.shape[0] == 3 * p.shape[1]:
                    for part in range(3):
                        rows = slice(part * p.shape[1], (part + 1) * p.shape[1])
                        shapes.setdefault((p.shape[1],) * 2, []).append((p[rows], update[rows], False))
                else:
                    shapes.setdefault(tuple(wide.shape), []).append((p, wide, p.shape[0] > p.shape[1]))
            for (rows, columns), items in shapes.items():
                x = torch.stack([u for _, u, _ in items])
                x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
                for _ in range(5):
                    a = x @ x.mT
                    x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
                scale = 0.2 * math.sqrt(max(rows, columns))
                for (p, _, flip), u in zip(items, x):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(u.T if flip else u, alpha=-group["lr"] * scale)


def to_transformers(encoder: Encoder, predictor: Predictor) -> dict[str, torch.Tensor]:
    """Returns the state dict of `VJEPA2Model`."""
    out: dict[str, torch.Tensor] = {}

    def stack(prefix: str, module: Stack) -> None:
        for i, layer in enumerate(module.layer):
            for part in ("weight", "bias"):
                get = lambda name: getattr(getattr(layer, name), part)
                q, k, v = get("qkv").chunk(3)
                at = f"{prefix}.layer.{i}"
                names = {"attention.query": q, "attention.key": k, "attention.value": v}
                names |= {"attention.proj": get("proj"), "norm1": get("norm1"), "norm2": get("norm2")}
                names |= {"mlp.fc1": get("fc1"), "mlp.fc2": get("fc2")}
                out.update({f"{at}.{name}.{part}": value for name, value in names.items()})
        out[f"{prefix}.layernorm.weight"] = module.layernorm.weight
        out[f"{prefix}.layernorm.bias"] = module.layernorm.bias

    width = CONFIG["hidden_size"]
    proj = "encoder.embeddings.patch_embeddings.proj"
    out[f"{proj}.weight"] = encoder.patch.weight.view(width, 3, TUBELET, PATCH, PATCH)
    out[f"{proj}.bias"] = encoder.patch.bias
    stack("encoder", encoder.stack)
    out["predictor.embeddings.predictor_embeddings.weight"] = predictor.embed.weight
    out["predictor.embeddings.predictor_embeddings.bias"] = predictor.embed.bias
    mask = predictor.mask_token[None].expand(CONFIG["pred_num_mask_tokens"], -1, -1, -1)
    out["predictor.embeddings.mask_tokens"] = mask
    stack("predictor", predictor.stack)
    out["predictor.proj.weight"] = predictor.proj.weight
    out["predictor.proj.bias"] = predictor.proj.bias
    return {name: value.detach().clone().contiguous() for name, value in out.items()}


def build_transformers(state: dict[str, torch.Tensor]):
    from transformers import VJEPA2Config, VJEPA2Model

    model = VJEPA2Model(VJEPA2Config(**CONFIG)).eval()
    model.load_state_dict(state, strict=True)
    return model


@torch.no_grad()
def compare(encoder: Encoder, predictor: Predictor, folder: str) -> float:
    """Returns the largest difference between these modules and the saved model on a few clips."""
    from transformers import VJEPA2Model

    model = VJEPA2Model.from_pretrained(folder).eval()
    pixels = torch.from_numpy(generator.clips(1, 8)["pixel_values"])
    cos_e, sin_e = rotary_tables(CONFIG["hidden_size"] // CONFIG["num_attention_heads"])
    cos_p, sin_p = rotary_tables(CONFIG["pred_hidden_size"] // CONFIG["pred_num_attention_heads"])
    ids, half = torch.arange(TOKENS).expand(len(pixels), -1), TOKENS // 2
    pairs = [(encoder(patchify(pixels), cos_e, sin_e), model.encoder(pixels).last_hidden_state)]
    pixels = pixels[:, : generator.FRAMES // 2].contiguous()
    seen = encoder(patchify(pixels), cos_e[:half], sin_e[:half])
    pairs.append((seen, model.encoder(pixels).last_hidden_state))
    known = model.predictor(pairs[-1][1], [ids[:, :half]], [ids[:, half:]]).last_hidden_state
    pairs.append((predictor(seen, cos_p, sin_p), known))
    return max((a - b).abs().max().item() for a, b in pairs)


def schedule(step: int, steps: int, warmup: int, cooldown: int) -> float:
    """Linear warm-up, constant, linear to zero over the last `cooldown` steps."""
    return min(1.0, (step + 1) / warmup, (steps - step) / cooldown)


def draw_mask(rng: np.random.Generator, spatial: float) -> tuple[np.ndarray, np.ndarray]:
    """Draws the ids of the context and target tokens of one step."""
    ids = np.arange(TOKENS)
    if rng.random() < spatial:  # a block of the grid is hidden, or is the only visible part, at all times
        height, width = [(2, 2), (2, 4), (4, 2)][rng.integers(3)]
        y, x = rng.integers(0, GRID - height + 1), rng.integers(0, GRID - width + 1)
        row, column = ids % GRID**2 // GRID, ids % GRID
        hidden = (row >= y) & (row < y + height) & (column >= x) & (column < x + width)
        return ids[~hidden], ids[hidden]
    context = GRID**2 * rng.choice(CONTEXTS, p=CONTEXT_WEIGHTS)
    return ids[:context], ids[context:]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, help="folder for checkpoints and the log")
    parser.add_argument("--steps", type=int, default=5400)
    parser.add_argument("--stop", type=int, default=0, help="step to stop at (the schedule still ends at --steps)")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--pool", type=int, default=65536)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--optimiser", choices=("muon", "adamw"), default="muon")
    parser.add_argument("--weight-decay", type=float, default=0.04)
    parser.add_argument("--warmup", type=int, default=100)
    parser.add_argument("--cooldown", type=int, default=1900)
    parser.add_argument("--spatial", type=float, default=0.1)
    parser.add_argument("--ema", type=float, nargs=2, default=(0.99, 0.999))
    parser.add_argument("--ema-ramp", type=int, default=2000, help="steps from the first momentum to the last")
    parser.add_argument("--save-every", type=int, default=250)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--export", help="write config.json and model.safetensors into this folder, then exit")
    parser.add_argument("--online", action="store_true", help="export the online encoder, not the average")
    return parser.parse_args()


def main() -> None:
    o = parse()
    torch.set_num_threads(o.threads)
    torch._dynamo.config.recompile_limit = 64
    torch.manual_seed(o.seed)
    encoder, predictor = Encoder(), Predictor()
    initialise(encoder), initialise(predictor)
    teacher, normalise = copy.deepcopy(encoder).requires_grad_(False), Normaliser()
    last = os.path.join(o.run, "last.pt")

    if o.export:
        saved = torch.load(last)
        (encoder if o.online else teacher).load_state_dict(saved["encoder" if o.online else "teacher"])
        predictor.load_state_dict(saved["predictor"])
        chosen = encoder if o.online else teacher
        build_transformers(to_transformers(chosen, predictor)).save_pretrained(o.export)
        worst = compare(chosen, predictor, o.export)
        if worst > 1e-5:
            raise SystemExit(f"{o.export} differs from the trained modules by {worst:.1e}")
        print(f"step {saved['step']} -> {o.export}, largest difference {worst:.1e}")
        return

    os.makedirs(o.run, exist_ok=True)
    named = [*encoder.named_parameters(prefix="encoder"), *predictor.named_parameters(prefix="predictor")]
    hidden = [p for n, p in named if p.ndim == 2 and ".stack." in n]
    edges = [p for n, p in named if p.ndim == 2 and ".stack." not in n]
    flat = [p for n, p in named if p.ndim != 2]
    groups = [dict(params=edges, weight_decay=o.weight_decay), dict(params=flat, weight_decay=0.0)]
    optimisers: list[torch.optim.Optimizer] = []
    if o.optimiser == "muon":
        optimisers.append(Muon(hidden, lr=o.lr, weight_decay=o.weight_decay))
    else:
        groups[0]["params"] = edges + hidden
    optimisers.append(torch.optim.AdamW(groups, lr=o.lr, betas=(0.9, 0.98), foreach=True))

    step, spent = 0, 0.0
    if os.path.exists(last):
        saved = torch.load(last)
        step, spent = saved["step"], saved["spent"]
        encoder.load_state_dict(saved["encoder"])
        predictor.load_state_dict(saved["predictor"])
        teacher.load_state_dict(saved["teacher"])
        normalise.load_state_dict(saved["normaliser"])
        for optimiser, state in zip(optimisers, saved["optimisers"]):
            optimiser.load_state_dict(state)

    pool = Pool(o.seed, o.pool)
    wrap = (lambda f: f) if o.no_compile else (lambda f: torch.compile(f, dynamic=False))
    Layer.forward = wrap(Layer.forward)  # one small graph per shape, shared by all layers
    make = wrap(lambda *a: draw(*a))

    def loss_of(context, target, cos_e, sin_e, cos_p, sin_p):
        predicted = predictor(encoder(context, cos_e, sin_e), cos_p, sin_p)
        return ((predicted - target) ** 2).mean((0, 2))

    cos_e, sin_e = rotary_tables(CONFIG["hidden_size"] // CONFIG["num_attention_heads"])
    cos_p, sin_p = rotary_tables(CONFIG["pred_hidden_size"] // CONFIG["pred_num_attention_heads"])
    parameters = [p for _, p in named]
    online, average = list(encoder.parameters()), list(teacher.parameters())

    log = open(os.path.join(o.run, "log.jsonl"), "a")
    window, began = [], time.time()
    end = o.stop or o.steps
    while step < end:
        rng = np.random.default_rng([o.seed, step, 1])
        index = torch.from_numpy(rng.integers(0, pool.count, o.batch))
        rate = schedule(step, o.steps, o.warmup, o.cooldown)
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = o.lr * rate
        visible, masked = map(torch.from_numpy, draw_mask(rng, o.spatial))
        with torch.no_grad():
            x = make(pool.tracks[index], pool.radius[index], pool.colour[index], pool.background[index])
            target = normalise(teacher(x, cos_e, sin_e))[:, masked]
        both = torch.cat([visible, masked])
        per_token = loss_of(x[:, visible], target, cos_e[visible], sin_e[visible], cos_p[both], sin_p[both])
        loss = per_token.mean()
        for p in parameters:
            p.grad = None
        loss.backward()
        norm = nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimiser in optimisers:
            optimiser.step()
        momentum = o.ema[0] + (o.ema[1] - o.ema[0]) * min(1.0, step / o.ema_ramp)
        torch._foreach_lerp_(average, [p.detach() for p in online], 1 - momentum)
        step += 1
        future = int(masked[0]) % GRID**2 == 0 and len(visible) == int(masked[0])
        window.append((loss.item(), norm.item(), len(visible) // GRID**2 if future else 0))
        if step % 50 == 0:
            now = time.time()
            spent, began = spent + now - began, now
            by = {k: [w[0] for w in window if w[2] == k] for k in (0, 4, 7)}
            row = {"step": step, "loss": np.mean([w[0] for w in window]), "norm": np.mean([w[1] for w in window])}
            row |= {f"loss_{k}": float(np.mean(v)) for k, v in by.items() if v}
            row |= {"seconds": spent, "lr": o.lr * rate}
            print(json.dumps({k: round(float(v), 5) for k, v in row.items()}), file=log, flush=True)
            window = []
        if step % o.save_every == 0 or step == end:
            state = dict(step=step, spent=spent, encoder=encoder.state_dict(), predictor=predictor.state_dict())
            state |= dict(teacher=teacher.state_dict(), normaliser=normalise.state_dict(), optimisers=[p.state_dict() for p in optimisers])
            torch.save(state, last + ".part")
            os.replace(last + ".part", last)


if __name__ == "__main__":
    main()
