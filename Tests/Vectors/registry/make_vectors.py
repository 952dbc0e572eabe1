# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes the conformance vectors of registry/SPEC.md next to this file.

Usage: python make_vectors.py [--check]      (--check: write nothing, and fail if a file would change)

Output is deterministic: it uses neither random numbers nor the clock.
README.md describes the format and what each expectation is proven against.
"""

import base64
import contextlib
import hashlib
import io
import json
import math
import pathlib
import struct
import sys
import tarfile

import jsonschema
import rfc8785

import reference as ref

HERE = pathlib.Path(__file__).resolve().parent
SCHEMAS = HERE.parents[2] / "registry" / "schemas"
READERS = {
    "blocks": ref.read_blocks,
    "dataset": ref.read_dataset,
    "image-index": ref.read_image_index,
    "manifest": ref.read_manifest,
    "record": ref.read_record,
    "registry": ref.read_registry,
}

# Earlier versions of a format that have their own schema.
EARLIER_SCHEMAS = {"ami-zoo.index/1": "index-1", "ami-zoo.release/1": "record-1"}

suites = {}
prefix = ""


@contextlib.contextmanager
def labelled(text):
    """Adds a prefix to the labels of all vectors that are added in its scope."""
    global prefix
    prefix = text
    yield
    prefix = ""


def add(kind, label, description, **fields):
    vectors = suites.setdefault(kind, [])
    label = prefix + label
    assert label not in {vector["label"] for vector in vectors}, label
    vectors.append({"label": label, "description": description, **fields})


# --- Documents as text, as base64, or as repeated parts ----------------------------------------


def repeat(text, times):
    return {"repeat": text, "times": times}


def expand(parts):
    if isinstance(parts, str):
        return parts.encode("utf-8")
    return b"".join(
        part.encode("utf-8") if isinstance(part, str) else part["repeat"].encode() * part["times"]
        for part in parts
    )


def document(source):
    """The bytes of a document and their representation in a vector file."""
    if isinstance(source, bytes):
        try:
            return source, {"document": source.decode("utf-8")}
        except UnicodeDecodeError:
            return source, {"documentBase64": base64.b64encode(source).decode()}
    if isinstance(source, (str, list)) and (isinstance(source, str) or is_parts(source)):
        return expand(source), {"document": source}
    data = rfc8785.dumps(source)
    return data, {"document": data.decode("utf-8")}


def is_parts(source):
    return any(isinstance(part, dict) and set(part) == {"repeat", "times"} for part in source)


def schema_accepts(kind, data):
    value = json.loads(data)
    path = SCHEMAS / f"{EARLIER_SCHEMAS.get(value.get('format'), kind)}.schema.json"
    return jsonschema.Draft202012Validator(json.loads(path.read_text())).is_valid(value)


def read(kind, data, selectors):
    return ref.read_index(data, selectors) if kind == "index" else READERS[kind](data)


def accept(kind, label, description, source, selectors=(), rewrites=True):
    data, said = document(source)
    derived = read(kind, data, selectors)
    if kind != "image-index":
        assert schema_accepts(kind, data), f"{kind}/{label}: the schema refuses it"
    again = {"rewrites": rewrites}
    if rewrites and kind == "index" and json.loads(data)["format"] == "ami-zoo.index/1":
        rewritten = ref.rewrite_index(data)
        after = ref.read_index(rewritten, selectors)
        assert after == derived and schema_accepts(kind, rewritten), f"{kind}/{label}: rewritten"
        again = {"rewrites": False, "rewritten": rewritten.decode("utf-8")}
    add(
        kind,
        label,
        description,
        **said,
        expect="accept",
        digest=ref.sha256(data),
        derived=derived,
        **again,
    )


def refuse(kind, label, description, source, code):
    data, said = document(source)
    try:
        read(kind, data, ())
    except ref.Refused as refused:
        assert refused.code == code, f"{kind}/{label}: {refused}, not {code}"
    else:
        raise AssertionError(f"{kind}/{label}: the reference accepts it")
    add(kind, label, description, **said, expect={"code": code})


def changed(base, *path, to=None, drop=False):
    """Returns a deep copy of a document with one value replaced or removed."""
    copy = json.loads(json.dumps(base))
    place = copy
    for step in path[:-1]:
        place = place[step]
    if drop:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return copy


def canonical(value):
    return rfc8785.dumps(value).decode("utf-8")


def digest_of(text):
    return ref.sha256(text.encode())


FIELD = "format.field-invalid"


def refuse_shape(kind, base, wrong_types):
    """Adds vectors in which a top-level field is missing, or a given field has a wrong type or range."""
    for name in sorted(base):
        refuse(kind, f"missing {name}", f"The field '{name}' is missing.",
               changed(base, name, drop=True), FIELD)
    for label, path, value in wrong_types:
        refuse(kind, label, f"The field '{'.'.join(map(str, path))}' holds {json.dumps(value)[:60]}.",
               changed(base, *path, to=value), FIELD)


def refuse_text(kind, base, first_name):
    """Adds violations of canonical form, for one document kind."""
    text = canonical(base)
    assert text.startswith("{")
    value = canonical(base[first_name])
    member = f'"{first_name}":{value}'
    refuse(kind, "empty text", "No document at all.", "", "json.malformed")
    refuse(kind, "space after a comma", "White space is not canonical.",
           text.replace(",", ", ", 1), "json.not-canonical")
    refuse(kind, "newline at the end", "A final newline is not canonical.", text + "\n",
           "json.not-canonical")
    refuse(kind, "wrong order", "Names are ordered by UTF-16 code units.",
           "{" + '"~":0,' + text[1:], "json.not-canonical")
    refuse(kind, "needless escape", "A letter written as an escape.",
           text.replace('"' + first_name, '"\\u%04x' % ord(first_name[0]) + first_name[1:], 1),
           "json.not-canonical")
    refuse(kind, "escaped solidus", "A solidus is written as it is.",
           text[:-1] + ',"~":"\\/"}', "json.not-canonical")
    refuse(kind, "number with a needless fraction", "1.0 is written 1.", text[:-1] + ',"~":1.0}',
           "json.not-canonical")
    refuse(kind, "number with a needless exponent", "100 is not written 1e2.",
           text[:-1] + ',"~":1e2}', "json.not-canonical")
    refuse(kind, "minus zero", "Zero has no sign.", text[:-1] + ',"~":-0}', "json.not-canonical")
    refuse(kind, "integer 2^53", "The first integer that readers do not agree on.",
           text[:-1] + ',"~":9007199254740992}', "json.malformed")
    refuse(kind, "duplicate name at the top", "The same name twice, with the same value.",
           "{" + member + "," + text[1:], "json.duplicate-name")
    refuse(kind, "duplicate name nested", "The same name twice inside an unknown field.",
           text[:-1] + ',"~":[{"a":1,"a":2}]}', "json.duplicate-name")
    refuse(kind, "duplicate name under normalization",
           "Names that are canonically equivalent (NFC and NFD) count as the same.",
           text[:-1] + ',"~":{"e\u0301":1,"\u00e9":2}}', "json.duplicate-name")
    refuse(kind, "text after the end", "A second document follows.", text + "{}", "json.malformed")
    refuse(kind, "truncated", "The last byte is missing.", text[:-1], "json.malformed")
    refuse(kind, "byte order mark", "U+FEFF before the document.", "\ufeff" + text,
           "json.malformed")
    refuse(kind, "invalid UTF-8", "A byte 0xFF inside a string.",
           text[:-1].encode() + b',"~":"\xff"}', "json.malformed")
    refuse(kind, "surrogate in UTF-8", "U+D800 as three bytes (CESU-8).",
           text[:-1].encode() + b',"~":"\xed\xa0\x80"}', "json.malformed")
    refuse(kind, "overlong UTF-8", "A solidus as two bytes.",
           text[:-1].encode() + b',"~":"\xc0\xaf"}', "json.malformed")
    refuse(kind, "deep nesting", "An unknown field that nests 100,000 levels.",
           [text[:-1] + ',"~":', repeat("[", 100_000), repeat("]", 100_000), "}"],
           "json.too-large")
    refuse(kind, "deep nesting without an end", "100,000 opening brackets, none closed.",
           [text[:-1] + ',"~":', repeat('{"a":', 100_000)], "json.too-large")
    most_bytes, most_depth, most_values = ref.LIMITS[kind]
    depth = most_depth - 1
    accept(kind, "unknown field at the depth limit", f"An unknown field that makes {most_depth} levels.",
           text[:-1] + ',"~":' + "[" * depth + "]" * depth + "}", rewrites=False)
    refuse(kind, "unknown field beyond the depth limit",
           f"An unknown field that makes {most_depth + 1} levels.",
           text[:-1] + ',"~":' + "[" * (depth + 1) + "]" * (depth + 1) + "}", "json.too-large")
    fill = most_bytes - len(text.encode()) - len(',"~":""')
    if most_bytes <= 8 * ref.MIB:
        accept(kind, "as long as the limit", f"Exactly {most_bytes} bytes.",
               [text[:-1] + ',"~":"', repeat("x", fill), '"}'], rewrites=False)
    refuse(kind, "longer than the limit", f"{most_bytes + 1} bytes.",
           [text[:-1] + ',"~":"', repeat("x", fill + 1), '"}'], "json.too-large")
    if 2 * most_values < most_bytes:
        refuse(kind, "too many values", f"More than {most_values} values in an unknown field.",
               [text[:-1] + ',"~":[0', repeat(",0", most_values), "]}"], "json.too-large")
    refuse(kind, "an array instead of an object", "The document is an array.", "[]", FIELD)
    refuse(kind, "a string instead of an object", "The document is a string.", '"x"', FIELD)


def refuse_format(kind, base, *others):
    later = f"{base['format'][:-1]}{max(2, int(base['format'][-1]) + 1)}"
    for other in (later, base["format"].replace("ami-zoo", "other"), *others):
        refuse(kind, f"format {other}", "A format or version that this specification does not define.",
               changed(base, "format", to=other), "format.unknown")


# --- zoo.json ----------------------------------------------------------------------------------


def registry():
    minimal = {"format": "ami-zoo.registry/1", "mirrors": [], "name": "Example"}
    kind = "registry"
    accept(kind, "minimal", "No mirrors.", minimal)
    accept(kind, "full", "Two mirrors and a name outside ASCII.",
           {**minimal, "mirrors": ["https://mirror.example.org/zoo", "http://10.0.0.1:8080/"],
            "name": "Modèles du monde 世界 🌍"})
    accept(kind, "unknown fields", "Unknown fields are ignored and kept.",
           {**minimal, "trustRoot": {"url": "x"}, "z": None})
    trust = {"root": "tuf/1.root.json", "digest": digest_of("root")}
    log = {"origin": "zoo.example.org", "key": "zoo.example.org+7f3e1b2a+AbcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR"}
    trusted = {**minimal, "trust": trust, "log": log}
    accept(kind, "trust", "Root metadata of TUF.", {**minimal, "trust": {**trust, "root": "tuf/12.root.json"}})
    accept(kind, "trust and log", "Both.", trusted)
    for label, path, value in [
        ("trust a text", ["trust"], "tuf/1.root.json"),
        ("trust null", ["trust"], None),
        ("trust without a root", ["trust"], {"digest": trust["digest"]}),
        ("root outside tuf", ["trust", "root"], "../1.root.json"),
        ("root with a path in it", ["trust", "root"], "tuf/../1.root.json"),
        ("root of version 0", ["trust", "root"], "tuf/0.root.json"),
        ("root with a leading zero", ["trust", "root"], "tuf/01.root.json"),
        ("root with a sign", ["trust", "root"], "tuf/+1.root.json"),
        ("root without a version", ["trust", "root"], "tuf/.root.json"),
        ("digest of trust without algorithm", ["trust", "digest"], trust["digest"][7:]),
        ("log a text", ["log"], "zoo.example.org"),
        ("log without a key", ["log"], {"origin": "zoo.example.org"}),
        ("origin empty", ["log", "origin"], ""),
        ("origin with a line break", ["log", "origin"], "a\nb"),
        ("key a number", ["log", "key"], 7),
    ]:
        refuse(kind, label, f"The field '{'.'.join(path)}' holds {json.dumps(value)[:60]}.",
               changed(trusted, *path, to=value), FIELD)
    accept(kind, "64 mirrors", "As many mirrors as the limit.",
           {**minimal, "mirrors": [f"https://m{i}.example.org/" for i in range(64)]})
    accept(kind, "name of 256 bytes", "The longest name.", {**minimal, "name": "é" * 128})
    refuse_text(kind, minimal, "format")
    refuse_format(kind, minimal)
    refuse_shape(kind, minimal, [
        ("name empty", ["name"], ""),
        ("name of 257 bytes", ["name"], "é" * 128 + "x"),
        ("name with a control character", ["name"], "a\tb"),
        ("name with DEL", ["name"], "a\x7fb"),
        ("name with C1 control", ["name"], "a\x85b"),
        ("name a number", ["name"], 5),
        ("name null", ["name"], None),
        ("format a number", ["format"], 1),
        ("mirrors an object", ["mirrors"], {}),
        ("mirrors of numbers", ["mirrors"], [1]),
        ("mirror empty", ["mirrors"], [""]),
        ("mirror too long", ["mirrors"], ["https://" + "x" * 2041]),
        ("65 mirrors", ["mirrors"], ["https://m.example.org/"] * 65),
    ])


# --- Index documents ---------------------------------------------------------------------------


def index_entry(version, **fields):
    return {"created": "2026-01-31T12:00:00Z", "digest": digest_of(version), "licence": "MIT",
            "size": 1000, "version": version, **fields}


def index_document(version, **fields):
    base = {"channels": {}, "format": f"ami-zoo.index/{version}", "name": "ami/ball-drop", "versions": []}
    return {**base, **({"kind": "model"} if version > 1 else {}), **fields}


def index():
    index_shared(2)
    index_2()
    with labelled("version 1: "):
        index_shared(1)
        index_1()


def index_shared(document_version):
    """What both versions of the format have in common."""
    kind = "index"
    empty = index_document(document_version)
    yank = {"date": "2026-03-01T00:00:00Z", "reason": "wrong normalisation"}
    full = {
        **empty,
        "channels": {"candidate": ["1.1.0", "2.0.0-rc.1"], "old": ["1.0.0"],
                     "stable": ["1.0.0", "1.1.0", "1.2.0"]},
        "versions": [index_entry("1.0.0"), index_entry("1.1.0"), index_entry("1.2.0", yanked=yank),
                     index_entry("2.0.0-rc.1"), index_entry("2.0.0-rc.2")],
    }
    selectors = ["stable", "candidate", "old", "nobody", "1.0.0", "1.2.0", "2.0.0-rc.2", "9.9.9"]
    accept(kind, "empty", "No version yet.", empty, ["stable", "1.0.0"])
    accept(kind, "full", "Resolution: the newest version of a channel that is not yanked; an exact "
           "version even when it is yanked.", full, selectors)
    accept(kind, "all yanked", "A channel whose versions are all yanked resolves to nothing.",
           {**empty, "channels": {"stable": ["1.0.0"]}, "versions": [index_entry("1.0.0", yanked=yank)]},
           ["stable", "1.0.0"])
    order = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
             "1.0.0-beta.11", "1.0.0-rc.1"]
    accept(kind, "pre-releases in one channel", "The newest by SemVer, not by text or position.",
           {**empty, "channels": {"candidate": order}, "versions": [index_entry(v) for v in order]},
           ["candidate"])
    accept(kind, "10 is newer than 9", "Numbers compare as numbers.",
           {**empty, "channels": {"stable": ["0.9.0", "0.10.0"]},
            "versions": [index_entry("0.9.0"), index_entry("0.10.0")]}, ["stable"])
    accept(kind, "versions in another order", "Readers accept any order; writers sort.",
           {**empty, "channels": {"stable": ["2.0.0", "1.0.0"]},
            "versions": [index_entry("2.0.0"), index_entry("1.0.0")]}, ["stable"], rewrites=False)
    accept(kind, "unknown fields", "Unknown fields are ignored at every level.",
           {**empty, "note": 1, "versions": [index_entry("1.0.0", evidence=["x"])]}, ["1.0.0"],
           rewrites=False)
    accept(kind, "file of 2^45 bytes", "The largest size.",
           {**empty, "versions": [index_entry("1.0.0", size=1 << 45)]}, ["1.0.0"])
    refuse_text(kind, full, "channels")
    if document_version == 2:
        refuse_format(kind, full, "ami-zoo.index/0", "ami-zoo.index/02", "ami-zoo.release/2")
    twice = {**empty, "versions": [index_entry("1.0.0"), index_entry("1.0.0", size=5)]}
    refuse(kind, "version twice", "Two entries for one version.", twice, "registry.index-invalid")
    refuse(kind, "channel names unknown version", "The channel holds a version that is not listed.",
           changed(full, "channels", "stable", to=["1.0.0", "3.0.0"]), "registry.index-invalid")
    refuse(kind, "10,001 versions", "More versions than the limit.",
           [canonical(empty)[:-2] + "{}", repeat(",{}", 10_000), "]}"], FIELD)
    refuse_shape(kind, full, [
        ("name without namespace", ["name"], "ball-drop"),
        ("name in upper case", ["name"], "ami/Ball"),
        ("name climbing out", ["name"], "../ami"),
        ("name of three parts", ["name"], "a/b/c"),
        ("versions an object", ["versions"], {}),
        ("entry a string", ["versions", 0], "1.0.0"),
        ("version malformed", ["versions", 0, "version"], "1.0"),
        ("version with build metadata", ["versions", 0, "version"], "1.0.0+1"),
        ("digest of another algorithm", ["versions", 0, "digest"], "sha512:" + "0" * 128),
        ("digest in upper case", ["versions", 0, "digest"], "sha256:" + "A" * 64),
        ("size negative", ["versions", 0, "size"], -1),
        ("size beyond 2^45", ["versions", 0, "size"], (1 << 45) + 1),
        ("size a fraction", ["versions", 0, "size"], 1.5),
        ("size text", ["versions", 0, "size"], "1000"),
        ("size a Boolean", ["versions", 0, "size"], True),
        ("created without zone", ["versions", 0, "created"], "2026-01-31T12:00:00"),
        ("created with offset", ["versions", 0, "created"], "2026-01-31T12:00:00+00:00"),
        ("created on 30 February", ["versions", 0, "created"], "2026-02-30T12:00:00Z"),
        ("created on 29 February of 2100", ["versions", 0, "created"], "2100-02-29T12:00:00Z"),
        ("created in a leap second", ["versions", 0, "created"], "2026-06-30T23:59:60Z"),
        ("licence empty", ["versions", 0, "licence"], ""),
        ("yanked true", ["versions", 2, "yanked"], True),
        ("yanked null", ["versions", 2, "yanked"], None),
        ("yanked without reason", ["versions", 2, "yanked"], {"date": yank["date"]}),
        ("yanked without date", ["versions", 2, "yanked"], {"reason": "x"}),
        ("yank reason too long", ["versions", 2, "yanked", "reason"], "x" * 1001),
        ("channels an array", ["channels"], []),
        ("channel in upper case", ["channels", "Stable"], ["1.0.0"]),
        ("channel like a version", ["channels", "1.0.0"], ["1.0.0"]),
        ("channel a string", ["channels", "stable"], "1.0.0"),
        ("channel of numbers", ["channels", "stable"], [1]),
        ("channel of malformed versions", ["channels", "stable"], ["latest"]),
    ])
    accept(kind, "leap day", "29 February of a leap year.",
           changed(full, "versions", 0, "created", to="2000-02-29T23:59:59Z"), ["1.0.0"])


ATTACHMENT = {"digest": digest_of("attachment"), "size": 512, "type": "application/vnd.in-toto+json"}


def index_2():
    """Adds vectors for the fields that version 2 added."""
    kind = "index"
    attached = index_document(2, channels={"stable": ["1.0.0"]}, versions=[
        index_entry("1.0.0", attachments=[
            ATTACHMENT,
            {"digest": digest_of("signature"), "size": 0, "type": "application/vnd.dev.sigstore.bundle.v0.3+json"}]),
        index_entry("1.1.0")])
    accept(kind, "data set", "The index document of a data set.", changed(attached, "kind", to="dataset"),
           ["stable"])
    accept(kind, "attachments", "Manifests that have the release as their subject, in order.", attached, ["stable"])
    accept(kind, "no attachments in an array", "The array may be empty.",
           changed(attached, "versions", 0, "attachments", to=[]), ["stable"], rewrites=False)
    accept(kind, "256 attachments", "As many as the limit.", changed(
        attached, "versions", 0, "attachments",
        to=[{**ATTACHMENT, "digest": digest_of(f"attachment {i}")} for i in range(256)]), ["stable"])
    accept(kind, "attachment of 2^45 bytes", "The largest size.",
           changed(attached, "versions", 0, "attachments", 0, "size", to=1 << 45), ["stable"])
    accept(kind, "attachment with unknown fields", "Unknown fields are ignored at every level.",
           changed(attached, "versions", 0, "attachments", 0, "note", to=None), ["stable"], rewrites=False)
    accept(kind, "attachments of a yanked version", "A withdrawn version keeps them.",
           changed(attached, "versions", 0, "yanked", to={"date": "2026-03-01T00:00:00Z", "reason": "x"}),
           ["stable", "1.0.0"])
    for label, path, value in [
        ("kind unknown", ["kind"], "model-set"),
        ("kind in upper case", ["kind"], "Model"),
        ("kind empty", ["kind"], ""),
        ("kind null", ["kind"], None),
        ("kind a number", ["kind"], 1),
        ("attachments null", ["versions", 0, "attachments"], None),
        ("attachments an object", ["versions", 0, "attachments"], {}),
        ("attachments of texts", ["versions", 0, "attachments"], [ATTACHMENT["digest"]]),
        ("257 attachments", ["versions", 0, "attachments"], [ATTACHMENT] * 257),
        ("attachment type empty", ["versions", 0, "attachments", 0, "type"], ""),
        ("attachment type too long", ["versions", 0, "attachments", 0, "type"], "x" * 257),
        ("attachment type with a control character", ["versions", 0, "attachments", 0, "type"], "a\nb"),
        ("attachment type a number", ["versions", 0, "attachments", 0, "type"], 1),
        ("attachment digest malformed", ["versions", 0, "attachments", 0, "digest"], "sha256:00"),
        ("attachment size negative", ["versions", 0, "attachments", 0, "size"], -1),
        ("attachment size a fraction", ["versions", 0, "attachments", 0, "size"], 0.5),
        ("attachment size text", ["versions", 0, "attachments", 0, "size"], "512"),
        ("attachment size beyond 2^45", ["versions", 0, "attachments", 0, "size"], (1 << 45) + 1),
    ]:
        refuse(kind, label, f"{label}.", changed(attached, *path, to=value), FIELD)
    for name in sorted(ATTACHMENT):
        refuse(kind, f"attachment without {name}", f"The field '{name}' is missing.",
               changed(attached, "versions", 0, "attachments", 0, name, drop=True), FIELD)
    twice = changed(attached, "versions", 1, "version", to="1.0.0")
    refuse(kind, "version twice, of a data set", "Two entries for one version.",
           changed(twice, "kind", to="dataset"), "registry.index-invalid")


def index_1():
    """Fields of version 2 are unknown in version 1; a writer of version 2 omits them."""
    accept("index", "fields of version 2", "A model without attachments, whatever 'kind' and 'attachments' hold.",
           index_document(1, kind="dataset", channels={"stable": ["1.0.0"]},
                          versions=[index_entry("1.0.0", attachments=[ATTACHMENT])]), ["stable"])
    accept("index", "fields of version 2 of wrong types", "Fields that a reader does not know have no type.",
           index_document(1, kind=5, channels={"stable": ["1.0.0"]},
                          versions=[index_entry("1.0.0", attachments="x")]), ["stable"])


# --- Manifest ----------------------------------------------------------------------------------


def descriptor(media_type, content, size, archive=None):
    result = {"digest": digest_of(content), "mediaType": media_type, "size": size}
    if archive is not None:
        result["annotations"] = {ref.ARCHIVE_NAME: archive}
    return result


def layer_of_type(media_type, **annotations):
    return {**descriptor(media_type, media_type, 321), "annotations": annotations}


def manifest_document(*archives):
    layers = []
    for name, encoding in archives:
        layers.append(descriptor(ref.ARCHIVES[encoding], name, 5000, name))
        layers.append(descriptor(ref.BLOCKS, name + " table", 700, name))
    return {"artifactType": ref.RELEASE, "config": descriptor(ref.RECORD, "record", 900),
            "layers": layers, "mediaType": ref.MANIFEST, "schemaVersion": 2}


def manifest():
    kind = "manifest"
    invalid = "release.manifest-invalid"
    minimal = manifest_document(("main", "zstd"))
    full = manifest_document(("encoder", "zstd"), ("predictor", "none"))
    accept(kind, "minimal", "One compressed archive.", minimal)
    accept(kind, "no archives", "A release without files.", manifest_document())
    accept(kind, "full", "One compressed and one stored archive.", full)
    accept(kind, "64 archives", "As many as the limit.",
           manifest_document(*[(f"a{i}", "none") for i in range(64)]))
    swapped = changed(full, "layers", to=full["layers"][::-1])
    accept(kind, "tables before archives", "The order of layers is free; archives keep theirs.",
           swapped, rewrites=False)
    titled = changed(minimal, "layers", 0, "annotations", "org.opencontainers.image.title",
                     to="main.tar.zst")
    accept(kind, "titled layer", "Other annotations are kept.", titled)
    accept(kind, "unknown fields", "Unknown fields and top-level annotations are ignored.",
           {**minimal, "annotations": {"a": "b"}, "subject": None, "x": {}}, rewrites=False)
    other = "application/vnd.example.card.v1+html"
    dataset = {**minimal, "artifactType": ref.DATASET, "config": descriptor(ref.DATASET_RECORD, "record", 900)}
    accept(kind, "data set", "Artifact type and config of a data set.", dataset)
    with_layers = lambda *layers: {**minimal, "layers": [layers[0], *minimal["layers"], *layers[1:]]}
    accept(kind, "optional layers", "Layers of unknown types are skipped, wherever they stand.",
           with_layers(layer_of_type(other), descriptor(other + "2", "bare", 0)), rewrites=False)
    accept(kind, "optional layer that names an archive", "Its annotations mean nothing to a reader that skips it.",
           with_layers(layer_of_type(other, **{ref.ARCHIVE_NAME: "main"}),
                       layer_of_type(other + "2", **{ref.ARCHIVE_NAME: "Not a word"})), rewrites=False)
    for value in ("false", "True", "TRUE", "1", "yes", "true "):
        accept(kind, f"optional layer with required '{value}'", "Only the text 'true' makes a layer required.",
               with_layers(layer_of_type(other, **{ref.REQUIRED: value})), rewrites=False)
    accept(kind, "required layers of known types", "A reader has what these require.",
           changed(changed(minimal, "layers", 0, "annotations", ref.REQUIRED, to="true"),
                   "layers", 1, "annotations", ref.REQUIRED, to="true"))
    accept(kind, "64 archives and 64 optional layers", "As many layers as the limit.",
           {**minimal, "layers": manifest_document(*[(f"a{i}", "none") for i in range(64)])["layers"]
            + [layer_of_type(f"{other}{i}") for i in range(64)]}, rewrites=False)
    accept(kind, "optional layers only", "A release without files that carries something else.",
           {**minimal, "layers": [layer_of_type(f"{other}{i}") for i in range(192)]}, rewrites=False)
    refuse(kind, "193 layers", "More layers than the limit.",
           {**minimal, "layers": [layer_of_type(f"{other}{i}") for i in range(193)]}, FIELD)
    refuse(kind, "65 archives", "More archives than the limit, in fewer layers than the limit.",
           manifest_document(*[(f"a{i}", "none") for i in range(65)]), invalid)
    required = layer_of_type(other, **{ref.REQUIRED: "true"})
    refuse(kind, "required layer of unknown type", "The layer is needed, and a reader cannot know what for.",
           with_layers(required), "format.feature-required")
    refuse(kind, "required layer after optional layers", "Every layer is looked at.",
           with_layers(layer_of_type(other), layer_of_type(other), required), "format.feature-required")
    refuse(kind, "required layer of a later block table", "A known type of another version is an unknown type.",
           with_layers({**required, "mediaType": ref.BLOCKS.replace("v1", "v2")}), "format.feature-required")
    refuse(kind, "required layer of a data set", "Data sets have the same rule.",
           {**dataset, "layers": [required]}, "format.feature-required")
    for label, layer in [
        ("optional layer without digest", {"mediaType": other, "size": 1}),
        ("optional layer without size", {"mediaType": other, "digest": digest_of("x")}),
        ("optional layer with a digest of another algorithm",
         {"mediaType": other, "digest": "sha512:" + "0" * 128, "size": 1}),
        ("optional layer with required true as Boolean", layer_of_type(other, **{ref.REQUIRED: True})),
        ("optional layer a string", other),
        ("layer without mediaType", {"digest": digest_of("x"), "size": 1}),
    ]:
        refuse(kind, label, "A layer that is skipped is a descriptor nevertheless.", with_layers(layer), FIELD)
    for label, name in [("climbing out", "../main"), ("in upper case", "Main"), ("of 65", "m" * 65)]:
        refuse(kind, f"archive and table of one name {label}", "Names of archives are words.",
               manifest_document((name, "none")), invalid)
    nameless = [{k: v for k, v in layer.items() if k != "annotations"} for layer in minimal["layers"]]
    refuse(kind, "archive and table without annotations", "Both need the name.", {**minimal, "layers": nameless}, invalid)
    for label, base, path, value in [
        ("data set with the config of a model", dataset, ["config", "mediaType"], ref.RECORD),
        ("model with the config of a data set", minimal, ["config", "mediaType"], ref.DATASET_RECORD),
        ("data set of a later version", dataset, ["artifactType"], ref.DATASET[:-1] + "2"),
        ("data set with a record beyond its limit", dataset, ["config", "size"], (4 << 20) + 1),
    ]:
        refuse(kind, label, f"{label}.", changed(base, *path, to=value), invalid)
    refuse(kind, "archive of an unknown type", "The archive is skipped, and its block table has no partner.",
           changed(minimal, "layers", 0, "mediaType", to="application/vnd.oci.image.layer.v1.tar"), invalid)
    refuse_text(kind, minimal, "artifactType")
    for name in ("artifactType", "config", "layers", "mediaType", "schemaVersion"):
        refuse(kind, f"missing {name}", f"The field '{name}' is missing.",
               changed(minimal, name, drop=True), FIELD)
    for label, path, value, code in [
        ("artifactType of another artifact", ["artifactType"], "application/vnd.cncf.model.manifest.v1+json", invalid),
        ("artifactType of a later version", ["artifactType"], ref.RELEASE[:-1] + "2", invalid),
        ("mediaType of an index", ["mediaType"], "application/vnd.oci.image.index.v1+json", invalid),
        ("schemaVersion 1", ["schemaVersion"], 1, invalid),
        ("schemaVersion text", ["schemaVersion"], "2", FIELD),
        ("config of another type", ["config", "mediaType"], "application/vnd.oci.empty.v1+json", invalid),
        ("config larger than a record may be", ["config", "size"], (4 << 20) + 1, invalid),
        ("config a string", ["config"], "x", FIELD),
        ("layer without annotations", ["layers", 0], {k: v for k, v in minimal["layers"][0].items() if k != "annotations"}, invalid),
        ("layer without archive name", ["layers", 0, "annotations"], {"a": "b"}, invalid),
        ("archive name climbing out", ["layers", 0, "annotations", ref.ARCHIVE_NAME], "../main", invalid),
        ("archive name with upper case", ["layers", 0, "annotations", ref.ARCHIVE_NAME], "Main", invalid),
        ("annotation a number", ["layers", 0, "annotations", "a"], 1, FIELD),
        ("annotation too long", ["layers", 0, "annotations", "a"], "x" * 4097, FIELD),
        ("table of another archive", ["layers", 1, "annotations", ref.ARCHIVE_NAME], "other", invalid),
        ("table too large", ["layers", 1, "size"], (64 << 20) + 1, invalid),
        ("archive without table", ["layers"], minimal["layers"][:1], invalid),
        ("table without archive", ["layers"], minimal["layers"][1:], invalid),
        ("two tables", ["layers"], minimal["layers"] + minimal["layers"][1:], invalid),
        ("two archives of one name", ["layers"], minimal["layers"][:1] + minimal["layers"], invalid),
        ("layer size negative", ["layers", 0, "size"], -1, FIELD),
        ("layer size a fraction", ["layers", 0, "size"], 0.5, FIELD),
        ("layer size beyond 2^45", ["layers", 0, "size"], (1 << 45) + 1, FIELD),
        ("layer digest malformed", ["layers", 0, "digest"], "sha256:00", FIELD),
        ("layer mediaType empty", ["layers", 0, "mediaType"], "", FIELD),
        ("layers an object", ["layers"], {}, FIELD),
    ]:
        refuse(kind, label, f"{'.'.join(map(str, path))}: {label}.", changed(minimal, *path, to=value), code)


# --- Release record ----------------------------------------------------------------------------


def files(*entries, archive="main"):
    """Returns file entries with the offsets of their archive layout."""
    members, _ = ref.layout([(path, size) for path, size in entries])
    offsets = {member["path"]: member["contentOffset"] for member in members}
    return [{"archive": archive, "digest": digest_of(path), "offset": offsets[path], "path": path,
             "size": size} for path, size in entries]


PICTURE = {"channels": "rgb", "frames": 1, "height": 64, "layout": "BTCHW", "modality": "image", "width": 64}
NORMALISATION = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
PREPROCESSING = {"crop": {"rule": "none"}, "orientation": "upright", "rescale": 1 / 255, "resampling": "none",
                 "resize": {"rule": "none"}, **NORMALISATION}
RESAMPLING = {"antialias": True, "domain": "u8", "filter": "bilinear", "implementation": "torchvision"}
RESIZED = {**PREPROCESSING, "resampling": RESAMPLING, "resize": {"rule": "shorter-side", "side": 292},
           "crop": {"height": 256, "rounding": "half-even", "rule": "center", "width": 256}}
INPUTS = {1: {**PICTURE, **NORMALISATION, "resampling": "none"}, 2: {**PICTURE, "preprocessing": PREPROCESSING}}


def record_document(version=2):
    return {
        "architecture": {"configuration": {"depth": 12}, "family": "vjepa2", "variant": "vit-l-16"},
        "authors": ["A. Author"],
        "compatibility": {"reader": "0.1.0"},
        "components": [],
        "created": "2026-01-31T12:00:00Z",
        "evaluation": [],
        "files": [],
        "format": f"ami-zoo.release/{version}",
        "inputs": INPUTS[version],
        "licence": "Apache-2.0",
        "lineage": {"kind": "trained"},
        "name": "ami/ball-drop",
        "requires": [],
        "summary": "A ball falls.",
        "version": "1.0.0",
    }


CLAIM = {"dataset": "ball-drop/test", "direction": "lower", "metric": "position error",
         "source": "train.py", "status": "measured", "suite": "ball-drop/1", "tolerance": 0.01,
         "unit": "px", "value": 0.125}


def full_record(version=2):
    main = files(("README.md", 1234), ("config.json", 0), ("model.safetensors", 5_000_000),
                 ("assets/" + "n" * 120 + ".txt", 513))
    extra = files(("predictor/model.safetensors", 1 << 34), ("Übersicht.txt", 1), archive="predictor")
    component = {"dtypes": ["F32", "BF16"], "files": ["model.safetensors"],
                 "fingerprint": digest_of("fp"), "name": "encoder", "parameters": 1_250_000,
                 "prefix": "encoder.", "tensors": 153}
    return {
        **record_document(version),
        "homepage": "https://example.org/",
        "components": [component, {**component, "name": "predictor", "prefix": "",
                                   "files": ["predictor/model.safetensors"]}],
        "files": main + extra,
        "lineage": {"kind": "converted", "upstream": {"sha256": "0" * 64, "size": 5, "url": "u"}},
        "evaluation": [CLAIM, {**CLAIM, "direction": "higher", "status": "upstream", "value": -3},
                       {k: v for k, v in CLAIM.items() if k != "tolerance"}],
    }


def record_with(base, *paths):
    return {**base, "files": files(*[(path, 1) for path in paths])}


def record():
    record_shared(2)
    record_2()
    with labelled("version 1: "):
        record_shared(1)
        record_1()


def record_shared(document_version):
    """What both versions of the format have in common."""
    kind = "record"
    minimal, full = record_document(document_version), full_record(document_version)
    normalised = ["inputs"] if document_version == 1 else ["inputs", "preprocessing"]
    accept(kind, "minimal", "A release without files.", minimal)
    accept(kind, "full", "Two archives, long and non-ASCII paths, a file over 8 GiB, claims.", full)
    accept(kind, "unknown fields", "Unknown fields are kept and ignored at every level.",
           {**changed(full, "files", 0, "mode", to=420), "future": {"a": [1.5, None, True]}})
    accept(kind, "numbers", "Every notation that canonical numbers have.",
           changed(minimal, "architecture", "configuration",
                   to={"a": [0, -1, 0.1, 1e-7, 1e21, 1.5e300, 5e-324, 333333333.3333333, 2**53 - 1]}))
    accept(kind, "escapes", "Every escape that canonical strings have.",
           changed(minimal, "architecture", "configuration",
                   to={"\b\f\n\r\t\"\\/\x00\x1f\x7f\u2028\U0001f30d": "\ue000\U0001f600"}))
    accept(kind, "UTF-16 order", "U+FB33 sorts after U+1F600, whose first code unit is 0xD83D.",
           changed(minimal, "architecture", "configuration",
                   to={"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\xf6": 7}))
    refuse_text(kind, minimal, "architecture")
    if document_version == 2:
        refuse_format(kind, minimal, "ami-zoo.release/0", "ami-zoo.release/02", "ami-zoo.release/10",
                      "ami-zoo.dataset/1")
    refuse(kind, "unknown required feature", "A feature that this specification does not define.",
           {**minimal, "requires": ["tensor-sharding"]}, "format.feature-required")
    refuse(kind, "unknown required feature beside unknown shapes",
           "The feature is reported first: other fields may have changed with it.",
           {**minimal, "requires": ["tensor-sharding"], "inputs": 5}, "format.feature-required")
    refuse(kind, "64 required features", "As many as the limit, each unknown.",
           {**minimal, "requires": ["x"] * 64}, "format.feature-required")
    component = full["components"][0]
    accept(kind, "256 components", "As many as the limit.", {
        **minimal, "components": [{**component, "files": [], "name": f"c{i}"} for i in range(256)]})
    accept(kind, "longest family and variant", "64 and 128 bytes.",
           {**minimal, "architecture": {"configuration": {}, "family": "é" * 32, "variant": "é" * 64}})
    refuse_shape(kind, minimal, [
        ("requires text", ["requires"], "x"),
        ("requires numbers", ["requires"], [1]),
        ("compatibility without reader", ["compatibility"], {}),
        ("reader malformed", ["compatibility", "reader"], "1"),
        ("name malformed", ["name"], "ami"),
        ("version malformed", ["version"], "v1.0.0"),
        ("version with a leading zero", ["version"], "1.01.0"),
        ("created without zone", ["created"], "2026-01-31 12:00:00"),
        ("summary too long", ["summary"], "x" * 501),
        ("summary of two lines", ["summary"], "a\nb"),
        ("authors text", ["authors"], "me"),
        ("201 authors", ["authors"], ["x"] * 201),
        ("licence null", ["licence"], None),
        ("homepage null", ["homepage"], None),
        ("homepage too long", ["homepage"], "https://" + "x" * 2041),
        ("architecture text", ["architecture"], "vit"),
        ("65 required features", ["requires"], ["x"] * 65),
        ("family too long", ["architecture", "family"], "x" * 65),
        ("variant too long", ["architecture", "variant"], "x" * 129),
        ("variant missing", ["architecture"], {"configuration": {}, "family": "x"}),
        ("configuration an array", ["architecture", "configuration"], []),
        ("modality unknown", ["inputs", "modality"], "audio"),
        ("frames zero", ["inputs", "frames"], 0),
        ("frames a fraction", ["inputs", "frames"], 1.5),
        ("height beyond 65536", ["inputs", "height"], 65537),
        ("mean of two for three channels", [*normalised, "mean"], [0.5, 0.5]),
        ("std of four for three channels", [*normalised, "std"], [1, 1, 1, 1]),
        ("std zero", [*normalised, "std"], [1, 0, 1]),
        ("std negative", [*normalised, "std"], [1, -1, 1]),
        ("mean text", [*normalised, "mean"], ["a", "b", "c"]),
        ("lineage kind unknown", ["lineage", "kind"], "found"),
        ("claim direction unknown", ["evaluation"], [{**CLAIM, "direction": "up"}]),
        ("claim status unknown", ["evaluation"], [{**CLAIM, "status": "hoped"}]),
        ("claim value text", ["evaluation"], [{**CLAIM, "value": "0.5"}]),
        ("claim value a Boolean", ["evaluation"], [{**CLAIM, "value": True}]),
        ("claim tolerance null", ["evaluation"], [{**CLAIM, "tolerance": None}]),
        ("claim without source", ["evaluation"], [{k: v for k, v in CLAIM.items() if k != "source"}]),
        ("component name not a word", ["components"], [{**component, "files": [], "name": "the encoder"}]),
        ("component of unknown file", ["components"], [component]),
        ("component twice", ["components"], [{**component, "files": []}] * 2),
        ("component tensors negative", ["components"], [{**component, "files": [], "tensors": -1}]),
        ("component fingerprint short", ["components"], [{**component, "files": [], "fingerprint": "sha256:0"}]),
        ("257 components", ["components"], [{**component, "files": [], "name": f"c{i}"} for i in range(257)]),
    ])
    refuse(kind, "10,001 files", "More files than the limit.",
           [canonical(minimal).split('"files":[')[0] + '"files":[{}', repeat(",{}", 10_000),
            "]" + canonical(minimal).split('"files":[]')[1]], FIELD)
    refuse_files(kind, minimal)
    accept(kind, "paths that look alike", "Names that no supported file system confuses.",
           record_with(minimal, "a", "b/a", "b/a.b", "ab/c", "a.b/c", "a-b", "а"))


def refuse_files(kind, base):
    """Adds invalid lists of files in release and data-set records."""
    one = record_with(base, "a.txt")
    for label, path, value in [
        ("file offset wrong", ["files", 0, "offset"], 0),
        ("file offset one sector late", ["files", 0, "offset"], 1024),
        ("file size negative", ["files", 0, "size"], -1),
        ("file size beyond 2^45", ["files", 0, "size"], (1 << 45) + 1),
        ("file size a fraction", ["files", 0, "size"], 1.5),
        ("file digest without algorithm", ["files", 0, "digest"], "0" * 64),
        ("file archive not a word", ["files", 0, "archive"], "a/b"),
        ("file archive empty", ["files", 0, "archive"], ""),
        ("file path empty", ["files", 0, "path"], ""),
        ("file path with NUL", ["files", 0, "path"], "a\x00b"),
        ("file path of 1025 bytes", ["files", 0, "path"], "/".join(["x" * 200] * 5) + "x" * 21),
    ]:
        refuse(kind, label, f"{label}.", changed(one, *path, to=value), FIELD)
    for label, path in UNSAFE_PATHS:
        if path and len(path.encode()) <= 1024 and "\x00" not in path and "\x1f" not in path \
                and "\x85" not in path and "\x7f" not in path and "\n" not in path:
            refuse(kind, f"path {label}", f"A file named {path[:60]!r}.",
                   changed(one, "files", 0, "path", to=path), "release.path-unsafe")
    for label, paths in COLLIDING_PATHS:
        refuse(kind, f"paths {label}", f"Files named {paths!r}.", record_with(base, *paths)
               if len(set(paths)) == len(paths) else
               {**one, "files": one["files"] * 2}, "release.path-duplicate")


QUANTITIES = [{"mean": 0.25, "name": "gripper x", "std": 0.5, "unit": "m"}, {"name": "yaw", "unit": "rad"},
              {"mean": -3, "name": "speed", "unit": "m/s"}, {"name": "gripper", "std": 1e-7, "unit": "1"}]
SERIES = {"length": 512, "modality": "series", "quantities": QUANTITIES, "rate": 100}


def inputs(**fields):
    return {**record_document(), "inputs": fields}


def prepared(preprocessing, **fields):
    return inputs(**{**PICTURE, "preprocessing": preprocessing, **fields})


def record_2():
    record_modalities()
    record_quantities()
    record_preprocessing()
    record_numbers_and_claims()


def record_modalities():
    """Adds vectors for the fields of each modality; fields of other modalities are ignored."""
    kind = "record"
    video = prepared(RESIZED, modality="video", frames=16)
    features = inputs(modality="features", model="meta/v-jepa2")
    accept(kind, "video", "A clip of 16 frames.", video)
    accept(kind, "image of 65,536 pixels a side", "The largest side.",
           prepared(PREPROCESSING, height=65536, width=65536))
    accept(kind, "series", "Four quantities at 100 Hz.", inputs(**SERIES))
    accept(kind, "series without rate", "The rate is optional.",
           changed(inputs(**SERIES), "inputs", "rate", drop=True))
    accept(kind, "series of 2^31 steps", "The longest window.", inputs(**{**SERIES, "length": 1 << 31}))
    accept(kind, "series at a fraction of a hertz", "A rate is any number above 0.",
           inputs(**{**SERIES, "rate": 0.001, "length": 1}))
    accept(kind, "series without quantities in the array", "The array may be empty.",
           inputs(**{**SERIES, "quantities": []}))
    accept(kind, "vector", "Four quantities.", inputs(modality="vector", quantities=QUANTITIES))
    accept(kind, "features", "Features of an encoder.", features)
    accept(kind, "features with quantities", "Each feature has a name.",
           inputs(modality="features", model="m" * 256, quantities=QUANTITIES))
    accept(kind, "series with fields of other modalities", "They are fields that a reader does not know.",
           inputs(**SERIES, frames="x", height=0, model=5, preprocessing=None, channels=None))
    accept(kind, "image with fields of other modalities", "They are fields that a reader does not know.",
           prepared(PREPROCESSING, length=0, rate="x", quantities=5, model=None))
    accept(kind, "image with fields of version 1", "They are fields that a reader does not know.",
           prepared(PREPROCESSING, mean="x", std=[0], resampling=5))
    refuse(kind, "fields of version 1 only", "A record of version 2 has 'preprocessing'.",
           {**record_document(1), "format": "ami-zoo.release/2"}, FIELD)
    refuse(kind, "image of two frames", "An image has one frame.", prepared(PREPROCESSING, frames=2), FIELD)
    for base, name in [(video, name) for name in sorted(video["inputs"])] + [
            (inputs(**SERIES), "length"), (inputs(**SERIES), "quantities"),
            (inputs(modality="vector", quantities=[]), "quantities"), (features, "model")]:
        modality = base["inputs"]["modality"]
        refuse(kind, f"{modality} without {name}", f"The field 'inputs.{name}' is missing.",
               changed(base, "inputs", name, drop=True), FIELD)
    for label, base, name, value in [
        ("modality in upper case", video, "modality", "Video"),
        ("modality null", video, "modality", None),
        ("modality an array", video, "modality", ["video"]),
        ("channels of 17 bytes", prepared({**PREPROCESSING, "mean": [0] * 16, "std": [1] * 16}), "channels",
         "r" * 17),
        ("channels empty", prepared({**PREPROCESSING, "mean": [], "std": []}), "channels", ""),
        ("channels counted as letters", video, "channels", "rgé"),
        ("layout of nine", video, "layout", "BTCHWXYZA"),
        ("frames beyond 65536", video, "frames", 65537),
        ("width zero", video, "width", 0),
        ("preprocessing null", video, "preprocessing", None),
        ("preprocessing text", video, "preprocessing", "none"),
        ("length zero", inputs(**SERIES), "length", 0),
        ("length beyond 2^31", inputs(**SERIES), "length", (1 << 31) + 1),
        ("length a fraction", inputs(**SERIES), "length", 1.5),
        ("length null", inputs(**SERIES), "length", None),
        ("rate zero", inputs(**SERIES), "rate", 0),
        ("rate negative", inputs(**SERIES), "rate", -1),
        ("rate text", inputs(**SERIES), "rate", "100"),
        ("rate null", inputs(**SERIES), "rate", None),
        ("rate a Boolean", inputs(**SERIES), "rate", True),
        ("model empty", features, "model", ""),
        ("model of 257 bytes", features, "model", "m" * 257),
        ("model a number", features, "model", 1),
    ]:
        refuse(kind, label, f"The field 'inputs.{name}' holds {json.dumps(value)[:60]}.",
               changed(base, "inputs", name, to=value), FIELD)


def record_quantities():
    """Adds vectors for quantities of inputs, actions and states."""
    kind = "record"
    minimal = record_document()
    many = [{"name": f"q{i}", "unit": "1"} for i in range(1025)]
    base = {**minimal, "actions": QUANTITIES, "states": QUANTITIES[:1]}
    accept(kind, "actions and states", "A name may be in both arrays.", base)
    accept(kind, "no actions and no states in their arrays", "The arrays may be empty.",
           {**minimal, "actions": [], "states": []})
    accept(kind, "1024 quantities in each array", "As many as the limit.",
           {**inputs(modality="vector", quantities=many[:1024]), "actions": many[:1024], "states": many[:1024]})
    accept(kind, "longest names and units", "64 and 32 bytes.",
           {**minimal, "actions": [{"name": "é" * 32, "unit": "u" * 32}]})
    accept(kind, "quantity with unknown fields", "Unknown fields are ignored.",
           {**minimal, "actions": [{"name": "x", "unit": "m", "low": None}]})
    for name, holder, path in [("quantities", inputs(modality="vector", quantities=QUANTITIES),
                                ["inputs", "quantities"]),
                               ("quantities of a series", inputs(**SERIES), ["inputs", "quantities"]),
                               ("quantities of features",
                                inputs(modality="features", model="m", quantities=QUANTITIES),
                                ["inputs", "quantities"]),
                               ("actions", base, ["actions"]), ("states", base, ["states"])]:
        for label, value in [("null", None), ("an object", {}), ("of texts", ["x"]), ("beyond 1024", many),
                             ("with a name twice", [QUANTITIES[0], QUANTITIES[1], QUANTITIES[0]])]:
            refuse(kind, f"{name} {label}", f"{'.'.join(path)}: {label}.", changed(holder, *path, to=value), FIELD)
    refuse(kind, "quantity name twice with other units", "Names are unique, whatever the rest says.",
           {**minimal, "actions": [{"name": "x", "unit": "m"}, {"name": "x", "unit": "rad"}]}, FIELD)
    refuse(kind, "quantity name twice under normalization",
           "Canonically equivalent names (NFC and NFD) count as the same.",
           {**minimal, "actions": [{"name": "\u00e9", "unit": "m"}, {"name": "e\u0301", "unit": "m"}]}, FIELD)
    for name in ("name", "unit"):
        refuse(kind, f"quantity without {name}", f"The field '{name}' is missing.",
               changed(base, "actions", 0, name, drop=True), FIELD)
    for label, name, value in [
        ("name empty", "name", ""), ("name of 65 bytes", "name", "é" * 32 + "x"),
        ("name with a control character", "name", "a\tb"), ("name a number", "name", 1),
        ("unit empty", "unit", ""), ("unit of 33 bytes", "unit", "u" * 33), ("unit null", "unit", None),
        ("mean text", "mean", "0"), ("mean null", "mean", None), ("mean a Boolean", "mean", False),
        ("std zero", "std", 0), ("std negative", "std", -0.5), ("std null", "std", None), ("std text", "std", "1"),
    ]:
        refuse(kind, f"quantity {label}", f"The field 'actions.0.{name}' holds {json.dumps(value)[:60]}.",
               changed(base, "actions", 0, name, to=value), FIELD)


def record_preprocessing():
    """Adds every preprocessing rule and its violations."""
    kind = "record"
    exact = {**RESIZED, "resize": {"height": 224, "rule": "exact", "width": 65536}, "crop": {"rule": "none"}}
    views = {**RESIZED, "crop": {"count": 3, "rule": "views", "side": 384}}
    accept(kind, "resize shorter-side, crop center", "The usual preprocessing of a video encoder.", prepared(RESIZED))
    accept(kind, "resize exact", "Both sides are given.", prepared(exact))
    accept(kind, "crop views", "Three squares along the longer side.", prepared(views))
    accept(kind, "crop without resize", "A crop needs no resize.",
           prepared({**PREPROCESSING, "crop": RESIZED["crop"]}))
    accept(kind, "smallest sides", "Every integer of preprocessing is 1.", prepared(
        {**RESIZED, "resize": {"rule": "shorter-side", "side": 1}, "crop": {"count": 1, "rule": "views", "side": 1}}))
    accept(kind, "largest sides", "Every integer of preprocessing is 65,536.", prepared(
        {**RESIZED, "resize": {"rule": "shorter-side", "side": 65536},
         "crop": {"count": 65536, "rule": "views", "side": 65536}}))
    accept(kind, "crop that rounds down", "Where half a pixel goes.",
           prepared(changed(RESIZED, "crop", "rounding", to="down")))
    accept(kind, "orientation stored", "Pixels as the file holds them.",
           prepared({**PREPROCESSING, "orientation": "stored"}))
    accept(kind, "rescale 1", "Numbers stay 0 to 255.",
           prepared({**PREPROCESSING, "rescale": 1, "mean": [127.5] * 3, "std": [1e-9] * 3}))
    for name, values in [("filter", ["bicubic"]), ("domain", ["f32", "normalized"]),
                         ("implementation", ["pillow", "opencv"]), ("antialias", [False])]:
        for value in values:
            accept(kind, f"resampling {name} {json.dumps(value)}", "Each choice.",
                   prepared(changed(RESIZED, "resampling", name, to=value)))
    accept(kind, "16 channels", "As many as the limit.",
           prepared({**PREPROCESSING, "mean": [0] * 16, "std": [1] * 16}, channels="abcdefghijklmnop"))
    accept(kind, "channels counted as bytes", "A letter of two bytes is two channels.",
           prepared(PREPROCESSING, channels="ré"))
    accept(kind, "one channel", "A depth map.", prepared({**PREPROCESSING, "mean": [0], "std": [1]}, channels="d"))
    accept(kind, "preprocessing with fields of other rules", "They are fields that a reader does not know.", prepared(
        {**PREPROCESSING, "resize": {"rule": "none", "side": "x", "height": 0},
         "crop": {"rule": "none", "count": 0, "rounding": 5},
         "note": None}))
    accept(kind, "center crop with fields of views", "They are fields that a reader does not know.",
           prepared(changed(changed(RESIZED, "crop", "side", to=0), "crop", "count", to=None)))
    for name in sorted(PREPROCESSING):
        refuse(kind, f"preprocessing without {name}", f"The field '{name}' is missing.",
               prepared(changed(PREPROCESSING, name, drop=True)), FIELD)
    for base, part, name in [(RESIZED, "resize", "rule"), (RESIZED, "resize", "side"), (exact, "resize", "height"),
                             (exact, "resize", "width"), (RESIZED, "crop", "rule"), (RESIZED, "crop", "height"),
                             (RESIZED, "crop", "width"), (RESIZED, "crop", "rounding"), (views, "crop", "side"),
                             (views, "crop", "count"), *[(RESIZED, "resampling",
                                                          name) for name in sorted(RESAMPLING)]]:
        rule = f" {base[part]['rule']}" if "rule" in base[part] and name != "rule" else ""
        refuse(kind, f"{part}{rule} without {name}", f"The field '{part}.{name}' is missing.",
               prepared(changed(base, part, name, drop=True)), FIELD)
    refuse(kind, "resampling none with resize shorter-side", "Resizing needs a filter.",
           prepared({**RESIZED, "resampling": "none"}), FIELD)
    refuse(kind, "resampling none with resize exact", "Resizing needs a filter.",
           prepared({**exact, "resampling": "none"}), FIELD)
    refuse(kind, "resampling without resize", "Where nothing is resized, no filter is used.",
           prepared({**PREPROCESSING, "resampling": RESAMPLING}), FIELD)
    for label, base, path, value in [
        ("orientation unknown", RESIZED, ["orientation"], "sideways"),
        ("orientation null", RESIZED, ["orientation"], None),
        ("orientation an integer", RESIZED, ["orientation"], 1),
        ("resize text", PREPROCESSING, ["resize"], "none"),
        ("resize null", PREPROCESSING, ["resize"], None),
        ("resize rule unknown", RESIZED, ["resize", "rule"], "longer-side"),
        ("resize rule null", RESIZED, ["resize", "rule"], None),
        ("resize side zero", RESIZED, ["resize", "side"], 0),
        ("resize side beyond 65536", RESIZED, ["resize", "side"], 65537),
        ("resize side a fraction", RESIZED, ["resize", "side"], 256.5),
        ("resize side text", RESIZED, ["resize", "side"], "256"),
        ("resize height zero", exact, ["resize", "height"], 0),
        ("resize width beyond 65536", exact, ["resize", "width"], 65537),
        ("resampling null", PREPROCESSING, ["resampling"], None),
        ("resampling as prose", RESIZED, ["resampling"], "bilinear, antialiased"),
        ("resampling an array", RESIZED, ["resampling"], []),
        ("resampling filter unknown", RESIZED, ["resampling", "filter"], "lanczos"),
        ("resampling antialias text", RESIZED, ["resampling", "antialias"], "true"),
        ("resampling antialias a number", RESIZED, ["resampling", "antialias"], 1),
        ("resampling antialias null", RESIZED, ["resampling", "antialias"], None),
        ("resampling domain unknown", RESIZED, ["resampling", "domain"], "f16"),
        ("resampling domain in British English", RESIZED, ["resampling", "domain"], "normalised"),
        ("resampling implementation unknown", RESIZED, ["resampling", "implementation"], "ffmpeg"),
        ("crop text", PREPROCESSING, ["crop"], "none"),
        ("crop null", PREPROCESSING, ["crop"], None),
        ("crop rule unknown", RESIZED, ["crop", "rule"], "random"),
        ("crop height zero", RESIZED, ["crop", "height"], 0),
        ("crop width beyond 65536", RESIZED, ["crop", "width"], 65537),
        ("crop rounding unknown", RESIZED, ["crop", "rounding"], "up"),
        ("crop rounding null", RESIZED, ["crop", "rounding"], None),
        ("views side zero", views, ["crop", "side"], 0),
        ("views side beyond 65536", views, ["crop", "side"], 65537),
        ("views count zero", views, ["crop", "count"], 0),
        ("views count beyond 65536", views, ["crop", "count"], 65537),
        ("rescale zero", RESIZED, ["rescale"], 0),
        ("rescale negative", RESIZED, ["rescale"], -0.5),
        ("rescale text", RESIZED, ["rescale"], "1/255"),
        ("rescale null", RESIZED, ["rescale"], None),
        ("mean a number", RESIZED, ["mean"], 0.5),
        ("mean null", RESIZED, ["mean"], None),
        ("std null", RESIZED, ["std"], None),
        ("std of two for three channels", RESIZED, ["std"], [1, 1]),
        ("mean of four for three channels", RESIZED, ["mean"], [0, 0, 0, 0]),
    ]:
        refuse(kind, f"preprocessing: {label}", f"The field '{'.'.join(path)}' holds {json.dumps(value)[:60]}.",
               prepared(changed(base, *path, to=value)), FIELD)


def record_numbers_and_claims():
    """Adds vectors for quantised components and digests in claims."""
    kind = "record"
    minimal = record_document()
    component = {**full_record()["components"][0], "files": [],
                 "quantisation": {"scheme": "int8-per-output", "source": digest_of("before")}}
    claim = {**CLAIM, "datasetDigest": digest_of("data set"), "suiteDigest": digest_of("suite")}
    one = {**minimal, "components": [component], "evaluation": [claim]}
    accept(kind, "quantised component", "The scheme, and the fingerprint before.", one)
    accept(kind, "quantised component of unknown source", "The fingerprint is optional.",
           changed(one, "components", 0, "quantisation", to={"scheme": "s" * 64}))
    accept(kind, "quantisation with unknown fields", "Unknown fields are ignored.",
           changed(one, "components", 0, "quantisation", "groups", to=[128]))
    accept(kind, "claim with one digest", "Each digest is optional by itself.",
           changed(one, "evaluation", 0, "suiteDigest", drop=True))
    for label, path, value in [
        ("quantisation null", ["components", 0, "quantisation"], None),
        ("quantisation text", ["components", 0, "quantisation"], "int8-per-output"),
        ("quantisation without scheme", ["components", 0, "quantisation"], {"source": digest_of("before")}),
        ("quantisation scheme empty", ["components", 0, "quantisation", "scheme"], ""),
        ("quantisation scheme of 65 bytes", ["components", 0, "quantisation", "scheme"], "s" * 65),
        ("quantisation scheme a number", ["components", 0, "quantisation", "scheme"], 8),
        ("quantisation source malformed", ["components", 0, "quantisation", "source"], "sha256:00"),
        ("quantisation source null", ["components", 0, "quantisation", "source"], None),
        ("suiteDigest malformed", ["evaluation", 0, "suiteDigest"], "0" * 64),
        ("suiteDigest null", ["evaluation", 0, "suiteDigest"], None),
        ("suiteDigest of another algorithm", ["evaluation", 0, "suiteDigest"], "sha512:" + "0" * 128),
        ("datasetDigest malformed", ["evaluation", 0, "datasetDigest"], "sha256:" + "A" * 64),
        ("datasetDigest a number", ["evaluation", 0, "datasetDigest"], 5),
        ("datasetDigest null", ["evaluation", 0, "datasetDigest"], None),
    ]:
        refuse(kind, label, f"The field '{'.'.join(map(str, path))}' holds {json.dumps(value)[:60]}.",
               changed(one, *path, to=value), FIELD)


def record_1():
    """Adds the rules of version 1, and fields of version 2 that are unknown in it."""
    kind = "record"
    minimal = record_document(1)
    accept(kind, "video", "A clip of 16 frames.",
           changed(changed(minimal, "inputs", "modality", to="video"), "inputs", "frames", to=16))
    accept(kind, "image of several frames", "Version 1 has no rule about the frames of an image.",
           changed(minimal, "inputs", "frames", to=8))
    accept(kind, "resampling as prose", "The longest text.", changed(minimal, "inputs", "resampling", to="r" * 128))
    accept(kind, "fields of version 2", "They mean nothing here.", {
        **changed(minimal, "inputs", "preprocessing", to=RESIZED), "actions": QUANTITIES, "states": QUANTITIES})
    component = {**full_record()["components"][0], "files": []}
    accept(kind, "fields of version 2 of wrong types", "Fields that a reader does not know have no type.", {
        **changed(minimal, "inputs", "preprocessing", to=5), "actions": "x", "states": None,
        "components": [{**component, "quantisation": 8}],
        "evaluation": [{**CLAIM, "suiteDigest": "x", "datasetDigest": None}]})
    refuse(kind, "fields of version 2 only", "A record of version 1 has 'mean', 'std' and 'resampling'.",
           {**record_document(2), "format": "ami-zoo.release/1"}, FIELD)
    for name in sorted(INPUTS[1]):
        refuse(kind, f"inputs without {name}", f"The field 'inputs.{name}' is missing.",
               changed(minimal, "inputs", name, drop=True), FIELD)
    for label, name, value in [("resampling an object", "resampling", RESAMPLING),
                               ("resampling too long", "resampling", "r" * 129),
                               ("resampling empty", "resampling", "")]:
        refuse(kind, label, f"The field 'inputs.{name}' holds {json.dumps(value)[:60]}.",
               changed(minimal, "inputs", name, to=value), FIELD)
    for label, value in [("series", SERIES), ("vector", {"modality": "vector", "quantities": QUANTITIES}),
                         ("features", {"modality": "features", "model": "m"})]:
        refuse(kind, f"modality {label}", "A modality of version 2.", {**minimal, "inputs": value}, FIELD)


# --- Data-set record ---------------------------------------------------------------------------


def dataset():
    kind = "dataset"
    shared = ("authors", "compatibility", "created", "licence", "name", "requires", "summary", "version")
    minimal = {
        **{name: record_document()[name] for name in shared},
        "files": [], "format": "ami-zoo.dataset/1", "lineage": {"kind": "collected"}, "modality": "video",
        "splits": [{"count": 0, "files": [], "name": "test"}],
    }
    full = {
        **minimal,
        "files": files(("README.md", 300), ("labels.csv", 400), ("test/0.mp4", 5000), ("train/0.mp4", 1 << 34),
                       ("train/" + "n" * 120 + ".mp4", 513)) + files(("extra/1.mp4", 7), archive="extra"),
        "homepage": "https://example.org/",
        "labels": {"classes": 5, "kind": "csv", "path": "labels.csv"},
        "lineage": {"generator": "drops.py", "kind": "generated", "seed": 101},
        "splits": [{"count": 2, "files": ["train/0.mp4", "train/" + "n" * 120 + ".mp4"], "name": "train"},
                   {"count": 4096, "files": ["test/0.mp4"], "name": "test"}],
    }
    accept(kind, "minimal", "A data set without files and labels.", minimal)
    accept(kind, "full", "Two archives, two splits, labels in a CSV file.", full)
    accept(kind, "labels in folders", "The folder of a file names its class.",
           {**full, "labels": {"classes": 1, "kind": "folders"}})
    accept(kind, "labels in folders with a path", "The path is a field of another kind of labels.",
           {**full, "labels": {"classes": 1_000_000, "kind": "folders", "path": 5}})
    for modality in ("image", "series", "vector"):
        accept(kind, f"modality {modality}", "Each modality.", {**minimal, "modality": modality})
    accept(kind, "64 splits", "As many as the limit.",
           {**minimal, "splits": [{"count": i, "files": [], "name": f"s{i}"} for i in range(64)]})
    accept(kind, "file in two splits", "Splits may share files.",
           changed(full, "splits", 1, "files", to=full["splits"][0]["files"]))
    accept(kind, "count 2^53 - 1", "The largest count.", changed(minimal, "splits", 0, "count", to=2**53 - 1))
    accept(kind, "unknown fields", "Unknown fields are ignored at every level, also those of release records.",
           {**changed(full, "splits", 0, "note", to=None), "inputs": 5, "components": "x", "architecture": None,
            "evaluation": {}})
    refuse_text(kind, minimal, "authors")
    refuse_format(kind, minimal, "ami-zoo.dataset/0", "ami-zoo.release/1", "ami-zoo.release/2")
    refuse(kind, "unknown required feature", "A feature that this specification does not define.",
           {**minimal, "requires": ["shards"]}, "format.feature-required")
    refuse(kind, "unknown required feature beside unknown shapes", "The feature is reported first.",
           {**minimal, "requires": ["shards"], "splits": 5}, "format.feature-required")
    refuse_shape(kind, minimal, [
        ("requires text", ["requires"], "x"),
        ("compatibility without reader", ["compatibility"], {}),
        ("reader malformed", ["compatibility", "reader"], "1"),
        ("name malformed", ["name"], "drops"),
        ("version malformed", ["version"], "1.0"),
        ("created without zone", ["created"], "2026-01-31 12:00:00"),
        ("summary too long", ["summary"], "x" * 501),
        ("201 authors", ["authors"], ["x"] * 201),
        ("licence null", ["licence"], None),
        ("homepage null", ["homepage"], None),
        ("lineage without kind", ["lineage"], {"generator": "drops.py", "seed": 1}),
        ("lineage kind a number", ["lineage", "kind"], 1),
        ("modality features", ["modality"], "features"),
        ("modality unknown", ["modality"], "audio"),
        ("modality null", ["modality"], None),
        ("splits empty", ["splits"], []),
        ("splits an object", ["splits"], {}),
        ("splits of texts", ["splits"], ["test"]),
        ("65 splits", ["splits"], [{"count": i, "files": [], "name": f"s{i}"} for i in range(65)]),
        ("split twice", ["splits"], minimal["splits"] * 2),
        ("split name not a word", ["splits", 0, "name"], "the test"),
        ("split name in upper case", ["splits", 0, "name"], "Test"),
        ("split name of 65", ["splits", 0, "name"], "s" * 65),
        ("split count negative", ["splits", 0, "count"], -1),
        ("split count a fraction", ["splits", 0, "count"], 1.5),
        ("split count text", ["splits", 0, "count"], "1"),
        ("split files null", ["splits", 0, "files"], None),
        ("split of unknown file", ["splits", 0, "files"], ["test/0.mp4"]),
        ("split of a number", ["splits", 0, "files"], [1]),
        ("labels null", ["labels"], None),
        ("labels text", ["labels"], "folders"),
        ("labels without kind", ["labels"], {"classes": 2}),
        ("labels of unknown kind", ["labels"], {"classes": 2, "kind": "json"}),
        ("labels without classes", ["labels"], {"kind": "folders"}),
        ("labels of no class", ["labels"], {"classes": 0, "kind": "folders"}),
        ("labels of 1,000,001 classes", ["labels"], {"classes": 1_000_001, "kind": "folders"}),
        ("labels of half a class", ["labels"], {"classes": 0.5, "kind": "folders"}),
        ("labels in a CSV file without path", ["labels"], {"classes": 2, "kind": "csv"}),
        ("labels in an unknown file", ["labels"], {"classes": 2, "kind": "csv", "path": "labels.csv"}),
        ("labels in a CSV file with path null", ["labels"], {"classes": 2, "kind": "csv", "path": None}),
    ])
    for name in ("count", "files", "name"):
        refuse(kind, f"split without {name}", f"The field '{name}' is missing.",
               changed(full, "splits", 0, name, drop=True), FIELD)
    refuse(kind, "split of a folder", "A split lists files, and 'train' is a folder.",
           changed(full, "splits", 0, "files", to=["train"]), FIELD)
    refuse_files(kind, minimal)


# --- Paths -------------------------------------------------------------------------------------

UNSAFE_PATHS = [
    ("empty", ""),
    ("absolute", "/etc/passwd"),
    ("absolute before a combining mark", "/\u0301etc"),
    ("parent", "../x"),
    ("parent inside", "a/../x"),
    ("parent at the end", "a/.."),
    ("parent before a combining mark", "../\u0301x"),
    ("parent before a combining mark, inside", "a/../\u0301x"),
    ("parent after a prepended letter", "\u0d4e/../../x"),
    ("combining mark first", "\u0301a"),
    ("combining mark first in a folder", "a/\u0301b"),
    ("spacing mark first in a folder", "a/\u0903b"),
    ("enclosing mark first in a folder", "a/\u20ddb"),
    ("parent before a half-width mark", "../\uff9ex"),
    ("parent only", ".."),
    ("current folder", "."),
    ("current folder inside", "a/./b"),
    ("doubled slash", "a//b"),
    ("slash at the end", "a/"),
    ("slash only", "/"),
    ("NUL", "a\x00b"),
    ("newline", "a\nb"),
    ("unit separator", "a\x1fb"),
    ("DEL", "a\x7fb"),
    ("next line", "a\x85b"),
    ("backslash", "a\\b"),
    ("backslash parent", "..\\x"),
    ("drive letter", "C:x"),
    ("alternate stream", "a.txt:s"),
    ("star", "a*"),
    ("question mark", "a?"),
    ("quotation mark", 'a"b'),
    ("less than", "a<b"),
    ("bar", "a|b"),
    ("right-to-left override", "a\u202etxt.exe"),
    ("zero-width joiner", "a\u200db"),
    ("byte order mark", "\ufeffa"),
    ("line separator", "a\u2028b"),
    ("dot at the end", "a."),
    ("dot at the end of a folder", "a./b"),
    ("dot at the end after a prepended letter", "\u0d4e."),
    ("three dots", "..."),
    ("space at the end", "a "),
    ("space at the end of a folder", "a /b"),
    ("space only", " "),
    ("device", "NUL"),
    ("device with extension", "con.txt"),
    ("device with two extensions", "aux.tar.gz"),
    ("device and space before the extension", "prn .txt"),
    ("device before a combining mark", "nul.\u0301x"),
    ("device as a folder", "com1/x"),
    ("device port zero", "lpt0"),
    ("device with superscript digit", "COM\u00b9.txt"),
    ("console device", "CONIN$"),
    ("reserved folder", ".ami-zoo/x"),
    ("reserved folder in upper case", ".AMI-ZOO"),
    ("component of 256 bytes", "x" * 256),
    ("component of 256 bytes in 128 letters", "é" * 128),
    ("33 folders", "/".join(["a"] * 33)),
    ("1025 bytes", "/".join(["x" * 200] * 5) + "x" * 21),
]
SAFE_PATHS = [
    ("file", "config.json"),
    ("file in a folder", "encoder/model-00001-of-00002.safetensors"),
    ("hidden file", ".gitattributes"),
    ("dots inside", "a..b/c...d"),
    ("two dots before a name", "..a"),
    ("spaces inside", "read me first.txt"),
    ("space at the start", " a"),
    ("letters outside ASCII", "modèle/世界.txt"),
    ("combining mark", "e\u0301"),
    ("component that starts with a half-width mark", "a/\uff9eb"),
    ("slash after a prepended letter", "\u0d4e/b"),
    ("emoji", "🌍.txt"),
    ("device name inside a word", "console/auxiliary/null/com10"),
    ("device after a dot", ".con"),
    ("device with a suffix", "nul-1.txt"),
    ("reserved name deeper", "a/.ami-zoo"),
    ("component of 255 bytes", "x" * 255),
    ("32 folders", "/".join(["a"] * 32)),
    ("1024 bytes", "/".join(["x" * 255] * 3 + ["x" * 254, "y"])),
]
COLLIDING_PATHS = [
    ("equal", ["a", "a"]),
    ("case", ["README.md", "readme.md"]),
    ("case in a folder", ["A/x", "a/X"]),
    ("case outside ASCII", ["É", "é"]),
    ("NFC and NFD", ["\u00e9", "e\u0301"]),
    ("NFC and NFD and case", ["\u00c9", "e\u0301"]),
    ("Hangul composed and not", ["\uac00", "\u1100\u1161"]),
    ("Kelvin sign", ["k", "\u212a"]),
    ("sharp s", ["straße", "STRASSE"]),
    ("long s", ["s", "\u017f"]),
    ("final sigma", ["σ", "ς"]),
    ("micro sign", ["\u00b5", "\u03bc"]),
    ("ligature", ["ﬁ", "fi"]),
    ("file inside a file", ["a", "a/b"]),
    ("file deep inside a file", ["a/b", "a/b/c/d"]),
    ("file inside a file of another case", ["Model", "model/x"]),
    ("file inside a file before a half-width mark", ["a", "a/\uff9eb"]),
    ("file inside a file after a prepended letter", ["\u0d4e", "\u0d4e/b"]),
]


def paths():
    for label, path in SAFE_PATHS:
        ref.read_path(path)
        add("path", label, f"{path[:60]!r} is portable.", document=path, expect="accept",
            derived={"components": path.split("/")})
    for label, path in UNSAFE_PATHS:
        try:
            ref.read_path(path)
            raise AssertionError(label)
        except ref.Refused as refused:
            add("path", label, f"{path[:60]!r} is not.", document=path, expect={"code": refused.code})
    pairs = [(label, pair, True) for label, pair in COLLIDING_PATHS if "inside" not in label]
    pairs += [("different letters", ["a", "b"], False), ("Cyrillic a", ["a", "а"], False),
              ("accent", ["e", "é"], False), ("compatibility only", ["²", "2"], False)]
    for label, (one, other), collide in pairs:
        assert (ref.collision_key(one) == ref.collision_key(other)) == collide, label
        add("path-collision", label, f"{one!r} and {other!r}.", document=[one, other], expect="accept",
            derived={"collide": collide})


# --- Block tables ------------------------------------------------------------------------------


def blocks_document(encoding, *lengths):
    blocks, places = [], [0, 0]
    for number, (stored, raw) in enumerate(lengths):
        parts = {}
        for side, (name, length) in enumerate((("archive", stored), ("raw", raw))):
            content = f"{number}" if encoding == "none" else f"{number} {name}"
            parts[name] = {"digest": digest_of(content), "length": length, "offset": places[side]}
            places[side] += length
        blocks.append(parts)
    return {"archive": {"digest": digest_of("whole"), "size": places[0]}, "blocks": blocks,
            "encoding": encoding, "format": "ami-zoo.blocks/1", "raw": {"size": places[1]}}


def blocks():
    kind = "blocks"
    bad = "release.block-table-invalid"
    minimal = blocks_document("none", (1024, 1024))
    full = blocks_document("zstd", (700_000, 1 << 20), ((4 << 20) + 16_896, 4 << 20), (13, 1024))
    stored = blocks_document("none", (1 << 20, 1 << 20), (2048, 2048))
    accept(kind, "minimal", "One stored block: the end of an empty archive.", minimal)
    accept(kind, "full", "Compressed blocks; one grew as far as zstd may let it.", full)
    accept(kind, "stored", "Two stored blocks.", stored)
    accept(kind, "one byte", "The shortest block.", blocks_document("zstd", (10, 1)))
    accept(kind, "unknown fields", "Unknown fields are ignored at every level.",
           {**changed(full, "blocks", 0, "cid", to="x"), "note": [1]}, rewrites=False)
    refuse_text(kind, minimal, "archive")
    refuse_format(kind, minimal)
    for label, path, value, code in [
        ("gap in the archive", ["blocks", 1, "archive", "offset"], 700_001, bad),
        ("overlap in the archive", ["blocks", 1, "archive", "offset"], 699_999, bad),
        ("gap in the raw stream", ["blocks", 1, "raw", "offset"], (1 << 20) + 1, bad),
        ("overlap in the raw stream", ["blocks", 1, "raw", "offset"], (1 << 20) - 1, bad),
        ("first block not at 0", ["blocks", 0, "raw", "offset"], 1, bad),
        ("two blocks swapped", ["blocks"], [full["blocks"][1], full["blocks"][0], full["blocks"][2]], bad),
        ("block missing at the end", ["blocks"], full["blocks"][:2], bad),
        ("no blocks", ["blocks"], [], bad),
        ("archive larger than its blocks", ["archive", "size"], full["archive"]["size"] + 1, bad),
        ("archive smaller than its blocks", ["archive", "size"], 5, bad),
        ("raw stream larger than its blocks", ["raw", "size"], full["raw"]["size"] + 512, bad),
        ("raw block over 4 MiB", ["blocks", 1, "raw", "length"], (4 << 20) + 1, FIELD),
        ("encoded block too long", ["blocks", 1, "archive", "length"], (4 << 20) + 16_897, FIELD),
        ("raw block of length 0", ["blocks", 0, "raw", "length"], 0, FIELD),
        ("encoded block of length 0", ["blocks", 0, "archive", "length"], 0, FIELD),
        ("negative length", ["blocks", 0, "raw", "length"], -1, FIELD),
        ("negative offset", ["blocks", 0, "raw", "offset"], -1, FIELD),
        ("offset beyond 2^45", ["blocks", 0, "raw", "offset"], (1 << 45) + 1, FIELD),
        ("length a fraction", ["blocks", 0, "raw", "length"], 1.5, FIELD),
        ("digest missing", ["blocks", 0, "raw"], {"length": 1, "offset": 0}, FIELD),
        ("digest malformed", ["blocks", 0, "raw", "digest"], "md5:" + "0" * 32, FIELD),
        ("block an array", ["blocks", 0], [], FIELD),
        ("raw part missing", ["blocks", 0], {"archive": full["blocks"][0]["archive"]}, FIELD),
        ("encoding unknown", ["encoding"], "gzip", FIELD),
        ("archive digest missing", ["archive"], {"size": full["archive"]["size"]}, FIELD),
    ]:
        refuse(kind, label, f"{label}.", changed(full, *path, to=value), code)
    for name in sorted(full):
        refuse(kind, f"missing {name}", f"The field '{name}' is missing.",
               changed(full, name, drop=True), FIELD)
    two = changed(stored, "blocks", 0, "raw", "digest", to=digest_of("other"))
    refuse(kind, "stored block with two digests", "Stored bytes are the raw bytes.", two, bad)
    refuse(kind, "stored block with two lengths", "Stored bytes are the raw bytes.",
           blocks_document("none", (1000, 1024)), bad)
    text = canonical(minimal).split('"blocks":[')
    refuse(kind, "200,001 blocks", "More blocks than the limit.",
           [text[0] + '"blocks":[{}', repeat(",{}", 200_000), '],"encoding":"none",'
            + text[1].split('"encoding":"none",')[1]], FIELD)


def cuts():
    mib = ref.MIB
    head = 512  # the tar header before the only file
    end = 1024  # the end of the archive

    def one(raw_size, *boundaries):
        return [("model.safetensors", raw_size - head - end, [b - head for b in boundaries])]

    cases = [
        ("no files", []),
        ("small files", [("README.md", 5000, []), ("config.json", 100, [])]),
        ("one tensor of 10 MiB", one(head + 4096 + 10 * mib + end, head + 4096)),
        ("tensors of 1.5 MiB", one(4096 + 6 * mib + end, *[4096 + k * 3 * mib // 2 for k in range(4)])),
        ("small tensors gather", one(4096 + 20 * 307_200 + end, *[4096 + k * 307_200 for k in range(20)])),
        ("last unit one sector short of 1 MiB", one(5 * mib - 512, 2 * mib, 4 * mib)),
        ("last unit of exactly 1 MiB", one(5 * mib, 2 * mib, 4 * mib)),
        ("joined unit over 4 MiB", one(4 * mib + 512, 4 * mib)),
        ("unit of exactly 4 MiB", one(8 * mib, 4 * mib)),
        ("unit of 4 MiB and one byte", one(8 * mib + 512, 4 * mib + 1)),
        ("no tensors", one(9 * mib + 512)),
        ("boundary one byte early", one(3 * mib, mib - 1, mib)),
        ("two tensors at one place", one(3 * mib, mib, mib, 2 * mib)),
        ("tensor that starts at the end of its file", one(3 * mib, mib, 3 * mib - end)),
        ("first tensor at the start of its file", one(3 * mib, head, 2 * mib)),
        ("several files", [("a/" + "n" * 120, 3 * mib, []), ("b.safetensors", 2 * mib + 17, [9, mib + 9]),
                           ("c.safetensors", 13 * mib, [80, 5 * mib + 1, 6 * mib, 12 * mib + 7]), ("d", 1, [])]),
        ("file of 16 GiB in one tensor", one(1 << 34, 1 << 20)),
    ]
    for label, entries in cases:
        members, raw_size = ref.layout([(path, size) for path, size, _ in entries])
        tensors = {path: starts for path, _, starts in entries}
        boundaries = [member["headerOffset"] for member in members]
        boundaries += [member["contentOffset"] + start for member in members
                       for start in tensors[member["path"]] if start < member["size"]]
        starts = ref.cut_blocks(boundaries, raw_size)
        lengths = [b - a for a, b in zip(starts, starts[1:] + [raw_size])]
        assert max(lengths) <= 4 * mib and (min(lengths) >= mib or len(starts) == 1), label
        derived = {"rawSize": raw_size, "count": len(starts),
                   "startsSha256": hashlib.sha256(canonical(starts).encode()).hexdigest()}
        if len(starts) <= 64:
            derived["starts"] = starts
        add("block-cuts", label, "Where the blocks of an archive begin (section 5.3).",
            document={"files": [{"path": p, "size": s, "tensorStarts": t} for p, s, t in entries]},
            expect="accept", derived=derived)


# --- Archive layout ----------------------------------------------------------------------------


def content(length):
    """Returns the content of a file in layout vectors: byte k is k mod 251."""
    return (bytes(range(251)) * (length // 251 + 1))[:length]


def as_extended_header(header):
    """Replaces Python's extended headers, named '././@PaxHeader' with mode 0, by ours, named 'pax' with 0644."""
    block = bytearray(header)
    assert block[:15] == b"././@PaxHeader\0" and block[100:108] == b"0000000\0"
    block[0:100] = b"pax".ljust(100, b"\0")
    block[100:108] = b"0000644\0"
    block[148:156] = b" " * 8
    block[148:155] = b"%06o\0" % sum(block)
    return bytes(block)


