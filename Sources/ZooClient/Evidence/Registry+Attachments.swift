// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

extension Registry {
    /// Reads the evidence about a model.
    ///
    /// - Parameters:
    ///   - record: the record of the model.
    ///   - digest: the digest of its manifest.
    /// - Returns: the evidence.
    /// - Throws: ``ZooError`` when the registry cannot be read; `CancellationError`.
    package func evidence(
        of record: ReleaseRecord,
        _ digest: ContentDigest
    ) async throws -> AttachedEvidence {
        var reader = EvidenceReader(of: record, digest)
        let attachments = try await source.attachments(of: digest, record.name)
        for attachment in attachments.reversed() where reader.wants(attachment.type) {
            do {
                let manifest = try await manifest(of: attachment, to: digest, record.name)
                reader.add(try await withBlobs(manifest, record.name))
            } catch let error as ZooError where error.code.category != .unreachable {
                reader.add(error)
            }
        }
        return reader.result
    }

    /// Whether index documents here list what is attached; those of an OCI registry that is not `ami-zoo serve`
    /// do not.
    package func listsEvidence() async -> Bool { (try? await description()) != nil }

    /// Fetches the manifest of an attachment.
    ///
    /// - Throws: ``ZooError`` with code `evidence.attachment-changed` when its size is not the listed one, as
    ///   ``AttachmentManifest/init(_:of:)``, or the error of the source.
    fileprivate func manifest(
        of attachment: IndexDocument.Attachment,
        to release: ContentDigest,
        _ name: ModelName
    ) async throws -> AttachmentManifest {
        let bytes = try await self.manifest(attachment.digest, of: name)
        guard bytes.count == attachment.size else {
            throw ZooError(
                .attachmentChanged,
                "the attachment \(attachment.digest) has \(bytes.count) bytes, and \(source.address) "
                    + "lists it with \(attachment.size)",
                remedy: "tell the owner of \(source.address)"
            )
        }
        return try AttachmentManifest(bytes, of: release)
    }

    /// Fetches the blobs of an attachment.
    ///
    /// - Throws: ``ZooError`` as ``ReleaseAttachment/init(_:_:)``, or the error of the source.
    fileprivate func withBlobs(
        _ manifest: AttachmentManifest,
        _ name: ModelName
    ) async throws -> ReleaseAttachment {
        var contents: [ContentDigest: [UInt8]] = [:]
        for blob in manifest.blobs where contents[blob.digest] == nil {
            contents[blob.digest] = try await self.blob(
                blob.digest,
                of: name,
                limit: AttachmentLimits.blob
            )
        }
        return try ReleaseAttachment(manifest, contents)
    }
}

/// The attachments of a release that were fetched.
struct FetchedAttachments: Sendable {
    /// Those that are kept.
    fileprivate(set) var kept: [ReleaseAttachment] = []
    /// Whether the registry lists attachments, and was reached for each of them: what is not kept is not to be kept.
    fileprivate(set) var isComplete = false
}

extension ReleaseTask {
    /// Fetches what is attached to a release, evidence first and the newest of each kind first, as far as the limits
    /// allow it.
    ///
    /// What cannot be fetched is reported as a note, because the model is complete without it.
    ///
    /// - Throws: `CancellationError`.
    func attachments(of release: RemoteRelease) async throws -> FetchedAttachments {
        let name = release.record.name
        var fetched = FetchedAttachments()
        do {
            let listed =
                try await release.attachments.isEmpty
                ? registry.source.attachments(of: release.digest, name) : release.attachments
            let newest = Array(listed.reversed())
            let wanted = newest.filter(\.isEvidence) + newest.filter { !$0.isEvidence }
            var budget = AttachmentLimits.total
            for attachment in wanted.prefix(AttachmentLimits.attachments) {
                do {
                    let manifest = try await registry.manifest(
                        of: attachment,
                        to: release.digest,
                        name
                    )
                    guard manifest.totalSize <= budget else {
                        throw ZooError(
                            .attachmentTooLarge,
                            "the attachments of \(release.reference) have more than "
                                + "\(ByteCount(AttachmentLimits.total)) together",
                            remedy: "read them in the registry; the model does not need them"
                        )
                    }
                    fetched.kept.append(try await registry.withBlobs(manifest, name))
                    budget -= manifest.totalSize
                } catch let error as ZooError where error.code.category != .unreachable {
                    report(
                        .note("an attachment of \(release.reference) is left out: \(error.message)")
                    )
                }
            }
            if wanted.count > AttachmentLimits.attachments {
                report(
                    .note(
                        "\(release.reference) has \(wanted.count) attachments, and the newest "
                            + "\(AttachmentLimits.attachments) are kept"
                    )
                )
            }
            fetched.isComplete = !listed.isEmpty
        } catch let error as ZooError {
            report(
                .note(
                    "not every attachment of \(release.reference) could be fetched: \(error.message); "
                        + "'ami-zoo repair' fetches them later"
                )
            )
        }
        return fetched
    }
}

extension IndexDocument.Attachment {
    /// Whether it says something about a validation.
    fileprivate var isEvidence: Bool {
        type == AttachmentDraft.validation || type == AttachmentDraft.waiver
    }
}
