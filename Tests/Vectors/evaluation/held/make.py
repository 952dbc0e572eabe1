#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes small data in the layouts of published data sets, and what PyTorch, torchvision and scikit-learn measure on them.

    python make.py    # torch 2.15.0, torchvision 0.29.2, transformers 5.24.0, numpy 2.4.6, scikit-learn 1.9.1, pillow 13.0.0; seed 17

images/ has class folders for `torchvision.datasets.ImageFolder`; the model is the I-JEPA model of ../probes/pictures, and
the preprocessing that of facebookresearch/vjepa2 `evals/image_classification_frozen`. something/ has clips and lists as
Something-Something v2, whose templates have brackets and whose labels have none; classifier/ is a
`VJEPA2ForVideoClassification` with random weights. A clip is the frames `round(linspace(0, T - 1, 4))` that PyAV 18.1.0 decodes,
as in aselimc/jepa.cpp `scripts/video_frames.py`. For `views` they are 2 clips of 4 frames, 2 apart, in 3 views, with the resizing of
OpenCV 5.0.0, as in facebookresearch/vjepa2 `src/datasets/video_dataset.py` and `evals/video_classification_frozen`: the probe reads the
tokens of both clips of a view, and the probabilities of the views are averaged.
"""

import hashlib
import json
import os
import shutil

import av
import cv2
import numpy as np
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from torchvision import transforms
from torchvision.datasets import ImageFolder
from transformers import IJepaModel, VJEPA2Config, VJEPA2ForVideoClassification, VJEPA2VideoProcessor

HERE = os.path.dirname(os.path.abspath(__file__))
SEED, TEMPERATURE = 17, 0.07
# In the order of code points, which is not that of a dictionary.
FRAMES, SIDE, LABELS = 4, 32, 8
# The rank of the class of each clip among the probabilities of the model.
RANKS = (1, 1, 3, 1, 8, 1, 2, 7, 1, 4)
CLASSES = ("Zebra", "apple pie", "n01440764", "übrig")


def listing_digest(folder: str, paths: list[str]) -> str:
    """The digest of the list of files, as registry/SPEC.md section 13 defines it."""
    lines = []
    for path in sorted(paths, key=lambda text: text.encode()):
        with open(f"{folder}/{path}", "rb") as file:
            content = file.read()
        lines.append(f"{hashlib.sha256(content).hexdigest()} {len(content)} {path}\n")
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def write_images(rng: np.random.Generator) -> None:
    for split, count in (("train", 8), ("val", 4)):
        for label, name in enumerate(CLASSES):
            for index in range(count):
                height, width = rng.integers(19, 34, 2)
                image = rng.integers(60, 140, (height // 4 + 1, width // 4 + 1, 3)).repeat(4, 0).repeat(4, 1)[:height, :width]
                if label < 3:
                    image[:, :, label] += 9
                kind = ("png", "JPEG", "webp")[index % 3]
                # Some classes have folders of their own.
                folder = f"{HERE}/images/{split}/{name}" + ("/more" if label == 1 and index % 2 else "")
                os.makedirs(folder, exist_ok=True)
                Image.fromarray(image.astype(np.uint8)).save(f"{folder}/{index + 7}.{kind}")


def features(model, split: str) -> tuple[ImageFolder, np.ndarray, np.ndarray, np.ndarray]:
    side = 16
    data = ImageFolder(f"{HERE}/images/{split}", transforms.Compose([
        transforms.Resize(int(side * 256 / 224)), transforms.CenterCrop(side), transforms.ToTensor(),
        transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]))
    pixels = torch.stack([data[index][0] for index in range(len(data))])
    with torch.no_grad():
        tokens = model(pixels).last_hidden_state.double()
    return data, tokens.mean(1).numpy(), np.array(data.targets), tokens[0, :3, :3].numpy()


def images() -> dict:
    rng = np.random.default_rng(SEED)
    write_images(rng)
    model = IJepaModel.from_pretrained(f"{HERE}/../probes/pictures").eval()
    (train, x, known, _), (val, t, wanted, slice_) = (features(model, split) for split in ("train", "val"))
    scaler = StandardScaler().fit(x)
    fitted = LogisticRegression(C=1.0, tol=1e-9, max_iter=10000).fit(scaler.transform(x), known)
    unit = [f / np.linalg.norm(f, axis=1, keepdims=True) for f in (x, t)]
    distance, index = NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute").fit(unit[0]).kneighbors(unit[1])
    weight = np.exp((1 - distance) / TEMPERATURE)
    votes = np.stack([(weight * (known[index] == label)).sum(1) for label in range(len(CLASSES))], 1)
    found = {"classes": train.classes, "linear": float((fitted.predict(scaler.transform(t)) == wanted).mean()),
             "knn5": float((votes.argmax(1) == wanted).mean()), "features": t.ravel().tolist(), "slice": slice_.ravel().tolist()}
    for split, data in (("train", train), ("val", val)):
        paths = [os.path.relpath(path, f"{HERE}/images") for path, _ in data.samples]
        found[split] = {"paths": paths, "labels": data.targets, "digest": listing_digest(f"{HERE}/images", paths)}
    return found


def clips(rng: np.random.Generator) -> list[str]:
    folder = f"{HERE}/something/videos"
    os.makedirs(folder)
    names = []
    for index in range(len(RANKS)):
        name, count = str(1000 - 7 * index), (3, 11, 24, 16, 9, 30, 12, 5, 18, 21)[index]
        names.append(name)
        with av.open(f"{folder}/{name}.webm", "w", container_options={"fflags": "+bitexact"}) as container:
            stream = container.add_stream("libvpx-vp9", rate=12)
            stream.width, stream.height = (44, 36) if index % 2 else (36, 52)
            stream.pix_fmt, stream.options = "yuv420p", {"crf": "30"}
            base = rng.integers(0, 255, (stream.height // 4, stream.width // 4, 3))
            for frame in range(count):
                image = (base + frame * rng.integers(0, 30, 3)).clip(0, 255).astype(np.uint8).repeat(4, 0).repeat(4, 1)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode())
    return names


def decoded(name: str) -> np.ndarray:
    with av.open(f"{HERE}/something/videos/{name}.webm") as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def meta_clips(count: int, clips: int = 2, step: int = 2) -> np.ndarray:
    """The frames of each clip, with the first possible start."""
    length, part, found = FRAMES * step, count // clips, []
    for clip in range(clips):
        if part > length:
            index = np.linspace(0, length, FRAMES).clip(0, length - 1).astype(np.int64) + clip * part
        else:
            last = min(length, count) - 1
            index = np.linspace(0, last, last // step)
            index = np.concatenate((index, np.full(FRAMES - len(index), last))).clip(0, max(last - 1, 0)).astype(np.int64)
            index = index + clip * ((count - length) // (clips - 1) if count > length else 0)
        found.append(index)
    return np.stack(found)


def meta_views(frames: np.ndarray) -> torch.Tensor:
    """Three squares along the longer side of frames, [views, frames, 3, side, side]."""
    height, width = frames.shape[1:3]
    size = (SIDE, int(SIDE * height / width)) if width < height else (int(SIDE * width / height), SIDE)
    scaled = np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR) for frame in frames])
    step = (max(size) - SIDE) // 2
    cut = [scaled[:, i * step:i * step + SIDE] if width < height else scaled[:, :, i * step:i * step + SIDE] for i in range(3)]
    pixels = torch.from_numpy(np.stack(cut)).permute(0, 1, 4, 2, 3).float() / 255
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    return (pixels - mean) / std


def multi_view(model, names: list[str]) -> list[float]:
    found = []
    for name in names:
        frames = decoded(name)
        # [views, clips, frames, 3, side, side].
        views = torch.stack([meta_views(frames[index]) for index in meta_clips(len(frames))], 1)
        with torch.no_grad():
            tokens = [torch.cat([model.vjepa2(clip[None], skip_predictor=True).last_hidden_state for clip in view], 1) for view in views]
            logits = model.classifier(model.pooler(torch.cat(tokens))).double()
        found += logits.softmax(-1).mean(0).tolist()
    return found


def something() -> dict:
    rng = np.random.default_rng(SEED)
    torch.manual_seed(SEED)
    templates = [f"{verb} [something] {place} [something]" for verb in ("Putting", "Stuffing", "Pulling", "Showing")
                 for place in ("into", "behind")]
    config = VJEPA2Config(patch_size=16, crop_size=SIDE, frames_per_clip=FRAMES, tubelet_size=2, hidden_size=24,
                          num_attention_heads=2, num_hidden_layers=2, mlp_ratio=2, pred_hidden_size=24,
                          pred_num_attention_heads=2, pred_num_hidden_layers=1, pred_num_mask_tokens=2, num_pooler_layers=1,
                          initializer_range=0.2, id2label=dict(enumerate(templates)))
    model = VJEPA2ForVideoClassification(config).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "query_tokens" in name or "classifier" in name:
                value.normal_(0, 1)
    processor = VJEPA2VideoProcessor(crop_size={"height": SIDE, "width": SIDE}, size={"shortest_edge": SIDE * 292 // 256})
    processor.save_pretrained(f"{HERE}/classifier")
    names = clips(rng)
    inputs = []
    for name in names:
        frames = decoded(name)
        chosen = frames[np.linspace(0, len(frames) - 1, FRAMES).round().astype(int)]
        inputs.append(processor(torch.from_numpy(chosen).permute(0, 3, 1, 2), return_tensors="pt")["pixel_values_videos"])
    with torch.no_grad():
        logits = model(torch.cat(inputs)).logits
        # Without what all clips have in common, so that they differ in their classes.
        model.classifier.bias -= logits.mean(0)
        scale = 1.5 / logits.std(0).mean()
        model.classifier.weight *= scale
        model.classifier.bias *= scale
        logits = model(torch.cat(inputs)).logits.double()
    model.save_pretrained(f"{HERE}/classifier")
    entries, probabilities = [], []
    for name, rank, row in zip(names, RANKS, logits):
        probability = row.softmax(0)
        order = probability.argsort(descending=True)
        entries.append({"id": name, "label": "putting x", "template": templates[order[rank - 1]], "placeholders": ["x"]})
        probabilities.append(probability.tolist())
    # In an order of their own, as published.
    numbers = {template.replace("[", "").replace("]", ""): str(index) for index, template in enumerate(templates)}
    for path, value in (("labels", dict(sorted(numbers.items()))), ("validation", entries)):
        with open(f"{HERE}/something/{path}.json", "w") as file:
            json.dump(value, file, indent=1)
            file.write("\n")
    files = ["labels.json", "validation.json"] + [f"videos/{name}.webm" for name in names]
    return {"paths": [f"videos/{name}.webm" for name in names], "probabilities": sum(probabilities, []),
            "views": multi_view(model, names),
            "top1": sum(rank <= 1 for rank in RANKS) / len(RANKS), "top5": sum(rank <= 5 for rank in RANKS) / len(RANKS),
            "labels": [templates.index(entry["template"]) for entry in entries],
            "digest": listing_digest(f"{HERE}/something", files)}


def main() -> None:
    torch.set_num_threads(1)
    for folder in ("images", "something", "classifier"):
        shutil.rmtree(f"{HERE}/{folder}", ignore_errors=True)
    expected = {"images": images(), "something": something()}
    with open(f"{HERE}/expected.json", "w") as file:
        json.dump(expected, file, indent=1, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    main()
