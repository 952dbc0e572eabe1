// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooArchive
package import ZooCore
package import ZooFiles

/// Checks the digests of an archive, its blocks and its files in one pass.
package struct ArchiveCheck: Sendable {
    /// The block table of the archive.
    package let table: BlockTable
    /// The record of the release.
    package let record: any ArchivedRecord
    /// The archive.
    package let archive: ReleaseManifest.Archive
    /// The path of the archive.
    package let path: String

    /// Creates a check.
    package init(
        table: BlockTable,
        record: any ArchivedRecord,
        archive: ReleaseManifest.Archive,
        path: String
    ) {
        self.table = table
        self.record = record
        self.archive = archive
        self.path = path
    }

    /// Checks the archive.
    ///
    /// - Parameters:
    ///   - written: evidence of archives that this process wrote; evidence of exactly this archive
    ///     takes the place of reading it.
    ///   - cancellation: stops the check between blocks.
    /// - Returns: the evidence of what the archive contains.
    /// - Throws: ``ZooError`` with code `registry.release-inconsistent`, `store.blob-mismatch`,
    ///   `release.file-mismatch`, `archive.*` or `io.*`; `CancellationError`.
    @discardableResult
    package func run(
        written: [ArchiveEvidence] = [],
        _ cancellation: Cancellation
    ) throws -> ArchiveEvidence {
        let layout = record.layout(of: archive.name)
        guard table.archiveDigest == archive.archive.digest,
            table.archiveSize == archive.archive.size, table.rawSize == layout.rawSize
        else {
            throw ZooError(
                .releaseInconsistent,
                "the block table of '\(archive.name)' belongs to another archive",
                remedy: "withdraw the release and publish it again under a new version"
            )
        }
        let file = try OpenFile(path, .read)
        guard try file.status().size == table.archiveSize else { throw ZooError.wrongBlob(path) }
        let digests = Dictionary(uniqueKeysWithValues: record.files.map { ($0.path, $0.digest) })
        if let known = written.first(where: { $0.proves(archive, holds: layout, digests) }) {
            return known
        }
        let found = try ArchiveEvidence(reading: file, by: table, holds: layout, cancellation)
        guard found.archiveDigest == archive.archive.digest else { throw ZooError.wrongBlob(path) }
        for (member, digest) in found.members where digests[member] != digest {
            throw ZooError(
                .fileMismatch,
                "'\(member)' has digest \(digest), which differs from the release record",
                remedy: "withdraw the release and publish it again under a new version"
            )
        }
        return found
    }
}

extension ZooError {
    /// The error for a blob whose content does not match the digest in its name.
    package static func wrongBlob(_ path: String) -> ZooError {
        ZooError(
            .blobMismatch,
            "the content of '\(path)' does not match the digest in its name",
            remedy: "restore the file from a mirror, or remove it and pack the release again"
        )
    }
}
