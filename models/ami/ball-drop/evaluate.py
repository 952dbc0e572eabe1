# SPDX-License-Identifier: Apache-2.0
"""Evaluates ball-drop: fits the linear read-outs and writes `results.json`.

    python evaluate.py --release release --results results.json
    python evaluate.py --release release --select      # compares surprise scores on the validation seed

Predictions are made with the modules of `transformers.VJEPA2Model`: the encoder sees only the
context frames, the predictor gets their tokens and the ids of the tokens to predict. (Calling the
model on a whole clip with `context_mask` would not be a prediction: there the encoder attends to
all frames before the mask is applied.) The same encoder applied to the whole clip gives the targets.

Seeds: read-outs are fitted on FIT, the surprise score was chosen on VALIDATION, and all reported
results are measured on HELD_OUT. None of them is the training seed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F

import generator

FIT, VALIDATION, HELD_OUT = 101, 102, 103
CONTEXT_FRAMES = 8
TUBELET, CELLS, WIDTH = 2, 16, 128
TUBELETS = generator.FRAMES // TUBELET
CONTEXT = CONTEXT_FRAMES // TUBELET
HORIZONS = TUBELETS - CONTEXT
SURPRISE_CONTEXTS = (2, 3, 4, 5, 6, 7)
# Chosen with --select on the validation seed; the same for all four kinds.
SURPRISE = {"horizon": "next", "tokens": "mean", "over": "mean"}


def load(folder: str):
    from transformers import VJEPA2Model

    return VJEPA2Model.from_pretrained(folder, dtype=torch.float32).eval()


@torch.no_grad()
def predict(model, pixels: torch.Tensor, context: int) -> torch.Tensor:
    """Returns the latents of the tubelets after the first `context`, [B, tokens, width]."""
    hidden = model.encoder(pixels[:, : context * TUBELET]).last_hidden_state
    ids = torch.arange(TUBELETS * CELLS).expand(len(pixels), -1)
    split = context * CELLS
    return model.predictor(hidden, [ids[:, :split]], [ids[:, split:]]).last_hidden_state


@torch.no_grad()
def targets(model, pixels: torch.Tensor) -> torch.Tensor:
    """Returns the layer-normalised latents of all tubelets of whole clips."""
    hidden = model.encoder(pixels).last_hidden_state
    return F.layer_norm(hidden, hidden.shape[-1:])


def batches(array: np.ndarray, size: int = 64):
    for i in range(0, len(array), size):
        yield torch.from_numpy(array[i : i + size])


def describe(model, seed: int, count: int) -> dict[str, torch.Tensor]:
    """Returns predicted and target latents of later tubelets, positions and landings for the clips of a seed."""
    predicted, target, positions, landing = [], [], [], []
    for first in range(0, count, 1024):
        data = generator.clips(seed, min(1024, count - first), first)
        for pixels in batches(data["pixel_values"]):
            predicted.append(predict(model, pixels, CONTEXT))
            target.append(targets(model, pixels))
        positions.append(torch.from_numpy(data["positions"]))
        landing.append(torch.from_numpy(data["landing"]))
    return dict(
        predicted=torch.cat(predicted),
        target=torch.cat(target),
        positions=torch.cat(positions),
        landing=torch.cat(landing),
    )


def ridge(x: torch.Tensor, y: torch.Tensor, penalties=(10.0, 100.0, 1000.0)) -> tuple[torch.Tensor, torch.Tensor]:
    """Fits ridge regression on standardised inputs; returns weight [out, in] and bias [out] for raw inputs.

    The penalty is chosen on the last quarter of the data; the final fit uses all data.
    """
    mean, std, centre = x.mean(0), x.std(0).clamp_min(1e-4), y.mean(0)
    z, w = (x - mean) / std, y - centre
    cut = len(x) * 3 // 4

    def gram(z, w):
        return (z.T @ z).double(), (z.T @ w).double()

    def solve(a, b, penalty):
        return torch.cholesky_solve(b, torch.linalg.cholesky(a + penalty * torch.eye(len(a), dtype=a.dtype))).float()

    a, b = gram(z[:cut], w[:cut])
    error = {p: ((z[cut:] @ solve(a, b, p) - w[cut:]) ** 2).mean().item() for p in penalties}
    more = gram(z[cut:], w[cut:])
    solution = solve(a + more[0], b + more[1], min(error, key=error.get))
    weight = (solution / std[:, None]).T.contiguous()
    return weight, centre - weight @ mean


def tubelet(latents: torch.Tensor, horizon: int) -> torch.Tensor:
    return latents[:, horizon * CELLS : (horizon + 1) * CELLS].flatten(1)


def fit_positions(data: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    fitted = []
    for h in range(HORIZONS):
        frames = slice(CONTEXT_FRAMES + h * TUBELET, CONTEXT_FRAMES + (h + 1) * TUBELET)
        fitted.append(ridge(tubelet(data["predicted"], h), data["positions"][:, frames].flatten(1)))
    return {
        "position.weight": torch.stack([weight for weight, _ in fitted]),
        "position.bias": torch.stack([bias for _, bias in fitted]),
    }


def fit_read_outs(data: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Returns the tensors of read_outs/trajectory.safetensors."""
    inside = landing_inside(data["landing"])
    weight, bias = ridge(data["predicted"][inside].flatten(1), data["landing"][inside], (100.0, 1000.0))
    mean = data["target"].mean(0)
    scale = data["target"].std(0, unbiased=False)
    return {
        **fit_positions(data),
        "landing.weight": weight,
        "landing.bias": bias,
        "target.mean": mean,
        "target.scale": (scale**2 + 1e-4).sqrt(),
    }


