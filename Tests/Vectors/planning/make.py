#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes the results of the labs' own planners with the models of the conversion vectors.

    make.py --repositories DIR [--output OTHER]

poses.json: poses and their changes. plans.safetensors and plans.json: searches with two iterations, in which
torch.randn returns given noise: `NAME.noise` [iterations, steps, samples, dimensions]; `NAME.mean` and
`NAME.std` after each iteration, [iterations, steps, dimensions]; `NAME.actions`, the plan.

Versions: scipy 1.17.1, torch 2.13. Output is reproducible byte for byte.
"""

import argparse
import contextlib
import importlib
import inspect
import json
import pathlib
import sys
import types
import warnings

import numpy as np
import safetensors.torch
import torch
import torch.nn.functional as F
import transformers
from scipy.spatial.transform import Rotation

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "conversion"))

from load_back import filled, load  # noqa: E402
from make_forward import vit_of_transformers_5  # noqa: E402
from upstream_code import EPS, Repositories, clean, sizes_of  # noqa: E402

torch.set_num_threads(1)


# MARK: Poses

def poses(labs):
    """Poses, actions and resulting poses, in float64; rotations are extrinsic xyz Euler angles."""
    upstream = labs.module("vjepa2", "notebooks.utils.mpc_utils")
    generator = np.random.default_rng(7)
    found = []

    def add(kind, start, action):
        new = upstream.compute_new_pose(torch.tensor(start)[None, None], torch.tensor(action)[None, None])[0, 0]
        back = upstream.poses_to_diff(torch.tensor(start), new)
        found.append({"kind": kind, "start": list(map(float, start)), "action": list(map(float, action)),
                      "moved": new.tolist(), "change": back.tolist()})

    def arm(angles):
        return np.concatenate([generator.uniform(-1, 1, 3), angles, generator.uniform(0, 1, 1)])

    def step(angles):
        return np.concatenate([generator.uniform(-.1, .1, 3), angles, generator.uniform(-1, 1, 1)])

    def before(target, turn):
        """Returns the angles that the rotation `turn` takes to `target`."""
        rotation = Rotation.from_euler("xyz", turn).inv() * Rotation.from_euler("xyz", target)
        return rotation.as_euler("xyz")

    for _ in range(20):
        add("anywhere", arm(generator.uniform(-np.pi, np.pi, 3) * [1, .5, 1]), step(generator.uniform(-3, 3, 3)))
    add("still", arm(np.array([.1, .2, .3])), np.zeros(7))
    # Resulting angles about x and z close to pi, on either side.
    for offset in [1e-3, 1e-6, -1e-6, -1e-3]:
        for axis in [0, 2]:
            target = generator.uniform(-1, 1, 3)
            target[axis] = np.pi - offset
            turn = generator.uniform(-.5, .5, 3)
            add("half turn", arm(before(target, turn)), step(turn))
    # Gimbal lock: the second angle is pi/2, so the first and third rotate about the same axis.
    for offset in [0, 1e-9, 3e-8, 1e-6, 1e-5, 1e-3]:
        for sign in [1, -1]:
            target = generator.uniform(-1, 1, 3)
            target[1] = sign * (np.pi / 2 - offset)
            turn = generator.uniform(-.5, .5, 3)
            add("locked" if offset < 1e-7 else "nearly locked", arm(before(target, turn)), step(turn))
    return found


# MARK: Plans

class Plans:
    """Writes searches and their noise."""

    def __init__(self):
        self.generator = torch.Generator().manual_seed(11)
        self.tensors, self.rows = {}, []

    def noise(self, *shape):
        return torch.randn(*shape, generator=self.generator)

    def add(self, name, noise, means, stds, actions, **settings):
        for part, tensor in {"noise": noise, "mean": torch.stack(means), "std": torch.stack(stds),
                             "actions": actions}.items():
            assert torch.isfinite(tensor).all()
            self.tensors[f"{name}.{part}"] = tensor.clone().contiguous()
        self.rows.append({"name": name, **settings})


@contextlib.contextmanager
def fed(numbers):
    """Makes torch.randn return `numbers` in order; requires that all are used."""
    numbers, original = iter(numbers), torch.randn

    def randn(*shape, **_):
        found = next(numbers)
        assert tuple(found.shape) == shape, (found.shape, shape)
        return found
    torch.randn = randn
    try:
        yield
        assert next(numbers, None) is None
    finally:
        torch.randn = original


def vectors(name):
    folder = HERE.parent / "conversion" / name
    path, = folder.glob("upstream.pt*")
    options = json.loads((folder / "expected.json").read_text())["options"]
    return load(path), safetensors.torch.load_file(folder / "forward.safetensors"), options


def plans_of_arms(labs, plans):
    """Runs `cem` through `WorldModel`, from frame and state 0 of sample 0 to frame 2."""
    checkpoint, forward, options = vectors("vjepa2-ac")
    state = clean(checkpoint["predictor"])
    sizes = {name: size for name, size in sizes_of(state).items() if name != "mlp_ratio"}
    predictor = filled(labs.vjepa2_ac_predictor(**sizes, heads=options["predictor_heads"], side=16, patch=4,
                                                frames=16, tubelet=2), state)
    upstream = labs.module("vjepa2", "notebooks.utils.mpc_utils")
    wrapper = labs.module("vjepa2", "notebooks.utils.world_model_wrapper")
    frames = forward["tokens"][:1].view(1, 3, 16, 24)
    start, goal, pose = frames[:, :1], frames[:, 2:], forward["states"][:1, :1]
    for name, close, given in [
        ("function", None, {"cem_steps": 2, "samples": 20, "topk": 5}),
        ("notebook", None, {"rollout": 2, "samples": 25, "topk": 10, "cem_steps": 2, "momentum_mean": .15,
                            "momentum_mean_gripper": .15, "momentum_std": .75, "momentum_std_gripper": .15,
                            "maxnorm": .075}),
        ("pinned", 1, {"rollout": 2, "samples": 12, "topk": 4, "cem_steps": 2, "momentum_mean": .1,
                       "momentum_mean_gripper": .2, "momentum_std": .3, "momentum_std_gripper": .4, "maxnorm": .5,
                       "axis": {1: .02}}),
    ]:
        steps, rollout, samples = given["cem_steps"], given.get("rollout", 1), given["samples"]
        noise = plans.noise(steps, rollout, samples, 4)
        means, stds = [], []

        def log(_):
            found = inspect.currentframe().f_back.f_locals
            means.append(found["mean"])
            stds.append(found["std"])
        upstream.logger = types.SimpleNamespace(info=log)
        model = wrapper.WorldModel(None, predictor, 16, None, mpc_args=given, device="cpu")
        with fed(noise.flatten(0, 1)):
            actions = model.infer_next_action(start, pose, goal, close_gripper=close)
        plans.add(name, noise, means, stds, actions, **{k: v for k, v in given.items() if k != "axis"},
                  **({"pinned_y": given["axis"][1]} if "axis" in given else {}),
                  **({} if close is None else {"close_gripper": close}))


def plans_of_jepa_wm(labs, plans):
    """Runs `CEMPlanner` with a predictor that takes only actions and has a context of two frames."""
    checkpoint, forward, options = vectors("vjepa2-ac")
    state = {name: tensor for name, tensor in clean(checkpoint["predictor"]).items()
             if name.split(".")[0] not in ("state_encoder", "extrinsics_encoder")}
    sizes = sizes_of(clean(checkpoint["predictor"]))
    for name in ["nevergrad", "tensordict"]:
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["tensordict"].TensorDict = type("TensorDict", (), {})
    predictor = filled(labs.module("jepa-wms", "src.models.ac_predictor").VisionTransformerPredictorAC(
        img_size=(16, 16), patch_size=4, num_frames=16, tubelet_size=2, embed_dim=sizes["dim"],
        predictor_embed_dim=sizes["hidden"], depth=sizes["depth"], num_heads=options["predictor_heads"],
        norm_layer=EPS, proprio_tokens=0).eval(), state)
    folder = "evals/simu_env_planning/planning/planning"
    for name in ["evals", "evals.simu_env_planning", "evals.simu_env_planning.planning",
                 "evals.simu_env_planning.planning.planning"]:
        package = sys.modules[name] = types.ModuleType(name)
        package.__path__ = [str(labs.folder / "jepa-wms" / name.replace(".", "/"))]
    sys.modules["evals.simu_env_planning.planning.planning"].objectives = objectives = labs.file(
        "jepa-wms", f"{folder}/objectives.py")
    planner = labs.file("jepa-wms", f"{folder}/planner.py")
    frames = forward["tokens"][:1].view(1, 3, 16, 24)

    def unroll(z, act_suffix):
        found = [z.expand(act_suffix.shape[1], -1, -1)]
        for count in range(1, len(act_suffix) + 1):
            recent = found[-2:]
            actions = act_suffix[count - len(recent):count].transpose(0, 1)
            step = predictor(torch.cat(recent, 1), actions, None)[0][:, -16:]
            found.append(F.layer_norm(step, (24,)))
        return torch.stack(found)

    horizon, samples, elites, steps = 3, 16, 5, 2
    limits = [.1, .75]
    noise = plans.noise(steps, horizon, samples, 7)
    search = planner.CEMPlanner(unroll, iterations=steps, num_samples=samples, horizon=horizon, action_dim=7,
                                var_scale=.1, num_elites=elites, max_norms=limits,
                                max_norm_dims=[[0, 1, 2, 3, 4, 5], [6]])
    search.device = torch.device("cpu")
    search.set_objective(objectives.ReprTargetDistMPCObjective({}, frames[:, 2]))
    means, stds = [], []

    def noted(z, act_suffix):
        if act_suffix.shape[1] == 1:  # upstream reads each new mean
            found = inspect.currentframe().f_back.f_locals
            means.append(found["mean"])
            stds.append(found["std"])
        return unroll(z, act_suffix)
    search.unroll = noted
    with fed(noise):
        actions = search.plan(frames[:, 0]).actions
    plans.add("jepa-wm", noise, means, stds, actions, horizon=horizon, samples=samples, elites=elites,
              iterations=steps, deviation=.1, limits=[.1] * 6 + [.75], window=2)


def plans_of_lewm(labs, plans):
    """Runs `CEMSolver` from frames 0 and 1 of sample 0, with the actions between them, to frame 0 of sample 1."""
    state, forward, options = vectors("lewm")
    root = labs.folder / "stable-worldmodel"
    for name in ["stable_worldmodel", "stable_worldmodel.planning", "stable_worldmodel.planning.solver"]:
        package = sys.modules[name] = types.ModuleType(name)
        package.__path__ = [str(root / name.replace(".", "/"))]
    for name in ["gymnasium", "gymnasium.spaces"]:
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["gymnasium"].Space = object
    sys.modules["gymnasium.spaces"].Box = types.SimpleNamespace
    solver = importlib.import_module("stable_worldmodel.planning.solver.cem")
    evaluator = importlib.import_module("stable_worldmodel.planning.evaluator")
    objective = importlib.import_module("stable_worldmodel.planning.objective")

    source = labs.file("stable-worldmodel", "stable_worldmodel/wm/lewm/module.py")
    whole = labs.file("stable-worldmodel", "stable_worldmodel/wm/lewm/lewm.py")
    config = transformers.ViTConfig(hidden_size=24, num_hidden_layers=2, num_attention_heads=options["heads"],
                                    intermediate_size=48, image_size=16, patch_size=4)
    config._attn_implementation = "eager"
    norm = torch.nn.BatchNorm1d
    model = filled(whole.LeWM(
        encoder=transformers.ViTModel(config, add_pooling_layer=False, use_mask_token=False),
        predictor=source.Predictor(num_frames=3, input_dim=24, hidden_dim=24, output_dim=24, depth=2,
                                   heads=options["predictor_heads"], mlp_dim=48, dim_head=16),
        action_encoder=source.Embedder(input_dim=10, emb_dim=24),
        projector=source.MLP(input_dim=24, output_dim=24, hidden_dim=40, norm_fn=norm),
        pred_proj=source.MLP(input_dim=24, output_dim=24, hidden_dim=40, norm_fn=norm)).eval(),
        vit_of_transformers_5(state))

    horizon, samples, elites, steps = 3, 20, 6, 2
    noise = plans.noise(steps, horizon, samples, 10)
    means, stds = [], []

    class Notes:
        output_key, history = "notes", None

        def __getattr__(self, _):
            return lambda: None

        def __call__(self, mean, var, **_):
            means.append(mean[0])
            stds.append(var[0])
    search = solver.CEMSolver(evaluator.ShootingCostEvaluator(model, objective.GoalMSE()), num_samples=samples,
                              n_steps=steps, topk=elites, callbacks=[Notes()])
    search.configure(action_space=types.SimpleNamespace(shape=(1, 2)), n_envs=1,
                     config=types.SimpleNamespace(action_block=5, horizon=horizon))
    with fed(noise.transpose(1, 2).unsqueeze(1)), contextlib.redirect_stdout(None):
        found = search.solve({
            "pixels": forward["pixel_values"][:1, :2], "goal": forward["pixel_values"][1:, :1],
            "action_history": forward["action_history"][:, 0, :1], "action": torch.zeros(1, 2, 10)})
    plans.add("lewm", noise, means, stds, found["actions"][0], horizon=horizon, samples=samples, elites=elites,
              iterations=steps, deviation=1)


def write(path, rows):
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    path.write_text(f"[\n{lines}\n]\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repositories", required=True, help="folder of the labs' checkouts")
    parser.add_argument("--output", type=pathlib.Path, default=HERE)
    arguments = parser.parse_args()
    labs = Repositories(arguments.repositories)
    warnings.filterwarnings("ignore", message="Gimbal lock")
    write(arguments.output / "poses.json", poses(labs))
    plans = Plans()
    with torch.no_grad():
        plans_of_arms(labs, plans)
        plans_of_jepa_wm(labs, plans)
        plans_of_lewm(labs, plans)
    safetensors.torch.save_file(plans.tensors, arguments.output / "plans.safetensors", metadata={"format": "pt"})
    write(arguments.output / "plans.json", plans.rows)


if __name__ == "__main__":
    main()
