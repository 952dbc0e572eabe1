# SPDX-License-Identifier: Apache-2.0
"""Writes two-rooms.json: episodes of the Python twin of the environment two-rooms/1, and baselines of planning/1.

    python Tests/Vectors/environments/make.py

Made with Python 3.11 and numpy 2.4.6. Numbers are exact: Python writes the shortest text that reads back as the same
double. `pixels` is the SHA-256 of the picture of the goal and of the pictures of all states, one after the other.
"""

import hashlib
import json
import pathlib
import sys

root = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(root / "models/ami/two-rooms"))
import generator as world  # noqa: E402

STEPS, EPISODES, SEED = 40, 200, 5


def tour(episode: world.Episode, x: float, y: float) -> tuple[float, float]:
    """Through the door: along the wall, if need be, then across, then to the goal."""
    if (x < 16) == (episode.goal[0] < 16):
        return world.straight(x, y, episode.goal)
    return world.straight(x, y, (16 + (3 if episode.goal[0] > 16 else -3), episode.door))


def trajectory(seed: int, by_tour: bool) -> dict:
    episode = world.Episode.draw(seed)
    random = world.SplitMix64(seed + 1)
    x, y = episode.start
    pictures = [world.render(*episode.goal, episode.door)[0], world.render(x, y, episode.door)[0]]
    actions, places = [], [[x, y]]
    for _ in range(STEPS):
        # Some actions are beyond their range.
        action = tour(episode, x, y) if by_tour else (2.5 * random.uniform() - 1.25, 2.5 * random.uniform() - 1.25)
        x, y = (float(v) for v in world.step(x, y, episode.door, *action))
        actions.append(list(action))
        places.append([x, y])
        pictures.append(world.render(x, y, episode.door)[0])
    return {
        "seed": seed,
        "door": episode.door,
        "goal": list(episode.goal),
        "actions": [v for a in actions for v in a],
        "places": [v for p in places for v in p],
        "solved": world.reached(x, y, episode.goal),
        "pixels": "sha256:" + hashlib.sha256(b"".join(p.tobytes() for p in pictures)).hexdigest(),
    }


def baseline(seed: int, is_random: bool) -> int:
    """The number of actions until the goal is reached; 0 if it is not."""
    episode = world.Episode.draw(world.output(seed, 0))
    random = world.SplitMix64(world.output(seed, 2))
    x, y = episode.start
    for step in range(1, STEPS + 1):
        action = (2 * random.uniform() - 1, 2 * random.uniform() - 1) if is_random else world.straight(x, y, episode.goal)
        x, y = (float(v) for v in world.step(x, y, episode.door, *action))
        if world.reached(x, y, episode.goal):
            return step
    return 0


def main() -> None:
    seeds = [world.output(SEED, i) for i in range(EPISODES)]
    result = {
        "trajectories": [trajectory(1000 + i, i % 2 == 0) for i in range(8)],
        "random": [baseline(s, True) for s in seeds],
        "straight": [baseline(s, False) for s in seeds],
    }
    print("random", sum(n > 0 for n in result["random"]), "straight", sum(n > 0 for n in result["straight"]), "of", EPISODES)
    print([t["solved"] for t in result["trajectories"]])
    with open(pathlib.Path(__file__).parent / "two-rooms.json", "w") as file:
        json.dump(result, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
