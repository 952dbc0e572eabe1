// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
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
    /// - Returns: true when the release is new, false when the registry already has it.
    /// - Throws: ``ZooError`` with code `registry.version-taken` when the version exists with
    ///   different content.
    func publish(_ manifest: [UInt8], as identity: RegistryFolder.Identity) async throws -> Bool
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

    /// Removes the draft.
    package func discard(_ draft: BlobFolder.Draft) async {
        // The caller reports the original failure; 'registry check' finds leftover drafts.
        try? registry.blobs.discard(draft)
    }

    /// Writes a small blob.
    package func put(_ bytes: [UInt8], of name: ModelName) async throws -> ContentDigest {
        try await BlockingWork.run { [registry] _ in try registry.blobs.write(bytes) }
    }

    /// Checks the release as a whole, then writes the manifest and lists it.
    package func publish(
        _ manifest: [UInt8],
        as identity: RegistryFolder.Identity
    ) async throws -> Bool {
        try await BlockingWork.run { [registry] cancellation in
            let release = try registry.check(manifest: manifest, as: identity, cancellation)
            return try registry.publish(release, cancellation)
        }
    }
}
