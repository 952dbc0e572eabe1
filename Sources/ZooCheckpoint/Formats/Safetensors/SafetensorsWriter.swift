// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
internal import ZooFiles
public import ZooTensor

/// Writes safetensors files: equal tensors and metadata make equal bytes.
public enum SafetensorsWriter {
    /// Writes a file; the old content or the new is there at every instant.
    ///
    /// Tensors are ordered by element size, largest first, then by name, so that every tensor is
    /// aligned for its type; the header is padded with spaces to a multiple of 8.
    ///
    /// - Parameters:
    ///   - tensors: the tensors by name. Names are not empty, not `__metadata__`.
    ///   - metadata: free-form metadata.
    ///   - path: where to write.
    /// - Throws: ``ZooError`` with an `io.*` code.
    public static func write(
        _ tensors: [String: StoredTensor],
        metadata: [String: String] = [:],
        to path: String
    ) throws(ZooError) {
        let ordered = tensors.sorted { left, right in
            let (leftBits, rightBits) = (left.value.dtype.bitWidth, right.value.dtype.bitWidth)
            return leftBits != rightBits
                ? leftBits > rightBits : left.key.utf8.lexicographicallyPrecedes(right.key.utf8)
        }
        let header = headerBytes(ordered, metadata: metadata)
        let temporary = "\(FileSystem.parent(of: path))/.\(FileSystem.uniqueName()).tmp"
        do throws(ZooError) {
            let file = try OpenFile(temporary, .createNew)
            try file.write(littleEndian(header.count) + header, at: 0)
            var position = 8 + header.count
            for (_, tensor) in ordered {
                try file.write(tensor, at: position)
                position += tensor.byteCount
            }
            try file.synchronize()
            try FileSystem.rename(temporary, to: path)
        } catch {
            // The failure that matters is the first one; a leftover says what it is by its name.
            try? FileSystem.remove(temporary)
            throw error
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

    /// The header as JSON text; tensors stand in the order of their bytes, which a JSON object as
    /// such does not keep, so that it is put together here.
    private static func headerBytes(
        _ tensors: [(key: String, value: StoredTensor)],
        metadata: [String: String]
    ) -> [UInt8] {
        var members: [[UInt8]] = []
        if !metadata.isEmpty {
            members.append(
                member("__metadata__", .object(metadata.mapValues { JSONValue.string($0) }))
            )
        }
        var position = 0
        for (name, tensor) in tensors {
            precondition(!name.isEmpty && name != "__metadata__", "a tensor named '\(name)'")
            let end = position + tensor.byteCount
            members.append(
                member(
                    name,
                    .object([
                        "dtype": .string(tensor.dtype.rawValue),
                        "shape": .array(tensor.shape.extents.map { .integer($0) }),
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
    func write(_ tensor: StoredTensor, at offset: Int) throws(ZooError) {
        let outcome: Result<Void, ZooError> = tensor.withBytes { span in
            unsafe span.withUnsafeBytes { bytes in
                do throws(ZooError) {
                    return .success(unsafe try write(bytes, at: offset))
                } catch {
                    return .failure(error)
                }
            }
        }
        try outcome.get()
    }
}
