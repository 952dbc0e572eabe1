// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

/// Reads the lists and labels of held data, each once: what is hashed are the bytes that were read.
final class HeldDocuments {
    /// The files.
    let files: any HeldFiles
    /// The digests of what was read.
    private(set) var digests = FileDigests()

    /// The largest size of a list, in bytes.
    private static let limit = 512 << 20

    /// Reads documents of held data.
    init(_ files: any HeldFiles) { self.files = files }

    private func bytes(_ path: ReleasePath) throws(ZooError) -> [UInt8] {
        guard let bytes = try files.bytes(of: path.text) else {
            throw HeldListing.missing(path.text, in: files)
        }
        guard bytes.range.count <= Self.limit else {
            throw HeldListing.malformed(
                "'\(path)' has \(bytes.range.count) bytes; the limit is \(Self.limit)"
            )
        }
        let content = try bytes.source.bytes(bytes.range)
        digests.add(path.text, content)
        return content
    }

    /// A text.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.file-missing` or `evaluation.list-malformed`, or an `io.*` or
    ///   `archive.*` code.
    func text(_ path: ReleasePath) throws(ZooError) -> String {
        guard let text = String(validating: try bytes(path), as: UTF8.self) else {
            throw HeldListing.malformed("'\(path)' is not UTF-8 text")
        }
        return text
    }

    private func json(_ path: ReleasePath) throws(ZooError) -> JSONValue {
        let bytes = try bytes(path)
        do {
            return try JSONValue(
                parsing: bytes,
                limits: JSONValue.Limits(bytes: Self.limit, values: 64 << 20)
            )
        } catch {
            throw HeldListing.malformed("'\(path)' is no JSON document: \(error.message)")
        }
    }

    /// A JSON object.
    ///
    /// - Throws: as ``text(_:)``.
    func object(_ path: ReleasePath) throws(ZooError) -> JSONObject {
        let value = try json(path)
        guard let object = try? JSONObject(value) else {
            throw HeldListing.malformed("'\(path)' is no object")
        }
        return object
    }

    /// A JSON array of objects.
    ///
    /// - Throws: as ``text(_:)``.
    func entries(_ path: ReleasePath) throws(ZooError) -> [JSONObject] {
        guard case .array(let values) = try json(path) else {
            throw HeldListing.malformed("'\(path)' is no array")
        }
        var entries: [JSONObject] = []
        for (index, value) in values.enumerated() {
            guard let entry = try? JSONObject(value, at: "[\(index)]") else {
                throw HeldListing.malformed("entry \(index) of '\(path)' is no object")
            }
            entries.append(entry)
        }
        return entries
    }
}
