# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes model.yaml, the plots and the numbers of the card.

    ami-zoo evaluate release --description model.yaml --json > results.json
    python card.py              # from results.json, training.json and release/config.json

In release/README.md it replaces what is between "## Results" and "## Use".
"""

from __future__ import annotations

import json
import math

import generator

FAULTS = (*generator.FAULTS, "any")
BASELINES = ("largest-z", "mahalanobis")
INK, MODEL, BASE = "#888888", "#0072b2", "#e69f00"


def load(path: str) -> dict:
    with open(path) as file:
        return json.load(file)


def numbers(report: dict) -> dict[str, dict]:
    return {metric["name"]: metric for metric in report["metrics"]}


def span(metric: dict, digits: int = 3) -> str:
    text = f"{metric['value']:.{digits}f}"
    if "interval" in metric:
        text += f" ({metric['interval']['low']:.{digits}f} to {metric['interval']['high']:.{digits}f})"
    return text


def svg(width: int, height: int, parts: list[str], title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" '
        f'fill="{INK}" role="img"><title>{title}</title>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def plot_ratios(anomaly: dict[str, dict]) -> str:
    """How many times smaller the error 1 - AUROC of the model is, on a logarithmic axis, with intervals."""
    low, high, left, right = 0.5, 64.0, 190, 620

    def x(value: float) -> float:
        return left + (right - left) * math.log(min(max(value, low), high) / low) / math.log(high / low)

    rows = [(kind, name) for kind in FAULTS for name in BASELINES]
    bottom = 24 + 22 * len(rows)
    parts = []
    for tick in (0.5, 1, 2, 4, 8, 16, 32, 64):
        parts.append(f'<line x1="{x(tick):.1f}" y1="14" x2="{x(tick):.1f}" y2="{bottom}" stroke="{INK}" stroke-opacity="0.3"/>')
        parts.append(f'<text x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    parts.append(f'<line x1="{x(1.5):.1f}" y1="14" x2="{x(1.5):.1f}" y2="{bottom}" stroke="{INK}" stroke-dasharray="4 3"/>')
    for row, (kind, name) in enumerate(rows):
        metric = anomaly[f"1 - AUROC of {name} over that of the model, {kind}"]
        y, colour = 28 + 22 * row, MODEL if name == "mahalanobis" else BASE
        interval = metric["interval"]
        parts.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{kind}, {name}</text>')
        parts.append(f'<line x1="{x(interval["low"]):.1f}" y1="{y}" x2="{x(interval["high"]):.1f}" y2="{y}" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<circle cx="{x(metric["value"]):.1f}" cy="{y}" r="4" fill="{colour}"/>')
    parts.append(f'<text x="{(left + right) / 2}" y="{bottom + 34}" text-anchor="middle">1 - AUROC of the baseline over that of the model (dashed: 1.5)</text>')
    return svg(640, bottom + 44, parts, "How many times smaller the error of the model is")


def plot_training(training: dict) -> str:
    log = training["log"]
    last, top = log[-1]["step"], max(entry["validation"] for entry in log)
    bottom = min(entry["validation"] for entry in log) / 1.3

    def point(entry: dict) -> tuple[float, float]:
        share = math.log(entry["validation"] / bottom) / math.log(top / bottom)
        return 60 + 550 * entry["step"] / last, 190 - 170 * share

    parts = []
    for tick in (1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001):
        if bottom <= tick <= top:
            y = point({"step": 0, "validation": tick})[1]
            parts.append(f'<line x1="60" y1="{y:.1f}" x2="610" y2="{y:.1f}" stroke="{INK}" stroke-opacity="0.3"/>')
            parts.append(f'<text x="54" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(point, log))
    parts.append(f'<polyline points="{path}" fill="none" stroke="{MODEL}" stroke-width="2"/>')
    chosen = point(next(entry for entry in log if entry["step"] == training["steps"]))
    parts.append(f'<circle cx="{chosen[0]:.1f}" cy="{chosen[1]:.1f}" r="4" fill="{BASE}"/>')
    parts.append(f'<text x="60" y="208">0</text><text x="610" y="208" text-anchor="end">{last} steps</text>')
    parts.append('<text x="335" y="226" text-anchor="middle">validation loss (dot: the released step)</text>')
    return svg(640, 236, parts, "Validation loss over training")


def results(anomaly: dict[str, dict], retrieval: dict[str, dict], life: dict[str, dict], training: dict) -> str:
    lines = [
        "## Results", "",
        "Measured by `ami-zoo evaluate` on `ami/turbofan-runs:1.0.0`, engines of seeds that were not trained on. Intervals are 95 %.", "",
        "**Anomalies**, `anomaly/1`: the score of a window is the squared error of its tokens, each block of 4 predicted from the other",
        "12, averaged. 400 sound windows against 150 of each fault. Baselines on raw channels: the largest |z| of a window, and the",
        "Mahalanobis distance of its channel means, both with the statistics of the split `train`. The ratio is 1 - AUROC of the baseline",
        "over that of the model: how many times smaller the model's error is.", "",
        "| fault | AUROC | ratio to largest z | ratio to Mahalanobis |", "|---|---|---|---|",
    ]
    for kind in FAULTS:
        ratios = [span(anomaly[f"1 - AUROC of {name} over that of the model, {kind}"], 2) for name in BASELINES]
        lines.append(f"| {kind} | {span(anomaly[f'AUROC, {kind}'])} | {ratios[0]} | {ratios[1]} |")
    lines += [
        "",
        "A spike is below 1.5: it is one number of a window, and features that ignore noise and the conditions of single flights nearly",
        "ignore it too. Look for spikes in raw channels. A sensor that was wrong from the first step on was not measured (see Limits).", "",
        "![Ratios with intervals](plots/ratios.svg)", "",
        "**Retrieval of the stage of wear**, `retrieval/1`: for each of 500 windows of 250 engines, the nearest windows of other engines;",
        "relevant are those with the same stage: little wear, or the component that wears. Baselines: the cosine of raw windows, and of",
        "the means of their channels. Two windows of an engine are not independent, so that the intervals are somewhat too narrow.", "",
        "| | model | over raw windows | over channel means |", "|---|---|---|---|",
    ]
    for name in [name for name in retrieval if " over " not in name]:
        ratios = [span(retrieval[f"{name} over that of {baseline}"], 2) for baseline in ("raw windows", "channel means")]
        lines.append(f"| {name} | {span(retrieval[name])} | {ratios[0]} | {ratios[1]} |")
    lines += [
        "",
        "Retrieval is better than with raw windows, and **no better than with the means of channels**: over 64 flights the conditions",
        "average out, and what is left of the channels is offset and wear, which is what the features hold too. The precision of raw windows",
        "is 0.56 to 0.62, so that no ratio to it can be above 1.6 to 1.8. An untrained model of the same architecture has a mean average",
        "precision of 0.539, and AUROCs of 0.44 to 0.47.", "",
        *remaining_life(life), "",
        f"**Training**: the released step is {training['steps']}, after which the validation loss rose; the run ended at step"
        f" {training['log'][-1]['step']} of at most 3,000",
        f"({training['cpu_seconds']} s of CPU time). The moving average then lags behind the online encoder.", "",
        "![Validation loss](plots/training.svg)", "",
    ]
    return "\n".join(lines) + "\n"


def remaining_life(life: dict[str, dict]) -> list[str]:
    constant, raw = (life[f"RMSE of {name} over that of the model"] for name in ("constant", "raw"))
    return [
        "**Remaining life**, `linear-probe/1`: a ridge regression on features averaged over tokens, fitted on the split `train` (its",
        "strength chosen on every fifth engine), measured on the 500 windows of the split `test`. Intervals are over engines.", "",
        "| | value |", "|---|---|",
        f"| RMSE, flights | {span(life['RMSE'], 2)} |", f"| R2 | {life['R2']['value']:.3f} |",
        f"| RMSE of the mean over that of the model | {span(constant, 2)} |",
        f"| RMSE of the same regression on raw windows over that of the model | {span(raw, 2)} |", "",
        f"**The same regression on raw windows is better**: its RMSE is {raw['value']:.2f} of that of the model. And training adds little: an untrained",
        "model of the same architecture (one random initialisation) has an RMSE of 22.84. To estimate the remaining life of these engines, use",
        "raw windows.",
    ]


def description(config: dict, training: dict, reports: list[dict]) -> str:
    quantities = "\n".join(
        f"    - {{name: {name}, unit: \"{unit}\", mean: {mean!r}, std: {std!r}}}"
        for (name, unit, _), mean, std in zip(generator.CHANNELS, config["channel_mean"], config["channel_std"])
    )
    claims = []
    for report in reports:
        # The stages of the suite golden have bounds, and are no claims.
        for metric in report["metrics"] if report["name"] != "golden" else []:
            is_life = report["name"] == "remaining-life"
            # A ratio is as uncertain as its interval is wide; the value itself is repeated to 0.005. Training changes the
            # remaining life little, so that the tolerances of its claims are narrow enough for an untrained model to fail.
            if metric["unit"] == "ratio" and not is_life:
                tolerance = round(max(0.02, 0.05 * metric["value"]), 3)
            else:
                tolerance = {"fraction": 0.005, "flights": 0.1, "ratio": 0.01}[metric["unit"]]
            claims.append(
                f"  - suite: {report['name']}\n    suiteDigest: {report['suiteDigest']}\n"
                f"    dataset: ami/turbofan-runs:1.0.0\n    datasetDigest: {report['data']['digest']}\n"
                f"    metric: \"{metric['name']}\"\n    unit: {metric['unit']}\n    direction: {metric['direction']}\n"
                f"    value: {metric['value']:.4f}\n    tolerance: {tolerance}\n    status: measured\n"
                "    source: ami-zoo evaluate\n"
            )
    return f"""# SPDX-License-Identifier: Apache-2.0
