// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
package import ZooCore
internal import ZooFiles
package import ZooStore

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

    /// Discards a draft.
    func discard(_ draft: BlobFolder.Draft) async

    /// Stores a small blob.
    ///
    /// - Returns: the digest of the blob.
    func put(_ bytes: [UInt8], of name: ModelName) async throws -> ContentDigest

    /// Publishes a release whose blobs are already stored.
    ///
    /// - Returns: true when the release is new, false when the registry already has it.
    /// - Throws: ``ZooError`` with code `registry.version-taken` when the version exists with
    ///   different content.
    func publish(_ manifest: ReleaseManifest, of record: any ArchivedRecord) async throws -> Bool
}

/// A registry folder, or an OCI image layout, on this machine.
package struct FolderTarget: RegistryTarget {
    private let registry: RegistryFolder

    /// Opens a folder for writing and waits for another writer to finish.
    ///
    /// A new or empty folder becomes an OCI image layout.
    ///
    /// - Throws: ``ZooError`` with code `registry.not-a-registry` or `io.*`; `CancellationError`.
    package init(root: String) async throws {
        registry = try await BlockingWork.run { try RegistryFolder.openForWriting(root, $0) }
    }

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

    /// Removes the draft.
    package func discard(_ draft: BlobFolder.Draft) async {
        // The caller reports the original failure; 'registry check' finds leftover drafts.
        try? registry.blobs.discard(draft)
    }

    /// Writes a small blob.
    package func put(_ bytes: [UInt8], of name: ModelName) async throws -> ContentDigest {
        try await BlockingWork.run { [registry] _ in try registry.blobs.write(bytes) }
    }

    /// Writes the manifest and adds it to the list.
    package func publish(
        _ manifest: ReleaseManifest,
        of record: any ArchivedRecord
    ) async throws -> Bool {
        try await BlockingWork.run { [registry] _ in try registry.add(manifest, of: record) }
    }
}
