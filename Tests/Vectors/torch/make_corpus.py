# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The ami-zoo contributors
"""Writes hostile.json: torch checkpoints that the restricted reader must refuse, and some that it must
accept. README.md describes the fields. This script never unpickles; see torchfile.run_torch."""

import base64
import collections
import io
import json
import os
import struct
import sys
import tarfile
import zlib

import torch

from torchfile import *  # noqa: F403

CASES = []


def case(name, about, data, refusal, *, container=None, unclear=None, also=(), expect=None):
    """`also`: further verdicts (a class, or None for acceptance) that a sound reader may give.
    `unclear`: why the rules leave room. `expect`: tensors where torch refuses what we accept."""
    assert all(name != c["name"] for c in CASES), name
    assert len(data) < 8192, (name, len(data))
    CASES.append(dict(name=name, about=about, container=container or kind_of(data), data=data, refusal=refusal,
                      also=list(also), unclear=unclear, expect=expect))  # fmt: skip


def pickled(name, about, body, refusal, head=PROTO2, storages=None, **named):
    """Adds a zip checkpoint with one pickle: a value, or opcodes without PROTO and STOP."""
    body = body if isinstance(body, bytes) else value(body)
    storages = {} if storages is None and b"torch" not in body else storages
    case(name, about, checkpoint(head + body + STOP, storages), refusal, **named)


def raw_pickle(name, about, whole, refusal, storages=None, **named):
    """Adds a zip checkpoint with the exact bytes of data.pkl."""
    case(name, about, checkpoint(whole, {} if storages is None else storages), refusal, **named)


W = {"w": tensor()}
GOOD = program(W)
G = glob
U = text


def f32(name, *numbers, shape=None):
    data = struct.pack(f"<{len(numbers)}f", *numbers)
    return {"name": name, "dtype": "F32", "shape": list(shape or [len(numbers)]), "sha256": hashlib.sha256(data).hexdigest()}


W_SEEN = [f32("w", 1, 2, 3, 4)]

# ------------------------------------------------------------------------------------ globals

DANGEROUS = """
os system|posix system|nt system|os popen|os execv|os spawnl|os posix_spawn|os remove|os putenv|os _wrap_close|posixpath os.system
subprocess Popen|subprocess call|subprocess run|subprocess check_output|subprocess getoutput|commands getoutput|popen2 popen3
builtins eval|builtins exec|builtins compile|builtins getattr|builtins setattr|builtins __import__|builtins open|builtins breakpoint
builtins globals|builtins type|builtins object|builtins map|builtins print|builtins input|builtins help|builtins list|builtins dict
builtins slice|builtins memoryview|builtins str|builtins bytes|builtins eval.__call__
__builtin__ eval|__builtin__ execfile|__builtin__ apply|__builtin__ file|__builtin__ reload|__builtin__ unicode
runpy _run_code|runpy run_path|runpy run_module|importlib import_module|importlib __import__|importlib.util module_from_spec
imp load_source|zipimport zipimporter|pkgutil resolve_name|pkgutil get_loader|site main|sitecustomize x
webbrowser open|webbrowser get|ctypes CDLL|ctypes PyDLL|ctypes.util find_library|_ctypes dlopen|cffi FFI|pty spawn|pty fork
numpy.testing._private.utils runstring|numpy.testing runstring|numpy.testing._private.utils measure|numpy load|numpy fromfile
numpy.f2py.crackfortran getlincoef|numpy.f2py.crackfortran _eval_length|numpy.ctypeslib load_library|numpy.distutils.exec_command exec_command
numpy save|numpy lib.npyio.DataSource|numpy.core.multiarray _reconstruct|numpy._core.multiarray _reconstruct|numpy ndarray|numpy dtype
numpy.core.multiarray scalar|numpy._core.multiarray scalar
torch.hub load|torch.hub load_state_dict_from_url|torch.hub download_url_to_file|torch load|torch save|torch.serialization load|torch.jit load
torch.jit.unsupported_tensor_ops execWrapper|torch.package PackageImporter|torch.utils.cpp_extension load|torch.utils.cpp_extension load_inline
torch.utils._config_module load_config|torch.utils._config_module ConfigModule.load_config|torch.utils.collect_env run
torch.utils.bottleneck.__main__ run_cprofile|torch.utils.bottleneck.__main__ run_autograd_prof|torch.utils.data.datapipes.utils.decoder basichandlers
torch._dynamo.guards GuardBuilder.get|torch._inductor.codecache compile_file|torch.fx.experimental.symbolic_shapes ShapeEnv.evaluate_guards_expression
torch.fx.graph_module _exec_with_source|torch.fx.graph_module reduce_graph_module|torch.fx._symbolic_trace Tracer|torch.onnx.utils export
torch.distributed.rpc rpc_sync|torch.distributed.rpc remote|torch.distributed.rpc.internal _run_function|torch.distributed.elastic.multiprocessing.api start_processes
torch.multiprocessing spawn|torch.multiprocessing.reductions rebuild_storage_fd|torch.multiprocessing.reductions rebuild_tensor|torch.utils.model_zoo load_url
torch.ops load_library|torch.classes load_library|torch._C _jit_set_profiling_mode|torch import_module|torch os.system|torch.nn Module|torch.nn.modules.linear Linear
torch.storage _load_from_bytes|torch._utils _import_dotted_name|torch._utils _set_obj_state|torch.serialization add_safe_globals|torch._tensor Tensor.__setstate__
torch._weights_only_unpickler load|torch._weights_only_unpickler _add_safe_globals|torch from_file|torch.FloatStorage from_file
functools partial|functools reduce|operator methodcaller|operator attrgetter|operator itemgetter|operator call|itertools starmap
timeit timeit|timeit main|timeit Timer|pdb run|pdb Pdb.run|bdb Bdb.run|cProfile run|cProfile runctx|profile run|profile Profile.runctx|trace Trace.run
doctest debug_script|code InteractiveInterpreter|code InteractiveInterpreter.runcode|code interact|codeop compile_command|pip main|pip._internal main
ensurepip _run_pip|venv create|asyncio create_subprocess_shell|asyncio.unix_events _UnixSubprocessTransport._start|asyncio.subprocess create_subprocess_exec
multiprocessing Process|multiprocessing.util spawnv_passfds|concurrent.futures ProcessPoolExecutor|threading Thread|sched scheduler.run|signal signal|atexit register
idlelib.pyshell ModifiedInterpreter.runcode|idlelib.run Executive.runcode|idlelib.autocomplete AutoComplete.get_entity|idlelib.calltip get_entity
idlelib.debugobj ObjectTreeItem.SetText|lib2to3.pgen2.grammar Grammar.loads|lib2to3.pgen2.pgen ParserGenerator.make_label|distutils.file_util write_file
_pickle loads|_pickle Unpickler|pickle loads|pickle load|cPickle loads|marshal loads|shelve open|dill loads|cloudpickle loads|cloudpickle.cloudpickle _fill_function
joblib load|joblib.numpy_pickle load|pandas read_pickle|pandas.io.parsers.readers read_csv|pandas eval|sklearn.utils _joblib|skops.io load
types FunctionType|types CodeType|types MethodType|types ModuleType|types SimpleNamespace|inspect getattr_static|copyreg _reconstructor|copyreg __newobj__
copy_reg _reconstructor|copyreg add_extension|weakref finalize|contextlib ExitStack|dataclasses make_dataclass|collections namedtuple|enum _decompose
sys modules|sys exit|sys settrace|shutil rmtree|shutil copyfile|socket socket|ssl get_server_certificate|http.client HTTPSConnection|httplib HTTPSConnection
urllib.request urlopen|urllib.request urlretrieve|urllib urlopen|requests.api get|requests get|aiohttp ClientSession|ftplib FTP|smtplib SMTP|telnetlib Telnet
pathlib Path.write_text|tempfile NamedTemporaryFile|io open|io FileIO|_io FileIO|codecs open|codecs decode|_codecs decode|fileinput input|linecache getline|logging.config listen
logging.config dictConfig|pydoc locate|pydoc pipepager|pydoc.locate x|platform popen|platform _syscmd_file|zlib decompress|base64 b64decode|gzip open|gc get_objects
mlflow.projects.backend.local _run_entry_point|tensorflow.python.lib.io.file_io read_file|tensorflow keras.models.load_model|keras.models load_model|onnxruntime InferenceSession
test.support script_helper.assert_python_ok|unittest.mock _importer|_testcapi run_in_subinterp|_posixsubprocess fork_exec|nturl2path x|antigravity x|this x
argparse Namespace|pathlib PosixPath|pathlib WindowsPath|datetime datetime|uuid UUID|fractions Fraction|decimal Decimal|random Random|omegaconf.dictconfig DictConfig
collections OrderedDict.fromkeys|collections OrderedDict.__init__|collections abc.Callable|collections defaultdict|collections deque|collections UserDict|collections _sys
torch._utils _rebuild_qtensor|torch._utils _rebuild_sparse_tensor|torch._utils _rebuild_sparse_csr_tensor|torch._utils _rebuild_nested_tensor|torch._utils _rebuild_wrapper_subclass
torch._utils _rebuild_meta_tensor_no_storage|torch._utils _rebuild_device_tensor_from_numpy|torch._utils _rebuild_device_tensor_from_cpu_tensor|torch._utils _rebuild_xla_tensor
torch._tensor _rebuild_from_type_v2|torch._tensor _rebuild_from_type|torch._utils _rebuild_parameter_with_state|torch.Tensor _make_subclass|torch.nn.parameter UninitializedParameter
torch.nn.parameter Buffer|torch QInt8Storage|torch QUInt8Storage|torch QInt32Storage|torch.cuda FloatStorage|torch.cuda.sparse FloatTensor|torch.sparse FloatTensor
torch.nested._internal.nested_tensor NestedTensor|torch.distributed.tensor DTensor|torch.distributed._tensor.api DTensor|torch.distributed._shard.sharded_tensor.api ShardedTensor
torch._subclasses.fake_tensor FakeTensor|torch.masked MaskedTensor|torch.ao.quantization qconfig.QConfig|torch per_tensor_affine|torch Generator|torch._C Generator
torch.optim.adamw AdamW|torch.cuda.amp.grad_scaler GradScaler|torch.nn.parallel.distributed DistributedDataParallel|transformers.trainer_callback TrainerState
"""
CLOSE = {  # names similar to allowed ones
    "leading-space-module": (" collections", "OrderedDict"),
    "trailing-space-module": ("collections ", "OrderedDict"),
    "leading-space-name": ("collections", " OrderedDict"),
    "trailing-space-name": ("collections", "OrderedDict "),
    "carriage-return": ("collections\r", "OrderedDict\r"),
    "tab": ("collections", "OrderedDict\t"),
    "nul-in-name": ("collections", "OrderedDict\0"),
    "nul-in-module": ("collections\0os", "OrderedDict"),
    "empty-module": ("", "OrderedDict"),
    "empty-name": ("collections", ""),
    "both-empty": ("", ""),
    "dot-at-end": ("collections.", "OrderedDict"),
    "dot-at-start": ("collections", ".OrderedDict"),
    "dot-moved-right": ("torch._utils._rebuild_tensor_v2", ""),
    "case": ("Collections", "ordereddict"),
    "cyrillic-o": ("c\u043ellections", "OrderedDict"),
    "fullwidth": ("\uff43ollections", "OrderedDict"),
    "combining": ("collections", "OrderedDict\u0301"),
    "zero-width-joiner": ("collections", "Ordered\u200dDict"),
    "byte-order-mark": ("\ufeffcollections", "OrderedDict"),
    "right-to-left": ("collections", "\u202eOrderedDict"),
    "invalid-utf-8": (b"collections\xff", b"OrderedDict"),
    "overlong-utf-8": (b"c\xc1\xafllections", b"OrderedDict"),
    "slash": ("collections/OrderedDict", "OrderedDict"),
    "suffix-storage": ("torch", "EvilStorage"),
    "storage-elsewhere": ("os", "FloatStorage"),
    "storage-dotted": ("torch", "FloatStorage.from_buffer"),
    "storage-tail": ("torch", "FloatStorage._new_shared"),
    "rebuild-tail": ("torch._utils", "_rebuild_tensor_v2.__globals__"),
    "rebuild-v4": ("torch._utils", "_rebuild_tensor_v4"),
    "prefix-of-allowed": ("torch._util", "s._rebuild_tensor_v2"),
    "long-name": ("collections", "O" * 3000),
}

seen_globals = set()
for pair in DANGEROUS.replace("\n", "|").split("|"):
    if " " not in pair or pair in seen_globals:
        continue
    seen_globals.add(pair)
    module, name = pair.split(" ")
    pickled(f"global/{module}.{name}", f"GLOBAL {module} {name}, called with a harmless text.",
            {"w": tensor(), "x": call(G(module, name), "echo")}, "pickle-global")  # fmt: skip
for label, (module, name) in CLOSE.items():
    pickled(f"global/near/{label}", f"A name that is not in the list, though close to one: {label}.",
            {"x": call(G(module, name))}, "pickle-global", also=["pickle-malformed"] if "utf-8" in label or "empty" in label else ())  # fmt: skip

