# SPDX-License-Identifier: Apache-2.0
"""Trains two-rooms: a small LeWM on trajectories of a random policy in the environment two-rooms/1, on a CPU.

    OMP_NUM_THREADS=1 python train.py --run runs/a                  trains, and writes runs/a/model.pt
    python train.py --run runs/a --export release                   writes config.json and model.safetensors

The modules compute the same function as LeWM (arXiv 2603.19312) with `ViTModel` of transformers; `export` writes
the weights under the names of the release.

The loss has two parts.
- Prediction: the squared error of the predictor after 1 to 4 steps, without a stop-gradient.
- Time: ||z_a - z_b||^2 of two frames of one layout is n^2 / (n + 2), where n is the number of steps of the fastest way
  between them. This is a value function of reaching the goal, as in value-guided planning with JEPA world models
  (arXiv 2601.00844); here it is not learned from rewards, but computed from the state of the simulator, in training
  only. So the energy that the planner minimises falls along the way through the door, and not along the straight line
  into the wall. It also prevents a collapse, so that SIGReg of LeWM is not needed.
"""

from __future__ import annotations

import argparse
import json
import os
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import generator

WIDTH, LAYERS, HEADS, HIDDEN, PATCH = 64, 2, 4, 256, 32
PREDICTOR_LAYERS, PREDICTOR_HEADS, HEAD_WIDTH, PREDICTOR_HIDDEN = 2, 2, 32, 256
PROJECTOR, ACTION_INNER, ACTION_HIDDEN = 384, 16, 64
TOKENS = (generator.SIDE // PATCH) ** 2
MEAN, STD = 0.5, 0.25


class Layer(nn.Module):
    """A layer of `ViTModel`."""

    def __init__(self):
        super().__init__()
        self.before = nn.LayerNorm(WIDTH, eps=1e-12)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.after = nn.LayerNorm(WIDTH, eps=1e-12)
        self.first = nn.Linear(WIDTH, HIDDEN)
        self.second = nn.Linear(HIDDEN, WIDTH)

    def forward(self, x):
        b, n, _ = x.shape
        q, k, v = self.qkv(self.before(x)).view(b, n, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, WIDTH)
        x = x + self.out(attended)
        return x + self.second(F.gelu(self.first(self.after(x))))


class Projector(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(WIDTH, PROJECTOR), nn.BatchNorm1d(PROJECTOR), nn.GELU(), nn.Linear(PROJECTOR, WIDTH))

    def forward(self, x):
        return self.net(x)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.cls = nn.Parameter(torch.randn(1, 1, WIDTH) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, TOKENS + 1, WIDTH) * 0.02)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, pixels):
        """[n, 3, SIDE, SIDE] to [n, WIDTH]."""
        x = self.patch(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.positions
        for layer in self.layers:
            x = layer(x)
        return self.norm(x[:, 0])


class Block(nn.Module):
    """A `ConditionalBlock` of LeWM for one frame: attention over one token is its value."""

    def __init__(self):
        super().__init__()
        inner = PREDICTOR_HEADS * HEAD_WIDTH
        self.attn_norm = nn.LayerNorm(WIDTH, eps=1e-5)
        self.value = nn.Linear(WIDTH, inner, bias=False)
        self.out = nn.Linear(inner, WIDTH)
        self.mlp_norm = nn.LayerNorm(WIDTH, eps=1e-5)
        self.first = nn.Linear(WIDTH, PREDICTOR_HIDDEN)
        self.second = nn.Linear(PREDICTOR_HIDDEN, WIDTH)
        self.modulation = nn.Linear(WIDTH, 6 * WIDTH)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)
        with torch.no_grad():  # gates start at 1
            self.modulation.bias[2 * WIDTH : 3 * WIDTH] = 1
            self.modulation.bias[5 * WIDTH :] = 1

    def forward(self, x, condition):
        shift, scale, gate, shift2, scale2, gate2 = self.modulation(condition).chunk(6, -1)
        y = F.layer_norm(x, (WIDTH,), eps=1e-6) * (1 + scale) + shift
        x = x + gate * self.out(self.value(self.attn_norm(y)))
        y = F.layer_norm(x, (WIDTH,), eps=1e-6) * (1 + scale2) + shift2
        return x + gate2 * self.second(F.gelu(self.first(self.mlp_norm(y))))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.projector = Projector()
        self.pred_proj = Projector()
        self.action_first = nn.Linear(2, ACTION_INNER)
        self.action_second = nn.Linear(ACTION_INNER, ACTION_HIDDEN)
        self.action_third = nn.Linear(ACTION_HIDDEN, WIDTH)
        self.position = nn.Parameter(torch.randn(1, 1, WIDTH) * 0.02)
        self.blocks = nn.ModuleList(Block() for _ in range(PREDICTOR_LAYERS))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-5)

    def encode(self, pixels):
        return self.projector(self.encoder(pixels))

    def predict(self, z, action):
        """The next embedding [n, WIDTH] of embeddings [n, WIDTH] under actions [n, 2]."""
        condition = F.silu(self.action_third(F.silu(self.action_second(self.action_first(action)))))
        x = z + self.position[0]
        for block in self.blocks:
            x = block(x, condition)
        return self.pred_proj(self.norm(x))


