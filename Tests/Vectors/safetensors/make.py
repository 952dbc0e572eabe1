#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes safetensors files that break one rule each, unusual but valid files, and cases.json.

cases.json states for each file the error code of ami-zoo (null: accepted) and whether the Python library accepts
it, as observed. `why` explains why ami-zoo refuses a file that the library accepts.

    make.py            writes the files beside this script (safetensors 0.8.0)
"""

import json
import pathlib
import struct

import safetensors

FOLDER = pathlib.Path(__file__).parent
CASES = []


def entry(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def file(header, data, length=None):
    """Writes a file with a raw header text and data; `length` overrides the declared length."""
    if not isinstance(header, (str, bytes)):
        header = json.dumps(header, separators=(",", ":"))
    if isinstance(header, str):
        header = header.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def case(name, content, code, why=None):
    (FOLDER / f"{name}.safetensors").write_bytes(content)
    try:
        with safetensors.safe_open(FOLDER / f"{name}.safetensors", "np") as opened:
            [opened.get_slice(key).get_shape() for key in opened.keys()]
        library = True
    except Exception:
        library = False
    assert library or code is not None, f"{name}: the library refuses what we accept"
    assert not (library and code) or why, f"{name}: stricter than the library without a reason"
    CASES.append({"file": f"{name}.safetensors", "code": code and f"checkpoint.safetensors-{code}",
                  "libraryAccepts": library, **({"why": why} if why else {})})


four = b"\0\0\x80\x3f"  # 1.0
one = {"a": entry([1], 0, 4)}

# MARK: valid
case("ok-one", file(one, four), None)
case("ok-scalar", file({"a": entry([], 0, 4)}, four), None)
case("ok-no-tensors", file({}, b""), None)
case("ok-empty-tensor", file({"a": entry([0, 3], 0, 0), "b": entry([1], 0, 4)}, four), None)
case("ok-empty-tensor-last", file({"a": entry([0], 4, 4), "b": entry([1], 0, 4)}, four), None)
case("ok-metadata", file({"__metadata__": {"format": "pt", "naïve": "ü"}, **one}, four), None)
case("ok-trailing-spaces", file(json.dumps(one) + "   \n\t", four), None)
case("ok-unaligned", file({"a": entry([1], 0, 1, "U8"), "b": entry([1], 1, 5)}, b"\x07" + four), None)
case("ok-extra-field", file({"a": {**one["a"], "note": [1, {"b": None}]}}, four), None)
case("ok-reversed-names", file({"b": entry([1], 4, 8), "a": entry([1], 0, 4)}, four + four), None)
case("ok-not-a-number", file(one, b"\xff\xff\xff\xff"), None)
case("ok-all-types", file(
    {f"t{i}": entry([8], 8 * sum(w for _, w in before), 8 * (sum(w for _, w in before) + width), dtype)
     for types in [[("BOOL", 1), ("U8", 1), ("I8", 1), ("F8_E5M2", 1), ("F8_E4M3", 1), ("F8_E8M0", 1),
                    ("F8_E4M3FNUZ", 1), ("F8_E5M2FNUZ", 1), ("I16", 2), ("U16", 2), ("F16", 2), ("BF16", 2),
                    ("I32", 4), ("U32", 4), ("F32", 4), ("I64", 8), ("U64", 8), ("F64", 8), ("C64", 8)]]
     for i, (dtype, width) in enumerate(types) for before in [types[:i]]}, bytes(8 * 60)), None)
case("ok-four-bit", file({"a": entry([2], 0, 1, "F4"), "b": entry([4], 1, 4, "F6_E2M3"),
                          "c": entry([4], 4, 7, "F6_E3M2")}, bytes(7)), None)

# MARK: the header as a whole
case("empty-file", b"", "header-truncated")
case("seven-bytes", bytes(7), "header-truncated")
case("header-beyond-file", file(one, b"", length=1000), "header-truncated")
case("header-too-large", file(one, four, length=100_000_001), "header-too-large")
case("header-length-huge", file(one, four, length=2**64 - 1), "header-too-large")
case("header-empty", file("", b""), "header-malformed")
case("header-array", file("[]", b""), "header-malformed")
case("header-null", file("null", b""), "header-malformed")
case("header-leading-space", file(" " + json.dumps(one), four), "header-malformed",
     "the format's README says that a header begins with '{'")
case("header-byte-order-mark", file(b"\xef\xbb\xbf" + json.dumps(one).encode(), four), "header-malformed")
case("header-nul-padding", file(json.dumps(one) + "\0\0", four), "header-malformed")
case("header-not-utf8", file(b'{"\xff":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', four),
     "header-malformed")
case("header-comment", file(json.dumps(one)[:-1] + "/**/}", four), "header-malformed")
case("header-trailing-comma", file(json.dumps(one)[:-1] + ",}", four), "header-malformed")
case("header-second-document", file(json.dumps(one) + "{}", four), "header-malformed")
case("header-deep", file('{"a":' * 20000 + "1" + "}" * 20000, b""), "header-malformed")
case("header-huge-integer", file('{"a":{"dtype":"F32","shape":[%d],"data_offsets":[0,4]}}' % 2**70, four),
     "header-malformed")

# MARK: names
twice = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"%s","shape":[1],"data_offsets":[%s]}}'
reason = "the format's README forbids duplicate keys; the library lets the last one win"
case("duplicate-tensor", file(twice % ("I32", "0,4"), four), "duplicate-key", reason)
case("duplicate-tensor-elsewhere", file(twice % ("F32", "4,8"), four + four), "duplicate-key")
case("duplicate-escaped", file((twice % ("F32", "0,4")).replace(',"a":', ',"\\u0061":'), four),
     "duplicate-key", reason)
case("duplicate-metadata-key", file('{"__metadata__":{"k":"1","k":"2"}}', b""), "duplicate-key", reason)
case("duplicate-field", file('{"a":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}', four),
     "duplicate-key")
case("name-empty", file({"": entry([1], 0, 4)}, four), "name-invalid", "an empty name cannot be asked for")
case("name-nul", file({"a\0b": entry([1], 0, 4)}, four), "name-invalid", "C programs would cut the name")
case("name-newline", file({"a\nb": entry([1], 0, 4)}, four), "name-invalid", "it would break listings")
case("name-metadata-case", file({"__METADATA__": entry([1], 0, 4)}, four), "name-invalid",
     "it reads like the metadata and is a tensor")

# MARK: entries
case("entry-not-object", file({"a": 1}, b""), "entry-invalid")
case("dtype-missing", file({"a": {"shape": [1], "data_offsets": [0, 4]}}, four), "entry-invalid")
case("dtype-number", file({"a": entry([1], 0, 4, 32)}, four), "entry-invalid")
case("dtype-unknown", file({"a": entry([1], 0, 4, "F33")}, four), "dtype-unknown")
case("dtype-lower-case", file({"a": entry([1], 0, 4, "f32")}, four), "dtype-unknown")
case("shape-missing", file({"a": {"dtype": "F32", "data_offsets": [0, 4]}}, four), "entry-invalid")
case("shape-number", file({"a": {**entry([], 0, 4), "shape": 1}}, four), "entry-invalid")
case("shape-fraction", file('{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}', four), "entry-invalid")
case("shape-exponent", file('{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}', four), "entry-invalid")
case("shape-negative", file({"a": entry([-1], 0, 4)}, four), "shape-invalid")
case("shape-overflow", file({"a": entry([2**40, 2**40], 0, 4)}, four), "shape-invalid")
case("shape-overflow-to-zero", file({"a": entry([2**32, 2**32], 0, 0)}, b""), "shape-invalid")
case("shape-overflow-in-bits", file({"a": entry([2**52, 2**7], 0, 4, "F64")}, four), "shape-invalid")
case("shape-too-deep", file({"a": entry([1] * 65, 0, 4)}, four), "shape-invalid",
     "no program computes with more than 64 extents")
case("offsets-missing", file({"a": {"dtype": "F32", "shape": [1]}}, four), "entry-invalid")
case("offsets-one", file({"a": {**one["a"], "data_offsets": [0]}}, four), "offsets-invalid")
case("offsets-three", file({"a": {**one["a"], "data_offsets": [0, 4, 4]}}, four), "offsets-invalid")
case("offsets-reversed", file({"a": entry([1], 4, 0)}, four), "offsets-invalid")
case("offsets-negative", file({"a": entry([1], -4, 0)}, four), "offsets-invalid")
case("size-short", file({"a": entry([2], 0, 4)}, four), "size-mismatch")
case("size-long", file({"a": entry([1], 0, 8)}, four + four), "size-mismatch")
case("size-half-byte", file({"a": entry([3], 0, 2, "F4")}, bytes(2)), "size-mismatch")
case("metadata-number", file({"__metadata__": {"a": 1}}, b""), "metadata-invalid")
case("metadata-array", file({"__metadata__": []}, b""), "metadata-invalid")

# MARK: the layout of the data
case("offsets-overlap", file({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, four * 3), "offsets-overlap")
case("offsets-same", file({"a": entry([1], 0, 4), "b": entry([1], 0, 4)}, four), "offsets-overlap")
case("offsets-gap", file({"a": entry([1], 0, 4), "b": entry([1], 8, 12)}, four * 3), "offsets-gap")
case("offsets-not-at-zero", file({"a": entry([1], 4, 8)}, four + four), "offsets-gap")
case("empty-tensor-inside", file({"a": entry([2], 0, 8), "b": entry([0], 4, 4)}, four * 2), "offsets-overlap")
case("empty-tensor-beyond", file({"a": entry([1], 0, 4), "b": entry([0], 8, 8)}, four), "offsets-gap")
case("data-truncated", file({"a": entry([2], 0, 8)}, four), "data-truncated")
case("data-missing", file(one, b""), "data-truncated")
case("trailing-bytes", file(one, four + b"\0"), "trailing-bytes")
case("trailing-bytes-only", file({}, b"\0"), "trailing-bytes")
case("bool-two", file({"a": entry([2], 0, 2, "BOOL")}, b"\1\2"), "bool-invalid",
     "programs disagree on what a BOOL of 2 is")

(FOLDER / "cases.json").write_text(json.dumps(
    {"origin": "make.py", "licence": "Apache-2.0", "safetensors": safetensors.__version__, "cases": CASES},
    indent=2, ensure_ascii=False) + "\n")
print(len(CASES), "cases")
