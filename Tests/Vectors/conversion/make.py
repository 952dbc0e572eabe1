#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes tiny training checkpoints in the layouts of the labs' code, and the expected converted tensors.

One folder per case: upstream.pt (or .pth.tar), expected.safetensors and expected.json, which README.md describes.
The models are the labs' own classes where README.md says so, with random weights. If transformers has the model too,
both must compute the same outputs before anything is written. Output is reproducible byte for byte:

    make.py --repositories DIR            writes the folders beside this script
    make.py --repositories DIR --output OTHER
"""

import argparse
import collections
import copy
import hashlib
import io
import json
import pathlib
import pickle
import pickletools
import shutil
import struct
import tempfile

import safetensors.torch
import torch
import transformers

from load_back import compare_classifier, compare_ijepa, compare_vjepa2
from upstream_code import Repositories, clean, depth_of

torch.set_num_threads(1)
transformers.utils.logging.disable_progress_bar()

HERE = pathlib.Path(__file__).parent
DTYPES = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16",
          torch.int64: "I64", torch.bool: "BOOL", torch.uint8: "U8", torch.complex64: "C64"}


# MARK: Weights

def randomise(model, seed):
    """Draws every parameter and running statistic, because zeros and ones would hide errors.

    Fixed position embeddings keep the values that the class computed.
    """
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                draw(name, parameter)
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(0, 0.1)
            elif name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
            elif name.endswith("num_batches_tracked"):
                buffer.fill_(1000 + seed)
    return model


def draw(name, tensor):
    unit = ("mask_token", "query_tokens", "mod_embed", "cls_token")
    if any(part in name for part in unit):
        tensor.normal_(0, 1)
    elif tensor.ndim == 1 and name.endswith("weight"):
        tensor.normal_(1, 0.1)  # weights of norms
    else:
        tensor.normal_(0, 0.1)


def wrapped(model, prefix="module.backbone."):
    """Returns the state dict, with its `_metadata`, of a model wrapped as `prefix` says."""
    for name in reversed(prefix.strip(".").split(".")):
        holder = torch.nn.Module()
        holder.add_module(name, model)
        model = holder
    return model.state_dict()


# MARK: Around the weights

def optimiser_state(*models, lr=1e-4):
    """Returns AdamW with the four groups of the training code, after a step that updated only a few norms."""
    def flat(name, parameter):
        return "bias" in name or parameter.ndim == 1

    models = [copy.deepcopy(model) for model in models]
    named = [[(n, p) for n, p in model.named_parameters() if p.requires_grad] for model in models]
    groups = [{"params": [p for n, p in each if not flat(n, p)]} for each in named]
    groups += [{"params": [p for n, p in each if flat(n, p)], "WD_exclude": True, "weight_decay": 0}
               for each in named]
    optimiser = torch.optim.AdamW([group for group in groups if group["params"]], lr=lr)
    for each in named:
        for _, parameter in [(n, p) for n, p in each if p.ndim == 1][-2:]:
            parameter.grad = torch.linspace(-1, 1, parameter.numel())
    optimiser.step()
    return optimiser.state_dict()


def scaler_state():
    return torch.amp.GradScaler("cpu", init_scale=65536.0).state_dict()


def training(epoch=300, loss=0.1875, lr=1e-6):
    return {"epoch": epoch, "loss": loss, "batch_size": 24, "world_size": 16, "lr": lr}


# MARK: Names

def split_rows(found, name, kind, tensor, names):
    for part, rows in zip(names, tensor.chunk(len(names))):
        found[f"{name}.{part}.{kind}"] = rows.clone()


def ijepa_names(state):
    """Returns the I-JEPA encoder under the names that transformers writes."""
    table = {"norm1": "layernorm_before", "norm2": "layernorm_after", "attn.proj": "attention.output.dense",
             "mlp.fc1": "intermediate.dense", "mlp.fc2": "output.dense"}
    found = {}
    for name, tensor in state.items():
        if name == "pos_embed":
            found["embeddings.position_embeddings"] = tensor
            continue
        stem, kind = name.rsplit(".", 1)
        if stem.startswith("blocks."):
            _, index, inner = stem.split(".", 2)
            layer = f"encoder.layer.{index}"
            if inner == "attn.qkv":
                split_rows(found, f"{layer}.attention.attention", kind, tensor, ("query", "key", "value"))
            else:
                found[f"{layer}.{table[inner]}.{kind}"] = tensor
        else:
            known = {"patch_embed.proj": "embeddings.patch_embeddings.projection", "norm": "layernorm"}
            found[f"{known[stem]}.{kind}"] = tensor
    return found


def vjepa2_names(state, part):
    """Returns the V-JEPA 2 encoder or predictor under the names of transformers."""
    known = {"patch_embed.proj": "embeddings.patch_embeddings.proj", "norm": "layernorm",
             "predictor_embed": "embeddings.predictor_embeddings", "predictor_norm": "layernorm",
             "predictor_proj": "proj"}
    found = {}
    for name, tensor in state.items():
        if name.startswith("mask_tokens."):
            continue
        stem, kind = name.rsplit(".", 1)
        if "blocks." in stem:
            _, index, inner = stem.split(".", 2)
            layer = f"{part}.layer.{index}"
            if inner == "attn.qkv":
                split_rows(found, f"{layer}.attention", kind, tensor, ("query", "key", "value"))
            else:
                found[f"{layer}.{inner.replace('attn.', 'attention.')}.{kind}"] = tensor
        else:
            found[f"{part}.{known[stem]}.{kind}"] = tensor
    if part == "predictor":
        tokens = [state[f"mask_tokens.{index}"] for index in range(depth_of(state, "mask_tokens."))]
        found["predictor.embeddings.mask_tokens"] = torch.stack(tokens)
    return found


def probe_names(state):
    """Returns a V-JEPA 2 probe under the names of transformers; other heads keep their names."""
    found = {}
    for name, tensor in state.items():
        if name == "pooler.query_tokens":
            found[name] = tensor
            continue
        stem, kind = name.rsplit(".", 1)
        stem = stem.replace("norm1", "layer_norm1").replace("norm2", "layer_norm2")
        if stem.startswith("pooler.blocks."):
            index, inner = stem.removeprefix("pooler.blocks.").split(".", 1)
            layer = f"pooler.self_attention_layers.{index}"
            if inner == "attn.qkv":
                split_rows(found, f"{layer}.self_attn", kind, tensor, ("q_proj", "k_proj", "v_proj"))
            else:
                found[f"{layer}.{inner.replace('attn.proj', 'self_attn.out_proj')}.{kind}"] = tensor
        elif stem.startswith("pooler.cross_attention_block."):
            inner = stem.removeprefix("pooler.cross_attention_block.")
            layer = "pooler.cross_attention_layer"
            if inner == "xattn.kv":
                split_rows(found, f"{layer}.cross_attn", kind, tensor, ("k_proj", "v_proj"))
            else:
                found[f"{layer}.{inner.replace('xattn.q', 'cross_attn.q_proj')}.{kind}"] = tensor
        else:
            found[f"{'classifier' if stem == 'linear' else stem}.{kind}"] = tensor
    return found


def native(**parts):
    """Prefixes each cleaned name with the name of its component."""
    return {f"{part}.{name}": tensor for part, state in parts.items() for name, tensor in clean(state).items()}


# MARK: Files

class Case:
    """One folder of the output."""

    def __init__(self, output, name):
        self.folder = output / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def upstream(self, content, name="upstream.pt", legacy=False):
        path = self.folder / name
        torch.save(content, path, _use_new_zipfile_serialization=not legacy)
        if legacy:
            path.write_bytes(with_stable_keys(path.read_bytes()))
        loaded = torch.load(path, weights_only=True)
        assert same(loaded, content), f"{path}: reads back otherwise"
        return loaded

    def expected(self, tensors, name="expected.safetensors"):
        tensors = {key: tensor.detach().clone().contiguous() for key, tensor in tensors.items()}
        safetensors.torch.save_file(tensors, self.folder / name, metadata={"format": "pt"})
        return tensors

    def expected_of(self, model, tensors, weights="expected.safetensors", config="expected-config.json"):
        """Checks that `save_pretrained` writes the same names as our mapping."""
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            folder = pathlib.Path(folder)
            written = safetensors.torch.load_file(folder / "model.safetensors")
            assert same(dict(sorted(written.items())), dict(sorted(tensors.items()))), "names or values differ"
            shutil.copy(folder / "model.safetensors", self.folder / weights)
            shutil.copy(folder / "config.json", self.folder / config)
        return written

    def describe(self, family, component, options, config, tensors, note, **more):
        (self.folder / "expected.json").write_text(json.dumps(
            {"family": family, "component": component, "options": options, "config": config,
             "tensors": len(tensors), "note": note, **more}, indent=2) + "\n")


def same(a, b):
    """Returns whether two loaded objects are equal, bit for bit."""
    if isinstance(a, torch.Tensor):
        return (isinstance(b, torch.Tensor) and a.dtype == b.dtype and a.shape == b.shape
                and content(a) == content(b))
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def content(tensor):
    """Returns row-major little-endian bytes."""
    flat = tensor.detach().contiguous().reshape(-1).clone()
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def with_stable_keys(data):
    """Writes a legacy file whose storage keys are 0, 1, … in order of use instead of memory addresses."""
    ends, operations, start = [], [], 0
    for _ in range(5):  # magic number, protocol, system, object, storage keys
        found = [(op.name, argument, start + position) for op, argument, position in pickletools.genops(data[start:])]
        operations.append(found)
        start = found[-1][2] + 1
        ends.append(start)
    keys = pickle.loads(data[ends[3]:ends[4]])
    order = []
    for name, argument, _ in operations[3]:
        if name == "BINUNICODE" and argument in keys and argument not in order:
            order.append(argument)
    names = {key: str(index) for index, key in enumerate(order)}

    result, last = data[:ends[2]], ends[2]
    for name, argument, position in operations[3]:
        if name == "BINUNICODE" and argument in names:
            replaced = names[argument].encode()
            result += data[last:position] + b"X" + struct.pack("<I", len(replaced)) + replaced
            last = position + 5 + len(argument)
    result += data[last:ends[3]] + pickle.dumps([names[key] for key in order], protocol=2)

    sizes = element_sizes(data[ends[2]:ends[3]])
    blocks, at = {}, ends[4]
    for key in keys:
        count, = struct.unpack_from("<q", data, at)
        length = 8 + count * sizes[key]
        blocks[key], at = data[at:at + length], at + length
    assert at == len(data)
    return result + b"".join(blocks[key] for key in order)


def element_sizes(pickled):
    """Returns the bytes per element of each storage."""
    return {key: torch.empty(0, dtype=dtype).element_size() for key, dtype in storage_types(pickled).items()}


def storage_types(pickled):
    """Returns the element type of every storage in a pickle of tensors, by key, without executing the pickle."""
    found = {}
    classes = {f"{name}Storage": dtype for name, dtype in {
        "Float": torch.float32, "Double": torch.float64, "Half": torch.float16, "BFloat16": torch.bfloat16,
        "Long": torch.int64, "Bool": torch.bool, "Byte": torch.uint8, "ComplexFloat": torch.complex64}.items()}

    class Reader(pickle._Unpickler):
        """Records persistent ids and creates placeholders only."""

        def find_class(self, module, name):
            if module == "collections" and name == "OrderedDict":
                return collections.OrderedDict
            if name in classes:
                return classes[name]
            return type(name, (), {"__new__": lambda cls, *a: object.__new__(cls), "__init__": lambda self, *a: None,
                                   "__setstate__": lambda self, state: None})

        def persistent_load(self, identifier):
            found[identifier[2]] = identifier[1]

    Reader(io.BytesIO(pickled)).load()
    return found


# MARK: I-JEPA

def ijepa(output, labs):
    sizes = {"dim": 24, "depth": 2, "heads": 2, "side": 16, "patch": 4}
    models = {"encoder": randomise(labs.ijepa_encoder(**sizes), 0),
              "predictor": randomise(labs.ijepa_predictor(tokens=16, dim=24, hidden=12, depth=1, heads=1), 1),
              "target_encoder": randomise(labs.ijepa_encoder(**sizes), 2)}
    checkpoint = {**{name: wrapped(model, "module.") for name, model in models.items()},
                  "opt": optimiser_state(models["encoder"], models["predictor"]), "scaler": scaler_state(),
                  **training()}
    config = transformers.IJepaConfig(
        hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=96, image_size=16, patch_size=4,
        layer_norm_eps=1e-6)
    fields = {"model_type": "ijepa", "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2,
              "intermediate_size": 96, "image_size": 16, "patch_size": 4, "num_channels": 3, "layer_norm_eps": 1e-6,
              "hidden_act": "gelu", "qkv_bias": True}
    predictor_fields = {"hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 48}

    for name, component, file, legacy in (("ijepa", "target_encoder", "upstream.pth.tar", False),
                                          ("ijepa-legacy", "encoder", "upstream.pth.tar", True)):
        case = Case(output, name)
        loaded = case.upstream(checkpoint, file, legacy)
        tensors = ijepa_names(clean(loaded[component]))
        model = filled_transformers(transformers.IJepaModel(config, add_pooling_layer=False), tensors)
        within(compare_ijepa(model, models[component]))
        tensors = case.expected_of(model, tensors)
        predictor = case.expected(clean(loaded["predictor"]), "expected-predictor.safetensors")
        case.describe(
            "ijepa", component, {"component": component, "heads": 2, "predictor_heads": 1}, fields, tensors,
            "Names of transformers for the encoder; the predictor, which transformers has not, keeps Meta's."
            + (" The file format before torch 1.6." if legacy else ""),
            predictor={"tensors": len(predictor), "config": predictor_fields})


def filled_transformers(model, tensors):
    """Returns a model of transformers, with the tensors loaded as `from_pretrained` does."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        safetensors.torch.save_file({k: v.contiguous() for k, v in tensors.items()},
                                    pathlib.Path(folder) / "model.safetensors", metadata={"format": "pt"})
        loaded, report = type(model).from_pretrained(folder, output_loading_info=True, attn_implementation="eager")
        assert not any(report.values()), report
    return loaded.eval()