def pixels(frames: torch.Tensor) -> torch.Tensor:
    """U8 [n, SIDE, SIDE, 3] to the input of the encoder."""
    return ((frames.float() / 255 - MEAN) / STD).permute(0, 3, 1, 2)


def trajectories(seed: int, layouts: int, each: int, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Trajectories of a random policy.

    Returns frames U8 [layouts, each, steps + 1, SIDE, SIDE, 3], actions [layouts, each, steps, 2] and states
    [layouts, each, steps + 1, 3]: x, y and the middle of the door.

    The policy holds a random action for a geometric number of steps, 4 on average. One trajectory in five starts in
    the door, the others anywhere.
    """
    random = np.random.default_rng(seed)
    door = random.uniform(generator.DOOR_LOW, generator.DOOR_HIGH, (layouts, 1)).repeat(each, 1)
    side = random.random((layouts, each)) < 0.5
    x = np.where(side, random.uniform(generator.LOW, generator.WALL_LEFT, side.shape), random.uniform(generator.WALL_RIGHT, generator.HIGH, side.shape))
    y = random.uniform(generator.LOW, generator.HIGH, side.shape)
    inside = random.random(side.shape) < 0.2
    x = np.where(inside, random.uniform(generator.WALL_LEFT, generator.WALL_RIGHT, side.shape), x)
    y = np.where(inside, door + random.uniform(-generator.DOOR_REACH, generator.DOOR_REACH, side.shape), y)
    action = np.clip(random.normal(size=(layouts, each, 2)), -1, 1)
    frames, actions, states = [], [], []
    for index in range(steps + 1):
        frames.append(generator.render(x.ravel(), y.ravel(), door.ravel()).reshape(layouts, each, *generator.render(0, 0, 9)[0].shape))
        states.append(np.stack([x, y, door], -1))
        if index == steps:
            break
        change = random.random(side.shape) < 0.25
        action = np.where(change[..., None], np.clip(random.normal(size=action.shape), -1, 1), action)
        actions.append(action)
        x, y = generator.step(x, y, door, action[..., 0], action[..., 1])
    moves = np.stack(actions, 2) if actions else np.zeros((layouts, each, 0, 2))
    return np.stack(frames, 2), moves.astype(np.float32), np.stack(states, 2)


def freeze_norms(model: Model, options) -> None:
    """Sets the statistics of the batch norms, which training takes from each batch, to the mean of 40 batches."""
    norms = [model.projector.net[1], model.pred_proj.net[1]]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches
    with torch.no_grad():
        for index in range(40):
            losses(model, *trajectories(options.seed - 1 - index, options.layouts, options.each, options.length), options)
    model.eval()


def ways(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The number of steps, not rounded, of the fastest way between states [.., 3] of one layout."""
    swap = (a[..., :1] > b[..., :1]).repeat(3, -1)
    a, b = np.where(swap, b, a), np.where(swap, a, b)
    low, high = a[..., 2] - generator.DOOR_REACH, a[..., 2] + generator.DOOR_REACH
    enters = (a[..., 0] <= generator.WALL_LEFT) & (b[..., 0] > generator.WALL_LEFT)
    leaves = (b[..., 0] >= generator.WALL_RIGHT) & (a[..., 0] < generator.WALL_RIGHT)
    points = [
        (a[..., 0], a[..., 1]),
        (np.where(enters, generator.WALL_LEFT, a[..., 0]), np.where(enters, a[..., 1].clip(low, high), a[..., 1])),
        (np.where(leaves, generator.WALL_RIGHT, b[..., 0]), np.where(leaves, b[..., 1].clip(low, high), b[..., 1])),
        (b[..., 0], b[..., 1]),
    ]
    legs = [np.maximum(abs(p[0] - q[0]), abs(p[1] - q[1])) for p, q in zip(points, points[1:])]
    return sum(legs) / generator.SPEED


def losses(model: Model, frames, actions, states, options) -> dict[str, torch.Tensor]:
    layouts, each, count = frames.shape[:3]
    z = model.encode(pixels(torch.from_numpy(frames).flatten(0, 2))).view(layouts, each, count, WIDTH)
    actions = torch.from_numpy(actions)
    # Prediction, unrolled.
    terms = []
    state = z[:, :, : count - 1]
    for ahead in range(1, options.unroll + 1):
        length = count - ahead
        state = model.predict(state[:, :, :length].reshape(-1, WIDTH), actions[:, :, ahead - 1 : ahead - 1 + length].reshape(-1, 2))
        state = state.view(layouts, each, length, WIDTH)
        terms.append((state - z[:, :, ahead:]).square().sum(-1).mean())
    prediction = sum(terms) / len(terms)
    # Time: squared distances of pairs of a layout against the steps of the fastest way.
    flat, places = z.reshape(layouts, -1, WIDTH), states.reshape(layouts, -1, 3)
    error = 0.0
    for shift in np.random.default_rng(int(actions.sum().item() * 1e3) & 0xFFFF).integers(1, flat.shape[1], 8):
        steps = torch.from_numpy(ways(places, np.roll(places, shift, 1)).astype(np.float32))
        wanted = steps.square() / (steps + 2)
        far = (flat - flat.roll(int(shift), 1)).square().sum(-1)
        error = error + ((far - wanted).square() / (1 + wanted)).mean() / 8
    return dict(prediction=prediction, time=error, one=terms[0], last=terms[-1])


@torch.no_grad()
def plan(model: Model, z, goal, options, noise: np.ndarray) -> torch.Tensor:
    """The cross-entropy method for a batch of problems; noise [iterations, horizon, samples, 2]."""
    n, samples, horizon = len(z), options.samples, options.horizon
    mean, std = torch.zeros(n, 1, horizon, 2), torch.ones(n, 1, horizon, 2)
    for numbers in noise:
        draw = torch.from_numpy(numbers).transpose(0, 1)[None] * std + mean
        draw[:, 0] = mean[:, 0]
        draw = draw.clamp(-1, 1)
        state = z[:, None].expand(-1, samples, -1).reshape(-1, WIDTH)
        for step in range(horizon):
            state = model.predict(state, draw[:, :, step].reshape(-1, 2))
        energy = (state.view(n, samples, -1) - goal[:, None]).square().sum(-1)
        best = energy.topk(options.elites, largest=False).indices
        elites = draw.gather(1, best[:, :, None, None].expand(-1, -1, horizon, 2))
        mean, std = elites.mean(1, keepdim=True), elites.std(1, keepdim=True)
    return mean[:, 0]


@torch.no_grad()
def success(model: Model, options, seed: int, episodes: int) -> tuple[float, float]:
    """The share of episodes that are solved, and the mean number of steps of those."""
    was_training = model.training
    model.eval()
    drawn = [generator.Episode.draw(generator.output(generator.output(seed, i), 0)) for i in range(episodes)]
    door = np.array([e.door for e in drawn])
    (x, y), (gx, gy) = np.array([e.start for e in drawn]).T, np.array([e.goal for e in drawn]).T
    goal = model.encode(pixels(torch.from_numpy(generator.render(gx, gy, door))))
    solved = np.zeros(episodes, int)
    random = np.random.default_rng(seed)
    for step in range(1, options.steps + 1):
        left = np.flatnonzero(solved == 0)
        if not len(left):
            break
        z = model.encode(pixels(torch.from_numpy(generator.render(x[left], y[left], door[left]))))
        noise = random.normal(size=(options.iterations, options.horizon, options.samples, 2)).astype(np.float32)
        action = plan(model, z, goal[left], options, noise)[:, 0].numpy().astype(np.float64)
        x[left], y[left] = generator.step(x[left], y[left], door[left], action[:, 0], action[:, 1])
        solved[left[(x - gx)[left] ** 2 + (y - gy)[left] ** 2 <= generator.TOLERANCE**2]] = step
    model.train(was_training)
    return float((solved > 0).mean()), float(solved[solved > 0].mean()) if (solved > 0).any() else float("nan")


def export(model: Model, folder: str) -> None:
    from safetensors.torch import save_file

    state = {k: v.detach().clone() for k, v in model.state_dict().items()}
    out: dict[str, torch.Tensor] = {}

    def linear(old: str, new: str) -> None:
        out[f"{new}.weight"] = state.pop(f"{old}.weight")
        if f"{old}.bias" in state:
            out[f"{new}.bias"] = state.pop(f"{old}.bias")

    out["encoder.embeddings.cls_token"] = state.pop("encoder.cls")
    out["encoder.embeddings.position_embeddings"] = state.pop("encoder.positions")
    linear("encoder.patch", "encoder.embeddings.patch_embeddings.projection")
    for i in range(LAYERS):
        old, new = f"encoder.layers.{i}", f"encoder.encoder.layer.{i}"
        for part in ("weight", "bias"):
            for name, value in zip(("query", "key", "value"), state.pop(f"{old}.qkv.{part}").chunk(3)):
                out[f"{new}.attention.attention.{name}.{part}"] = value.contiguous()
        linear(f"{old}.out", f"{new}.attention.output.dense")
        linear(f"{old}.before", f"{new}.layernorm_before")
        linear(f"{old}.after", f"{new}.layernorm_after")
        linear(f"{old}.first", f"{new}.intermediate.dense")
        linear(f"{old}.second", f"{new}.output.dense")
    linear("encoder.norm", "encoder.layernorm")
    for name in ("projector", "pred_proj"):
        for key in [k for k in state if k.startswith(f"{name}.net.")]:
            out[key] = state.pop(key)
    out["action_encoder.patch_embed.weight"] = state.pop("action_first.weight")[..., None]
    out["action_encoder.patch_embed.bias"] = state.pop("action_first.bias")
    linear("action_second", "action_encoder.embed.0")
    linear("action_third", "action_encoder.embed.2")
    out["predictor.pos_embedding"] = state.pop("position")
    for i in range(PREDICTOR_LAYERS):
        old, new = f"blocks.{i}", f"predictor.transformer.layers.{i}"
        value = state.pop(f"{old}.value.weight")
        # With one frame, attention does not depend on queries and keys; the layout has them.
        out[f"{new}.attn.to_qkv.weight"] = torch.cat([torch.zeros_like(value), torch.zeros_like(value), value])
        linear(f"{old}.attn_norm", f"{new}.attn.norm")
        linear(f"{old}.out", f"{new}.attn.to_out.0")
        linear(f"{old}.mlp_norm", f"{new}.mlp.net.0")
        linear(f"{old}.first", f"{new}.mlp.net.1")
        linear(f"{old}.second", f"{new}.mlp.net.4")
        linear(f"{old}.modulation", f"{new}.adaLN_modulation.1")
    linear("norm", "predictor.transformer.norm")
    assert not state, state.keys()
    os.makedirs(folder, exist_ok=True)
    save_file({k: v.contiguous() for k, v in sorted(out.items())}, f"{folder}/model.safetensors", metadata={"format": "pt"})
    config = {
        "model_type": "lewm", "hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "intermediate_size": HIDDEN, "image_size": generator.SIDE, "patch_size": PATCH, "num_channels": 3,
        "layer_norm_eps": 1e-12, "pred_num_hidden_layers": PREDICTOR_LAYERS, "pred_num_attention_heads": PREDICTOR_HEADS,
        "pred_head_dim": HEAD_WIDTH, "pred_intermediate_size": PREDICTOR_HIDDEN, "num_frames": 1, "action_dim": 2,
        "projector_size": PROJECTOR,
    }  # fmt: skip
    with open(f"{folder}/config.json", "w") as file:
        json.dump(config, file, indent=2, sort_keys=True)
        file.write("\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", default="runs/a")
    parser.add_argument("--export")
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--steps-total", type=int, default=2000)
    parser.add_argument("--layouts", type=int, default=12, help="layouts per batch")
    parser.add_argument("--each", type=int, default=5, help="trajectories per layout")
    parser.add_argument("--length", type=int, default=6, help="steps of a trajectory")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--unroll", type=int, default=4)
    parser.add_argument("--prediction-weight", type=float, default=1)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--elites", type=int, default=8)
    parser.add_argument("--iterations", type=int, default=4)
    parser.add_argument("--horizon", type=int, default=5)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--episodes", type=int, default=48)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    model = Model().train()
    os.makedirs(options.run, exist_ok=True)
    path = f"{options.run}/model.pt"
    if options.export:
        model.load_state_dict(torch.load(path))
        export(model, options.export)
        return
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=1e-4)
    started = time.process_time()
    for step in range(options.steps_total):
        done = step / options.steps_total
        rate = options.rate * min(1, (step + 1) / 100) * (1 - done)
        for group in optimizer.param_groups:
            group["lr"] = rate
        batch = trajectories(options.seed + 1 + step, options.layouts, options.each, options.length)
        found = losses(model, *batch, options)
        loss = options.prediction_weight * found["prediction"] + found["time"]
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        if step % 50 == 49:
            print(step + 1, f"{time.process_time() - started:.0f}s", *(f"{k} {v.item():.4f}" for k, v in found.items()), flush=True)
    freeze_norms(model, options)
    torch.save(model.state_dict(), path)
    print("success", *success(model, options, 1, options.episodes))


if __name__ == "__main__":
    main()
