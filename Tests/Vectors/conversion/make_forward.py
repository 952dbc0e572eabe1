#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes the inputs and outputs of forward passes of the models of the conversion vectors.

For every case, it loads upstream.pt (or .pth.tar) strictly into the lab's class, runs it in float32 on one thread
with seeded inputs, and writes forward.safetensors and forward.json into the folder of the case. V-JEPA 2.1, whose
classes the pinned checkout lacks, is computed in this script in float64. Output is reproducible byte for byte:

    make_forward.py --repositories DIR            writes into the folders beside this script
    make_forward.py --repositories DIR --output OTHER
    make_forward.py --repositories DIR --case ijepa --case vjepa

Layouts: images [batch, channels, height, width], videos [batch, frames, channels, height, width], regardless of the
layout of the lab's class. Ids count tokens frame by frame, then row by row.
"""

import argparse
import json
import pathlib
import shutil
import tempfile
import warnings

import safetensors.torch
import torch
import torch.nn.functional as F
import transformers

from load_back import filled, largest, load
from upstream_code import EPS, Repositories, clean, sizes_of

torch.set_num_threads(1)
transformers.utils.logging.disable_progress_bar()
warnings.filterwarnings("ignore", category=FutureWarning)

HERE = pathlib.Path(__file__).parent
TOLERANCE = 1e-5


# MARK: Files

class Case:
    """The contents of one folder."""

    def __init__(self, output, name, seed):
        self.source, self.destination = HERE / name, output / name
        self.generator = torch.Generator().manual_seed(seed)
        self.expected = json.loads((self.source / "expected.json").read_text())
        self.options, self.config = self.expected["options"], self.expected["config"]
        self.tensors, self.lines = {}, []

    def checkpoint(self):
        path, = self.source.glob("upstream.pt*")
        return load(path)

    def normal(self, *shape):
        return torch.randn(*shape, generator=self.generator)

    def ids(self, batch, tokens, *counts):
        """Returns disjoint, unordered sets of ids [batch, count], which differ between samples."""
        rows = torch.stack([torch.randperm(tokens, generator=self.generator)[:sum(counts)] for _ in range(batch)])
        return [part.contiguous() for part in rows.split(counts, dim=1)]

    def given(self, name, tensor, meaning):
        return self.add("input", name, tensor, meaning)

    def found(self, name, tensor, meaning, made_by, **more):
        return self.add("output", name, tensor, meaning, made_by=made_by, **more)

    def add(self, kind, name, tensor, meaning, **more):
        assert name not in self.tensors and tensor.dtype in (torch.float32, torch.int64), name
        assert tensor.dtype == torch.int64 or torch.isfinite(tensor).all(), f"{name} is not finite"
        self.tensors[name] = tensor.detach().clone().contiguous()
        self.lines.append({"name": name, "kind": kind, "dtype": "I64" if tensor.dtype == torch.int64 else "F32",
                           "shape": list(tensor.shape), "meaning": meaning, **more})
        return tensor

    def write(self, note, component=None):
        self.destination.mkdir(parents=True, exist_ok=True)
        data = safetensors.torch.save(self.tensors, metadata={"format": "pt"})
        assert len(data) < 100_000, f"{len(data)} bytes"
        (self.destination / "forward.safetensors").write_bytes(data)
        head = {"family": self.expected["family"], "component": component, "tolerance": TOLERANCE, "note": note}
        lines = ",\n".join(f"    {json.dumps(line)}" for line in self.lines)
        (self.destination / "forward.json").write_text(
            json.dumps(head, indent=2).removesuffix("\n}") + f',\n  "tensors": [\n{lines}\n  ]\n}}\n')


def gathered(x, ids):
    return torch.gather(x, 1, ids.unsqueeze(-1).expand(-1, -1, x.size(-1)))


def channels_first(video):
    """Converts to the layout of the labs' video classes: [batch, channels, frames, height, width]."""
    return video.transpose(1, 2)


def close(a, b, tolerance=TOLERANCE):
    assert largest(a, b) <= tolerance, largest(a, b)


def of_transformers(kind, folder, weights, config="expected-config.json"):
    """Returns a model of transformers with the expected tensors of a case."""
    with tempfile.TemporaryDirectory() as copy:
        shutil.copy(folder / weights, pathlib.Path(copy) / "model.safetensors")
        shutil.copy(folder / config, pathlib.Path(copy) / "config.json")
        model, report = kind.from_pretrained(copy, output_loading_info=True, dtype=torch.float32,
                                             attn_implementation="eager")
    assert not any(report.values()), report
    return model.eval()


# MARK: I-JEPA