def within(differences, tolerance=1e-5):
    print("   ", ", ".join(f"{name} {value:.2g}" for name, value in differences.items()))
    differences = {name: value for name, value in differences.items() if name != "logits"}  # The eps differs.
    assert max(differences.values()) <= tolerance, differences


# MARK: V-JEPA

def vjepa(output, labs):
    shape = {"side": 16, "patch": 4, "frames": 4, "tubelet": 2}
    sizes = {"dim": 26, "depth": 2, "heads": 2, **shape}
    models = {"encoder": randomise(labs.vjepa_encoder(**sizes), 10),
              "predictor": randomise(labs.vjepa_predictor(dim=26, hidden=14, depth=1, heads=1, mask_tokens=2, **shape),
                                     11),
              "target_encoder": randomise(labs.vjepa_encoder(**sizes), 12)}
    states = {name: wrapped(model) for name, model in models.items()}
    case = Case(output, "vjepa")
    loaded = case.upstream({
        "encoder": states["encoder"], "predictor": states["predictor"],
        "opt": optimiser_state(models["encoder"], models["predictor"]), "scaler": scaler_state(),
        "target_encoder": states["target_encoder"], **training()}, "upstream.pth.tar")
    tensors = case.expected(native(encoder=loaded["target_encoder"], predictor=loaded["predictor"]))
    case.describe(
        "vjepa", "target_encoder", {"heads": 2, "predictor_heads": 1, "crop_size": 16, "frames_per_clip": 4},
        {"model_type": "vjepa", "hidden_size": 26, "num_hidden_layers": 2, "num_attention_heads": 2,
         "intermediate_size": 104, "mlp_ratio": 4.0, "crop_size": 16, "patch_size": 4, "frames_per_clip": 4,
         "tubelet_size": 2, "in_chans": 3, "layer_norm_eps": 1e-6, "uniform_power": True, "pred_hidden_size": 14,
         "pred_num_hidden_layers": 1, "pred_num_attention_heads": 1, "pred_mlp_ratio": 4.0,
         "pred_num_mask_tokens": 2},
        tensors, "Widths 26 and 14 are no multiples of 6: the position tables are cut at the end. Side and frames "
        "follow from the 32 positions only together.")


