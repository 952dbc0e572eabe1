// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// Fetches attachments of one release within the limits of `registry/SPEC.md` section 10.
///
/// What a list or a manifest states is charged before it is fetched, and nothing longer than that is received, so
/// that a registry cannot make a client fetch more than the limits, whatever it lists.
struct AttachmentFetcher {
    private let registry: Registry
    private let release: ContentDigest
    private let name: ModelName
    private var budget = AttachmentBudget()

    init(_ registry: Registry, _ release: ContentDigest, _ name: ModelName) {
        self.registry = registry
        self.release = release
        self.name = name
    }

    /// Fetches the manifest of an attachment, then its blobs.
    ///
    /// - Parameters:
    ///   - attachment: the attachment, as it is listed.
    ///   - known: its manifest if it need not be fetched.
    /// - Returns: the attachment.
    /// - Throws: ``ZooError`` with code `evidence.attachment-too-large`, `evidence.attachment-changed` when its
    ///   size is not the listed one, as ``AttachmentManifest/init(_:of:)`` and ``ReleaseAttachment/init(_:_:)``, or
    ///   the error of the source.
    mutating func fetch(
        _ attachment: IndexDocument.Attachment,
        manifest known: [UInt8]? = nil
    ) async throws -> ReleaseAttachment {
        try budget.charge(attachment)
        var bytes = known ?? []
        if known == nil {
            bytes = try await registry.manifest(
                attachment.digest,
                of: name,
                limit: attachment.size
            )
        }
        guard bytes.count == attachment.size else {
            throw ZooError(
                .attachmentChanged,
                "the attachment \(attachment.digest) has \(bytes.count) bytes, and "
                    + "\(registry.source.address) lists it with \(attachment.size)",
                remedy: "tell the owner of \(registry.source.address)"
            )
        }
        let manifest = try AttachmentManifest(bytes, of: release)
        var contents: [ContentDigest: [UInt8]] = [:]
        for (digest, size) in try budget.charge(blobsOf: manifest) {
            contents[digest] = try await registry.blob(digest, of: name, limit: size)
        }
        return try ReleaseAttachment(manifest, contents)
    }
}
