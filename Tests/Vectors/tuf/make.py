#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes vectors.json: what python-tuf says about canonical JSON, path patterns, hash bins and signatures.

    make.py

Versions: tuf 7.0.0, securesystemslib 1.4.0, cryptography 50.0.2. The roots of RSA and ECDSA are signed with new keys
each time; all else is the same in each run (seed 7).
"""

import datetime
import json
import pathlib
import random

from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import DelegatedRole, Metadata, Root, SuccinctRoles
from tuf.api.serialization.json import JSONSerializer

random.seed(7)
ALPHABET = ["a", "B", "0", "\"", "\\", "\n", "\x01", "é", "漢", "😀", "~", "/", " "]


def text():
    return "".join(random.choice(ALPHABET) for _ in range(random.randrange(6)))


def value(depth):
    kind = random.randrange(7 if depth else 4)
    if kind == 0:
        return random.choice([None, True, False])
    if kind == 1:
        return random.randrange(-(2**53) + 1, 2**53)
    if kind < 4:
        return text()
    if kind == 4:
        return [value(depth - 1) for _ in range(random.randrange(4))]
    return {text(): value(depth - 1) for _ in range(random.randrange(5))}


canonical = []
for _ in range(200):
    document = {"v": value(4)}
    canonical.append({"text": json.dumps(document), "canonical": encode_canonical(document)})

parts = ["a", "b", "*", "?", "a*", "*.json", "*a*b", "??", "a?b*"]
paths = ["a", "b", "ab", "a.json", "aab", "axb1", "xaybz", "index/a", "a/b", "a/b/c", ""]
patterns = []
for _ in range(400):
    pattern = "/".join(random.choice(parts) for _ in range(random.randrange(1, 4)))
    path = "/".join(random.choice(paths) for _ in range(random.randrange(1, 3)))
    role = DelegatedRole("r", [], 1, False, [pattern])
    patterns.append({"pattern": pattern, "path": path, "matches": role.is_delegated_path(path)})

bins = []
for bits in (1, 4, 5, 8, 14, 31, 32):
    roles = SuccinctRoles([], 1, bits, "bin")
    for _ in range(10):
        path = f"index/{text().strip()}x.json"
        bins.append({"bits": bits, "path": path, "role": roles.get_role_for_target(path)})

roots = []
for name, signer in (
    ("rsa", CryptoSigner.generate_rsa()),
    ("ecdsa", CryptoSigner.generate_ecdsa()),
    ("ed25519", CryptoSigner.generate_ed25519()),
):
    root = Root(expires=datetime.datetime(2040, 1, 1, tzinfo=datetime.timezone.utc))
    for role in ("root", "timestamp", "snapshot", "targets"):
        root.add_key(signer.public_key, role)
    root.unrecognized_fields["x-note"] = "é \n \" 漢"
    document = Metadata(root)
    document.sign(signer)
    roots.append({"name": name, "document": document.to_bytes(JSONSerializer(compact=False)).decode()})

out = {"canonical": canonical, "patterns": patterns, "bins": bins, "roots": roots}
(pathlib.Path(__file__).parent / "vectors.json").write_text(json.dumps(out, indent=1, ensure_ascii=True) + "\n")
