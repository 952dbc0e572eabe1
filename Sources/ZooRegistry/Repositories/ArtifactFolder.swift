// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

/// The manifests of artifacts of other kinds, which a registry keeps only for OCI clients.
///
/// ```
/// oci/<repository>/_manifests/<algorithm>/<hex>       the manifest
/// oci/<repository>/_tags/<tag>                        a digest
/// oci/<repository>/_referrers/<subject>/<manifest>    an empty file; both are <algorithm>-<hex>
/// ```
/// They are never in the index or the catalogue. A component of a repository never starts with `_`.
package struct ArtifactFolder: Sendable {
    private let path: String

    /// The artifacts of a registry folder.
    package init(root: String) { path = "\(root)/oci" }

    private func folder(_ repository: RepositoryName) -> String { "\(path)/\(repository)" }

    private func file(_ digest: BlobDigest, _ repository: RepositoryName) -> String {
        "\(folder(repository))/_manifests/\(digest.algorithm.rawValue)/\(digest.hex)"
    }

    // MARK: Reading

    /// Reads a manifest and checks its digest; nil when the repository does not have it.
    ///
    /// - Throws: ``ZooError`` with code `store.blob-mismatch`, or `io.*`.
    package func manifest(
        _ digest: BlobDigest,
        in repository: RepositoryName
    ) throws(ZooError) -> [UInt8]? {
        let path = file(digest, repository)
        let bytes: [UInt8]
        do throws(ZooError) {
            bytes = try FileSystem.document(path, limit: FormatLimits.artifactManifest)
        } catch  where error.code == .fileMissing {
            return nil
        }
        guard BlobDigest(of: bytes, digest.algorithm) == digest else {
            throw ZooError.wrongBlob(path)
        }
        return bytes
    }

    /// The manifests of a repository.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func manifests(of repository: RepositoryName) throws(ZooError) -> [BlobDigest] {
        var found: [BlobDigest] = []
        for algorithm in BlobDigest.Algorithm.allCases {
            let folder = "\(folder(repository))/_manifests/\(algorithm.rawValue)"
            for name in try FileSystem.names(in: folder) {
                // Writes in progress have other names.
                if let digest = try? BlobDigest(parsing: "\(algorithm.rawValue):\(name)") {
                    found.append(digest)
                }
            }
        }
        return found
    }

    /// Whether a repository has, or had, artifacts.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    func exists(_ repository: RepositoryName) throws(ZooError) -> Bool {
        try FileSystem.status("\(folder(repository))/_manifests") != nil
    }

    /// Whether any repository of a namespace has, or had, artifacts.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    func hasNamespace(_ namespace: String) throws(ZooError) -> Bool {
        try !FileSystem.names(in: "\(path)/\(namespace)").isEmpty
    }

    /// What changes whenever the manifests of a repository do.
    func stamp(of repository: RepositoryName) throws(ZooError) -> [FileStatus?] {
        var stamps: [FileStatus?] = []
        for algorithm in BlobDigest.Algorithm.allCases {
            stamps.append(
                try FileSystem.status(
                    "\(folder(repository))/_manifests/\(algorithm.rawValue)"
                )
            )
        }
        return stamps
    }

    /// The tags of a repository, in ascending order.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func tags(of repository: RepositoryName) throws(ZooError) -> [OCITag] {
        try FileSystem.names(in: "\(folder(repository))/_tags").compactMap(OCITag.init(parsing:))
    }

    /// The manifest to which a tag points; nil when there is no such tag.
    ///
    /// - Throws: ``ZooError`` with code `digest.malformed`, or `io.*`.
    package func digest(
        of tag: OCITag,
        in repository: RepositoryName
    ) throws(ZooError) -> BlobDigest? {
        do throws(ZooError) {
            let bytes = try FileSystem.document(
                "\(folder(repository))/_tags/\(tag)",
                limit: 256
            )
            return try BlobDigest(parsing: String(decoding: bytes, as: UTF8.self))
        } catch  where error.code == .fileMissing {
            return nil
        }
    }

    /// The manifests that name `subject` as theirs, in ascending order.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func referrers(
        of subject: BlobDigest,
        in repository: RepositoryName
    ) throws(ZooError) -> [BlobDigest] {
        try FileSystem.names(in: referrers(subject, repository)).compactMap(Self.digest)
    }

    private func referrers(_ subject: BlobDigest, _ repository: RepositoryName) -> String {
        "\(folder(repository))/_referrers/\(Self.name(subject))"
    }

    private static func name(_ digest: BlobDigest) -> String {
        "\(digest.algorithm.rawValue)-\(digest.hex)"
    }

    private static func digest(_ name: String) -> BlobDigest? {
        let parts = name.split(separator: "-", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        return try? BlobDigest(parsing: "\(parts[0]):\(parts[1])")
    }

    // MARK: Writing

    /// Stores a manifest whose digest was checked, and moves a tag to it.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func write(
        _ bytes: [UInt8],
        as digest: BlobDigest,
        subject: BlobDigest?,
        tag: OCITag?,
        in repository: RepositoryName
    ) throws(ZooError) {
        if let subject {
            // First: a referrer without a manifest is ignored, the other way round it would be lost.
            let folder = referrers(subject, repository)
            try FileSystem.createFolder(folder)
            try FileSystem.writeAtomically("\(folder)/\(Self.name(digest))", [])
        }
        let path = file(digest, repository)
        try FileSystem.createFolder(FileSystem.parent(of: path))
        try FileSystem.writeAtomically(path, bytes)
        guard let tag else { return }
        try FileSystem.createFolder("\(folder(repository))/_tags")
        try FileSystem.writeAtomically(
            "\(folder(repository))/_tags/\(tag)",
            Array(digest.description.utf8)
        )
    }

    /// Removes a tag; false when there was none.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func remove(
        _ tag: OCITag,
        from repository: RepositoryName
    ) throws(ZooError) -> Bool {
        let path = "\(folder(repository))/_tags/\(tag)"
        guard try FileSystem.status(path) != nil else { return false }
        try FileSystem.remove(path)
        return true
    }

    /// Removes a manifest with its tags; false when there was none.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func remove(
        _ digest: BlobDigest,
        from repository: RepositoryName
    ) throws(ZooError) -> Bool {
        guard let bytes = try manifest(digest, in: repository) else { return false }
        for tag in try tags(of: repository) where try self.digest(of: tag, in: repository) == digest
        {
            _ = try remove(tag, from: repository)
        }
        try FileSystem.remove(file(digest, repository))
        if let subject = try? ArtifactManifest(parsing: bytes).subject?.digest {
            try FileSystem.remove("\(referrers(subject, repository))/\(Self.name(digest))")
        }
        return true
    }
}

