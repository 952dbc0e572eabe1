// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooArchive
package import ZooCore
package import ZooFiles
package import ZooRegistry

/// A destination for releases: it stores blobs, and then a manifest that publishes them.
package protocol RegistryTarget: Sendable {
    /// The address, for messages.
    var address: String { get }

    /// Creates a temporary file for an archive whose digest is not known yet.
    func draft() async throws -> BlobFolder.Draft

    /// Stores a complete draft as a blob.
    ///
    /// - Parameters:
    ///   - draft: the draft, which is removed.
    ///   - digest: the digest of its content.
    ///   - name: the model that the blob belongs to.
    /// - Throws: ``ZooError`` when the registry rejects the blob.
    func put(_ draft: BlobFolder.Draft, as digest: ContentDigest, of name: ModelName) async throws

    /// Whether the registry already has a blob, so that it need not travel.
    ///
    /// - Parameters:
    ///   - blob: the digest and size of the blob.
    ///   - name: the model that the blob belongs to.
    /// - Returns: true when it is there with this size.
    /// - Throws: the error of the registry.
    func holds(_ blob: Descriptor, of name: ModelName) async throws -> Bool

    /// Stores a file as a blob.
    ///
    /// - Parameters:
    ///   - file: the file.
    ///   - blob: the digest and size of its content.
    ///   - name: the model that the blob belongs to.
    ///   - progress: receives the number of bytes after each step.
    /// - Throws: ``ZooError`` with code `store.blob-mismatch` when the content has another digest, or
    ///   the error of the registry.
    func put(
        _ file: OpenFile,
        as blob: Descriptor,
        of name: ModelName,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws

    /// Discards a draft.
    func discard(_ draft: BlobFolder.Draft) async

    /// Stores a small blob.
    ///
    /// - Returns: the digest of the blob.
    func put(_ bytes: [UInt8], of name: ModelName) async throws -> ContentDigest

    /// Publishes a release whose blobs are already stored.
    ///
    /// - Parameters:
    ///   - manifest: the stored form of the manifest.
    ///   - identity: the name and version.
    ///   - written: the evidence of the archives that this process wrote for the release.
    /// - Returns: true when the release is new, false when the registry already has it.
    /// - Throws: ``ZooError`` with code `registry.version-taken` when the version exists with
    ///   different content.
    func publish(
        _ manifest: [UInt8],
        as identity: RegistryFolder.Identity,
        written: [WrittenArchive]
    ) async throws -> Bool
}

/// A registry folder, or an OCI image layout, on this machine.
package struct FolderTarget: RegistryTarget {
    private let registry: RegistryFolder

    /// Opens a folder for writing; a new or empty folder becomes an OCI image layout.
    ///
    /// - Throws: ``ZooError`` with code `registry.not-a-registry`, `registry.locks-unavailable` or
    ///   `io.*`.
    package init(root: String) async throws {
        registry = try await BlockingWork.run { _ in try RegistryFolder(openingOrCreating: root) }
    }

    /// Opens a registry folder, which must exist.
    ///
    /// - Throws: ``ZooError`` with code `registry.not-a-registry`, `registry.locks-unavailable` or
    ///   `io.*`.
    package init(registry root: String) async throws {
        registry = try await BlockingWork.run { _ in try RegistryFolder(opening: root) }
        guard isRegistry else {
            throw ZooError(
                .notARegistry,
                "'\(root)' is an OCI image layout, not a registry",
                remedy: "make it a registry with 'ami-zoo registry init \(root)'"
            )
        }
    }

    /// Whether a release in this folder is published: it is a registry, not only an image layout.
    package var isRegistry: Bool { registry.kind == .registry }

    /// The folder as a `file:` URL.
    package var address: String { "file:\(registry.root)" }

    /// Creates a temporary file on the file system of the registry.
    package func draft() async throws -> BlobFolder.Draft {
        try await BlockingWork.run { [registry] _ in try registry.blobs.draft() }
    }

    /// Renames the draft to its digest.
    package func put(
        _ draft: BlobFolder.Draft,
        as digest: ContentDigest,
        of name: ModelName
    ) async throws {
        try await BlockingWork.run { [registry] _ in try registry.blobs.commit(draft, as: digest) }
    }

    /// Whether the blob is there with its size; publishing checks its content.
    package func holds(_ blob: Descriptor, of name: ModelName) async throws -> Bool {
        let path = registry.blobs.path(of: blob.digest)
        return try await BlockingWork.run { _ in
            try FileSystem.status(path).map { $0.kind == .file && $0.size == blob.size } ?? false
        }
    }

    /// Copies a file and checks its digest.
    package func put(
        _ file: OpenFile,
        as blob: Descriptor,
        of name: ModelName,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws {
        try await BlockingWork.run { [registry] cancellation in
            let draft = try registry.blobs.draft()
            do {
                var hasher = ContentDigest.Hasher()
                var offset = 0
                try file.forEachPiece(of: 0..<blob.size, size: 1 << 20, cancellation) { piece in
                    hasher.update(piece)
                    try draft.file.write(piece, at: offset)
                    offset += piece.byteCount
                    progress(piece.byteCount)
                }
                guard hasher.finish() == blob.digest else { throw ZooError.wrongBlob(file.path) }
                try registry.blobs.commit(draft, as: blob.digest)
            } catch {
                // The original failure is reported; 'registry check' finds leftover drafts.
                try? registry.blobs.discard(draft)
                throw error
            }
        }
    }

    /// Removes the draft.
    package func discard(_ draft: BlobFolder.Draft) async {
        // The caller reports the original failure; 'registry check' finds leftover drafts.
        try? registry.blobs.discard(draft)
    }

    /// Writes a small blob.
    package func put(_ bytes: [UInt8], of name: ModelName) async throws -> ContentDigest {
        try await BlockingWork.run { [registry] _ in try registry.blobs.write(bytes) }
    }

    /// Checks the release as a whole, except the archives that this process wrote a moment before, then
    /// writes the manifest and lists it.
    package func publish(
        _ manifest: [UInt8],
        as identity: RegistryFolder.Identity,
        written: [WrittenArchive]
    ) async throws -> Bool {
        try await BlockingWork.run { [registry] cancellation in
            let release = try registry.check(
                manifest: manifest,
                as: identity,
                written: written,
                cancellation
            )
            return try registry.publish(release, cancellation)
        }
    }
}
