# SPDX-License-Identifier: Apache-2.0
"""Writes the measured numbers into the model card, its plots and the claims of the description.

    ami-zoo evaluate ami/two-rooms --suite planning --json > results.json
    python card.py [--run runs/a]

results.json is what `ami-zoo evaluate` printed, of which only `reports` is kept. With --run, paths are planned with PyTorch and drawn.
"""

from __future__ import annotations

import argparse
import json
from types import SimpleNamespace

import numpy as np
import torch

import generator
import train

COLOURS = ("#d95f02", "#7570b3", "#1b9e77")


def bars(rows: list[tuple[str, dict]]) -> str:
    """Success rates as bars, with their 95 % intervals."""
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="520" height="150" font-family="sans-serif" font-size="13">']
    parts.append('<rect width="520" height="150" fill="white"/>')
    for index, ((name, m), colour) in enumerate(zip(rows, COLOURS)):
        y, low, high = 18 + 42 * index, m["interval"]["low"], m["interval"]["high"]
        parts.append(f'<text x="110" y="{y + 18}" text-anchor="end">{name}</text>')
        parts.append(f'<rect x="120" y="{y}" width="{300 * m["value"]:.1f}" height="26" fill="{colour}"/>')
        parts.append(f'<path d="M{120 + 300 * low:.1f} {y + 13}H{120 + 300 * high:.1f}" stroke="black" stroke-width="2"/>')
        parts.append(f'<text x="{130 + 300 * high:.1f}" y="{y + 18}">{100 * m["value"]:.1f} %</text>')
    return "\n".join(parts + ["</svg>"]) + "\n"


@torch.no_grad()
def paths(model: train.Model, parameters: dict, seed: int, episodes: list[int]) -> str:
    """Paths of planned episodes, each over its rooms."""
    options = SimpleNamespace(**{k: parameters[k] for k in ("samples", "horizon", "elites", "iterations")})
    scale, parts = 5, []
    for column, number in enumerate(episodes):
        episode = generator.Episode.draw(generator.output(generator.output(seed, number), 0))
        random = np.random.default_rng(number)
        x, y = episode.start
        points = [(x, y)]
        encode = lambda a, b: model.encode(train.pixels(torch.from_numpy(generator.render(a, b, episode.door))))  # noqa: E731
        goal = encode(*episode.goal)
        while len(points) <= parameters["steps"] and not generator.reached(x, y, episode.goal):
            noise = random.normal(size=(options.iterations, options.horizon, options.samples, 2)).astype(np.float32)
            action = train.plan(model, encode(x, y), goal, options, noise)[0, 0].double().numpy()
            x, y = (float(v) for v in generator.step(x, y, episode.door, *action))
            points.append((x, y))
        left = column * (generator.SIDE * scale + 12)
        line = " ".join(f"{left + scale * a:.1f},{scale * b:.1f}" for a, b in points)
        side, door = generator.SIDE * scale, episode.door
        parts.append(f'<rect x="{left}" width="{side}" height="{side}" fill="#d0d0d0"/>')
        parts.append(f'<rect x="{left + 10}" y="10" width="65" height="{side - 20}" fill="#20202a"/>')
        parts.append(f'<rect x="{left + 85}" y="10" width="65" height="{side - 20}" fill="#20202a"/>')
        parts.append(f'<rect x="{left + 75}" y="{scale * (door - 4):.1f}" width="10" height="40" fill="#20202a"/>')
        parts.append(f'<polyline points="{line}" fill="none" stroke="#ff6020" stroke-width="2"/>')
        parts.append(f'<circle cx="{left + scale * points[0][0]:.1f}" cy="{scale * points[0][1]:.1f}" r="5" fill="#ff6020"/>')
        gx, gy = episode.goal
        parts.append(f'<circle cx="{left + scale * gx:.1f}" cy="{scale * gy:.1f}" r="7.5" fill="none" stroke="#60ff60" stroke-width="2"/>')
    width = len(episodes) * (generator.SIDE * scale + 12) - 12
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{generator.SIDE * scale}">'] + parts + ["</svg>"]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", help="the folder of the trained model; default: keep the paths that are drawn")
    arguments = parser.parse_args()
    with open("results.json") as file:
        report = json.load(file)["reports"][0]
    with open("release/suites/planning.json") as file:
        definition = json.load(file)
    metrics = {m["name"]: m for m in report["metrics"]}
    rows = [("planned", metrics["success rate"]), ("straight line", metrics["success rate, straight line"]), ("random policy", metrics["success rate, random policy"])]
    with open("release/success.svg", "w") as file:
        file.write(bars(rows))
    if arguments.run:
        model = train.Model()
        model.load_state_dict(torch.load(f"{arguments.run}/model.pt"))
        model.eval()
        with open("release/paths.svg", "w") as file:
            file.write(paths(model, definition["parameters"], definition["seed"], [0, 1, 2, 3]))
    table = ["| | success | 95 % interval |", "|---|---|---|"]
    for name, m in rows:
        low, high = m["interval"]["low"], m["interval"]["high"]
        table.append(f"| {name} | {100 * m['value']:.1f} % | {100 * low:.1f} % to {100 * high:.1f} % |")
    steps = metrics["steps of successful episodes"]
    table += ["", f"Successful episodes take {steps['value']:.1f} steps on average ({rows[0][1]['samples']} episodes, kernels {', '.join(report['kernels'])})."]
    with open("release/README.md") as file:
        card = file.read()
    head, rest = card.split("<!-- results -->\n", 1)
    with open("release/README.md", "w") as file:
        file.write(head + "<!-- results -->\n" + "\n".join(table) + "\n<!-- end -->\n" + rest.split("<!-- end -->\n", 1)[1])
    claims = []
    for m in report["metrics"]:
        claims.append(
            f"  - suite: {report['name']}\n    suiteDigest: \"{report['suiteDigest']}\"\n    dataset: two-rooms/1\n    metric: \"{m['name']}\"\n"
            f"    unit: {m['unit']}\n    direction: {m['direction']}\n    value: {m['value']:.4f}\n"
            f"    tolerance: {1.0 if m['unit'] == 'steps' else 0.03}\n    status: measured\n    source: ami-zoo evaluate\n"
        )
    with open("model.yaml") as file:
        description = file.read()
    with open("model.yaml", "w") as file:
        file.write(description.split("evaluation:", 1)[0] + "evaluation:\n" + "".join(claims))


if __name__ == "__main__":
    main()
