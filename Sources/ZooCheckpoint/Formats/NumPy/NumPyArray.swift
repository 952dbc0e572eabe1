// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooTensor

/// The array of a `.npy` file, or of one record of a `.npz` file.
///
/// Source of the layout: numpy/numpy `numpy/lib/format.py`, versions 1 to 3.
enum NumPyArray {
    static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]
    private static let headerLimit = 1 << 16

    /// Parses the array in a range of bytes of a file.
    ///
    /// - Throws: ``ZooError`` with code `checkpoint.numpy-malformed` or `io.*`.
    static func view(
        _ content: Range<Int>,
        of file: MappedFile,
        name: String
    ) throws(ZooError) -> TensorView {
        func malformed(_ what: String) -> ZooError {
            ZooError(
                .numPyMalformed,
                "the array '\(name)' of '\(file.path)' \(what)",
                remedy: "save it again with numpy.save or numpy.savez"
            )
        }
        guard content.count >= 12 else { throw malformed("is truncated") }
        let start = try file.bytes(content.lowerBound..<content.lowerBound + 12)
        guard Array(start[0..<6]) == magic, (1...3).contains(start[6]) else {
            throw malformed("has an unsupported format version")
        }
        let isShort = start[6] == 1
        let length =
            Int(start[8]) | Int(start[9]) << 8
            | (isShort ? 0 : Int(start[10]) << 16 | Int(start[11]) << 24)
        let headerStart = content.lowerBound + (isShort ? 10 : 12)
        guard length <= headerLimit, length <= content.upperBound - headerStart else {
            throw malformed("has a header that is truncated or too long")
        }
        let text = try file.bytes(headerStart..<headerStart + length)
        guard let header = NumPyHeader(String(decoding: text, as: UTF8.self)) else {
            throw malformed("has an invalid header")
        }
        guard let dtype = header.dtype else {
            throw malformed("has the unsupported dtype '\(header.description.prefix(20))'")
        }
        let data = headerStart + length..<content.upperBound
        guard header.sizes.count <= PickleLimits.rank,
            let shape = Shape(checking: header.sizes),
            shape.byteCount(of: dtype) == data.count
        else { throw malformed("has a size that does not match its shape") }
        // Column-major order equals row-major order of the reversed shape.
        let reversed = TensorView.rowMajorStrides(header.sizes.reversed()).reversed()
        return TensorView(
            dtype: dtype,
            shape: shape,
            strides: header.isColumnMajor ? Array(reversed) : nil,
            firstByte: data.lowerBound,
            isBigEndian: header.isBigEndian,
            of: file
        )
    }
}

/// The header of an array: a Python dictionary literal with three entries.
struct NumPyHeader {
    /// The element type as NumPy writes it, such as `<f4`.
    let description: String
    let isColumnMajor: Bool
    let sizes: [Int]

    /// Parses a header; nil if NumPy does not write such a header.
    init?(_ text: String) {
        let text = text.filter { !$0.isWhitespace }
        guard text.hasPrefix("{"), text.hasSuffix("}"),
            let type = Self.value(of: "descr", in: text)?.dropFirst().split(
                separator: "'",
                maxSplits: 1
            ).first,
            let order = Self.value(of: "fortran_order", in: text),
            let shape = Self.value(of: "shape", in: text), shape.hasPrefix("("),
            let end = shape.firstIndex(of: ")")
        else { return nil }
        description = String(type)
        isColumnMajor = order.hasPrefix("True")
        guard isColumnMajor || order.hasPrefix("False") else { return nil }
        var sizes: [Int] = []
        for number in shape[..<end].dropFirst().split(separator: ",") {
            guard let size = Int(number), size >= 0 else { return nil }
            sizes.append(size)
        }
        self.sizes = sizes
    }

    private static func value(of key: String, in text: String) -> Substring? {
        let parts = text.split(
            separator: "'\(key)':",
            maxSplits: 2,
            omittingEmptySubsequences: false
        )
        return parts.count == 2 ? parts[1] : nil
    }

    var isBigEndian: Bool { description.hasPrefix(">") }

    var dtype: DType? {
        switch description.dropFirst() {
        case "f2": .f16
        case "f4": .f32
        case "f8": .f64
        case "b1": .bool
        case "i1": .i8
        case "i2": .i16
        case "i4": .i32
        case "i8": .i64
        case "u1": .u8
        case "u2": .u16
        case "u4": .u32
        case "u8": .u64
        case "c8": .c64
        default: nil
        }
    }
}