def ijepa(output, labs):
    case = Case(output, "ijepa", 100)
    checkpoint = case.checkpoint()
    state = clean(checkpoint["target_encoder"])
    encoder = filled(labs.ijepa_encoder(**sizes_of(state), heads=case.options["heads"], side=16), state)
    state = clean(checkpoint["predictor"])
    predictor = filled(labs.ijepa_predictor(**sizes_of(state), heads=case.options["predictor_heads"]), state)
    model = of_transformers(transformers.IJepaModel, case.source, "expected.safetensors")

    pixels = case.given("pixel_values", case.normal(2, 3, 16, 16), "images; tokens are 4 by 4")
    found = case.found("last_hidden_state", encoder(pixels), "tokens after the norm",
                       "VisionTransformer(pixel_values) of facebookresearch/ijepa")
    close(model(pixels).last_hidden_state, found)
    large = case.given("pixel_values_large", case.normal(1, 3, 20, 28), "an image of another size; tokens are 5 by 7")
    case.found("last_hidden_state_large", model(large, interpolate_pos_encoding=True).last_hidden_state,
               "tokens after the norm; the position table resized bicubically (a = -0.75, no antialias)",
               "transformers.IJepaModel(pixel_values_large, interpolate_pos_encoding=True); Meta's class raises here")

    context, first, second = case.ids(2, 16, 6, 4, 4)
    targets = torch.stack([first, second])
    case.given("context_ids", context, "ids that the encoder sees")
    case.given("target_ids", targets, "two sets of ids to predict: [set, image, id]")
    seen = case.found("context_hidden_state", encoder(pixels, [context]),
                      "the encoder on the context tokens alone, in the order of context_ids",
                      "VisionTransformer(pixel_values, [context_ids])")
    case.found("predicted", predictor(seen, [context], [first, second]),
               "features of the targets, set 0 of both images, then set 1 of both: [set * image, id, width]",
               "VisionTransformerPredictor(context_hidden_state, [context_ids], [target_ids[0], target_ids[1]])")
    case.write("The encoder for the context is target_encoder too, so that one conversion holds all.", "target_encoder")


# MARK: V-JEPA

def vjepa(output, labs):
    case = Case(output, "vjepa", 101)
    checkpoint = case.checkpoint()
    shape = {"side": 16, "frames": 4}
    state = clean(checkpoint["target_encoder"])
    encoder = filled(labs.vjepa_encoder(**sizes_of(state), heads=case.options["heads"], **shape), state)
    state = clean(checkpoint["predictor"])
    predictor = filled(labs.vjepa_predictor(**sizes_of(state), heads=case.options["predictor_heads"], patch=4,
                                            tubelet=2, **shape), state)

    pixels = case.given("pixel_values", case.normal(2, 4, 3, 16, 16), "videos; tokens are 2 by 4 by 4")
    case.found("last_hidden_state", encoder(channels_first(pixels)), "tokens after the norm",
               "VisionTransformer(pixel_values) of facebookresearch/jepa")
    other = case.given("pixel_values_other", case.normal(1, 6, 3, 12, 20),
                       "a video of other length and sides; tokens are 3 by 3 by 5")
    case.found("last_hidden_state_other", encoder(channels_first(other)),
               "tokens after the norm; the position table resized trilinearly, corners not aligned",
               "VisionTransformer(pixel_values_other)")
    context_and_predicted(case, encoder, predictor, channels_first(pixels), 32, (0, 1),
                          lambda x, seen, wanted, index: predictor(x, None, seen, wanted, mask_index=index))
    case.write("Positions come from tables, for the predictor too, which does not sort its tokens.", "target_encoder")


