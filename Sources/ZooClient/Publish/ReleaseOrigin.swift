// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooArchive
package import ZooCore
internal import ZooFiles
package import ZooRegistry

/// Where releases come from that are sent to a registry.
package protocol ReleaseOrigin: Sendable {
    /// Reads the documents of a release and checks them.
    ///
    /// - Parameter digest: the digest of the manifest.
    /// - Returns: the documents.
    /// - Throws: ``ZooError`` with the code of what is wrong; `CancellationError`.
    func release(_ digest: ContentDigest) async throws -> OriginRelease

    /// Sends a blob.
    ///
    /// - Parameters:
    ///   - blob: the blob.
    ///   - table: the digest of its block table, which the destination has; nil when it is not an
    ///     archive.
    ///   - name: the model that the blob belongs to.
    ///   - target: the destination.
    ///   - progress: receives the number of bytes after each step.
    /// - Returns: the number of bytes that travelled; the destination had the others.
    /// - Throws: ``ZooError`` when the content has another digest, or the error of either side.
    func send(
        _ blob: Descriptor,
        blocks table: ContentDigest?,
        of name: ModelName,
        to target: any RegistryTarget,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Int

    /// Reads a block table and checks its digest.
    func blockTable(_ digest: ContentDigest, of name: ModelName) async throws -> BlockTable

    /// Lists what is attached to a release.
    func attachments(
        of digest: ContentDigest,
        _ name: ModelName
    ) async throws -> [IndexDocument.Attachment]

    /// Reads the manifest of an attachment and checks its digest.
    func attachment(_ digest: ContentDigest, of name: ModelName) async throws -> [UInt8]
}

/// The documents of a release that is sent to a registry.
package struct OriginRelease: Sendable {
    /// The stored form of the manifest.
    package let bytes: [UInt8]
    /// The manifest.
    package let manifest: ReleaseManifest
    /// The name and version that the record states.
    package let identity: RegistryFolder.Identity
    /// The evidence of the archives that were read; none where they are checked while they travel.
    package let archives: [ArchiveEvidence]
}

/// A folder on this machine: what `pack` wrote, or a registry.
struct LocalOrigin: ReleaseOrigin {
    let folder: RegistryDocuments

    /// Checks the release as a whole, with every block and file.
    func release(_ digest: ContentDigest) async throws -> OriginRelease {
        let checked = try await BlockingWork.run { [folder] cancellation in
            let manifest = try folder.blobs.read(digest, limit: FormatLimits.manifest)
            return try folder.check(manifest: manifest, as: nil, cancellation)
        }
        return OriginRelease(
            bytes: checked.bytes,
            manifest: checked.manifest,
            identity: RegistryFolder.Identity(
                name: checked.record.name,
                version: checked.record.version
            ),
            archives: checked.archives
        )
    }

    func send(
        _ blob: Descriptor,
        blocks table: ContentDigest?,
        of name: ModelName,
        to target: any RegistryTarget,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Int {
        let file = try OpenFile(folder.blobs.path(of: blob.digest), .read)
        return try await target.put(file, as: blob, blocks: table, of: name, progress: progress)
    }

    func blockTable(_ digest: ContentDigest, of name: ModelName) async throws -> BlockTable {
        try await BlockingWork.run { [folder] _ in
            try BlockTable(
                canonical: try folder.blobs.read(digest, limit: FormatLimits.blockTable)
            )
        }
    }

    /// Reads the list from the index document, which an image layout does not have.
    func attachments(
        of digest: ContentDigest,
        _ name: ModelName
    ) async throws -> [IndexDocument.Attachment] {
        try await BlockingWork.run { [folder] _ in
            try folder.index(of: name)?.attachments(of: digest) ?? []
        }
    }

    func attachment(_ digest: ContentDigest, of name: ModelName) async throws -> [UInt8] {
        try await BlockingWork.run { [folder] _ in
            try folder.blobs.read(digest, limit: FormatLimits.artifactManifest)
        }
    }
}

/// A model in a registry on another machine.
struct RemoteOrigin: ReleaseOrigin {
    let registry: Registry
    let name: ModelName

    /// Checks the manifest, the record and the block tables against each other; the blobs are checked
    /// while they travel.
    func release(_ digest: ContentDigest) async throws -> OriginRelease {
        let bytes = try await registry.manifest(digest, of: name)
        let manifest = try ReleaseManifest(canonical: bytes)
        let record = try manifest.kind.record(
            canonical: try await registry.blob(
                manifest.record.digest,
                of: name,
                limit: FormatLimits.record
            )
        )
        guard record.name == name else {
            throw registry.inconsistent(
                "\(registry.source.address) lists it as a release of '\(name)', and its record says "
                    + "'\(record.name)'"
            )
        }
        _ = try await registry.archives(of: manifest, record)
        return OriginRelease(
            bytes: bytes,
            manifest: manifest,
            identity: RegistryFolder.Identity(name: name, version: record.version),
            archives: []
        )
    }

    func send(
        _ blob: Descriptor,
        blocks table: ContentDigest?,
        of name: ModelName,
        to target: any RegistryTarget,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Int {
        let source = registry.source
        return try await target.put(blob, blocks: table, of: name, progress: progress) { sink in
            try await source.stream(
                (digest: blob.digest, size: blob.size),
                of: name,
                range: nil,
                into: sink
            )
        }
    }

    func blockTable(_ digest: ContentDigest, of name: ModelName) async throws -> BlockTable {
        try BlockTable(
            canonical: try await registry.blob(digest, of: name, limit: FormatLimits.blockTable)
        )
    }

    func attachments(
        of digest: ContentDigest,
        _ name: ModelName
    ) async throws -> [IndexDocument.Attachment] {
        try await registry.attachments(of: digest, name)
    }

    func attachment(_ digest: ContentDigest, of name: ModelName) async throws -> [UInt8] {
        try await registry.manifest(digest, of: name)
    }
}

extension IndexDocument {
    /// What is attached to a release; empty when there is no such release.
    func attachments(of digest: ContentDigest) -> [Attachment] {
        entries.first { $0.digest == digest }?.attachments ?? []
    }
}

extension RegistryDocuments {
    /// The releases that `index.json` lists without their name.
    ///
    /// - Returns: the digests of their manifests.
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `io.*` code.
    package func unnamedReleases() throws(ZooError) -> [ContentDigest] {
        let index = try ArtifactManifest(
            parsing: try FileSystem.document(
                "\(root)/\(RegistryLayout.imageIndex)",
                limit: FormatLimits.artifactManifest
            )
        )
        // What is not a release belongs to another tool.
        return index.manifests.compactMap(\.digest.contentDigest).filter {
            (try? release($0)) != nil
        }
    }
}
