# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes archives for the tests of foreign archives into a folder: make.py FOLDER.

Every name is EXPECTED--WHAT.EXTENSION, where EXPECTED is the error code without 'archive.', or 'ok'.
Standard library of Python 3.11 only, and zstd as a program.
"""

import gzip
import io
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

folder = Path(sys.argv[1])
CONTENT = bytes(range(256)) * 40


def write(name, data):
    (folder / name).write_bytes(data)


def info(name, size=len(CONTENT), kind=tarfile.REGTYPE, link="", mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.size, entry.type, entry.linkname, entry.mode = size, kind, link, mode
    return entry


def tar(*entries, format=tarfile.PAX_FORMAT, content=CONTENT):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for entry in entries:
            entry = info(entry) if isinstance(entry, str) else entry
            archive.addfile(entry, io.BytesIO(content[: entry.size]))
    return buffer.getvalue()


def zipped(*names, method=zipfile.ZIP_DEFLATED, content=CONTENT):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


def zstd(data, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, capture_output=True, check=True).stdout


def header(data, offset, value):
    """The first tar header with other bytes and the right checksum."""
    block = bytearray(data[:512])
    block[offset : offset + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + data[512:]


good = tar("a/model.pt", "b.txt")
for format, label in [
    (tarfile.PAX_FORMAT, "pax"),
    (tarfile.GNU_FORMAT, "gnu"),
    (tarfile.USTAR_FORMAT, "ustar"),
]:
    write(f"ok--{label}.tar", tar("a/model.pt", "b.txt", format=format))
write("ok--gzip.tar.gz", gzip.compress(good))
write("ok--zstd.tar.zst", zstd(good))
write("ok--deflated.zip", zipped("a/model.pt", "b.txt"))
write("ok--stored.zip", zipped("a/model.pt", "b.txt", method=zipfile.ZIP_STORED))
write("ok--dot-folder.tar", tar(info("./", 0, tarfile.DIRTYPE), "./a/model.pt", "./b.txt"))
write("ok--long-names.tar", tar("a/" * 20 + "x" * 200 + "/y.pt", "b.txt"))
for label, data in [("tar", tar("gewicht-ö-重み.pt", "b.txt")), ("zip", zipped("gewicht-ö-重み.pt", "b.txt"))]:
    write(f"ok--other-alphabets.{label}", data)
write("ok--setuid.tar", tar(info("a/model.pt", mode=0o6755), "b.txt"))

names = {
    "absolute": "/etc/passwd",
    "parent": "a/../../b.pt",
    "parent-only": "..",
    "inner-dot": "a/./b.pt",
    "empty-component": "a//b.pt",
    "backslash": "a\\b.pt",
    "drive": "C:/b.pt",
    "control": "a\nb.pt",
    "escape": "a\x1b[2Jb.pt",
    "long-component": "x" * 256,
    "long": "/".join(["y" * 200] * 21),
    "deep": "z/" * 32 + "b.pt",
}
for label, name in names.items():
    entry = info("NAME")
    entry.pax_headers = {"path": name}
    write(f"name-unsafe--{label}.tar", tar(entry))
    if label not in ("backslash",):
        write(f"name-unsafe--{label}.zip", zipped(name))
write("name-unsafe--not-utf8.tar", header(tar("aaaa"), 0, b"\xff\xfe\xfd\xfc"))

kinds = {
    "symbolic-link": (tarfile.SYMTYPE, "/etc/passwd"),
    "hard-link": (tarfile.LNKTYPE, "b.txt"),
    "character-device": (tarfile.CHRTYPE, ""),
    "block-device": (tarfile.BLKTYPE, ""),
    "fifo": (tarfile.FIFOTYPE, ""),
}
for label, (kind, link) in kinds.items():
    write(f"type-unsupported--{label}.tar", tar("b.txt", info("a.pt", 0, kind, link)))
link = zipfile.ZipInfo("a.pt")
link.create_system, link.external_attr = 3, 0o120777 << 16
write("type-unsupported--symbolic-link.zip", zipped(link, content=b"/etc/passwd"))
sparse = info("a.pt")
sparse.pax_headers = {
    "GNU.sparse.name": "a.pt", "GNU.sparse.numblocks": "1",
    "GNU.sparse.size": str(1 << 20), "GNU.sparse.map": "0,10240,1048576,0",
}
write("type-unsupported--sparse.tar", tar(sparse))

write("name-duplicate--same.tar", tar("a.pt", "b.txt", "a.pt"))
write("name-duplicate--case.tar", tar("Model.pt", "model.PT"))
write("name-duplicate--forms.tar", tar("\u00f6.pt", "o\u0308.pt"))
write("name-duplicate--file-and-folder.tar", tar("a", "a/b.pt"))
write("name-duplicate--case.zip", zipped("Model.pt", "model.PT"))

write("trailing-data--second-archive.tar", good + good)
write("trailing-data--byte.tar", good + b"x")
write("trailing-data--second-archive.tar.gz", gzip.compress(good + good))
write("malformed--two-parts.tar.gz", gzip.compress(good[:5000]) + gzip.compress(good[5000:]))
write("trailing-data--garbage.tar.gz", gzip.compress(good) + b"garbage")
write("trailing-data--second-archive.tar.zst", zstd(good) + zstd(good))
write("malformed--garbage.tar.zst", zstd(good) + b"garbage")
write("trailing-data--garbage.zip", zipped("a.pt") + b"garbage")

write("malformed--no-marker.tar", good[: 2 * (512 + (len(CONTENT) + 511) // 512 * 512)])
write("malformed--inside-a-file.tar", good[:4000])
write("malformed--inside-a-header.tar", good[:700])
write("malformed--checksum.tar", good[:512] + good[512:].replace(b"b.txt", b"c.txt", 1))
write("malformed--cut.tar.gz", gzip.compress(good)[:-20])
write("malformed--cut.tar.zst", zstd(good)[:-20])
write("malformed--cut.zip", zipped("a/model.pt", "b.txt")[:-30])
write("malformed--end-record-only.zip", b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 9, 9, 99, 99, 0))
extended = b"%d comment=%s\n" % (2 << 20, b"x" * ((2 << 20) - 17))
write("malformed--large-extended-header.tar", header(tar(info("p", len(extended)), content=extended), 156, b"x"))
# A window of 256 MiB: one raw block in a frame without a size (RFC 8878, section 3.1.1.1.2).
block = good[:4096]
frame = b"\x28\xb5\x2f\xfd\x00\x90" + struct.pack("<L", len(block) << 3 | 1)[:3] + block
write("malformed--large-window.tar.zst", frame)

write("format-unknown--bare.gz", gzip.compress(CONTENT))
write("format-unknown--twice.tar.gz", gzip.compress(gzip.compress(good)))
write("format-unknown--mixed.tar.zst", zstd(gzip.compress(good)))

zeros = bytes(80 << 20)
write("limit--bomb.tar.gz", gzip.compress(tar(info("a.pt", len(zeros)), content=zeros)))
write("limit--bomb.tar.zst", zstd(tar(info("a.pt", len(zeros)), content=zeros)))
write("limit--bomb.zip", zipped("a.pt", content=zeros))
many = io.BytesIO()
with tarfile.open(fileobj=many, mode="w") as archive:
    for number in range(66_000):
        archive.addfile(info(f"{number}", 0))
write("limit--members.tar.gz", gzip.compress(many.getvalue(), 1))
encrypted = bytearray(zipped("a.pt", method=zipfile.ZIP_STORED))
encrypted[6] |= 1
encrypted[encrypted.index(b"PK\1\2") + 8] |= 1
write("encrypted--flag.zip", bytes(encrypted))