def landing_inside(landing: torch.Tensor) -> torch.Tensor:
    """Selects clips whose first floor contact is after the last context frame and within the clip."""
    return (landing[:, 1] > CONTEXT_FRAMES - 1) & (landing[:, 1] <= generator.FRAMES - 1)


def apply_position(read_out: dict[str, torch.Tensor], latents: torch.Tensor) -> torch.Tensor:
    """[B, frames after the context, 2]"""
    out = [
        tubelet(latents, h) @ read_out["position.weight"][h].T + read_out["position.bias"][h] for h in range(HORIZONS)
    ]
    return torch.stack(out, 1).view(len(latents), -1, 2)


def apply_landing(read_out: dict[str, torch.Tensor], latents: torch.Tensor) -> torch.Tensor:
    return latents.flatten(1) @ read_out["landing.weight"].T + read_out["landing.bias"]


def mean_and_error(values: torch.Tensor) -> dict[str, float]:
    values = values.double()
    return {"mean": values.mean().item(), "se": (values.std() / math.sqrt(len(values))).item()}


def measure_positions(read_out, fit, test, oracle) -> dict:
    seen, future = test["positions"][:, :CONTEXT_FRAMES], test["positions"][:, CONTEXT_FRAMES:]
    ahead = torch.arange(1, future.shape[1] + 1).view(1, -1, 1).float()
    last, velocity = seen[:, -1:], seen[:, -1:] - seen[:, -2:-1]
    bend = seen[:, -1:] - 2 * seen[:, -2:-1] + seen[:, -3:-2]
    straight = last + velocity * ahead
    # The same line, clipped to the range of ball positions in the fitting clips.
    low, high = fit["positions"].amin((0, 1)), fit["positions"].amax((0, 1))
    guesses = {
        "model": apply_position(read_out, test["predicted"]),
        "last_seen": last.expand_as(future),
        "straight_line": straight,
        "straight_line_clipped": straight.clamp(low, high),
        "parabola": last + velocity * ahead + bend * ahead * (ahead + 1) / 2,
        "constant_mean": fit["positions"][:, CONTEXT_FRAMES:].mean(0).expand_as(future),
        "target_latents": oracle,
    }
    out = {"n": len(future), "unit": "px", "per_tubelet": [], "per_frame": {}}
    for name, guess in guesses.items():
        out["per_frame"][name] = (guess - future).norm(dim=-1).mean(0).tolist()
    for h in range(HORIZONS):
        part = slice(h * TUBELET, (h + 1) * TUBELET)
        row = {"frames": [CONTEXT_FRAMES + part.start, CONTEXT_FRAMES + part.stop - 1]}
        for name, guess in guesses.items():
            row[name] = mean_and_error((guess[:, part] - future[:, part]).norm(dim=-1).mean(1))
        for name in ("straight_line", "straight_line_clipped"):
            row[f"ratio_to_{name}"] = row["model"]["mean"] / row[name]["mean"]
        out["per_tubelet"].append(row)
    return out


