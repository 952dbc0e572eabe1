// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The index of the manifests that are attached to a manifest.
///
/// Source: opencontainers/distribution-spec, "Listing Referrers", version 1.1.
struct ReferrersIndex {
    /// The largest number of entries on a page, and the number on all pages after which no further page is read.
    static let limit = 10_000
    /// The largest number of pages.
    static let pages = 32

    private var entries: [JSONValue] = []

    /// Creates an empty index.
    init() {}

    /// Parses an index.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code.
    init(parsing bytes: [UInt8]) throws(ZooError) {
        let object = try JSONObject(try JSONValue(parsing: bytes))
        entries = try object.objects("manifests", maximum: Self.limit).map { .object($0.members) }
    }

    /// The attachments; entries of other tools with another digest than SHA-256 are left out.
    var attachments: [IndexDocument.Attachment] {
        entries.compactMap { entry in
            guard let object = try? JSONObject(entry), let digest = try? object.digest("digest"),
                let size = try? object.size("size"),
                let type = try? object.optionalString("artifactType")
                    ?? object.string("mediaType")
            else { return nil }
            return IndexDocument.Attachment(type: type, digest: digest, size: size)
        }
    }

    /// Adds an attachment.
    mutating func add(_ attachment: IndexDocument.Attachment) {
        entries.append([
            "mediaType": .string(ArtifactManifest.manifestType),
            "digest": .string(attachment.digest.description),
            "size": .integer(attachment.size),
            "artifactType": .string(attachment.type),
        ])
    }

    /// The stored form.
    var bytes: [UInt8] {
        let document: JSONValue = [
            "schemaVersion": 2,
            "mediaType": .string(ArtifactManifest.indexType),
            "manifests": .array(entries),
        ]
        return document.canonicalBytes
    }
}
