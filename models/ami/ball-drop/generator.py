# SPDX-License-Identifier: Apache-2.0
"""Procedural clips of a ball dropped or thrown from a tower.

Every clip has 16 frames of 32 x 32 pixels. Coordinates are in pixels, x to the
right and y down; pixel i covers [i, i + 1), so its centre is at i + 0.5. Time is
in frames: the first frame is at time 0.

The world is deterministic: constant gravity, and inelastic bounces off a floor,
two side walls and a ceiling. Everything that determines the future is visible
in the first frames: position, speed, size, floor, walls, and the restitution of
the ball, which its colour shows (0.75 for warm hues, 0.50 for cool hues). The
tower is behind the ball and does not touch it.

Clips are drawn in blocks of `BLOCK`, each from its own generator seeded with
(seed, block), so clip i of a seed does not depend on the number of clips.

    python generator.py --seed 7 --count 64 --output clips.safetensors
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields

import numpy as np

FRAMES = 16
SIDE = 32
MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)
GRAVITY = 0.30  # px / frame^2
WALL_RESTITUTION = 0.9
RESTITUTION_WARM = 0.75
RESTITUTION_COOL = 0.50
SUBSTEPS = 8  # integration steps per frame (free flight between them is exact)
BLOCK = 256
KINDS = ("teleport", "reversed", "frozen", "vanished")
EVENT_FRAMES = (5, 11)  # an impossible event happens at a frame in this closed range
MIN_DEVIATION = 4.0  # px between the two balls of a pair, at the worst frame


@dataclass
class World:
    """The constant properties of a batch of clips; the first dimension of every array is B."""

    radius: np.ndarray
    restitution: np.ndarray
    floor: np.ndarray
    left: np.ndarray
    right: np.ndarray
    start: np.ndarray  # [B, 4]: x, y, vx, vy at frame 0
    colour: np.ndarray  # [B, 3]
    background: np.ndarray  # [B, 3, H, W]

    def __getitem__(self, index) -> "World":
        return World(*(getattr(self, f.name)[index] for f in fields(self)))


def _hsv(h: np.ndarray, s: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Converts HSV in [0, 1] to RGB, vectorised; returns [..., 3]."""
    n = np.array([5.0, 3.0, 1.0])
    k = (n + h[..., None] * 6.0) % 6.0
    return v[..., None] * (1.0 - s[..., None] * np.clip(np.minimum(k, 4.0 - k), 0.0, 1.0))


def draw_world(rng: np.random.Generator, count: int) -> World:
    """Draws `count` scenes."""
    u = lambda low, high, *shape: rng.uniform(low, high, (count, *shape))
    floor = u(25.0, 31.0)
    # Half of the sides have a visible wall; the others end at the edge of the frame.
    left = np.where(rng.random(count) < 0.5, 0.0, u(1.0, 5.0))
    right = SIDE - np.where(rng.random(count) < 0.5, 0.0, u(1.0, 5.0))
    radius = u(2.0, 3.6)
    tower_x = left + (right - left) * u(0.08, 0.92)
    tower_half = u(1.2, 3.2)
    top = np.maximum(floor - u(13.0, 24.0), 2.0 * radius + 0.5)

    # One quarter is dropped; the rest is thrown to either side, up or down.
    dropped = rng.random(count) < 0.25
    toward = np.where(rng.random(count) < np.clip((right - tower_x) / (right - left), 0.2, 0.8), 1.0, -1.0)
    vx = np.where(dropped, 0.0, toward * u(0.2, 1.7))
    vy = np.where(dropped, 0.0, u(-1.3, 0.5))
    x0 = np.clip(tower_x, left + radius + 0.1, right - radius - 0.1)
    start = np.stack([x0, top - radius, vx, vy], 1)

    warm = rng.random(count) < 0.5
    hue = np.where(warm, u(-0.06, 0.16), u(0.48, 0.74)) % 1.0
    colour = _hsv(hue, u(0.75, 1.0), u(0.8, 1.0))

    dim = lambda: _hsv(u(0.0, 1.0), u(0.0, 0.35), u(0.05, 0.5))
    yy, xx = np.meshgrid(np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5, indexing="ij")
    upper, lower, tower, wall, ground = (dim() for _ in range(5))
    ramp = (yy / SIDE)[None, None]
    sky = upper[:, :, None, None] * (1 - ramp) + lower[:, :, None, None] * ramp
    wave = u(-0.5, 0.5, 2)
    phase = wave[:, 0, None, None] * xx + wave[:, 1, None, None] * yy + u(0.0, 6.28)[:, None, None]
    sky = sky + (u(0.0, 0.07)[:, None, None] * np.sin(phase))[:, None]

    def paint(image: np.ndarray, cover: np.ndarray, rgb: np.ndarray) -> np.ndarray:
        return image + cover[:, None] * (rgb[:, :, None, None] - image)

    across = np.clip(tower_half[:, None, None] + 0.5 - np.abs(xx - tower_x[:, None, None]), 0, 1)
    image = paint(sky, across * np.clip(yy - top[:, None, None] + 0.5, 0, 1), tower)
    sides = np.clip(left[:, None, None] - xx + 0.5, 0, 1) + np.clip(xx - right[:, None, None] + 0.5, 0, 1)
    image = paint(image, np.clip(sides, 0, 1), wall)
    image = paint(image, np.clip(yy - floor[:, None, None] + 0.5, 0, 1), ground)
    return World(
        radius=radius,
        restitution=np.where(warm, RESTITUTION_WARM, RESTITUTION_COOL),
        floor=floor,
        left=left,
        right=right,
        start=start,
        colour=colour,
        background=np.clip(image, 0, 1).astype(np.float32),
    )