def prove_header(path, size, header):
    """Checks that Python's tarfile writes the same header where the two formats overlap."""
    info = tarfile.TarInfo(path)
    info.size, info.mode = size, 0o644
    if len(header) == 512:
        assert header == info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "strict"), path
        return "tarfile USTAR_FORMAT"
    if path.isascii():
        peer = info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
        assert header == as_extended_header(peer[:512]) + peer[512:], path
        return "tarfile PAX_FORMAT, but for the extended header's own name and mode"
    return None


def layouts():
    sizes = [("b.bin", 0), ("a.bin", 1), ("c.bin", 511), ("d.bin", 512), ("e.bin", 513)]
    cases = [
        ("no files", []),
        ("one empty file", [("config.json", 0)]),
        ("sizes around a sector", sizes),
        ("names around 100 bytes", [("n" * 99, 5), ("o" * 100, 6), ("p" * 101, 7)]),
        ("name of 1024 bytes", [("/".join(["x" * 255] * 3 + ["x" * 254, "y"]), 3), ("z", 1)]),
        ("pax length of two and three digits", [("q" * 101, 1), ("folder/" + "r" * 250, 1)]),
        ("names outside ASCII", [("modèle/世界.txt", 9), ("é" * 51, 2), ("🌍" * 30, 4)]),
        ("order by bytes, not by letters", [("a/b", 1), ("a-b", 2), ("a.b", 3), ("B", 4), ("é", 5),
                                          ("z", 6), ("\uffe6", 7), ("\U0001f600", 8)]),
        ("just under 8 GiB", [("m.bin", 2**33 - 1)]),
        ("8 GiB", [("m.bin", 2**33), ("n.bin", 1)]),
        ("8 GiB with a long name", [("m" * 101, 2**33 + 1)]),
        ("2^45 bytes", [("m.bin", 1 << 45)]),
    ]
    for label, entries in cases:
        members, raw_size = ref.layout(entries)
        stream = io.BytesIO()
        told = []
        for member in members:
            told.append({
                "path": member["path"], "size": member["size"],
                "headerOffset": member["headerOffset"], "contentOffset": member["contentOffset"],
                "headerSha256": hashlib.sha256(member["header"]).hexdigest(),
                "provenBy": prove_header(member["path"], member["size"], member["header"]),
            })
        derived = {"rawSize": raw_size, "members": told}
        if raw_size < 1 << 20:
            for member in members:
                data = content(member["size"])
                stream.write(member["header"] + data + bytes(ref.padded(len(data)) - len(data)))
            stream.write(bytes(1024))
            assert len(stream.getvalue()) == raw_size, label
            with tarfile.open(fileobj=io.BytesIO(stream.getvalue())) as archive:
                listed = [(m.name, m.size, archive.extractfile(m).read()) for m in archive]
            assert listed == [(m["path"], m["size"], content(m["size"])) for m in members], label
            derived["streamSha256"] = hashlib.sha256(stream.getvalue()).hexdigest()
            if entries and all(len(m["header"]) == 512 for m in members):
                peer = io.BytesIO()
                with tarfile.open(fileobj=peer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
                    for member in members:
                        info = tarfile.TarInfo(member["path"])
                        info.size = member["size"]
                        archive.addfile(info, io.BytesIO(content(member["size"])))
                # Python pads the archive to a multiple of 10,240 bytes.
                assert peer.getvalue().rstrip(b"\0") == stream.getvalue().rstrip(b"\0"), label
        add("layout", label, "Where each byte of an archive lies; byte k of a file's content is k mod 251.",
            document={"files": [{"path": p, "size": s} for p, s in entries]}, expect="accept",
            derived=derived)


# --- References, versions, digests -------------------------------------------------------------


def references():
    pin = "sha256:" + "0123456789abcdef" * 4
    for label, text in [
        ("name only", "ami/ball-drop"),
        ("version", "ami/ball-drop:1.2.0"),
        ("pre-release", "ami/ball-drop:2.0.0-rc.1"),
        ("channel", "ami/ball-drop:candidate"),
        ("digest", f"ami/ball-drop@{pin}"),
        ("version and digest", f"ami/ball-drop:1.2.0@{pin}"),
        ("host", "zoo.example.org/ami/ball-drop"),
        ("host and port", "localhost:8080/ami/ball-drop:1.0.0"),
        ("address and port", "127.0.0.1:65535/a/b"),
        ("everything", f"zoo.example.org:443/ami/v-jepa_2.vit:stable@{pin}"),
        ("words of 64", "a" * 64 + "/" + "b" * 64),
        ("digits", "0/1:0.0.0"),
        ("host in upper case", "ZOO.example.org/a/b"),
        ("channel with digits and hyphens", "a/b:nightly-2"),
        ("channel of 32", "a/b:" + "c" * 32),
    ]:
        add("reference", label, f"{text[:80]}", document=text, expect="accept",
            derived=ref.read_reference(text))
    for label, text in [
        ("empty", ""), ("no namespace", "ball-drop"), ("no namespace, with version", "ball-drop:1.0.0"),
        ("four parts", "a/b/c/d"), ("empty namespace", "/b"), ("empty name", "a/"),
        ("empty host", "/a/b"), ("upper case", "Ami/b"), ("space", "a/b c"),
        ("space at the end", "a/b "), ("newline at the end", "a/b\n"),
        ("parent as name", "a/.."), ("parent as namespace", "../b"), ("parent as host", "../a/b"),
        ("dot as host", "./a/b"), ("hyphen first", "a/-b"), ("hyphen last", "a/b-"),
        ("doubled separators", "a/b--c"), ("mixed separators", "a/b.-c"), ("name of 65", "a/" + "b" * 65),
        ("letter outside ASCII", "a/é"), ("combining mark", "a/b\u0301"),
        ("slash before a combining mark", "a/\u0301b"),
        ("empty tag", "a/b:"), ("two tags", "a/b:1.0.0:2"), ("version of two numbers", "a/b:1.0"),
        ("version with v", "a/b:v1.0.0"), ("version with build metadata", "a/b:1.0.0+5"),
        ("version with a leading zero", "a/b:01.0.0"), ("version with other digits", "a/b:١.٠.٠"),
        ("channel in upper case", "a/b:Stable"), ("channel with a dot", "a/b:rc.1"),
        ("channel with underscore", "a/b:rc_1"), ("channel of 33", "a/b:" + "c" * 33),
        ("tag with slash", "a/b:c/d"), ("empty digest", "a/b@"), ("digest of another algorithm", "a/b@sha512:" + "0" * 128),
        ("digest short", "a/b@sha256:" + "0" * 63), ("digest in upper case", "a/b@sha256:" + "A" * 64),
        ("two digests", f"a/b@{pin}@{pin}"), ("tag after the digest", f"a/b@{pin}:1.0.0"),
        ("scheme", "https://zoo.example.org/a/b"), ("user name", "me@host/a/b"),
        ("port zero", "host:0/a/b"), ("port too large", "host:65536/a/b"), ("port with a sign", "host:+80/a/b"),
        ("port with a leading zero", "host:080/a/b"), ("port missing", "host:/a/b"), ("port of letters", "host:http/a/b"),
        ("host with underscore", "my_host/a/b"), ("host with empty label", "a..b/c/d"),
        ("host ending in a dot", "host./a/b"), ("host label with hyphen first", "-host/a/b"),
        ("host label of 64", "h" * 64 + "/a/b"), ("IPv6 address", "[::1]:80/a/b"),
        ("longer than 512 bytes", "a/b:" + "c" * 509), ("NUL", "a/b\0"),
    ]:
        try:
            ref.read_reference(text)
            raise AssertionError(label)
        except ref.Refused as refused:
            add("reference", label, f"{text[:80]!r}", document=text, expect={"code": refused.code})


# From semver.org, section "Is there a suggested regular expression": the lists of
# https://regex101.com/r/vkijKf/1/. Build metadata is refused here, and numbers have at most nine digits.
SEMVER_VALID = """0.0.4 1.2.3 10.20.30 1.1.2-prerelease+meta 1.1.2+meta 1.1.2+meta-valid 1.0.0-alpha
1.0.0-beta 1.0.0-alpha.beta 1.0.0-alpha.beta.1 1.0.0-alpha.1 1.0.0-alpha0.valid 1.0.0-alpha.0valid
1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay 1.0.0-rc.1+build.1 2.0.0-rc.1+build.123
1.2.3-beta 10.2.3-DEV-SNAPSHOT 1.2.3-SNAPSHOT-123 1.0.0 2.0.0 1.1.7 2.0.0+build.1848
2.0.1-alpha.1227 1.0.0-alpha+beta 1.2.3----RC-SNAPSHOT.12.9.1--.12+788
1.2.3----R-S.12.9.1--.12+meta 1.2.3----RC-SNAPSHOT.12.9.1--.12 1.0.0+0.build.1-rc.10000aaa-kk-0.1
99999999999999999999999.999999999999999999.99999999999999999 1.0.0-0A.is.legal""".split()
SEMVER_INVALID = """1 1.2 1.2.3-0123 1.2.3-0123.0123 1.1.2+.123 +invalid -invalid -invalid+invalid
-invalid.01 alpha alpha.beta alpha.beta.1 alpha.1 alpha+beta alpha_beta alpha. alpha.. beta
1.0.0-alpha_beta -alpha. 1.0.0-alpha.. 1.0.0-alpha..1 1.0.0-alpha...1 1.0.0-alpha....1
1.0.0-alpha.....1 1.0.0-alpha......1 1.0.0-alpha.......1 01.1.1 1.01.1 1.1.01 1.2.3.DEV
1.2-SNAPSHOT 1.2.31.2.3----RC-SNAPSHOT.12.09.1--..12+788 1.2-RC-SNAPSHOT -1.0.3-gamma+b7718
+justmeta 9.8.7+meta+meta 9.8.7-whatever+meta+meta""".split()


def versions():
    ours = ["0.0.0", "999999999.999999999.999999999", "1.0.0--", "1.0.0--1", "1.0.0-0",
            "1.0.0-" + "x" * 58]
    theirs = ["", " 1.0.0", "1.0.0 ", "1.0.0\n", "v1.0.0", "1.0.0-", "1.0.0-é", "1.0.0-a\u0301", "1..0",
              "-1.0.0", "+1.0.0", "1.0.+0", "１.0.0", "1.0.0-１", "1000000000.0.0", "1.0.0-1000000000",
              "1.0.0-" + "x" * 59, "1.0.0/x", "latest"]
    for text in SEMVER_VALID + ours:
        if "+" in text or text.startswith("99999999999"):
            theirs.append(text)
            continue
        ref.read_version(text)
        add("version", text[:60], "A version.", document=text, expect="accept", derived={"text": text})
    for text in SEMVER_INVALID + theirs:
        try:
            ref.read_version(text)
            raise AssertionError(text)
        except ref.Refused as refused:
            add("version", repr(text[:60]), "Not a version here.", document=text,
                expect={"code": refused.code})
    ordered = [
        ("semver.org section 11", ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
                                   "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0"]),
        ("numbers", ["0.9.9", "0.9.10", "0.10.0", "1.0.0", "2.0.0", "2.1.0", "2.1.1", "10.0.0"]),
        ("numbers before words", ["1.0.0-0", "1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0--1", "1.0.0-1a",
                                  "1.0.0-A", "1.0.0-a"]),
        ("shorter first", ["1.0.0-a", "1.0.0-a.0", "1.0.0-a.0.0", "1.0.0-a.a"]),
        ("ASCII order", ["1.0.0--", "1.0.0-A", "1.0.0-Z", "1.0.0-a", "1.0.0-z"]),
    ]
    for label, texts in ordered:
        assert sorted(texts[::-1], key=ref.version_key) == texts, label
        add("version-order", label, "Strictly increasing.", document=texts, expect="accept")


