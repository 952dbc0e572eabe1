// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooTensor

/// The allowlist of global names: those that PyTorch writes for tensors and plain containers.
///
/// All other names are rejected or stay texts (``PickleLabel``) that are never called. To call what
/// is not on a denylist would not be safe: scanners that use one are regularly bypassed.
///
/// Source: a subset of the allowlist in pytorch/pytorch `torch/_weights_only_unpickler.py`.
enum PickleGlobal: Hashable {
    case orderedDictionary
    case counter
    case set
    case byteArray
    case complex
    case encode
    case size
    case device
    case layout
    case parameter
    /// `functools.partial`, whose function stays a name.
    case partial
    case rebuildParameter
    case rebuildTensor(Rebuild)
    /// A typed storage, such as `torch.FloatStorage`.
    case storage(DType)
    /// A storage of bytes.
    case untypedStorage
    /// `TypedStorage`, which does not name its element type.
    case typedStorage
    /// An element type, such as `torch.float32`.
    case dtype(DType)

    /// The functions that build a tensor from a storage; they differ in their last arguments.
    enum Rebuild: Hashable {
        case first, second, third
    }

    /// Looks up a name; nil if it is not on the allowlist.
    init?(module: String, name: String) {
        let module = module == "__builtin__" ? "builtins" : module
        guard let global = Self.names["\(module) \(name)"] else { return nil }
        self = global
    }

    private static let names: [String: PickleGlobal] = {
        var names: [String: PickleGlobal] = [
            "collections OrderedDict": .orderedDictionary,
            "collections Counter": .counter,
            "builtins set": .set,
            "builtins bytearray": .byteArray,
            "builtins complex": .complex,
            "_codecs encode": .encode,
            "functools partial": .partial,
            "torch Size": .size,
            "torch device": .device,
            "torch.serialization _get_layout": .layout,
            "torch.nn.parameter Parameter": .parameter,
            "torch._utils _rebuild_parameter": .rebuildParameter,
            "torch._utils _rebuild_tensor": .rebuildTensor(.first),
            "torch._utils _rebuild_tensor_v2": .rebuildTensor(.second),
            "torch._utils _rebuild_tensor_v3": .rebuildTensor(.third),
            "torch.storage UntypedStorage": .untypedStorage,
            "torch.storage TypedStorage": .typedStorage,
        ]
        let storages: [(String, DType)] = [
            ("Float", .f32), ("Double", .f64), ("Half", .f16), ("BFloat16", .bf16), ("Long", .i64),
            ("Int", .i32), ("Short", .i16), ("Char", .i8), ("Byte", .u8), ("Bool", .bool),
            ("ComplexFloat", .c64), ("ComplexDouble", .c128),
        ]
        for (name, dtype) in storages { names["torch \(name)Storage"] = .storage(dtype) }
        let dtypes: [(String, DType)] = [
            ("float32", .f32), ("float", .f32), ("float64", .f64), ("double", .f64),
            ("float16", .f16), ("half", .f16), ("bfloat16", .bf16), ("int64", .i64),
            ("long", .i64), ("int32", .i32), ("int", .i32), ("int16", .i16), ("short", .i16),
            ("int8", .i8), ("uint8", .u8), ("uint16", .u16), ("uint32", .u32), ("uint64", .u64),
            ("bool", .bool), ("complex64", .c64), ("cfloat", .c64), ("complex128", .c128),
            ("cdouble", .c128), ("float8_e5m2", .f8E5M2), ("float8_e4m3fn", .f8E4M3),
            ("float8_e8m0fnu", .f8E8M0), ("float8_e5m2fnuz", .f8E5M2FNUZ),
            ("float8_e4m3fnuz", .f8E4M3FNUZ),
        ]
        for (name, dtype) in dtypes { names["torch \(name)"] = .dtype(dtype) }
        return names
    }()
}
