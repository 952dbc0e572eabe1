// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CChecksum
internal import ZooCore
internal import ZooFiles
internal import ZooTensor

/// Writes files that `torch.load` reads.
///
/// Such a file is a ZIP file of uncompressed records: a pickle of nested dictionaries, and one
/// storage for each tensor. Equal tensors give equal bytes.
package enum TorchWriter {
    /// A dictionary, a list, or a tensor.
    package indirect enum Node {
        /// Keys and values, in order.
        case dictionary([(key: String, value: Node)])
        /// Elements.
        case list([Node])
        /// A tensor.
        case tensor(SafetensorsWriter.Entry)
    }

    /// The alignment of records in bytes, so that elements can be mapped.
    private static let alignment = 64

    /// Writes a file atomically.
    ///
    /// - Parameters:
    ///   - root: the content of the file.
    ///   - path: the file to write.
    /// - Throws: ``ZooError`` with code `checkpoint.dtype-mismatch` for an element type that PyTorch
    ///   has no storage for or an `io.*` code, or what an entry throws.
    package static func write(_ root: Node, to path: String) throws {
        var pickle = PickleWriter()
        var tensors: [SafetensorsWriter.Entry] = []
        try add(root, to: &pickle, &tensors)
        pickle.stop()
        try FileSystem.writeAtomically(path) { file in
            var zip = ZipWriter(file: file)
            try zip.add("archive/data.pkl", bytes: pickle.bytes)
            try zip.add("archive/byteorder", bytes: Array("little".utf8))
            for (index, tensor) in tensors.enumerated() {
                try zip.add("archive/data/\(index)", size: tensor.byteCount, tensor.elements)
            }
            try zip.add("archive/version", bytes: Array("3\n".utf8))
            try zip.finish()
        }
    }

    private static func add(
        _ node: Node,
        to pickle: inout PickleWriter,
        _ tensors: inout [SafetensorsWriter.Entry]
    ) throws(ZooError) {
        switch node {
        case .dictionary(let members):
            pickle.beginDictionary()
            for (key, value) in members {
                pickle.text(key)
                try add(value, to: &pickle, &tensors)
            }
            pickle.endDictionary()
        case .list(let elements):
            pickle.beginList()
            for element in elements { try add(element, to: &pickle, &tensors) }
            pickle.endList()
        case .tensor(let tensor):
            guard PickleWriter.storageNames[tensor.dtype] != nil else {
                throw ZooError(
                    .tensorDTypeMismatch,
                    "'\(tensor.name)' is \(tensor.dtype.rawValue), which PyTorch files cannot store"
                )
            }
            pickle.tensor(tensor.dtype, tensor.shape.sizes, key: String(tensors.count))
            tensors.append(tensor)
        }
    }

    /// Writes a ZIP file, always in the ZIP64 format.
    private struct ZipWriter {
        let file: OpenFile
        private var position = 0
        private var directory: [UInt8] = []
        private var count = 0

        init(file: OpenFile) { self.file = file }

        mutating func add(_ name: String, bytes: [UInt8]) throws {
            try add(name, size: bytes.count) { body in try body(unsafe bytes.span.bytes) }
        }

        /// Adds a record; writes its checksum into the header after the content.
        mutating func add(
            _ name: String,
            size: Int,
            _ content: ((RawSpan) throws -> Void) throws -> Void
        ) throws {
            let start = position
            // Name, ZIP64 extra field (20 bytes), and padding, which is also an extra field.
            let unpadded = start + 30 + name.utf8.count + 20 + 4
            let padding = (alignment - unpadded % alignment) % alignment
            let dataStart = unpadded + padding
            position = dataStart
            var checksum: UInt32 = 0
            try content { span in
                checksum = unsafe span.withUnsafeBytes { bytes in
                    unsafe ami_crc32(
                        checksum,
                        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
                        bytes.count
                    )
                }
                try file.write(span, at: position)
                position += span.byteCount
            }
            precondition(position == dataStart + size, "'\(name)' has another size than it said")
            let fixed = Self.fixed(checksum, name)
            let header =
                Self.number(0x0403_4B50, 4) + fixed + Self.number(20 + 4 + padding, 2)
                + Array(name.utf8) + Self.sizes(size, nil) + Self.number(0x4246, 2)
                + Self.number(padding, 2) + [UInt8](repeating: 0, count: padding)
            try file.write(header, at: start)
            let attributes = [UInt8](repeating: 0, count: 10)
            directory +=
                Self.number(0x0201_4B50, 4) + Self.number(45, 2) + fixed + Self.number(28, 2)
                + attributes + Self.number(0xFFFF_FFFF, 4) + Array(name.utf8)
                + Self.sizes(size, start)
            count += 1
        }

        mutating func finish() throws(ZooError) {
            let end =
                Self.number(0x0606_4B50, 4) + Self.number(44, 8) + Self.number(45, 2)
                + Self.number(45, 2) + Self.number(0, 8) + Self.number(count, 8)
                + Self.number(count, 8) + Self.number(directory.count, 8)
                + Self.number(position, 8)
            let locator =
                Self.number(0x0706_4B50, 4) + Self.number(0, 4)
                + Self.number(position + directory.count, 8) + Self.number(1, 4)
            let small =
                Self.number(0x0605_4B50, 4) + Self.number(0, 4) + Self.number(0xFFFF, 2)
                + Self.number(0xFFFF, 2) + Self.number(0xFFFF_FFFF, 4)
                + Self.number(0xFFFF_FFFF, 4) + Self.number(0, 2)
            try file.write(directory + end + locator + small, at: position)
        }

        /// The common fields of local and central headers, from the version to the name length.
        ///
        /// Sizes are in the extra field; the time is the earliest that a ZIP file can state.
        private static func fixed(_ checksum: UInt32, _ name: String) -> [UInt8] {
            number(45, 2) + number(0, 4) + number(0, 2) + number(0x21, 2)
                + number(Int(checksum), 4) + number(0xFFFF_FFFF, 4) + number(0xFFFF_FFFF, 4)
                + number(name.utf8.count, 2)
        }

        private static func sizes(_ size: Int, _ start: Int?) -> [UInt8] {
            let place = start.map { number($0, 8) } ?? []
            return number(1, 2) + number(16 + place.count, 2) + number(size, 8) + number(size, 8)
                + place
        }

        private static func number(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
    }
}
