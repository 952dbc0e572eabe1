// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
package import ZooCore
internal import ZooFiles
internal import ZooRegistry

/// A file that is an archive of a release: every byte of it, and of the files in it.
///
/// Only ``init(_:of:_:)`` makes one.
package struct VerifiedArchive: Sendable {
    /// The files of the release that are in the archive.
    package let files: [ReleaseRecord.File]

    /// Compares the digest of the archive, of each block and of each file in it.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - expected: what it must be.
    ///   - cancellation: stops the check between blocks.
    /// - Throws: ``ZooError`` as ``ArchiveCheck/run(written:_:)``, which finds the first difference;
    ///   `CancellationError`.
    init(
        _ path: String,
        of expected: ArchiveExpectation,
        _ cancellation: Cancellation
    ) throws {
        try ArchiveCheck(
            table: expected.table,
            record: expected.record,
            archive: expected.archive,
            path: path
        ).run(cancellation)
        files = expected.record.files.filter { $0.archive == expected.archive.name }
    }
}

/// What a file is compared with: an archive of a release.
package struct ArchiveExpectation: Sendable {
    /// The digest of the release's manifest.
    let release: ContentDigest
    /// The record of the release.
    package let record: any ArchivedRecord
    /// The archive.
    package let archive: ReleaseManifest.Archive
    /// The number of archives of the release.
    package let archives: Int
    /// Its block table, which the manifest names.
    let table: BlockTable

    /// The name and version of the release.
    package var reference: ModelReference {
        ModelReference(name: record.name, selector: .version(record.version))
    }

    /// The blocks of a file that are wrong, each with the files that it has bytes of.
    ///
    /// Blocking.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code; `CancellationError`.
    func differences(in path: String, _ cancellation: Cancellation) throws -> [Finding] {
        let file = try OpenFile(path, .readFollowing)
        let size = try file.status().size
        let layout = record.layout(of: archive.name)
        let remedy = "fetch the archive again; a resumed download may have joined different files"
        var findings: [Finding] = []
        if size != table.archiveSize {
            findings.append(
                Finding(
                    .blobMismatch,
                    path: path,
                    message: "the file has \(size) bytes, and the archive has \(table.archiveSize)",
                    remedy: remedy
                )
            )
        }
        for (number, block) in table.blocks.enumerated() where block.archiveRange.upperBound <= size
        {
            try cancellation.check()
            guard ContentDigest(of: try file.bytes(block.archiveRange)) != block.archiveDigest
            else {
                continue
            }
            let names = layout.contents(in: block.rawRange).map {
                "'\(layout.members[$0.member].path)'"
            }
            let inside = names.isEmpty ? "" : ", with bytes of \(names.joined(separator: ", "))"
            findings.append(
                Finding(
                    .blockMismatch,
                    path: path,
                    message: "block \(number) (bytes \(block.archiveRange.lowerBound) to "
                        + "\(block.archiveRange.upperBound - 1)\(inside)) is wrong",
                    remedy: remedy
                )
            )
            guard findings.count < 100 else { break }
        }
        return findings
    }
}
