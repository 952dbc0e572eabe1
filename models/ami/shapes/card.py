# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes model.yaml, the plots and the numbers of the card.

    ami-zoo evaluate release --description model.yaml --json > results.json
    python card.py              # from results.json, untrained.json (untrained.py) and training.json (train.py)

Of results.json and untrained.json only `reports` is kept. Without results.json, model.yaml has no claims, which is enough to
evaluate. In release/README.md it replaces what is between "## Results" and "## Use".
"""

from __future__ import annotations

import json
import math
import os

INK = "#888888"
COLOURS = {"model": "#0072b2", "untrained": "#009e73", "raw pixels": "#e69f00"}
LABELS = {"shape": 6, "colour": 6, "count": 3}  # and the number of classes
PROBES = {
    "linear probe": ("linear-probe", "accuracy", "1 - accuracy of raw over that of the model"),
    "1 neighbour": ("knn", "accuracy, 1 neighbours", "1 - accuracy of raw over that of the model, 1 neighbours"),
    "20 neighbours": ("knn", "accuracy, 20 neighbours", "1 - accuracy of raw over that of the model, 20 neighbours"),
}
Z = 1.959963984540054  # of a 95 % interval
WANTED = 1.5
FEWEST = 10  # mistakes of the model, for a ratio that is claimed


def load(path: str) -> dict:
    with open(path) as file:
        return json.load(file)


def reports(path: str) -> list[dict]:
    """The reports in the file, which is reduced to them."""
    document = {"reports": load(path)["reports"]}
    with open(path, "w") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
    return document["reports"]


class Error:
    """An error rate with Wilson's interval, at least half a sample, as `linear-probe/1` counts it."""

    def __init__(self, accuracy: float, samples: int):
        share, least = 1 - accuracy, 1 / (2 * samples)
        middle = (share + Z * Z / (2 * samples)) / (1 + Z * Z / samples)
        half = Z / (1 + Z * Z / samples) * math.sqrt(share * (1 - share) / samples + Z * Z / (4 * samples * samples))
        self.low, self.value, self.high = (math.log(max(v, least)) for v in (middle - half, share, middle + half))

    def over(self, other: Error) -> dict:
        """The ratio of two error rates with the interval of Zou and Donner (2008) on the logarithmic scale."""
        ratio = self.value - other.value
        low = ratio - math.hypot(self.value - self.low, other.high - other.value)
        high = ratio + math.hypot(self.high - self.value, other.value - other.low)
        return {"value": math.exp(ratio), "interval": {"low": math.exp(low), "high": math.exp(high)}}


def rows(model: list[dict], untrained: list[dict]) -> list[dict]:
    def numbers(reports: list[dict]) -> dict[str, dict[str, dict]]:
        return {r["name"]: {m["name"]: m for m in r["metrics"]} for r in reports}

    mine, blank, out = numbers(model), numbers(untrained), []
    for label in LABELS:
        for title, (suite, metric, ratio) in PROBES.items():
            name = f"{label}-{suite}"
            accuracy, start = mine[name][metric], blank[name][metric]
            samples, error = accuracy["samples"], Error(accuracy["value"], accuracy["samples"])
            raw = mine[name][ratio]
            assert samples == start["samples"]
            out.append(
                {
                    "label": label, "probe": title, "model": accuracy, "untrained": start["value"],
                    # Exact unless the model makes no error, which counts as half of one.
                    "raw pixels": 1 - raw["value"] * max(1 - accuracy["value"], 1 / (2 * samples)),
                    "over untrained": Error(start["value"], samples).over(error), "over raw": raw,
                }
            )  # fmt: skip
    return out


def span(metric: dict, digits: int) -> str:
    interval = metric["interval"]
    return f"{metric['value']:.{digits}f} ({interval['low']:.{digits}f} to {interval['high']:.{digits}f})"


