# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Functions that write torch checkpoints byte by byte, and the only function that passes them to torch.

This process never unpickles. Only `run_torch` reads a checkpoint, with `torch.load(weights_only=True)`
in a child process that has a time limit and a memory limit.
"""

import hashlib
import io
import json
import os
import pickle
import resource
import select
import signal
import struct
import tempfile
import warnings
import zlib

import torch

torch.set_num_threads(1)

# ---------------------------------------------------------------------------------------- pickle pieces

PROTO2 = b"\x80\x02"
MARK, STOP, REDUCE, BUILD, NEWOBJ, PERSID = b"(", b".", b"R", b"b", b"\x81", b"Q"
MAGIC = 0x1950A86A20F9469CFC6C


def glob(module, name):
    """GLOBAL. Both parts are text or bytes."""
    encode = lambda s: s if isinstance(s, bytes) else s.encode("utf-8")
    return b"c" + encode(module) + b"\n" + encode(name) + b"\n"


def text(s):
    """BINUNICODE."""
    b = s if isinstance(s, bytes) else s.encode("utf-8")
    return b"X" + struct.pack("<I", len(b)) + b


def integer(n):
    """The shortest of BININT1, BININT2, BININT and LONG1."""
    if 0 <= n < 256:
        return b"K" + bytes([n])
    if 0 <= n < 65536:
        return b"M" + struct.pack("<H", n)
    if -(2**31) <= n < 2**31:
        return b"J" + struct.pack("<i", n)
    raw = n.to_bytes(n.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def value(v):
    """A plain value: None, bool, int, float, text, tuple, list, dict. Bytes are opcodes already."""
    if isinstance(v, bytes):
        return v
    if v is None:
        return b"N"
    if v is True or v is False:
        return b"\x88" if v else b"\x89"
    if isinstance(v, int):
        return integer(v)
    if isinstance(v, float):
        return b"G" + struct.pack(">d", v)
    if isinstance(v, str):
        return text(v)
    if isinstance(v, tuple):
        return b"(" + b"".join(map(value, v)) + b"t" if v else b")"
    if isinstance(v, list):
        return b"]" + (b"(" + b"".join(map(value, v)) + b"e" if v else b"")
    if isinstance(v, dict):
        body = b"".join(value(k) + value(x) for k, x in v.items())
        return b"}" + (b"(" + body + b"u" if v else b"")
    raise TypeError(type(v))


def call(function, *arguments):
    return function + value(tuple(arguments)) + REDUCE


EMPTY_ORDERED = call(glob("collections", "OrderedDict"))


def storage(kind="FloatStorage", key="0", location="cpu", numel=4, module="torch"):
    """BINPERSID of a storage. `kind` may be opcodes."""
    kind = kind if isinstance(kind, bytes) else glob(module, kind)
    return value(("storage", kind, key, location, numel)) + PERSID


def tensor(store=None, offset=0, size=(4,), stride=(1,), requires_grad=False, hooks=EMPTY_ORDERED, *more):
    """`_rebuild_tensor_v2`."""
    store = storage() if store is None else store
    return call(glob("torch._utils", "_rebuild_tensor_v2"), store, offset, size, stride, requires_grad, hooks, *more)


def tensor_v3(store, offset, size, stride, dtype="float32", hooks=EMPTY_ORDERED, *more):
    dtype = dtype if isinstance(dtype, bytes) else glob("torch", dtype)
    return call(glob("torch._utils", "_rebuild_tensor_v3"), store, offset, size, stride, False, hooks, dtype, *more)


def parameter(of, requires_grad=True, hooks=EMPTY_ORDERED):
    return call(glob("torch._utils", "_rebuild_parameter"), of, requires_grad, hooks)


def program(body, head=PROTO2):
    return head + value(body) + STOP


# ---------------------------------------------------------------------------------------- zip pieces


class Member:
    """One member. Every header field can be set separately; None means the correct value."""

    def __init__(self, name, data=b"", **fields):
        self.name = name if isinstance(name, bytes) else name.encode("utf-8")
        self.data = data
        self.packed = fields.pop("stored", None)  # bytes in the file, when they differ (compression)
        self.align = fields.pop("align", 1)
        self.descriptor = fields.pop("descriptor", True)  # torch writes every size after the data
        self.fields = fields

    @property
    def stored(self):
        return self.data if self.packed is None else self.packed

    def get(self, name, default):
        v = self.fields.get(name)
        return default if v is None else v


def zip_file(members, *, prefix=b"", suffix=b"", comment=b"", zip64=False, gap=b"", **end):
    """Returns a zip file in the layout of torch's writer: STORED, flag 0x0808, zero sizes in the local
    header, a data descriptor after each member. `end` overrides fields of the end record."""
    out = bytearray(prefix)
    central = bytearray()
    for m in members:
        crc, size, stored = zlib.crc32(m.data), len(m.data), len(m.stored)
        offset = len(out)
        base_flags = 0x0808 if m.descriptor else 0x0800
        method = m.get("method", 0)
        local_name = m.get("local_name", m.name)
        extra = m.get("local_extra", b"")
        if m.align > 1:
            start = offset + 30 + len(local_name) + 4
            pad = -start % m.align
            extra = b"FB" + struct.pack("<H", pad) + b"Z" * pad
        out += struct.pack(
            "<IHHHHHIIIHH",
            m.get("local_signature", 0x04034B50),
            m.get("local_version", 0),
            m.get("local_flags", m.get("flags", base_flags)),
            m.get("local_method", method),
            0,
            0,
            m.get("local_crc", 0 if m.descriptor else m.get("crc", crc)),
            m.get("local_compressed", 0 if m.descriptor else stored),
            m.get("local_size", 0 if m.descriptor else size),
            len(local_name),
            m.get("local_extra_length", len(extra)),
        )
        out += local_name + extra + m.stored
        if m.descriptor and m.get("write_descriptor", True):
            out += struct.pack(
                "<IIII",
                0x08074B50,
                m.get("descriptor_crc", m.get("crc", crc)),
                m.get("descriptor_compressed", stored),
                m.get("descriptor_size", size),
            )
        central_extra = m.get("central_extra", b"")
        member_comment = m.get("comment", b"")
        if not m.get("listed", True):
            continue
        central += struct.pack(
            "<IHHHHHHIIIHHHHHII",
            m.get("central_signature", 0x02014B50),
            0,
            m.get("central_version", 0),
            m.get("flags", base_flags),
            method,
            0,
            0,
            m.get("crc", crc),
            m.get("compressed", stored),
            m.get("size", size),
            m.get("name_length", len(m.name)),
            m.get("central_extra_length", len(central_extra)),
            len(member_comment),
            m.get("disk", 0),
            0,
            m.get("attributes", 0),
            m.get("offset", offset),
        )
        central += m.name + central_extra + member_comment
    out += gap
    start, count = len(out), sum(1 for m in members if m.get("listed", True))
    out += central
    if zip64:
        record = len(out)
        out += struct.pack(
            "<IQHHIIQQQQ",
            0x06064B50,
            end.get("zip64_record_size", 44),
            0x2D,
            0x2D,
            0,
            0,
            end.get("zip64_count", count),
            end.get("zip64_count", count),
            end.get("zip64_length", len(central)),
            end.get("zip64_start", start),
        )
        out += struct.pack("<IIQI", 0x07064B50, 0, end.get("zip64_record", record), 1)
    out += struct.pack(
        "<IHHHHIIH",
        0x06054B50,
        end.get("disk", 0),
        end.get("disk_start", 0),
        end.get("count_here", end.get("count", count)),
        end.get("count", count),
        end.get("length", len(central)),
        end.get("start", start),
        end.get("comment_length", len(comment)),
    )
    return bytes(out) + comment + suffix


FOUR = struct.pack("<4f", 1, 2, 3, 4)


def members_of(pickle_bytes, storages=None, root="archive", version=b"3\n", byteorder=b"little"):
    storages = {"0": FOUR} if storages is None else storages
    members = [Member(f"{root}/data.pkl", pickle_bytes)]
    if byteorder is not None:
        members.append(Member(f"{root}/byteorder", byteorder))
    members += [Member(f"{root}/data/{k}", v, align=64) for k, v in storages.items()]
    if version is not None:
        members.append(Member(f"{root}/version", version))
    return members


def checkpoint(pickle_bytes, storages=None, **named):
    """Returns a complete zip checkpoint with the given pickle."""
    return zip_file(members_of(pickle_bytes, storages, **named))


# ---------------------------------------------------------------------------------------- legacy pieces


def sys_info(little=True, protocol=1001):
    return program({"protocol_version": protocol, "little_endian": little, "type_sizes": {"short": 2, "int": 4, "long": 4}})


def legacy(object_pickle, keys=("0",), storages=((4, FOUR),), *, magic=MAGIC, protocol=1001, info=None, keys_pickle=None):
    out = program(magic) + program(protocol) + (info if info is not None else sys_info()) + object_pickle
    out += keys_pickle if keys_pickle is not None else program(list(keys))
    for count, data in storages:
        out += struct.pack("<q", count) + data
    return out


def legacy_storage(kind="FloatStorage", key="0", numel=4, view=None):
    return value(("storage", glob("torch", kind), key, "cpu", numel, view)) + PERSID


def save_legacy(obj, protocol=2):
    """Returns a file like that of `torch.save(_use_new_zipfile_serialization=False)`, with storage keys
    1, 2, … instead of memory addresses."""
    seen, order = {}, []

    class Pickler(pickle.Pickler):
        def persistent_id(self, o):
            if not torch.is_storage(o):
                return None
            typed = isinstance(o, torch.storage.TypedStorage)
            raw = o._untyped_storage if typed else o
            if raw._cdata not in seen:
                seen[raw._cdata] = str(len(seen) + 1)
                order.append((raw, o.dtype.itemsize if typed else 1))
            kind = getattr(torch, o._pickle_storage_type()) if typed else type(o)
            count = o._size() if typed else o.nbytes()
            return ("storage", kind, seen[raw._cdata], "cpu", count, None)

    body = io.BytesIO()
    Pickler(body, protocol=protocol).dump(obj)
    parts = [(raw.nbytes() // width, bytes(raw.tolist())) for raw, width in order]
    dump = lambda v: pickle.dumps(v, protocol=protocol)
    info = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    out = dump(MAGIC) + dump(1001) + dump(info) + body.getvalue()
    out += dump([seen[raw._cdata] for raw, _ in order])
    return out + b"".join(struct.pack("<q", n) + data for n, data in parts)


def save_zip(obj, protocol=2):
    out = io.BytesIO()
    torch.save(obj, out, pickle_protocol=protocol)
    return out.getvalue()


# ---------------------------------------------------------------------------------------- what torch sees

DTYPES = {
    torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
    torch.bool: "BOOL", torch.complex64: "C64", torch.complex128: "C128",
    torch.uint16: "U16", torch.uint32: "U32", torch.uint64: "U64",
    torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2",
}  # fmt: skip
DIGEST_CAP = 64 << 20  # bytes of one tensor


def _entry(name, t, trusted):
    special = t.layout != torch.strided or t.is_quantized or t.is_nested or t.device.type != "cpu"
    kind = DTYPES.get(t.dtype, str(t.dtype))
    if special:
        return {"name": name, "dtype": f"special {kind}", "shape": [], "sha256": None}
    shape, digest = list(t.shape), None
    if t.numel() * t.element_size() <= DIGEST_CAP and trusted(t):
        flat = t.detach().resolve_conj().resolve_neg().contiguous().as_strided((t.numel(),), (1,))
        digest = hashlib.sha256(flat.view(torch.uint8).numpy().tobytes() if t.numel() else b"").hexdigest()
    return {"name": name, "dtype": kind, "shape": shape, "sha256": digest}


def describe(obj, trusted=lambda t: True):
    """Returns ([tensors], whether names are complete). The name of a tensor is its path: dict keys (text,
    integers in decimal) and positions in lists and tuples, joined by dots. A container is visited only
    once; a tensor gets a name for each of its places. Names are incomplete if a tensor is in a set or
    under a key of another type."""
    found, whole, seen, todo = [], True, set(), [((), obj, True)]
    while todo:
        path, o, named = todo.pop()
        if isinstance(o, torch.Tensor):
            whole = whole and named
            found.append(_entry(".".join(path), o, trusted))
            continue
        if isinstance(o, dict):
            items = [(str(k), v, True) if type(k) in (str, int) else ("?", v, False) for k, v in type(o).items(o)]
        elif isinstance(o, (list, tuple)):
            items = [(str(i), v, True) for i, v in enumerate(o)]
        elif isinstance(o, (set, frozenset)):
            items = [("", v, False) for v in o]
        else:
            continue
        if id(o) in seen:
            continue
        seen.add(id(o))
        todo += [(path + (k,), v, named and n) for k, v, n in reversed(items)]
    return found, whole


def _load_in_child(path):
    warnings.simplefilter("ignore")
    read = []  # the bytes that a legacy file provided; the rest of a legacy storage is uninitialised
    legacy_file = open(path, "rb").read(4) != b"PK\x03\x04"
    fill = torch.UntypedStorage._set_from_file

    def recording_fill(self, *args):
        result = fill(self, *args)
        read.append((self.data_ptr(), self.data_ptr() + self.nbytes()))
        return result

    torch.UntypedStorage._set_from_file = recording_fill
    try:
        obj = torch.load(path, weights_only=True, map_location="cpu")
    except BaseException as error:  # a refusal, whatever its class
        return {"torch": "refuses", "error": type(error).__name__, "message": str(error)[:2000]}

    def trusted(t):
        if not legacy_file or t.numel() == 0:
            return True
        start = t.untyped_storage().data_ptr()
        return any(a <= start < b for a, b in read)

    tensors, whole = describe(obj, trusted)
    return {"torch": "loads", "tensors": tensors, "whole": whole}


def run_torch(data, seconds=10, memory=2 << 30):
    """Returns the result of `torch.load(weights_only=True, map_location="cpu")` for these bytes:
    {"torch": "loads", "tensors", "whole"}, {"torch": "refuses", "error", "message"} or
    {"torch": "not-run"} after a crash or the time limit."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file.pt")
        with open(path, "wb") as f:
            f.write(data)
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(readable)
                os.chdir(folder)
                null = os.open(os.devnull, os.O_RDWR)
                for number in (0, 1, 2):
                    os.dup2(null, number)
                pages = int(open("/proc/self/statm").read().split()[0])
                limit = pages * resource.getpagesize() + memory
                resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
                resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
                answer = json.dumps(_load_in_child(path)).encode("utf-8", "surrogatepass")
                while answer:
                    answer = answer[os.write(writable, answer) :]
            finally:
                os._exit(0)
        os.close(writable)
        answer = b""
        while select.select([readable], [], [], seconds)[0]:
            part = os.read(readable, 1 << 16)
            if not part:
                break
            answer += part
        else:
            os.kill(child, signal.SIGKILL)
        os.close(readable)
        _, status = os.waitpid(child, 0)
    try:
        return json.loads(answer)
    except ValueError:
        return {"torch": "not-run", "status": status}


def kind_of(data):
    return "zip" if data[:4] == b"PK\x03\x04" else "legacy"
