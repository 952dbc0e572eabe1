# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Builds the labs' own model classes from local checkouts; shared by the scripts in this folder.

A folder of checkouts contains `ijepa`, `jepa`, `vjepa2`, `jepa-wms` and `stable-worldmodel` (README.md lists the
commits). Their code is imported from there and is not part of this project.

Builders take sizes. `sizes_of` derives sizes from a state dict. The caller provides the numbers of heads, side
lengths and numbers of frames, which are not in the weights.
"""

import functools
import importlib
import importlib.util
import pathlib
import sys
import types

import torch

EPS = functools.partial(torch.nn.LayerNorm, eps=1e-6)


class Repositories:
    """Imports modules of one checkout at a time, because all of them call their package `src`."""

    PACKAGES = ("src", "app", "evals")

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.current = None
        self.modules = {}
        if importlib.util.find_spec("timm") is None:
            self.stub_timm()

    @staticmethod
    def stub_timm():
        """Replaces timm: the models use only its function `drop_path`, and only in training."""
        def drop_path(x, drop_prob=0.0, training=False, scale_by_keep=True):
            assert not training or drop_prob == 0
            return x
        for name in ("timm", "timm.layers", "timm.models", "timm.models.layers"):
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].drop_path = drop_path

    def module(self, repository, name):
        """Imports the module `name` of a checkout together with its packages."""
        if (repository, name) not in self.modules:
            self.enter(repository)
            self.modules[repository, name] = importlib.import_module(name)
        return self.modules[repository, name]

    def enter(self, repository):
        if repository == self.current:
            return
        root = self.folder / repository
        if not root.is_dir():
            raise SystemExit(f"the folder of --repositories has no checkout {repository}")
        for name in [n for n in sys.modules if n.split(".")[0] in self.PACKAGES]:
            del sys.modules[name]
        if self.current:
            sys.path.remove(str(self.folder / self.current))
        sys.path.insert(0, str(root))
        importlib.invalidate_caches()
        self.current = repository

    def file(self, repository, path):
        """Imports one source file as a module without its package, whose other files have more requirements."""
        spec = importlib.util.spec_from_file_location(
            f"{repository}_{pathlib.Path(path).stem}".replace("-", "_"), self.folder / repository / path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    # MARK: I-JEPA

    def ijepa_encoder(self, *, dim, depth, heads, side, patch, mlp_ratio=4.0):
        return self.module("ijepa", "src.models.vision_transformer").VisionTransformer(
            img_size=[side], patch_size=patch, embed_dim=dim, depth=depth, num_heads=heads, mlp_ratio=mlp_ratio,
            norm_layer=EPS).eval()

    def ijepa_predictor(self, *, tokens, dim, hidden, depth, heads, mlp_ratio=4.0):
        return self.module("ijepa", "src.models.vision_transformer").VisionTransformerPredictor(
            num_patches=tokens, embed_dim=dim, predictor_embed_dim=hidden, depth=depth, num_heads=heads,
            mlp_ratio=mlp_ratio, norm_layer=EPS).eval()

    # MARK: V-JEPA

    def vjepa_encoder(self, *, dim, depth, heads, side, patch, frames, tubelet, mlp_ratio=4.0):
        return self.module("jepa", "src.models.vision_transformer").VisionTransformer(
            img_size=side, patch_size=patch, num_frames=frames, tubelet_size=tubelet, embed_dim=dim, depth=depth,
            num_heads=heads, mlp_ratio=mlp_ratio, norm_layer=EPS, uniform_power=True).eval()

    def vjepa_predictor(self, *, dim, hidden, depth, heads, side, patch, frames, tubelet, mask_tokens, mlp_ratio=4.0):
        return self.module("jepa", "src.models.predictor").VisionTransformerPredictor(
            img_size=side, patch_size=patch, num_frames=frames, tubelet_size=tubelet, embed_dim=dim,
            predictor_embed_dim=hidden, depth=depth, num_heads=heads, mlp_ratio=mlp_ratio, norm_layer=EPS,
            uniform_power=True, use_mask_tokens=True, num_mask_tokens=mask_tokens).eval()

    def vjepa_probe(self, *, dim, depth, heads, classes):
        return self.module("jepa", "src.models.attentive_pooler").AttentiveClassifier(
            embed_dim=dim, num_heads=heads, depth=depth, num_classes=classes).eval()

    # MARK: V-JEPA 2

    def vjepa2_encoder(self, *, dim, depth, heads, side, patch, frames, tubelet, mlp_ratio=4.0):
        return self.module("vjepa2", "src.models.vision_transformer").VisionTransformer(
            img_size=(side, side), patch_size=patch, num_frames=frames, tubelet_size=tubelet, embed_dim=dim,
            depth=depth, num_heads=heads, mlp_ratio=mlp_ratio, norm_layer=EPS, use_rope=True).eval()

    def vjepa2_predictor(self, *, dim, hidden, depth, heads, side, patch, frames, tubelet, mask_tokens,
                         mlp_ratio=4.0):
        return self.module("vjepa2", "src.models.predictor").VisionTransformerPredictor(
            img_size=(side, side), patch_size=patch, num_frames=frames, tubelet_size=tubelet, embed_dim=dim,
            predictor_embed_dim=hidden, depth=depth, num_heads=heads, mlp_ratio=mlp_ratio, norm_layer=EPS,
            use_rope=True, use_mask_tokens=True, num_mask_tokens=mask_tokens).eval()

    def vjepa2_probe(self, *, dim, depth, heads, classes):
        return self.module("vjepa2", "src.models.attentive_pooler").AttentiveClassifier(
            embed_dim=dim, num_heads=heads, depth=depth, num_classes=classes).eval()

    def vjepa2_anticipation_probe(self, *, dim, depth, heads, verbs, nouns, actions):
        return self.module("vjepa2", "evals.action_anticipation_frozen.models").AttentiveClassifier(
            verb_classes=dict.fromkeys(range(verbs)), noun_classes=dict.fromkeys(range(nouns)),
            action_classes=dict.fromkeys(range(actions)), embed_dim=dim, num_heads=heads, depth=depth,
            use_activation_checkpointing=False).eval()

    def vjepa2_ac_predictor(self, *, dim, hidden, depth, heads, side, patch, frames, tubelet):
        return self.module("vjepa2", "src.models.ac_predictor").VisionTransformerPredictorAC(
            img_size=(side, side), patch_size=patch, num_frames=frames, tubelet_size=tubelet, embed_dim=dim,
            predictor_embed_dim=hidden, depth=depth, num_heads=heads, norm_layer=EPS).eval()

    # MARK: JEPA-WM and DINO-WM

    def jepa_wm_predictor(self, *, dim, hidden, proprio_width, depth, heads, side, patch, frames, action_width,
                          proprio_in=4, action_inside=False, proprio_inside=False):
        return self.module("jepa-wms", "app.plan_common.models.AdaLN_vit").VisionTransformerAdaLN(
            img_size=side, patch_size=patch, num_frames=frames, tubelet_size=1, embed_dim=dim,
            predictor_embed_dim=hidden, depth=depth, num_heads=heads, norm_layer=EPS, local_window=(3, -1, -1),
            use_rope=True, action_dim=action_width, proprio_dim=proprio_in, proprio_encoding="feature",
            proprio_emb_dim=proprio_width, action_encoder_inpred=action_inside,
            proprio_encoder_inpred=proprio_inside).eval()

    def dino_wm_predictor(self, *, tokens, frames, dim, depth, heads, head_dim, mlp):
        return self.module("jepa-wms", "app.plan_common.models.vit").ViTPredictor(
            num_patches=tokens, num_frames=frames, dim=dim, depth=depth, heads=heads, mlp_dim=mlp,
            dim_head=head_dim).eval()

    def jepa_wm_embedding(self, *, inputs, width):
        return self.module("jepa-wms", "app.plan_common.models.prop_embedding").ProprioceptiveEmbedding(
            num_frames=3, tubelet_size=1, in_chans=inputs, embed_dim=width).eval()


def clean(state):
    """Removes the prefixes of wrappers from names, as the labs' loaders do."""
    found = {}
    for name, tensor in state.items():
        for part in ("_orig_mod.", "module.", "backbone."):
            name = name.replace(part, "")
        found[name] = tensor
    return found


