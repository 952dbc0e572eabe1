# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes the plots and the numbers of the card.

    python card.py              # from results.json (probes.py) and training.json (train.py)

In release/README.md it replaces what is between "<!-- results -->" and "<!-- end -->".
"""

from __future__ import annotations

import json
import os

INK = "#888888"
COLOURS = {"model": "#0072b2", "untrained": "#009e73", "raw pixels": "#e69f00"}
PROBES = ("linear", "ridge", "knn", "knn, weighted")
LABELS = {"shape": 6, "colour": 6, "count": 3}  # and the number of classes


def load(path: str) -> dict:
    with open(path) as file:
        return json.load(file)


def svg(width: int, height: int, parts: list[str], title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" '
        f'fill="{INK}" role="img"><title>{title}</title>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def key(y: int, colours: dict[str, str], note: str) -> list[str]:
    """A line of coloured names and a note, each in a place of its own, since the width of text is not known."""
    entries = [*colours.items(), (note, INK)]
    return [f'<text x="{60 + 150 * place}" y="{y}" fill="{colour}">{name}</text>' for place, (name, colour) in enumerate(entries)]


def plot_training(training: dict) -> str:
    log = training["log"]
    last = log[-1]["step"]
    top = max(entry["validation"] for entry in log[1:])
    bottom = 0.0

    def point(step: int, value: float) -> tuple[float, float]:
        return 60 + 550 * step / last, 190 - 170 * (min(value, top) - bottom) / (top - bottom)

    parts = []
    for tick in range(6):
        value = top * tick / 5
        y = point(0, value)[1]
        parts.append(f'<line x1="60" y1="{y:.1f}" x2="610" y2="{y:.1f}" stroke="{INK}" stroke-opacity="0.3"/>')
        parts.append(f'<text x="54" y="{y + 4:.1f}" text-anchor="end">{value:.3f}</text>')
    for name, colour in (("validation", COLOURS["model"]), ("loss", COLOURS["raw pixels"])):
        path = " ".join("{:.1f},{:.1f}".format(*point(entry["step"], entry[name])) for entry in log)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    chosen = next(entry for entry in log if entry["step"] == training["steps"])
    x, y = point(chosen["step"], chosen["validation"])
    parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{COLOURS["model"]}"/>')
    parts.append(f'<text x="60" y="208">0</text><text x="610" y="208" text-anchor="end">{last} steps</text>')
    parts += key(226, {"validation loss": COLOURS["model"], "its prediction part": COLOURS["raw pixels"]}, "dot: the released step")
    return svg(640, 236, parts, "Validation loss over training")


def plot_probes(results: dict) -> str:
    """Accuracies as bars; a line marks chance."""
    parts, y, left, width = [], 10, 190, 400
    for label, classes in LABELS.items():
        start = y
        for probe in ("linear", "knn, weighted"):
            parts.append(f'<text x="{left - 8}" y="{y + 27}" text-anchor="end">{label}, {probe}</text>')
            for name, colour in COLOURS.items():
                value = results[label][name][probe]["accuracy"]
                parts.append(f'<rect x="{left}" y="{y}" width="{width * value:.1f}" height="12" fill="{colour}"/>')
                parts.append(f'<text x="{left + width * value + 5:.1f}" y="{y + 10}" font-size="10">{value:.3f}</text>')
                y += 13
            y += 8
        x = left + width / classes
        parts.append(f'<line x1="{x:.1f}" y1="{start}" x2="{x:.1f}" y2="{y - 8}" stroke="{INK}" stroke-dasharray="4 3"/>')
        y += 6
    parts += key(y + 12, COLOURS, "dashed: chance")
    return svg(640, y + 22, parts, "Accuracy of probes")


def tables(document: dict, training: dict) -> str:
    samples, lines = document["samples"], []
    lines += [
        f"Accuracies on {samples['test']:,} images of probes fitted on {samples['train']:,}, by `probes.py` with scikit-learn. The ratio is 1 - accuracy of the",
        "baseline over that of the model: how many times smaller the model's error is. Chance is 0.167 for shape and colour, and",
        "0.333 for count. One std of an accuracy is at most 0.011.", "",
        "| label, probe | model | untrained | raw pixels | ratio to untrained | ratio to raw pixels |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for label in LABELS:
        of = document["results"][label]
        for probe in PROBES:
            mine, blank, raw = (of[name][probe]["accuracy"] for name in ("model", "untrained", "raw pixels"))
            ratios = [f"{(1 - other) / (1 - mine):.2f}" if mine < 1 else "-" for other in (blank, raw)]
            lines.append(f"| {label}, {probe} | {mine:.3f} | {blank:.3f} | {raw:.3f} | {ratios[0]} | {ratios[1]} |")
    lines += [
        "", "![Accuracy of probes](plots/probes.svg)", "",
        f"The released step is {training['steps']}; the run ended at step {training['log'][-1]['step']} after {training['cpu_seconds']} s of CPU time.", "",
        "![Validation loss](plots/training.svg)",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    document, training = load("results.json"), load("training.json")
    os.makedirs("release/plots", exist_ok=True)
    for name, text in (("training", plot_training(training)), ("probes", plot_probes(document["results"]))):
        with open(f"release/plots/{name}.svg", "w") as file:
            file.write(text)
    with open("release/README.md") as file:
        head, rest = file.read().split("<!-- results -->\n", 1)
    with open("release/README.md", "w") as file:
        file.write(head + "<!-- results -->\n" + tables(document, training) + "<!-- end -->\n" + rest.split("<!-- end -->\n", 1)[1])


if __name__ == "__main__":
    main()