def vjepa_probe(output, labs):
    model = randomise(labs.vjepa_probe(dim=24, depth=1, heads=2, classes=5), 13)
    case = Case(output, "vjepa-probe")
    rest = training(epoch=20, lr=0.0)
    del rest["loss"]
    loaded = case.upstream({"classifier": wrapped(model, "module."), "opt": optimiser_state(model),
                            "scaler": scaler_state(), **rest}, "upstream.pth.tar")
    tensors = case.expected(native(classifier=loaded["classifier"]))
    assert len(tensors) == 17
    case.describe("vjepa-probe", "classifier", {"heads": 2},
                  {"hidden_size": 24, "num_attention_heads": 2, "depth": 1, "mlp_ratio": 4.0, "num_labels": 5,
                   "layer_norm_eps": 1e-5},
                  tensors, "The two tensors of xattn.proj are kept; the forward never uses them.")


# MARK: V-JEPA 2

SHAPE = {"side": 16, "patch": 4, "frames": 4, "tubelet": 2}
VJEPA2 = {"model_type": "vjepa2", "crop_size": 16, "patch_size": 4, "frames_per_clip": 4, "tubelet_size": 2,
          "in_chans": 3, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "mlp_ratio": 4.0,
          "layer_norm_eps": 1e-6, "hidden_act": "gelu", "qkv_bias": True}