def simulate(world: World, state: np.ndarray, frames: int, gravity: float = GRAVITY):
    """Moves the balls. Returns states [B, frames, 4] and first floor contact [B, 2] = (x, time).

    `state` [B, 4] is the state at the first of the frames; contact time counts from there
    and is NaN if the floor is not reached.
    """
    x, y, vx, vy = (state[:, i].copy() for i in range(4))
    low, high = world.left + world.radius, world.right - world.radius
    ground, ceiling = world.floor - world.radius, world.radius
    dt = 1.0 / SUBSTEPS
    states = np.empty((len(x), frames, 4))
    contact = np.full((len(x), 2), np.nan)
    for step in range((frames - 1) * SUBSTEPS + 1):
        if step % SUBSTEPS == 0:
            states[:, step // SUBSTEPS] = np.stack([x, y, vx, vy], 1)
        nx, ny, nvy = x + vx * dt, y + vy * dt + 0.5 * gravity * dt * dt, vy + gravity * dt
        # Floor: the exact contact time within the step, then a bounce with reduced speed.
        hit = (ny > ground) & (nvy > 0)
        if hit.any():
            gap = np.maximum(ground - y, 0.0)
            root = np.sqrt(np.maximum(vy * vy + 2 * gravity * gap, 0.0))
            t = np.clip(2 * gap / np.maximum(vy + root, 1e-9), 0.0, dt)
            after = -world.restitution * (vy + gravity * t)
            rest = dt - t
            ny = np.where(hit, np.minimum(ground + after * rest + 0.5 * gravity * rest * rest, ground), ny)
            nvy = np.where(hit, after + gravity * rest, nvy)
            first = hit & np.isnan(contact[:, 1])
            cx = x + vx * t
            cx = np.where(cx > high, 2 * high - cx, np.where(cx < low, 2 * low - cx, cx))
            contact[first, 0] = cx[first]
            contact[first, 1] = (step * dt + t)[first]
        hit = (ny < ceiling) & (nvy < 0)
        nvy = np.where(hit, -world.restitution * nvy, nvy)
        ny = np.where(hit, 2 * ceiling - ny, ny)
        over, under = nx > high, nx < low
        nx = np.where(over, high - WALL_RESTITUTION * (nx - high), np.where(under, low + WALL_RESTITUTION * (low - nx), nx))
        vx = np.where(over | under, -WALL_RESTITUTION * vx, vx)
        x, y, vy = nx, ny, nvy
    return states, contact


def render(world: World, positions: np.ndarray, visible: np.ndarray | None = None) -> np.ndarray:
    """Draws anti-aliased discs over the backgrounds, rounds to 8 bits and normalises: [B,T,3,H,W]."""
    centre = np.arange(SIDE, dtype=np.float32) + 0.5
    p = positions.astype(np.float32)
    dx2 = (centre - p[:, :, :1]) ** 2
    dy2 = (centre - p[:, :, 1:]) ** 2
    distance = np.sqrt(dy2[:, :, :, None] + dx2[:, :, None, :])
    cover = np.clip(world.radius.astype(np.float32)[:, None, None, None] + 0.5 - distance, 0, 1)
    if visible is not None:
        cover = cover * visible[:, :, None, None]
    delta = world.colour.astype(np.float32)[:, :, None, None] - world.background
    out = cover[:, :, None] * delta[:, None]
    out += world.background[:, None]
    out *= 255.0
    np.rint(out, out=out)
    out *= 1.0 / 255.0
    out -= np.asarray(MEAN, np.float32)[:, None, None]
    out /= np.asarray(STD, np.float32)[:, None, None]
    return out


def _block(seed: int, block: int, stream: int = 0):
    rng = np.random.default_rng([seed, block, stream])
    world = draw_world(rng, BLOCK)
    return rng, world


def clips(seed: int, count: int, first: int = 0) -> dict[str, np.ndarray]:
    """Returns the possible clips `first` .. `first + count - 1` of a seed.

    Returns `pixel_values` [B,T,C,H,W], `positions` [B,T,2] and `landing` [B,2] = (x px, time in
    frames from the clip's start, possibly after its end), all float32.
    """
    pixels, positions, landings = [], [], []
    for block in range(first // BLOCK, (first + count - 1) // BLOCK + 1):
        _, world = _block(seed, block)
        keep = slice(max(first - block * BLOCK, 0), min(first + count - block * BLOCK, BLOCK))
        world = world[keep]
        states, landing = simulate(world, world.start, 2 * FRAMES)
        positions.append(states[:, :FRAMES, :2].astype(np.float32))
        pixels.append(render(world, positions[-1]))
        landings.append(landing.astype(np.float32))
    return {
        "pixel_values": np.concatenate(pixels),
        "positions": np.concatenate(positions),
        "landing": np.concatenate(landings),
    }


def pairs(seed: int, count: int, kind: str) -> dict[str, np.ndarray]:
    """Returns pairs of a possible clip and the same clip with an impossible event in a frame of `EVENT_FRAMES`.

    teleport: the ball jumps at least 8 px and keeps its velocity;
    reversed: gravity changes sign; frozen: the ball stops in the air and stays;
    vanished: the ball disappears. Both clips are equal before the event. The event happens
    in the air (1 px or more above the floor), and (except for vanished) the largest distance
    between the two balls is at least `MIN_DEVIATION` px.
    """
    stream = 1 + KINDS.index(kind)
    found: dict[str, list[np.ndarray]] = {"possible": [], "impossible": [], "event": []}
    total = block = 0
    while total < count:
        rng, world = _block(seed, block, stream)
        block += 1
        event = rng.integers(EVENT_FRAMES[0], EVENT_FRAMES[1] + 1, BLOCK)
        states, _ = simulate(world, world.start, FRAMES)
        now = states[np.arange(BLOCK), event].copy()
        keep = now[:, 1] + world.radius < world.floor - 1.0
        visible = np.ones((BLOCK, FRAMES), np.float32)
        after = np.arange(FRAMES) >= event[:, None]
        other = states.copy()
        if kind == "vanished":
            visible[after] = 0.0
        else:
            gravity = GRAVITY
            if kind == "teleport":
                low, high = world.left + world.radius, world.right - world.radius
                target = np.stack(
                    [
                        low + (high - low) * rng.random(BLOCK),
                        world.radius + (world.floor - 2 * world.radius) * rng.random(BLOCK),
                    ],
                    1,
                )
                keep &= np.hypot(*(target - now[:, :2]).T) >= 8.0
                now[:, :2] = target
            elif kind == "reversed":
                gravity = -GRAVITY
            elif kind != "frozen":
                raise ValueError(f"unknown kind {kind}")
            if kind == "frozen":
                future = np.repeat(now[:, None], FRAMES, 1)
            else:
                future, _ = simulate(world, now, FRAMES, gravity)
            index = np.maximum(np.arange(FRAMES) - event[:, None], 0)
            other = np.where(after[:, :, None], np.take_along_axis(future, index[:, :, None], 1), states)
            apart = np.hypot(*np.moveaxis(other[:, :, :2] - states[:, :, :2], 2, 0)).max(1)
            keep &= apart >= MIN_DEVIATION
        chosen = np.flatnonzero(keep)[: count - total]
        total += len(chosen)
        found["possible"].append(render(world[chosen], states[chosen, :, :2]))
        found["impossible"].append(render(world[chosen], other[chosen, :, :2], visible[chosen]))
        found["event"].append(event[chosen])
    return {name: np.concatenate(parts) for name, parts in found.items()}


def main() -> None:
    from safetensors.numpy import save_file

    parser = argparse.ArgumentParser(description="Writes a file of possible clips.")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    data = clips(options.seed, options.count, options.first)
    save_file(
        {name: np.ascontiguousarray(value) for name, value in data.items()},
        options.output,
        metadata={"format": "ami-zoo.clip/1", "source": f"generator.py seed {options.seed}"},
    )


if __name__ == "__main__":
    main()
