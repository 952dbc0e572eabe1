# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Makes the media files of this folder, and what the reference implementations read from them.

    python make.py VJEPA2

VJEPA2 is a checkout of facebookresearch/vjepa2, whose own code samples the clips.
Needs torch, torchvision, transformers, pillow < 13 (see resampling), opencv-python-headless, av, decord, numpy, safetensors, pandas.
"""

import ast
import io
import json
import math
import pathlib
import struct
import sys
import types
import warnings
import zlib

import av
import cv2
import decord
import numpy as np
import PIL
import torch
import torchvision
import transformers
from PIL import Image, features
from safetensors.torch import save_file
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tvf

HERE = pathlib.Path(__file__).parent
SEED = 20250731
VERSIONS = {
    "pillow": PIL.__version__,
    "libjpeg_turbo": features.version("libjpeg_turbo"),
    "webp": features.version("webp"),
    "opencv": cv2.__version__,
    "torch": torch.__version__,
    "torchvision": torchvision.__version__,
    "transformers": transformers.__version__,
    "av": av.__version__,
    "decord": decord.__version__,
    "numpy": np.__version__,
    "seed": str(SEED),
}
# One entry: safetensors writes several in random order.
METADATA = {"versions": json.dumps(VERSIONS)}


def scene(height, width, seed):
    """A picture with smooth colour, hard edges and a little noise."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red = 127 + 120 * np.sin(x / 5 + seed)
    green = 255 * x / max(width - 1, 1)
    blue = 127 + 120 * np.cos((x + 2 * y) / 9)
    picture = np.stack([red, green, blue], -1)
    picture[height // 4 : height // 2, width // 3 : width // 2] = (250, 20, 10)
    picture += generator.normal(0, 6, picture.shape)
    return picture.clip(0, 255).astype(np.uint8)


def tensor(picture):
    return torch.from_numpy(np.ascontiguousarray(np.array(picture)))


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width, height, depth, colour, rows, extra=b""):
    """A PNG file of raw rows; Pillow writes neither 16-bit colour nor 2 bits of grey."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def images():
    folder = HERE / "images"
    folder.mkdir(exist_ok=True)
    rgb = scene(29, 35, 1)
    generator = np.random.default_rng(SEED)
    alpha = generator.integers(0, 256, rgb.shape[:2], dtype=np.uint8)

    def save(name, image, **options):
        image.save(folder / name, **options)

    save("rgb.png", Image.fromarray(rgb))
    save("rgba.png", Image.fromarray(np.dstack([rgb, alpha])))
    save("grey.png", Image.fromarray(rgb[..., 1]))
    save("grey-alpha.png", Image.fromarray(np.dstack([rgb[..., 1], alpha]), "LA"))
    save("bits.png", Image.fromarray(rgb[..., 0]).convert("1"))
    save("palette.png", Image.fromarray(rgb).quantize(40))
    save("palette-4-bit.png", Image.fromarray(rgb).quantize(13), bits=4)
    save("palette-transparent.png", Image.fromarray(rgb).quantize(40), transparency=3)
    wide = generator.integers(0, 65536, (9, 11, 3)).astype(">u2")
    (folder / "rgb-16-bit.png").write_bytes(png(11, 9, 16, 2, [row.tobytes() for row in wide]))
    wide = generator.integers(0, 65536, (9, 11, 4)).astype(">u2")
    (folder / "rgba-16-bit.png").write_bytes(png(11, 9, 16, 6, [row.tobytes() for row in wide]))
    (folder / "grey-2-bit.png").write_bytes(png(12, 9, 2, 0, [generator.bytes(3) for _ in range(9)]))
    (folder / "grey-4-bit.png").write_bytes(png(12, 9, 4, 0, [generator.bytes(6) for _ in range(9)]))
    key = chunk(b"tRNS", struct.pack(">HHH", *(int(level) for level in rgb[0, 0])))
    (folder / "rgb-key.png").write_bytes(png(35, 29, 8, 2, [row.tobytes() for row in rgb], key))

    for name, subsampling in [("444", 0), ("422", 1), ("420", 2)]:
        save(f"{name}.jpg", Image.fromarray(rgb), quality=85, subsampling=subsampling)
    save("even-420.jpg", Image.fromarray(scene(32, 48, 2)), quality=90, subsampling=2)
    save("progressive.jpg", Image.fromarray(scene(32, 48, 3)), quality=75, progressive=True)
    save("grey.jpg", Image.fromarray(rgb[..., 1]), quality=85)
    save("rgb-colours.jpg", Image.fromarray(rgb), quality=85, keep_rgb=True)
    for name, factor in [("440", cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440), ("411", cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411)]:
        options = [cv2.IMWRITE_JPEG_QUALITY, 85, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
        (folder / f"{name}.jpg").write_bytes(cv2.imencode(".jpg", rgb[..., ::-1], options)[1].tobytes())
    save("tiny.jpg", Image.fromarray(rgb[:3, :3]), quality=85, subsampling=2)
    turned = Image.Exif()
    turned[0x0112] = 6
    save("turned.jpg", Image.fromarray(rgb), quality=85, exif=turned)
    save("cmyk.jpg", Image.fromarray(rgb).convert("CMYK"), quality=85)

    save("lossy.webp", Image.fromarray(rgb), quality=80)
    save("even-lossy.webp", Image.fromarray(scene(32, 48, 4)), quality=80)
    save("lossless.webp", Image.fromarray(rgb), lossless=True)
    save("alpha.webp", Image.fromarray(np.dstack([rgb, alpha | 1])), quality=80)
    save("lossless-alpha.webp", Image.fromarray(np.dstack([rgb, alpha | 1])), lossless=True)
    moving = [Image.fromarray(scene(24, 32, seed)) for seed in range(3)]
    save("animation.webp", moving[0], save_all=True, append_images=moving[1:])
    save("lossless-animation.webp", moving[0], save_all=True, append_images=moving[1:], lossless=True)
    (folder / "grey-16-bit.png").write_bytes(
        png(11, 9, 16, 0, [generator.bytes(22) for _ in range(9)])
    )

    refused = {"cmyk.jpg", "grey-16-bit.png"}
    expected = {}
    for path in sorted(folder.iterdir()):
        if path.name not in refused:
            expected[path.name] = tensor(Image.open(path).convert("RGB"))
    save_file(expected, HERE / "images.safetensors", metadata=METADATA)


def resampling():
    """One picture, scaled down, up and in between by every library.

    Pillow 13 scales columns before rows when the height shrinks much more than the width
    (python-pillow/Pillow#9549), which changes single levels; published numbers are older.
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
                continue  # an assertion of torch 2.13 fails for it
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
    """Frame i has i in six blocks of black or white along the top, above a moving picture."""
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
        # What Meta's evaluations read with.
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
    """`loadvideo_decord` of the lab, compiled from its source over a video that is only a length."""
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
    # Upstream draws the end of a clip with numpy; here it is always the first possible one.
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
    """Every protocol over small pictures; the Meta classes are the lab's own."""
    sys.path.insert(0, checkout)
    from evals.video_classification_frozen.utils import make_transforms

    # 24 is cut from 27: the pixel that is left over goes to different sides in different libraries.
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
        # app/vjepa_droid/transforms.py: statistics of levels up to 255.
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
    images()
    resampling()
    videos()
    preprocessing(sys.argv[1])
    clips(sys.argv[1])
