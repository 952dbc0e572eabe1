# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes the image files of this folder and the pixels that Pillow decodes from them.

    /usr/bin/python3 make_images.py            images/, oriented/, mutants.json
    /usr/bin/python3 make_images.py COUNT FILE COUNT mutants per image, with their results, to FILE

Pillow must use the same libjpeg-turbo and libwebp as ami-zoo: on Debian, python3-pil and not a wheel,
which bundles its own. Also needs python3-numpy and libjpeg-turbo-progs.
"""

import hashlib
import io
import json
import pathlib
import random
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
import PIL
from PIL import Image, ImageOps, features

HERE = pathlib.Path(__file__).parent
SEED = 20250731
VERSIONS = {
    "pillow": PIL.__version__,
    "libjpeg_turbo": features.version("libjpeg_turbo"),
    "webp": features.version("webp"),
    "zlib": features.version("zlib"),
    "numpy": np.__version__,
    "seed": str(SEED),
}


def save_file(arrays, path):
    """Writes a safetensors file of U8 tensors."""
    header, data = {"__metadata__": {"versions": json.dumps(VERSIONS)}}, b""
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name], dtype=np.uint8)
        offsets = [len(data), len(data) + array.nbytes]
        header[name] = {"dtype": "U8", "shape": list(array.shape), "data_offsets": offsets}
        data += array.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def scene(height, width, seed):
    """Returns an image with smooth colours, hard edges and some noise."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red = 127 + 120 * np.sin(x / 5 + seed)
    green = 255 * x / max(width - 1, 1)
    blue = 127 + 120 * np.cos((x + 2 * y) / 9)
    picture = np.stack([red, green, blue], -1)
    picture[height // 4 : height // 2, width // 3 : width // 2] = (250, 20, 10)
    picture += generator.normal(0, 6, picture.shape)
    return picture.clip(0, 255).astype(np.uint8)


# MARK: PNG


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def packed(samples, depth):
    """Packs [height, width, channels] samples of 1 to 16 bits into rows with filter 0."""
    rows = b""
    for row in samples:
        if depth == 16:
            rows += b"\0" + row.astype(">u2").tobytes()
        else:
            bits = np.unpackbits(row.reshape(-1, 1).astype(np.uint8), axis=1)[:, 8 - depth :]
            rows += b"\0" + np.packbits(bits.reshape(-1)).tobytes()
    return rows


def png(samples, depth, colour, before=b"", after=b"", interlaced=False):
    """Returns a PNG file; Pillow cannot write 16-bit colour, 2-bit grey or interlaced files."""
    samples = samples.reshape(samples.shape[0], samples.shape[1], -1)
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    if interlaced:
        passes = [samples[y::down, x::right] for x, y, right, down in ADAM7]
        data = b"".join(packed(part, depth) for part in passes if part.size)
    else:
        data = packed(samples, depth)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(data)) + after
        + chunk(b"IEND", b"")
    )