PREDICTOR = {"pred_hidden_size": 12, "pred_num_hidden_layers": 2, "pred_num_attention_heads": 1,
             "pred_mlp_ratio": 4.0, "pred_num_mask_tokens": 10}
OPTIONS = {"heads": 2, "predictor_heads": 1, "crop_size": 16, "frames_per_clip": 4}


def vjepa2_models(labs):
    sizes = {"dim": 24, "depth": 2, "heads": 2, **SHAPE}
    predictor = labs.vjepa2_predictor(dim=24, hidden=12, depth=2, heads=1, mask_tokens=10, **SHAPE)
    return {"encoder": randomise(labs.vjepa2_encoder(**sizes), 20), "predictor": randomise(predictor, 21),
            "target_encoder": randomise(labs.vjepa2_encoder(**sizes), 22)}


def vjepa2_config(**more):
    names = {key: value for key, value in (VJEPA2 | PREDICTOR).items() if key != "model_type"}
    return transformers.VJEPA2Config(**names, **more)


def vjepa2_tensors(encoder, predictor):
    return vjepa2_names(clean(encoder), "encoder") | vjepa2_names(clean(predictor), "predictor")


def vjepa2(output, labs):
    models = vjepa2_models(labs)
    states = {name: wrapped(model) for name, model in models.items()}
    case = Case(output, "vjepa2")
    loaded = case.upstream({
        "encoder": states["encoder"], "predictor": states["predictor"],
        "opt": optimiser_state(models["encoder"], models["predictor"]), "scaler": scaler_state(),
        "target_encoder": states["target_encoder"], **training()})
    tensors = vjepa2_tensors(loaded["target_encoder"], loaded["predictor"])
    model = filled_transformers(transformers.VJEPA2Model(vjepa2_config()), tensors)
    within(compare_vjepa2(model, models["target_encoder"], models["predictor"]))
    case.describe("vjepa2", "target_encoder", OPTIONS, VJEPA2 | PREDICTOR, case.expected_of(model, tensors),
                  "Meta's hub of 2025 and transformers hold `encoder`; the labs evaluate `target_encoder`.")


def probe_checkpoint(models):
    """Returns probes that were trained in parallel, with one optimiser and one scaler each."""
    return {"classifiers": [wrapped(model, "module.") for model in models],
            "opt": [optimiser_state(model, lr=lr) for model, lr in zip(models, (1e-3, 3e-4))],
            "scaler": [scaler_state() for _ in models], "epoch": 20, "batch_size": 4, "world_size": 64}


