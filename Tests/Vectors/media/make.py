# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes the videos of this folder and the results of the reference implementations.

make_images.py writes the images, and make_turned_videos.py the videos with display matrices.

    python make.py VJEPA2

VJEPA2 is a checkout of facebookresearch/vjepa2, whose code samples the clips.
Needs torch, torchvision, transformers, pillow < 13 (see resampling), opencv-python-headless, av, decord, numpy, safetensors, pandas.
"""

import ast
import json
import math
import pathlib
import sys
import types
import warnings

import av
import cv2
import decord
import numpy as np
import PIL
import torch
import torchvision
import transformers
from make_images import scene
from PIL import Image
from safetensors.torch import save_file
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tvf

HERE = pathlib.Path(__file__).parent
SEED = 20250731
VERSIONS = {
    "pillow": PIL.__version__,
    "opencv": cv2.__version__,
    "torch": torch.__version__,
    "torchvision": torchvision.__version__,
    "transformers": transformers.__version__,
    "av": av.__version__,
    "decord": decord.__version__,
    "numpy": np.__version__,
    "seed": str(SEED),
}
# One entry, because safetensors writes several in random order.
METADATA = {"versions": json.dumps(VERSIONS)}


def tensor(picture):
    return torch.from_numpy(np.ascontiguousarray(np.array(picture)))


def resampling():
    """Resizes one image down, up and to sizes in between with every library.

    Pillow 13 resizes columns before rows if the height shrinks much more than the width
    (python-pillow/Pillow#9549), which changes some values by one level; published scores are older.
    """
    assert int(PIL.__version__.split(".")[0]) < 13
    source = np.random.default_rng(SEED).integers(0, 256, (23, 31, 3), dtype=np.uint8)
    image = Image.fromarray(source)
    planes = torch.from_numpy(source).permute(2, 0, 1).contiguous()
    bytes_out, floats_out = {"input": tensor(source)}, {}
    for height, width in [(9, 12), (37, 49), (23, 15), (8, 31), (46, 62), (3, 2), (2, 33), (1, 1)]:
        key = f"{width}x{height}"
        for method, filter in [("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC)]:
            bytes_out[f"pillow-{method}.{key}"] = tensor(image.resize((width, height), filter))
        bytes_out[f"opencv-linear.{key}"] = tensor(
            cv2.resize(source, (width, height), interpolation=cv2.INTER_LINEAR)
        )
        for method in ["bilinear", "bicubic"]:
            if (height, width) == (1, 1):
                continue  # fails an assertion of torch 2.13
            mode = v2.InterpolationMode(method)
            scaled = tvf.resize(planes, [height, width], interpolation=mode, antialias=True)
            bytes_out[f"torchvision-{method}.{key}"] = scaled.permute(1, 2, 0).contiguous()
        if width < 60:
            for antialias in [False, True]:
                scaled = torch.nn.functional.interpolate(
                    planes.float()[None], (height, width), mode="bilinear", antialias=antialias
                )
                name = "float-antialias" if antialias else "float-plain"
                floats_out[f"{name}.{key}"] = scaled[0].contiguous()
    save_file(bytes_out, HERE / "resampling.safetensors", metadata=METADATA)
    save_file(floats_out, HERE / "resampling-float.safetensors", metadata=METADATA)


def encode(path, pictures, codec, options, rate=24, pixels="yuv420p", matrix=None, **container_options):
    with av.open(str(path), "w", options=container_options) as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        if matrix is not None:
            stream.codec_context.colorspace = matrix
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def numbered(count, height=48, width=64):
    """Writes a video whose frame i encodes i in six black or white blocks along the top of a moving image."""
    pictures = []
    for number in range(count):
        picture = scene(height, width, 7)
        picture = np.roll(picture, number, axis=1)
        picture[:12] = 0
        for bit in range(6):
            if number >> bit & 1:
                picture[:12, bit * 10 + 1 : bit * 10 + 10] = 255
        pictures.append(picture)
    return pictures


def videos():
    folder = HERE / "videos"
    folder.mkdir(exist_ok=True)
    pictures = numbered(40)
    encode(folder / "h264.mp4", pictures, "libx264", {"crf": "23", "bf": "2"})
    encode(folder / "h264-index-first.mp4", pictures, "libx264", {"crf": "30"}, movflags="faststart")
    encode(folder / "mpeg4.avi", pictures[:20], "mpeg4", {"q": "5"}, rate=10)
    encode(folder / "vp9.webm", pictures[:20], "libvpx-vp9", {"crf": "32", "b": "0"}, fflags="bitexact")
    odd = numbered(3, 48, 62)
    encode(folder / "bt709.mp4", odd, "libx264", {"crf": "23"}, matrix=1)
    encode(folder / "full-range.mp4", odd, "libx264", {"crf": "23"}, pixels="yuvj420p")
    encode(folder / "10-bit.mp4", odd, "libx264", {"crf": "23"}, pixels="yuv420p10le")
    expected = {}
    for path in sorted(folder.iterdir()):
        # The reader of Meta's evaluations.
        reader = decord.VideoReader(str(path), num_threads=1)
        frames = reader.get_batch(range(0, len(reader), 20)).asnumpy()
        expected[path.name] = tensor(frames)
        with av.open(str(path)) as container:
            same = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][::20]
        assert path.name == "10-bit.mp4" or (np.stack(same) == frames).all(), path
    save_file(expected, HERE / "videos.safetensors", metadata=METADATA)
    with av.open(str(folder / "h264.mp4")) as container:
        luma = [frame.to_ndarray(format="gray")[6, 6:64:10] for frame in container.decode(video=0)]
    numbers = [sum(1 << bit for bit in range(6) if row[bit] > 128) for row in luma]
    assert numbers == list(range(40)), numbers


def upstream_sampler(checkout):
    """Returns the lab's `loadvideo_decord`, compiled from its source, for a stub video that has only a length."""
    source = (pathlib.Path(checkout) / "src/datasets/video_dataset.py").read_text()
    dataset = next(
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == "VideoDataset"
    )
    function = next(
        node for node in dataset.body if getattr(node, "name", "") == "loadvideo_decord"
    )

    class Reader:
        def __init__(self, name, **_):
            self.count, self.rate = json.loads(name)

        def __len__(self):
            return self.count

        def get_avg_fps(self):
            return self.rate

        def seek(self, _):
            pass

        def get_batch(self, indices):
            return types.SimpleNamespace(asnumpy=lambda: np.array(indices))

    path = types.SimpleNamespace(exists=lambda _: True, getsize=lambda _: 0)
    scope = {
        "np": np, "math": math, "warnings": warnings, "logger": warnings,
        "os": types.SimpleNamespace(path=path), "VideoReader": Reader, "cpu": lambda _: None,
    }
    exec(compile(ast.Module([function], []), "video_dataset.py", "exec"), scope)
    return scope["loadvideo_decord"]


def clips(checkout):
    load = upstream_sampler(checkout)
    # Upstream draws the end of a clip with numpy; here it is always the first possible end.
    np.random.randint = lambda low, high: low
    cases = []
    for count, rate in [(300, 30.0), (300, 29.97), (64, 24.0), (40, 24.0), (17, 12.5), (2, 30.0), (1000, 60.0)]:
        for frames, step, clip_count in [
            (16, 4, 1), (16, 4, 2), (16, 4, 8), (64, 2, 2), (32, 2, 4), (16, 1, 3), (16, 7, 1), (8, 3, 5),
        ]:
            for overlap in [True, False]:
                cases.append((count, rate, frames, {"frame_step": step}, clip_count, overlap))
        for fps in [4, 8, 5]:
            cases.append((count, rate, 16, {"fps": fps}, 2, True))
        cases.append((count, rate, 16, {"duration": 4.0}, 1, True))
    rows = []
    for count, rate, frames, step, clip_count, overlap in cases:
        if not overlap and count // clip_count == 0:
            continue
        self = types.SimpleNamespace(
            frame_step=step.get("frame_step"), fps=step.get("fps"), duration=step.get("duration"),
            num_clips=clip_count, random_clip_sampling=True, allow_clip_overlap=overlap,
            filter_short_videos=False, filter_long_videos=10**9,
        )
        indices, split = load(self, json.dumps([count, rate]), frames)
        rows.append({
            "frame_count": count, "frame_rate": rate, "frames": frames, **step, "clips": clip_count,
            "overlap": overlap, "indices": [[int(index) for index in clip] for clip in split],
        })
    document = {"versions": VERSIONS, "source": "facebookresearch/vjepa2 src/datasets/video_dataset.py",
                "cases": rows}
    (HERE / "clips.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


def preprocessing(checkout):
    """Applies every protocol to small images, with Meta's own classes."""
    sys.path.insert(0, checkout)
    from evals.video_classification_frozen.utils import make_transforms

    # Crops 24 of 27 pixels, so that the rounding of the offset differs between libraries.
    wide = np.stack([scene(50, 67, 11)])
    tall = np.stack([scene(61, 40, seed) for seed in (13, 14)])
    for name, clip, crop in [("wide", wide, 24), ("tall", tall, 12)]:
        out = {name: tensor(clip)}
        processor = transformers.VJEPA2VideoProcessor(crop_size=crop)
        frames = [torch.from_numpy(frame).permute(2, 0, 1) for frame in clip]
        out[f"vjepa2-processor.{name}"] = processor(torch.stack(frames), return_tensors="pt")[
            "pixel_values_videos"
        ][0]
        out[f"meta-video.{name}"] = make_transforms(training=False, crop_size=crop)(list(clip))[0].permute(
            1, 0, 2, 3
        )
        views = make_transforms(training=False, crop_size=crop, num_views_per_clip=3)(list(clip))
        for index, view in enumerate(views):
            out[f"meta-video-views-{index}.{name}"] = view.permute(1, 0, 2, 3)
        mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        image = v1_image(crop, mean, std)
        out[f"meta-image.{name}"] = torch.stack([image(Image.fromarray(frame)) for frame in clip])
        square = {"height": crop, "width": crop}
        processor = transformers.ViTImageProcessor(size=square)
        out[f"ijepa-processor.{name}"] = processor(list(clip), return_tensors="pt")["pixel_values"]
        floats = torch.stack(frames).float()
        m, s = torch.tensor(mean).view(1, 3, 1, 1), torch.tensor(std).view(1, 3, 1, 1)
        plain = torch.nn.functional.interpolate(floats, (crop, crop), mode="bilinear")
        # app/vjepa_droid/transforms.py: mean and std for values from 0 to 255.
        out[f"vjepa2-ac.{name}"] = (plain - m * 255) / (s * 255)
        out[f"jepa-wm.{name}"] = (plain / 255 - m) / s
        out[f"dino-wm.{name}"] = (plain / 255 - 0.5) / 0.5
        out[f"lewm.{name}"] = tvf.resize((floats / 255 - m) / s, [crop, crop], antialias=True)
        out = {name: value.contiguous() for name, value in out.items()}
        save_file(out, HERE / f"preprocessing-{name}.safetensors", metadata=METADATA)

    for name, processor in [
        ("vjepa2", transformers.VJEPA2VideoProcessor(crop_size=56)),
        ("vit", transformers.ViTImageProcessor(size={"height": 56, "width": 48})),
    ]:
        folder = HERE / "processors" / name
        folder.mkdir(parents=True, exist_ok=True)
        processor.save_pretrained(folder)


def v1_image(crop, mean, std):
    from torchvision import transforms

    return transforms.Compose([
        transforms.Resize(size=int(crop * 256 / 224)),
        transforms.CenterCrop(size=crop),
        transforms.ToTensor(),
        transforms.Normalize(mean, std),
    ])


if __name__ == "__main__":
    resampling()
    videos()
    preprocessing(sys.argv[1])
    clips(sys.argv[1])