def measure_landing(read_out, fit, test) -> dict:
    inside = landing_inside(test["landing"])
    truth = test["landing"][inside]
    guess = apply_landing(read_out, test["predicted"][inside])
    known = fit["landing"][landing_inside(fit["landing"])].mean(0)
    last = test["positions"][inside, CONTEXT_FRAMES - 1]
    velocity = last - test["positions"][inside, CONTEXT_FRAMES - 2]
    line = last[:, 0] + velocity[:, 0] * (truth[:, 1] - (CONTEXT_FRAMES - 1))
    return {
        "n": int(inside.sum()),
        "share_of_clips": inside.float().mean().item(),
        "place_px": {
            "model": mean_and_error((guess[:, 0] - truth[:, 0]).abs()),
            "constant_mean": mean_and_error((known[0] - truth[:, 0]).abs()),
            "last_seen": mean_and_error((last[:, 0] - truth[:, 0]).abs()),
            "straight_line_given_true_time": mean_and_error((line - truth[:, 0]).abs()),
        },
        "time_frames": {
            "model": mean_and_error((guess[:, 1] - truth[:, 1]).abs()),
            "constant_mean": mean_and_error((known[1] - truth[:, 1]).abs()),
        },
    }


def token_errors(model, read_out, pixels: np.ndarray) -> np.ndarray:
    """Squared error per token in normalised units, [B, contexts, tubelets, cells]; NaN for tokens not predicted."""
    out = []
    for x in batches(pixels):
        goal = (targets(model, x) - read_out["target.mean"]) / read_out["target.scale"]
        errors = torch.full((len(x), len(SURPRISE_CONTEXTS), TUBELETS * CELLS), float("nan"))
        for i, context in enumerate(SURPRISE_CONTEXTS):
            predicted = predict(model, x, context)
            errors[:, i, context * CELLS :] = ((predicted - goal[:, context * CELLS :]) ** 2).mean(-1)
        out.append(errors.view(len(x), len(SURPRISE_CONTEXTS), TUBELETS, CELLS))
    return torch.cat(out).numpy()


def surprise(errors: np.ndarray, horizon: str, tokens: str, over: str) -> np.ndarray:
    """Returns one number per clip, pooled over cells, then over tubelets and contexts.

    horizon: "next" (only the tubelet after the context), "next 2" or "all";
    tokens: "mean" over the cells of a tubelet, "max", or "top k", the mean of the k largest;
    over: "mean", "max" or "top k" over all pairs of a context and a tubelet.
    """

    def pool(values: np.ndarray, how: str) -> np.ndarray:
        worst = {"mean": values.shape[-1], "max": 1}.get(how) or int(how.split()[1])
        return np.sort(values, -1)[..., -worst:].mean(-1)

    pooled = pool(errors, tokens)
    context = np.asarray(SURPRISE_CONTEXTS)[:, None]
    ahead = np.arange(TUBELETS)[None] - context + 1
    limit = {"next": 1, "next 2": 2, "all": TUBELETS}[horizon]
    used = (ahead >= 1) & (ahead <= limit)
    return pool(pooled[:, used], over)


def wilson(successes: float, n: int) -> list[float]:
    z, p = 1.959964, successes / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return [middle - half, middle + half]


def pair_errors(model, read_out, seed: int, count: int) -> dict[str, tuple]:
    out = {}
    for kind in generator.KINDS:
        data = generator.pairs(seed, count, kind)
        out[kind] = (
            token_errors(model, read_out, data["possible"]),
            token_errors(model, read_out, data["impossible"]),
            data["event"],
        )
    return out


