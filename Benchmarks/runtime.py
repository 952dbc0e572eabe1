#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Times `embed` against PyTorch (transformers) and ONNX Runtime, with random weights, on the CPU.

All run alternately on the same weights and the same input, and their features are compared. The time of ami-zoo is
that of the whole process: start, opening the weights, the forward pass and writing the features. The time of a peer
is that of the forward pass in a warm process with loaded weights, except in the case 'start', which times processes.

    python3 Benchmarks/runtime.py [--cases vjepa16,vjepa64,ijepa,start,memory,threads] [--repeats 5] [--threads 2]
    python3 Benchmarks/runtime.py --quick       # the same with a tiny model, in seconds

Needs torch, transformers and safetensors. The rows of ONNX Runtime need onnx, onnxscript and onnxruntime, and are
omitted without them. ViT-H needs 8 GB of disk and 12 GB of memory.
"""

import argparse
import gc
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from measure import interleave, row, run, table, zoo

TOLERANCE = 1e-4
CASES = ("vjepa16", "vjepa64", "ijepa", "start", "memory", "threads")

# A peer as a whole process: start, load, encode, write.
COLD = """
import sys, torch, transformers, safetensors.torch
folder, source, target, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
model = transformers.AutoModel.from_pretrained(folder).eval()
pixels = safetensors.torch.load_file(source)["pixel_values"]
with torch.no_grad():
    features = model(pixels, skip_predictor=True).last_hidden_state
safetensors.torch.save_file({"last_hidden_state": features}, target)
"""

# The peak memory since exec; getrusage includes that of the parent process.
PEAK = """
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
"""

# ONNX Runtime in its own process, which answers each line with the seconds and its peak memory.
ONNX_WORKER = """
import sys, time, onnxruntime, safetensors.numpy
model, source, target, threads = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
pixels = safetensors.numpy.load_file(source)["pixel_values"]
pixels = pixels.reshape(session.get_inputs()[0].shape)
feed = {session.get_inputs()[0].name: pixels}
for line in sys.stdin:
    start = time.perf_counter()
    features = session.run(None, feed)[0]
    seconds = time.perf_counter() - start
    if line.strip() == "save":
        safetensors.numpy.save_file({"last_hidden_state": features}, target)
    print(seconds, peak(), flush=True)
"""

# The same for PyTorch, with its own precision and inputs, so that the peak memory is that of one case.
TORCH_WORKER = """
import sys, time, torch, transformers, safetensors.torch
folder, source, target, threads, dtype, family = sys.argv[1:]
torch.set_num_threads(int(threads))
dtype = getattr(torch, dtype)
model = transformers.AutoModel.from_pretrained(folder, dtype=dtype).eval()
pixels = safetensors.torch.load_file(source)["pixel_values"].to(dtype)
if family == "ijepa":
    pixels = pixels[:, 0]
options = {"skip_predictor": True} if family == "vjepa2" else {}
for line in sys.stdin:
    with torch.no_grad():
        start = time.perf_counter()
        features = model(pixels, **options).last_hidden_state
        seconds = time.perf_counter() - start
    if line.strip() == "save":
        safetensors.torch.save_file({"last_hidden_state": features.float()}, target)
    print(seconds, peak(), flush=True)
"""


# Writes an encoder as ONNX.
EXPORT = """
import sys, torch, transformers, safetensors.torch
folder, source, target, family = sys.argv[1:]
model = transformers.AutoModel.from_pretrained(folder, attn_implementation="sdpa").eval()
pixels = safetensors.torch.load_file(source)["pixel_values"]

class Encoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = model
    def forward(self, pixels):
        if family == "ijepa":
            return self.model(pixels).last_hidden_state
        return self.model(pixels, skip_predictor=True).last_hidden_state

pixels = pixels[:, 0] if family == "ijepa" else pixels
with torch.no_grad():
    torch.onnx.export(Encoder().eval(), (pixels,), target, input_names=["pixel_values"],
                      output_names=["last_hidden_state"], opset_version=20, dynamo=True, external_data=True)
