// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooArchive
package import ZooCore
package import ZooRegistry

/// Publishes releases of a folder, or of another registry, to a registry.
///
/// The release is checked before anything travels. Blobs that the registry has are not sent; the manifest
/// is sent after them, so a release is visible only when it is complete, and its attachments last.
package struct Publisher: Sendable {
    /// What a publication did, or with `isDryRun` would do.
    package struct Report: Sendable {
        /// The release.
        package let reference: ModelReference
        /// The kind of the release.
        package let kind: ArtifactKind
        /// The digest of the manifest.
        package let digest: ContentDigest
        /// The size of all blobs in bytes.
        package let bytesTotal: Int
        /// The bytes of the blobs that were sent; with `isDryRun` those that would be sent at most, because
        /// the registry may have more blocks than its newest version.
        package let bytesUploaded: Int
        /// The blobs that were, or would be, sent.
        package let uploaded: [Descriptor]
        /// Whether the registry already had the release.
        package let alreadyThere: Bool
        /// The types of the attachments that were, or would be, sent.
        package let attached: [String]
    }

    private let origin: any ReleaseOrigin
    private let target: any RegistryTarget
    private let streams: Int
    private let progress: @Sendable (PullEvent) -> Void

    /// Creates a publisher.
    ///
    /// - Parameters:
    ///   - source: the folder with the releases: what `pack` wrote, or a registry.
    ///   - target: the registry.
    ///   - streams: the number of blobs that are sent at the same time.
    ///   - progress: receives the progress.
    package init(
        from source: RegistryDocuments,
        to target: any RegistryTarget,
        streams: Int = 4,
        progress: @escaping @Sendable (PullEvent) -> Void = { _ in }
    ) {
        self.init(
            LocalOrigin(folder: source),
            to: target,
            streams: streams,
            progress: progress
        )
    }

    init(
        _ origin: any ReleaseOrigin,
        to target: any RegistryTarget,
        streams: Int,
        progress: @escaping @Sendable (PullEvent) -> Void
    ) {
        self.origin = origin
        self.target = target
        self.streams = streams
        self.progress = progress
    }

    /// Publishes one release.
    ///
    /// - Parameters:
    ///   - digest: the digest of the manifest in the source.
    ///   - drafts: what to attach besides what is attached in the source.
    ///   - isDryRun: whether to send nothing.
    /// - Returns: what was, or would be, sent.
    /// - Throws: ``ZooError`` with code `registry.version-taken`, the codes of
    ///   ``RegistryDocuments/check(manifest:as:written:_:)``, or the error of the registry;
    ///   `CancellationError`.
    package func publish(
        _ digest: ContentDigest,
        attaching drafts: [AttachmentDraft] = [],
        isDryRun: Bool = false
    ) async throws -> Report {
        try await publish(
            try await origin.release(digest),
            digest,
            attaching: drafts,
            isDryRun: isDryRun
        )
    }

    /// Publishes a release that its source lists as a version.
    ///
    /// - Throws: ``ZooError`` with code `registry.release-inconsistent` when it is another version, or as
    ///   ``publish(_:isDryRun:)``.
    func publish(_ digest: ContentDigest, as version: SemanticVersion) async throws -> Report {
        let release = try await origin.release(digest)
        guard release.identity.version == version else {
            throw Self.inconsistent(
                "the release \(digest) is listed as version \(version), and its record says "
                    + "\(release.identity.version)"
            )
        }
        return try await publish(release, digest, attaching: [], isDryRun: false)
    }

    private func publish(
        _ release: OriginRelease,
        _ digest: ContentDigest,
        attaching drafts: [AttachmentDraft],
        isDryRun: Bool
    ) async throws -> Report {
        let name = release.identity.name
        let blobs = release.manifest.blobs + release.manifest.skipped
        let missing = try await missing(blobs, of: name)
        let tables = Dictionary(
            release.manifest.archives.map { ($0.archive.digest, $0.blocks.digest) }
        ) { first, _ in first }
        var (isNew, sent) = (true, 0)
        if isDryRun {
            sent = try await estimate(missing, tables, of: name)
        } else {
            sent = try await upload(missing, tables, of: name)
            // An archive that was checked, and then copied with its digest, need not be read a third time.
            let copied = Set(missing.map(\.digest))
            isNew = try await target.publish(
                release.bytes,
                as: release.identity,
                written: release.archives.filter { copied.contains($0.archiveDigest) }
            )
        }
        return Report(
            reference: ModelReference(name: name, selector: .version(release.identity.version)),
            kind: release.manifest.kind,
            digest: digest,
            bytesTotal: blobs.reduce(release.bytes.count) { $0 + $1.size },
            bytesUploaded: sent,
            uploaded: missing,
            alreadyThere: !isNew,
            attached: try await attach(to: digest, of: name, isDryRun: isDryRun)
                + attach(drafts, to: digest, of: name, isDryRun: isDryRun)
        )
    }

    // MARK: Attachments

    /// Sends what the registry does not list, and returns its types.
    private func attach(
        _ drafts: [AttachmentDraft],
        to digest: ContentDigest,
        of name: ModelName,
        isDryRun: Bool
    ) async throws -> [String] {
        var sent: [String] = []
        for draft in drafts {
            let isSent =
                if isDryRun {
                    try await !target.attachments(of: digest, name).contains(draft.entry)
                } else {
                    try await target.attach(draft, to: digest, of: name)
                }
            if isSent { sent.append(draft.type) }
        }
        return sent
    }

    /// Sends the attachments that the registry does not list, and returns their types.
    private func attach(
        to digest: ContentDigest,
        of name: ModelName,
        isDryRun: Bool
    ) async throws -> [String] {
        let listed = try await origin.attachments(of: digest, name)
        guard !listed.isEmpty else { return [] }
        let known = Set(try await target.attachments(of: digest, name).map(\.digest))
        let missing = listed.filter { !known.contains($0.digest) }
        for attachment in missing where !isDryRun {
            let bytes = try await origin.attachment(attachment.digest, of: name)
            let manifest = try ArtifactManifest(parsing: bytes)
            guard manifest.subject?.digest == BlobDigest(digest) else {
                throw Self.inconsistent(
                    "\(attachment.digest) is listed as an attachment of \(digest), and its subject is "
                        + "\(manifest.subject.map { "\($0.digest)" } ?? "missing")"
                )
            }
            for link in manifest.blobs where !link.isElsewhere {
                guard let content = link.digest.contentDigest else {
                    throw Self.inconsistent(
                        "the attachment \(attachment.digest) has a blob with the digest "
                            + "\(link.digest), which is not SHA-256"
                    )
                }
                let blob = Descriptor(
                    mediaType: link.mediaType,
                    digest: content,
                    size: link.size
                )
                guard try await !target.holds(blob, of: name) else { continue }
                _ = try await origin.send(blob, blocks: nil, of: name, to: target) { _ in }
            }
            try await target.attach(bytes, attachment, to: digest, of: name)
        }
        return missing.map(\.type)
    }

    private static func inconsistent(_ what: String) -> ZooError {
        ZooError(.releaseInconsistent, what, remedy: "tell the owner of the source")
    }

    // MARK: Blobs

    /// The blobs that the registry does not have, each once.
    private func missing(_ blobs: [Descriptor], of name: ModelName) async throws -> [Descriptor] {
        var seen: Set<ContentDigest> = []
        let distinct = blobs.filter { seen.insert($0.digest).inserted }
        var held: Set<ContentDigest> = []
        try await forEach(distinct) { [target] blob in
            try await target.holds(blob, of: name) ? blob.digest : nil
        } result: {
            if let digest = $0 { held.insert(digest) }
        }
        return distinct.filter { !held.contains($0.digest) }
    }

    /// Sends blobs, the archives last: the registry reads their block tables.
    ///
    /// - Parameters:
    ///   - blobs: the blobs.
    ///   - tables: the digest of the block table of each archive.
    ///   - name: the model.
    /// - Returns: the number of bytes that travelled.
    /// - Throws: the error of either side.
    private func upload(
        _ blobs: [Descriptor],
        _ tables: [ContentDigest: ContentDigest],
        of name: ModelName
    ) async throws -> Int {
        let counter = Counter(total: blobs.reduce(0) { $0 + $1.size }, report: progress)
        var sent = 0
        for isArchive in [false, true] {
            let part = blobs.filter { (tables[$0.digest] != nil) == isArchive }
            try await forEach(part) { [target, origin] blob in
                try await origin.send(blob, blocks: tables[blob.digest], of: name, to: target) {
                    counter.add($0)
                }
            } result: {
                sent += $0
            }
        }
        return sent
    }

    /// The bytes of blobs without the blocks that the registry reuses as far as its documents say.
    private func estimate(
        _ blobs: [Descriptor],
        _ tables: [ContentDigest: ContentDigest],
        of name: ModelName
    ) async throws -> Int {
        let known = try await target.reusableBlocks(of: name)
        var size = 0
        for blob in blobs {
            guard let digest = tables[blob.digest], !known.isEmpty else {
                size += blob.size
                continue
            }
            let table = try await origin.blockTable(digest, of: name)
            size += table.blocks.filter { !known.contains($0.archiveDigest) }
                .reduce(0) { $0 + $1.archiveRange.count }
        }
        return size
    }

    /// Runs `body` for every blob, at most ``streams`` at the same time.
    private func forEach<Result: Sendable>(
        _ blobs: [Descriptor],
        _ body: @escaping @Sendable (Descriptor) async throws -> Result,
        result: (Result) -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Result.self) { group in
            for (index, blob) in blobs.enumerated() {
                if index >= streams, let found = try await group.next() { result(found) }
                group.addTask { try await body(blob) }
            }
            for try await found in group { result(found) }
        }
    }

    /// Adds up the bytes of several uploads.
    private final class Counter: Sendable {
        private let total: Int
        private let report: @Sendable (PullEvent) -> Void
        private let done = Mutex(0)

        init(total: Int, report: @escaping @Sendable (PullEvent) -> Void) {
            self.total = total
            self.report = report
        }

        func add(_ count: Int) {
            let done = done.withLock { done in
                done += count
                return done
            }
            report(.progress(PullEvent.Progress(total: total, done: done, reused: 0)))
        }
    }
}
