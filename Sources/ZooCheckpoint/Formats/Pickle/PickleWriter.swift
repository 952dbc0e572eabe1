// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooTensor

/// Writes a nested dictionary of tensors as a pickle.
///
/// It uses protocol 2 and only the opcodes that `torch.save` itself writes.
struct PickleWriter {
    private(set) var bytes: [UInt8] = [0x80, 2]

    /// Ends the pickle.
    mutating func stop() { put(.stop) }

    /// Opens a dictionary; `endDictionary` closes it.
    mutating func beginDictionary() {
        put(.emptyDictionary)
        put(.mark)
    }

    /// Closes a dictionary, after its keys and values.
    mutating func endDictionary() { put(.setItems) }

    /// Opens a list; `endList` closes it.
    mutating func beginList() {
        put(.emptyList)
        put(.mark)
    }

    /// Closes a list.
    mutating func endList() { put(.appends) }

    mutating func text(_ text: String) {
        put(.unicode4)
        let utf8 = Array(text.utf8)
        littleEndian(utf8.count, 4)
        bytes += utf8
    }

    /// A contiguous tensor that has a storage of its own.
    mutating func tensor(_ dtype: DType, _ sizes: [Int], key: String) {
        global("torch._utils", "_rebuild_tensor_v2")
        put(.mark)
        put(.mark)
        text("storage")
        global("torch", Self.storageNames[dtype] ?? "ByteStorage")
        text(key)
        text("cpu")
        integer(sizes.reduce(1, *))
        put(.tuple)
        put(.persistentID)
        integer(0)
        integers(sizes)
        integers(TensorView.rowMajorStrides(sizes))
        put(.newFalse)
        global("collections", "OrderedDict")
        put(.emptyTuple)
        put(.reduce)
        put(.tuple)
        put(.reduce)
    }

    /// The element types that PyTorch has storages for.
    static let storageNames: [DType: String] = [
        .f32: "FloatStorage", .f64: "DoubleStorage", .f16: "HalfStorage",
        .bf16: "BFloat16Storage", .i64: "LongStorage", .i32: "IntStorage", .i16: "ShortStorage",
        .i8: "CharStorage", .u8: "ByteStorage", .bool: "BoolStorage", .c64: "ComplexFloatStorage",
    ]

    private mutating func put(_ instruction: PickleInstruction) {
        bytes.append(instruction.rawValue)
    }

    private mutating func global(_ module: String, _ name: String) {
        put(.global)
        bytes += Array("\(module)\n\(name)\n".utf8)
    }

    private mutating func integers(_ numbers: [Int]) {
        put(.mark)
        for number in numbers { integer(number) }
        put(.tuple)
    }

    private mutating func integer(_ number: Int) {
        guard let small = Int32(exactly: number) else {
            put(.long1)
            bytes.append(8)
            return littleEndian(number, 8)
        }
        put(.integer4)
        littleEndian(Int(small), 4)
    }

    private mutating func littleEndian(_ number: Int, _ count: Int) {
        for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
    }
}
