# SPDX-License-Identifier: Apache-2.0
"""The environment two-rooms/1: a point mass in two rooms joined by a door in a wall.

A twin of `Sources/ZooEval/Environments/TwoRooms.swift`: the same seeds and actions give the same trajectories and
the same pixels, bit for bit. Only IEEE 754 operations are used that are rounded exactly (addition, subtraction,
multiplication, division, square root, comparison), in the same order, in double precision.

Coordinates are in pixels of the picture, x to the right and y down; pixel i covers [i, i + 1). The point mass is
drawn as a disc of radius 1.5 px. Its centre stays 2.5 px away from the middle plane of the wall (half of the wall and the
radius), except in the door. An action is a velocity (x, y) with values from -1 to 1, in units of 2 px per step.

    python generator.py --seed 7 --episode 3        prints the episode, and draws it as text
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

SIDE = 32
LOW, HIGH = 3.5, 28.5  # the least and the largest coordinate of the centre of the disc
WALL_LEFT, WALL_RIGHT = 13.5, 18.5  # the centre is not between them, except in the door
DOOR_REACH = 2.5  # the largest distance of the centre from the middle of the door, along the wall
DOOR_LOW, DOOR_HIGH = 8.0, 24.0  # the range of the middle of the door
OPENING = 4.0  # half of the height of the door as drawn
SPEED = 2.0  # px per step
RADIUS = 1.5
TOLERANCE = 1.5  # px: the goal is reached
LEAST_WAY = 6.0  # px between start and goal
FLOOR = (32.0, 32.0, 40.0)
WALL = (208.0, 208.0, 208.0)
AGENT = (255.0, 96.0, 32.0)

MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


def mixed(bits: int) -> int:
    """The output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    return bits ^ (bits >> 31)


def output(seed: int, index: int) -> int:
    """The output number `index`, from 0, of SplitMix64 with a seed."""
    return mixed((seed + (index + 1) * GAMMA) & MASK)


class SplitMix64:
    def __init__(self, seed: int):
        self.state = seed & MASK

    def next(self) -> int:
        self.state = (self.state + GAMMA) & MASK
        return mixed(self.state)

    def uniform(self) -> float:
        """A number from 0 up to 1, exclusive: the upper 53 bits."""
        return (self.next() >> 11) * 2.0**-53


@dataclass
class Episode:
    """The layout of an episode, its start and its goal, drawn from a seed."""

    door: float
    start: tuple[float, float]
    goal: tuple[float, float]

    @classmethod
    def draw(cls, seed: int) -> Episode:
        random = SplitMix64(seed)
        door = DOOR_LOW + (DOOR_HIGH - DOOR_LOW) * random.uniform()
        while True:
            start_right = random.uniform() < 0.5
            crosses = random.uniform() < 0.75
            start = cls._place(random, start_right)
            goal = cls._place(random, start_right != crosses)
            dx, dy = goal[0] - start[0], goal[1] - start[1]
            if dx * dx + dy * dy >= LEAST_WAY * LEAST_WAY:
                return cls(door, start, goal)

    @staticmethod
    def _place(random: SplitMix64, right: bool) -> tuple[float, float]:
        low, high = (WALL_RIGHT, HIGH) if right else (LOW, WALL_LEFT)
        x = low + (high - low) * random.uniform()
        y = LOW + (HIGH - LOW) * random.uniform()
        return x, y


def step(x, y, door, action_x, action_y):
    """Moves along x, then along y; walls stop each move.

    All arguments are numbers or arrays of one shape.
    """
    to_x = x + SPEED * np.minimum(np.maximum(action_x, -1.0), 1.0)
    to_x = np.minimum(np.maximum(to_x, LOW), HIGH)
    upper, lower = door - DOOR_REACH, door + DOOR_REACH
    in_door = (y >= upper) & (y <= lower)
    to_x = np.where(in_door, to_x, np.where(x <= WALL_LEFT, np.minimum(to_x, WALL_LEFT), np.maximum(to_x, WALL_RIGHT)))
    to_y = y + SPEED * np.minimum(np.maximum(action_y, -1.0), 1.0)
    to_y = np.minimum(np.maximum(to_y, LOW), HIGH)
    in_wall = (to_x > WALL_LEFT) & (to_x < WALL_RIGHT)
    held = np.minimum(np.maximum(to_y, upper), lower)
    return to_x, np.where(in_wall, held, to_y)


def render(x, y, door) -> np.ndarray:
    """Draws states; arguments of shape [n]. Returns U8 [n, SIDE, SIDE, 3]."""
    x, y, door = (np.asarray(v, dtype=np.float64).reshape(-1, 1, 1) for v in (x, y, door))
    rows = np.arange(SIDE, dtype=np.float64).reshape(1, -1, 1)
    columns = np.arange(SIDE, dtype=np.float64).reshape(1, 1, -1)
    border = (rows < 2) | (rows >= SIDE - 2) | (columns < 2) | (columns >= SIDE - 2)
    inner = (columns == 15) | (columns == 16)
    open_part = np.minimum(rows + 1, door + OPENING) - np.maximum(rows, door - OPENING)
    open_part = np.minimum(np.maximum(open_part, 0.0), 1.0)
    solid = np.where(border, 1.0, np.where(inner, 1.0 - open_part, 0.0))
    dx, dy = columns + 0.5 - x, rows + 0.5 - y
    cover = np.minimum(np.maximum(RADIUS + 0.5 - np.sqrt(dx * dx + dy * dy), 0.0), 1.0)
    channels = []
    for floor, wall, agent in zip(FLOOR, WALL, AGENT):
        ground = floor + (wall - floor) * solid
        channels.append((ground + (agent - ground) * cover + 0.5).astype(np.uint8))
    return np.stack(channels, -1)


def straight(x: float, y: float, goal: tuple[float, float]) -> tuple[float, float]:
    """The action straight to the goal: as fast as its larger part allows, and not beyond the goal."""
    ax, ay = (goal[0] - x) / SPEED, (goal[1] - y) / SPEED
    largest = max(abs(ax), abs(ay), 1.0)
    return ax / largest, ay / largest


def reached(x: float, y: float, goal: tuple[float, float]) -> bool:
    dx, dy = x - goal[0], y - goal[1]
    return bool(dx * dx + dy * dy <= TOLERANCE * TOLERANCE)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--episode", type=int, default=0)
    arguments = parser.parse_args()
    episode = Episode.draw(output(output(arguments.seed, arguments.episode), 0))
    print(episode)
    for place in (episode.start, episode.goal):
        for row in render(place[0], place[1], episode.door)[0]:
            print("".join("#" if p[2] > 120 else "o" if p[0] > 120 else "." for p in row))


if __name__ == "__main__":
    main()