extension RegistryFolder {
    /// The artifacts of other kinds.
    package var artifacts: ArtifactFolder { ArtifactFolder(root: root) }

    /// Stores the manifest of an artifact of another kind, and moves a tag to it.
    ///
    /// - Parameters:
    ///   - bytes: the manifest.
    ///   - manifest: what `bytes` parse to.
    ///   - digest: the digest of `bytes`.
    ///   - tag: the tag; nil when it is named by its digest only.
    ///   - repository: the repository.
    ///   - cancellation: ends the wait for other writers.
    /// - Throws: ``ZooError`` with code `registry.blob-missing` when the registry does not have a blob,
    ///   or the repository a manifest, that it refers to, or `io.*`; `CancellationError`.
    package func store(
        _ bytes: [UInt8],
        _ manifest: ArtifactManifest,
        as digest: BlobDigest,
        tag: OCITag?,
        in repository: RepositoryName,
        _ cancellation: Cancellation
    ) throws {
        let using = try locks.lock(.blobs, .shared, cancellation)
        defer { withExtendedLifetime(using) {} }
        for blob in manifest.blobs where !blob.isElsewhere { try require(blob) }
        let writing = try locks.lock(.artifacts(repository), .exclusive, cancellation)
        defer { withExtendedLifetime(writing) {} }
        try artifacts.write(
            bytes,
            as: digest,
            subject: manifest.subject?.digest,
            tag: tag,
            in: repository
        )
    }

    /// Checks that a blob is there with the size that a manifest states.
    func require(_ blob: ArtifactManifest.Link) throws(ZooError) {
        guard try blobs.size(of: blob.digest) == blob.size else {
            throw ZooError(
                .blobMissing,
                "the manifest refers to the blob \(blob.digest) of \(blob.size) bytes, which the "
                    + "registry does not have",
                remedy: "upload the blob, then the manifest"
            )
        }
    }

    /// Removes a tag, or a manifest with its tags, of an artifact of another kind.
    ///
    /// - Returns: false when the repository does not have it.
    /// - Throws: ``ZooError`` with an `io.*` code; `CancellationError`.
    package func removeArtifact(
        _ reference: ManifestReference,
        from repository: RepositoryName,
        _ cancellation: Cancellation
    ) throws -> Bool {
        let writing = try locks.lock(.artifacts(repository), .exclusive, cancellation)
        defer { withExtendedLifetime(writing) {} }
        switch reference {
        case .tag(let tag): return try artifacts.remove(tag, from: repository)
        case .digest(let digest): return try artifacts.remove(digest, from: repository)
        }
    }
}
