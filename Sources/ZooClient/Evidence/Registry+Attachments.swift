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
        let listed: [IndexDocument.Attachment]
        do {
            listed = try await attachments(of: digest, record.name)
        } catch let error as ZooError where error.code == .attachmentTooLarge {
            var reader = EvidenceReader(of: record, digest)
            reader.add(error, of: nil)
            return reader.result
        }
        return try await evidence(of: record, digest, listed: listed)
    }

    /// Summarises what is attached to a release, as its index document states it; nil for no evidence, and for a
    /// data set.
    ///
    /// - Parameters:
    ///   - digest: the digest of the release's manifest.
    ///   - name: the model.
    ///   - attachments: what is attached.
    ///   - pushed: the manifest of an attachment that no index document lists yet, which a server may not show.
    /// - Returns: the summary.
    /// - Throws: ``ZooError`` when the registry cannot be read; `CancellationError`.
    func evidenceSummary(
        of digest: ContentDigest,
        _ name: ModelName,
        listed attachments: [IndexDocument.Attachment],
        pushed: (digest: ContentDigest, manifest: [UInt8])
    ) async throws -> EvidenceSummary? {
        guard EvidenceSummary(ofTypes: attachments) != nil else { return nil }
        let manifest = try ReleaseManifest(canonical: try await manifest(digest, of: name))
        let record = try manifest.kind.record(
            canonical: try await blob(manifest.record.digest, of: name, limit: FormatLimits.record)
        )
        guard let model = record as? ReleaseRecord else { return nil }
        return EvidenceSummary(
            of: try await evidence(of: model, digest, listed: attachments, pushed: pushed),
            model
        )
    }

    private func evidence(
        of record: ReleaseRecord,
        _ digest: ContentDigest,
        listed attachments: [IndexDocument.Attachment],
        pushed: (digest: ContentDigest, manifest: [UInt8])? = nil
    ) async throws -> AttachedEvidence {
        var reader = EvidenceReader(of: record, digest)
        let wanted = EvidenceReader.order(attachments)
        var fetcher = AttachmentFetcher(self, digest, record.name)
        for attachment in wanted.prefix(AttachmentLimits.attachments)
        where reader.wants(attachment.type) {
            do {
                let manifest = pushed?.digest == attachment.digest ? pushed?.manifest : nil
                reader.add(try await fetcher.fetch(attachment, manifest: manifest))
            } catch let error as ZooError where error.code.category != .unreachable {
                reader.add(error, of: attachment.type)
            }
        }
        if wanted.count > AttachmentLimits.attachments {
            let error = ZooError(
                .attachmentTooLarge,
                "\(source.address) lists \(wanted.count) attachments about validations, and "
                    + "\(AttachmentLimits.attachments) of them are read",
                remedy: "tell the owner of \(source.address)"
            )
            reader.add(error, of: nil)
        }
        return reader.result
    }

    /// Reads the attachments of some types, newest first, as far as the limits allow; those that cannot be read are left
    /// out.
    ///
    /// - Parameters:
    ///   - types: the artifact types.
    ///   - digest: the digest of the release's manifest.
    ///   - name: the model or data set.
    /// - Returns: the attachments.
    /// - Throws: ``ZooError`` when the registry cannot be reached; `CancellationError`.
    package func attachments(
        _ types: Set<String>,
        of digest: ContentDigest,
        _ name: ModelName
    ) async throws -> [ReleaseAttachment] {
        var found: [ReleaseAttachment] = []
        var fetcher = AttachmentFetcher(self, digest, name)
        let listed = try await attachments(of: digest, name).filter {
            types.contains($0.type)
        }
        for attachment in listed.reversed().prefix(AttachmentLimits.attachments) {
            do {
                found.append(try await fetcher.fetch(attachment))
            } catch let error as ZooError where error.code.category != .unreachable {
                continue
            }
        }
        return found
    }

    /// Whether index documents here list what is attached; those of an OCI registry that is not `ami-zoo serve`
    /// do not.
    package func listsEvidence() async -> Bool { (try? await description()) != nil }
}

/// The attachments of a release that were fetched.
struct FetchedAttachments: Sendable {
    /// Those that are kept.
    fileprivate(set) var kept: [ReleaseAttachment] = []
    /// Whether the registry lists attachments, and was reached for each of them: what is not kept is not to be kept.
    fileprivate(set) var isComplete = false

    /// What a folder keeps from now on, with what it has already.
    ///
    /// Evidence that the registry has withdrawn must not stay behind as if it held.
    func merged(with present: [ReleaseAttachment]) -> [ReleaseAttachment] {
        guard !isComplete else { return kept }
        let fetched = Set(kept.map(\.manifest.digest))
        return kept + present.filter { !fetched.contains($0.manifest.digest) }
    }
}

extension ReleaseTask {
    /// Fetches what is attached to a release, evidence first and the last listed of each kind first, as far as the
    /// limits allow it.
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
                ? registry.attachments(of: release.digest, name) : release.attachments
            let wanted =
                EvidenceReader.order(listed) + listed.reversed().filter { !$0.isEvidence }
            var fetcher = AttachmentFetcher(registry, release.digest, name)
            for attachment in wanted.prefix(AttachmentLimits.attachments) {
                do {
                    fetched.kept.append(try await fetcher.fetch(attachment))
                } catch let error as ZooError where error.code.category != .unreachable {
                    report(
                        .note("an attachment of \(release.reference) is left out: \(error.message)")
                    )
                }
            }
            if wanted.count > AttachmentLimits.attachments {
                report(
                    .note(
                        "\(release.reference) has \(wanted.count) attachments, and "
                            + "\(AttachmentLimits.attachments) of them are kept"
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