def png_images(save):
    rgb = scene(29, 35, 1)
    generator = np.random.default_rng(SEED)
    alpha = generator.integers(0, 256, rgb.shape[:2], dtype=np.uint8)
    picture = Image.fromarray(rgb)
    save("rgb.png", picture)
    save("rgba.png", Image.fromarray(np.dstack([rgb, alpha])))
    save("grey.png", Image.fromarray(rgb[..., 1]))
    save("grey-alpha.png", Image.fromarray(np.dstack([rgb[..., 1], alpha]), "LA"))
    save("bits.png", Image.fromarray(rgb[..., 0]).convert("1"))
    save("palette.png", picture.quantize(40))
    save("palette-4-bit.png", picture.quantize(13), bits=4)
    save("palette-2-bit.png", picture.quantize(4), bits=2)
    save("palette-1-bit.png", picture.quantize(2), bits=1)
    save("palette-transparent.png", picture.quantize(40), transparency=3)
    save("animation.png", picture, save_all=True, append_images=[Image.fromarray(scene(29, 35, 2))])

    def noise(channels, depth, height=9, width=11):
        return generator.integers(0, 1 << depth, (height, width, channels))

    grey_key, rgb_key = struct.pack(">H", 3), struct.pack(">HHH", *(int(level) for level in rgb[0, 0]))
    colours = generator.bytes(16 * 3)
    for name, content in {
        "rgb-16-bit": png(noise(3, 16), 16, 2),
        "rgba-16-bit": png(noise(4, 16), 16, 6),
        # Half of the values fit into 8 bits.
        "grey-16-bit": png(noise(1, 9), 16, 0),
        "grey-alpha-16-bit": png(noise(2, 16), 16, 4),
        "grey-2-bit": png(noise(1, 2, width=13), 2, 0),
        "grey-4-bit": png(noise(1, 4, width=13), 4, 0),
        "grey-key": png(noise(1, 4), 4, 0, before=chunk(b"tRNS", grey_key)),
        "rgb-key": png(rgb, 8, 2, before=chunk(b"tRNS", rgb_key)),
        "interlaced": png(rgb, 8, 2, interlaced=True),
        "interlaced-small": png(rgb[:3, :3], 8, 2, interlaced=True),
        "interlaced-bits": png(noise(1, 1, 10, 13), 1, 0, interlaced=True),
        "interlaced-grey-16-bit": png(noise(1, 9), 16, 0, interlaced=True),
        "interlaced-rgba-16-bit": png(noise(4, 16), 16, 6, interlaced=True),
        "interlaced-palette-4-bit": png(noise(1, 4), 4, 3, before=chunk(b"PLTE", colours), interlaced=True),
        # Pillow ignores both.
        "gamma-and-profile": png(rgb[:5, :5], 8, 2, before=chunk(b"gAMA", struct.pack(">I", 100000))
                                 + chunk(b"iCCP", b"profile\0\0" + zlib.compress(generator.bytes(64)))),
    }.items():
        save(f"{name}.png", content)


# MARK: JPEG


def cjpeg(picture, *options):
    """Writes JPEG variants that Pillow cannot write, with cjpeg of libjpeg-turbo."""
    height, width = picture.shape[:2]
    pixels = b"P6\n%d %d\n255\n" % (width, height) + picture.tobytes()
    return subprocess.run(["cjpeg", "-quality", "85", *options], input=pixels, stdout=subprocess.PIPE, check=True).stdout


def without_segment(jpeg, marker):
    place = jpeg.index(bytes([0xFF, marker]))
    length = int.from_bytes(jpeg[place + 2 : place + 4], "big")
    return jpeg[:place] + jpeg[place + 2 + length :]


def jpeg_images(save):
    rgb = scene(29, 35, 1)
    picture = Image.fromarray(rgb)
    for name, subsampling in [("444", 0), ("422", 1), ("420", 2)]:
        save(f"{name}.jpg", picture, quality=85, subsampling=subsampling)
    save("even-420.jpg", Image.fromarray(scene(32, 48, 2)), quality=90, subsampling=2)
    save("progressive.jpg", Image.fromarray(scene(32, 48, 3)), quality=75, progressive=True)
    save("grey.jpg", Image.fromarray(rgb[..., 1]), quality=85)
    save("tiny.jpg", Image.fromarray(rgb[:3, :3]), quality=85, subsampling=2)
    save("rgb-colours.jpg", cjpeg(rgb, "-rgb"))
    for name, sample in [("440", "1x2"), ("411", "4x1"), ("410", "4x2"), ("441", "1x4"), ("mixed", "2x2,1x2,2x1")]:
        save(f"{name}.jpg", cjpeg(rgb, "-sample", sample))
    save("arithmetic.jpg", cjpeg(rgb, "-arithmetic"))
    save("arithmetic-progressive.jpg", cjpeg(rgb, "-arithmetic", "-progressive"))
    save("progressive-422.jpg", cjpeg(rgb, "-progressive", "-sample", "2x1"))
    save("restart.jpg", cjpeg(rgb, "-restart", "1B"))
    save("restart-progressive.jpg", cjpeg(rgb, "-restart", "1", "-progressive"))
    scans = HERE / "scans.txt"
    scans.write_text("0;\n1;\n2;\n")
    save("scan-per-component.jpg", cjpeg(rgb, "-scans", str(scans)))
    scans.unlink()
    stream = io.BytesIO()
    picture.convert("CMYK").save(stream, "JPEG", quality=85)
    cmyk = stream.getvalue()
    place = cmyk.index(b"Adobe") + 11
    save("cmyk.jpg", cmyk)
    save("ycck.jpg", cmyk[:place] + b"\2" + cmyk[place + 1 :])
    save("cmyk-not-adobe.jpg", without_segment(cmyk, 0xEE))


