// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

extension RegistryDocuments {
    /// Reads what is attached to a version about its validation, and summarises it.
    ///
    /// - Parameter entry: the version.
    /// - Returns: the summary; nil for no evidence, and for a data set. What the entry states already when the
    ///   record cannot be read, because then nothing can be compared.
    /// - Throws: ``ZooError`` with an `io.*` code when the disk fails, which says nothing about the evidence.
    package func evidence(of entry: IndexDocument.Entry) throws(ZooError) -> EvidenceSummary? {
        guard EvidenceSummary(ofTypes: entry.attachments) != nil else { return nil }
        guard let record = try? release(entry.digest).record else { return entry.statedEvidence }
        guard let model = record as? ReleaseRecord else { return nil }
        var reader = EvidenceReader(of: model, entry.digest)
        var budget = AttachmentBudget()
        for attachment in EvidenceReader.order(entry.attachments)
        where reader.wants(attachment.type) {
            do throws(ZooError) {
                reader.add(try self.attachment(attachment, of: entry.digest, &budget))
            } catch  where error.code == .fileMissing {
                // Without the path of the server, because everybody reads the summary.
                reader.add(
                    ZooError(
                        error.code,
                        "the attachment \(attachment.digest), or a part of it, is missing"
                    ),
                    of: attachment.type
                )
            } catch  where error.code.category == .inputOutput {
                throw error
            } catch {
                reader.add(error, of: attachment.type)
            }
        }
        return EvidenceSummary(of: reader.result, model)
    }

    /// Reads an attachment with its blobs.
    ///
    /// - Throws: ``ZooError`` with code `evidence.other-release`, `evidence.attachment-too-large`,
    ///   `evidence.attachment-changed`, `store.blob-mismatch`, a code of the documents, or `io.*`.
    private func attachment(
        _ attachment: IndexDocument.Attachment,
        of release: ContentDigest,
        _ budget: inout AttachmentBudget
    ) throws(ZooError) -> ReleaseAttachment {
        try budget.charge(attachment)
        let manifest = try AttachmentManifest(
            try blobs.read(attachment.digest, limit: FormatLimits.artifactManifest),
            of: release
        )
        var contents: [ContentDigest: [UInt8]] = [:]
        for digest in try budget.charge(blobsOf: manifest).keys {
            contents[digest] = try blobs.read(digest, limit: AttachmentLimits.blob)
        }
        return try ReleaseAttachment(manifest, contents)
    }
}

extension RegistryFolder {
    /// Writes what is attached to the versions of every model into its index document again.
    ///
    /// - Returns: the models whose index document changed.
    /// - Throws: ``ZooError`` with a code of the documents, or `io.*`; `CancellationError`.
    func summariseEvidence(_ cancellation: Cancellation) throws -> Set<ModelName> {
        var changed: Set<ModelName> = []
        for name in try documents.names() {
            try cancellation.check()
            guard let index = try documents.index(of: name),
                try documents.summarising(index) != index
            else { continue }
            // Again under the lock: another writer may attach at the same time.
            try replaceIndex(of: name, cancellation) { try documents.summarising($0) }
            changed.insert(name)
        }
        return changed
    }
}

extension RegistryDocuments {
    /// An index document with the summary of what is attached to each version.
    fileprivate func summarising(_ index: IndexDocument) throws(ZooError) -> IndexDocument {
        var entries: [IndexDocument.Entry] = []
        for entry in index.entries {
            entries.append(entry.with(statedEvidence: try evidence(of: entry)))
        }
        return try index.with(entries, index.channels)
    }
}

extension IndexDocument.Entry {
    /// This version with other attachments, and with the summary of them.
    func with(
        attachments: [IndexDocument.Attachment],
        in documents: RegistryDocuments
    ) throws(ZooError) -> Self {
        let changed = with(attachments: attachments, statedEvidence: nil)
        return changed.with(statedEvidence: try documents.evidence(of: changed))
    }

    fileprivate func with(statedEvidence: EvidenceSummary?) -> Self {
        with(attachments: attachments, statedEvidence: statedEvidence)
    }

    /// This version with other attachments, and with a summary of them.
    package func with(
        attachments: [IndexDocument.Attachment],
        statedEvidence: EvidenceSummary?
    ) -> Self {
        Self(
            version: version,
            digest: digest,
            size: size,
            created: created,
            licence: licence,
            yank: yank,
            attachments: attachments,
            statedEvidence: statedEvidence,
            unknownMembers: unknownMembers
        )
    }
}