def vjepa2_probe(output, labs):
    models = [randomise(labs.vjepa2_probe(dim=24, depth=4, heads=2, classes=5), seed) for seed in (23, 24)]
    case = Case(output, "vjepa2-probe")
    loaded = case.upstream(probe_checkpoint(models))
    assert len(loaded["classifiers"][0]) == 51
    tensors = case.expected(probe_names(clean(loaded["classifiers"][0])))
    assert len(tensors) == 65

    backbone = vjepa2_models(labs)
    whole = {f"vjepa2.{name}": tensor for name, tensor in vjepa2_tensors(
        wrapped(backbone["target_encoder"]), wrapped(backbone["predictor"])).items()} | tensors
    labels = {"id2label": {str(index): f"LABEL_{index}" for index in range(5)}}
    config = vjepa2_config(num_pooler_layers=3, num_labels=5)
    model = filled_transformers(transformers.VJEPA2ForVideoClassification(config), whole)
    full = case.expected_of(model, whole, "expected-full.safetensors")
    within(compare_classifier(model, backbone["target_encoder"], models[0]))
    case.describe(
        "vjepa2-probe", "classifiers.0", {"heads": 2, "head": 0, "backbone": "../vjepa2/upstream.pt"},
        {"hidden_size": 24, "num_attention_heads": 2, "num_pooler_layers": 3, "mlp_ratio": 4.0, "num_labels": 5},
        tensors, "expected-full.safetensors: with the backbone of the case vjepa2 (its target_encoder and predictor). "
        "The pooler's norms have eps 1e-5 in Meta's code and the config's in transformers.",
        full={"tensors": len(full), "config": VJEPA2 | PREDICTOR | {"num_pooler_layers": 3} | labels})


def vjepa2_ek100(output, labs):
    models = [randomise(labs.vjepa2_anticipation_probe(dim=24, depth=2, heads=2, verbs=3, nouns=4, actions=6), seed)
              for seed in (25, 26)]
    case = Case(output, "vjepa2-ek100")
    loaded = case.upstream(probe_checkpoint(models))
    tensors = case.expected(probe_names(clean(loaded["classifiers"][0])))
    case.describe("vjepa2-probe", "classifiers.0", {"heads": 2, "head": 0},
                  {"hidden_size": 24, "num_attention_heads": 2, "num_pooler_layers": 1, "mlp_ratio": 4.0,
                   "num_queries": 3, "num_verbs": 3, "num_nouns": 4, "num_actions": 6},
                  tensors, "The pooler under the names of transformers, which has no class with three heads. "
                  "Depth 2 to keep the file small; the released ones have 4.")


def vjepa2_ac(output, labs):
    sizes = {"dim": 24, "depth": 1, "heads": 2, **SHAPE}
    models = {"encoder": randomise(labs.vjepa2_encoder(**sizes), 27),
              "predictor": randomise(labs.vjepa2_ac_predictor(dim=24, hidden=28, depth=2, heads=2, **SHAPE), 28),
              "target_encoder": randomise(labs.vjepa2_encoder(**sizes), 29)}
    states = {name: wrapped(model, "module.") for name, model in models.items()}
    case = Case(output, "vjepa2-ac")
    loaded = case.upstream({
        "encoder": states["encoder"], "predictor": states["predictor"],
        "opt": optimiser_state(models["encoder"], models["predictor"]), "scaler": scaler_state(),
        "target_encoder": states["target_encoder"], **training(epoch=315)})
    tensors = case.expected(native(encoder=loaded["encoder"], predictor=loaded["predictor"]))
    case.describe(
        "vjepa2-ac", "encoder", {"heads": 2, "predictor_heads": 2, "crop_size": 16, "frames_per_clip": 4},
        {**VJEPA2, "model_type": "vjepa2_ac", "num_hidden_layers": 1, "pred_hidden_size": 28,
         "pred_num_hidden_layers": 2, "pred_num_attention_heads": 2, "pred_mlp_ratio": 4.0, "action_embed_dim": 7,
         "use_extrinsics": False},
        tensors, "`encoder`, although a target_encoder exists. Prefix module. only: the training code of this family "
        "has no backbone. around its models. extrinsics_encoder is kept; the forward does not use it.")


def orig_mod(output, labs):
    model = vjepa2_models(labs)["target_encoder"]
    case = Case(output, "orig-mod")
    loaded = case.upstream({"target_encoder": wrapped(model, "_orig_mod.module.backbone."), "epoch": 300})
    tensors = case.expected(vjepa2_names(clean(loaded["target_encoder"]), "encoder"))
    case.describe("vjepa2", "target_encoder", {"heads": 2, "crop_size": 16, "frames_per_clip": 4}, VJEPA2, tensors,
                  "Saved from a compiled model. An encoder alone, the one of the case vjepa2.")


# MARK: V-JEPA 2.1