# MARK: WebP


def riff(*chunks):
    body = b"WEBP"
    for name, content in chunks:
        body += name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def little24(value):
    return struct.pack("<I", value)[:3]


def webp_images(save):
    rgb = scene(29, 35, 1)
    alpha = np.random.default_rng(SEED).integers(0, 256, rgb.shape[:2], dtype=np.uint8)
    picture, clear = Image.fromarray(rgb), Image.fromarray(np.dstack([rgb, alpha]))
    save("lossy.webp", picture, quality=80)
    save("even-lossy.webp", Image.fromarray(scene(32, 48, 4)), quality=80)
    save("lossless.webp", picture, lossless=True)
    save("alpha.webp", clear, quality=80)
    save("lossless-alpha.webp", clear, lossless=True, exact=True)
    moving = [Image.fromarray(scene(24, 32, seed)) for seed in range(3)]
    save("animation.webp", moving[0], save_all=True, append_images=moving[1:])
    save("lossless-animation.webp", moving[0], save_all=True, append_images=moving[1:], lossless=True)
    # Animations whose first frame covers only a part of the image.
    for name, part, options in [("lossy", picture, {"quality": 80}), ("alpha", clear, {"lossless": True})]:
        stream = io.BytesIO()
        part.save(stream, "WEBP", **options)
        content = stream.getvalue()
        first = 12 if content[12:16] != b"VP8X" else 30
        frame = little24(4 // 2) + little24(6 // 2) + little24(34) + little24(28) + little24(100) + b"\0"
        save(f"part-{name}.webp", riff(
            (b"VP8X", struct.pack("<I", 0x12) + little24(49) + little24(39)),
            (b"ANIM", b"\xff\xff\xff\xff\0\0"), (b"ANMF", frame + content[first:]),
        ))


def images():
    folder = HERE / "images"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()

    def save(name, image, **options):
        if isinstance(image, bytes):
            (folder / name).write_bytes(image)
        else:
            image.save(folder / name, **options)

    png_images(save)
    jpeg_images(save)
    webp_images(save)
    save_file(
        {path.name: np.array(Image.open(path).convert("RGB")) for path in folder.iterdir()},
        HERE / "images.safetensors",
    )


# MARK: Orientation


def tiff(entries, endian="<", next_directory=0, directory=8, values=b""):
    """Returns an EXIF block with entries (tag, type, count, four bytes of value)."""
    block = (b"II*\0" if endian == "<" else b"MM\0*") + struct.pack(endian + "I", directory)
    block += struct.pack(endian + "H", len(entries))
    for tag, kind, count, value in entries:
        block += struct.pack(endian + "HHI", tag, kind, count) + value
    return block + struct.pack(endian + "I", next_directory) + values


def short(value, endian="<"):
    return struct.pack(endian + "HH", value, 0)


def blocks():
    """Returns EXIF blocks that state orientations in every valid way and in many invalid ways."""
    yield from ((f"value-{value}", tiff([(0x112, 3, 1, short(value))])) for value in [0, 9, 255, 65535])
    yield from ((f"big-{value}", tiff([(0x112, 3, 1, short(value, ">"))], ">")) for value in range(1, 9))
    six = struct.pack("<I", 6)
    names = {1: "byte", 2: "ascii", 4: "long", 6: "sbyte", 7: "undefined", 8: "sshort", 9: "slong", 13: "ifd"}
    for kind, name in names.items():
        yield f"type-{name}", tiff([(0x112, kind, 1, b"6\0\0\0" if kind == 2 else six)])
    for kind, name, value in [
        (5, "rational", struct.pack("<II", 12, 2)), (10, "srational", struct.pack("<ii", -6, -1)),
        (5, "rational-part", struct.pack("<II", 13, 2)), (5, "rational-zero", struct.pack("<II", 6, 0)),
        (12, "double", struct.pack("<d", 6.0)), (12, "double-part", struct.pack("<d", 6.5)),
        (12, "double-nan", struct.pack("<d", float("nan"))), (16, "long8", struct.pack("<Q", 6)),
    ]:
        yield f"type-{name}", tiff([(0x112, kind, 1, struct.pack("<I", 26))], values=value)
    yield "type-float", tiff([(0x112, 11, 1, struct.pack("<f", 6.0))])
    yield "type-unknown", tiff([(0x112, 99, 1, six)])
    yield "type-zero", tiff([(0x112, 0, 1, six)])
    yield "count-0", tiff([(0x112, 3, 0, six)])
    yield "count-2", tiff([(0x112, 3, 2, struct.pack("<HH", 6, 3))])
    yield "count-3", tiff([(0x112, 3, 3, struct.pack("<I", 26))], values=struct.pack("<HHH", 6, 3, 1))
    yield "count-huge", tiff([(0x112, 3, 0xFFFFFFFF, six)])
    yield "offset-outside", tiff([(0x112, 3, 3, struct.pack("<I", 4096))])
    yield "after-outside", tiff([(0x10F, 2, 99, struct.pack("<I", 4096)), (0x112, 3, 1, short(6))])
    yield "before-outside", tiff([(0x112, 3, 1, short(6)), (0x10F, 2, 99, struct.pack("<I", 4096))])
    yield "after-unknown-type", tiff([(0x10F, 99, 99, six), (0x112, 3, 1, short(6))])
    yield "twice", tiff([(0x112, 3, 1, short(6)), (0x112, 3, 1, short(3))])
    yield "twice-second-text", tiff([(0x112, 3, 1, short(6)), (0x112, 2, 1, b"3\0\0\0")])
    yield "loop", tiff([(0x112, 3, 1, short(6)), (0x8769, 4, 1, struct.pack("<I", 8))], next_directory=8)
    yield "second-directory", tiff([], next_directory=14, values=tiff([(0x112, 3, 1, short(6))])[8:])
    yield "directory-outside", tiff([(0x112, 3, 1, short(6))], directory=0xFFFFFFF0)
    yield "directory-in-header", tiff([(0x112, 3, 1, short(6))], directory=0)
    yield "directory-cut-off", tiff([(0x10F, 3, 1, short(1)), (0x112, 3, 1, short(6))])[:30]
    yield "entries-missing", tiff([(0x112, 3, 1, short(6))])[:8] + b"\xff\xff" + tiff([(0x112, 3, 1, short(6))])[10:]
    yield "swapped-magic", b"II\0*" + tiff([(0x112, 3, 1, short(6))])[4:]
    yield "empty", b""
    yield "header-only", b"II*\0"


def exif_segment(block):
    return b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block


def oriented():
    folder = HERE / "oriented"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    rgb = scene(5, 8, 9)
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "JPEG", quality=85)
    jpeg = stream.getvalue()
    for value in range(1, 9):
        block = tiff([(0x112, 3, 1, short(value))])
        (folder / f"{value}.jpg").write_bytes(jpeg[:2] + exif_segment(block) + jpeg[2:])
        (folder / f"{value}.png").write_bytes(png(rgb, 8, 2, before=chunk(b"eXIf", block)))
        Image.fromarray(rgb).save(folder / f"{value}.webp", lossless=True, exif=b"Exif\0\0" + block)
    two, six = (tiff([(0x112, 3, 1, short(value))]) for value in (2, 6))
    (folder / "after-pixels.png").write_bytes(png(rgb, 8, 2, after=chunk(b"eXIf", six)))
    (folder / "last-counts.png").write_bytes(png(rgb, 8, 2, chunk(b"eXIf", six), chunk(b"eXIf", two)))
    (folder / "first-counts.jpg").write_bytes(jpeg[:2] + exif_segment(six) + exif_segment(two) + jpeg[2:])
    (folder / "comment-first.jpg").write_bytes(jpeg[:2] + b"\xff\xfe\0\4hi\xff" + exif_segment(six) + jpeg[2:])
    webp = (folder / "6.webp").read_bytes()
    (folder / "not-announced.webp").write_bytes(webp[:20] + bytes([webp[20] & ~8]) + webp[21:])
    for name, block in blocks():
        (folder / f"{name}.png").write_bytes(png(rgb, 8, 2, before=chunk(b"eXIf", block)))
    expected = {}
    for path in sorted(folder.iterdir()):
        try:
            image = Image.open(path)
            # As in later versions of exif_transpose: EXIF may follow the pixels.
            image.load()
            expected[path.name] = np.array(ImageOps.exif_transpose(image).convert("RGB"))
        except (SyntaxError, struct.error):
            # Pillow raises an exception for a block without a TIFF header; here it states no orientation.
            expected[path.name] = np.array(Image.open(path).convert("RGB"))
    save_file(expected, HERE / "oriented.safetensors")


