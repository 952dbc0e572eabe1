// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Which attachments an installed folder keeps: format `ami-zoo.attachments/1`, `registry/SPEC.md` section 10.
///
/// A layer of an attachment may itself be a manifest about the release. Only what the registry listed is an
/// attachment, and what it listed is missed when it is gone.
package struct AttachmentList: Sendable, Equatable {
    /// The name of the document in the folder of attachments.
    package static let name = "index.json"
    /// The largest size of the document in bytes.
    package static let limit = 1 << 18
    private static let format = "ami-zoo.attachments/1"

    /// The attachments, as the registry listed them.
    package let entries: [IndexDocument.Attachment]

    /// The list of what a folder keeps.
    init(_ attachments: [ReleaseAttachment]) {
        entries = attachments.map {
            IndexDocument.Attachment(
                type: $0.manifest.type,
                digest: $0.manifest.digest,
                size: $0.manifest.bytes.count
            )
        }
    }

    /// Parses the document.
    ///
    /// - Throws: ``ZooError`` with a `json.*` or `format.*` code.
    package init(canonical bytes: [UInt8]) throws(ZooError) {
        let limits = JSONValue.Limits(bytes: Self.limit, depth: 4, values: 4096)
        let object = try JSONObject(try JSONValue(canonical: bytes, limits: limits))
        try object.requireFormat(Self.format)
        var entries: [IndexDocument.Attachment] = []
        let listed = try object.objects("attachments", maximum: AttachmentLimits.attachments)
        for item in listed {
            entries.append(
                IndexDocument.Attachment(
                    type: try item.optionalString("type") ?? "",
                    digest: try item.digest("digest"),
                    size: try item.size("size")
                )
            )
        }
        self.entries = entries
    }

    /// The stored form.
    var canonicalBytes: [UInt8] {
        let listed = entries.map { entry -> JSONValue in
            var members: [String: JSONValue] = [
                "digest": .string(entry.digest.description), "size": .integer(entry.size),
            ]
            if !entry.type.isEmpty { members["type"] = .string(entry.type) }
            return .object(members)
        }
        let document: JSONValue = [
            "format": .string(Self.format), "attachments": .array(listed),
        ]
        return document.canonicalBytes
    }
}
