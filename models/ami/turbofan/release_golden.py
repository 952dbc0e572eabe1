# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes goldens/reference.safetensors and suites/golden.json of the release: what `model.py` computes in PyTorch for
four windows of engines that were not trained on, stage by stage.

    python release_golden.py --release release
"""

from __future__ import annotations

import argparse
import json
import os

import numpy as np
import torch
from safetensors.torch import save_file

import generator
from model import SeriesJEPA

SEED, WINDOWS, BLOCK = 20261128, 4, 4
REASON = "float32 arithmetic in another order; a wrong weight, statistic of a channel or norm differs by more than 1e-3"


def windows() -> torch.Tensor:
    """The last window of each of some runs, [windows, steps, channels]."""
    runs = [generator.rounded(generator.run(SEED, index)["values"]) for index in range(WINDOWS)]
    return torch.from_numpy(np.stack([run[-generator.WINDOW :] for run in runs]).astype(np.float32))


@torch.no_grad()
def stages(model: SeriesJEPA, values: torch.Tensor) -> dict[str, torch.Tensor]:
    encoder, out = model.encoder, {}
    x = (values - encoder.mean) / encoder.std
    x = encoder.patch_embed(x.transpose(1, 2)).transpose(1, 2) + encoder.pos_embed
    out["encoder.layer.0"] = x
    for number, block in enumerate(encoder.blocks, 1):
        x = block(x)
        out[f"encoder.layer.{number}"] = x
    out["encoder.last_hidden_state"] = encoder(values)
    # Each window hides another block of tokens.
    ids = torch.arange(model.config["window_steps"] // model.config["patch_steps"])
    hidden = [ids[BLOCK * index : BLOCK * (index + 1)] for index in range(len(values))]
    seen = torch.stack([ids[~torch.isin(ids, tokens)] for tokens in hidden])
    targets = torch.stack(hidden)
    out |= {"context_ids": seen, "target_ids": targets, "predictor.output": model.predictor(encoder(values, seen), seen, targets)}
    return out


def definition(names: list[str]) -> dict:
    return {
        "format": "ami-zoo.suite/1", "name": "golden", "suite": "golden", "suiteVersion": 1, "data": {"kind": "release"},
        "parameters": {
            "file": "goldens/reference.safetensors",
            "stages": [{"name": name, "tolerance": 1e-4, "reason": REASON} for name in names],
        },
        "metrics": [{"name": f"difference, {name}", "unit": "relative", "direction": "lower"} for name in names],
        "seed": 0,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default="release")
    release = parser.parse_args().release
    torch.set_num_threads(1)
    values = windows()
    out = stages(SeriesJEPA.load(release), values)
    os.makedirs(os.path.join(release, "goldens"), exist_ok=True)
    save_file(
        {name: value.contiguous().clone() for name, value in {"values": values, **out}.items()},
        os.path.join(release, "goldens", "reference.safetensors"),
        metadata={"format": "ami-zoo.goldens/1", "torch": torch.__version__, "source": "release_golden.py", "seed": str(SEED)},
    )
    with open(os.path.join(release, "suites", "golden.json"), "w") as file:
        json.dump(definition([name for name in out if not name.endswith("_ids")]), file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()
