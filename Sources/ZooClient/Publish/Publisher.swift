// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
package import ZooCore
internal import ZooFiles
package import ZooRegistry

/// Publishes the releases of a local folder to a registry.
///
/// The release is checked as a whole before anything travels. Blobs that the registry has stay here; the
/// manifest is sent last, so a release is visible only when it is complete.
package struct Publisher: Sendable {
    /// What a publication did, or with `isDryRun` would do.
    package struct Report: Sendable {
        /// The release.
        package let reference: ModelReference
        /// The digest of the manifest.
        package let digest: ContentDigest
        /// The size of all blobs in bytes.
        package let bytesTotal: Int
        /// The bytes that were, or would be, sent.
        package let bytesUploaded: Int
        /// The blobs that were, or would be, sent.
        package let uploaded: [Descriptor]
        /// Whether the registry already had the release.
        package let alreadyThere: Bool
    }

    private let source: RegistryDocuments
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
        self.source = source
        self.target = target
        self.streams = streams
        self.progress = progress
    }

    /// Publishes one release.
    ///
    /// - Parameters:
    ///   - digest: the digest of the manifest in the source.
    ///   - isDryRun: whether to send nothing.
    /// - Returns: what was, or would be, sent.
    /// - Throws: ``ZooError`` with code `registry.version-taken`, the codes of
    ///   ``RegistryDocuments/check(manifest:as:written:_:)``, or the error of the registry;
    ///   `CancellationError`.
    package func publish(_ digest: ContentDigest, isDryRun: Bool = false) async throws -> Report {
        let release = try await BlockingWork.run { [source] cancellation in
            let manifest = try source.blobs.read(digest, limit: FormatLimits.manifest)
            return try source.check(manifest: manifest, as: nil, cancellation)
        }
        let name = release.record.name
        let blobs = release.manifest.blobs + release.manifest.skipped
        let missing = try await missing(blobs, of: name)
        var isNew = true
        if !isDryRun {
            try await upload(missing, of: name)
            isNew = try await target.publish(
                release.bytes,
                as: RegistryFolder.Identity(name: name, version: release.record.version),
                written: []
            )
        }
        return Report(
            reference: ModelReference(name: name, selector: .version(release.record.version)),
            digest: digest,
            bytesTotal: blobs.reduce(release.bytes.count) { $0 + $1.size },
            bytesUploaded: missing.reduce(0) { $0 + $1.size },
            uploaded: missing,
            alreadyThere: !isNew
        )
    }

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

    private func upload(_ blobs: [Descriptor], of name: ModelName) async throws {
        let counter = Counter(total: blobs.reduce(0) { $0 + $1.size }, report: progress)
        try await forEach(blobs) { [target, source] blob in
            let file = try OpenFile(source.blobs.path(of: blob.digest), .read)
            try await target.put(file, as: blob, of: name) { counter.add($0) }
        } result: { _ in
        }
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
