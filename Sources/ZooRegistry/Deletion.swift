// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// A version that the owner of a registry deleted: one line of `deleted/<namespace>/<name>.jsonl`.
package struct Deletion: Sendable, Equatable {
    /// The model or data set.
    package let name: ModelName
    /// The version.
    package let version: SemanticVersion
    /// The digest of the manifest.
    package let digest: ContentDigest
    /// When it was deleted.
    package let date: Timestamp

    /// The stored form.
    var line: [UInt8] {
        let members: JSONValue = [
            "name": .string(name.description), "version": .string(version.description),
            "digest": .string(digest.description), "date": .string(date.text),
        ]
        return members.canonicalBytes
    }
}

extension Deletion {
    fileprivate init(line: some Sequence<UInt8>) throws(ZooError) {
        let limits = JSONValue.Limits(bytes: 4096, depth: 2, values: 64)
        let object = try JSONObject(try JSONValue(canonical: Array(line), limits: limits))
        name = try ModelName(parsing: try object.string("name"))
        version = try SemanticVersion(parsing: try object.string("version"))
        digest = try object.digest("digest")
        guard let date = Timestamp(parsing: try object.string("date")) else {
            throw object.invalid("date", "is not a time such as 2026-01-31T12:00:00Z")
        }
        self.date = date
    }
}

extension RegistryDocuments {
    /// The deleted versions of a model, in the order of deletion.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `io.*` code.
    package func deletions(of name: ModelName) throws(ZooError) -> [Deletion] {
        let bytes: [UInt8]
        do throws(ZooError) {
            bytes = try FileSystem.document(
                "\(root)/\(RegistryLayout.deletions(name))",
                limit: FormatLimits.indexDocument
            )
        } catch  where error.code == .fileMissing {
            return []
        }
        var deletions: [Deletion] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            deletions.append(try Deletion(line: line))
        }
        return deletions
    }

    /// Whether a release that `index.json` lists was deleted.
    func isDeleted(_ entry: ImageIndex.Entry) throws(ZooError) -> Bool {
        try deletions(of: entry.name).contains {
            $0.version == entry.version && $0.digest == entry.digest
        }
    }
}
