// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

extension RegistryFolder {
    /// Attaches a manifest, such as a signature, to a release.
    ///
    /// - Parameters:
    ///   - bytes: the manifest, whose `subject` is the manifest of the release.
    ///   - name: the model or data set.
    ///   - cancellation: ends the wait for other writers.
    /// - Returns: the digest of the attached manifest.
    /// - Throws: ``ZooError`` with code `registry.release-inconsistent` when it has no artifact type or
    ///   its subject is not a release of the model, `registry.blob-missing`,
    ///   `registry.attachments-full`, `registry.model-not-found`, a code of the document, or `io.*`;
    ///   `CancellationError`.
    @discardableResult
    package func attach(
        _ bytes: [UInt8],
        to name: ModelName,
        _ cancellation: Cancellation
    ) throws -> ContentDigest {
        let manifest = try ArtifactManifest(parsing: bytes)
        guard let subject = manifest.subject?.digest.contentDigest,
            let type = manifest.artifactType
        else {
            throw ZooError(
                .releaseInconsistent,
                "an attachment needs an artifact type, and a subject with a SHA-256 digest",
                remedy: "state both in the manifest"
            )
        }
        let using = try locks.lock(.blobs, .shared, cancellation)
        defer { withExtendedLifetime(using) {} }
        for blob in manifest.blobs where !blob.isElsewhere { try require(blob) }
        let attachment = IndexDocument.Attachment(
            type: type,
            digest: try blobs.write(bytes),
            size: bytes.count
        )
        try changeIndex(of: name, cancellation) { index in
            guard let entry = index.entries.first(where: { $0.digest == subject }) else {
                throw ZooError(
                    .releaseInconsistent,
                    "the subject \(subject) is not a release of '\(name)'",
                    remedy: "publish the release first, then attach to it"
                )
            }
            guard !entry.attachments.contains(attachment) else { return index }
            guard entry.attachments.count < AttachmentLimits.attachments else {
                throw ZooError(
                    .attachmentsFull,
                    "'\(name):\(entry.version)' already has \(AttachmentLimits.attachments) attachments",
                    remedy: "delete attachments that are not needed, then attach again"
                )
            }
            return try index.replacing(
                try entry.with(attachments: entry.attachments + [attachment], in: documents)
            )
        }
        return attachment.digest
    }

    /// Removes an attachment from every release of a model; false when there was none.
    ///
    /// - Throws: ``ZooError`` with code `registry.model-not-found` or `io.*`; `CancellationError`.
    package func detach(
        _ digest: ContentDigest,
        from name: ModelName,
        _ cancellation: Cancellation
    ) throws -> Bool {
        var found = false
        try changeIndex(of: name, cancellation) { index in
            guard
                let entry = index.entries.first(where: {
                    $0.attachments.contains { $0.digest == digest }
                })
            else { return index }
            found = true
            return try index.replacing(
                entry.with(
                    attachments: entry.attachments.filter { $0.digest != digest },
                    in: documents
                )
            )
        }
        return found
    }
}

extension IndexDocument {
    /// Returns this document with another entry for the same version.
    package func replacing(_ entry: Entry) throws(ZooError) -> IndexDocument {
        try IndexDocument(
            name: name,
            kind: kind,
            entries: entries.map { $0.version == entry.version ? entry : $0 },
            channels: channels,
            unknownMembers: unknownMembers
        )
    }
}
