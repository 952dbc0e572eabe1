// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
package import ZooCore
internal import ZooFiles
package import ZooStore

/// Where a release is written to: a registry folder, or whatever else takes blobs and then a manifest
/// that makes them visible.
package protocol RegistryTarget: Sendable {
    /// The address, for people.
    var address: String { get }

    /// A file for an archive whose digest is known only when it is written.
    func draft() async throws -> BlobFolder.Draft

    /// Takes a draft that is complete.
    ///
    /// - Parameters:
    ///   - draft: the draft, which is gone afterwards.
    ///   - digest: the digest of everything in it.
    ///   - name: the model that it belongs to.
    /// - Throws: ``ZooError`` when the registry does not take it.
    func put(_ draft: BlobFolder.Draft, as digest: ContentDigest, of name: ModelName) async throws

    /// Gives up a draft.
    func discard(_ draft: BlobFolder.Draft) async

    /// Takes a small blob.
    ///
    /// - Returns: its digest.
    func put(_ bytes: [UInt8], of name: ModelName) async throws -> ContentDigest

    /// Makes a release visible whose blobs are all there.
    ///
    /// - Returns: whether it is new; false when the very same release was there.
    /// - Throws: ``ZooError`` with code `registry.version-taken` when the version exists with other
    ///   content.
    func publish(_ manifest: ReleaseManifest, of record: any ArchivedRecord) async throws -> Bool
}

/// A registry folder, or an OCI image layout, on this machine.
package struct FolderTarget: RegistryTarget {
    private let registry: RegistryFolder

    /// Opens a folder for writing and waits for another writer; a new or empty folder becomes an image
    /// layout.
    ///
    /// - Throws: ``ZooError`` with code `registry.not-a-registry` or `io.*`; `CancellationError`.
    package init(root: String) async throws {
        registry = try await BlockingWork.run { try RegistryFolder.openForWriting(root, $0) }
    }

    /// The folder as a `file:` address.
    package var address: String { "file:\(registry.root)" }

    /// A file on the file system of the registry.
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
        // What made the draft useless is the failure to report; a leftover is found by 'registry check'.
        try? registry.blobs.discard(draft)
    }

    /// Writes a small blob.
    package func put(_ bytes: [UInt8], of name: ModelName) async throws -> ContentDigest {
        try await BlockingWork.run { [registry] _ in try registry.blobs.write(bytes) }
    }

    /// Writes the manifest and lists it.
    package func publish(
        _ manifest: ReleaseManifest,
        of record: any ArchivedRecord
    ) async throws -> Bool {
        try await BlockingWork.run { [registry] _ in try registry.add(manifest, of: record) }
    }
}