# MARK: Mutants


def fixed(content):
    """Corrects the checksums of a PNG file, so that mutants pass the checks."""
    parts, offset = [content[:8]], 8
    while offset + 12 <= len(content):
        length = int.from_bytes(content[offset : offset + 4], "big")
        if offset + 12 + length > len(content):
            break
        parts.append(chunk(content[offset + 4 : offset + 8], content[offset + 8 : offset + 8 + length]))
        offset += 12 + length
    return b"".join(parts) + content[offset:]


def mutant(content, generator, is_png):
    kind = generator.randrange(10)
    if kind == 0:
        return content[: generator.randrange(len(content))]
    changed = bytearray(content)
    for _ in range(generator.choice([1, 1, 1, 2, 3, 8])):
        # Half of the changes are in headers.
        place = generator.randrange(min(len(changed), 64) if generator.random() < 0.5 else len(changed))
        if kind < 5:
            changed[place] ^= 1 << generator.randrange(8)
        elif kind < 9:
            changed[place] = generator.choice([0, 1, 0x7F, 0x80, 0xFF, generator.randrange(256)])
        else:
            changed[place:place] = generator.randbytes(1)
    return fixed(bytes(changed)) if is_png and generator.random() < 0.8 else bytes(changed)


def verdict(content):
    """Returns the size and digest of the upright image by Pillow, or None if Pillow refuses the file."""
    try:
        image = Image.open(io.BytesIO(content), formats=["PNG", "JPEG", "WEBP"])
        stored = image.convert("RGB")
    except Exception:
        return None
    try:
        image = Image.open(io.BytesIO(content))
        image.load()
        pixels = ImageOps.exif_transpose(image).convert("RGB")
    except Exception:
        pixels = stored
    return [pixels.width, pixels.height, hashlib.sha256(pixels.tobytes()).hexdigest()]