def depth_of(state, prefix):
    return 1 + max(int(name[len(prefix):].split(".")[0]) for name in state if name.startswith(prefix))


def sizes_of(state):
    """Returns the sizes that follow from the shapes of a cleaned encoder, predictor or probe."""
    sizes = {}
    if "patch_embed.proj.weight" in state:
        weight = state["patch_embed.proj.weight"]
        sizes |= {"dim": weight.shape[0], "patch": weight.shape[-1], "depth": depth_of(state, "blocks."),
                  "mlp_ratio": state["blocks.0.mlp.fc1.weight"].shape[0] / weight.shape[0]}
        if weight.ndim == 5:
            sizes["tubelet"] = weight.shape[2]
    elif "predictor_blocks.0.norm1.weight" in state:
        hidden, dim = state["predictor_embed.weight"].shape
        sizes |= {"dim": dim, "hidden": hidden, "depth": depth_of(state, "predictor_blocks."),
                  "mlp_ratio": state["predictor_blocks.0.mlp.fc1.weight"].shape[0] / hidden}
        if "mask_tokens.0" in state:
            sizes["mask_tokens"] = depth_of(state, "mask_tokens.")
        if "mask_token" in state:
            sizes["tokens"] = state["predictor_pos_embed"].shape[1]
    elif "pooler.query_tokens" in state:
        blocks = [name for name in state if name.startswith("pooler.blocks.")]
        sizes |= {"dim": state["pooler.query_tokens"].shape[-1],
                  "depth": 1 + (depth_of(state, "pooler.blocks.") if blocks else 0)}
        if "linear.weight" in state:
            sizes["classes"] = state["linear.weight"].shape[0]
        else:
            sizes |= {f"{kind}s": state[f"{kind}_classifier.weight"].shape[0] for kind in ("verb", "noun", "action")}
    return sizes
