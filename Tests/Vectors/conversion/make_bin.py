#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes transformers-bin/pytorch_model.bin: the weights of the case 'ijepa' as transformers wrote them before safetensors.

    make_bin.py            (torch 2.13.0, safetensors 0.8.0; no randomness)
"""

import pathlib

import safetensors.torch
import torch

HERE = pathlib.Path(__file__).parent
state = safetensors.torch.load_file(HERE / "ijepa" / "expected.safetensors")
torch.save(state, HERE / "transformers-bin" / "pytorch_model.bin")