def digests():
    for message in ("", "abc"):
        text = ref.sha256(message.encode())
        add("digest", f"of '{message}'", "A digest.", document=text, expect="accept",
            derived={"message": message})
    for label, text in [
        ("empty", ""), ("hexadecimal only", "0" * 64), ("short", "sha256:" + "0" * 63),
        ("long", "sha256:" + "0" * 65), ("upper case", "sha256:" + "A" * 64),
        ("algorithm in upper case", "SHA256:" + "0" * 64), ("sha512", "sha512:" + "0" * 128),
        ("letter g", "sha256:" + "0" * 63 + "g"), ("space", "sha256: " + "0" * 63),
        ("newline at the end", "sha256:" + "0" * 64 + "\n"), ("other digits", "sha256:" + "٠" * 64),
        ("full-width digits", "sha256:" + "０" * 21 + "0"), ("sign", "sha256:+" + "0" * 63),
        ("hyphen", "sha256-" + "0" * 64),
    ]:
        try:
            ref.read_digest(text)
            raise AssertionError(label)
        except ref.Refused as refused:
            add("digest", label, "Not a digest.", document=text, expect={"code": refused.code})


# --- Canonical JSON ----------------------------------------------------------------------------

# RFC 8785 appendix B, and values around the edges of each notation.
NUMBER_BITS = """0000000000000000 8000000000000000 0000000000000001 8000000000000001 7fefffffffffffff
ffefffffffffffff 4340000000000000 c340000000000000 4430000000000000 44b52d02c7e14af5 44b52d02c7e14af6
44b52d02c7e14af7 444b1ae4d6e2ef4e 444b1ae4d6e2ef4f 444b1ae4d6e2ef50 3eb0c6f7a0b5ed8c 3eb0c6f7a0b5ed8d
41b3de4355555553 41b3de4355555554 41b3de4355555555 41b3de4355555556 41b3de4355555557
becbf647612f3696 43143ff3c1cb0959""".split()
RFC_TEXTS = """0 0 5e-324 -5e-324 1.7976931348623157e+308 -1.7976931348623157e+308 9007199254740992
-9007199254740992 295147905179352830000 9.999999999999997e+22 1e+23 1.0000000000000001e+23
999999999999999700000 999999999999999900000 1e+21 9.999999999999997e-7 0.000001 333333333.3333332
333333333.33333325 333333333.3333333 333333333.3333334 333333333.33333343 -0.0000033333333333333333
1424953923781206.2""".split()
MORE_NUMBERS = [0.1, 0.5, 1.5, 123.456, 1e-6, 1e-7, 1.5e-7, 100.5, 1e15, 1e16, 123456789012345680.0,
                1e20, 1.5e20, 1e22, 2**-1022, 2.2250738585072011e-308, 4.35, 0.3, 2 / 3, math.pi,
                1e300, 9007199254740991.0, 4503599627370496.5, 5e-7, 9.5e-7, 0.00001234]


