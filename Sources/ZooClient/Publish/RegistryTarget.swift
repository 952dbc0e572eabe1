// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooArchive
package import ZooCore
package import ZooFiles
package import ZooRegistry
internal import ZooTrust

/// Delivers the bytes of a blob, in order and each once, to a closure that may block.
package typealias BlobContent =
    @Sendable (@escaping @Sendable (RawSpan) throws -> Void) async throws -> Void

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

    /// What changes the index documents of the registry; nil where the registry has none to change.
    ///
    /// - Throws: the error of the registry.
    func indexEditor() async throws -> IndexEditor?

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
    ///   - table: the digest of its block table, which the registry has; nil when it is not an archive.
    ///   - name: the model that the blob belongs to.
    ///   - progress: receives the number of bytes after each step.
    /// - Returns: the number of bytes that travelled; the registry had the others.
    /// - Throws: ``ZooError`` with code `store.blob-mismatch` when the content has another digest, or
    ///   the error of the registry.
    func put(
        _ file: OpenFile,
        as blob: Descriptor,
        blocks table: ContentDigest?,
        of name: ModelName,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Int

    /// Stores a blob that arrives as a stream.
    ///
    /// - Parameters:
    ///   - blob: the digest and size of its content.
    ///   - table: the digest of its block table, which the registry has; nil when it is not an archive.
    ///   - name: the model that the blob belongs to.
    ///   - progress: receives the number of bytes after each step.
    ///   - content: delivers the bytes.
    /// - Returns: the number of bytes that travelled; the registry had the others.
    /// - Throws: ``ZooError`` with code `registry.digest-mismatch` when the content has another digest,
    ///   the error of `content`, or that of the registry.
    func put(
        _ blob: Descriptor,
        blocks table: ContentDigest?,
        of name: ModelName,
        progress: @escaping @Sendable (Int) -> Void,
        from content: BlobContent
    ) async throws -> Int

    /// The blocks that need not travel when an archive of a model is sent, as far as the documents of
    /// the registry say so.
    ///
    /// - Parameter name: the model.
    /// - Returns: the digests of blocks as they are in an archive.
    /// - Throws: the error of the registry.
    func reusableBlocks(of name: ModelName) async throws -> Set<ContentDigest>

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
    ///   - written: the evidence of the archives that this process wrote, or copied, for the release.
    /// - Returns: true when the release is new, false when the registry already has it.
    /// - Throws: ``ZooError`` with code `registry.version-taken` when the version exists with
    ///   different content.
    func publish(
        _ manifest: [UInt8],
        as identity: RegistryFolder.Identity,
        written: [ArchiveEvidence]
    ) async throws -> Bool

    /// Lists what is attached to a release; empty when the registry does not have the release.
    func attachments(
        of digest: ContentDigest,
        _ name: ModelName
    ) async throws -> [IndexDocument.Attachment]

    /// Attaches a manifest, whose blobs are already stored, to a release.
    ///
    /// - Parameters:
    ///   - manifest: the manifest, whose `subject` is the release.
    ///   - attachment: its type, digest and size.
    ///   - digest: the digest of the release's manifest.
    ///   - name: the model that the release belongs to.
    /// - Throws: the error of the registry.
    func attach(
        _ manifest: [UInt8],
        _ attachment: IndexDocument.Attachment,
        to digest: ContentDigest,
        of name: ModelName
    ) async throws
}

extension RegistryTarget {
    /// Stores an attachment with its blobs.
    ///
    /// - Parameters:
    ///   - draft: the attachment.
    ///   - digest: the digest of the release's manifest.
    ///   - name: the model that the release belongs to.
    /// - Returns: whether the registry did not list it yet.
    /// - Throws: the error of the registry.
    @discardableResult
    func attach(
        _ draft: AttachmentDraft,
        to digest: ContentDigest,
        of name: ModelName
    ) async throws -> Bool {
        guard try await !attachments(of: digest, name).contains(draft.entry) else { return false }
        for blob in draft.blobs { _ = try await put(blob.bytes, of: name) }
        try await attach(draft.manifest, draft.entry, to: digest, of: name)
        return true
    }
}

/// A registry folder, or an OCI image layout, on this machine.
package struct FolderTarget: RegistryTarget {
    private let registry: RegistryFolder
    private let keys: PublisherKeys

    /// Opens a folder for writing; a new or empty folder becomes an OCI image layout.
    ///
    /// - Throws: ``ZooError`` with code `registry.not-a-registry`, `registry.locks-unavailable` or
    ///   `io.*`.
    package init(root: String) async throws {
        registry = try await BlockingWork.run { _ in try RegistryFolder(openingOrCreating: root) }
        keys = .none
    }

    /// Opens a registry folder, which must exist.
    ///
    /// - Parameters:
    ///   - root: the folder.
    ///   - keys: the keys that sign changes, which a signed registry requires.
    /// - Throws: ``ZooError`` with code `registry.not-a-registry`, `registry.locks-unavailable`,
    ///   `trust.signer-required`, or as ``PublisherKeys/open(_:)``.
    package init(registry root: String, keys: PublisherKeys = .none) async throws {
        (registry, self.keys) = (try await BlockingWork.run { _ in try keys.open(root) }, keys)
        guard isRegistry else {
            throw ZooError(
                .notARegistry,
                "'\(root)' is an OCI image layout, not a registry",
                remedy: "make it a registry with 'ami-zoo registry init \(root)'"
            )
        }
        // Before anything is copied that could not be published.
        if registry.signer == nil, try registry.isSigned() {
            throw ZooError(signerRequiredBy: root)
        }
    }

    /// An editor of the registry folder; an image layout has no index documents.
    package func indexEditor() async throws -> IndexEditor? {
        isRegistry ? IndexEditor(folder: registry.root, keys: keys) : nil
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
        blocks table: ContentDigest?,
        of name: ModelName,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Int {
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
        return blob.size
    }

    /// Writes a stream and checks its digest.
    package func put(
        _ blob: Descriptor,
        blocks table: ContentDigest?,
        of name: ModelName,
        progress: @escaping @Sendable (Int) -> Void,
        from content: BlobContent
    ) async throws -> Int {
        let draft = try await draft()
        do {
            let written = StreamedBlob(in: draft.file)
            try await content { piece in
                try written.write(piece)
                progress(piece.byteCount)
            }
            try written.require(blob)
            try await put(draft, as: blob.digest, of: name)
        } catch {
            await discard(draft)
            throw error
        }
        return blob.size
    }

    /// None: a folder gets copies of whole archives.
    package func reusableBlocks(of name: ModelName) async throws -> Set<ContentDigest> { [] }

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
        written: [ArchiveEvidence]
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

    /// Reads the list from the index document.
    package func attachments(
        of digest: ContentDigest,
        _ name: ModelName
    ) async throws -> [IndexDocument.Attachment] {
        try await BlockingWork.run { [registry] _ in
            try registry.documents.index(of: name)?.attachments(of: digest) ?? []
        }
    }

    /// Writes the manifest and lists it with its release.
    package func attach(
        _ manifest: [UInt8],
        _ attachment: IndexDocument.Attachment,
        to digest: ContentDigest,
        of name: ModelName
    ) async throws {
        try await BlockingWork.run { [registry] cancellation in
            _ = try registry.attach(manifest, to: name, cancellation)
        }
    }
}