def vjepa21_state(kind, seed, *, dim=24, depth, mlp, levels=None, out=None, hidden=12, mask_tokens=8,
                  patch=4):
    """Returns the tensors of a V-JEPA 2.1 encoder or predictor, with the wrappers of training."""
    shapes = collections.OrderedDict()

    def linear(name, rows, columns):
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (rows, columns), (rows,)

    def norm(name, width):
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (width,)

    def block(name, width, inner):
        norm(f"{name}.norm1", width)
        linear(f"{name}.attn.qkv", 3 * width, width)
        linear(f"{name}.attn.proj", width, width)
        norm(f"{name}.norm2", width)
        linear(f"{name}.mlp.fc1", inner, width)
        linear(f"{name}.mlp.fc2", width, inner)

    if kind == "encoder":
        shapes["img_mod_embed"] = shapes["video_mod_embed"] = (1, 1, dim)
        for name, tubelet in (("patch_embed", 2), ("patch_embed_img", 1)):
            shapes[f"{name}.proj.weight"], shapes[f"{name}.proj.bias"] = (dim, 3, tubelet, patch, patch), (dim,)
        for index in range(depth):
            block(f"blocks.{index}", dim, mlp)
        for index in range(4):
            norm(f"norms_block.{index}", dim)
    else:
        shapes["video_mod_embed"] = shapes["img_mod_embed"] = (1, 1, hidden)
        if levels == 1:
            linear("predictor_embed", hidden, dim)
        else:
            linear("predictor_embed.0", dim, levels * dim)
            linear("predictor_embed.2", hidden, dim)
        for index in range(mask_tokens):
            shapes[f"mask_tokens.{index}"] = (1, 1, hidden)
        for index in range(depth):
            block(f"predictor_blocks.{index}", hidden, mlp)
        norm("predictor_norm", hidden)
        linear("predictor_proj", out, hidden)
        linear("predictor_proj_context", out, hidden)

    torch.manual_seed(seed)
    state = collections.OrderedDict()
    for name, shape in shapes.items():
        draw(name, state.setdefault(f"module.backbone.{name}", torch.zeros(shape)))
    return state


def vjepa21(output, labs):
    note = ("By names and shapes, not from Meta's class. Depth 12, the least the class knows; mlp 30 to keep the file "
            "small. Side and frames, as in training, are not in the weights.")
    fields = {"model_type": "vjepa2_1", "hidden_size": 24, "num_hidden_layers": 12, "num_attention_heads": 2,
              "mlp_ratio": 1.25, "crop_size": 16, "patch_size": 4, "frames_per_clip": 4, "tubelet_size": 2,
              "img_temporal_dim_size": 1, "in_chans": 3, "layer_norm_eps": 1e-6, "interpolate_rope": True,
              "pred_hidden_size": 12, "pred_num_hidden_layers": 4, "pred_num_attention_heads": 1,
              "pred_mlp_ratio": 4.0, "pred_num_mask_tokens": 8}
    encoder = {"depth": 12, "mlp": 30}
    for name, keys, predictor, levels, out in (
            ("vjepa21-distilled", ("ema_encoder",), 31, 1, 36), ("vjepa21", ("encoder", "target_encoder"), 34, 4, 96)):
        states = {key: vjepa21_state("encoder", predictor + 1 + index, **encoder) for index, key in enumerate(keys)}
        states["predictor"] = vjepa21_state("predictor", predictor, depth=4, mlp=48, levels=levels, out=out)
        case = Case(output, name)
        loaded = case.upstream({**states, **training()})
        tensors = case.expected(native(encoder=loaded[keys[-1]], predictor=loaded["predictor"]))
        assert len(tensors) == (12 * 12 + 14) + (12 * 4 + (18 if levels == 1 else 20))
        case.describe("vjepa2.1", keys[-1], OPTIONS, {**fields, "pred_levels": levels, "pred_out_size": out}, tensors,
                      note)


# MARK: JEPA-WM and DINO-WM