name: ami/turbofan
version: 1.1.0
summary: A small JEPA over the sensors of simulated turbofan engines that wear out; finds faulty sensors.
authors: [ami-zoo contributors]
licence: Apache-2.0
created: 2026-11-27T00:00:00Z
architecture:
  family: series-jepa
  variant: turbofan
inputs:
  modality: series
  length: {config["window_steps"]}
  quantities:
{quantities}
components:
  - name: encoder
    prefix: "encoder."
    files: [model.safetensors]
  - name: predictor
    prefix: "predictor."
    files: [model.safetensors]
lineage:
  kind: trained
  recipe: models/ami/turbofan/train.py
  command: "python train.py --output release"
  data: models/ami/turbofan/generator.py
  seed: {training["seed"]}
  steps: {training["steps"]}
  batch: {training["batch"]}
evaluation:
{"".join(claims)}"""


def main() -> None:
    import os

    reports = load("results.json")["reports"]
    training, config = load("training.json"), load("release/config.json")
    by_name = {report["name"]: numbers(report) for report in reports}
    anomaly, retrieval, life = (by_name[name] for name in ("anomaly", "wear-retrieval", "remaining-life"))
    os.makedirs("release/plots", exist_ok=True)
    for name, text in (("ratios", plot_ratios(anomaly)), ("training", plot_training(training))):
        with open(f"release/plots/{name}.svg", "w") as file:
            file.write(text)
    with open("release/README.md") as file:
        card = file.read()
    head, rest = card.split("## Results", 1)
    with open("release/README.md", "w") as file:
        file.write(head + results(anomaly, retrieval, life, training) + "## Use" + rest.split("## Use", 1)[1])
    with open("model.yaml", "w") as file:
        file.write(description(config, training, reports))


if __name__ == "__main__":
    main()
