#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes vectors.json: what other programs say about Merkle trees, proofs, tiles and checkpoints.

    make.py MERKLE      (MERKLE: a checkout of github.com/transparency-dev/merkle)

- merkle: the proofs of `testdata/inclusion` and `testdata/consistency`, good and bad, at commit
  417fb0c314750d94e53942e9f92e79b6d35915db (Apache-2.0, Google LLC); numbers as text.
- logs, proofs, checkpoint: aics-tlog 0.2.1 (needs Python 3.12, or its wheel unpacked on Python 3.11) with
  cryptography. Entry i is the SHA-256 of its decimal digits, repeated i mod 40 times.

Output is the same in each run (seed 7; Ed25519 is deterministic).

    make.py --read FOLDER VKEY      reads a log with aics-tlog: its checkpoint, every tile, every entry
"""

import base64
import hashlib
import json
import pathlib
import random
import sys
import tempfile

import aics_tlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HERE = pathlib.Path(__file__).resolve().parent
SIZES = [1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 700, 66_000]


def entry(i):
    return hashlib.sha256(str(i).encode()).digest() * (i % 40)


def read(folder, vkey):
    store = aics_tlog.DirectoryTileStore(folder)
    note = aics_tlog.parse_note(store.read_checkpoint())
    result = aics_tlog.verify_checkpoint(note, aics_tlog.parse_vkey(vkey))
    assert result.ok, result.error
    report = aics_tlog.audit_tiles(store, result.size, result.root)
    print(f"{result.origin}: {result.size} entries, {report}")


def listing(folder):
    files = sorted(p for p in pathlib.Path(folder).rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def logs():
    found = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            store = aics_tlog.DirectoryTileStore(folder, fsync=False)
            writer = aics_tlog.IncrementalTileWriter(store)
            writer.append(entry(i) for i in range(size))
            files = listing(folder)
            digest = hashlib.sha256("".join(f"{k} {v}\n" for k, v in files.items()).encode()).hexdigest()
            item = {"size": size, "root": writer.root().hex(), "count": len(files), "listing": digest}
            # The files of the small ones, to see which one differs.
            if len(files) < 10:
                item["files"] = files
            found.append(item)
    return found


def proofs(tree):
    def joined(hashes):
        return hashlib.sha256(b"".join(hashes)).hexdigest()

    pairs = [(0, 1), (0, 2), (1, 2), (255, 256), (256, 257), (0, 257), (511, 512), (65_535, 65_536), (65_999, 66_000)]
    for _ in range(60):
        size = random.randrange(1, 66_001)
        pairs.append((random.randrange(size), size))
    inclusion = []
    for index, size in pairs:
        hashes = tree.inclusion_proof(index, size)
        inclusion.append({"index": index, "size": size, "root": tree.root(size).hex(), "count": len(hashes),
                          "hashes": joined(hashes)})
    pairs = [(1, 1), (1, 2), (2, 3), (255, 256), (256, 257), (256, 512), (256, 66_000), (65_536, 66_000), (66_000, 66_000)]
    for _ in range(60):
        new = random.randrange(1, 66_001)
        pairs.append((random.randrange(1, new + 1), new))
    consistency = []
    for old, new in pairs:
        hashes = tree.consistency_proof(old, new)
        consistency.append({"old": old, "new": new, "oldRoot": tree.root(old).hex(), "newRoot": tree.root(new).hex(),
                            "count": len(hashes), "hashes": joined(hashes)})
    return {"inclusion": inclusion, "consistency": consistency}


def checkpoint(tree):
    name = "zoo.example.org/log"
    seed = hashlib.sha256(b"a key that everybody knows").digest()
    key = Ed25519PrivateKey.from_private_bytes(seed)
    vkey = aics_tlog.vkey_from_ed25519(name, key.public_key())
    note = aics_tlog.sign_checkpoint(aics_tlog.Checkpoint(name, 700, tree.root(700)), key, name)
    secret = base64.b64encode(b"\x01" + seed).decode()
    return {
        "vkey": aics_tlog.format_vkey(vkey),
        "skey": f"PRIVATE+KEY+{name}+{vkey.key_id.hex()}+{secret}",
        "size": 700,
        "root": tree.root(700).hex(),
        "note": note.serialise(),
    }


def merkle(folder):
    found = {}
    for kind in ["inclusion", "consistency"]:
        files = sorted((pathlib.Path(folder) / "testdata" / kind).rglob("*.json"))
        # Numbers as text: some are beyond 2^53.
        found[kind] = [json.loads(file.read_text(), parse_int=str) for file in files]
    return found


def main():
    if sys.argv[1] == "--read":
        return read(sys.argv[2], sys.argv[3])
    random.seed(7)
    tree = aics_tlog.MerkleTree(entry(i) for i in range(66_000))
    document = {"merkle": merkle(sys.argv[1]), "logs": logs(), "proofs": proofs(tree), "checkpoint": checkpoint(tree)}
    (HERE / "vectors.json").write_text(json.dumps(document, indent=1, ensure_ascii=True) + "\n")


main()
