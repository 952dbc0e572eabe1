// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// What an upload is for, stored beside its bytes.
package struct UploadSession: Sendable, Equatable {
    private static let format = "ami-zoo.upload/1"

    /// What a block-wise upload is for.
    package struct Blocks: Sendable, Equatable {
        /// The digest of the archive.
        package let archive: ContentDigest
        /// The digest of its block table.
        package let table: ContentDigest
        /// The name of the token that started the upload; nil for an anonymous sender.
        package let subject: String?

        /// Describes a block-wise upload.
        package init(archive: ContentDigest, table: ContentDigest, subject: String?) {
            self.archive = archive
            self.table = table
            self.subject = subject
        }
    }

    /// The repository that gets the blob.
    package let repository: RepositoryName
    /// What a block-wise upload is for; nil when the bytes arrive in order.
    package let blocks: Blocks?

    init(repository: RepositoryName, blocks: Blocks? = nil) {
        self.repository = repository
        self.blocks = blocks
    }

    init(canonical bytes: [UInt8]) throws(ZooError) {
        let object = try JSONObject(try JSONValue(canonical: bytes, limits: .init(bytes: 4096)))
        try object.requireFormat(Self.format)
        repository = try RepositoryName(parsing: try object.string("repository"))
        guard object.value("archive") != nil else {
            blocks = nil
            return
        }
        blocks = Blocks(
            archive: try object.digest("archive"),
            table: try object.digest("blocks"),
            subject: try object.optionalString("subject")
        )
    }

    /// The stored form; collection keeps every blob whose digest is in it.
    var canonicalBytes: [UInt8] {
        var members: [String: JSONValue] = [
            "format": .string(Self.format), "repository": .string(repository.description),
        ]
        if let blocks {
            members["archive"] = .string(blocks.archive.description)
            members["blocks"] = .string(blocks.table.description)
            if let subject = blocks.subject { members["subject"] = .string(subject) }
        }
        return JSONValue.object(members).canonicalBytes
    }
}
