// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooTensor

/// The header of a safetensors file: the tensors and their offsets.
///
/// The rules are those of the reference implementation (huggingface/safetensors 0.8.0,
/// `src/tensor.rs`), and stricter where it is lenient: names appear once at every level, the header
/// begins with `{`, names are not empty, reserved or made of control characters, and shapes have at
/// most 64 axes. A header is accepted or rejected as a whole.
package struct SafetensorsHeader: Sendable {
    /// One tensor and its place in the data that follows the header.
    package struct Entry: Sendable {
        package let description: TensorDescription
        /// The byte range in the data area.
        package let range: Range<Int>
    }

    /// The limits of the format and of this reader.
    package enum Limits {
        /// Bytes of a header, as in the reference implementation.
        package static let header = 100_000_000
        /// Axes of a shape.
        package static let rank = 64
        /// JSON values of a header; a tensor takes about eight.
        static let values = 1 << 23
    }

    /// The tensors in the order of their data.
    package let entries: [Entry]
    /// The free-form metadata.
    package let metadata: [String: String]

    /// Reads and checks a header.
    ///
    /// - Parameters:
    ///   - text: the bytes of the header, without the length before it.
    ///   - dataSize: the number of bytes that follow the header.
    ///   - source: the name of the file, for messages.
    /// - Throws: ``ZooError`` with a `checkpoint.safetensors-*` code.
    package init(parsing text: [UInt8], dataSize: Int, source: String) throws(ZooError) {
        let members = try Self.members(of: text, source: source)
        var entries: [Entry] = []
        var metadata: [String: String] = [:]
        for (name, value) in members {
            if name == "__metadata__" {
                metadata = try Self.metadata(value, source: source)
            } else {
                entries.append(try Self.entry(name, value, source: source))
            }
        }
        entries.sort {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        try Self.requireContiguous(entries, dataSize: dataSize, source: source)
        self.entries = entries
        self.metadata = metadata
    }

    private static func members(
        of text: [UInt8],
        source: String
    ) throws(ZooError) -> [String: JSONValue] {
        let malformed = ZooError.Code.safetensorsHeaderMalformed
        guard text.first == UInt8(ascii: "{") else {
            throw ZooError(malformed, "the header of '\(source)' does not begin with '{'")
        }
        let value: JSONValue
        do {
            value = try JSONValue(
                parsing: text,
                limits: JSONValue.Limits(bytes: Limits.header, values: Limits.values)
            )
        } catch {
            let isDuplicate = error.code == .jsonDuplicateName
            throw ZooError(
                isDuplicate ? .safetensorsDuplicateKey : malformed,
                "the header of '\(source)' is not valid JSON",
                cause: error
            )
        }
        guard case .object(let members) = value else {
            throw ZooError(malformed, "the header of '\(source)' is not a JSON object")
        }
        return members
    }

    private static func metadata(
        _ value: JSONValue,
        source: String
    ) throws(ZooError) -> [String: String] {
        let invalid = ZooError(
            .safetensorsMetadataInvalid,
            "the metadata of '\(source)' is not a map from strings to strings"
        )
        // Some writers state that there is none; the reference implementation accepts it.
        if case .null = value { return [:] }
        guard case .object(let members) = value else { throw invalid }
        var metadata: [String: String] = [:]
        for (key, value) in members {
            guard case .string(let text) = value else { throw invalid }
            metadata[key] = text
        }
        return metadata
    }

    private static func entry(
        _ name: String,
        _ value: JSONValue,
        source: String
    ) throws(ZooError) -> Entry {
        let place = "tensor '\(name.prefix(200))' of '\(source)'"
        guard isAcceptable(name) else {
            throw ZooError(
                .safetensorsNameInvalid,
                "\(place): a name must not be empty, reserved, or hold control characters"
            )
        }
        guard case .object(let fields) = value else {
            throw ZooError(.safetensorsEntryInvalid, "\(place): the entry is not an object")
        }
        guard case .string(let dtypeName)? = fields["dtype"] else {
            throw ZooError(.safetensorsEntryInvalid, "\(place): 'dtype' is not a string")
        }
        guard let dtype = DType(rawValue: dtypeName), dtype != .c128 else {
            throw ZooError(
                .safetensorsDTypeUnknown,
                "\(place): unknown dtype '\(dtypeName.prefix(40))'"
            )
        }
        let sizes = try integers(fields["shape"], "shape", of: place)
        guard sizes.count <= Limits.rank, let shape = Shape(checking: sizes),
            shape.elementCount <= Int.max / dtype.bitWidth
        else {
            throw ZooError(
                .safetensorsShapeInvalid,
                "\(place): the shape \(sizes.prefix(8)) is negative, too large or has too many axes"
            )
        }
        let offsets = try integers(fields["data_offsets"], "data_offsets", of: place)
        guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1] else {
            throw ZooError(
                .safetensorsOffsetsInvalid,
                "\(place): the offsets \(offsets.prefix(8)) are not a begin and an end"
            )
        }
        let size = offsets[1] - offsets[0]
        guard shape.byteCount(of: dtype) == size else {
            throw ZooError(
                .safetensorsSizeMismatch,
                "\(place): \(size) bytes do not match \(dtype.rawValue) elements of shape \(shape)"
            )
        }
        return Entry(
            description: TensorDescription(
                name: name,
                dtype: dtype,
                shape: shape,
                byteCount: size
            ),
            range: offsets[0]..<offsets[1]
        )
    }

    private static func integers(
        _ value: JSONValue?,
        _ field: String,
        of place: String
    ) throws(ZooError) -> [Int] {
        guard case .array(let elements)? = value else {
            throw ZooError(.safetensorsEntryInvalid, "\(place): '\(field)' is not an array")
        }
        var integers: [Int] = []
        for element in elements {
            guard case .integer(let integer) = element else {
                throw ZooError(
                    .safetensorsEntryInvalid,
                    "\(place): '\(field)' has elements that are not integers"
                )
            }
            integers.append(integer)
        }
        return integers
    }

    private static func isAcceptable(_ name: String) -> Bool {
        let bare = name.filter { !$0.isWhitespace }.lowercased()
        return !bare.isEmpty && bare != "__metadata__"
            && !name.unicodeScalars.contains(where: \.isControl)
    }

    /// Checks that the tensors cover the data area without gaps, overlaps or trailing bytes.
    private static func requireContiguous(
        _ entries: [Entry],
        dataSize: Int,
        source: String
    ) throws(ZooError) {
        var position = 0
        for entry in entries {
            let place = "tensor '\(entry.description.name.prefix(200))' of '\(source)'"
            let begin = entry.range.lowerBound
            guard begin >= position else {
                throw ZooError(
                    .safetensorsOffsetsOverlap,
                    "\(place) begins at byte \(begin), inside the tensor that ends at \(position)"
                )
            }
            guard begin == position else {
                throw ZooError(
                    .safetensorsOffsetsGap,
                    "\(place) begins at byte \(begin); bytes from \(position) belong to no tensor"
                )
            }
            guard entry.range.upperBound <= dataSize else {
                throw ZooError(
                    .safetensorsDataTruncated,
                    "\(place) ends at byte \(entry.range.upperBound) of \(dataSize)",
                    remedy: "the file is incomplete; download it again"
                )
            }
            position = entry.range.upperBound
        }
        guard position == dataSize else {
            throw ZooError(
                .safetensorsTrailingBytes,
                "'\(source)' has \(dataSize - position) bytes after its last tensor"
            )
        }
    }
}
