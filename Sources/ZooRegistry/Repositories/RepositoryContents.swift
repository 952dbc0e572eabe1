// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
package import ZooCore
internal import ZooFiles

/// Which manifests and blobs a repository has: those of the index document, and of other artifacts.
///
/// A blob exists once for all repositories, and is readable only through those that refer to it. All
/// members block; call them where blocking is allowed.
package final class RepositoryContents: Sendable {
    /// The number of digests that are kept in memory for all repositories.
    private static let capacity = 1_000_000
    /// The number of repositories that are kept in memory.
    private static let repositories = 10_000

    private let documents: RegistryDocuments
    /// The artifacts of other kinds.
    package let artifacts: ArtifactFolder
    private let known = Mutex<[RepositoryName: Contents]>([:])

    /// What one repository had at some time.
    private struct Contents {
        var stamp: [FileStatus?]
        var manifests: Set<BlobDigest>
        var blobs: Set<BlobDigest>
    }

    /// Creates a reader of a registry folder.
    package init(root: String) {
        documents = RegistryDocuments(root: root)
        artifacts = ArtifactFolder(root: root)
    }

    /// Reads the index document of a repository; nil when the repository is not a model or data set of
    /// the registry.
    ///
    /// - Throws: ``ZooError`` as ``RegistryDocuments/index(of:)``.
    package func index(of repository: RepositoryName) throws(ZooError) -> IndexDocument? {
        guard let name = repository.modelName else { return nil }
        return try documents.index(of: name)
    }

    /// Whether a manifest of the repository refers to a blob.
    ///
    /// - Throws: ``ZooError`` with a code of the documents, or `io.*`.
    package func holds(
        blob: BlobDigest,
        in repository: RepositoryName
    ) throws(ZooError) -> Bool {
        try contents(of: repository).blobs.contains(blob)
    }

    /// Whether the repository has a manifest.
    ///
    /// - Throws: ``ZooError`` with a code of the documents, or `io.*`.
    package func holds(
        manifest: BlobDigest,
        in repository: RepositoryName
    ) throws(ZooError) -> Bool {
        try contents(of: repository).manifests.contains(manifest)
    }

    /// Whether the registry has models, data sets or other artifacts in a namespace.
    ///
    /// - Parameter namespace: one valid component of a name.
    /// - Returns: whether there are some, or traces of some that were deleted.
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func hasNamespace(_ namespace: String) throws(ZooError) -> Bool {
        guard try FileSystem.names(in: "\(documents.root)/index/\(namespace)").isEmpty else {
            return true
        }
        return try artifacts.hasNamespace(namespace)
    }

    private func contents(of repository: RepositoryName) throws(ZooError) -> Contents {
        // Read before the documents: a change in between is noticed at the next call.
        var stamp = try artifacts.stamp(of: repository)
        if let name = repository.modelName {
            stamp.append(
                try FileSystem.status("\(documents.root)/\(RegistryLayout.index(name))")
            )
        }
        let old = known.withLock { $0[repository] }
        if let old, old.stamp == stamp { return old }
        var listed = Set(try artifacts.manifests(of: repository))
        for entry in try index(of: repository)?.entries ?? [] {
            listed.insert(BlobDigest(entry.digest))
            for attachment in entry.attachments { listed.insert(BlobDigest(attachment.digest)) }
        }
        // Manifests are immutable, so only new ones are read, unless some were deleted.
        var new = Contents(stamp: stamp, manifests: [], blobs: [])
        if let old, old.manifests.isSubset(of: listed) { new = old }
        for digest in listed.subtracting(new.manifests) {
            // A damaged manifest is reported when it is asked for; the others stay readable.
            guard let bytes = try? manifest(digest, in: repository),
                let manifest = try? ArtifactManifest(parsing: bytes)
            else { continue }
            new.blobs.formUnion(manifest.blobs.map(\.digest))
        }
        new.manifests = listed
        new.stamp = stamp
        keep(new, of: repository)
        return new
    }

    private func keep(_ contents: Contents, of repository: RepositoryName) {
        // Files may change again without a new time, whose resolution is some milliseconds.
        let newest = contents.stamp.compactMap { $0?.modified }.max() ?? 0
        let isSettled = Clock.nanoseconds() - newest > 3_000_000_000
        known.withLock { known in
            let size = known.values.reduce(contents.blobs.count + contents.manifests.count) {
                $0 + $1.blobs.count + $1.manifests.count
            }
            if size > Self.capacity || known.count > Self.repositories { known.removeAll() }
            known[repository] = contents
            if !isSettled { known[repository]?.stamp = [] }
        }
    }

    /// Reads a manifest of the repository, of a release or of another artifact, and checks its digest.
    ///
    /// - Throws: ``ZooError`` with code `store.blob-mismatch`, or `io.*`.
    package func manifest(
        _ digest: BlobDigest,
        in repository: RepositoryName
    ) throws(ZooError) -> [UInt8]? {
        if let bytes = try artifacts.manifest(digest, in: repository) { return bytes }
        guard let digest = digest.contentDigest else { return nil }
        do throws(ZooError) {
            return try documents.blobs.read(digest, limit: FormatLimits.artifactManifest)
        } catch  where error.code == .fileMissing {
            return nil
        }
    }

    /// The digest of the manifest that a tag or digest names; nil when the repository has none.
    ///
    /// The versions of a model are tags.
    ///
    /// - Throws: ``ZooError`` with a code of the documents, or `io.*`.
    package func find(
        _ reference: ManifestReference,
        in repository: RepositoryName
    ) throws(ZooError) -> BlobDigest? {
        switch reference {
        case .digest(let digest):
            return try holds(manifest: digest, in: repository) ? digest : nil
        case .tag(let tag):
            if let version = try? SemanticVersion(parsing: tag.description),
                let entry = try index(of: repository)?.entry(for: .version(version))
            {
                return BlobDigest(entry.digest)
            }
            return try artifacts.digest(of: tag, in: repository)
        }
    }

    /// The tags of a repository in ascending order, versions among them; nil when it does not exist.
    ///
    /// - Throws: ``ZooError`` with a code of the documents, or `io.*`.
    package func tags(of repository: RepositoryName) throws(ZooError) -> [OCITag]? {
        let index = try index(of: repository)
        let exists = try artifacts.exists(repository)
        guard index != nil || exists else { return nil }
        let versions = (index?.entries ?? []).map { OCITag($0.version) }
        return Set(versions + (try artifacts.tags(of: repository))).sorted()
    }

    /// The manifests that are attached to one, in ascending order of their digests.
    ///
    /// - Throws: ``ZooError`` with a code of the documents, or `io.*`.
    package func referrers(
        of subject: BlobDigest,
        in repository: RepositoryName
    ) throws(ZooError) -> [BlobDigest] {
        var found = Set(try artifacts.referrers(of: subject, in: repository))
        let entry = try index(of: repository)?.entries.first { BlobDigest($0.digest) == subject }
        for attachment in entry?.attachments ?? [] { found.insert(BlobDigest(attachment.digest)) }
        return found.sorted()
    }
}
