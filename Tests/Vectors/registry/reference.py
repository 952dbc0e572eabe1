# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""A second implementation of registry/SPEC.md, written from the text and independent of the Swift one.

It reads every document kind and lays out archives. `make_vectors.py` computes the expectations of
vectors with it, so a difference between the two implementations fails in `Tests/ZooCoreTests`.
"""

import hashlib
import json
import re
import unicodedata

import rfc8785

LARGEST_INTEGER = 2**53 - 1
MIB = 1 << 20

# SPEC.md section 2.3
LIMITS = {
    "registry": (64 << 10, 8, 4096),
    "index": (8 * MIB, 8, 400_000),
    "manifest": (1 * MIB, 8, 16_384),
    "record": (4 * MIB, 16, 500_000),
    "dataset": (4 * MIB, 16, 500_000),
    "blocks": (64 * MIB, 8, 3_600_000),
    "image-index": (64 * MIB, 16, 10_000_000),
    "canonical-json": (4 * MIB, 32, 1 << 20),
}
LARGEST_FILE = 1 << 45
MAX_FILES = 10_000
MAX_ARCHIVES = 64
MAX_LAYERS = 192
MAX_SIDE = 65_536
MAX_VERSIONS = 10_000
MAX_BLOCKS = 200_000
MAX_BLOCK = 4 * MIB
MAX_ENCODED_BLOCK = 4 * MIB + 16_384 + 512


class Refused(Exception):
    """Raised to refuse a document with a stable code."""

    def __init__(self, code, why=""):
        super().__init__(f"{code}: {why}")
        self.code = code


def field(why):
    return Refused("format.field-invalid", why)


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


# --- Section 2: JSON ---------------------------------------------------------------------------


def parse(data, kind):
    """A parser of strict JSON within the limits of a document kind."""
    most_bytes, most_depth, most_values = LIMITS[kind]
    if len(data) > most_bytes:
        raise Refused("json.too-large", "bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("json.malformed", str(error)) from error
    _check_depth(text, most_depth)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_constant,
        )
    except ValueError as error:
        raise Refused("json.malformed", str(error)) from error
    if _count(value) > most_values:
        raise Refused("json.too-large", "values")
    return value


def _check_depth(text, most):
    depth = 0
    inside = escaped = False
    for character in text:
        if inside:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            if depth > most:
                raise Refused("json.too-large", "depth")
        elif character in "]}":
            depth -= 1


def _object(pairs):
    seen = set()
    for name, _ in pairs:
        key = unicodedata.normalize("NFC", name)
        if key in seen:
            raise Refused("json.duplicate-name", f"twice {name!r}")
        seen.add(key)
    return dict(pairs)


def _integer(digits):
    value = int(digits)
    if abs(value) > LARGEST_INTEGER:
        raise Refused("json.malformed", digits)
    return value


def _number(digits):
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise Refused("json.malformed", digits)
    return value


def _constant(word):
    raise Refused("json.malformed", word)


def _count(value):
    if isinstance(value, str):
        if any(0xD800 <= ord(c) < 0xE000 for c in value):
            raise Refused("json.malformed", "lone surrogate")
        return 1
    if isinstance(value, list):
        return 1 + sum(_count(element) for element in value)
    if isinstance(value, dict):
        return 1 + sum(_count(name) - 1 + _count(member) for name, member in value.items())
    return 1


def parse_canonical(data, kind):
    value = parse(data, kind)
    if rfc8785.dumps(value) != data:
        raise Refused("json.not-canonical")
    return value


# --- Fields ------------------------------------------------------------------------------------


def an_object(value):
    if not isinstance(value, dict):
        raise field("must be an object")
    return value


def required(obj, name):
    if name not in obj:
        raise field(f"{name} is missing")
    return obj[name]


def a_string(value, most):
    if not isinstance(value, str):
        raise field("must be a string")
    if not 1 <= len(value.encode("utf-8")) <= most:
        raise field("length")
    if any(unicodedata.category(c) == "Cc" for c in value):
        raise field("control character")
    return value


def string(obj, name, most=256):
    return a_string(required(obj, name), most)


def strings(obj, name, most, each=256):
    return [a_string(element, each) for element in array(obj, name, most)]


def array(obj, name, most):
    value = required(obj, name)
    if not isinstance(value, list) or len(value) > most:
        raise field(f"{name} must be an array of at most {most}")
    return value


def objects(obj, name, most):
    return [an_object(element) for element in array(obj, name, most)]


def choice(obj, name, choices):
    value = string(obj, name)
    if value not in choices:
        raise field(f"{name} is {value}")
    return value


def integer(obj, name, low, high):
    value = required(obj, name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise field(f"{name} must be an integer {low} to {high}")
    return value


def size(obj, name):
    return integer(obj, name, 0, LARGEST_FILE)


def a_number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise field("must be a number")
    return value


def positive(obj, name):
    value = a_number(required(obj, name))
    if value <= 0:
        raise field(f"{name} must be greater than 0")
    return value


def side(obj, name):
    return integer(obj, name, 1, MAX_SIDE)


def numbers(obj, name, most):
    return [a_number(element) for element in array(obj, name, most)]


def in_field(read, text):
    """Reports a grammar error inside a document as a field error."""
    try:
        return read(text)
    except Refused as error:
        raise field(str(error)) from error


def digest_field(obj, name):
    return in_field(read_digest, string(obj, name))


def read_format(obj, *names):
    """Returns the declared format, which must be one of `names`."""
    name = string(obj, "format")
    if name not in names:
        raise Refused("format.unknown", name)
    return name


def a_word(obj, name):
    value = string(obj, name, 64)
    if not is_word(value):
        raise field(f"{name} must be a word")
    return value


def unique(names, what):
    """Returns the names of a list, which must be distinct under canonical equivalence."""
    if len({unicodedata.normalize("NFC", name) for name in names}) != len(names):
        raise field(f"{what} twice")
    return names


# --- Names -------------------------------------------------------------------------------------

WORD = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*\Z")
LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")
PORT = re.compile(r"[1-9][0-9]{0,4}\Z")
IDENTIFIER = r"(?:0|[1-9][0-9]{0,8}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
NUMBER = r"(0|[1-9][0-9]{0,8})"
VERSION = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}(?:-({IDENTIFIER}(?:\.{IDENTIFIER})*))?\Z")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")


def is_word(text):
    return len(text) <= 64 and WORD.match(text) is not None


def read_digest(text):
    if not re.match(r"sha256:[0-9a-f]{64}\Z", text):
        raise Refused("digest.malformed", text)
    return text


def read_name(text):
    parts = text.split("/")
    if len(parts) != 2 or not all(map(is_word, parts)):
        raise Refused("reference.malformed", text)
    return text


def read_version(text):
    match = VERSION.match(text)
    if match is None or len(text) > 64:
        raise Refused("version.malformed", text)
    return text


def read_channel(text):
    if len(text) > 32 or not re.match(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z", text):
        raise Refused("reference.malformed", text)
    return text


def read_time(text):
    import calendar

    if not TIME.match(text):
        raise field(text)
    year, month, day = int(text[0:4]), int(text[5:7]), int(text[8:10])
    hour, minute, second = int(text[11:13]), int(text[14:16]), int(text[17:19])
    if not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 59:
        raise field(text)
    # The year 0 is a leap year like 2000, but the module calendar does not support it.
    if not 1 <= day <= calendar.monthrange(year or 2000, month)[1]:
        raise field(text)
    return text


def version_key(text):
    """A sort key: SemVer 2.0.0 section 11."""
    core, _, suffix = text.partition("-")
    identifiers = [
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in suffix.split(".")
    ]
    return tuple(map(int, core.split("."))), (0, identifiers) if suffix else (1, [])


def read_reference(text):
    if len(text.encode("utf-8")) > 512:
        raise Refused("reference.malformed", "length")
    try:
        address, at, pin = text.partition("@")
        digest = read_digest(pin) if at else None
        parts = address.split("/")
        host = None
        if len(parts) == 3:
            host = parts.pop(0)
            name, colon, port = host.partition(":")
            legal = len(name) <= 253 and all(LABEL.match(label) for label in name.split("."))
            if not legal or (colon and not (PORT.match(port) and int(port) <= 65535)):
                raise Refused("reference.malformed", host)
        path, colon, tag = "/".join(parts).partition(":")
        read_name(path)
        result = {"host": host, "name": path, "digest": digest}
        if not colon:
            result["channel"] = "stable"
        elif tag[:1].isdigit():
            result["version"] = read_version(tag)
        else:
            result["channel"] = read_channel(tag)
    except Refused as error:
        raise Refused("reference.malformed", str(error)) from error
    tag = result.get("version") or result["channel"]
    result["text"] = (f"{host}/" if host else "") + f"{path}:{tag}" + (f"@{digest}" if digest else "")
    return result


# --- Section 4.2: paths ------------------------------------------------------------------------

DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    port + digit for port in ("com", "lpt") for digit in "0123456789\u00b9\u00b2\u00b3"
}


def read_path(text):
    def unsafe(why):
        return Refused("release.path-unsafe", f"{text!r} {why}")

    if not 1 <= len(text.encode("utf-8")) <= 1024:
        raise unsafe("length")
    if any(c in '\\:*?"<>|' or unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in text):
        raise unsafe("character")
    components = text.split("/")
    if len(components) > 32:
        raise unsafe("depth")
    for component in components:
        if component in ("", ".", "..") or len(component.encode("utf-8")) > 255:
            raise unsafe("component")
        if unicodedata.category(component[0])[0] == "M":
            raise unsafe("mark")
        if component[-1] in ". ":
            raise unsafe("ending")
        if component.split(".")[0].rstrip(" ").lower() in DEVICES:
            raise unsafe("device")
    if components[0].lower() == ".ami-zoo":
        raise unsafe("reserved")
    return text


def collision_key(path):
    """Full upper-case and then full lower-case mapping, character by character, then NFC."""
    upper = "".join(c.upper() for c in path)
    return unicodedata.normalize("NFC", "".join(c.lower() for c in upper))


def check_collisions(paths):
    keys = {}
    for path in paths:
        key = collision_key(path)
        if key in keys:
            raise Refused("release.path-duplicate", f"{path!r} and {keys[key]!r}")
        keys[key] = path
    for key in keys:
        parts = key.split("/")
        for end in range(1, len(parts)):
            if "/".join(parts[:end]) in keys:
                raise Refused("release.path-duplicate", f"{key!r} inside a file")


# --- Section 5: archives -----------------------------------------------------------------------


def padded(length):
    return -(-length // 512) * 512


def pax_record(key, value):
    body = b" " + key + b"=" + value + b"\n"
    length = len(body)
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return str(length).encode() + body


def sector(name, length, kind):
    header = bytearray(512)
    header[0 : len(name)] = name
    header[100:108] = b"0000644\0"
    header[108:116] = b"0000000\0"
    header[116:124] = b"0000000\0"
    header[124:136] = b"%011o\0" % length
    header[136:148] = b"%011o\0" % 0
    header[148:156] = b" " * 8
    header[156:157] = kind
    header[257:265] = b"ustar\x0000"
    header[148:155] = b"%06o\0" % sum(header)
    return bytes(header)


def tar_header(path, length):
    name = path.encode("utf-8")
    records = b""
    if len(name) > 100:
        records += pax_record(b"path", name)
    if length >= 8**11:
        records += pax_record(b"size", str(length).encode())
        length = 0
    plain = sector(name[:100], length, b"0")
    if not records:
        return plain
    padding = bytes(padded(len(records)) - len(records))
    return sector(b"pax", len(records), b"x") + records + padding + plain


def layout(files):
    """Returns members in order, with offsets and header bytes, and the length of the stream."""
    members = []
    offset = 0
    for path, length in sorted(files, key=lambda file: file[0].encode("utf-8")):
        header = tar_header(path, length)
        members.append(
            {
                "path": path,
                "size": length,
                "headerOffset": offset,
                "contentOffset": offset + len(header),
                "header": header,
            }
        )
        offset += len(header) + padded(length)
    return members, offset + 1024


def cut_blocks(boundaries, raw_size):
    """Returns the offsets of the blocks of a stream (section 5.3)."""
    starts = sorted({0, *boundaries})
    units = [0]
    for start in starts[1:]:
        if start - units[-1] >= MIB:
            units.append(start)
    if len(units) > 1 and raw_size - units[-1] < MIB:
        units.pop()
    blocks = []
    for start, end in zip(units, units[1:] + [raw_size]):
        length = end - start
        count = -(-length // MAX_BLOCK)
        blocks += [start + index * length // count for index in range(count)]
    return blocks


# --- Documents ---------------------------------------------------------------------------------

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
RELEASE = "application/vnd.ami.zoo.release.v1"
RECORD = "application/vnd.ami.zoo.release.config.v1+json"
DATASET = "application/vnd.ami.zoo.dataset.v1"
DATASET_RECORD = "application/vnd.ami.zoo.dataset.config.v1+json"
ARTIFACTS = {RELEASE: ("model", RECORD), DATASET: ("dataset", DATASET_RECORD)}
BLOCKS = "application/vnd.ami.zoo.blocks.v1+json"
ARCHIVES = {
    "none": "application/vnd.ami.zoo.archive.v1.tar",
    "zstd": "application/vnd.ami.zoo.archive.v1.tar+zstd",
}
ARCHIVE_NAME = "org.ami-zoo.archive"
REQUIRED = "org.ami-zoo.required"
REF_NAME = "org.opencontainers.image.ref.name"


def read_descriptor(obj):
    annotations = an_object(obj.get("annotations", {}))
    for name in annotations:
        string(annotations, name, 4096)
    return {
        "mediaType": string(obj, "mediaType"),
        "digest": digest_field(obj, "digest"),
        "size": size(obj, "size"),
        "annotations": annotations,
    }


def read_manifest(data):
    obj = an_object(parse_canonical(data, "manifest"))
    invalid = lambda why: Refused("release.manifest-invalid", why)
    version = integer(obj, "schemaVersion", 0, 99)
    if version != 2 or string(obj, "mediaType") != MANIFEST:
        raise invalid("not an OCI manifest")
    artifact = string(obj, "artifactType")
    if artifact not in ARTIFACTS:
        raise invalid("artifact type")
    kind, config = ARTIFACTS[artifact]
    record = read_descriptor(an_object(required(obj, "config")))
    if record["mediaType"] != config or record["size"] > LIMITS["record"][0]:
        raise invalid("config")
    archives, tables, skipped = {}, {}, []
    for layer in objects(obj, "layers", MAX_LAYERS):
        descriptor = read_descriptor(layer)
        if descriptor["mediaType"] == BLOCKS:
            group = tables
        elif descriptor["mediaType"] in ARCHIVES.values():
            group = archives
        elif descriptor["annotations"].get(REQUIRED) == "true":
            raise Refused("format.feature-required", descriptor["mediaType"])
        else:
            skipped.append(descriptor["digest"])
            continue
        name = descriptor["annotations"].get(ARCHIVE_NAME)
        if name is None or not is_word(name):
            raise invalid("archive name")
        if name in group:
            raise invalid("twice")
        group[name] = descriptor
    if set(archives) != set(tables):
        raise invalid("pairs")
    if len(archives) > MAX_ARCHIVES:
        raise invalid("archives")
    if any(table["size"] > LIMITS["blocks"][0] for table in tables.values()):
        raise invalid("table size")
    blobs = [record] + [b for name in archives for b in (archives[name], tables[name])]
    return {
        "kind": kind,
        "archives": list(archives),
        "blobs": [blob["digest"] for blob in blobs],
        "skipped": skipped,
        "transferSize": sum(blob["size"] for blob in blobs),
    }


def _read_features(obj):
    """Checks the fields that decide first whether a reader can read the document."""
    in_field(read_version, string(an_object(required(obj, "compatibility")), "reader"))
    if strings(obj, "requires", 64):
        raise Refused("format.feature-required", obj["requires"][0])


def _read_about(obj, origins):
    """Checks the fields that release and data-set records share."""
    in_field(read_name, string(obj, "name"))
    in_field(read_version, string(obj, "version"))
    read_time(string(obj, "created"))
    string(obj, "summary", 500)
    strings(obj, "authors", 200)
    string(obj, "licence")
    if "homepage" in obj:
        string(obj, "homepage", 2048)
    choice(an_object(required(obj, "lineage")), "kind", origins)


def _read_files(obj):
    """Checks the files of a record and their places in its archives."""
    files = [_read_file(file) for file in objects(obj, "files", MAX_FILES)]
    check_collisions([file["path"] for file in files])
    archives = {}
    for name in sorted({file["archive"] for file in files}):
        inside = [file for file in files if file["archive"] == name]
        members, raw_size = layout([(file["path"], file["size"]) for file in inside])
        offsets = {member["path"]: member["contentOffset"] for member in members}
        if any(offsets[file["path"]] != file["offset"] for file in inside):
            raise field("offset")
        archives[name] = {"rawSize": raw_size, "members": [m["path"] for m in members]}
    return {file["path"] for file in files}, sum(file["size"] for file in files), archives


def _listed(paths, listed):
    for path in paths:
        if read_path(path) not in listed:
            raise field(f"{path} is not a file of the release")
    return paths


def read_record(data):
    obj = an_object(parse_canonical(data, "record"))
    version = read_format(obj, "ami-zoo.release/1", "ami-zoo.release/2")[-1]
    _read_features(obj)
    _read_about(obj, ("trained", "converted"))
    architecture = an_object(required(obj, "architecture"))
    string(architecture, "family", 64)
    string(architecture, "variant", 128)
    an_object(required(architecture, "configuration"))
    inputs = an_object(required(obj, "inputs"))
    listed, total, archives = _read_files(obj)
    components = objects(obj, "components", 256)
    names = unique([_read_component(component, listed) for component in components], "component")
    claims = objects(obj, "evaluation", 1000)
    for claim in claims:
        _read_claim(claim)
    derived = {
        "digest": sha256(data),
        "totalSize": total,
        "archives": archives,
        "components": names,
        "quantities": [],
        "actions": [],
        "states": [],
        "quantised": {},
    }
    if version == "1":
        _read_inputs_1(inputs)
    else:
        derived["quantities"] = _read_inputs(inputs)
        derived["actions"] = _read_quantities(obj, "actions") if "actions" in obj else []
        derived["states"] = _read_quantities(obj, "states") if "states" in obj else []
        for component in components:
            if "quantisation" in component:
                scheme = _read_quantisation(an_object(component["quantisation"]))
                derived["quantised"][component["name"]] = scheme
        for claim in claims:
            for name in ("suiteDigest", "datasetDigest"):
                if name in claim:
                    digest_field(claim, name)
    return {**derived, "modality": inputs["modality"]}


def _read_inputs_1(obj):
    choice(obj, "modality", ("image", "video"))
    channels = _read_picture(obj)
    string(obj, "resampling", 128)
    _read_normalisation(obj, channels)


def _read_inputs(obj):
    """Checks inputs of version 2 by modality. Returns the names of their quantities."""
    modality = choice(obj, "modality", ("image", "video", "series", "vector", "features"))
    if modality in ("image", "video"):
        channels = _read_picture(obj)
        if modality == "image" and obj["frames"] != 1:
            raise field("an image has one frame")
        _read_preprocessing(an_object(required(obj, "preprocessing")), channels)
        return []
    if modality == "series":
        integer(obj, "length", 1, 2**31)
        if "rate" in obj:
            positive(obj, "rate")
    if modality == "features":
        string(obj, "model")
        if "quantities" not in obj:
            return []
    return _read_quantities(obj, "quantities")


def _read_picture(obj):
    """Checks the shape of an image or a clip. Returns the number of channels."""
    for name in ("frames", "height", "width"):
        side(obj, name)
    string(obj, "layout", 8)
    return len(string(obj, "channels", 16).encode("utf-8"))


def _read_normalisation(obj, channels):
    mean, std = numbers(obj, "mean", 16), numbers(obj, "std", 16)
    if not len(mean) == len(std) == channels:
        raise field("one value for each channel")
    if any(value <= 0 for value in std):
        raise field("std")


def _read_preprocessing(obj, channels):
    choice(obj, "orientation", ("upright", "stored"))
    resize = an_object(required(obj, "resize"))
    rule = choice(resize, "rule", ("none", "shorter-side", "exact"))
    for name in {"none": (), "shorter-side": ("side",), "exact": ("height", "width")}[rule]:
        side(resize, name)
    resampling = required(obj, "resampling")
    if (resampling == "none") != (rule == "none"):
        raise field("resampling is none exactly when the rule of resize is")
    if resampling != "none":
        resampling = an_object(resampling)
        choice(resampling, "filter", ("bilinear", "bicubic"))
        choice(resampling, "domain", ("u8", "f32", "normalized"))
        choice(resampling, "implementation", ("torchvision", "pillow", "opencv"))
        if not isinstance(required(resampling, "antialias"), bool):
            raise field("antialias must be a Boolean")
    crop = an_object(required(obj, "crop"))
    rule = choice(crop, "rule", ("none", "center", "views"))
    for name in {"none": (), "center": ("height", "width"), "views": ("side", "count")}[rule]:
        side(crop, name)
    if rule == "center":
        choice(crop, "rounding", ("half-even", "down"))
    positive(obj, "rescale")
    _read_normalisation(obj, channels)


def _read_quantities(obj, name):
    quantities = objects(obj, name, 1024)
    for quantity in quantities:
        string(quantity, "unit", 32)
        if "mean" in quantity:
            a_number(quantity["mean"])
        if "std" in quantity:
            positive(quantity, "std")
    return unique([string(quantity, "name", 64) for quantity in quantities], "quantity")


def _read_quantisation(obj):
    if "source" in obj:
        digest_field(obj, "source")
    return string(obj, "scheme", 64)


def read_dataset(data):
    obj = an_object(parse_canonical(data, "dataset"))
    read_format(obj, "ami-zoo.dataset/1")
    _read_features(obj)
    _read_about(obj, ("generated", "collected", "converted"))
    listed, total, archives = _read_files(obj)
    modality = choice(obj, "modality", ("image", "video", "series", "vector"))
    splits = objects(obj, "splits", 64)
    if not splits:
        raise field("splits is empty")
    derived = [
        {
            "name": a_word(split, "name"),
            "count": integer(split, "count", 0, LARGEST_INTEGER),
            "files": _listed(strings(split, "files", MAX_FILES, 1024), listed),
        }
        for split in splits
    ]
    unique([split["name"] for split in derived], "split")
    labels = None
    if "labels" in obj:
        labels = {"kind": choice(an_object(obj["labels"]), "kind", ("folders", "csv"))}
        labels["classes"] = integer(obj["labels"], "classes", 1, 1_000_000)
        if labels["kind"] == "csv":
            labels["path"] = _listed([string(obj["labels"], "path", 1024)], listed)[0]
    return {
        "digest": sha256(data),
        "totalSize": total,
        "archives": archives,
        "modality": modality,
        "splits": derived,
        "labels": labels,
    }


def _read_file(obj):
    archive = a_word(obj, "archive")
    return {
        "path": read_path(string(obj, "path", 1024)),
        "size": size(obj, "size"),
        "digest": digest_field(obj, "digest"),
        "archive": archive,
        "offset": size(obj, "offset"),
    }


def _read_component(obj, paths):
    name = a_word(obj, "name")
    _listed(strings(obj, "files", MAX_FILES, 1024), paths)
    if required(obj, "prefix") != "":
        string(obj, "prefix")
    integer(obj, "tensors", 0, 10_000_000)
    integer(obj, "parameters", 0, LARGEST_INTEGER)
    strings(obj, "dtypes", 32, 16)
    digest_field(obj, "fingerprint")
    return name


def _read_claim(obj):
    for name, most in (("suite", 256), ("dataset", 256), ("metric", 256), ("unit", 32)):
        string(obj, name, most)
    choice(obj, "direction", ("lower", "higher"))
    a_number(required(obj, "value"))
    a_number(obj.get("tolerance", 0))
    choice(obj, "status", ("measured", "upstream"))
    string(obj, "source", 2048)


def read_blocks(data):
    obj = an_object(parse_canonical(data, "blocks"))
    read_format(obj, "ami-zoo.blocks/1")
    encoding = choice(obj, "encoding", ("none", "zstd"))
    archive = an_object(required(obj, "archive"))
    digest_field(archive, "digest")
    invalid = lambda why: Refused("release.block-table-invalid", why)
    places = [0, 0]
    blocks = objects(obj, "blocks", MAX_BLOCKS)
    for block in blocks:
        parts = [an_object(required(block, "archive")), an_object(required(block, "raw"))]
        if [size(part, "offset") for part in parts] != places:
            raise invalid("not contiguous")
        lengths = [
            integer(parts[0], "length", 1, MAX_ENCODED_BLOCK),
            integer(parts[1], "length", 1, MAX_BLOCK),
        ]
        digests = [digest_field(part, "digest") for part in parts]
        if encoding == "none" and (lengths[0] != lengths[1] or digests[0] != digests[1]):
            raise invalid("stored block differs")
        places = [place + length for place, length in zip(places, lengths)]
    totals = [size(archive, "size"), size(an_object(required(obj, "raw")), "size")]
    if totals != places or not blocks:
        raise invalid("totals")
    return {
        "archiveSize": places[0],
        "blocks": len(blocks),
        "encoding": encoding,
        "rawSize": places[1],
    }


def read_index(data, selectors=()):
    obj = an_object(parse_canonical(data, "index"))
    version_2 = read_format(obj, "ami-zoo.index/1", "ami-zoo.index/2") == "ami-zoo.index/2"
    in_field(read_name, string(obj, "name"))
    kind = choice(obj, "kind", ("model", "dataset")) if version_2 else "model"
    versions, attachments = {}, {}
    twice = False
    for entry in objects(obj, "versions", MAX_VERSIONS):
        version = in_field(read_version, string(entry, "version"))
        digest_field(entry, "digest")
        size(entry, "size")
        read_time(string(entry, "created"))
        string(entry, "licence")
        if "yanked" in entry:
            yank = an_object(entry["yanked"])
            string(yank, "reason", 1000)
            read_time(string(yank, "date"))
        if version_2 and "attachments" in entry:
            attachments[version] = [
                f"{string(item, 'type')} {digest_field(item, 'digest')} {size(item, 'size')}"
                for item in objects(entry, "attachments", 256)
            ]
        twice = twice or version in versions
        versions[version] = entry
    channels = an_object(required(obj, "channels"))
    for channel in channels:
        in_field(read_channel, channel)
        for version in strings(channels, channel, MAX_VERSIONS):
            in_field(read_version, version)
    if twice or any(v not in versions for members in channels.values() for v in members):
        raise Refused("registry.index-invalid")
    return {
        "kind": kind,
        "attachments": {version: items for version, items in attachments.items() if items},
        "versions": sorted(versions, key=version_key),
        "resolves": {s: _resolve(s, versions, channels) for s in selectors},
    }


def rewrite_index(data):
    """Returns an index document of version 1 as a writer of version 2 writes it."""
    obj = parse_canonical(data, "index")
    assert obj["format"] == "ami-zoo.index/1"
    versions = [
        {name: value for name, value in entry.items() if name != "attachments"}
        for entry in sorted(obj["versions"], key=lambda entry: version_key(entry["version"]))
    ]
    return rfc8785.dumps({**obj, "format": "ami-zoo.index/2", "kind": "model", "versions": versions})


def _resolve(selector, versions, channels):
    if selector in versions:
        return selector
    live = [v for v in channels.get(selector, []) if "yanked" not in versions[v]]
    return max(live, key=version_key, default=None)


def read_registry(data):
    obj = an_object(parse_canonical(data, "registry"))
    read_format(obj, "ami-zoo.registry/1")
    found = {"name": string(obj, "name"), "mirrors": strings(obj, "mirrors", 64, 2048)}
    if "trust" in obj:
        trust = an_object(obj["trust"])
        root = string(trust, "root")
        if not re.fullmatch(r"tuf/[1-9][0-9]*\.root\.json", root):
            raise field("root")
        found["trust"] = f"{root} {digest_field(trust, 'digest')}"
    if "log" in obj:
        log = an_object(obj["log"])
        found["log"] = f"{string(log, 'origin')} {string(log, 'key')}"
    return found


def read_image_index(data):
    obj = an_object(parse(data, "image-index"))
    releases = []
    datasets = set()
    for item in objects(obj, "manifests", 1_000_000):
        artifact = item.get("artifactType")
        if not isinstance(artifact, str) or artifact not in ARTIFACTS:
            continue
        descriptor = read_descriptor(item)
        text = descriptor["annotations"].get(REF_NAME)
        if text is None:
            continue
        reference = in_field(read_reference, text)
        if "version" not in reference or reference["host"] or reference["digest"]:
            raise field("annotation")
        release = (reference["name"], reference["version"], descriptor["digest"])
        releases.append(release)
        if artifact == DATASET:
            datasets.add(release)
    releases.sort(key=lambda release: (release[0].split("/"), version_key(release[1])))
    listed = [(release, f"{release[0]}:{release[1]}@{release[2]}") for release in releases]
    return {
        "releases": [text for _, text in listed],
        "datasets": [text for release, text in listed if release in datasets],
    }