pickled("global/not-called", "os.system only named, never called: a global is refused where it is named.", {"x": G("os", "system")}, "pickle-global")
pickled("global/popped-by-list", "os.system inside a list that nothing uses.", [G("os", "system"), 1], "pickle-global")
pickled("global/as-dict-key", "os.system as a dict key.", {G("os", "system"): 1}, "pickle-global")
pickled("global/as-hook", "os.system among the backward hooks of a tensor.", {"w": tensor(None, 0, (4,), (1,), False, EMPTY_ORDERED + value(0) + G("os", "system") + b"s")}, "pickle-global")
pickled("global/as-storage-type", "os.system where the storage class stands.", {"w": tensor(storage(G("os", "system")))}, "pickle-global")
pickled("global/unknown-storage-class", "A storage class that does not exist.", {"w": tensor(storage("FooStorage"))}, "pickle-global")
pickled("global/in-metadata", "os.system inside the _metadata that BUILD sets and a reader ignores.", EMPTY_ORDERED + value({"_metadata": {"x": G("os", "system")}}) + BUILD, "pickle-global")
pickled("global/in-metadata-called", "os.system called inside the _metadata.", EMPTY_ORDERED + value({"_metadata": call(G("os", "system"), "echo")}) + BUILD, "pickle-global")
pickled("global/in-persistent-id", "os.system called to make the storage key.", {"w": tensor(storage("FloatStorage", call(G("os", "system"), "echo")))}, "pickle-global")
raw_pickle("global/newline-trick", "A module name with a carriage return before the line feed, so that line-wise scanners see one line.", PROTO2 + b"cos\r\nsystem\n" + value(("echo",)) + REDUCE + STOP, "pickle-global")
raw_pickle("global/three-lines", "GLOBAL with a blank module line: the name is os, and 'system' becomes opcodes.", PROTO2 + b"c\nos\nsystem\n" + STOP, "pickle-global", also=["pickle-malformed"])
raw_pickle("global/no-newline", "GLOBAL whose name never ends.", PROTO2 + b"ccollections\nOrderedDict", "pickle-malformed", also=["pickle-global"])
raw_pickle("global/protocol-0", "A protocol 0 pickle: GLOBAL os system, STRING, TUPLE, REDUCE.", b"cos\nsystem\n(S'echo'\ntR.", "pickle-global")
raw_pickle("global/protocol-0-inst", "A protocol 0 pickle: INST os system.", b"(S'echo'\nios\nsystem\n.", "pickle-opcode")
raw_pickle("global/protocol-1-obj", "A protocol 1 pickle: OBJ calls the class below its arguments.", b"(cos\nsystem\n" + U("echo") + b"o.", "pickle-global")
raw_pickle("global/proto-header-missing", "os.system without PROTO.", G("os", "system") + value(("echo",)) + REDUCE + STOP, "pickle-global")
raw_pickle("global/mid-proto-change", "PROTO 4 in the middle, then os.system.", PROTO2 + value(1) + b"\x80\x04" + G("os", "system") + value(("echo",)) + REDUCE + STOP, "pickle-global", also=["pickle-malformed"])
raw_pickle("global/broken-after-payload", "os.system called, then bytes that are no opcodes: scanners that stop at the error report nothing.", PROTO2 + call(G("os", "system"), "echo") + b"\xff\xfe\xfd", "pickle-global")
raw_pickle("global/payload-then-truncated", "os.system called, then the stream ends without STOP.", PROTO2 + call(G("os", "system"), "echo"), "pickle-global")
raw_pickle("global/many-pickles", "A harmless pickle, then a second one with os.system in the same record.", GOOD + program(call(G("os", "system"), "echo")), "pickle-malformed", storages={"0": FOUR}, also=[None], unclear="bytes after STOP: torch does not read them; a record with more than one pickle has no honest writer")
raw_pickle("global/hidden-after-stop", "os.system after STOP in the same record.", GOOD + call(G("os", "system"), "echo") + STOP, "pickle-malformed", storages={"0": FOUR}, also=[None], unclear="bytes after STOP")
raw_pickle("pickle/zeros-after-stop", "Zero bytes after STOP.", GOOD + bytes(16), "pickle-malformed", storages={"0": FOUR}, also=[None], unclear="bytes after STOP")


# STACK_GLOBAL, memo games
def su(s):
    b = s if isinstance(s, bytes) else s.encode()
    return b"\x8c" + bytes([len(b)]) + b


