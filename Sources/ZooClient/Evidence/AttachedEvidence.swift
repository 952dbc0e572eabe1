// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// What is attached to a release about its validation.
package enum AttachedEvidence: Sendable {
    /// It was validated and passed; every claim was compared again with the measurements of the report.
    case validated(ValidationEvidence)
    /// It was published without a validation.
    case unvalidated(ValidationWaiver)
    /// There is evidence that cannot be read, or that does not hold.
    case invalid(ZooError)
    /// Nothing says whether it was validated.
    case none
}

extension Registry {
    /// Reads the evidence about a model; the newest that holds.
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
        let attachments = try await source.attachments(of: digest, record.name)
        var waiver: ValidationWaiver?
        var failure: ZooError?
        for attachment in attachments.reversed() {
            do {
                switch attachment.type {
                case AttachmentDraft.validation:
                    let blobs = try await blobs(of: attachment, to: digest, record.name)
                    guard let statement = blobs[EvidenceStatement.mediaType],
                        let report = blobs[ValidationReport.mediaType]
                    else { throw incomplete(attachment) }
                    return .validated(
                        try ValidationEvidence(
                            statement: statement,
                            report: report,
                            of: record,
                            digest
                        )
                    )
                case AttachmentDraft.waiver where waiver == nil:
                    let blobs = try await blobs(of: attachment, to: digest, record.name)
                    guard let statement = blobs[EvidenceStatement.mediaType] else {
                        throw incomplete(attachment)
                    }
                    waiver = try ValidationWaiver(statement: statement, about: digest)
                default: continue
                }
            } catch let error as ZooError where error.code.category != .unreachable {
                failure = failure ?? error
            }
        }
        if let waiver { return .unvalidated(waiver) }
        return failure.map(AttachedEvidence.invalid) ?? .none
    }

    private func incomplete(_ attachment: IndexDocument.Attachment) -> ZooError {
        inconsistent("the attachment \(attachment.digest) lacks its statement or report")
    }

    /// The layers of an attachment, by media type.
    private func blobs(
        of attachment: IndexDocument.Attachment,
        to digest: ContentDigest,
        _ name: ModelName
    ) async throws -> [String: [UInt8]] {
        let manifest = try ArtifactManifest(
            parsing: try await self.manifest(attachment.digest, of: name)
        )
        guard manifest.subject?.digest == BlobDigest(digest) else {
            throw ZooError(
                .evidenceOfAnother,
                "the attachment \(attachment.digest) is listed for \(digest), and is about "
                    + (manifest.subject.map { "\($0.digest)" } ?? "nothing"),
                remedy: "tell the owner of \(source.address)"
            )
        }
        var blobs: [String: [UInt8]] = [:]
        for link in manifest.blobs.prefix(8) {
            guard let digest = link.digest.contentDigest else { continue }
            blobs[link.mediaType] = try await blob(
                digest,
                of: name,
                limit: ValidationReport.limit
            )
        }
        return blobs
    }
}
