// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
internal import ZooFiles
public import ZooTensor

/// Writes safetensors files; equal tensors and metadata give equal bytes.
public enum SafetensorsWriter {
    /// A tensor to write: its description, and a closure that provides its bytes.
    package struct Entry {
        /// The name; not empty, not `__metadata__`.
        package let name: String
        /// The type of the elements.
        package let dtype: DType
        /// The shape.
        package let shape: Shape
        /// Passes the row-major little-endian bytes to its argument, chunk by chunk and in order.
        package let elements: ((RawSpan) throws -> Void) throws -> Void

        /// Creates an entry.
        package init(
            name: String,
            dtype: DType,
            shape: Shape,
            elements: @escaping ((RawSpan) throws -> Void) throws -> Void
        ) {
            self.name = name
            self.dtype = dtype
            self.shape = shape
            self.elements = elements
        }

        var byteCount: Int { shape.byteCount(of: dtype) ?? 0 }
    }

    /// Writes a file atomically.
    ///
    /// Tensors are ordered by element size, largest first, then by name, so that every tensor is
    /// aligned for its type; the header is padded with spaces to a multiple of 8.
    ///
    /// - Parameters:
    ///   - tensors: the tensors by name. Names are not empty, not `__metadata__`.
    ///   - metadata: free-form metadata.
    ///   - path: the file to write.
    /// - Throws: ``ZooError`` with an `io.*` code.
    public static func write(
        _ tensors: [String: StoredTensor],
        metadata: [String: String] = [:],
        to path: String
    ) throws(ZooError) {
        let entries = tensors.map { name, tensor in
            Entry(name: name, dtype: tensor.dtype, shape: tensor.shape) { body in
                try tensor.withBytes(body)
            }
        }
        try uncancelled { _ in _ = try write(entries, metadata: metadata, to: path) }
    }

    /// Writes tensors from entries, in the same order as the other `write`.
    ///
    /// - Parameters:
    ///   - entries: the tensors.
    ///   - metadata: free-form metadata.
    ///   - path: the file to write.
    /// - Returns: the size and the digest of the file.
    /// - Throws: ``ZooError`` with an `io.*` code, or what an entry throws.
    @discardableResult
    package static func write(
        _ entries: [Entry],
        metadata: [String: String] = [:],
        to path: String
    ) throws -> (size: Int, digest: ContentDigest) {
        let ordered = entries.sorted { left, right in
            let (leftBits, rightBits) = (left.dtype.bitWidth, right.dtype.bitWidth)
            return leftBits != rightBits
                ? leftBits > rightBits : left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
        }
        let header = headerBytes(ordered, metadata: metadata)
        return try FileSystem.writeAtomically(path) { file in
            let start = littleEndian(header.count) + header
            try file.write(start, at: 0)
            var hasher = ContentDigest.Hasher()
            hasher.update(start)
            var position = start.count
            for entry in ordered {
                let end = position + entry.byteCount
                try entry.elements { span in
                    hasher.update(span)
                    try file.write(span, at: position)
                    position += span.byteCount
                }
                precondition(position == end, "'\(entry.name)' has not the bytes of its shape")
            }
            return (position, hasher.finish())
        }
    }

    /// Writes computed tensors.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    public static func write(
        _ tensors: [String: Tensor],
        metadata: [String: String] = [:],
        to path: String
    ) throws(ZooError) {
        try write(tensors.mapValues { StoredTensor($0) }, metadata: metadata, to: path)
    }

    private static func littleEndian(_ value: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// The header as JSON text.
    ///
    /// The members must be in the order of the tensors' bytes. A JSON object value does not keep an
    /// order, so the text is assembled here.
    private static func headerBytes(
        _ tensors: [Entry],
        metadata: [String: String]
    ) -> [UInt8] {
        var members: [[UInt8]] = []
        if !metadata.isEmpty {
            members.append(
                member("__metadata__", .object(metadata.mapValues { JSONValue.string($0) }))
            )
        }
        var position = 0
        for tensor in tensors {
            let name = tensor.name
            precondition(!name.isEmpty && name != "__metadata__", "a tensor named '\(name)'")
            let end = position + tensor.byteCount
            members.append(
                member(
                    name,
                    .object([
                        "dtype": .string(tensor.dtype.rawValue),
                        "shape": .array(tensor.shape.sizes.map { .integer($0) }),
                        "data_offsets": .array([.integer(position), .integer(end)]),
                    ])
                )
            )
            position = end
        }
        var header = [UInt8(ascii: "{")] + members.joined(separator: [UInt8(ascii: ",")])
        header.append(UInt8(ascii: "}"))
        while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
        return header
    }

    private static func member(_ name: String, _ value: JSONValue) -> [UInt8] {
        JSONValue.string(name).canonicalBytes + [UInt8(ascii: ":")] + value.canonicalBytes
    }
}

extension OpenFile {
    /// Writes the elements of a tensor at `offset`.
    func write(_ tensor: StoredTensor, at offset: Int) throws {
        try tensor.withBytes { try write($0, at: offset) }
    }
}