"""


class Worker:
    """A warm process of a peer."""

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", PEAK + program, *map(str, arguments)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_OFFLINE": "1"})

    def __call__(self, order="run"):
        try:
            self.process.stdin.write(f"{order}\n")
            self.process.stdin.flush()
            seconds, peak = self.process.stdout.readline().split()
        except (BrokenPipeError, ValueError):
            sys.exit(f"a peer failed: {self.process.stderr.read()[-2000:]}")
        return float(seconds), int(peak)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Bench:
    def __init__(self, options, work):
        self.options = options
        self.work = work
        self.summary = []
        self.failed = False
        # Measures the default configuration, not a tuned environment.
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}

    # Models and inputs

    def vjepa(self):
        """Writes a V-JEPA 2 model; returns its folder."""
        import transformers
        folder = f"{self.work}/vjepa2"
        if not os.path.exists(folder):
            sizes = dict(hidden_size=96, num_attention_heads=4, num_hidden_layers=2, crop_size=64) \
                if self.options.quick else {}
            self.save(transformers.VJEPA2Model(transformers.VJEPA2Config(**sizes)), folder)
        return folder

    def ijepa(self):
        """Writes an I-JEPA model, ViT-H/14; returns its folder."""
        import transformers
        folder = f"{self.work}/ijepa"
        if not os.path.exists(folder):
            sizes = dict(hidden_size=96, num_hidden_layers=2, num_attention_heads=4, intermediate_size=384,
                         patch_size=14, image_size=56) if self.options.quick else \
                dict(hidden_size=1280, num_hidden_layers=32, num_attention_heads=16, intermediate_size=5120,
                     patch_size=14, image_size=224)
            self.save(transformers.IJepaModel(transformers.IJepaConfig(**sizes), add_pooling_layer=False), folder)
        return folder

    def save(self, model, folder):
        import torch
        torch.manual_seed(0)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if parameter.dim() == 1 and "norm" not in name:
                    parameter.normal_(0, 0.02)
        model.eval().save_pretrained(folder)
        del model
        gc.collect()

    def input(self, frames, side):
        import safetensors.torch
        import torch
        path = f"{self.work}/input-{frames}-{side}.safetensors"
        generator = torch.Generator().manual_seed(frames)
        pixels = torch.randn(1, frames, 3, side, side, generator=generator)
        safetensors.torch.save_file({"pixel_values": pixels}, path)
        return path

    def onnx(self, folder, source, family):
        """Exports the encoder; returns None if ONNX Runtime is not installed."""
        if any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript", "onnxruntime")):
            print("onnx, onnxscript and onnxruntime are not all installed: skipped")
            return None
        path = f"{folder}/encoder.onnx"
        result = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", EXPORT, folder, source, path, family],
            capture_output=True, text=True, env={**os.environ, "TRANSFORMERS_VERBOSITY": "error"})
        if result.returncode != 0:
            sys.exit(f"the export failed: {result.stderr[-3000:]}")
        return path

    # Runs

    def ours(self, folder, source, threads=None, output=None):
        return run([zoo(), "embed", folder, source, "--output", output or f"{self.work}/ours.safetensors",
                    "--threads", str(threads or self.options.threads), "--quiet"], env=self.environment)

    def difference(self, name):
        import safetensors.torch
        found = safetensors.torch.load_file(f"{self.work}/ours.safetensors")["last_hidden_state"]
        other = safetensors.torch.load_file(f"{self.work}/{name}.safetensors")["last_hidden_state"]
        return (found.reshape(other.shape) - other).abs().max().item()

    def compare(self, title, folder, source, family, dtypes, with_onnx, repeats=None):
        repeats = repeats or self.options.repeats
        workers = {}
        for dtype in dtypes:
            workers[f"PyTorch {dtype}"] = Worker(
                TORCH_WORKER, folder, source, f"{self.work}/PyTorch {dtype}.safetensors",
                self.options.threads, dtype, family)
        if with_onnx and (path := self.onnx(folder, source, family)):
            workers["ONNX Runtime float32"] = Worker(
                ONNX_WORKER, path, source, f"{self.work}/ONNX Runtime float32.safetensors", self.options.threads)
        try:
            differences = {}
            self.ours(folder, source)
            for name, worker in workers.items():
                worker("save")
                differences[name] = self.difference(name)
            cases = {"ami-zoo embed": lambda: self.ours(folder, source), **workers}
            results = interleave(cases, repeats)
        finally:
            for worker in workers.values():
                worker.close()
        print(f"\n{title}, {self.options.threads} threads, {repeats} repeats")
        table([row(name, result) for name, result in results.items()])
        for name, difference in differences.items():
            exact = "float32" in name
            good = not exact or difference <= TOLERANCE
            self.failed |= not good
            ratio = results[name][0] / results["ami-zoo embed"][0]
            print(f"{ratio:.2f} times as fast as {name}; largest difference {difference:.1e}"
                  + (f" (tolerance {TOLERANCE:.0e}){'' if good else ': TOO LARGE'}" if exact else ""))
            self.summary.append((title, results["ami-zoo embed"], name, results[name], ratio))

    # Cases

    def vjepa16(self):
        frames, side = (4, 64) if self.options.quick else (16, 256)
        self.compare(f"V-JEPA 2 {self.size()}, {frames} frames of {side}×{side}", self.vjepa(),
                     self.input(frames, side), "vjepa2", ("float32", "bfloat16"), True)
        self.profile(self.vjepa(), self.input(frames, side))

    def vjepa64(self):
        frames, side = (8, 64) if self.options.quick else (64, 256)
        self.compare(f"V-JEPA 2 {self.size()}, {frames} frames of {side}×{side}", self.vjepa(),
                     self.input(frames, side), "vjepa2", ("bfloat16",), False,
                     repeats=min(self.options.repeats, self.options.long_repeats))

    def ijepa14(self):
        side = 56 if self.options.quick else 224
        self.compare(f"I-JEPA {'tiny' if self.options.quick else 'ViT-H/14'}, one image of {side}×{side}", self.ijepa(),
                     self.input(1, side), "ijepa", ("float32",), True)

    def size(self):
        return "tiny" if self.options.quick else "ViT-L/16"

    def profile(self, folder, source):
        """Profiles one forward pass."""
        result = subprocess.run(
            [zoo(), "embed", folder, source, "--output", f"{self.work}/ours.safetensors", "--threads",
             str(self.options.threads), "--profile", "--json"], capture_output=True, text=True, check=True,
            env=self.environment)
        profile = json.loads(result.stdout)["profile"]
        print("\nprofile of the forward pass")
        table([(kind["kind"], f"{100 * kind['share']:.1f} %", f"{kind['threadSeconds']:.3f} s",
                f"{kind['gflops']:.1f} GFLOP/s" if "gflops" in kind else "")
               for kind in profile["kinds"]], header=("kind", "share", "thread seconds", "rate of a thread"))
        print(f"outside matrix products: {100 * profile['shareOutsideProducts']:.1f} % (goal: less than 12 %)")

    def start(self):
        """Cold start with the weights in the page cache, up to the features on disk."""
        frames, side = (2, 64) if self.options.quick else (2, 256)
        folder, source = self.vjepa(), self.input(frames, side)
        program = [sys.executable, "-W", "ignore", "-c", COLD, folder, source, f"{self.work}/cold.safetensors",
                   str(self.options.threads)]
        environment = {**self.environment, "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_OFFLINE": "1"}
        cases = {"ami-zoo embed": lambda: self.ours(folder, source),
                 "PyTorch and transformers": lambda: run(program, env=environment)}
        for case in cases.values():
            case()
        difference = self.difference("cold")
        results = interleave(cases, self.options.repeats)
        title = f"start to first feature, {self.size()}, {frames} frames"
        print(f"\n{title}, whole processes, {self.options.threads} threads")
        table([row(name, result) for name, result in results.items()])
        ratio = results["PyTorch and transformers"][0] / results["ami-zoo embed"][0]
        print(f"{ratio:.2f} times as fast (goal: at least 5); largest difference {difference:.1e}")
        self.failed |= difference > TOLERANCE
        self.summary.append((title, results["ami-zoo embed"], "PyTorch and transformers",
                             results["PyTorch and transformers"], ratio))

    def memory(self):
        """Peak memory on a long clip relative to the size of the weights, in float32 and bfloat16."""
        frames, side = (8, 64) if self.options.quick else (64, 256)
        folder, source = self.vjepa(), self.input(frames, side)
        half = f"{self.work}/vjepa2-bf16"
        if not os.path.exists(half):
            import torch
            import transformers
            transformers.AutoModel.from_pretrained(folder).to(torch.bfloat16).save_pretrained(half)
            gc.collect()
        print(f"\npeak memory, {self.size()}, {frames} frames of {side}×{side} (goal: weights + 1.5 GB)")
        rows = []
        for name, path in (("float32", folder), ("bfloat16", half)):
            seconds, peak = self.ours(path, source)
            weights = os.path.getsize(f"{path}/model.safetensors")
            rows.append((name, f"{seconds:.2f} s", f"{peak / 1e9:.2f} GB", f"{weights / 1e9:.2f} GB",
                         f"{(peak - weights) / 1e9:.2f} GB"))
        table(rows, header=("weights", "time", "peak", "size of the weights", "beyond them"))

    def scaling(self):
        frames, side = (4, 64) if self.options.quick else (16, 256)
        folder, source = self.vjepa(), self.input(frames, side)
        self.ours(folder, source)
        results = interleave({("1 thread" if threads == 1 else f"{threads} threads"): lambda threads=threads: self.ours(folder, source, threads)
                              for threads in (1, 2)}, self.options.repeats)
        print(f"\nthreads, V-JEPA 2 {self.size()}, {frames} frames of {side}×{side}")
        table([row(name, result) for name, result in results.items()])
        ratio = results["1 thread"][0] / results["2 threads"][0]
        print(f"two threads are {ratio:.2f} times as fast as one (goal: at least 1.85)")

    def report(self):
        print("\nsummary, medians and ranges in seconds")
        cells = []
        for title, ours, name, theirs, ratio in self.summary:
            cells.append((title, f"{ours[0]:.2f} ({min(ours[2]):.2f} to {max(ours[2]):.2f})", name,
                          f"{theirs[0]:.2f} ({min(theirs[2]):.2f} to {max(theirs[2]):.2f})", f"{ratio:.2f}",
                          f"{ours[1] / 1e6:.0f} MB", f"{theirs[1] / 1e6:.0f} MB"))
        table(cells, header=("case", "ami-zoo", "peer", "peer's time", "ratio", "our peak", "its peak"))
        import torch
        import transformers
        versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
        if importlib.util.find_spec("onnxruntime"):
            import onnxruntime
            versions += f", onnxruntime {onnxruntime.__version__}"
        print(f"\n{versions}; {os.cpu_count()} processors")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", default=",".join(CASES), help=f"some of {','.join(CASES)}")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--long-repeats", type=int, default=3, help="maximum number of repeats for 64 frames")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="use a tiny model, which only tests that the benchmark runs")
    parser.add_argument("--work", help="folder in which models are kept; default: a temporary folder")
    options = parser.parse_args()
    wanted = options.cases.split(",")
    if unknown := set(wanted) - set(CASES):
        parser.error(f"there is no case {', '.join(sorted(unknown))}")
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    sys.stdout.reconfigure(line_buffering=True)
    # Turns a signal into an exception, so that the clean-up runs.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    import transformers
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    if options.work:
        os.makedirs(options.work, exist_ok=True)
    work = options.work or tempfile.mkdtemp()
    bench = Bench(options, work)
    steps = {"vjepa16": bench.vjepa16, "vjepa64": bench.vjepa64, "ijepa": bench.ijepa14, "start": bench.start,
             "memory": bench.memory, "threads": bench.scaling}
    try:
        for name in wanted:
            steps[name]()
        bench.report()
    finally:
        if not options.work:
            shutil.rmtree(work)
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main())
