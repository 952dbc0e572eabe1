# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Whole modules saved by torch.save, and the state_dict() of each: writes modules.json.

Seed 13; run with the versions that the file names, one thread."""
import base64, collections, functools, hashlib, io, json, pathlib, sys  # noqa: E401

import torch
from torch import nn

torch.manual_seed(13)


class Tree(nn.Module):
    """A shared module, a tied parameter, buffers of both kinds, and tensors that are not saved."""

    def __init__(self):
        super().__init__()
        self.heads, self.eps, self.act = 3, 1e-5, nn.functional.relu
        self.norm = functools.partial(nn.LayerNorm, eps=1e-6)
        self.first = nn.Linear(3, 2)
        self.second = nn.Linear(3, 2, bias=False)
        self.second.weight = self.first.weight
        self.alias = self.first
        self.gap = None
        self.register_parameter("nothing", None)
        self.register_buffer("kept", torch.arange(4))
        self.register_buffer("passing", torch.ones(2), persistent=False)
        self.register_buffer("view", torch.randn(4, 3).t())
        self.hidden = [nn.Linear(2, 2)]
        self.loose = torch.ones(3)
        self.scale = nn.Parameter(torch.randn(2, dtype=torch.float64))


class Thing:
    """No module, with something in it."""

    def __init__(self):
        self.weight = torch.ones(2)


def rename(module, state, prefix, metadata):
    """A hook of state_dict()."""


def refused():
    """Files of which state_dict() cannot be known, by what the refusal says."""
    hooked = nn.Sequential(nn.Linear(2, 2))
    hooked[0]._register_state_dict_hook(rename)
    yield "hooks that may rename its tensors", hooked
    for part, what in (("_parameters", "weight"), ("_buffers", "weight"), ("_modules", "part")):
        module = nn.Sequential(nn.Linear(2, 2))
        getattr(module[0], part)["odd"] = Thing()
        yield f"has a {what} 'odd'", module
    for part in ("_parameters", "_buffers", "_modules"):
        module = nn.Linear(2, 2)
        module.__dict__[part] = 3
        yield f"has no dictionary of {part[1:]}", module
    module = nn.Linear(2, 2)
    module._non_persistent_buffers_set = ["weight"]
    yield "which of its buffers are saved", module
    yield "which is not a module", Thing()
    module = nn.Linear(2, 2)
    module.make = functools.partial(collections.OrderedDict)
    yield "functools.partial", module


def build(name):
    if name == "tree":
        return Tree()
    if name == "encoder":
        return nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 8, batch_first=True), 1)
    if name == "lstm":
        return nn.LSTM(3, 2, num_layers=2)
    return nn.Sequential(
        nn.Conv2d(1, 2, 3),
        nn.BatchNorm2d(2),
        nn.ModuleDict({"a": nn.ParameterList([nn.Parameter(torch.randn(2))])}),
        nn.ParameterDict({"p": nn.Parameter(torch.randn(1))}),
    )


def describe(prefix, module):
    return [
        {
            "name": prefix + key,
            "shape": list(value.shape),
            "sha256": hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest(),
        }
        for key, value in module.state_dict().items()
    ]


samples = []


def sample(name, value, tensors, **options):
    stream = io.BytesIO()
    torch.save(value, stream, **options)
    text = base64.b64encode(stream.getvalue()).decode()
    samples.append({"name": name, "bytes": text, "tensors": tensors})


for name in ("tree", "encoder", "lstm", "mixed"):
    module = build(name)
    for protocol in (2, 4, 5):
        sample(f"{name}/protocol-{protocol}", module, describe("", module), pickle_protocol=protocol)
    sample(f"{name}/legacy", module, describe("", module), _use_new_zipfile_serialization=False)
parts = {"epoch": 3, "encoder": build("tree"), "predictor": build("lstm")}
sample("dictionary", parts, describe("encoder.", parts["encoder"]) + describe("predictor.", parts["predictor"]))

refusals = []
for what, value in refused():
    stream = io.BytesIO()
    torch.save(value, stream)
    refusals.append({"message": what, "bytes": base64.b64encode(stream.getvalue()).decode()})

path = pathlib.Path(__file__).with_name("modules.json")
made = {"python": sys.version.split()[0], "torch": torch.__version__, "seed": 13}
path.write_text(json.dumps({"made": made, "samples": samples, "refused": refusals}, indent=1) + "\n")
