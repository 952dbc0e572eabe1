# SPDX-License-Identifier: Apache-2.0
"""Writes the results of `evaluate.py` into the model card.

    python card.py            rewrites release/README.md (from "## Results" to "## Claims")
                              from results.json
"""

from __future__ import annotations

import json

KINDS = ("teleport", "reversed", "frozen", "vanished")


def half(value: dict) -> str:
    """Formats a mean with the half-width of its 95 % interval."""
    return f"{value['mean']:.2f} ± {1.96 * value['se']:.2f}"


def results(r: dict) -> str:
    position, landing, impossible = r["position"], r["landing"], r["impossible"]
    columns = ("last_seen", "straight_line", "straight_line_clipped", "parabola", "constant_mean", "target_latents")
    lines = [
        "## Results",
        "",
        f"Held-out clips (generator seed {r['seeds']['held_out']}; read-outs fitted by ridge on {r['fit_clips']} clips of seed "
        f"{r['seeds']['fit']}; the surprise",
        f"score chosen on seed {r['seeds']['validation']}; trained on seed 20261121). Measured by `evaluate.py` with `transformers`; all",
        "numbers are in `results.json`.",
        "",
        f"**Position**, {position['n']} clips, mean distance in px from the true centre, given frames 0 to 7 (± is a 95 %",
        "interval). *Straight line* goes on from the true positions in frames 6 and 7; *clipped* stops it at",
        "the extremes that positions have; *parabola* also knows the acceleration, exactly, but no bounces;",
        "*target latents* is the same read-out fitted to the latents of the frames themselves.",
        "",
        "| frames | model | last seen | straight line | clipped | parabola | constant mean | target latents | model / straight line |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for t in position["per_tubelet"]:
        cells = [f"{t['frames'][0]}, {t['frames'][1]}", half(t["model"])]
        cells += [f"{t[name]['mean']:.2f}" for name in columns]
        cells.append(f"{t['ratio_to_straight_line']:.2f}")
        lines.append("| " + " | ".join(cells) + " |")
    place, time = landing["place_px"], landing["time_frames"]
    shares = ", ".join(f"{share:.2f}" for share in r["latent_error"]["per_tubelet"])
    lines += [
        "",
        "Over the first two frames a straight line is better: the ball has hardly bent its path, and a patch",
        "is 8 px wide. The gain is over longer horizons, where it bounces.",
        "",
        f"The share of the variance of the normalised targets that is not predicted, for the four later tubelets: {shares}.",
        "",
        f"**Landing**, {landing['n']} clips whose first floor contact falls in frames (7, 15], mean absolute error:",
        "",
        "| | model | constant mean | other |",
        "|---|---|---|---|",
        f"| place, px | {half(place['model'])} | {place['constant_mean']['mean']:.2f} | last seen x: "
        f"{place['last_seen']['mean']:.2f}; straight line, told the true time: "
        f"{place['straight_line_given_true_time']['mean']:.2f} |",
        f"| time, frames | {half(time['model'])} | {time['constant_mean']['mean']:.2f} | |",
        "",
        f"**Impossible clips**, {impossible['pairs_per_kind']} pairs per kind. A pair is a possible clip and the same clip with one",
        "event in frame 5 to 11: the ball jumps 8 px or more (teleport), gravity changes sign (reversed), the ball",
        "stops in the air (frozen), the ball is gone (vanished). Relative accuracy is the share of pairs",
        "whose possible clip has the lower surprise. The surprise of a clip: for each context of 2 to 7 tubelets",
        "(4 to 14 frames), predict the tubelet that follows; take the squared difference from the normalised",
        "target, (LN(h) - `target.mean`) / `target.scale`, averaged over the tubelet's tokens and channels; average",
        "the six. It is the published protocol's mean over windows and contexts with a horizon of one tubelet, the",
        "same for the four kinds; several scores did equally well on the validation seed and this is the simplest.",
        "",
        "| kind | accuracy | 95 % interval |",
        "|---|---|---|",
    ]
    for kind in KINDS:
        value = impossible["kinds"][kind]
        low, high = value["ci95"]
        lines.append(f"| {kind} | {value['accuracy']:.1%} | {low:.1%} to {high:.1%} |".replace("%", " %"))
    return "\n".join(lines) + "\n\n"


def main() -> None:
    with open("results.json") as file:
        r = json.load(file)
    with open("release/README.md") as file:
        card = file.read()
    head, rest = card.split("## Results", 1)
    with open("release/README.md", "w") as file:
        file.write(head + results(r) + "## Claims" + rest.split("## Claims", 1)[1])


if __name__ == "__main__":
    main()
