# SPDX-License-Identifier: Apache-2.0
"""Writes model/: a LeWM for pictures of two-rooms with random weights (torch.manual_seed(1)), 16 wide.

    python Tests/Vectors/environments/make_model.py

Made with torch 2.13.0, numpy 2.4.6 and safetensors 0.8.0.
"""

import json
import pathlib
import sys

folder = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(folder.parents[2] / "models/ami/two-rooms"))
import torch  # noqa: E402
import train  # noqa: E402

train.WIDTH, train.LAYERS, train.HEADS, train.HIDDEN, train.PATCH, train.TOKENS = 16, 1, 2, 16, 8, 16
train.PREDICTOR_LAYERS, train.PREDICTOR_HEADS, train.HEAD_WIDTH, train.PREDICTOR_HIDDEN = 1, 2, 8, 16
train.PROJECTOR, train.ACTION_INNER, train.ACTION_HIDDEN = 16, 4, 16
torch.manual_seed(1)
train.export(train.Model(), str(folder / "model"))
with open(folder / "model/preprocessor_config.json", "w") as file:
    json.dump(
        {
            "do_normalize": True, "do_rescale": True, "do_resize": False, "do_center_crop": False,
            "image_mean": [0.5] * 3, "image_std": [0.25] * 3, "rescale_factor": 1 / 255,
            "image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32},
        },
        file,
        sort_keys=True,
    )  # fmt: skip
    file.write("\n")