P4 = b"\x80\x04"
SG = b"\x93"
stack = lambda m, n: su(m) + su(n) + SG
for m, n in [("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "getattr"), ("os", "path.os.system"), ("os.path", "os.system"),
             ("collections", "_sys.modules"), ("collections", "OrderedDict.__init__.__globals__"), ("torch", "os.system"), ("torch.serialization", "os.system"),
             ("torch._utils", "importlib.import_module"), ("torch._utils._rebuild_tensor_v2", "__globals__"), ("torch", "hub.load"), ("torch", "load"),
             ("torch._utils", "_rebuild_tensor_v2.__code__"), ("collections ", "OrderedDict"), ("", "collections.OrderedDict"), ("collections.OrderedDict", ""),
             ("torch", "_utils._rebuild_tensor_v2"), ("torch._utils", "torch.hub.load"), ("coll\u0435ctions", "OrderedDict"), ("__main__", "x")]:  # fmt: skip
    pickled(f"stack-global/{m}/{n}", f"Protocol 4: STACK_GLOBAL of {m!r} and {n!r}.", stack(m, n) + value(("echo",)) + REDUCE, "pickle-global", head=P4)
pickled("stack-global/memo-reuse", "STACK_GLOBAL whose operands come from the memo, with harmless literals on top.",
        su("os") + b"q\x00" + su("system") + b"q\x01" + b"]" + su("collections") + su("OrderedDict") + b"\x86" + b"a" + b"h\x00h\x01" + SG + value(("echo",)) + REDUCE, "pickle-global", head=P4)  # fmt: skip
pickled("stack-global/memo-confusion", "PUT and MEMOIZE mixed: a scanner that counts only MEMOIZE sees torch._utils at index 0.",
        U("os") + b"q\x00" + U("system") + b"q\x01" + su("torch._utils") + b"\x94" + su("_rebuild_tensor_v2") + b"\x94" + b"t" + b"h\x00h\x01" + SG + value(("echo",)) + REDUCE, "pickle-global", head=P4 + b"((",
        also=["pickle-malformed"])  # fmt: skip
pickled("stack-global/memo-overwritten", "Memo index 0 set to a harmless name, then overwritten by os.", su("collections") + b"q\x00" + su("os") + b"q\x00" + b"\x86" + b"h\x00" + su("system") + SG + value(("echo",)) + REDUCE, "pickle-global", head=P4)
pickled("stack-global/long-get", "The same through LONG_BINPUT and LONG_BINGET.", su("os") + b"r\x10\x00\x00\x00" + su("system") + b"r\x11\x00\x00\x00" + b"\x86" + b"j\x10\x00\x00\x00j\x11\x00\x00\x00" + SG + value(("echo",)) + REDUCE, "pickle-global", head=P4)
pickled("stack-global/bytes-operand", "STACK_GLOBAL with bytes as module (a type confusion of scanners).", b"C\x02os" + su("system") + SG, "pickle-malformed", head=P4, also=["pickle-global"])
pickled("stack-global/int-operand", "STACK_GLOBAL with an integer as module.", value(42) + su("os") + SG, "pickle-malformed", head=P4, also=["pickle-global"])
pickled("stack-global/none-operand", "STACK_GLOBAL with None as name.", su("os") + b"N" + SG, "pickle-malformed", head=P4, also=["pickle-global"])
pickled("stack-global/tuple-operand", "STACK_GLOBAL on one tuple.", su("os") + su("system") + b"\x86" + SG, "pickle-malformed", head=P4, also=["pickle-global"])
pickled("stack-global/bytearray-operand", "STACK_GLOBAL with a BYTEARRAY8 as name (unhashable for scanners).", su("os") + b"\x96" + struct.pack("<Q", 6) + b"system" + SG, "pickle-opcode", head=b"\x80\x05")
pickled("stack-global/one-operand", "STACK_GLOBAL with one value on the stack.", su("os") + SG, "pickle-malformed", head=P4)
pickled("stack-global/operand-is-global", "STACK_GLOBAL whose module operand is an allowed global.", stack("collections", "OrderedDict") + su("fromkeys") + SG, "pickle-malformed", head=P4, also=["pickle-global"])
pickled("stack-global/short-binstring", "STACK_GLOBAL on two SHORT_BINSTRING.", b"U\x02osU\x06system" + SG, "pickle-global", head=P4, also=["pickle-malformed"])
pickled("stack-global/in-protocol-2", "STACK_GLOBAL under PROTO 2.", U("os") + U("system") + SG, "pickle-global", also=["pickle-opcode"])
pickled("stack-global/padded", "os.system behind 200 harmless memoised texts.", b"".join(su(f"k{i}") + b"\x94" for i in range(200)) + b"h\x00" + stack("os", "system") + b"\x85" * 3, "pickle-global", head=P4)

# ------------------------------------------------------------------------------------ opcodes

for label, ops in {
    "inst": b"(" + b"ios\nsystem\n", "inst-allowed-name": b"(icollections\nOrderedDict\n", "obj": b"(" + G("collections", "OrderedDict") + b"o",
    "ext1": b"\x82\x01", "ext2": b"\x83\x01\x00", "ext4": b"\x84\x01\x00\x00\x00", "ext1-zero": b"\x82\x00", "ext4-negative": b"\x84\xff\xff\xff\xff",
    "persid": b"Pstorage\n", "persid-then-use": b"P0\n" + b"\x85", "dup": b"K\x012\x86", "pop": b"K\x01K\x020", "pop-mark": b"K\x01(K\x021",
    "newobj-ex": G("collections", "OrderedDict") + b")}" + b"\x92", "bytearray8": b"\x96" + struct.pack("<Q", 3) + b"abc", "next-buffer": b"\x97", "readonly-buffer": b"\x97\x98",
    "int-text": b"I1\n", "int-bool-text": b"I01\n", "long-text": b"L1L\n", "float-text": b"F1.5\n", "string-text": b"S'a'\n", "unicode-text": b"Va\n", "string-long": b"T\x03\x00\x00\x00abc",
    "put-text": b"K\x01p0\n", "get-text": b"K\x01q\x00g0\n", "dict-from-mark": b"(K\x01K\x02d", "list-from-mark": b"(K\x01l", "long4": b"\x8b\x01\x00\x00\x00\x05",
    "long4-negative-size": b"\x8b\xff\xff\xff\xff\x05", "long4-huge-size": b"\x8b\xff\xff\xff\x7f\x05", "frozenset": b"(K\x01\x91", "additems": b"\x8f(K\x01\x90", "undefined-00": b"\x00", "undefined-7f": b"\x7f",
    "undefined-99": b"\x99", "undefined-ff": b"\xff", "undefined-20": b" ",
}.items():  # fmt: skip
    room, also = None, ()
    if label in ("frozenset", "additems"):
        room, also = "data-only protocol 4, but absent from the list of section 10", [None]
    pickled(f"opcode/{label}", f"An instruction outside the list: {label}.", ops, "pickle-opcode", unclear=room, also=also)
pickled("opcode/dup-of-global", "DUP of an allowed global, so that a scanner loses the stack.", G("collections", "OrderedDict") + b"2" + b")R", "pickle-opcode")
pickled("opcode/pop-hides-payload", "A call dropped with POP before STOP.", value({}) + call(G("collections", "OrderedDict")) + b"0", "pickle-opcode")
pickled("opcode/long-after-2gb", "BINUNICODE of declared length 2 GiB - 1, then an undefined opcode.", b"X\xff\xff\xff\x7f\xff", "pickle-limit", also=["pickle-malformed"], unclear="declared beyond the limit and beyond the record")
pickled("opcode/unicode8-huge", "BINUNICODE8 of declared length 2^63.", b"\x8d" + struct.pack("<Q", 1 << 63), "pickle-limit", head=P4, also=["pickle-malformed", "pickle-opcode"], unclear="declared beyond the limit and beyond the record; BINUNICODE8 is protocol 4")
pickled("opcode/bytes8-huge", "BINBYTES8 of declared length 2^64 - 1.", b"\x8e" + b"\xff" * 8, "pickle-limit", head=P4, also=["pickle-malformed"], unclear="declared beyond the limit and beyond the record")
pickled("opcode/unicode-4gb", "BINUNICODE of declared length 2^32 - 1.", b"X\xff\xff\xff\xff", "pickle-limit", also=["pickle-malformed"], unclear="declared beyond the limit and beyond the record")
pickled("opcode/unicode-17mib", "BINUNICODE of declared length 17 MiB, over the limit of 16 MiB, and not there.", b"X" + struct.pack("<I", 17 << 20), "pickle-limit", also=["pickle-malformed"], unclear="declared beyond the limit and beyond the record")
pickled("opcode/unicode-short", "BINUNICODE longer than what is left.", b"X\x10\x00\x00\x00abc", "pickle-malformed")
pickled("opcode/binstring-short", "SHORT_BINSTRING longer than what is left.", b"U\xffabc", "pickle-malformed")
for label, ops in {"binint": b"J\x01", "binint2": b"M\x01", "binfloat": b"G\x00", "long1": b"\x8a\x08\x01", "binput": b"K\x01q", "long-binget": b"j\x00", "binint1": b"K", "proto": b"\x80", "frame": b"\x95\x01", "unicode-length": b"X\x01"}.items():
    raw_pickle(f"pickle/argument-cut/{label}", f"The stream ends inside the argument of {label}.", PROTO2 + ops, "pickle-malformed")
for label, size in {"beyond": 1 << 40, "huge": (1 << 64) - 1, "one-more": 6, "zero": 0, "one-less": 4}.items():
    body = su("a") + b"K\x01" + b"."
    raw_pickle(f"pickle/frame/{label}", f"A FRAME that lies about its length: {label}.", P4 + b"\x95" + struct.pack("<Q", size) + body, "pickle-malformed",
               also=[None] if size < 6 else ["pickle-limit"], unclear="a reader may ignore the length of a frame" if size < 6 else None, expect=[])  # fmt: skip
raw_pickle("pickle/frame/nested", "A FRAME inside a FRAME.", P4 + b"\x95" + struct.pack("<Q", 12) + b"\x95" + struct.pack("<Q", 3) + b"K\x01.", "pickle-malformed", also=[None], unclear="frames that overlap", expect=[])

# ------------------------------------------------------------------------------------ the machine

raw_pickle("pickle/empty", "An empty data.pkl.", b"", "pickle-malformed")
raw_pickle("pickle/only-stop", "STOP on an empty stack.", PROTO2 + STOP, "pickle-malformed")
raw_pickle("pickle/missing-stop", "No STOP.", PROTO2 + value({"a": 1}), "pickle-malformed")
raw_pickle("pickle/only-proto", "Only PROTO.", PROTO2, "pickle-malformed")
pickled("pickle/more-on-stack", "Two values on the stack at STOP.", value(1) + value(2), "pickle-malformed", also=[None], unclear="torch takes the top value")
pickled("pickle/open-mark", "A MARK left open at STOP.", b"(" + value(2), "pickle-malformed", also=[None], unclear="torch takes the top value")
pickled("pickle/mark-is-top", "MARK itself on top at STOP.", value(1) + b"(", "pickle-malformed")
for label, ops in {"tuple": b"K\x01t", "appends": b"]K\x01e", "setitems": b"}K\x01K\x02u"}.items():
    pickled(f"pickle/mark-missing/{label}", f"{label} without MARK.", ops, "pickle-malformed")
for label, ops in {"append": b"a", "append-one": b"]a", "setitem": b"s", "setitem-two": b"}K\x01s", "tuple1": b"\x85", "tuple2": b"K\x01\x86", "tuple3": b"K\x01K\x02\x87", "reduce": b"R", "reduce-one": b")R",
                   "build": b"b", "build-one": b"}b", "newobj": b"\x81", "newobj-one": b")\x81", "persid": b"Q", "binput": b"q\x00", "memoize": b"\x94", "appends-no-list": b"(K\x01e", "setitems-no-dict": b"(K\x01K\x02u"}.items():  # fmt: skip
    pickled(f"pickle/stack-empty/{label}", f"The stack is too short for {label}.", ops, "pickle-malformed")
pickled("pickle/tuple2-across-mark", "TUPLE2 that would reach over a MARK.", b"K\x01(K\x02\x86", "pickle-malformed")
pickled("pickle/setitems-odd", "SETITEMS on an odd number of values.", b"}(K\x01K\x02K\x03u", "pickle-malformed")
for label, target in {"list": b"]K\x00", "tuple": b")", "text": U("abc"), "none": b"N", "int": b"K\x01", "tensor": tensor(), "storage": storage(), "set": b"\x8f", "global": G("collections", "OrderedDict"), "parameter": parameter(tensor())}.items():
    pickled(f"pickle/setitem-on-{label}", f"SETITEM on a {label} (CVE-2026-24747: a tensor's memory was written this way).", target + b"K\x00K\x01s", "pickle-malformed")
    pickled(f"pickle/setitems-on-{label}", f"SETITEMS on a {label}.", target + b"(K\x00K\x01u", "pickle-malformed")
for label, target in {"dict": b"}", "tuple": b")", "text": U("abc"), "none": b"N", "tensor": tensor(), "set": b"\x8f", "ordered-dict": EMPTY_ORDERED}.items():
    pickled(f"pickle/append-to-{label}", f"APPEND to a {label}.", target + b"K\x01a", "pickle-malformed")
    pickled(f"pickle/appends-to-{label}", f"APPENDS to a {label}.", target + b"(K\x01e", "pickle-malformed")
for label, key in {"list": b"]", "dict": b"}", "set": b"\x8f", "ordered-dict": EMPTY_ORDERED, "tuple-of-list": b"]\x85"}.items():
    pickled(f"pickle/unhashable-key-{label}", f"A {label} as dict key.", b"}" + key + b"K\x01s", "pickle-malformed")
pickled("pickle/tensor-as-key", "A tensor as dict key.", b"}" + tensor() + b"K\x01s", "pickle-malformed", also=[None, "tensor-invalid"], unclear="torch hashes a tensor by identity")
for label, ops in {"binget": b"h\x05", "long-binget": b"j\x05\x00\x00\x00", "get-before-put": b"h\x00q\x00", "get-2-31": b"j\x00\x00\x00\x80", "get-max": b"j\xff\xff\xff\xff"}.items():
    pickled(f"pickle/memo-unset/{label}", "GET of a memo entry that was never set.", ops, "pickle-malformed", also=["pickle-limit"] if label in ("get-2-31", "get-max") else ())
for label, index in {"2-31": 1 << 31, "max": (1 << 32) - 1, "two-million": 2_000_000}.items():
    pickled(f"pickle/memo-index-{label}", f"LONG_BINPUT with index {index}: a dense memo would take gigabytes.", b"}r" + struct.pack("<I", index), "pickle-limit")
pickled("pickle/memo-sparse", "PUT at 0, 7 and 65,535: sparse but below the limit.", b"]q\x00q\x07r\xff\xff\x00\x00", None)
pickled("pickle/memo-of-mark", "PUT directly after MARK.", b"(q\x00t", "pickle-malformed")
pickled("pickle/deep-lists", "2,500 lists, one in another, over the limit of 1,000.", b"]" * 2500 + b"a" * 2499, "pickle-limit")
pickled("pickle/deep-tuples", "5,000 tuples, one in another.", b")" + b"\x85" * 5000, "pickle-limit")
pickled("pickle/deep-dicts", "1,500 dicts, one in another.", b"}K\x00" * 1500 + b"N" + b"s" * 1500, "pickle-limit")
pickled("pickle/deep-marks", "3,500 MARK, one in another.", b"(" * 3500 + b"t" * 3500, "pickle-limit")
pickled("pickle/deep-key", "A dict key of 1,500 nested tuples.", b"})" + b"\x85" * 1500 + b"K\x01s", "pickle-limit")
pickled("pickle/deep-900", "900 lists, one in another: within the limit.", b"]" * 900 + b"a" * 899, None)
laughs = b"]q\x00"
for i in range(30):
    laughs += b"]q" + bytes([i + 1]) + b"(" + b"h" + bytes([i]) + b"h" + bytes([i]) + b"e"
pickled("pickle/billion-laughs-lists", "Thirty lists, each holding the one before twice: 2^30 leaves, legal, a few nodes. Walk each once.", b"(" + laughs + b"t", None)
laughs = b"K\x01\x85q\x00"
for i in range(60):
    laughs += b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86q" + bytes([i + 1])
pickled("pickle/billion-laughs-tuples", "Sixty pairs, each of the one before twice: 2^60 leaves.", b"(" + laughs + b"t", None)
laughs = su("x") + b"\x94"
for i in range(40):
    laughs += b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86\x94"
pickled("pickle/billion-laughs-memoize", "The same with MEMOIZE, protocol 4.", b"(" + laughs + b"t", None, head=P4, expect=[])
laughs = b"K\x01\x85q\x00"
for i in range(25):
    laughs += b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86q" + bytes([i + 1])
pickled("pickle/billion-laughs-key", "A dict whose key is a tuple of 2^25 leaves: hashing it walks all of them.", b"(" + laughs + b"t}h\x19K\x01s\x86", None, also=["pickle-malformed", "pickle-limit"], unclear="a tuple as key; comparing or hashing it must be bounded")
laughs = b"]q\x00(" + tensor() + b"e"
for i in range(20):
    laughs += b"]q" + bytes([100 + i + 1]) + b"(" + (b"h\x00" if i == 0 else b"h" + bytes([100 + i])) * 2 + b"e"
pickled("pickle/billion-laughs-tensor", "A tensor at the bottom of 2^20 paths.", b"(" + laughs + b"t", None, also=["pickle-limit"], unclear="one name or 2^20: walk each container once gives one")
pickled("pickle/cycle-dict", "A dict that holds itself.", b"}q\x00" + U("self") + b"h\x00s" + U("w") + tensor() + b"s", None, also=["pickle-malformed", "pickle-limit"], unclear="legal pickle; each container is walked once")
pickled("pickle/cycle-list", "A list that holds itself.", b"]q\x00h\x00a", None, also=["pickle-malformed", "pickle-limit"], unclear="legal pickle; each container is walked once")
pickled("pickle/cycle-through-tuple", "A tuple that holds a list that holds the tuple.", b"]q\x00\x85q\x01h\x00h\x01a\x86", None, also=["pickle-malformed", "pickle-limit"], unclear="legal pickle; each container is walked once")
pickled("pickle/set-empty", "EMPTY_SET.", {"s": b"\x8f", "w": tensor()}, None)
pickled("pickle/set-called", "builtins.set of a list.", {"s": call(G("builtins", "set"), [1, 2]), "w": tensor()}, None, also=["pickle-global"], unclear="'only if needed'")
pickled("pickle/set-python-2", "__builtin__.set of a list: a python 2 name.", {"s": call(G("__builtin__", "set"), [1, 2]), "w": tensor()}, None, also=["pickle-global"], unclear="'only if needed'")
pickled("pickle/bytearray-called", "builtins.bytearray of bytes.", {"b": call(G("builtins", "bytearray"), call(G("_codecs", "encode"), "ab", "latin1")), "w": tensor()}, None, also=["pickle-global"], unclear="'only if needed'")
pickled("pickle/bytearray-huge", "builtins.bytearray(2^40): torch would allocate it.", {"b": call(G("builtins", "bytearray"), 1 << 40)}, "pickle-malformed", also=["pickle-limit", "pickle-global", None], unclear="inert, so harmless to keep as a value", expect=[])
pickled("pickle/complex-called", "builtins.complex.", {"c": call(G("builtins", "complex"), 1.0, 2.0), "w": tensor()}, None, also=["pickle-global"], unclear="'only if needed'")
pickled("pickle/codecs-encode", "_codecs.encode of a text with latin1: bytes under protocol 2.", {"b": call(G("_codecs", "encode"), "\u00e9a", "latin1"), "w": tensor()}, None)
pickled("pickle/codecs-rot13", "_codecs.encode with another codec.", {"b": call(G("_codecs", "encode"), "os", "rot13")}, "pickle-malformed", also=[None], unclear="an inert value; torch runs the codec and fails or not")
pickled("pickle/codecs-zip", "_codecs.encode with the zip codec on a text.", {"b": call(G("_codecs", "encode"), "os", "zip")}, "pickle-malformed", also=[None], unclear="an inert value", expect=[])
for label, ops in {"text": U("x"), "int": b"K\x01", "none": b"N", "dict": b"}", "tuple": b")", "tensor": tensor(), "storage-class": G("torch", "FloatStorage"), "dtype": G("torch", "float32"), "called-twice": EMPTY_ORDERED}.items():
    pickled(f"pickle/reduce-of-{label}", f"REDUCE calls a {label}.", ops + b")R", "pickle-malformed", also=["tensor-invalid", "pickle-global"] if label in ("storage-class", "tensor") else ())
pickled("pickle/reduce-list-arguments", "REDUCE with a list instead of a tuple.", G("collections", "OrderedDict") + b"]R", "pickle-malformed", also=[None], unclear="torch unpacks any iterable", expect=[])
pickled("pickle/reduce-text-arguments", "REDUCE with a text instead of a tuple.", G("torch", "Size") + U("ab") + REDUCE, "pickle-malformed")
pickled("pickle/ordered-dict-of-pairs", "OrderedDict called with a list of pairs: the python 2 form.", call(G("collections", "OrderedDict"), [["w", tensor()]]), None, also=["pickle-malformed"], unclear="section 10 lists only REDUCE with (); files of python 2 have this form")
pickled("pickle/ordered-dict-of-int", "OrderedDict called with an integer.", call(G("collections", "OrderedDict"), 5), "pickle-malformed")
pickled("pickle/size-of-text", "torch.Size of a text.", call(G("torch", "Size"), "ab"), "pickle-malformed", also=[None], unclear="an inert value", expect=[])
pickled("pickle/device-bad", "torch.device of an unknown kind.", call(G("torch", "device"), "evil:0"), "pickle-malformed", also=[None], unclear="an inert value; torch refuses the text", expect=[])
pickled("pickle/device-cuda", "torch.device('cuda', 0).", {"d": call(G("torch", "device"), "cuda", 0), "w": tensor()}, None)
pickled("pickle/layout-sparse", "_get_layout of torch.sparse_coo.", {"l": call(G("torch.serialization", "_get_layout"), "torch.sparse_coo")}, "pickle-malformed", also=["tensor-invalid", "pickle-global"])
pickled("pickle/layout-evil", "_get_layout of another text.", {"l": call(G("torch.serialization", "_get_layout"), "os.system")}, "pickle-malformed", also=["tensor-invalid", "pickle-global"])
pickled("pickle/dtype-unknown", "A dtype that does not exist.", {"d": G("torch", "float33")}, "pickle-global")

# BUILD, NEWOBJ
OD = EMPTY_ORDERED
pickled("build/setstate-name", "BUILD on OrderedDict with a dict that sets __setstate__.", OD + value({"__setstate__": 1}) + BUILD, None, also=["pickle-malformed"], unclear="BUILD is ignored, or only {'_metadata': …} is allowed")
pickled("build/class-name", "BUILD on OrderedDict with a dict that sets __class__ and items.", OD + value({"__class__": 1, "items": 2, "keys": 3}) + BUILD, None, also=["pickle-malformed"], unclear="BUILD is ignored, or only {'_metadata': …} is allowed")
pickled("build/slots-tuple", "BUILD on OrderedDict with a pair (state, slots).", OD + value((None, {"x": 1})) + BUILD, "pickle-malformed")
pickled("build/state-list", "BUILD on OrderedDict with a list.", OD + value([1]) + BUILD, "pickle-malformed", also=[None], unclear="an ignored state")
pickled("build/metadata", "BUILD on OrderedDict with _metadata: what module.state_dict() gives.", OD + U("w") + tensor() + b"s" + value({"_metadata": OD + value("") + value({"version": 1}) + b"s"}) + BUILD, None)
pickled("build/metadata-tensor", "A tensor inside _metadata is not listed.", OD + U("w") + tensor() + b"s" + value({"_metadata": {"hidden": tensor()}}) + BUILD, None)
pickled("build/metadata-and-more", "BUILD with _metadata and another attribute.", OD + value({"_metadata": {}, "x": 1}) + BUILD, None, also=["pickle-malformed"], unclear="BUILD is ignored, or only {'_metadata': …} is allowed")
pickled("build/tensor-set", "BUILD on a tensor: torch calls set_ with the state, a second way to give it storage and shape.", tensor() + value((storage(), 0, (2,), (1,))) + BUILD, "pickle-malformed", also=["tensor-invalid", "pickle-opcode"])
pickled("build/tensor-dict", "BUILD on a tensor with a dict.", tensor() + value({"x": 1}) + BUILD, "pickle-malformed", also=["tensor-invalid", "pickle-opcode"])
pickled("build/parameter", "BUILD on a parameter.", parameter(tensor()) + value({"x": 1}) + BUILD, "pickle-malformed", also=["tensor-invalid", "pickle-opcode"])
pickled("build/dict", "BUILD on a dict.", b"}" + value({"x": 1}) + BUILD, "pickle-malformed")
pickled("build/list", "BUILD on a list.", b"]" + value({"x": 1}) + BUILD, "pickle-malformed")
pickled("build/global", "BUILD on a global itself: overwriting attributes of a class.", G("collections", "OrderedDict") + value({"x": 1}) + BUILD, "pickle-malformed")
pickled("build/function", "BUILD on a function: overwriting __code__ (modelscan 330).", G("torch._utils", "_rebuild_tensor_v2") + value((None, {"__code__": 1})) + BUILD, "pickle-malformed")
pickled("build/storage", "BUILD on a storage.", storage() + value({"x": 1}) + BUILD, "pickle-malformed", also=["tensor-invalid"])
pickled("build/counter", "BUILD on a Counter.", call(G("collections", "Counter"), {}) + value({"x": 1}) + BUILD, "pickle-malformed", also=[None], unclear="torch sets the attribute", expect=[])
pickled("newobj/ordered-dict", "NEWOBJ of OrderedDict.", G("collections", "OrderedDict") + b")" + NEWOBJ + U("w") + tensor() + b"s", None, also=["pickle-malformed", "pickle-opcode"], unclear="NEWOBJ is in the list of opcodes; for what is not said")
pickled("newobj/parameter", "NEWOBJ of Parameter.", G("torch.nn.parameter", "Parameter") + tensor() + b"\x85" + NEWOBJ, None, also=["pickle-malformed", "pickle-opcode", "tensor-invalid"], unclear="NEWOBJ is in the list of opcodes; for what is not said")
pickled("newobj/not-a-class", "NEWOBJ of a function.", G("torch._utils", "_rebuild_tensor_v2") + b")" + NEWOBJ, "pickle-malformed", also=["pickle-opcode"])
pickled("newobj/text", "NEWOBJ of a text.", U("x") + b")" + NEWOBJ, "pickle-malformed", also=["pickle-opcode"])
pickled("newobj/tensor-class", "NEWOBJ of torch.Tensor.", G("torch", "Tensor") + b")" + NEWOBJ, "pickle-global")
pickled("newobj/storage-class", "NEWOBJ of UntypedStorage with a size: torch would allocate.", G("torch.storage", "UntypedStorage") + value((16,)) + NEWOBJ, "pickle-malformed", also=["pickle-opcode", "tensor-invalid"])
pickled("reduce/untyped-storage", "UntypedStorage called with a size: torch would allocate 2^40 bytes.", call(G("torch.storage", "UntypedStorage"), 1 << 40), "pickle-malformed", also=["tensor-invalid", "pickle-global"])
pickled("reduce/parameter-class", "Parameter called like a function.", {"w": call(G("torch.nn.parameter", "Parameter"), tensor(), True)}, None, also=["pickle-malformed", "tensor-invalid"], unclear="the class is in the list; how it may be used is not said")

# texts and numbers
pickled("text/invalid-utf-8", "BINUNICODE that is not UTF-8.", {U(b"\xff\xfe"): 1}, "pickle-malformed")
pickled("text/surrogate", "BINUNICODE with an encoded surrogate: python writes and reads it.", {U(b"\xed\xa0\x80"): 1}, "pickle-malformed", also=[None], unclear="python's pickle reads surrogates; no text of Swift holds one")
pickled("text/overlong", "BINUNICODE with an overlong form.", {U(b"\xc0\x80"): 1}, "pickle-malformed")
pickled("text/nul-in-name", "A tensor's name with NUL.", {"a\0b": tensor()}, None, also=["tensor-invalid"], unclear="torch allows any text as key")
pickled("text/newline-in-name", "A tensor's name with a line feed and an escape sequence.", {"a\n\x1b[31mb": tensor()}, None, also=["tensor-invalid"], unclear="torch allows any text as key; do not print it raw")
pickled("text/empty-name", "A tensor under an empty key.", {"": tensor()}, None)
pickled("text/names-collide", "Two tensors with the name a.b.", {"a.b": tensor(), "a": {"b": tensor(None, 1, (2,), (1,))}}, None, also=["tensor-invalid"], unclear="two paths, one name")
pickled("text/int-and-text-collide", "Keys 1 and '1'.", {1: tensor(), "1": tensor(None, 1, (2,), (1,))}, None, also=["tensor-invalid"], unclear="two paths, one name")
pickled("text/key-twice", "The same dict key set twice: the last one counts, the place of the first.", b"}(" + U("w") + tensor(None, 0, (2,), (1,)) + U("w") + tensor(None, 2, (2,), (1,)) + b"u", None, also=["pickle-malformed"], unclear="python keeps the last value")
pickled("text/true-and-one-key", "Keys True and 1 are one key in python.", b"}(" + b"\x88" + U("a") + b"K\x01" + U("b") + b"u", None, also=["pickle-malformed"], unclear="equal keys of different types")
pickled("text/tensor-under-float-key", "A tensor under a float key.", {1.5: tensor()}, None, also=["tensor-invalid", "pickle-malformed"], unclear="no name is defined")
pickled("text/tensor-under-tuple-key", "A tensor under a tuple key.", {(1, 2): tensor()}, None, also=["tensor-invalid", "pickle-malformed"], unclear="no name is defined")
pickled("text/tensor-under-none-key", "A tensor under the key None.", b"}N" + tensor() + b"s", None, also=["tensor-invalid", "pickle-malformed"], unclear="no name is defined")
pickled("text/tensor-under-negative-key", "A tensor under the key -3.", {-3: tensor()}, None)
pickled("text/tensor-under-long-key", "A tensor under the key 2^70.", {1 << 70: tensor()}, None, also=["tensor-invalid", "pickle-limit", "pickle-malformed"], unclear="an integer beyond 64 bits")
pickled("text/short-binstring-key", "SHORT_BINSTRING as key, as python 2 wrote.", b"}U\x01w" + tensor() + b"s", None)
pickled("text/short-binstring-latin", "SHORT_BINSTRING that is not UTF-8.", b"}U\x01\xff" + b"K\x01s", None, also=["pickle-malformed"], unclear="bytes for us, a refusal for torch", expect=[])
pickled("number/long1-255", "LONG1 of 255 bytes.", {"n": b"\x8a\xff" + b"\x7f" * 255, "w": tensor()}, None, also=["pickle-limit", "pickle-malformed"], unclear="an integer beyond 64 bits, opaque")
pickled("number/long1-0", "LONG1 of no bytes is zero.", {"n": b"\x8a\x00", "w": tensor()}, None)
pickled("number/long1-padded", "LONG1 with needless sign bytes, as tensor size.", {"w": tensor(None, 0, b"\x8a\x09\x04" + bytes(8) + b"\x85", (1,))}, None)
pickled("number/float-nan", "BINFLOAT infinity and NaN.", {"a": b"G\x7f\xf0" + bytes(6), "b": b"G\x7f\xf8" + bytes(6), "w": tensor()}, None)
for version in (0, 1, 3, 5, 6, 255):
    pickled(f"pickle/proto-{version}", f"PROTO {version} before opcodes of protocol 2.", W, None if version < 6 else "pickle-malformed", head=b"\x80" + bytes([version]), also=["pickle-opcode", "pickle-malformed"] if version < 6 else [None, "pickle-opcode"], unclear="torch ignores the number")
pickled("pickle/proto-absent", "No PROTO.", W, None, head=b"", also=["pickle-malformed"], unclear="torch does not ask for it")
pickled("pickle/proto-twice", "PROTO twice.", W, None, head=PROTO2 * 2, also=["pickle-malformed"], unclear="torch does not mind")

# ------------------------------------------------------------------------------------ persistent ids

pid = lambda *items: value(tuple(items)) + PERSID
FS = G("torch", "FloatStorage")
for label, ops in {
    "int": b"K\x00Q", "text": U("0") + b"Q", "none": b"NQ", "list": value(["storage", FS, "0", "cpu", 4]) + b"Q", "empty": b")Q", "four-items": pid("storage", FS, "0", "cpu"),
    "six-items-in-zip": pid("storage", FS, "0", "cpu", 4, None), "seven-items": pid("storage", FS, "0", "cpu", 4, None, 1), "module": pid("module", FS, "a", "b"), "other-word": pid("os", FS, "0", "cpu", 4),
    "key-int": pid("storage", FS, 0, "cpu", 4), "key-none": pid("storage", FS, None, "cpu", 4), "location-int": pid("storage", FS, "0", 7, 4), "numel-text": pid("storage", FS, "0", "cpu", "4"), "numel-float": pid("storage", FS, "0", "cpu", 4.0),
    "numel-none": pid("storage", FS, "0", "cpu", None), "numel-bool": pid("storage", FS, "0", "cpu", True), "type-text": pid("storage", "FloatStorage", "0", "cpu", 4), "type-dtype": pid("storage", G("torch", "float32"), "0", "cpu", 4),
    "type-ordered-dict": pid("storage", G("collections", "OrderedDict"), "0", "cpu", 4),
}.items():  # fmt: skip
    pickled(f"persistent-id/{label}", f"A persistent id that is not (\"storage\", class, key, location, numel): {label}.", {"w": tensor(ops)}, "pickle-malformed", also=["tensor-invalid", "torch-layout"])
pickled("persistent-id/numel-negative", "A negative element count.", {"w": tensor(storage(numel=-1))}, "tensor-invalid", also=["torch-layout", "pickle-malformed"])
pickled("persistent-id/numel-huge", "2^62 elements of 4 bytes overflow 64 bits.", {"w": tensor(storage(numel=1 << 62))}, "tensor-invalid", also=["torch-layout"])
pickled("persistent-id/numel-wraps", "2^64 + 4 elements wrap to 4.", {"w": tensor(storage(numel=(1 << 64) + 4))}, "tensor-invalid", also=["torch-layout", "pickle-malformed"])
pickled("persistent-id/record-shorter", "The record has 8 bytes, 16 are declared.", W, "torch-layout", storages={"0": FOUR[:8]})
pickled("persistent-id/record-longer", "The record has 32 bytes, 16 are declared.", W, "torch-layout", storages={"0": FOUR * 2})
pickled("persistent-id/record-one-byte-off", "The record has 17 bytes, 16 are declared.", W, "torch-layout", storages={"0": FOUR + b"\0"})
pickled("persistent-id/record-empty", "The record is empty, 16 bytes are declared.", W, "torch-layout", storages={"0": b""})
pickled("persistent-id/record-missing", "The record is not there.", W, "torch-layout", storages={"1": FOUR})
pickled("persistent-id/unused-record", "A record that no tensor uses.", W, None, storages={"0": FOUR, "1": FOUR})
for label, key in {"parent": "../data/0", "absolute": "/etc/passwd", "empty": "", "dot": ".", "slash": "a/0", "backslash": "..\\0", "nul": "0\0", "percent": "%30", "upper": "A", "space": " 0", "long": "0" * 300, "data-pkl": "../data.pkl"}.items():
    pickled(f"persistent-id/key-{label}", f"A storage key that leads elsewhere: {label}.", {"w": tensor(storage(key=key))}, "torch-layout", also=["tensor-invalid", "pickle-malformed"])
pickled("persistent-id/key-not-decimal", "A storage key that is a plain word, with its record.", {"w": tensor(storage(key="weights"))}, None, storages={"weights": FOUR}, also=["torch-layout"], unclear="torch takes any key")
pickled("persistent-id/same-key-two-classes", "One key as Float and as Long storage.", {"a": tensor(), "b": tensor(storage("LongStorage", numel=2), 0, (2,), (1,))}, "tensor-invalid", also=["torch-layout"])
pickled("persistent-id/same-key-two-counts", "One key with 4 and with 2 elements.", {"a": tensor(), "b": tensor(storage(numel=2), 0, (2,), (1,))}, "tensor-invalid", also=["torch-layout"])
pickled("persistent-id/same-key-untyped", "One key as Float and as Untyped storage of the same bytes.", {"a": tensor(), "b": tensor_v3(storage("UntypedStorage", numel=16, module="torch.storage"), 0, (4,), (1,))}, None, also=["tensor-invalid", "torch-layout"], unclear="the bytes agree, the classes do not")
pickled("persistent-id/location-cuda", "A location that this machine does not have.", {"w": tensor(storage(location="cuda:7"))}, None)
pickled("persistent-id/location-strange", "A location that nobody has.", {"w": tensor(storage(location="../../x"))}, None)
pickled("persistent-id/binstrings", "SHORT_BINSTRING for the words of the persistent id, as python 2 wrote.", {"w": tensor(b"(U\x07storage" + FS + b"U\x010U\x03cpuK\x04tQ")}, None)
pickled("persistent-id/storage-alone", "A storage that is a value of its own, without tensor.", {"s": storage(), "w": tensor()}, None)
pickled("persistent-id/untyped-v2", "_rebuild_tensor_v2 on an UntypedStorage.", {"w": tensor(storage("UntypedStorage", numel=16, module="torch.storage"), 0, (16,), (1,))}, None, also=["tensor-invalid"], unclear="torch gives U8")
pickled("persistent-id/untyped-v3", "_rebuild_tensor_v3 float32 on an UntypedStorage.", {"w": tensor_v3(storage("UntypedStorage", numel=16, module="torch.storage"), 1, (3,), (1,))}, None)
pickled("persistent-id/untyped-v3-odd", "Fifteen bytes hold three float32 and a rest.", {"w": tensor_v3(storage("UntypedStorage", numel=15, module="torch.storage"), 0, (3,), (1,))}, None, storages={"0": FOUR[:15]}, also=["tensor-invalid"], unclear="a storage that is no multiple of the element")
pickled("persistent-id/untyped-v3-beyond", "Fifteen bytes do not hold four float32.", {"w": tensor_v3(storage("UntypedStorage", numel=15, module="torch.storage"), 0, (4,), (1,))}, "tensor-invalid", storages={"0": FOUR[:15]})
pickled("persistent-id/typed-storage", "TypedStorage as class.", {"w": tensor(storage("TypedStorage", module="torch.storage"))}, "tensor-invalid", also=["pickle-malformed"], unclear="in the list, but it says no dtype")
pickled("persistent-id/typed-v3-other-dtype", "_rebuild_tensor_v3 int32 on a FloatStorage.", {"w": tensor_v3(storage(), 0, (4,), (1,), "int32")}, "tensor-invalid", also=[None], unclear="torch reinterprets the bytes")

# ------------------------------------------------------------------------------------ tensors

for label, (offset, size, stride) in {
    "size-negative": (0, (-1,), (1,)), "size-negative-two": (0, (-2, -2), (2, 1)), "stride-negative": (3, (4,), (-1,)), "offset-negative": (-1, (2,), (1,)), "offset-beyond": (4, (1,), (1,)), "offset-far": (1 << 40, (1,), (1,)),
    "end-beyond": (1, (4,), (1,)), "end-beyond-strided": (0, (2, 2), (3, 1)), "stride-beyond": (0, (2,), (4,)), "size-overflow": (0, (1 << 62, 4), (4, 1)), "size-wraps-to-4": (0, (1 << 33, 1 << 33, 4), (0, 0, 1)),
    "stride-overflow": (0, (2,), (1 << 62,)), "sum-overflow": (0, (3, 3), (1 << 62, 1 << 62)), "offset-plus-overflow": ((1 << 63) - 1, (2,), (1,)), "size-2-63": (0, (1 << 63,), (1,)), "size-2-64-plus-4": (0, ((1 << 64) + 4,), (1,)),
    "stride-2-64-plus-1": (0, (4,), ((1 << 64) + 1,)), "offset-2-64": (1 << 64, (4,), (1,)), "rank-more-strides": (0, (4,), (1, 1)), "rank-fewer-strides": (0, (2, 2), (1,)), "rank-no-strides": (0, (4,), ()),
    "size-float": (0, (4.0,), (1,)), "size-text": (0, ("4",), (1,)), "size-none": (0, (b"N",), (1,)), "size-nested": (0, ((4,),), (1,)), "stride-float": (0, (4,), (1.0,)), "stride-none": (0, (4,), (b"N",)), "offset-float": (0.0, (4,), (1,)),
    "offset-none": (b"N", (4,), (1,)), "offset-text": ("0", (4,), (1,)), "size-int": (0, 4, (1,)), "size-dict": (0, {4: 4}, (1,)), "stride-int": (0, (4,), 1), "rank-65": (0, (1,) * 65, (1,) * 65), "rank-200": (0, (1,) * 200, (1,) * 200),
    "expanded-2-40": (0, (1 << 40,), (0,)), "expanded-2-62": (0, (1 << 31, 1 << 31), (0, 0)),
}.items():  # fmt: skip
    room = None
    if label.startswith("expanded"):
        room = "legal for torch (one element repeated); the cap on total output makes it a refusal, its class is open"
    pickled(f"tensor/{label}", f"A tensor whose layout does not hold: {label}.", {"w": tensor(None, offset, size, stride)}, "tensor-invalid",
            unclear=room, also=["pickle-limit", None] if room else ["pickle-malformed"])  # fmt: skip
pickled("tensor/size-bool", "True as a size.", {"w": tensor(None, 0, (b"\x88",), (1,))}, "tensor-invalid", also=[None, "pickle-malformed"], unclear="a bool is an int in python")
pickled("tensor/size-list", "Sizes as a list.", {"w": tensor(None, 0, [4], [1])}, None, also=["tensor-invalid", "pickle-malformed"], unclear="torch takes lists")
pickled("tensor/size-torch-size", "Sizes as torch.Size.", {"w": tensor(None, 0, call(G("torch", "Size"), (4,)), (1,))}, None, also=["tensor-invalid", "pickle-malformed"], unclear="torch takes any sequence")
pickled("tensor/rank-64", "64 dimensions of one: the limit.", {"w": tensor(None, 0, (1,) * 64, (1,) * 64)}, None)
pickled("tensor/empty-huge-strides", "No elements, strides of 2^62: legal.", {"w": tensor(None, 0, (0, 3), (1 << 62, 1 << 62))}, None)
pickled("tensor/empty-offset-beyond", "No elements, offset beyond the storage: legal, nothing is read.", {"w": tensor(None, 100, (0,), (1,))}, None, also=["tensor-invalid"], unclear="the bound of section 10 is for tensors that are not empty")
pickled("tensor/empty-huge-other-size", "No elements beside a size of 2^62.", {"w": tensor(None, 0, (0, 1 << 62), (1, 1))}, None, also=["tensor-invalid"], unclear="the product is zero")
pickled("tensor/empty-product-overflow", "No elements, though the product of the other sizes overflows.", {"w": tensor(None, 0, (1 << 62, 1 << 62, 0), (1, 1, 1))}, "tensor-invalid", also=[None], unclear="the product is zero, an intermediate one overflows", expect=None)
pickled("tensor/one-element-huge-stride", "One element with a stride of 2^40: legal.", {"w": tensor(None, 3, (1, 1), (1 << 40, 1 << 40))}, None)
pickled("tensor/transposed", "Two by two, transposed.", {"w": tensor(None, 0, (2, 2), (1, 2))}, None)
pickled("tensor/overlapping", "Windows that overlap.", {"w": tensor(None, 0, (3, 2), (1, 1))}, None)
pickled("tensor/expanded", "A row repeated three times with stride 0.", {"w": tensor(None, 0, (3, 4), (0, 1))}, None)
pickled("tensor/scalar", "No dimensions.", {"w": tensor(None, 2, (), ())}, None)
pickled("tensor/tied-views", "Two views of one storage, one tensor twice.", {"a": tensor(None, 0, (2,), (1,)) + b"q\x09", "b": tensor(None, 1, (3,), (1,)), "c": b"h\x09"}, None)
pickled("tensor/hooks-filled", "Backward hooks that are not empty.", {"w": tensor(None, 0, (4,), (1,), False, EMPTY_ORDERED + value(0) + value(1) + b"s")}, "tensor-invalid")
pickled("tensor/hooks-none", "None for hooks.", {"w": tensor(None, 0, (4,), (1,), False, b"N")}, "tensor-invalid", also=[None, "pickle-malformed"], unclear="torch takes None")
pickled("tensor/hooks-dict", "A plain empty dict for hooks.", {"w": tensor(None, 0, (4,), (1,), False, b"}")}, None, also=["tensor-invalid", "pickle-malformed"], unclear="empty, but no OrderedDict")
pickled("tensor/hooks-text", "A text for hooks.", {"w": tensor(None, 0, (4,), (1,), False, U(""))}, "tensor-invalid", also=["pickle-malformed"])
pickled("tensor/requires-grad", "requires_grad set.", {"w": tensor(None, 0, (4,), (1,), True)}, None)
pickled("tensor/requires-grad-int", "requires_grad on integers: torch refuses.", {"w": tensor(storage("LongStorage", numel=2), 0, (2,), (1,), True)}, None, also=["tensor-invalid"], unclear="irrelevant for reading", expect=[{"name": "w", "dtype": "I64", "shape": [2], "sha256": hashlib.sha256(FOUR).hexdigest()}])
pickled("tensor/requires-grad-text", "A text for requires_grad.", {"w": tensor(None, 0, (4,), (1,), "yes")}, "tensor-invalid", also=["pickle-malformed", None], unclear="irrelevant for reading", expect=W_SEEN)
pickled("tensor/arguments-few", "_rebuild_tensor_v2 with three arguments.", {"w": call(G("torch._utils", "_rebuild_tensor_v2"), storage(), 0, (4,))}, "tensor-invalid", also=["pickle-malformed"])
pickled("tensor/arguments-many", "_rebuild_tensor_v2 with eight arguments.", {"w": tensor(None, 0, (4,), (1,), False, EMPTY_ORDERED, {}, 1)}, "tensor-invalid", also=["pickle-malformed"])
pickled("tensor/storage-is-tensor", "A tensor where the storage stands.", {"w": tensor(tensor())}, "tensor-invalid", also=["pickle-malformed"])
pickled("tensor/storage-is-class", "A storage class where the storage stands.", {"w": tensor(FS)}, "tensor-invalid", also=["pickle-malformed"])
pickled("tensor/storage-is-none", "None where the storage stands.", {"w": tensor(b"N")}, "tensor-invalid", also=["pickle-malformed"])
pickled("tensor/old-rebuild", "_rebuild_tensor: four arguments.", {"w": call(G("torch._utils", "_rebuild_tensor"), storage(), 0, (2, 2), (2, 1))}, None)
pickled("tensor/metadata-empty", "v2 with empty metadata.", {"w": tensor(None, 0, (4,), (1,), False, EMPTY_ORDERED, {})}, None)
CF = lambda: storage("ComplexFloatStorage", numel=2)
pickled("tensor/metadata-false", "v2 with conj and neg false.", {"w": tensor(CF(), 0, (2,), (1,), False, EMPTY_ORDERED, {"conj": False, "neg": False})}, None)
pickled("tensor/metadata-conj", "v2 with the conj bit: the values are the conjugates of what is stored.", {"w": tensor(CF(), 0, (2,), (1,), False, EMPTY_ORDERED, {"conj": True})}, "tensor-invalid", also=[None], unclear="section 10 names metadata without its meaning: apply the bit or refuse, never ignore it")
pickled("tensor/metadata-neg", "v2 with the neg bit: the values are the negatives of what is stored.", {"w": tensor(None, 0, (4,), (1,), False, EMPTY_ORDERED, {"neg": True})}, "tensor-invalid", also=[None], unclear="section 10 names metadata without its meaning: apply the bit or refuse, never ignore it")
pickled("tensor/metadata-text", "v2 with a text for metadata.", {"w": tensor(None, 0, (4,), (1,), False, EMPTY_ORDERED, "conj")}, "tensor-invalid", also=["pickle-malformed"])
pickled("tensor/metadata-unknown", "v2 with an unknown bit in the metadata.", {"w": tensor(None, 0, (4,), (1,), False, EMPTY_ORDERED, {"zero": True})}, "tensor-invalid", also=["pickle-malformed"])
pickled("tensor/v3-dtype-text", "v3 with a text for dtype.", {"w": tensor_v3(storage("UntypedStorage", numel=16, module="torch.storage"), 0, (4,), (1,), U("float32"))}, "tensor-invalid", also=["pickle-malformed"])
pickled("tensor/v3-dtype-quantized", "v3 with a quantized dtype.", {"w": tensor_v3(storage("UntypedStorage", numel=16, module="torch.storage"), 0, (16,), (1,), "qint8")}, "tensor-invalid", also=["pickle-global"])
pickled("tensor/v3-dtype-bits", "v3 with torch.uint4.", {"w": tensor_v3(storage("UntypedStorage", numel=16, module="torch.storage"), 0, (16,), (1,), "uint4")}, "tensor-invalid", also=["pickle-global"])
for dtype in ("float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool", "complex64", "complex128"):
    pickled(f"tensor/v3-{dtype}", f"v3 with torch.{dtype} on untyped bytes.", {"w": tensor_v3(storage("UntypedStorage", numel=16, module="torch.storage"), 0, (1,), (1,), dtype)}, None)
pickled("parameter/of-tensor", "_rebuild_parameter.", {"w": parameter(tensor())}, None)
pickled("parameter/of-text", "_rebuild_parameter of a text.", {"w": parameter(U("x"))}, "tensor-invalid", also=["pickle-malformed"])
pickled("parameter/of-none", "_rebuild_parameter of None: torch makes an empty parameter.", {"w": parameter(b"N")}, "tensor-invalid", also=["pickle-malformed"])
pickled("parameter/of-storage", "_rebuild_parameter of a storage.", {"w": parameter(storage())}, "tensor-invalid", also=["pickle-malformed"])
pickled("parameter/of-list", "_rebuild_parameter of a list.", {"w": parameter([1.0])}, "tensor-invalid", also=["pickle-malformed"])
pickled("parameter/of-parameter", "_rebuild_parameter of a parameter.", {"w": parameter(parameter(tensor()))}, None, also=["tensor-invalid"], unclear="torch allows it")
pickled("parameter/hooks-filled", "Hooks of a parameter that are not empty.", {"w": parameter(tensor(), True, EMPTY_ORDERED + value(0) + value(1) + b"s")}, "tensor-invalid")
pickled("parameter/arguments-few", "_rebuild_parameter with one argument.", {"w": call(G("torch._utils", "_rebuild_parameter"), tensor())}, "tensor-invalid", also=["pickle-malformed"])

# ------------------------------------------------------------------------------------ zips

M = lambda pickle_bytes=GOOD, **named: members_of(pickle_bytes, {"0": FOUR}, **named)
A = "archive/"


def changed(index, **fields):
    """Adds the valid checkpoint with changed fields of one member: 0 data.pkl, 1 byteorder, 2 data/0, 3 version."""
    members = M()
    members[index].fields.update(fields)
    if "descriptor" in fields:
        members[index].descriptor = fields["descriptor"]
    return zip_file(members)


def zipped(name, about, data, refusal, **named):
    case("zip/" + name, about, data, refusal, container="zip", **named)


plain = dict(descriptor=False)
zipped("good", "The checkpoint that the cases of this group change.", zip_file(M()), None)
zipped("good-no-descriptors", "Sizes in the local headers, no data descriptors.", zip_file([Member(m.name, m.data, **plain) for m in M()]), None)
zipped("good-zip64-end", "With a zip64 end record, as torch always writes.", zip_file(M(), zip64=True), None)
zipped("good-root", "Another name for the top folder, with a space, a dot and a letter beyond ASCII.", zip_file(M(root="my model.v\u00e9")), None)
zipped("good-no-byteorder", "No byteorder record: little.", zip_file(M(byteorder=None)), None)
zipped("good-directory-entry", "A directory entry archive/.", zip_file([Member(A)] + M()), None, also=["zip-malformed", "torch-layout"], unclear="torch does not write directory entries")
zipped("torchscript-constants", "constants.pkl: TorchScript.", zip_file(M() + [Member(A + "constants.pkl", program(()))]), "torchscript")
zipped("torchscript-code", "A code/ folder: TorchScript.", zip_file(M() + [Member(A + "code/__torch__.py", b"x = 1\n")]), "torchscript")
zipped("torchscript-both", "Both, with code before data.", zip_file([Member(A + "code/__torch__.py", b"x = 1\n"), Member(A + "constants.pkl", program(()))] + M()), "torchscript")
zipped("torchscript-model-json", "The first form of TorchScript: model.json and no data.pkl.", zip_file([Member(A + "version", b"1\n"), Member(A + "model.json", b"{}")]), "torchscript", also=["torch-layout"])
zipped("no-data-pkl", "No data.pkl.", zip_file(M()[1:]), "torch-layout")
zipped("data-pkl-case", "DATA.PKL: names are compared exactly.", zip_file([Member(A + "DATA.PKL", GOOD)] + M()[1:]), "torch-layout")
zipped("data-pkl-extension", "data.pkl.bak.", zip_file([Member(A + "data.pkl.bak", GOOD)] + M()[1:]), "torch-layout")
zipped("data-pkl-at-top", "data.pkl without a folder.", zip_file([Member("data.pkl", GOOD)] + M()[1:]), "torch-layout")
zipped("data-pkl-deep", "The folder is two levels deep.", zip_file(M(root="a/b")), "torch-layout", also=[None, "zip-malformed"], unclear="'one top folder'; torch's answer depends on how it cuts the name")
zipped("data-pkl-two-roots", "data.pkl in two folders.", zip_file(M() + [Member("evil/data.pkl", program(call(G("os", "system"), "echo")))]), "torch-layout")
zipped("data-pkl-two-roots-evil-first", "data.pkl in two folders, the hostile one first.", zip_file([Member("evil/data.pkl", program(call(G("os", "system"), "echo")))] + M()), "torch-layout")
zipped("data-pkl-twice", "Two members named archive/data.pkl.", zip_file(M() + [Member(A + "data.pkl", program(call(G("os", "system"), "echo")))]), "zip-malformed", also=["torch-layout"])
zipped("data-pkl-twice-case", "archive/data.pkl and archive/Data.pkl.", zip_file(M() + [Member(A + "Data.pkl", program(call(G("os", "system"), "echo")))]), None, also=["zip-malformed", "torch-layout"], unclear="names are exact, so the second is an unread member")
zipped("data-pkl-in-data", "archive/data/data.pkl as well.", zip_file(M() + [Member(A + "data/data.pkl", program(call(G("os", "system"), "echo")))]), "torch-layout", also=[None], unclear="whether '*/data.pkl' crosses folders")
zipped("second-pickle", "A hostile pickle under another name: never read.", zip_file(M() + [Member(A + "evil.pkl", program(call(G("os", "system"), "echo")))]), None, also=["torch-layout"], unclear="unread members may be refused")
zipped("second-pickle-broken-first", "A member with a wrong CRC before data.pkl: scanners stop there (modelscan 354).", zip_file([Member(A + "readme", b"hello", crc=1)] + M(program(call(G("os", "system"), "echo")))), "pickle-global", also=["zip-checksum"])
zipped("roots-differ", "The storage lies under another top folder.", zip_file([Member("other/" + m.name.decode().split("/", 1)[1], m.data) if b"data/0" in m.name else m for m in M()]), "torch-layout")
zipped("roots-differ-extra", "A further member outside the top folder.", zip_file(M() + [Member("other/readme", b"x")]), "torch-layout", also=[None], unclear="'one top folder'")
zipped("version-99", "version 99.", zip_file(M(version=b"99\n")), "torch-layout")
zipped("version-0", "version 0.", zip_file(M(version=b"0\n")), "torch-layout")
zipped("version-11", "version 11, one above the range.", zip_file(M(version=b"11\n")), "torch-layout")
zipped("version-10", "version 10, the end of the range.", zip_file(M(version=b"10\n")), None)
zipped("version-1", "version 1.", zip_file(M(version=b"1\n")), None)
zipped("version-text", "version 'three'.", zip_file(M(version=b"three\n")), "torch-layout")
zipped("version-empty", "An empty version.", zip_file(M(version=b"")), "torch-layout")
zipped("version-negative", "version -3.", zip_file(M(version=b"-3\n")), "torch-layout")
zipped("version-huge", "version of 40 digits.", zip_file(M(version=b"3" * 40)), "torch-layout")
zipped("version-no-newline", "version '3' without a line feed.", zip_file(M(version=b"3")), None, also=["torch-layout"], unclear="torch parses the number")
zipped("version-tail", "version '3x'.", zip_file(M(version=b"3x")), "torch-layout", also=[None], unclear="torch stops at the first letter")
zipped("version-missing", "No version.", zip_file(M(version=None)), "torch-layout")
zipped("byteorder-middle", "byteorder 'middle'.", zip_file(M(byteorder=b"middle")), "torch-layout")
zipped("byteorder-newline", "byteorder 'little' with a line feed.", zip_file(M(byteorder=b"little\n")), "torch-layout")
zipped("byteorder-case", "byteorder 'Little'.", zip_file(M(byteorder=b"Little")), "torch-layout")
zipped("byteorder-empty", "An empty byteorder.", zip_file(M(byteorder=b"")), "torch-layout")
big = {"w": tensor(), "d": tensor(storage("DoubleStorage", "1", numel=2), 0, (2,), (1,)), "h": tensor(storage("HalfStorage", "2", numel=2), 0, (2,), (1,)), "c": tensor(storage("ComplexFloatStorage", "3", numel=1), 0, (1,), (1,)),
       "z": tensor(storage("ComplexDoubleStorage", "4", numel=1), 0, (1,), (1,)), "b": tensor(storage("ByteStorage", "5", numel=3), 0, (3,), (1,)), "l": tensor(storage("LongStorage", "6", numel=1), 0, (1,), (1,))}  # fmt: skip
big_data = {"0": struct.pack(">4f", 1, 2, 3, 4), "1": struct.pack(">2d", 1, -2), "2": struct.pack(">2e", 1, -2), "3": struct.pack(">2f", 1, -2), "4": struct.pack(">2d", 1, -2), "5": b"abc", "6": struct.pack(">q", -5)}
zipped("byteorder-big", "byteorder 'big', data in that order: swapped per element.", checkpoint(program(big), big_data, byteorder=b"big"), None)
zipped("byteorder-big-untyped", "byteorder 'big' and a v3 tensor on untyped bytes: torch does not swap these.", checkpoint(program({"w": tensor_v3(storage("UntypedStorage", numel=16, module="torch.storage"), 0, (4,), (1,))}), {"0": FOUR}, byteorder=b"big"), "torch-layout", also=[None, "tensor-invalid"], unclear="what torch reads here depends on the machine that wrote it")
zipped("compressed-data-pkl", "data.pkl deflated.", zip_file([Member(A + "data.pkl", GOOD, stored=zlib.compress(GOOD, 9)[2:-4], method=8)] + M()[1:]), "zip-compressed")
zipped("compressed-storage", "A storage deflated.", zip_file(M()[:2] + [Member(A + "data/0", FOUR, stored=zlib.compress(FOUR, 9)[2:-4], method=8)] + M()[3:]), "zip-compressed")
zipped("compressed-unread", "A member nobody reads, deflated.", zip_file(M() + [Member(A + "readme", b"a" * 50, stored=zlib.compress(b"a" * 50, 9)[2:-4], method=8)]), "zip-compressed", also=[None], unclear="'all members STORED'")
zipped("compressed-bomb", "A deflated storage that claims 2^40 bytes.", zip_file(M()[:2] + [Member(A + "data/0", FOUR, stored=zlib.compress(bytes(1 << 16), 9)[2:-4], method=8, size=0xFFFFFFFE)] + M()[3:]), "zip-compressed")
for method in (1, 9, 12, 14, 93, 95, 99, 0xFFFF):
    zipped(f"method-{method}", f"Method {method} for data.pkl.", zip_file([Member(A + "data.pkl", GOOD, method=method)] + M()[1:]), "zip-compressed", also=["zip-encrypted"] if method == 99 else ())
zipped("method-local-differs", "Stored in the central directory, deflated in the local header.", changed(0, local_method=8), "zip-malformed", also=["zip-compressed"])
zipped("encrypted", "The encryption flag in both headers.", changed(0, flags=0x0809), "zip-encrypted")
zipped("encrypted-central", "The encryption flag only in the central directory (picklescan GHSA-w8jq-xcqf-f792).", changed(0, flags=0x0809, local_flags=0x0808), "zip-encrypted", also=["zip-malformed"])
zipped("encrypted-local", "The encryption flag only in the local header.", changed(0, local_flags=0x0809), "zip-malformed", also=["zip-encrypted"])
zipped("encrypted-strong", "The strong encryption flag.", changed(0, flags=0x0848), "zip-encrypted", also=["zip-malformed"])
zipped("encrypted-directory", "The flag of a masked central directory.", changed(0, flags=0x2808), "zip-encrypted", also=["zip-malformed"])
zipped("patched-flag", "The flag of patched data.", changed(0, flags=0x0828), "zip-malformed", also=["zip-compressed", None], unclear="flags that nobody uses")
zipped("reserved-flags", "All reserved flags.", changed(0, flags=0xF808 | 0x0780), "zip-malformed", also=["zip-encrypted", None], unclear="flags that nobody uses")
zipped("flags-differ", "The UTF-8 flag only in the central directory.", changed(0, local_flags=0x0008), "zip-malformed", also=[None], unclear="the rule asks for equal flags")
zipped("descriptor-flag-differs", "The descriptor flag only in the local header.", changed(0, flags=0x0800, local_flags=0x0808), "zip-malformed")
zipped("descriptor-crc", "A descriptor with another CRC.", changed(0, descriptor_crc=5), "zip-malformed", also=["zip-checksum", None], unclear="torch does not read descriptors")
zipped("descriptor-size", "A descriptor with another size.", changed(0, descriptor_size=5), "zip-malformed", also=[None], unclear="torch does not read descriptors")
zipped("descriptor-missing", "The descriptor flag without a descriptor.", changed(2, write_descriptor=False), "zip-malformed", also=[None], unclear="torch does not read descriptors")
zipped("local-name", "The local header has another name of the same length (CVE-2025-1944).", changed(0, local_name=b"archive/evil.pkl"), "zip-malformed")
zipped("local-name-shorter", "The local header has a shorter name.", changed(0, local_name=b"archive/x"), "zip-malformed")
zipped("local-size", "The local header has another size.", changed(0, descriptor=False, local_size=5), "zip-malformed")
zipped("local-compressed-size", "The local header has another compressed size.", changed(0, descriptor=False, local_compressed=5), "zip-malformed")
zipped("local-crc", "The local header has another CRC.", changed(0, descriptor=False, local_crc=5), "zip-malformed", also=["zip-checksum"])
zipped("local-size-with-descriptor", "The descriptor flag, yet a wrong size in the local header.", changed(0, local_size=5, local_compressed=5), "zip-malformed")
zipped("local-signature-storage", "The local header of a storage has another signature.", changed(2, local_signature=0x04034B51), "zip-malformed")
zipped("local-extra-too-long", "The extra field of the local header runs over the end of the file.", changed(2, local_extra_length=0xFFFF), "zip-malformed")
zipped("crc-data-pkl", "Wrong CRC of data.pkl in every place.", changed(0, crc=0x12345678), "zip-checksum")
zipped("crc-storage", "Wrong CRC of a storage.", changed(2, crc=0x12345678), "zip-checksum")
zipped("crc-zero", "CRC 0: a writer that does not compute them.", changed(2, crc=0), "zip-checksum", also=[None], unclear="set_crc32_options(False); 'an error unless an outer digest already matched'")
zipped("crc-version", "Wrong CRC of the version record (picklescan GHSA-7q5r-7gvp-wc82).", changed(3, crc=0x12345678), "zip-checksum")
zipped("sizes-differ", "Stored, but size and compressed size differ.", changed(2, size=20), "zip-malformed")
zipped("sizes-beyond", "Both sizes beyond the file.", changed(2, size=1 << 20, compressed=1 << 20), "zip-malformed")
zipped("sizes-into-directory", "Sizes that reach into the central directory.", changed(3, size=60, compressed=60), "zip-malformed", also=["zip-checksum"])
zipped("sizes-max", "Sizes of 2^32 - 1 without a zip64 field.", changed(2, size=0xFFFFFFFF, compressed=0xFFFFFFFF), "zip-malformed")
zipped("offset-beyond", "A local header offset beyond the file.", changed(2, offset=1 << 24), "zip-malformed")
zipped("offset-max", "A local header offset of 2^32 - 1 without a zip64 field.", changed(2, offset=0xFFFFFFFF), "zip-malformed")
zipped("offset-off-by-one", "A local header offset one byte off.", changed(2, offset=1), "zip-malformed")
zipped("overlap-same", "Two names for one local header.", zip_file(M() + [Member(A + "data/1", FOUR, offset=0)]), "zip-malformed")
quine = M()
quine[3].fields["offset"] = 0
zipped("overlap-first", "The version record points at the header of data.pkl.", zip_file(quine), "zip-malformed")
inner = zip_file([Member(A + "data/1", b"abcd")])[: 30 + 14 + 4 + 16]
nest = [Member(A + "readme", bytes(4) + inner)] + M()
nest_offset = 30 + len(nest[0].name) + 4
zipped("overlap-nested", "A member that lies wholly inside another.", zip_file(nest + [Member(A + "data/1", b"abcd", offset=nest_offset)]), "zip-malformed")
zipped("directory-beyond", "The central directory begins beyond the file.", zip_file(M(), start=1 << 24), "zip-malformed")
zipped("directory-offset-small", "The central directory is said to begin ten bytes early.", zip_file(M(), start=600), "zip-malformed")
zipped("directory-length-long", "The central directory is said to be longer.", zip_file(M(), length=5000), "zip-malformed")
zipped("directory-length-short", "The central directory is said to be shorter.", zip_file(M(), length=100), "zip-malformed")
zipped("directory-gap", "Bytes between the last member and the central directory.", zip_file(M(), gap=b"x" * 20), None, also=["zip-malformed"], unclear="unused bytes; the alignment of torch leaves none here")
zipped("directory-signature", "A central entry with another signature.", changed(2, central_signature=0x02014B51), "zip-malformed")
zipped("directory-name-too-long", "A central name that runs over the directory.", changed(3, name_length=0x7FFF), "zip-malformed")
zipped("directory-extra-too-long", "A central extra field that runs over the directory.", changed(3, central_extra_length=0x7FFF), "zip-malformed")
zipped("count-zero", "The end record counts no members.", zip_file(M(), count=0), "zip-malformed", also=["torch-layout"])
zipped("count-one", "The end record counts one member.", zip_file(M(), count=1), "zip-malformed", also=["torch-layout"])
zipped("count-more", "The end record counts one member too many.", zip_file(M(), count=5), "zip-malformed")
zipped("count-65535", "The end record counts 65,535 members without zip64.", zip_file(M(), count=65535), "zip-malformed")
zipped("count-disks-differ", "Members on this disk and in total differ.", zip_file(M(), count_here=1), "zip-malformed")
zipped("disk-number", "The end record is on disk 1.", zip_file(M(), disk=1, disk_start=1), "zip-malformed")
zipped("member-disk", "A member on disk 1.", changed(2, disk=1), "zip-malformed")
zipped("zip64-count", "The zip64 end record counts more members.", zip_file(M(), zip64=True, zip64_count=1 << 60), "zip-malformed")
zipped("zip64-start", "The zip64 end record places the directory beyond the file.", zip_file(M(), zip64=True, zip64_start=1 << 62, start=0xFFFFFFFF), "zip-malformed")
zipped("zip64-length", "The zip64 end record gives the directory 2^63 bytes.", zip_file(M(), zip64=True, zip64_length=1 << 63, length=0xFFFFFFFF), "zip-malformed")
zipped("zip64-locator", "The locator points beyond the file.", zip_file(M(), zip64=True, zip64_record=1 << 60, start=0xFFFFFFFF), "zip-malformed")
zipped("zip64-record-size", "The zip64 end record claims 2^62 bytes.", zip_file(M(), zip64=True, zip64_record_size=1 << 62), "zip-malformed")
zipped("zip64-disagrees", "The zip64 record and the end record place the directory differently, and both look usable.", zip_file(M(), zip64=True, zip64_start=0), "zip-malformed")
zipped("zip64-needed", "The end record defers to zip64 for count, length and offset, as a large file does.", zip_file(M(), zip64=True, count=65535, length=0xFFFFFFFF, start=0xFFFFFFFF), None)
x64 = lambda *n: struct.pack("<HH", 1, 8 * len(n)) + struct.pack(f"<{len(n)}Q", *n)
zipped("zip64-extra-good", "Sizes in a zip64 extra field of the central directory.", changed(2, size=0xFFFFFFFF, compressed=0xFFFFFFFF, descriptor=True, central_extra=x64(16, 16)), None, also=["zip-malformed"], unclear="zip64 where it was not needed; the descriptor here is of 32 bits")
zipped("zip64-extra-plain", "Sizes in zip64 extra fields of both headers, no descriptor.", changed(2, descriptor=False, size=0xFFFFFFFF, compressed=0xFFFFFFFF, central_extra=x64(16, 16), local_size=0xFFFFFFFF, local_compressed=0xFFFFFFFF), "zip-malformed", unclear="the alignment field stands where the local zip64 field must be", also=[None])
zipped("zip64-extra-huge", "A zip64 extra field with sizes of 2^63.", changed(2, size=0xFFFFFFFF, compressed=0xFFFFFFFF, central_extra=x64(1 << 63, 1 << 63)), "zip-malformed")
zipped("zip64-extra-wraps", "A zip64 offset that wraps around with the header length.", changed(2, offset=0xFFFFFFFF, central_extra=x64((1 << 64) - 20)), "zip-malformed")
zipped("zip64-extra-short", "A zip64 extra field of four bytes.", changed(2, size=0xFFFFFFFF, central_extra=struct.pack("<HHI", 1, 4, 16)), "zip-malformed")
zipped("zip64-extra-length-lies", "A zip64 extra field longer than the extra area.", changed(2, size=0xFFFFFFFF, central_extra=struct.pack("<HHQ", 1, 80, 16)), "zip-malformed")
zipped("zip64-extra-twice", "Two zip64 extra fields.", changed(2, size=0xFFFFFFFF, compressed=0xFFFFFFFF, central_extra=x64(16, 16) + x64(4, 4)), "zip-malformed", also=[None], unclear="which of two counts")
zipped("extra-garbage", "An extra area that is no list of fields.", changed(2, central_extra=b"\x01\x02\x03"), "zip-malformed", also=[None], unclear="an extra field that nobody needs")
zipped("name-twice", "Two members named archive/data/0.", zip_file(M() + [Member(A + "data/0", bytes(16))]), "zip-malformed")
for label, name in {"parent": "archive/../../evil", "parent-first": "../archive/x", "absolute": "/etc/evil", "drive": "C:\\evil", "backslash": "archive\\..\\evil", "empty": "", "dot": "archive/./x", "double-slash": "archive//x", "nul": "archive/x\0y"}.items():
    zipped(f"name-{label}", f"A further member with a name that leads elsewhere: {label}.", zip_file(M() + [Member(name, b"x")]), "zip-malformed", also=["torch-layout", None] if label in ("dot", "double-slash", "drive", "backslash", "nul") else ["torch-layout"], unclear="never extracted, so harmless when unread" if label in ("dot", "double-slash", "drive", "backslash", "nul") else None)
zipped("name-invalid-utf-8", "A member's name that is not UTF-8.", zip_file(M() + [Member(b"archive/\xff\xfe", b"x")]), "zip-malformed", also=[None, "torch-layout"], unclear="an unread member")
zipped("name-root-parent", "The top folder is '..'.", zip_file(M(root="..")), "zip-malformed", also=["torch-layout"])
zipped("name-root-empty", "The top folder has no name.", zip_file(M(root="")), "zip-malformed", also=["torch-layout"])
zipped("name-key-parent", "The storage lies at archive/data/../0 and is asked for as '../0'.", checkpoint(program({"w": tensor(storage(key="../0"))}), {"../0": FOUR}), "zip-malformed", also=["torch-layout"])
zipped("symbolic-link", "A storage marked as a symbolic link.", changed(2, attributes=0xA1FF0000), "zip-malformed", also=[None], unclear="attributes are not used; nothing is extracted")
zipped("trailing-data", "Bytes after the end record.", zip_file(M(), suffix=b"trailing"), "zip-malformed")
zipped("trailing-zip", "A second zip after the first: readers from the end see the second.", zip_file(M()) + zip_file(M(program(call(G("os", "system"), "echo")))), "zip-malformed")
zipped("trailing-zip-shifted", "The same, the second with offsets that hold for the whole file.", (lambda first: first + zip_file(M(program({"w": tensor()})), prefix=first)[len(first):])(zip_file(M())), None, also=["zip-malformed"], unclear="dead bytes before the first member that is listed")
zipped("unlisted-member", "A member that the central directory does not list.", zip_file([Member(A + "evil", b"x" * 20, listed=False)] + M()), None, also=["zip-malformed"], unclear="dead bytes between members; only the directory counts")
zipped("comment", "A comment of the archive.", zip_file(M(), comment=b"made by hand"), None, also=["zip-malformed"], unclear="torch does not write comments")
zipped("comment-with-end", "A comment that holds another end record, of an empty zip.", zip_file(M(), comment=zip_file([]) + b"xx"), None, also=["zip-malformed"], unclear="the outer record counts, or refuse the ambiguity")
evil_end = zip_file([Member(A + "data.pkl", program(call(G("os", "system"), "echo")))])
zipped("comment-with-zip", "A comment that is a whole zip: two readers, two contents.", zip_file(M(), comment=evil_end), "zip-malformed", also=["torch-layout", "pickle-global", None], unclear="must not be read as one thing here and another there")
zipped("comment-length", "A comment length that is too long.", zip_file(M(), comment_length=40), "zip-malformed")
zipped("member-comment", "A comment of a member.", changed(2, comment=b"hello"), None, also=["zip-malformed"], unclear="torch does not write comments")
zipped("empty", "An empty zip: only an end record.", zip_file([]), "torch-layout", also=["zip-malformed"])
zipped("only-signature", "Four bytes, PK\\x03\\x04.", b"PK\x03\x04", "zip-malformed")
zipped("spanned", "The signature of a split archive first.", b"PK\x07\x08" + zip_file(M(), prefix=b"PK\x07\x08")[4:], "zip-malformed", also=["torch-layout", None], unclear="offsets hold, but the file does not begin with a member")
zipped("prefix-shifted", "A script before the first member, offsets not corrected.", b"#!/bin/sh\nexit\n" + zip_file(M()), "zip-malformed", also=["torch-layout"])
zipped("prefix-corrected", "A script before the first member, offsets corrected.", zip_file(M(), prefix=b"#!/bin/sh\nexit\n"), "torch-layout", also=["zip-malformed", None], unclear="a zip for most tools; torch asks for PK at the start")
zipped("prefix-local-header", "The good zip after 64 bytes that begin like a member.", zip_file(M(), prefix=b"PK\x03\x04" + bytes(60)), None, also=["zip-malformed"], unclear="dead bytes before the first member that is listed")
good = zip_file(M(), zip64=True)
directory = good.index(b"PK\x01\x02")
for label, at in {"one": 1, "local-header": 20, "data-pkl": 80, "before-directory": directory, "in-directory": directory + 30, "before-zip64": good.index(b"PK\x06\x06"), "before-locator": good.index(b"PK\x06\x07"), "before-end": good.index(b"PK\x05\x06"), "in-end": len(good) - 10, "last-byte": len(good) - 1}.items():
    zipped(f"truncated-{label}", f"The file ends after {at} bytes.", good[:at], "zip-malformed", also=["torch-layout"] if at < 4 else ())
zipped("member-npz", "A zip of numpy: .npy members.", zip_file([Member("w.npy", b"\x93NUMPY\x01\x00")]), "torch-layout")
zipped("member-docx", "A zip that is something else.", zip_file([Member("[Content_Types].xml", b"<x/>")]), "torch-layout")

# ------------------------------------------------------------------------------------ legacy, tar, raw

LW = program({"w": tensor(legacy_storage())})


def old(name, about, data, refusal, **named):
    case("legacy/" + name, about, data, refusal, container="legacy", **named)


old("good", "The file that the cases of this group change.", legacy(LW), None)
old("magic", "Another magic number.", legacy(LW, magic=MAGIC + 1), "torch-layout", also=["pickle-malformed"])
old("magic-text", "A text for the magic number.", legacy(LW, magic=text("torch")), "torch-layout", also=["pickle-malformed"])
old("magic-global", "os.system before the magic number.", program(call(G("os", "system"), "echo")) + legacy(LW), "pickle-global", also=["torch-layout"])
old("protocol", "Protocol 1002.", legacy(LW, protocol=1002), "torch-layout")
old("protocol-text", "A text for the protocol.", legacy(LW, protocol=text("1001")), "torch-layout", also=["pickle-malformed"])
old("protocol-global", "os.system where the protocol stands.", legacy(LW, protocol=call(G("os", "system"), "echo")), "pickle-global", also=["torch-layout"])
old("sys-info-big-endian", "sys_info says big-endian: torch ignores it, and writers always stored little-endian.", legacy(LW, info=sys_info(False)), None, also=["torch-layout"], unclear="torch's writer swaps to little-endian on every machine, so the flag says nothing about the data")
old("sys-info-list", "sys_info is a list.", legacy(LW, info=program([1])), None, also=["torch-layout", "pickle-malformed"], unclear="torch does not look at sys_info")
old("sys-info-empty", "sys_info is empty.", legacy(LW, info=program({})), None, also=["torch-layout", "pickle-malformed"], unclear="torch does not look at sys_info")
old("sys-info-global", "os.system in sys_info.", legacy(LW, info=program({"x": call(G("os", "system"), "echo")})), "pickle-global")
old("sys-info-type-sizes", "Types of other sizes in sys_info.", legacy(LW, info=program({"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 4, "int": 8, "long": 8}})), None, also=["torch-layout"], unclear="torch does not look at sys_info")
old("object-global", "os.system in the object.", legacy(program(call(G("os", "system"), "echo"))), "pickle-global")
old("keys-global", "os.system in the list of keys.", legacy(LW, keys_pickle=program([call(G("os", "system"), "echo")])), "pickle-global")
old("keys-not-list", "A dict for the list of keys.", legacy(LW, keys_pickle=program({"0": 1})), "torch-layout", also=["pickle-malformed"])
old("keys-tuple", "A tuple for the list of keys.", legacy(LW, keys_pickle=program(("0",))), "torch-layout", also=["pickle-malformed", None], unclear="torch takes any sequence")
old("keys-int", "An integer as key.", legacy(LW, keys_pickle=program([0])), "torch-layout", also=["pickle-malformed"])
old("keys-unknown", "A key that no tensor uses.", legacy(LW, keys=("0", "9"), storages=((4, FOUR), (4, FOUR))), "torch-layout")
old("keys-missing", "A key that is not in the list: torch leaves its memory uninitialised.", legacy(LW, keys=(), storages=()), "torch-layout")
old("keys-twice", "A key twice, with other data the second time.", legacy(LW, keys=("0", "0"), storages=((4, FOUR), (4, bytes(16)))), "torch-layout")
old("keys-huge", "A list of keys over the nesting limit.", legacy(LW, keys_pickle=PROTO2 + b"]" * 2000 + b"a" * 1999 + STOP), "pickle-limit", also=["torch-layout"])
old("count-negative", "A negative element count.", legacy(LW, storages=((-1, FOUR),)), "torch-layout", also=["tensor-invalid"])
old("count-differs", "An element count that disagrees with the persistent id.", legacy(LW, storages=((3, FOUR[:12]),)), "torch-layout")
old("count-more", "An element count above the persistent id.", legacy(LW, storages=((5, FOUR + bytes(4)),)), "torch-layout")
old("count-huge", "An element count of 2^62.", legacy(LW, storages=(((1 << 62), FOUR),)), "torch-layout", also=["tensor-invalid"])
old("numel-huge", "2^40 elements in the persistent id: torch would allocate 4 TiB.", legacy(program({"w": tensor(legacy_storage(numel=1 << 40))}), storages=((1 << 40, FOUR),)), "torch-layout", also=["tensor-invalid"])
old("numel-negative", "A negative count in the persistent id.", legacy(program({"w": tensor(legacy_storage(numel=-4))}), storages=((-4, b""),)), "tensor-invalid", also=["torch-layout", "pickle-malformed"])
old("data-truncated", "The data ends early.", legacy(LW)[:-5], "torch-layout")
old("data-missing", "No data at all.", legacy(LW)[:-16], "torch-layout")
old("count-missing", "The element count is cut.", legacy(LW)[:-20], "torch-layout")
old("keys-cut", "The list of keys is cut.", legacy(LW)[:-26], "pickle-malformed", also=["torch-layout"])
old("data-trailing", "Bytes after the last storage.", legacy(LW) + b"trailing", "torch-layout", also=[None], unclear="torch does not look further")
old("trailing-pickle", "A hostile pickle after the last storage.", legacy(LW) + program(call(G("os", "system"), "echo")), "torch-layout", also=[None], unclear="torch does not look further")
old("after-stop", "Bytes between two pickles.", legacy(LW + bytes(4)), "pickle-malformed", also=["pickle-opcode", "torch-layout"])
old("five-items", "A persistent id of five items, the form of zip files.", legacy(program({"w": tensor()})), "pickle-malformed", also=["torch-layout", "tensor-invalid", None], unclear="torch asks for six in this form")
view = lambda *v, size=(2,), numel=4: program({"w": tensor(legacy_storage(view=tuple(v), numel=numel), 0, size, (1,))})
old("view", "View metadata: key, offset, size.", legacy(view("0v", 1, 2)), None, also=["torch-layout", "tensor-invalid"], unclear="named in section 10 as the sixth item")
old("view-beyond", "A view that ends beyond its storage.", legacy(view("0v", 3, 2)), "tensor-invalid", also=["torch-layout"])
old("view-negative", "A view with a negative offset: python would count from the end.", legacy(view("0v", -2, 2)), "tensor-invalid", also=["torch-layout"])
old("view-negative-size", "A view with a negative size.", legacy(view("0v", 0, -1)), "tensor-invalid", also=["torch-layout"])
old("view-smaller-than-tensor", "A view smaller than the tensor on it.", legacy(view("0v", 0, 1)), "tensor-invalid", also=["torch-layout"])
old("view-shape", "View metadata of two items.", legacy(view("0v", 0)), "pickle-malformed", also=["torch-layout", "tensor-invalid"])
old("view-text", "View metadata that is a text.", legacy(program({"w": tensor(value(("storage", FS, "0", "cpu", 4, "abc")) + PERSID)})), "pickle-malformed", also=["torch-layout", "tensor-invalid"])
old("view-is-own-root", "A view whose key is the key of its storage.", legacy(view("0", 1, 2)), "tensor-invalid", also=["torch-layout", None], unclear="torch returns the storage itself")
old("module-source", "A persistent id ('module', …) with source code, as torch wrote for whole modules.", legacy(program({"m": value(("module", FS, "a.py", "x = 1")) + PERSID})), "pickle-malformed", also=["torch-layout", "pickle-global", "tensor-invalid"])
old("module-object", "A whole pickled module.", legacy(program(call(G("torch.nn.modules.linear", "Linear")))), "pickle-global")
old("only-magic", "Only the magic number.", program(MAGIC), "pickle-malformed", also=["torch-layout"])
old("only-header", "Magic number, protocol and sys_info.", program(MAGIC) + program(1001) + sys_info(), "pickle-malformed", also=["torch-layout"])
old("two-tensors-one-storage", "Two views of one storage.", legacy(program({"a": tensor(legacy_storage(), 0, (2,), (1,)), "b": tensor(legacy_storage(), 1, (3,), (1,))})), None)
old("same-key-two-classes", "One key as Float and as Long.", legacy(program({"a": tensor(legacy_storage()), "b": tensor(legacy_storage("LongStorage", numel=2), 0, (2,), (1,))})), "tensor-invalid", also=["torch-layout"])
old("magic-protocol-4", "The magic number pickled with protocol 4.", P4 + value(MAGIC) + STOP + legacy(LW)[len(program(MAGIC)):], None, also=["torch-layout", "pickle-malformed"], unclear="the first bytes differ from the usual ones")


def old_tar(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()[: 512 * (2 * len(members) + 2)]


TAR = [("storages", program(0) + program([])), ("tensors", program(0)), ("pickle", program({}))]
case("tar/good", "The layout of torch 0.1: storages, tensors, pickle.", old_tar(TAR), "torch-tar", container="raw")
case("tar/evil", "The same with os.system in the pickle.", old_tar(TAR[:2] + [("pickle", program(call(G("os", "system"), "echo")))]), "torch-tar", container="raw")
case("tar/link", "A tar whose member leads elsewhere.", old_tar([("../storages", b"")] + TAR[1:]), "torch-tar", container="raw", also=["torch-layout"])
case("tar/other", "A tar without these members.", old_tar([("readme", b"hello")]), "torch-tar", container="raw", also=["torch-layout"], unclear="a tar, though not one of torch")
case("raw/empty", "An empty file.", b"", "torch-layout", container="raw", also=["zip-malformed", "pickle-malformed"])
case("raw/one-byte", "One byte.", b"\x80", "torch-layout", container="raw", also=["pickle-malformed"])
case("raw/text", "A text.", b"hello, this is no checkpoint\n", "torch-layout", container="raw", also=["pickle-malformed", "pickle-opcode"])
case("raw/pickle", "A bare pickle of a dict.", program({"a": 1}), "torch-layout", container="raw", also=["pickle-malformed"])
case("raw/pickle-evil", "A bare pickle with os.system.", program(call(G("os", "system"), "echo")), "torch-layout", container="raw", also=["pickle-global"])
case("raw/pickle-protocol-0", "A bare pickle of protocol 0: plain ASCII.", b"cos\nsystem\n(S'echo'\ntR.", "torch-layout", container="raw", also=["pickle-global"])
case("raw/gzip", "A gzip file.", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0", "torch-layout", container="raw")
case("raw/7z", "The signature of 7z (nullifAI).", b"7z\xbc\xaf\x27\x1c\0\x04" + bytes(24), "torch-layout", container="raw")
case("raw/hdf5", "The signature of HDF5.", b"\x89HDF\r\n\x1a\n" + bytes(24), "torch-layout", container="raw")
case("raw/gguf", "The signature of GGUF.", b"GGUF" + bytes(20), "torch-layout", container="raw")
case("raw/safetensors", "A safetensors file.", struct.pack("<Q", 2) + b"{}", "torch-layout", container="raw")
case("raw/npy", "A numpy file.", b"\x93NUMPY\x01\x00" + bytes(20), "torch-layout", container="raw")
case("raw/zeros", "Zero bytes.", bytes(600), "torch-layout", container="raw", also=["torch-tar"])
case("raw/pt-in-bin", "A pickle with a broken tail, as PyTorch-like .bin (CVE-2025-10155).", program(call(G("os", "system"), "echo")) + b"\x00\x01", "torch-layout", container="raw", also=["pickle-global"])

# ------------------------------------------------------------------------------------ accepted, from torch

base = torch.arange(12, dtype=torch.float32).reshape(3, 4)
linear = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LayerNorm(3))
with torch.no_grad():
    for i, p in enumerate(linear.parameters()):
        p.copy_(torch.arange(p.numel(), dtype=torch.float32).reshape(p.shape) + i)
all_dtypes = {str(d).split(".")[1]: (torch.arange(6) % 2 if d == torch.bool else torch.arange(6)).to(d).reshape(2, 3) for d in list(DTYPES)[:12]}
HONEST = {
    "dict": ("A plain dict of two tensors.", {"a": base, "b": base[0].clone()}),
    "state-dict": ("module.state_dict(): OrderedDict with _metadata.", linear.state_dict()),
    "parameters": ("Parameters, with and without gradient.", {"p": torch.nn.Parameter(base), "q": torch.nn.Parameter(base[1].clone(), requires_grad=False)}),
    "shared-storage": ("Two views of one storage, and one tensor twice.", {"all": base, "row": base[1], "again": base}),
    "transposed": ("A transposed tensor.", {"t": base.t()}),
    "expanded": ("An expanded tensor: stride 0.", {"e": base[0].expand(5, 4)}),
    "strided": ("Every other column, from the second row.", {"s": base[1:, ::2]}),
    "every-dtype": ("Each of the twelve dtypes.", all_dtypes),
    "zero-d": ("Tensors without dimensions.", {"f": torch.tensor(1.5), "i": torch.tensor(7), "b": torch.tensor(True)}),
    "empty": ("Tensors without elements, some with a storage.", {"e": torch.empty(0), "m": torch.empty(3, 0, 2), "v": base[:0]}),
    "torch-values": ("torch.Size, device and dtype as values.", {"size": torch.Size([2, 3]), "device": torch.device("cuda", 0), "dtype": torch.bfloat16, "w": base}),
    "layout": ("torch.strided as a value.", {"layout": torch.strided, "w": base}),
    "counter": ("A Counter, as schedulers keep.", {"milestones": collections.Counter({10: 1, 20: 2}), "w": base}),
    "scalars": ("None, bools, numbers, texts, bytes, a set.", {"n": None, "t": True, "f": False, "i": -5, "big": 1 << 80, "x": 0.1, "s": "h\u00e9", "by": b"\x00\xff", "set": {1, 2}, "c": 1 + 2j, "ba": bytearray(b"ab"), "w": base}),
    "nested": ("Lists and tuples in dicts.", {"model": {"layers": [{"w": base}, {"w": base[2].clone()}], "pair": (base[0].clone(), 1)}, "epoch": 3}),
    "optimizer": ("Integer keys, as an optimiser keeps.", {"state": {0: {"step": torch.tensor(3.0), "exp_avg": base}, 1: {"step": torch.tensor(4.0)}}, "param_groups": [{"lr": 0.1, "params": [0, 1]}]}),
    "jepa": ("The top level of JEPA releases.", {"encoder": {"module.backbone.blocks.0.w": base}, "target_encoder": {"module.backbone.blocks.0.w": base + 1}, "predictor": {"module.backbone.b": base[0].clone()}, "opt": None, "scaler": None, "epoch": 1, "loss": 0.5, "batch_size": 2, "world_size": 1, "lr": 1e-3}),
    "bare-tensor": ("A tensor and nothing around it: its name is empty.", base),
    "list-of-tensors": ("A list at the top.", [base, base[0].clone()]),
    "empty-dict": ("An empty dict.", {}),
    "none": ("None.", None),
}  # fmt: skip
for name, (about, obj) in HONEST.items():
    room = "a name for a tensor that has no path" if name == "bare-tensor" else None
    also = ["tensor-invalid"] if room else ()
    case(f"honest/zip/{name}", about, save_zip(obj), None, unclear=room, also=also)
    case(f"honest/legacy/{name}", about + " Legacy container.", save_legacy(obj), None, unclear=room, also=also)
for name in ("dict", "state-dict", "parameters", "nested", "every-dtype", "scalars", "torch-values", "counter"):
    room = "builtins of protocol 4 that section 10 does not list (set, bytearray)" if name == "scalars" else None
    case(f"honest/zip-protocol-4/{name}", HONEST[name][0] + " Pickled with protocol 4, which torch's own reader refuses.", save_zip(HONEST[name][1], 4), None,
         expect=describe(HONEST[name][1])[0], unclear=room, also=["pickle-opcode", "pickle-global"] if room else ())  # fmt: skip
case("honest/zip/new-dtypes", "uint16, uint32, uint64 and two float8: dtypes that safetensors names too.",
     save_zip({str(d): torch.arange(4).to(d) for d in (torch.uint16, torch.uint32, torch.uint64, torch.float8_e4m3fn, torch.float8_e5m2)}), None,
     also=["pickle-global", "tensor-invalid"], unclear="section 10 lists twelve storages; these come as v3 on untyped bytes")  # fmt: skip
case("honest/zip/conj", "torch.conj of a complex tensor: saved with the conj bit.", save_zip({"c": torch.tensor([1 + 2j, 3 - 4j]).conj()}), "tensor-invalid", also=[None], unclear="apply the bit or refuse, never ignore it")
case("honest/zip/sparse", "A sparse tensor.", save_zip({"s": torch.eye(2).to_sparse()}), "pickle-global")
case("honest/zip/quantized", "A quantized tensor.", save_zip({"q": torch.quantize_per_tensor(base, 0.1, 0, torch.qint8)}), "pickle-global")
case("honest/zip/meta", "A tensor on the meta device: it has no data.", save_zip({"m": torch.empty(2, 3, device="meta")}), "pickle-global")
torch.serialization.set_crc32_options(False)
case("honest/zip/no-crc", "A file of a writer that computes no CRC.", save_zip({"w": base}), "zip-checksum", also=[None], unclear="'an error unless an outer digest already matched'")
torch.serialization.set_crc32_options(True)


def main():
    vectors, bare = [], []
    for c in CASES:
        seen = run_torch(c["data"])
        out = {"name": c["name"], "about": c["about"], "container": c["container"], "bytes": base64.b64encode(c["data"]).decode(),
               "refusal": c["refusal"], "torch": seen["torch"]}  # fmt: skip
        if c["also"]:
            out["alsoFine"] = c["also"]
        if c["unclear"]:
            out["unclear"] = c["unclear"]
        if c["refusal"] is None or None in c["also"]:
            if seen["torch"] == "loads":
                out["tensors"] = sorted(seen["tensors"], key=lambda t: (t["name"], json.dumps(t)))
                if not seen["whole"]:
                    out["namesOpen"] = True
            elif c["expect"] is not None:
                out["tensors"] = sorted(c["expect"], key=lambda t: (t["name"], json.dumps(t)))
            elif c["refusal"] is None:
                bare.append((c["name"], seen.get("message", "")[-300:]))
        vectors.append(out)
    for name, message in bare:
        print("accepted but torch does not load:", name, repr(message), file=sys.stderr)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hostile.json")
    with open(path, "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(v, ensure_ascii=True) for v in vectors) + "\n]\n")
    tally = collections.Counter((v["refusal"], v["torch"]) for v in vectors)
    for key in sorted(tally, key=str):
        print(*key, tally[key])
    print(len(vectors), "cases,", sum(len(v["bytes"]) for v in vectors), "characters of base64")


if __name__ == "__main__":
    main()