def canonical_json():
    kind = "canonical-number"
    for bits, text in zip(NUMBER_BITS, RFC_TEXTS, strict=True):
        value = struct.unpack(">d", bytes.fromhex(bits))[0]
        # The Python library refuses integral values beyond 2^53; the RFC has them.
        ours = rfc8785.dumps(value).decode()
        assert ours == text, (bits, ours, text)
        add(kind, f"RFC 8785 {bits}", "RFC 8785 appendix B.", document=bits, expect="accept",
            derived={"text": text})
    for value in MORE_NUMBERS:
        bits = struct.pack(">d", value).hex()
        add(kind, f"{bits}", "An edge of a notation.", document=bits, expect="accept",
            derived={"text": rfc8785.dumps(value).decode()})

    kind = "canonical-json"
    for label, text in [
        ("RFC 8785 section 3.2.2", '{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, '
         '0.000000000000000000000000001], "string": "\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/", '
         '"literals": [null, true, false]}'),
        ("RFC 8785 section 3.2.3", '{"\\u20ac": "Euro Sign", "\\r": "Carriage Return", '
         '"\\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One", "\\ud83d\\ude00": "Emoji: Grinning Face", '
         '"\\u0080": "Control", "\\u00f6": "Latin Small Letter O With Diaeresis"}'),
        ("white space", ' \t\r\n[ 1 , 2 , { "a" : [ ] } ] \n'),
        ("empty containers", '{"b":{},"a":[]}'),
        ("scalar at the top", '"x"'), ("number at the top", "1.50"), ("null at the top", "null"),
        ("minus zero", "[-0, -0.0, 0e5]"), ("underflow", "[1e-400]"),
        ("largest integers", "[9007199254740991,-9007199254740991]"),
        ("large number with exponent", "[1e300,1E+2,1e-2]"),
        ("surrogate pair", '"\\ud834\\udd1e"'), ("noncharacter", '"\uffff\ufffe"'),
        ("NUL escaped", '"\\u0000"'), ("delete and C1", '"\x7f\x80"'),
        ("32 levels", "[" * 32 + "]" * 32),
        ("combining marks stay", '{"e\\u0301":"\\u00e9","e":1}'),
    ]:
        value = ref.parse(text.encode(), kind)
        add(kind, label, "Any JSON text, and its canonical form.", document=text, expect="accept",
            derived={"canonical": canonical(value)})
    malformed, duplicate = "json.malformed", "json.duplicate-name"
    for label, text, code in [
        ("empty", "", malformed), ("space only", "  ", malformed), ("comma at the end", "[1,]", malformed),
        ("comma at the end of an object", '{"a":1,}', malformed), ("missing comma", "[1 2]", malformed),
        ("missing colon", '{"a" 1}', malformed), ("name without quotes", "{a:1}", malformed),
        ("number as name", "{1:2}", malformed), ("single quotes", "'a'", malformed),
        ("comment", "[1] // x", malformed), ("leading zero", "[01]", malformed),
        ("plus sign", "[+1]", malformed), ("no digit before the point", "[.5]", malformed),
        ("no digit after the point", "[1.]", malformed), ("no digit in the exponent", "[1e]", malformed),
        ("hexadecimal", "[0x10]", malformed), ("minus only", "[-]", malformed),
        ("NaN", "[NaN]", malformed), ("Infinity", "[Infinity]", malformed), ("overflow", "[1e400]", malformed),
        ("integer 2^53", "[9007199254740992]", malformed),
        ("integer of 400 digits", "[" + "9" * 400 + "]", malformed),
        ("literal cut off", "[tru]", malformed), ("literal in upper case", "[True]", malformed),
        ("string without end", '"abc', malformed), ("string ending in an escape", '"abc\\', malformed),
        ("unknown escape", '"\\x41"', malformed), ("short escape", '"\\u12"', malformed),
        ("escape with a sign", '"\\u+123"', malformed), ("escape cut off", '"\\u', malformed),
        ("lone high surrogate", '"\\ud800"', malformed), ("lone low surrogate", '"\\udc00"', malformed),
        ("high surrogate and letter", '"\\ud800a"', malformed),
        ("two high surrogates", '"\\ud800\\ud800"', malformed),
        ("newline in a string", '"a\nb"', malformed), ("tab in a string", '"a\tb"', malformed),
        ("NUL in a string", '"a\x00b"', malformed), ("form feed between values", "[1,\f2]", malformed),
        ("no-break space between values", "[1,\u00a02]", malformed), ("byte order mark", "\ufeff[]", malformed),
        ("two documents", "[][]", malformed), ("closing bracket only", "]", malformed),
        ("mismatched brackets", "[}", malformed), ("object without end", '{"a":1', malformed),
        ("duplicate name", '{"a":1,"a":1}', duplicate), ("duplicate name by escape", '{"a":1,"\\u0061":2}', duplicate),
        ("duplicate name deep", '[[{"x":{"a":1,"b":2,"a":3}}]]', duplicate),
        ("33 levels", "[" * 33 + "]" * 33, "json.too-large"),
        ("a million open brackets", [repeat("[", 1_000_000)], "json.too-large"),
        ("a million open objects", [repeat('{"":', 1_000_000)], "json.too-large"),
        ("over 4 MiB", ['"', repeat("x", 4 << 20), '"'], "json.too-large"),
        ("too many values", ["[0", repeat(",0", 1 << 20), "]"], "json.too-large"),
    ]:
        data = expand(text)
        try:
            ref.parse(data, kind)
            raise AssertionError(label)
        except ref.Refused as refused:
            assert refused.code == code, (label, refused)
        add(kind, label, "Refused by every reader.", document=text, expect={"code": code})
    for label, data in [
        ("invalid UTF-8", b'"\xff"'), ("truncated UTF-8", b'"\xe2\x82"'), ("overlong UTF-8", b'"\xc0\x80"'),
        ("surrogate in UTF-8", b'"\xed\xa0\x80"'), ("beyond U+10FFFF", b'"\xf4\x90\x80\x80"'),
        ("UTF-16", '["a"]'.encode("utf-16-le")), ("invalid UTF-8 in a name", b'{"\x80":1}'),
    ]:
        try:
            ref.parse(data, kind)
            raise AssertionError(label)
        except ref.Refused as refused:
            assert refused.code == malformed, (label, refused)
        add(kind, label, "Not UTF-8 text.", documentBase64=base64.b64encode(data).decode(),
            expect={"code": malformed})