def context_and_predicted(case, encoder, predictor, pixels, tokens, indices, call):
    """Runs the encoder on some tokens, and the predictor on the rest, once for each mask token."""
    context, targets = case.ids(2, tokens, tokens // 2 - 3, tokens // 4 + 1)
    case.given("context_ids", context, "ids that the encoder sees")
    case.given("target_ids", targets, "ids to predict")
    seen = case.found("context_hidden_state", encoder(pixels, [context]),
                      "the encoder on the context tokens alone, in the order of context_ids",
                      "VisionTransformer(pixel_values, [context_ids])")
    for index in indices:
        case.found(f"predicted_{index}", call(seen, context, targets, index),
                   f"features of the targets, in the order of target_ids, with mask_tokens.{index}",
                   f"{type(predictor).__name__}(context_hidden_state, context_ids, target_ids, mask_index={index})",
                   mask_index=index)


def vjepa_probe(output, labs):
    case = Case(output, "vjepa-probe", 102)
    state = clean(case.checkpoint()["classifier"])
    probe = filled(labs.vjepa_probe(**sizes_of(state), heads=case.options["heads"]), state)
    tokens = probe_tokens(case, 11, "tokens of an encoder")
    pooled_and_logits(case, probe, tokens, "facebookresearch/jepa")
    case.write("Depth 1: the cross-attention block alone. LayerNorm has eps 1e-5.", "classifier")


def probe_tokens(case, count, meaning):
    """The values of sample 1 are small enough to reveal a wrong eps."""
    tokens = case.normal(2, count, 24) * torch.tensor([1, 0.02]).view(2, 1, 1)
    return case.given("tokens", tokens, f"{meaning}; sample 1 is small, so that the eps of the first norm shows")


def pooled_and_logits(case, probe, tokens, repository):
    case.found("pooled", probe.pooler(tokens).squeeze(1), "the query after the pooler, before the linear layer",
               f"AttentiveClassifier.pooler(tokens)[:, 0] of {repository}")
    case.found("logits", probe(tokens), "one per class", f"AttentiveClassifier(tokens) of {repository}")


# MARK: V-JEPA 2

def vjepa2_encoder(labs, checkpoint, component, heads, frames=4):
    state = {name: tensor for name, tensor in clean(checkpoint[component]).items() if name != "pos_embed"}
    return filled(labs.vjepa2_encoder(**sizes_of(state), heads=heads, side=16, frames=frames), state)


def vjepa2(output, labs):
    case = Case(output, "vjepa2", 103)
    encoder = vjepa2_encoder(labs, case.checkpoint(), "target_encoder", case.options["heads"])
    pixels = case.given("pixel_values", case.normal(2, 4, 3, 16, 16), "videos; tokens are 2 by 4 by 4")
    last = case.found("last_hidden_state", encoder(channels_first(pixels)), "tokens after the norm",
                      "VisionTransformer(pixel_values) of facebookresearch/vjepa2")
    encoder.out_layers = [0, 1]
    levels = encoder(channels_first(pixels))
    encoder.out_layers = None
    close(levels[1], last, 0)
    for index, level in enumerate(levels):
        case.found(f"level_{index}", level, f"the output of block {index} through the final norm",
                   f"VisionTransformer(out_layers=[0, 1])(pixel_values)[{index}]")
    other = case.given("pixel_values_other", case.normal(1, 6, 3, 12, 20),
                       "a video of other length and sides; tokens are 3 by 3 by 5")
    case.found("last_hidden_state_other", encoder(channels_first(other)),
               "tokens after the norm; positions on the grid of the input",
               "VisionTransformer(pixel_values_other); transformers computes something else here")
    context, = case.ids(1, 45, 17)
    case.given("context_ids_other", context, "ids of tokens of pixel_values_other")
    case.found("context_hidden_state_other", encoder(channels_first(other), [context]),
               "the encoder on these tokens alone, in the order of context_ids_other",
               "VisionTransformer(pixel_values_other, [context_ids_other])")
    case.write("The predictor, and square inputs in more variants, are in Tests/Vectors/families/vjepa2.",
               "target_encoder")


def vjepa2_probe(output, labs):
    case = Case(output, "vjepa2-probe", 104)
    state = clean(case.checkpoint()["classifiers"][0])
    probe = filled(labs.vjepa2_probe(**sizes_of(state), heads=case.options["heads"]), state)
    tokens = probe_tokens(case, 13, "tokens of an encoder")
    pooled_and_logits(case, probe, tokens, "facebookresearch/vjepa2")

    whole = of_transformers(transformers.VJEPA2ForVideoClassification, case.source, "expected-full.safetensors")
    pixels = case.given("pixel_values_videos", case.normal(2, 4, 3, 16, 16), "videos for the whole classifier")
    theirs = case.found("logits_full", whole(pixels).logits, "one per class; the pooler's norms have eps 1e-6",
                        "transformers.VJEPA2ForVideoClassification(pixel_values_videos) on expected-full.safetensors")
    encoder = vjepa2_encoder(labs, load(case.source / case.options["backbone"]), "target_encoder", 2)
    labs_own = case.found("logits_full_meta", probe(encoder(channels_first(pixels))),
                          "one per class; the pooler's norms have eps 1e-5",
                          "AttentiveClassifier(VisionTransformer(pixel_values_videos)) of facebookresearch/vjepa2")
    close(theirs, labs_own, 1e-3)
    views_and_clips(case, labs, whole, encoder, probe)
    case.write("tokens, pooled and logits: Meta's class, three self-attention blocks and the cross-attention block, "
               "LayerNorm with eps 1e-5. logits_full: eps of config.json.", "classifiers.0")


def views_and_clips(case, labs, whole, encoder, probe):
    """Three crops of two clips of a video: tokens of all clips are concatenated, then the crops averaged."""
    clips = case.given("clips", case.normal(1, 3, 2, 2, 3, 16, 16),
                       "[video, view, clip, frame, channel, row, column]")
    views = [[whole.vjepa2(clips[:, view, clip], skip_predictor=True).last_hidden_state for clip in range(2)]
             for view in range(3)]
    logits = [whole.classifier(whole.pooler(torch.cat(parts, 1))) for parts in views]
    case.found("clips_logits_full", torch.stack(logits, 1), "[video, view, class]; eps of config.json",
               "pooler and classifier of transformers.VJEPA2ForVideoClassification on the last_hidden_state of both "
               "clips of a view, torch.cat along tokens")
    mean = case.found("clips_probabilities_full", torch.stack([F.softmax(each, -1) for each in logits]).mean(0),
                      "mean over the views of the softmax: [video, class]", "the same")
    nested = [[channels_first(clips[:, view, clip]) for view in range(3)] for clip in range(2)]
    for name, suffix in (("vit_encoder_multiclip", ""), ("vit_encoder_multiclip_multilevel", "_levels")):
        encoder.out_layers = [0, 1] if suffix else None
        module = labs.module("vjepa2", f"evals.video_classification_frozen.modelcustom.{name}")
        tokens = module.ClipAggregation(encoder, tubelet_size=2)(nested)
        made_by = f"AttentiveClassifier on ClipAggregation of facebookresearch/vjepa2, modelcustom/{name}.py"
        logits = case.found(f"clips_logits_meta{suffix}", torch.stack([probe(each) for each in tokens], 1),
                            "[video, view, class]" + ("; blocks 0 and 1 through the final norm" if suffix else ""),
                            made_by)
        found = case.found(f"clips_probabilities_meta{suffix}", F.softmax(logits, -1).mean(1),
                           "mean over the views of the softmax, as eval.py: [video, class]", made_by)
        assert suffix or largest(found, mean) <= 1e-3
    encoder.out_layers = None


def vjepa2_ek100(output, labs):
    case = Case(output, "vjepa2-ek100", 105)
    state = clean(case.checkpoint()["classifiers"][0])
    probe = filled(labs.vjepa2_anticipation_probe(**sizes_of(state), heads=case.options["heads"]), state)
    tokens = probe_tokens(case, 13, "tokens of an encoder and of its predictor")
    made_by = "AttentiveClassifier of facebookresearch/vjepa2, evals/action_anticipation_frozen/models.py"
    case.found("pooled", probe.pooler(tokens), "the three queries after the pooler: [sample, query, width]",
               f"the pooler of {made_by}")
    for query, (kind, logits) in enumerate(probe(tokens).items()):
        case.found(f"{kind}_logits", logits, f"{kind}_classifier on query {query}", made_by)

    backbone = load(case.source / "../vjepa2/upstream.pt")
    state = clean(backbone["predictor"])
    # Enough frames for the predicted positions, which are not in the weights.
    predictor = filled(labs.vjepa2_predictor(**sizes_of(state), heads=1, side=16, patch=4, frames=64, tubelet=2),
                       {name: tensor for name, tensor in state.items() if name != "predictor_pos_embed"})
    module = labs.module("vjepa2", "evals.action_anticipation_frozen.modelcustom.vit_encoder_predictor_concat_ar")
    wrapper = module.AnticipativeWrapper(vjepa2_encoder(labs, backbone, "target_encoder", 2), predictor,
                                         frames_per_second=8, crop_size=16, patch_size=4, tubelet_size=2)
    pixels = case.given("pixel_values", case.normal(2, 4, 3, 16, 16), "videos at 8 frames a second")
    joined = wrapper(channels_first(pixels), torch.ones(2))
    case.found("anticipated", joined[:, 32:], "the predictor's tokens of the two frames one second after the video",
               "the last 16 tokens of AnticipativeWrapper(pixel_values, 1 s) of facebookresearch/vjepa2 on case vjepa2")
    for kind, logits in probe(joined).items():
        case.found(f"{kind}_logits_whole", logits, "of all tokens of the wrapper", f"{made_by}, on AnticipativeWrapper")
    case.write("One self-attention block, then the cross-attention block with three queries. LayerNorm has eps 1e-5.",
               "classifiers.0")


def vjepa2_ac(output, labs):
    case = Case(output, "vjepa2-ac", 106)
    checkpoint = case.checkpoint()
    encoder = vjepa2_encoder(labs, checkpoint, "encoder", case.options["heads"])
    state = clean(checkpoint["predictor"])
    sizes = {name: size for name, size in sizes_of(state).items() if name != "mlp_ratio"}
    # More frames than in the case: its mask covers 2 frames, not 3, and is not in the weights.
    predictor = filled(labs.vjepa2_ac_predictor(**sizes, heads=case.options["predictor_heads"], side=16, patch=4,
                                                frames=16, tubelet=2), state)

    frames = case.given("pixel_values", case.normal(2, 3, 3, 16, 16), "three frames; 16 tokens each")
    clips = frames.flatten(0, 1).unsqueeze(2).repeat(1, 1, 2, 1, 1)
    features = encoder(clips).view(2, 48, 24)
    case.found("features", features, "each frame shown twice as a clip of its own; 16 tokens of each frame in turn",
               "VisionTransformer(clips) of facebookresearch/vjepa2")
    tokens = case.found("tokens", normed(features), "features after a LayerNorm without weights, eps 1e-5",
                        "torch.nn.functional.layer_norm(features, (24,))")
    actions = case.given("actions", case.normal(2, 3, 7), "one per frame")
    states = case.given("states", case.normal(2, 3, 7), "one per frame")
    predicted = case.found("predicted", predictor(tokens, actions, states),
                           "16 tokens for each frame, of the frame after it; not normed",
                           "VisionTransformerPredictorAC(tokens, actions, states) of facebookresearch/vjepa2")
    close(predictor(tokens[:, :16], actions[:, :1], states[:, :1]), predicted[:, :16])

    candidates = torch.zeros(5, 1, 7)
    candidates[..., :3] = case.normal(5, 1, 3)
    case.given("candidates", candidates, "five actions to choose from")
    steps = predictor(tokens[:1, :16].expand(5, -1, -1), candidates, states[:1, :1].expand(5, -1, -1))
    case.found("energies", (normed(steps) - tokens[:1, 32:]).abs().mean(dim=(1, 2)),
               "mean over tokens and widths of |z - goal|; z: the prediction from frame 0 and state 0 of sample 0, "
               "normed like tokens; goal: tokens of frame 2 of sample 0",
               "VisionTransformerPredictorAC, then the formula of notebooks/energy_landscape_example.ipynb")

    fixed = labs.module("jepa-wms", "src.models.ac_predictor").VisionTransformerPredictorAC(
        img_size=(16, 16), patch_size=4, num_frames=16, tubelet_size=2, embed_dim=sizes["dim"],
        predictor_embed_dim=sizes["hidden"], depth=sizes["depth"], num_heads=case.options["predictor_heads"],
        norm_layer=EPS, proprio_tokens=0).eval()
    filled(fixed, {name: tensor for name, tensor in state.items() if name.split(".")[0] not in
                   ("state_encoder", "extrinsics_encoder")})
    case.found("predicted_without_states", fixed(tokens, actions, None)[0],
               "like predicted, by the same weights without state_encoder and extrinsics_encoder",
               "VisionTransformerPredictorAC(tokens, actions, None) of facebookresearch/jepa-wms, proprio_tokens 0")
    case.write("The predictors are built for 16 frames, so that their masks cover three.", "encoder")


def normed(x):
    return F.layer_norm(x, (x.size(-1),))


# MARK: V-JEPA 2.1

class VJEPA21:
    """V-JEPA 2.1 in float64, written from its formulas without code of the lab's class.

    Rotations are interleaved: neighbouring channels form a pair and share one angle. With `interpolate`, rows and
    columns are rescaled to 0...15. (Meta's class has this constant for patches of 16 only; patches are 4 here.)
    """

    LEVELS = {12: (2, 5, 8, 11), 24: (5, 11, 17, 23), 40: (9, 19, 29, 39), 48: (11, 23, 37, 47)}

    def __init__(self, state, heads):
        self.state = {name: tensor.double() for name, tensor in clean(state).items()}
        self.heads = heads
        self.depth = 1 + max(int(name.split(".")[1]) for name in self.state
                             if name.startswith(("blocks.", "predictor_blocks.")))

    def linear(self, name, x):
        return x @ self.state[f"{name}.weight"].T + self.state[f"{name}.bias"]

    def norm(self, name, x):
        x = x - x.mean(-1, keepdim=True)
        x = x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt()
        return x * self.state[f"{name}.weight"] + self.state[f"{name}.bias"]

    @staticmethod
    def gelu(x):
        return 0.5 * x * (1 + torch.erf(x / 2 ** 0.5))

    @staticmethod
    def places(ids, rows, columns, interpolate):
        """Returns the time, row and column of each token, each [batch, token]."""
        rest = ids % (rows * columns)
        time, row, column = ids // (rows * columns), rest // columns, rest % columns
        scales = (1, 15 / (rows - 1), 15 / (columns - 1)) if interpolate else (1, 1, 1)
        return [place.double() * scale for place, scale in zip((time, row, column), scales)]

    @staticmethod
    def rotated(x, places):
        """Rotates one segment each of [batch, head, token, width] by time, row and column; the rest is unchanged."""
        width = 2 * (x.size(-1) // 3 // 2)
        parts = []
        for index, place in enumerate(places):
            segment = x[..., index * width:(index + 1) * width]
            rates = 10000.0 ** (-torch.arange(width // 2, dtype=torch.float64) / (width // 2))
            angles = place[:, None, :, None] * rates
            even, odd = segment[..., 0::2], segment[..., 1::2]
            turned = (even * angles.cos() - odd * angles.sin(), odd * angles.cos() + even * angles.sin())
            parts.append(torch.stack(turned, -1).flatten(-2))
        return torch.cat([*parts, x[..., 3 * width:]], -1)

    def block(self, name, x, places):
        batch, tokens, width = x.shape
        q, k, v = (part.view(batch, tokens, self.heads, -1).transpose(1, 2)
                   for part in self.linear(f"{name}.attn.qkv", self.norm(f"{name}.norm1", x)).chunk(3, -1))
        scores = self.rotated(q, places) @ self.rotated(k, places).mT / q.size(-1) ** 0.5
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, tokens, width)
        x = x + self.linear(f"{name}.attn.proj", mixed)
        inner = self.gelu(self.linear(f"{name}.mlp.fc1", self.norm(f"{name}.norm2", x)))
        return x + self.linear(f"{name}.mlp.fc2", inner)

    def embedded(self, video):
        """Returns the tokens of a video, or of an image as a video of one frame, with their rows and columns."""
        image = video.size(1) == 1
        name = "patch_embed_img.proj" if image else "patch_embed.proj"
        weight = self.state[f"{name}.weight"]
        _, channels, depth, side, _ = weight.shape
        batch, frames, _, height, width = video.shape
        parts = video.double().view(batch, frames // depth, depth, channels, height // side, side, width // side, side)
        tokens = parts.permute(0, 1, 4, 6, 3, 2, 5, 7).reshape(batch, -1, channels * depth * side * side)
        tokens = tokens @ weight.flatten(1).T + self.state[f"{name}.bias"]
        return (tokens + self.state["img_mod_embed" if image else "video_mod_embed"], height // side, width // side)

    def encode(self, video, ids=None):
        """Returns four levels, each after its own norm; the last one is the output."""
        x, rows, columns = self.embedded(video)
        if ids is None:
            ids = torch.arange(x.size(1)).expand(x.size(0), -1)
        else:
            x = gathered(x, ids)
        places, found = self.places(ids, rows, columns, True), []
        for index in range(self.depth):
            x = self.block(f"blocks.{index}", x, places)
            if index in self.LEVELS[self.depth]:
                found.append(self.norm(f"norms_block.{len(found)}", x))
        return found

    def predict(self, x, context, targets, *, grid, mask_index=1, image=False, interpolate=False):
        """Returns predictions for the targets and the context, unsorted: attention is permutation-equivariant."""
        if "predictor_embed.weight" in self.state:
            x = self.linear("predictor_embed", x)
        else:
            x = self.linear("predictor_embed.2", self.gelu(self.linear("predictor_embed.0", x)))
        count = sum(name.startswith("mask_tokens.") for name in self.state)
        token = self.state[f"mask_tokens.{mask_index % count}"]
        x = torch.cat([x, token.expand(x.size(0), targets.size(1), -1)], 1)
        x = x + self.state["img_mod_embed" if image else "video_mod_embed"]
        places = self.places(torch.cat([context, targets], 1), grid, grid, interpolate)
        for index in range(self.depth):
            x = self.block(f"predictor_blocks.{index}", x, places)
        x = self.norm("predictor_norm", x)
        return (self.linear("predictor_proj", x[:, context.size(1):]),
                self.linear("predictor_proj_context", x[:, :context.size(1)]))


def vjepa21(output, name, component, seed):
    case = Case(output, name, seed)
    checkpoint = case.checkpoint()
    encoder = VJEPA21(checkpoint[component], case.options["heads"])
    predictor = VJEPA21(checkpoint["predictor"], case.options["predictor_heads"])
    levels = case.config["pred_levels"]
    here = "VJEPA21 of make_forward.py: "

    def outputs(suffix, text, found):
        last, joined = found[-1].float(), torch.cat(found, -1).float()
        case.found(f"last_hidden_state{suffix}", last, f"{text}: norms_block.3 of the last block",
                   f"{here}encode(pixel_values{suffix})[3]")
        case.found(f"hierarchical{suffix}", joined, f"{text}: norms_block.0 to 3 of blocks 2, 5, 8, 11, side by side",
                   f"{here}encode(pixel_values{suffix})")

    def predicted(suffix, video, text, **options):
        batch = video.size(0)
        tokens = video.size(1) // (1 if options.get("image") else 2) * 16
        context, targets = case.ids(batch, tokens, tokens // 2 - 3, tokens // 4 + 1)
        case.given(f"context_ids{suffix}", context, f"{text}: ids that the encoder sees")
        case.given(f"target_ids{suffix}", targets, f"{text}: ids to predict")
        seen = encoder.encode(video, context)
        seen = torch.cat(seen, -1) if levels == 4 else seen[-1]
        case.found(f"context_hidden_state{suffix}", seen.float(),
                   f"{text}: the encoder on the context tokens alone, "
                   + ("its four levels side by side" if levels == 4 else "its output")
                   + ": what this predictor takes", f"{here}encode(pixel_values{suffix}, context_ids{suffix})")
        seen = seen.float().double()
        grids = [("predicted", {}, "positions on the raw grid, as the hub builds it")]
        if not options:
            grids.append(("predicted_interpolated", {"interpolate": True},
                          "rows and columns stretched to 0...15, as in training"))
        for name, more, how in grids:
            found, around = predictor.predict(seen, context, targets, grid=4, **options, **more)
            call = (f"{here}predict(context_hidden_state{suffix}, context_ids{suffix}, target_ids{suffix}, "
                    + ", ".join(["mask_index=1", *(f"{key}=True" for key in {**options, **more})]) + ")")
            case.found(f"{name}{suffix}", found.float(), f"{text}: targets through predictor_proj; {how}", call,
                       mask_index=1)
            case.found(f"{name}_context{suffix}", around.float(),
                       f"{text}: context through predictor_proj_context; {how}", call, mask_index=1)

    video = case.given("pixel_values", case.normal(1, 4, 3, 16, 16), "a video; tokens are 2 by 4 by 4")
    outputs("", "video", encoder.encode(video))
    predicted("", video, "video")
    images = case.given("pixel_values_image", case.normal(2, 1, 3, 16, 16), "images, one frame each; tokens are 4 by 4")
    outputs("_image", "images", encoder.encode(images))
    predicted("_image", images, "images", image=True)
    other = case.given("pixel_values_other", case.normal(1, 2, 3, 12, 20),
                       "a video of other length and sides; tokens are 1 by 3 by 5")
    case.found("last_hidden_state_other", encoder.encode(other)[-1].float(), "norms_block.3 of the last block",
               f"{here}encode(pixel_values_other)[3]")
    case.write("An independent re-implementation in float64, rounded to float32: no class of the lab's at the pinned "
               "commit. Positions of the encoder are stretched: rows and columns times 15 / (count - 1).", component)


def vjepa21_large(output, labs):
    vjepa21(output, "vjepa21", "target_encoder", 107)


def vjepa21_distilled(output, labs):
    vjepa21(output, "vjepa21-distilled", "ema_encoder", 108)


# MARK: JEPA-WM and DINO-WM

def embeddings(case, labs, checkpoint, actions, proprio):
    """Returns both embeddings, which are stored beside the predictor."""
    found = []
    for kind, given in (("action", actions), ("proprio", proprio)):
        state = clean(checkpoint[f"{kind}_encoder"])
        width, inputs, _ = state["patch_embed.weight"].shape
        found.append(case.found(f"{kind}_embedding",
                                filled(labs.jepa_wm_embedding(inputs=inputs, width=width), state)(given),
                                f"{kind}_encoder: [batch, frame, 1, width]",
                                "ProprioceptiveEmbedding of facebookresearch/jepa-wms"))
    return found


def jepa_wm(output, labs):
    case = Case(output, "jepa-wm", 109)
    checkpoint = case.checkpoint()
    predictor = filled(labs.jepa_wm_predictor(
        dim=24, hidden=24, proprio_width=4, depth=2, heads=case.options["predictor_heads"], side=16, patch=4, frames=4,
        action_width=10), clean(checkpoint["predictor"]))
    visual = case.given("visual", case.normal(2, 3, 1, 4, 4, 24),
                        "tokens of the visual encoder: [batch, frame, view, row, column, width]")
    actions = case.given("actions", case.normal(2, 3, 10), "[batch, frame, width]")
    proprio = case.given("proprio", case.normal(2, 3, 4), "[batch, frame, width]")
    action, state = embeddings(case, labs, checkpoint, actions, proprio)
    found, nothing, also = predictor(visual, action, state.repeat(1, 1, 16, 1))
    assert nothing is None
    call = ("VisionTransformerAdaLN(visual, action_embedding, proprio_embedding repeated on every patch) of "
            "facebookresearch/jepa-wms")
    case.found("predicted", found, "visual tokens of the next frames: [batch, frame, row * column, width]", call)
    case.found("predicted_proprio", also, "the last 4 channels after the norm, without projection", call)
    close(predictor(visual[:, :1], action[:, :1], state[:, :1].repeat(1, 1, 16, 1))[0], found[:, :1])
    case.write("Three frames of the four that the mask is built for; a frame sees itself and the frames before it.")


def dino_wm(output, labs):
    case = Case(output, "dino-wm", 110)
    checkpoint = case.checkpoint()
    predictor = filled(labs.dino_wm_predictor(
        tokens=4, frames=3, dim=32, depth=2, heads=case.options["predictor_heads"], head_dim=12, mlp=48),
        clean(checkpoint["predictor"]))
    visual = case.given("visual", case.normal(2, 3, 1, 2, 2, 24),
                        "tokens of the visual encoder: [batch, frame, view, row, column, width]")
    actions = case.given("actions", case.normal(2, 3, 10), "[batch, frame, width]")
    proprio = case.given("proprio", case.normal(2, 3, 4), "[batch, frame, width]")
    action, state = embeddings(case, labs, checkpoint, actions, proprio)
    joined = torch.cat([visual.flatten(2, 4), state.repeat(1, 1, 4, 1), action.repeat(1, 1, 4, 1)], -1)
    case.found("tokens", joined, "channels: visual, proprio, action, the latter two repeated on every patch",
               "torch.cat, as VideoWM.concat_obs_act")
    for suffix, frames in (("", 3), ("_two_frames", 2)):
        found = predictor(joined[:, :frames].flatten(1, 2)).view(2, frames, 4, 32)
        call = f"ViTPredictor(tokens of the first {frames} frames) of facebookresearch/jepa-wms"
        for name, part in zip(("predicted", "predicted_proprio", "predicted_action"), found.split((24, 4, 4), -1)):
            case.found(f"{name}{suffix}", part, "these channels of the output: [batch, frame, row * column, width]",
                       call)
    case.write("A frame sees itself and the frames before it. Two frames take the first two thirds of pos_embedding.")


# MARK: LeWM

def lewm(output, labs):
    case = Case(output, "lewm", 111)
    state = case.checkpoint()
    source = labs.file("stable-worldmodel", "stable_worldmodel/wm/lewm/module.py")
    whole = labs.file("stable-worldmodel", "stable_worldmodel/wm/lewm/lewm.py")

    def built():
        config = transformers.ViTConfig(hidden_size=24, num_hidden_layers=2, num_attention_heads=case.options["heads"],
                                        intermediate_size=48, image_size=16, patch_size=4)
        config._attn_implementation = "eager"
        norm = torch.nn.BatchNorm1d
        return whole.LeWM(
            encoder=transformers.ViTModel(config, add_pooling_layer=False, use_mask_token=False),
            predictor=source.Predictor(num_frames=3, input_dim=24, hidden_dim=24, output_dim=24, depth=2,
                                       heads=case.options["predictor_heads"], mlp_dim=48, dim_head=16),
            action_encoder=source.Embedder(input_dim=10, emb_dim=24),
            projector=source.MLP(input_dim=24, output_dim=24, hidden_dim=40, norm_fn=norm),
            pred_proj=source.MLP(input_dim=24, output_dim=24, hidden_dim=40, norm_fn=norm)).eval()

    model = filled(built(), vit_of_transformers_5(state))
    pixels = case.given("pixel_values", case.normal(2, 3, 3, 16, 16), "three frames; a class token and 4 by 4 patches")
    actions = case.given("actions", case.normal(2, 3, 10), "one block of actions per frame")
    classes = model.encoder(pixels.flatten(0, 1), interpolate_pos_encoding=True).last_hidden_state[:, 0]
    case.found("cls", classes.view(2, 3, 24), "the class token after the encoder's norm, of each frame",
               "LeWM.encoder of galilai-group/stable-worldmodel: transformers.ViTModel")
    encoded = model.encode({"pixels": pixels, "action": actions})
    embedding = case.found("embedding", encoded["emb"], "cls through the projector: [batch, frame, width]",
                           "LeWM.encode, emb")
    close(model.projector(classes).view(2, 3, 24), embedding)
    action = case.found("action_embedding", encoded["act_emb"], "[batch, frame, width]", "LeWM.encode, act_emb")
    case.found("hidden", model.predictor(embedding, action), "the predictor, before pred_proj",
               "LeWM.predictor(embedding, action_embedding)")
    predicted = case.found("predicted", model.predict(embedding, action), "embeddings of the next frames",
                           "LeWM.predict(embedding, action_embedding)")
    close(model.predict(embedding[:, :2], action[:, :2]), predicted[:, :2])
    large = case.given("pixel_values_large", case.normal(1, 1, 3, 20, 28), "one frame of another size; 5 by 7 patches")
    case.found("embedding_large", model.encode({"pixels": large})["emb"],
               "the position table resized bicubically (a = -0.75, no antialias); the class token's as it is",
               "LeWM.encode, emb")

    history = case.given("action_history", case.normal(1, 2, 2, 10),
                         "blocks between the three frames of sample 0, for each plan: [1, plan, block, width]")
    plans = case.given("plans", case.normal(1, 2, 2, 10), "two plans of two blocks: [1, plan, block, width]")
    rollout = model.rollout({"pixels": pixels[:1].unsqueeze(1).expand(-1, 2, -1, -1, -1, -1),
                             "action_history": history}, plans)["predicted_emb"]
    case.found("rollout", rollout, "embeddings of the three frames of sample 0, then of the two after each block: "
               "[1, plan, frame, width]; the predictor sees three frames at a time", "LeWM.rollout")

    newer = filled(built(), load(HERE / "lewm-v5" / "upstream.pt"))
    close(newer.predict(embedding, action), predicted, 0)
    close(newer.encode({"pixels": pixels})["emb"], embedding, 0)
    case.write("Batch norms use their running statistics. The case lewm-v5 computes the same.")


def vit_of_transformers_5(state):
    """Maps older names of the Vision Transformer to those of transformers 5."""
    table = {"encoder.encoder.layer.": "encoder.layers.", "attention.attention.query": "attention.q_proj",
             "attention.attention.key": "attention.k_proj", "attention.attention.value": "attention.v_proj",
             "attention.output.dense": "attention.o_proj", "intermediate.dense": "mlp.fc1", "output.dense": "mlp.fc2"}
    found = {}
    for name, tensor in state.items():
        if name.startswith("encoder."):
            for old, new in table.items():
                name = name.replace(old, new)
        found[name] = tensor
    return found


CASES = {"ijepa": ijepa, "vjepa": vjepa, "vjepa-probe": vjepa_probe, "vjepa2": vjepa2, "vjepa2-probe": vjepa2_probe,
         "vjepa2-ek100": vjepa2_ek100, "vjepa2-ac": vjepa2_ac, "vjepa21": vjepa21_large,
         "vjepa21-distilled": vjepa21_distilled, "jepa-wm": jepa_wm, "dino-wm": dino_wm, "lewm": lewm}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repositories", required=True, help="folder of the labs' checkouts")
    parser.add_argument("--output", type=pathlib.Path, default=HERE)
    parser.add_argument("--case", action="append", choices=CASES, help="run only this case; can be repeated")
    arguments = parser.parse_args()
    labs = Repositories(arguments.repositories)
    with torch.no_grad():
        for name in arguments.case or CASES:
            print(name)
            CASES[name](arguments.output, labs)


if __name__ == "__main__":
    main()
