// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooArchive
package import ZooCore
package import ZooFiles

/// A release whose documents are consistent and whose every blob, block and file was verified, or written
/// by this process.
///
/// Only ``RegistryDocuments/check(manifest:as:written:_:)`` creates it, and only such a release can be published.
package struct CheckedRelease: Sendable {
    /// The manifest.
    package let manifest: ReleaseManifest
    /// The stored form of the manifest, with members that this program does not know.
    package let bytes: [UInt8]
    /// The record.
    package let record: any ArchivedRecord

    /// The evidence of each archive.
    package let archives: [ArchiveEvidence]

    /// The digest of the manifest.
    package var digest: ContentDigest { ContentDigest(of: bytes) }

    fileprivate init(
        _ manifest: ReleaseManifest,
        _ bytes: [UInt8],
        _ record: any ArchivedRecord,
        _ archives: [ArchiveEvidence]
    ) {
        self.manifest = manifest
        self.bytes = bytes
        self.record = record
        self.archives = archives
    }
}

extension RegistryFolder {
    /// The name and version under which a release is to be published.
    package struct Identity: Sendable {
        /// The model or data set.
        package let name: ModelName
        /// The version.
        package let version: SemanticVersion

        /// Creates an identity.
        package init(name: ModelName, version: SemanticVersion) {
            self.name = name
            self.version = version
        }
    }

    /// Checks a release; see ``RegistryDocuments/check(manifest:as:written:_:)``.
    package func check(
        manifest bytes: [UInt8],
        as identity: Identity?,
        written: [ArchiveEvidence] = [],
        _ cancellation: Cancellation
    ) throws -> CheckedRelease {
        try documents.check(manifest: bytes, as: identity, written: written, cancellation)
    }
}

extension RegistryDocuments {
    /// Checks a release by the rules of `registry/SPEC.md`: schema, identity, blobs, block tables,
    /// every block and every file.
    ///
    /// - Parameters:
    ///   - bytes: the manifest.
    ///   - identity: the name and version that the record must state; nil when any will do.
    ///   - written: evidence of archives that this process wrote. The check of such an archive covers the
    ///     bytes that were handed to the file system, and does not read them again.
    ///   - cancellation: stops the check.
    /// - Returns: the evidence that ``RegistryFolder/publish(_:_:)`` requires.
    /// - Throws: ``ZooError`` with code `registry.blob-missing`, `registry.release-inconsistent`,
    ///   `store.blob-mismatch`, `release.*`, `archive.*`, a code of the documents, or `io.*`;
    ///   `CancellationError`.
    package func check(
        manifest bytes: [UInt8],
        as identity: RegistryFolder.Identity?,
        written: [ArchiveEvidence] = [],
        _ cancellation: Cancellation
    ) throws -> CheckedRelease {
        let manifest = try ReleaseManifest(canonical: bytes)
        for blob in manifest.blobs + manifest.skipped { try requireBlob(blob) }
        let record = try manifest.kind.record(
            canonical: try blobs.read(manifest.record.digest, limit: FormatLimits.record)
        )
        if let identity, (identity.name, identity.version) != (record.name, record.version) {
            throw inconsistent(
                "it is published as '\(identity.name):\(identity.version)', and its record has "
                    + "'\(record.name):\(record.version)'"
            )
        }
        let named = Set(manifest.archives.map(\.name))
        if let orphan = record.files.first(where: { !named.contains($0.archive) }) {
            throw inconsistent(
                "'\(orphan.path)' is in archive '\(orphan.archive)', which is missing"
            )
        }
        let archives = try manifest.archives.map { archive in
            try ArchiveCheck(
                table: try BlockTable(
                    canonical: try blobs.read(
                        archive.blocks.digest,
                        limit: FormatLimits.blockTable
                    )
                ),
                record: record,
                archive: archive,
                path: blobs.path(of: archive.archive.digest)
            ).run(written: written, cancellation)
        }
        return CheckedRelease(manifest, bytes, record, archives)
    }

    /// Checks that a blob exists and has the size that its descriptor states.
    func requireBlob(_ blob: Descriptor) throws(ZooError) {
        guard let status = try FileSystem.status(blobs.path(of: blob.digest)),
            status.kind == .file
        else {
            throw ZooError(
                .blobMissing,
                "the release refers to the blob \(blob.digest), which the registry does not have",
                remedy: "upload the blob, then the manifest"
            )
        }
        guard status.size == blob.size else {
            throw inconsistent(
                "the blob \(blob.digest) has \(status.size) bytes, and the manifest states "
                    + "\(blob.size)"
            )
        }
    }

    private func inconsistent(_ what: String) -> ZooError {
        ZooError(
            .releaseInconsistent,
            "the release is inconsistent: \(what)",
            remedy: "pack the release again with 'ami-zoo pack', and publish the result"
        )
    }
}