def jepa_wm(output, labs):
    common = {"dim": 24, "hidden": 24, "proprio_width": 4, "depth": 2, "heads": 2, "side": 16, "patch": 4,
              "frames": 4, "action_width": 10}
    fields = {"model_type": "jepa_wm", "embed_dim": 24, "pred_hidden_size": 24, "proprio_emb_dim": 4,
              "pred_total_size": 28, "pred_num_hidden_layers": 2, "pred_num_attention_heads": 2,
              "pred_mlp_ratio": 4.0, "action_dim": 10, "proprio_dim": 4, "layer_norm_eps": 1e-6}
    predictor = randomise(labs.jepa_wm_predictor(**common), 40)
    actions = randomise(labs.jepa_wm_embedding(inputs=10, width=28), 41)
    proprio = randomise(labs.jepa_wm_embedding(inputs=4, width=4), 42)
    for name, called in (("jepa-wm", "proprio_encoder"), ("jepa-wm-old", "state_encoder")):
        case = Case(output, name)
        loaded = case.upstream({
            "predictor": wrapped(predictor, "module."), "opt": optimiser_state(predictor, actions, proprio),
            "scaler": scaler_state(), "epoch": 50, "action_encoder": wrapped(actions, "module."),
            called: wrapped(proprio, "module.")}, "upstream.pth.tar")
        tensors = case.expected(native(predictor=loaded["predictor"], action_encoder=loaded["action_encoder"],
                                       proprio_encoder=loaded[called]))
        case.describe("jepa-wm", None, {"predictor_heads": 2}, fields, tensors,
                      "The visual encoder is not in the file; it comes from its own project."
                      + ("" if called == "proprio_encoder" else " An old name for proprio_encoder."))

    inside = randomise(labs.jepa_wm_predictor(**{**common, "depth": 1}, action_inside=True, proprio_inside=True), 43)
    state = collections.OrderedDict((name.replace("proprio_encoder", "state_encoder"), tensor)
                                    for name, tensor in wrapped(inside, "module.").items())
    case = Case(output, "jepa-wm-inside")
    loaded = case.upstream({"predictor": state, "opt": optimiser_state(inside), "scaler": scaler_state(), "epoch": 50},
                           "upstream.pth.tar")
    tensors = case.expected({name.replace("state_encoder", "proprio_encoder"): tensor
                             for name, tensor in native(predictor=loaded["predictor"]).items()})
    case.describe("jepa-wm", None, {"predictor_heads": 2}, {**fields, "pred_num_hidden_layers": 1}, tensors,
                  "Both embeddings inside the predictor; state_encoder is the old name of proprio_encoder there, which "
                  "Meta's loader renames. It has action_encoder, state_encoder and predictor_blocks like V-JEPA 2-AC: "
                  "adaLN_modulation tells them apart.")


def dino_wm(output, labs):
    sizes = {"tokens": 4, "frames": 3, "dim": 32, "depth": 2, "heads": 2, "head_dim": 12, "mlp": 48}
    predictor = randomise(labs.dino_wm_predictor(**sizes), 44)
    actions = randomise(labs.jepa_wm_embedding(inputs=10, width=4), 45)
    proprio = randomise(labs.jepa_wm_embedding(inputs=4, width=4), 46)
    case = Case(output, "dino-wm")
    loaded = case.upstream({
        "predictor": wrapped(predictor, "module."), "opt": optimiser_state(predictor, actions, proprio),
        "scaler": scaler_state(), "epoch": 50, "action_encoder": wrapped(actions, "module."),
        "proprio_encoder": wrapped(proprio, "module.")}, "upstream.pth.tar")
    masks = {f"predictor.transformer.layers.{index}.0.bias" for index in range(2)}
    tensors = native(predictor=loaded["predictor"], action_encoder=loaded["action_encoder"],
                     proprio_encoder=loaded["proprio_encoder"])
    assert masks < set(tensors)
    tensors = case.expected({name: tensor for name, tensor in tensors.items() if name not in masks})
    case.describe("dino-wm", None, {"predictor_heads": 2},
                  {"model_type": "dino_wm", "pred_total_size": 32, "pred_num_hidden_layers": 2,
                   "pred_num_attention_heads": 2, "pred_head_dim": 12, "pred_intermediate_size": 48, "num_tokens": 12,
                   "action_emb_dim": 4, "proprio_emb_dim": 4, "action_dim": 10, "proprio_dim": 4,
                   "layer_norm_eps": 1e-5},
                  tensors, "The causal masks transformer.layers.i.0.bias are dropped; biases of layers are not.")


# MARK: LeWM

def lewm(output, labs):
    source = labs.file("stable-worldmodel", "stable_worldmodel/wm/lewm/module.py")
    whole = labs.file("stable-worldmodel", "stable_worldmodel/wm/lewm/lewm.py")
    norm = torch.nn.BatchNorm1d
    config = transformers.ViTConfig(hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
                                    image_size=16, patch_size=4)
    model = randomise(whole.LeWM(
        encoder=transformers.ViTModel(config, add_pooling_layer=False, use_mask_token=False),
        predictor=source.Predictor(num_frames=3, input_dim=24, hidden_dim=24, output_dim=24, depth=2, heads=2,
                                   mlp_dim=48, dim_head=16),
        action_encoder=source.Embedder(input_dim=10, emb_dim=24),
        projector=source.MLP(input_dim=24, output_dim=24, hidden_dim=40, norm_fn=norm),
        pred_proj=source.MLP(input_dim=24, output_dim=24, hidden_dim=40, norm_fn=norm)).eval(), 50)
    new = model.state_dict()
    with tempfile.TemporaryDirectory() as folder:
        model.encoder.save_pretrained(folder)
        vit = safetensors.torch.load_file(pathlib.Path(folder) / "model.safetensors")
    old = collections.OrderedDict((f"encoder.{name}", tensor) for name, tensor in vit.items())
    old.update((name, tensor) for name, tensor in new.items() if not name.startswith("encoder."))
    assert len(old) == len(new) and any(name.startswith("encoder.layers.") for name in new)

    for name, state, note in (("lewm", old, "The Vision Transformer under the names before transformers 5."),
                              ("lewm-v5", new, "The Vision Transformer under the names of transformers 5.")):
        case = Case(output, name)
        case.upstream(state)
        tensors = case.expected(old)
        case.describe(
            "lewm", None, {"heads": 2, "predictor_heads": 2},
            {"model_type": "lewm", "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2,
             "intermediate_size": 48, "image_size": 16, "patch_size": 4, "num_channels": 3, "layer_norm_eps": 1e-12,
             "projector_size": 40, "pred_num_hidden_layers": 2, "pred_num_attention_heads": 2, "pred_head_dim": 16,
             "pred_intermediate_size": 48, "num_frames": 3, "action_dim": 10},
            tensors, note + " A plain state dict; counters of the batch norms are int64 and stay.")


