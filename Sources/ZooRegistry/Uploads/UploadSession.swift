// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// What an upload is for, stored beside its bytes.
package struct UploadSession: Sendable, Equatable {
    /// The archive of a block-wise upload.
    package struct Target: Sendable, Equatable {
        /// The digest of the archive.
        package let archive: ContentDigest
        /// The digest of its block table, a blob.
        package let table: ContentDigest

        /// Creates a target.
        package init(archive: ContentDigest, table: ContentDigest) {
            self.archive = archive
            self.table = table
        }
    }

    private static let format = "ami-zoo.upload/1"

    /// The repository that gets the blob.
    package let repository: RepositoryName
    /// The archive; nil for an ordinary upload.
    package let target: Target?

    init(repository: RepositoryName, target: Target?) {
        self.repository = repository
        self.target = target
    }

    init(canonical bytes: [UInt8]) throws(ZooError) {
        let object = try JSONObject(try JSONValue(canonical: bytes, limits: .init(bytes: 4096)))
        try object.requireFormat(Self.format)
        repository = try RepositoryName(parsing: try object.string("repository"))
        target = try object.optionalObject("target").map { item throws(ZooError) in
            Target(archive: try item.digest("archive"), table: try item.digest("table"))
        }
    }

    var canonicalBytes: [UInt8] {
        var members: [String: JSONValue] = [
            "format": .string(Self.format), "repository": .string(repository.description),
        ]
        if let target {
            members["target"] = [
                "archive": .string(target.archive.description),
                "table": .string(target.table.description),
            ]
        }
        return JSONValue.object(members).canonicalBytes
    }
}
