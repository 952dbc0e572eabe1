// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles
internal import ZooTensor

/// A safetensors file: the header length as a little-endian `u64`, the header, the elements.
package struct SafetensorsFile: Sendable {
    package let header: SafetensorsHeader
    private let file: MappedFile
    private let dataStart: Int

    /// Opens and checks a file.
    ///
    /// - Throws: ``ZooError`` with a `checkpoint.safetensors-*` code, or `io.*`.
    package init(_ file: MappedFile) throws(ZooError) {
        let path = file.path
        let start = try file.bytes(0..<min(file.byteCount, ForeignContent.prefix))
        try ForeignContent.refuse(start, path)
        guard file.byteCount >= 8 else {
            throw ZooError(
                .safetensorsHeaderTruncated,
                "'\(path)' has \(file.byteCount) bytes; a header needs at least 8",
                remedy: "the file is incomplete; download it again"
            )
        }
        let length = try file.bytes(0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(SafetensorsHeader.Limits.header) else {
            throw ZooError(
                .safetensorsHeaderTooLarge,
                "'\(path)' declares a header of \(length) bytes; the limit is "
                    + "\(SafetensorsHeader.Limits.header)",
                remedy: "check that this is a safetensors file"
            )
        }
        dataStart = 8 + Int(length)
        guard dataStart <= file.byteCount else {
            throw ZooError(
                .safetensorsHeaderTruncated,
                "'\(path)' declares a header of \(length) bytes, but has only \(file.byteCount) bytes",
                remedy: "the file is incomplete; download it again"
            )
        }
        header = try SafetensorsHeader(
            parsing: try file.bytes(8..<dataStart),
            dataSize: file.byteCount - dataStart,
            source: path
        )
        self.file = file
        try requireBooleans()
    }

    /// The offset of each tensor from the start of the file, in bytes.
    package var tensorStarts: [Int] {
        header.entries.map { dataStart + $0.range.lowerBound }
    }

    /// The tensor of a header entry.
    package func view(_ entry: SafetensorsHeader.Entry) -> TensorView {
        TensorView(
            dtype: entry.description.dtype,
            shape: entry.description.shape,
            firstByte: dataStart + entry.range.lowerBound,
            of: file
        )
    }

    /// Checks that BOOL elements are 0 or 1, because programs read other values differently.
    private func requireBooleans() throws(ZooError) {
        for entry in header.entries where entry.description.dtype == .bool {
            let (start, end) = (entry.range.lowerBound, entry.range.upperBound)
            for first in stride(from: start, to: end, by: TensorView.chunk) {
                let piece = dataStart + first..<dataStart + min(first + TensorView.chunk, end)
                guard try file.bytes(piece).allSatisfy({ $0 <= 1 }) else {
                    throw ZooError(
                        .safetensorsBoolInvalid,
                        "tensor '\(entry.description.name)' of '\(file.path)' holds BOOL elements "
                            + "that are neither 0 nor 1"
                    )
                }
            }
        }
    }
}