# MARK: Oddities

def oddities(output, labs):
    case = Case(output, "oddities")
    torch.manual_seed(60)
    shared = torch.randn(24)
    tied = torch.nn.Parameter(torch.randn(4, 3))
    state = collections.OrderedDict([
        ("bf16", torch.randn(3, 5).bfloat16()), ("f16", torch.randn(7).half()), ("f64", torch.randn(2, 2).double()),
        ("scalar", torch.tensor(-(2 ** 40) - 7)), ("bool", torch.tensor([True, False, True])),
        ("uint8", torch.arange(250, 256, dtype=torch.uint8)), ("complex64", torch.randn(2, 3, dtype=torch.complex64)),
        ("transposed", torch.randn(3, 4).t()), ("expanded", torch.randn(3, 1).expand(3, 4)),
        ("shared.head", shared[:6].view(2, 3)), ("shared.tail", shared[6:18:2]), ("shared.all", shared),
        ("channels_last", torch.randn(2, 3, 2, 2).to(memory_format=torch.channels_last)),
        ("empty", torch.empty(0, 3)), ("special", torch.tensor([float("nan"), float("inf"), -0.0])),
        ("embed.weight", tied), ("head.weight", tied)])
    state._metadata = collections.OrderedDict([("", {"version": 1}), ("embed", {"version": 1})])
    content = {
        "model": state,
        "classifiers": [collections.OrderedDict(weight=torch.randn(2, 3)), {"weight": torch.randn(2, 3)}],
        "opt": {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.randn(3)}},
                "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.95), "amsgrad": False, "foreach": None,
                                  "params": [0, 1]}]},
        "size": torch.Size([2, 3]), "device": torch.device("cpu"), "cuda": torch.device("cuda", 1),
        "dtype": torch.bfloat16, "dtypes": [torch.float32, torch.int64],
        "none": None, "yes": True, "no": False, "small": 7, "byte": 200, "short": 40000, "negative": -3,
        "long": 2 ** 40, "big": 2 ** 70, "negative big": -(2 ** 70), "float": 0.1, "infinite": float("inf"),
        "text": "naïve ✓", "nothing": "", "tuple": (1, "a", None, 2.5), "nested": {"list": [[], {}, ()]}}
    loaded = case.upstream(content)
    case.upstream(content, "upstream-legacy.pt", legacy=True)
    big = case.folder / "upstream-big-endian.pt"
    write_big_endian(case.folder / "upstream.pt", big)
    assert same(torch.load(big, weights_only=True), loaded), "torch reads the big-endian file otherwise"
    tensors = listing(loaded)
    case.describe("none", None, {}, {}, tensors,
                  "The same content in all three files. Names are paths; bytes are row-major and little-endian.",
                  files=["upstream.pt", "upstream-legacy.pt", "upstream-big-endian.pt"], listing=tensors)


def listing(value, path=()):
    """Yields every tensor inside a loaded object, in order."""
    if isinstance(value, torch.Tensor):
        return [{"name": ".".join(path), "dtype": DTYPES[value.dtype], "shape": list(value.shape),
                 "sha256": hashlib.sha256(content(value)).hexdigest()}]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    return [found for key, item in items for found in listing(item, (*path, str(key)))]


def write_big_endian(source, destination):
    """Returns the archive of a big-endian machine: byte-swapped storages and the byteorder record."""
    reader = torch._C.PyTorchFileReader(str(source))
    kinds = storage_types(reader.get_record("data.pkl"))
    writer = torch._C.PyTorchFileWriter(str(destination))
    for name in reader.get_all_records():
        if name == "version" or name == ".data/serialization_id":
            continue  # The writer adds its own.
        data = reader.get_record(name)
        if name == "byteorder":
            data = b"big"
        elif name.startswith("data/"):
            kind = kinds[name.removeprefix("data/")]
            size = torch.empty(0, dtype=kind).element_size() // (2 if kind.is_complex else 1)
            data = b"".join(data[at:at + size][::-1] for at in range(0, len(data), size))
        writer.write_record(name, data, len(data))
    writer.write_end_of_file()


CASES = (ijepa, vjepa, vjepa_probe, vjepa2, vjepa2_probe, vjepa2_ek100, vjepa2_ac, vjepa21, jepa_wm, dino_wm, lewm,
         oddities, orig_mod)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repositories", required=True, help="folder of the labs' checkouts")
    parser.add_argument("--output", type=pathlib.Path, default=HERE)
    arguments = parser.parse_args()
    labs = Repositories(arguments.repositories)
    for case in CASES:
        print(case.__name__)
        case(arguments.output, labs)


if __name__ == "__main__":
    main()