def svg(width: int, height: int, parts: list[str], title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" '
        f'fill="{INK}" role="img"><title>{title}</title>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def key(y: int, colours: dict[str, str], note: str) -> list[str]:
    """A line of coloured names and a note, each in a place of its own, since the width of text is not known."""
    entries = [*colours.items(), (note, INK)]
    return [f'<text x="{60 + 140 * place}" y="{y}" fill="{colour}">{name}</text>' for place, (name, colour) in enumerate(entries)]


def plot_training(training: dict) -> str:
    log = training["log"]
    last = log[-1]["step"]

    def point(step: int, value: float) -> tuple[float, float]:
        return 60 + 550 * step / last, 190 - 170 * value

    parts = []
    for tick in range(6):
        y = point(0, tick / 5)[1]
        parts.append(f'<line x1="60" y1="{y:.1f}" x2="610" y2="{y:.1f}" stroke="{INK}" stroke-opacity="0.3"/>')
        parts.append(f'<text x="54" y="{y + 4:.1f}" text-anchor="end">{tick / 5:.1f}</text>')
    lines = {"shape": COLOURS["model"], "count": COLOURS["untrained"], "loss": COLOURS["raw pixels"]}
    for name, colour in lines.items():
        path = " ".join("{:.1f},{:.1f}".format(*point(e["step"], e[name])) for e in log if e[name] is not None)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    x, y = point(training["steps"], next(e["shape"] for e in log if e["step"] == training["steps"]))
    parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{COLOURS["model"]}"/>')
    parts.append(f'<text x="60" y="208">0</text><text x="610" y="208" text-anchor="end">{last} steps</text>')
    names = {"accuracy, shape": lines["shape"], "accuracy, count": lines["count"], "loss": lines["loss"]}
    return svg(640, 236, parts + key(228, names, "dot: the released step"), "Watched probes and loss over training")


def plot_probes(table: list[dict]) -> str:
    """Accuracies as bars, with the model's interval; a line marks chance."""
    parts, y, left, width = [], 10, 190, 400
    for label, classes in LABELS.items():
        first = y
        for row in (row for row in table if row["label"] == label):
            parts.append(f'<text x="{left - 8}" y="{y + 24}" text-anchor="end">{label}, {row["probe"]}</text>')
            for name, colour in COLOURS.items():
                value = row[name]["value"] if name == "model" else row[name]
                parts.append(f'<rect x="{left}" y="{y}" width="{width * value:.1f}" height="12" fill="{colour}"/>')
                parts.append(f'<text x="{left + width * value + 12:.1f}" y="{y + 10}" font-size="10">{value:.3f}</text>')
                if name == "model":
                    low, high = (left + width * row[name]["interval"][end] for end in ("low", "high"))
                    parts.append(f'<line x1="{low:.1f}" y1="{y + 6}" x2="{high:.1f}" y2="{y + 6}" stroke="{INK}" stroke-width="2"/>')
                y += 13
            y += 8
        x = left + width / classes
        parts.append(f'<line x1="{x:.1f}" y1="{first}" x2="{x:.1f}" y2="{y - 8}" stroke="{INK}" stroke-dasharray="4 3"/>')
        y += 6
    return svg(640, y + 22, parts + key(y + 12, COLOURS, "dashed: chance"), "Accuracy of probes")


def results(table: list[dict], training: dict) -> str:
    lines = [
        "Measured by `ami-zoo evaluate` on 2,000 pictures of `ami/shapes-images:1.0.0` (split `test`), with probes fitted on the 4,000 of `train`.",
        "A ratio is 1 - accuracy of the baseline over that of the model: how many times smaller the model's error is. Intervals are 95 %.",
        "*Raw pixels* is the same probe on pixels. *Untrained* is the same architecture with the weights that training starts from",
        "(`untrained.py`), measured by the same suites; it is no claim of the record, because a suite measures one model. Chance is 0.167",
        "for shape and colour, and 0.333 for count.", "",
        "| label, probe | model | untrained | raw pixels | ratio to untrained | ratio to raw pixels |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in table:
        lines.append(
            f"| {row['label']}, {row['probe']} | {span(row['model'], 3)} | {row['untrained']:.3f} | {row['raw pixels']:.3f} "
            f"| {span(row['over untrained'], 2)} | {span(row['over raw'], 2)} |"
        )
    low = [
        f"{row['label']}, {row['probe']}, over {name} ({row[ratio]['value']:.2f})"
        for row in table for name, ratio in (("untrained", "over untrained"), ("raw pixels", "over raw")) if row[ratio]["value"] < WANTED
    ]  # fmt: skip
    lines += ["", f"Ratios below {WANTED}: " + ("; ".join(low) if low else "none") + ".", ""]
    with open("notes.md") as file:
        lines += [file.read().strip(), ""]
    lines += [
        "![Accuracy of probes](plots/probes.svg)", "",
        f"**Training**: the released step is {training['steps']} of {training['planned']:,}. The run ended at step {training['log'][-1]['step']}"
        f" after {training['cpu_seconds']} s of CPU time: {training['end']}.", "",
        "![Watched probes and loss](plots/training.svg)", "",
    ]  # fmt: skip
    return "## Results\n\n" + "\n".join(lines) + "\n"


def mistakes(report: dict, ratio: str) -> int:
    """How many pictures the model's probe gets wrong, whose ratio this is."""
    ending = f", {ratio.split(', ')[1]}" if ", " in ratio else ""
    accuracy = next(m for m in report["metrics"] if m["name"] == "accuracy" + ending)
    return round((1 - accuracy["value"]) * accuracy["samples"])


def description(training: dict, reports: list[dict]) -> str:
    claims = []
    for report in reports:
        if report["data"]["kind"] != "dataset":
            continue
        for metric in report["metrics"]:
            # Other kernels round in another way, which can change the class of a few of 2,000 pictures.
            tolerance = 0.005 if metric["unit"] == "fraction" else round(max(0.02, 0.05 * metric["value"]), 3)
            if metric["unit"] == "ratio":
                errors = mistakes(report, metric["name"])
                if errors < FEWEST:
                    continue
                tolerance = round(max(tolerance, 3 / errors * metric["value"]), 3)
            claims.append(
                f"  - suite: {report['name']}\n    suiteDigest: {report['suiteDigest']}\n"
                f"    dataset: ami/shapes-images:1.0.0\n    datasetDigest: {report['data']['digest']}\n"
                f"    metric: \"{metric['name']}\"\n    unit: {metric['unit']}\n    direction: {metric['direction']}\n"
                f"    value: {metric['value']:.4f}\n    tolerance: {tolerance}\n    status: measured\n"
                "    source: ami-zoo evaluate\n"
            )
    evaluation = "evaluation:\n" + "".join(claims) if claims else "evaluation: []\n"
    return f"""# SPDX-License-Identifier: Apache-2.0
name: ami/shapes
version: 1.0.0
summary: A small I-JEPA of generated pictures; probes read shape, colour and number of the objects.
authors: [ami-zoo contributors]
licence: Apache-2.0
created: 2026-11-27T00:00:00Z
architecture:
  family: ijepa
  variant: shapes
inputs:
  modality: image
  frames: 1
  height: 32
  width: 32
  channels: rgb
  layout: BCHW
  preprocessing:
    orientation: upright
    resize: {{rule: none}}
    resampling: none
    crop: {{rule: none}}
    rescale: 0.00392156862745098
    mean: [0.5, 0.5, 0.5]
    std: [0.25, 0.25, 0.25]
components:
  - name: encoder
    files: [model.safetensors]
  - name: predictor
    files: [predictor.safetensors]
lineage:
  kind: trained
  recipe: models/ami/shapes/train.py
  command: "python train.py --output release"
  data: models/ami/shapes/generator.py
  seed: {training["seed"]}
  steps: {training["steps"]}
  batch: {training["batch"]}
{evaluation}"""


def main() -> None:
    training = load("training.json")
    if not os.path.exists("results.json"):
        with open("model.yaml", "w") as file:
            file.write(description(training, []))
        return
    model = reports("results.json")
    table = rows(model, reports("untrained.json"))
    os.makedirs("release/plots", exist_ok=True)
    for name, text in (("training", plot_training(training)), ("probes", plot_probes(table))):
        with open(f"release/plots/{name}.svg", "w") as file:
            file.write(text)
    with open("release/README.md") as file:
        head, rest = file.read().split("## Results", 1)
    with open("release/README.md", "w") as file:
        file.write(head + results(table, training) + "## Use" + rest.split("## Use", 1)[1])
    with open("model.yaml", "w") as file:
        file.write(description(training, model))


if __name__ == "__main__":
    main()
