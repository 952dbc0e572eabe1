// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

extension RegistryFolder {
    /// Makes a change that a publisher signed: compares it with the current state, and replaces that.
    ///
    /// - Parameters:
    ///   - submission: the new index document and the next version of the role that lists it.
    ///   - cancellation: ends the wait for other writers.
    /// - Returns: the versions that are new.
    /// - Throws: ``ZooError`` with code `trust.changed-meanwhile` when it does not follow the current state,
    ///   `trust.signatures-missing`, `trust.submission-invalid` when it changes something that no publisher may
    ///   change, `registry.version-taken`, the codes of ``check(manifest:as:written:_:)``, or `io.*`;
    ///   `CancellationError`.
    package func accept(
        _ submission: SignedSubmission,
        _ cancellation: Cancellation
    ) throws -> [SemanticVersion] {
        let using = try locks.lock(.blobs, .shared, cancellation)
        defer { withExtendedLifetime(using) {} }
        let new = submission.index
        // Reading every block takes long, so that it precedes the locks.
        var releases: [CheckedRelease] = []
        let known = try documents.index(of: new.name)
        for entry in new.entries where known?.entry(for: .version(entry.version)) == nil {
            let identity = Identity(name: new.name, version: entry.version)
            let bytes = try submitted(entry.digest, limit: FormatLimits.manifest)
            releases.append(try check(manifest: bytes, as: identity, cancellation))
        }
        do {
            let writer = try IndexWriter(self, new.name, cancellation)
            defer { withExtendedLifetime(writer) {} }
            try require(new, follows: writer.current, releases)
            try writer.replace(with: new, signedAs: submission.targets)
        }
        for release in releases {
            _ = try list(ImageIndex.Entry(release), release.bytes, cancellation)
        }
        try updateCatalogue([new.name], cancellation)
        for release in releases { metadata.record(release.manifest, of: new.name) }
        return releases.map(\.record.version)
    }

    /// Checks that an index document changes only what a publisher may change: new versions, yanks, channels and
    /// attachments.
    private func require(
        _ new: IndexDocument,
        follows old: IndexDocument?,
        _ releases: [CheckedRelease]
    ) throws {
        guard old == nil || old?.kind == new.kind else {
            throw invalid("it changes the kind of '\(new.name)'")
        }
        for entry in old?.entries ?? [] {
            guard let next = new.entry(for: .version(entry.version)) else {
                throw invalid("it lacks '\(new.name):\(entry.version)'")
            }
            guard next.digest == entry.digest else {
                throw taken(new.name, entry.version, by: entry.digest)
            }
            guard
                (next.size, next.created, next.licence) == (
                    entry.size, entry.created, entry.licence
                ),
                entry.attachments.allSatisfy(next.attachments.contains)
            else { throw invalid("it changes what is known of '\(new.name):\(entry.version)'") }
        }
        for entry in new.entries {
            let release = releases.first { $0.record.version == entry.version }
            if let release {
                try refuseDeleted(release)
                let record = release.record
                guard
                    (entry.size, entry.created, entry.licence)
                        == (record.totalSize, record.created, record.licence), entry.yank == nil,
                    new.kind == release.manifest.kind
                else {
                    throw invalid("it contradicts the record of '\(new.name):\(entry.version)'")
                }
            }
            let known = old?.entry(for: .version(entry.version))
            guard entry != known else { continue }
            try requireAttachments(of: entry, besides: known?.attachments ?? [])
            guard try entry.statedEvidence == documents.evidence(of: entry) else {
                throw invalid("it misstates the evidence of '\(new.name):\(entry.version)'")
            }
        }
    }

    private func requireAttachments(
        of entry: IndexDocument.Entry,
        besides known: [IndexDocument.Attachment]
    ) throws {
        guard entry.attachments.count <= AttachmentLimits.attachments else {
            throw ZooError(
                .attachmentsFull,
                "version \(entry.version) would have more than \(AttachmentLimits.attachments) attachments",
                remedy: "delete attachments that are not needed, then attach again"
            )
        }
        for attachment in entry.attachments where !known.contains(attachment) {
            let bytes = try submitted(attachment.digest, limit: FormatLimits.artifactManifest)
            let manifest = try ArtifactManifest(parsing: bytes)
            guard manifest.subject?.digest == BlobDigest(entry.digest),
                manifest.artifactType == attachment.type, bytes.count == attachment.size
            else {
                throw invalid("\(attachment.digest) is no attachment of version \(entry.version)")
            }
            for blob in manifest.blobs where !blob.isElsewhere { try require(blob) }
        }
    }

    /// A manifest that the publisher pushed before.
    private func submitted(_ digest: ContentDigest, limit: Int) throws(ZooError) -> [UInt8] {
        do throws(ZooError) {
            return try blobs.read(digest, limit: limit)
        } catch  where error.code == .fileMissing {
            throw ZooError(
                .blobMissing,
                "the index document lists the manifest \(digest), which the registry does not have",
                remedy: "push the manifest by its digest, then the document"
            )
        }
    }

    private func invalid(_ what: String) -> ZooError {
        ZooError(
            .trustSubmission,
            "the signed index document was refused: \(what)",
            remedy: "run the command again, which starts from the current document"
        )
    }
}
