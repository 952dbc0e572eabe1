# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Compares ami-zoo with torch on random checkpoints and on mutants of them.

    differential.py --ami-zoo PATH --count N --seed S      compare; exit status 1 if a count that must be 0 is not
    differential.py --write FILE --count N --seed S        store a sample with torch's verdicts (--ami-zoo is optional)

torch reads files only in torchfile.run_torch: weights_only, in a child process with limits.
"""

import argparse
import base64
import collections
import io
import json
import os
import pickletools
import random
import re
import struct
import subprocess
import sys
import tempfile
import zipfile

import torch

from torchfile import DTYPES, Member, describe, glob, integer, run_torch, save_legacy, save_zip, zip_file

# ------------------------------------------------------------------------------------ legal checkpoints

TWELVE = list(DTYPES)[:12]
WORDS = ["encoder", "predictor", "target_encoder", "module", "blocks", "weight", "bias", "norm1", "attn.qkv", "pos_embed", "h\u00e9", "0", "step", "lr", "\u4e16"]


class Maker:
    def __init__(self, rng):
        self.rng, self.pool, self.budget = rng, [], rng.randint(1, 6)

    def flat(self, count, dtype):
        if dtype == torch.bool:
            return torch.tensor([bool(self.rng.getrandbits(1)) for _ in range(count)], dtype=dtype)
        if count == 0:
            return torch.empty(0, dtype=dtype)
        return torch.frombuffer(bytearray(self.rng.randbytes(count * dtype.itemsize)), dtype=dtype)

    def tensor(self):
        rng = self.rng
        if self.pool and rng.random() < 0.25:  # another view of an existing storage
            base = rng.choice(self.pool)
        else:
            base = self.flat(rng.choice([0, 1, 2, 3, 4, 6, 8, 12, 24]), rng.choice(TWELVE))
            self.pool.append(base)
        n = base.numel()
        kind = rng.randrange(8)
        t = base
        if kind == 1 and n:
            t = base[rng.randrange(n)]
        elif kind == 2 and n > 1:
            t = base[rng.randrange(n) :: rng.randint(1, 3)]
        elif kind == 3 and n:
            rows = rng.choice([d for d in range(1, n + 1) if n % d == 0])
            t = base.reshape(rows, n // rows)
            t = t.t() if rng.getrandbits(1) else t
        elif kind == 4 and n:
            t = base[: rng.randint(1, n)].unsqueeze(0).expand(rng.randint(1, 4), -1)
        elif kind == 5 and n > 2:
            t = base.as_strided((2, rng.randint(1, n - 1)), (1, 1))
        elif kind == 6 and n and n % 4 == 0:
            t = base.reshape(2, 2, n // 4).permute(rng.sample([0, 1, 2], 3))
        elif kind == 7 and rng.getrandbits(1):
            t = base.reshape(n, 1, 1)[:, :0]
        if rng.random() < 0.15:
            return torch.nn.Parameter(t, requires_grad=t.is_floating_point() and bool(rng.getrandbits(1)))
        return t

    def leaf(self):
        rng = self.rng
        return rng.choice([
            None, True, False, rng.randint(0, 300), rng.randint(-(2**40), 2**40), rng.random(), rng.choice(WORDS), "",
            torch.Size([2, 3]), torch.float16, torch.device("cpu"), (), [], {},
        ])  # fmt: skip

    def tree(self, depth=0):
        rng = self.rng
        if self.budget and rng.random() < (0.25 if depth == 0 else 0.55):
            self.budget -= 1
            if depth:
                return self.tensor()
        if depth == 0 or (depth < 4 and rng.random() < 0.5):
            children = [self.tree(depth + 1) for _ in range(rng.randint(1, 4))]
            shape = rng.choice(["dict", "dict", "ordered", "ordered", "list", "tuple"])
            if shape == "list":
                return children
            if shape == "tuple":
                return tuple(children)
            keys = rng.sample(WORDS, len(children))
            if rng.random() < 0.15:
                keys = rng.sample(range(300), len(children))
            if shape == "dict":
                return dict(zip(keys, children))
            ordered = collections.OrderedDict(zip(keys, children))
            if rng.random() < 0.4:
                ordered._metadata = collections.OrderedDict({"": {"version": 1}})
            return ordered
        return self.leaf()


def original(rng):
    """(bytes, container, protocol, tensors)"""
    obj = Maker(rng).tree()
    container = "zip" if rng.random() < 0.75 else "legacy"
    protocol = 4 if rng.random() < 0.15 else 2
    data = save_zip(obj, protocol) if container == "zip" else save_legacy(obj, protocol)
    return data, container, protocol, describe(obj)[0]


# ------------------------------------------------------------------------------------ mutants

GLOBALS = [
    ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("subprocess", "Popen"), ("torch", "load"), ("torch.hub", "load"), ("torch._utils", "_rebuild_qtensor"),
    ("torch._utils", "_rebuild_parameter"), ("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_tensor_v3"), ("torch._utils", "_rebuild_tensor"), ("collections", "OrderedDict"),
    ("collections", "Counter"), ("torch", "Size"), ("torch", "device"), ("torch", "float32"), ("torch", "FloatStorage"), ("torch", "DoubleStorage"), ("torch", "HalfStorage"), ("torch", "LongStorage"),
    ("torch", "BoolStorage"), ("torch", "ComplexFloatStorage"), ("torch.storage", "UntypedStorage"), ("torch.storage", "TypedStorage"), ("torch", "Tensor"), ("torch.nn.parameter", "Parameter"),
    ("builtins", "set"), ("__builtin__", "set"), ("torch", "QInt8Storage"), ("numpy", "dtype"),
]  # fmt: skip
NO_ARGUMENT = [o.code.encode("latin1") for o in pickletools.opcodes if o.arg is None]
NUMBERS = [0, 1, 2, 3, 4, 7, 8, 16, 255, 256, 65535, 65536, -1, -2, 2**31 - 1, -(2**31), 2**32, 2**62, 2**63 - 1, 2**63, 2**64, 2**64 + 1]


def split(pickle_bytes):
    """Returns the instructions of a pickle as [name, argument, bytes]."""
    ops = [(op.name, arg, pos) for op, arg, pos in pickletools.genops(pickle_bytes)]
    ends = [pos for _, _, pos in ops[1:]] + [len(pickle_bytes)]
    return [[name, arg, pickle_bytes[pos:end]] for (name, arg, pos), end in zip(ops, ends)]


def mutate_ops(pickle_bytes, rng):
    """Makes one or two changes to the instructions. Returns the name of the last change and the bytes."""
    ops = split(pickle_bytes)
    label = ""
    for _ in range(rng.choice([1, 1, 1, 2])):
        i = rng.randrange(len(ops))
        label = rng.choice(["remove", "double", "swap", "insert", "number", "number", "number", "global", "text", "flip", "memo", "copy"])
        if label == "remove":
            del ops[i]
        elif label == "double":
            ops.insert(i, list(ops[i]))
        elif label == "swap":
            j = rng.randrange(len(ops))
            ops[i], ops[j] = ops[j], ops[i]
        elif label == "copy":
            ops.insert(i, list(rng.choice(ops)))
        elif label == "insert":
            new = rng.choice([rng.choice(NO_ARGUMENT), bytes([rng.randrange(256)]), integer(rng.choice(NUMBERS)), glob(*rng.choice(GLOBALS)), b"h" + bytes([rng.randrange(12)])])
            ops.insert(i, ["new", None, new])
        elif label == "flip":
            b = bytearray(ops[i][2])
            b[rng.randrange(len(b))] ^= 1 << rng.randrange(8)
            ops[i][2] = bytes(b)
        else:
            wanted = {"number": ("BININT", "BININT1", "BININT2", "LONG1"), "global": ("GLOBAL",), "text": ("BINUNICODE", "SHORT_BINUNICODE"),
                      "memo": ("BINGET", "BINPUT", "LONG_BINGET", "LONG_BINPUT")}[label]  # fmt: skip
            there = [op for op in ops if op[0] in wanted and op[2]]
            if not there:
                continue
            op = rng.choice(there)
            if label == "number" and isinstance(op[1], int):
                op[2] = integer(rng.choice(NUMBERS + [op[1] + 1, op[1] - 1, op[1] * 2]))
            elif label == "global":
                op[2] = glob(*rng.choice(GLOBALS))
            elif label == "memo":
                op[2] = op[2][:1] + bytes([rng.randrange(24)]) + op[2][2:]
            elif label == "text":
                new = rng.choice(["storage", "0", "1", "cpu", "", "module", "../0", "weight"]).encode()
                op[2] = b"X" + struct.pack("<I", len(new)) + new
        if not ops:
            break
    return label, b"".join(op[2] for op in ops)


def mutate_bytes(data, rng, low=0, high=None):
    b = bytearray(data)
    high = len(b) if high is None else high
    for _ in range(rng.choice([1, 1, 2, 4])):
        at = rng.randrange(low, high)
        b[at] = rng.choice([b[at] ^ (1 << rng.randrange(8)), rng.randrange(256), 0, 255])
    return bytes(b)


def rebuilt(data):
    """Returns a zip file of torch as a list of members for zip_file."""
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        return [Member(i.filename, z.read(i), align=64 if "/data/" in i.filename else 1) for i in z.infolist()]


def mutate_zip(data, rng):
    kind = rng.choice(["ops", "ops", "ops", "ops", "pickle-bytes", "raw-bytes", "headers", "directory", "truncate", "member", "length", "text"])
    if kind == "raw-bytes":
        return kind, mutate_bytes(data, rng)
    if kind == "directory":  # the central directory and the end records
        return kind, mutate_bytes(data, rng, data.index(b"PK\x01\x02"))
    if kind == "truncate":
        return kind, data[: rng.randrange(4, len(data))]
    members = rebuilt(data)
    if kind == "ops":
        label, members[0].data = mutate_ops(members[0].data, rng)
        kind = f"ops/{label}"
    elif kind == "pickle-bytes":
        members[0].data = mutate_bytes(members[0].data, rng)
    elif kind == "headers":
        m = rng.choice(members)
        field = rng.choice(["flags", "local_flags", "method", "local_method", "crc", "local_crc", "size", "compressed", "local_size", "offset", "disk", "central_extra_length", "local_name", "local_extra_length"])
        m.fields[field] = m.name[:-1] + b"~" if field == "local_name" else rng.choice([0, 1, 8, 9, 16, 2048, 2057, 65535])
        kind = f"headers/{field}"
    elif kind == "member":
        i = rng.randrange(len(members))
        what = rng.choice(["drop", "double", "rename", "swap", "other-root"])
        if what == "drop":
            del members[i]
        elif what == "double":
            members.append(Member(members[i].name, members[i].data))
        elif what == "swap":
            j = rng.randrange(len(members))
            members[i].data, members[j].data = members[j].data, members[i].data
        else:
            members[i].name = members[i].name + b"x" if what == "rename" else members[i].name.replace(b"archive", b"other")
        kind = f"member/{what}"
    elif kind == "length":
        m = rng.choice([m for m in members if b"/data/" in m.name] or members)
        m.data = rng.choice([m.data[:-1], m.data + b"\0", m.data + m.data, b""])
    elif kind == "text":
        m = rng.choice([m for m in members if m.name.endswith((b"version", b"byteorder", b".format_version", b".storage_alignment"))])
        m.data = rng.choice([b"", b"0", b"1", b"3\n", b"11\n", b"99\n", b"big", b"little", b"middle", b"\xff"])
    return kind, zip_file(members, zip64=bool(rng.getrandbits(1)))


def legacy_parts(data):
    """(the five pickles, the rest)"""
    stream, parts = io.BytesIO(data), []
    for _ in range(5):
        start = stream.tell()
        collections.deque(pickletools.genops(stream), maxlen=0)
        parts.append(data[start : stream.tell()])
    return parts, data[stream.tell() :]


def mutate_legacy(data, rng):
    kind = rng.choice(["ops", "ops", "ops", "header-ops", "keys-ops", "raw-bytes", "counts", "truncate", "parts"])
    if kind == "raw-bytes":
        return kind, mutate_bytes(data, rng)
    if kind == "truncate":
        return kind, data[: rng.randrange(1, len(data))]
    parts, rest = legacy_parts(data)
    if kind.endswith("ops"):
        i = {"ops": 3, "header-ops": rng.randrange(3), "keys-ops": 4}[kind]
        label, parts[i] = mutate_ops(parts[i], rng)
        kind = f"{kind}/{label}"
    elif kind == "counts" and len(rest) >= 8:
        rest = struct.pack("<q", rng.choice([-1, 0, 1, 2, 5, 100, 2**40, 2**62])) + rest[8:]
    elif kind == "parts":
        i, j = rng.randrange(5), rng.randrange(5)
        parts[i], parts[j] = parts[j], parts[i]
    return kind, b"".join(parts) + rest


def files(count, seed, mutants):
    """Yields every file of a run: dicts with name, container, protocol, mutation (None for an original), data, tensors."""
    for n in range(count):
        rng = random.Random(f"{seed}/{n}")
        data, container, protocol, tensors = original(rng)
        yield dict(name=f"{n}", container=container, protocol=protocol, mutation=None, data=data, tensors=tensors)
        for k in range(mutants):
            label, mutant = (mutate_zip if container == "zip" else mutate_legacy)(data, rng)
            if mutant != data:
                yield dict(name=f"{n}.{k}", container=container, protocol=protocol, mutation=label, data=mutant, tensors=None)


# ------------------------------------------------------------------------------------ verdicts

SAFE_WORDS = ("Unsupported global", "unsupported GLOBAL", "Unsupported operand", "Trying to call reduce", "Can only create new object", "Can only build", "Can only append",
              "Can only extend", "Can only SETITEM", "persistent_load", "Only persistent_load", "Unsupported class", "Cannot use ``weights_only=True``", "must be imported to load")  # fmt: skip
DATA_ONLY_4 = (0x95, 0x8C, 0x8D, 0x93, 0x94, 0x42, 0x43, 0x8E)  # FRAME, texts, STACK_GLOBAL, MEMOIZE, bytes


def reason(seen):
    """'protocol-4' (data-only opcodes that torch lacks), 'safety' or 'other'."""
    message = seen.get("message", "")
    if any(re.search(rf"Unsupported operand {code}\b", message) for code in DATA_ONLY_4):
        return "protocol-4"
    return "safety" if seen.get("error") == "UnpicklingError" and any(w in message for w in SAFE_WORDS) else "other"


def essence(seen):
    """Returns the part of the message that torch itself wrote."""
    for line in seen.get("message", "").split("\n"):
        if "WeightsUnpickler error:" in line:
            return line.strip().split(" was not an allowed")[0][:160]
    parts = [p for p in seen.get("message", "").split("\n") if p.strip() and not p.startswith(("Weights only load failed", "Check the documentation", "Please file an issue"))]
    return f"{seen.get('error')}: {' '.join(parts)[:160]}"


def ordered(tensors):
    return sorted(tensors, key=lambda t: (t["name"], t["dtype"], t["shape"], t["sha256"] or ""))


def same(torchs, ours):
    """Returns whether lists of tensors are equal; digests that torch lacks are not compared."""
    if len(torchs) != len(ours):
        return False
    a, b = ordered(torchs), ordered([{**t, "sha256": t.get("sha256")} for t in ours])
    if any(t["sha256"] is None for t in a):
        a, b = ([(t["name"], t["dtype"], t["shape"]) for t in x] for x in (a, b))
        return sorted(a, key=repr) == sorted(b, key=repr)
    return all(x[k] == y[k] for x, y in zip(a, b) for k in ("name", "dtype", "shape", "sha256"))


def run_ours(program, data, folder):
    """('accepts', tensors), ('refuses', code) or ('crash', what)"""
    path = os.path.join(folder, "file.pt")
    with open(path, "wb") as f:
        f.write(data)
    try:
        done = subprocess.run([program, "inspect", path, "--json"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return "crash", "no answer in 60 seconds"
    try:
        answer = json.loads(done.stdout)
        if done.returncode == 0:
            return "accepts", [{**t, "sha256": (t.get("sha256") or "").removeprefix("sha256:") or None} for t in answer["tensors"]]
        if done.returncode == 65:
            return "refuses", answer["error"]["code"]
    except (ValueError, KeyError, TypeError) as error:
        return "crash", f"exit status {done.returncode}, and no JSON as expected: {error!r}"
    return "crash", f"exit status {done.returncode}: {done.stderr[-200:]!r}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ami-zoo", help="the program to compare with torch")
    parser.add_argument("--count", type=int, default=200, help="number of original files")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--mutants", type=int, default=6, help="number of mutants of each original")
    parser.add_argument("--write", metavar="FILE", help="store a sample of small files with torch's verdicts")
    parser.add_argument("--sample", type=int, default=300, help="number of files in the sample")
    parser.add_argument("--keep", metavar="FOLDER", help="store the files of disagreements and crashes")
    options = parser.parse_args()
    if not options.ami_zoo and not options.write:
        parser.error("nothing to do: give --ami-zoo or --write")

    tally, lists, sample = collections.Counter(), collections.defaultdict(collections.Counter), []
    failures, unexpected = [], []
    with tempfile.TemporaryDirectory() as folder:
        for file in files(options.count, options.seed, options.mutants):
            seen = run_torch(file["data"])
            tally["files"] += 1
            tally[f"torch {seen['torch']}"] += 1
            if file["mutation"] is None and (seen["torch"] == "loads") != (file["protocol"] == 2):
                unexpected.append((file["name"], essence(seen)))
            if file["mutation"] is None and seen["torch"] == "loads" and not same(file["tensors"], seen["tensors"]):
                unexpected.append((file["name"], "torch loads other tensors than were saved"))
            if options.write and seen["torch"] != "not-run":
                sample.append((file, seen))
            if not options.ami_zoo:
                continue
            verdict, detail = run_ours(options.ami_zoo, file["data"], folder)
            where = f"{file['name']} ({file['container']}, {file['mutation'] or 'original'})"
            if verdict == "crash":
                outcome = "crash of ours"
                failures.append((outcome, where, detail, file["data"]))
            elif seen["torch"] == "not-run":
                outcome = f"torch crashed or took too long, we {verdict[:-1]}"
            elif verdict == "accepts" and seen["torch"] == "loads":
                outcome = "both accept"
                if not seen["whole"]:
                    outcome = "both accept, names not defined"
                elif not same(seen["tensors"], detail):
                    outcome = "disagreement on a tensor"
                    failures.append((outcome, where, json.dumps({"torch": seen["tensors"], "ours": detail})[:1500], file["data"]))
            elif verdict == "accepts":
                kind = reason(seen)
                if kind == "protocol-4" and file["mutation"] is None:
                    outcome = "we accept a protocol 4 original (torch lacks the opcodes)"
                    if not same(file["tensors"], detail):
                        outcome = "disagreement on a tensor"
                        failures.append((outcome, where, json.dumps({"saved": file["tensors"], "ours": detail})[:1500], file["data"]))
                else:
                    outcome = f"we accept and torch refuses: {kind}"
                    lists[outcome][f"{essence(seen)}  [e.g. {file['name']}, {file['mutation']}]" if kind != "protocol-4" else "protocol 4"] += 1
            elif seen["torch"] == "loads":
                outcome = "we refuse and torch loads"
                lists[outcome][f"{detail} <- {file['mutation'] or 'ORIGINAL'}"] += 1
                if file["mutation"] is None:
                    unexpected.append((file["name"], f"we refuse an original: {detail}"))
            else:
                outcome = "both refuse"
            tally[outcome] += 1

    for name in sorted(tally):
        print(f"{tally[name]:7d}  {name}")
    for title, entries in lists.items():
        print(f"\n{title}:")
        for entry, times in entries.most_common(60):
            print(f"{times:7d}  {entry}")
    for name, what in unexpected:
        print("UNEXPECTED", name, what)
    for number, (outcome, where, detail, data) in enumerate(failures):
        print("MUST NOT BE:", outcome, where, detail)
        if options.keep:
            os.makedirs(options.keep, exist_ok=True)
            with open(os.path.join(options.keep, f"{number}.pt"), "wb") as f:
                f.write(data)
    if options.write:
        write(options, sample)
    sys.exit(1 if failures or unexpected else 0)


def write(options, sample):
    small = [(f, s) for f, s in sample if len(f["data"]) <= 2600 and (s["torch"] == "refuses" or s["whole"])]
    loads = [x for x in small if x[1]["torch"] == "loads" or x[0]["mutation"] is None]
    refuses = [x for x in small if x[1]["torch"] == "refuses" and x[0]["mutation"] is not None]
    chosen = loads[: options.sample // 2]
    chosen += refuses[: options.sample - len(chosen)]
    out = []
    for file, seen in chosen:
        entry = {"name": file["name"], "container": file["container"], "protocol": file["protocol"], "mutation": file["mutation"],
                 "bytes": base64.b64encode(file["data"]).decode(), "torch": seen["torch"]}  # fmt: skip
        if seen["torch"] == "loads":
            entry["tensors"] = ordered(seen["tensors"])
        else:
            entry["reason"] = reason(seen)
            if file["mutation"] is None:
                entry["tensors"] = ordered(file["tensors"])
        out.append(entry)
    out.sort(key=lambda e: tuple(map(int, e["name"].split("."))))
    with open(options.write, "w", encoding="utf-8") as f:
        head = json.dumps({"seed": options.seed, "count": options.count, "mutants": options.mutants})
        f.write('{"made": ' + head + ', "files": [\n' + ",\n".join(json.dumps(e) for e in out) + "\n]}\n")
    print(len(out), "files in the sample,", sum(len(e["bytes"]) for e in out), "characters of base64")


if __name__ == "__main__":
    main()