def relative_accuracy(errors: dict[str, tuple], protocol: dict[str, str]) -> dict[str, float]:
    return {k: float((surprise(a, **protocol) < surprise(b, **protocol)).mean()) for k, (a, b, _) in errors.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default="release")
    parser.add_argument("--results", default="results.json")
    parser.add_argument("--fit", type=int, default=8192, help="number of clips for the read-outs")
    parser.add_argument("--held-out", type=int, default=4096)
    parser.add_argument("--pairs", type=int, default=1000, help="number of pairs of each kind")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--select", action="store_true", help="compare surprise scores on the validation seed")
    o = parser.parse_args()
    torch.set_num_threads(o.threads)
    from safetensors.torch import load_file, save_file

    model = load(o.release)
    path = os.path.join(o.release, "read_outs", "trajectory.safetensors")
    if o.select:
        errors = pair_errors(model, load_file(path), VALIDATION, o.pairs)
        table = []
        choices = ("next", "next 2", "all"), ("mean", "top 4", "max"), ("mean", "top 3", "max")
        for h, t, v in itertools.product(*choices):
            row = relative_accuracy(errors, protocol := {"horizon": h, "tokens": t, "over": v})
            table.append((min(row.values()), np.mean(list(row.values())), protocol, row))
        for least, mean, protocol, row in sorted(table, key=lambda r: r[:2], reverse=True):
            print(f"{least:.3f} {mean:.4f} {protocol} {row}")
        return

    fit, test = describe(model, FIT, o.fit), describe(model, HELD_OUT, o.held_out)
    read_out = fit_read_outs(fit)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    save_file(
        read_out,
        path,
        metadata={
            "format": "ami-zoo.read-out/1",
            "kind": "trajectory",
            "context_frames": str(CONTEXT_FRAMES),
            "frames": str(generator.FRAMES),
            "units": "px",
            "source": f"evaluate.py seed {FIT}, {o.fit} clips",
        },
    )
    # The same read-out fitted to the target latents is an upper bound for perfect predictions.
    later = CONTEXT * CELLS
    truth = {name: {**data, "predicted": data["target"][:, later:]} for name, data in (("fit", fit), ("test", test))}
    bound = fit_positions(truth["fit"])
    results = {
        "model": "ami/ball-drop",
        "seeds": {"fit": FIT, "validation": VALIDATION, "held_out": HELD_OUT},
        "fit_clips": o.fit,
        "position": measure_positions(read_out, fit, test, apply_position(bound, truth["test"]["predicted"])),
        "landing": measure_landing(read_out, fit, test),
    }
    goal = (test["target"] - read_out["target.mean"]) / read_out["target.scale"]
    results["latent_error"] = {
        "unit": "share of the target's variance not predicted, 8 frames of context",
        "n": o.held_out,
        "per_tubelet": [
            ((tubelet(test["predicted"], h) - tubelet(goal[:, later:], h)) ** 2).mean().item() for h in range(HORIZONS)
        ],
    }
    errors = pair_errors(model, read_out, HELD_OUT, o.pairs)
    accuracy = relative_accuracy(errors, SURPRISE)
    results["impossible"] = {
        "metric": "relative accuracy: share of pairs whose possible clip has the lower surprise",
        "protocol": {**SURPRISE, "context_tubelets": list(SURPRISE_CONTEXTS), "error": "squared, normalised targets"},
        "pairs_per_kind": o.pairs,
        "kinds": {k: {"accuracy": v, "ci95": wilson(v * o.pairs, o.pairs)} for k, v in accuracy.items()},
        "by_event_frame": {
            k: {
                str(e): float((surprise(a, **SURPRISE) < surprise(b, **SURPRISE))[event == e].mean())
                for e in np.unique(event)
            }
            for k, (a, b, event) in errors.items()
        },
    }
    with open(o.results, "w") as f:
        json.dump(results, f, indent=1)
        f.write("\n")
    for row in results["position"]["per_tubelet"]:
        print(row["frames"], {k: round(v["mean"] if isinstance(v, dict) else v, 3) for k, v in row.items() if k != "frames"})
    print(json.dumps(results["landing"], indent=1))
    print(json.dumps(results["impossible"]["kinds"], indent=1))


if __name__ == "__main__":
    main()