def edits(old, new):
    """Returns the length and the replacements [offset, hexadecimal bytes] that turn one file into the other."""
    found, offset = [], 0
    old = old[: len(new)] + b"\0" * (len(new) - len(old))
    while offset < len(new):
        if old[offset] == new[offset]:
            offset += 1
            continue
        end = offset + 1
        while end < len(new) and old[end : end + 4] != new[end : end + 4]:
            end += 1
        found.append([offset, new[offset:end].hex()])
        offset = end
    return found


def mutants(count, path):
    """Returns mutants, as replacements in one of the images, with the results of Pillow."""
    warnings.simplefilter("ignore")
    # A pixel limit for Pillow, below that of ami-zoo.
    generator, rows = random.Random(SEED), []
    for folder in ["images", "oriented"]:
        for source in sorted((HERE / folder).iterdir()):
            if folder == "oriented" and source.stem not in {"6", "8", "count-3", "loop"}:
                continue
            content = source.read_bytes()
            for _ in range(count):
                changed = mutant(content, generator, source.suffix == ".png")
                rows.append({
                    "file": f"{folder}/{source.name}", "length": len(changed),
                    "edits": edits(content, changed), "pillow": verdict(changed),
                })
    path.write_text(json.dumps({"versions": VERSIONS, "cases": rows}, separators=(",", ":")) + "\n")
    accepted = sum(row["pillow"] is not None for row in rows)
    print(f"{len(rows)} mutants, of which Pillow reads {accepted}")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        mutants(int(sys.argv[1]), pathlib.Path(sys.argv[2]))
    else:
        images()
        oriented()
        mutants(6, HERE / "mutants.json")