# --- OCI index.json ----------------------------------------------------------------------------


def image_index():
    kind = "image-index"

    def entry(name, **fields):
        return {"annotations": {ref.REF_NAME: name}, "artifactType": ref.RELEASE,
                "digest": digest_of(name), "mediaType": ref.MANIFEST, "size": 700, **fields}

    def index_of(*entries):
        return {"manifests": list(entries), "mediaType": "application/vnd.oci.image.index.v1+json",
                "schemaVersion": 2}

    accept(kind, "empty", "An image layout that holds nothing.", index_of())
    accept(kind, "two releases", "In order of name and version.",
           index_of(entry("ami/ball-drop:1.0.0"), entry("ami/ball-drop:1.10.0"), entry("meta/v-jepa:1.0.0")))
    accept(kind, "written by another tool", "Indented, unordered, with names of the tool's own.",
           json.dumps({**index_of(entry("b/x:1.0.0"), entry("a/x:1.0.0")), "annotations": {"a": ""}}, indent=1),
           rewrites=False)
    accept(kind, "foreign entries", "Other artifacts are skipped, whatever their descriptors hold.",
           index_of({"digest": "sha512:" + "0" * 128, "mediaType": ref.MANIFEST, "size": 1,
                     "annotations": {ref.REF_NAME: "latest", "empty": ""}},
                    {"artifactType": "application/x"}, entry("a/x:1.0.0"), {**entry("a/y:1.0.0"), "annotations": {}}),
           rewrites=False)
    data = lambda name: entry(name, artifactType=ref.DATASET)
    accept(kind, "data sets", "Data sets are releases: they are listed beside models.",
           index_of(entry("ami/ball-drop:1.0.0"), data("ami/drops:1.0.0"), data("ami/drops:1.1.0"),
                    entry("meta/v-jepa:1.0.0")))
    accept(kind, "data set before models", "In order of name and version, whatever the kind.",
           index_of(data("b/x:1.0.0"), entry("a/x:1.0.0")), rewrites=False)
    accept(kind, "attachments and later data sets", "Other artifact types are skipped.",
           index_of(entry("a/x:1.0.0", artifactType="application/vnd.in-toto+json"),
                    entry("a/y:1.0.0", artifactType=ref.DATASET[:-1] + "2"), data("a/z:1.0.0"),
                    entry("latest", artifactType=5)), rewrites=False)
    for label, value in [
        ("data set without version", data("ami/drops")),
        ("data set with a malformed digest", {**data("a/b:1.0.0"), "digest": "sha256:0"}),
        ("release without version", entry("ami/ball-drop")),
        ("release of a channel", entry("ami/ball-drop:stable")),
        ("release with a host", entry("host/ami/ball-drop:1.0.0")),
        ("release with a tag only", entry("1.0.0")),
        ("release with a malformed digest", entry("a/b:1.0.0", digest="sha256:0")),
        ("release without size", {k: v for k, v in entry("a/b:1.0.0").items() if k != "size"}),
        ("entry a string", "x"),
    ]:
        refuse(kind, label, f"{label}.", index_of(value), FIELD)
    refuse(kind, "manifests missing", "Not an image index.", {"schemaVersion": 2}, FIELD)
    refuse(kind, "duplicate names", "A name twice.", '{"manifests":[],"manifests":[]}', "json.duplicate-name")
    refuse(kind, "not JSON", "An HTML page.", "<html></html>", "json.malformed")


# --- Writing -----------------------------------------------------------------------------------


def main():
    check = "--check" in sys.argv[1:]
    for build in (registry, index, manifest, record, dataset, paths, blocks, cuts, layouts, references,
                  versions, digests, canonical_json, image_index):
        build()
    stale = []
    for kind, vectors in suites.items():
        path = HERE / f"{kind}.json"
        lines = ",\n".join(json.dumps(vector, ensure_ascii=True) for vector in vectors)
        text = f'{{"kind": "{kind}", "specification": "registry/SPEC.md", "vectors": [\n{lines}\n]}}\n'
        if check:
            if not path.exists() or path.read_text() != text:
                stale.append(path.name)
        else:
            path.write_text(text)
        accepted = sum(vector["expect"] == "accept" for vector in vectors)
        print(f"{kind}: {accepted} accepting, {len(vectors) - accepted} refusing")
    if stale:
        sys.exit("out of date: " + ", ".join(stale))


if __name__ == "__main__":
    main()
