// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

/// The evidence of what an archive contains: this process computed every digest in it, from the bytes that it
/// handed to the file system or from the bytes that it read.
///
/// Only ``ArchiveWriter/write(from:digests:to:_:)`` and ``init(reading:by:holds:_:)`` create it. It speaks of an
/// archive by its digest; whoever believes it about a file does not see what a disk or another program did to
/// the file since.
package struct ArchiveEvidence: Sendable {
    /// The block table, which every block matches.
    package let table: BlockTable
    /// The digest of the whole archive.
    package let archiveDigest: ContentDigest
    /// The files of the archive with their digests, in the order of the archive.
    package let members: [(path: ReleasePath, digest: ContentDigest)]
    private let layout: ArchiveLayout

    /// The evidence of an archive that was written; `table` was made from the same bytes.
    init(
        writing table: BlockTable,
        _ layout: ArchiveLayout,
        _ members: [(ReleasePath, ContentDigest)]
    ) {
        self.table = table
        archiveDigest = table.archiveDigest
        self.members = members
        self.layout = layout
    }

    /// Reads an archive, and checks its blocks and the bytes between its files.
    ///
    /// Blocking. ``archiveDigest`` and ``members`` are what was read, to be compared by the caller.
    ///
    /// - Parameters:
    ///   - file: the archive.
    ///   - table: its block table.
    ///   - layout: its files.
    ///   - cancellation: stops the reader between blocks.
    /// - Throws: ``ZooError`` with an `archive.*` or `io.*` code; `CancellationError`.
    package init(
        reading file: OpenFile,
        by table: BlockTable,
        holds layout: ArchiveLayout,
        _ cancellation: Cancellation
    ) throws {
        var whole = ContentDigest.Hasher()
        var content = ArchiveContentHasher(layout)
        let decoder = BlockDecoder()
        let bytes = BlockBuffer()
        for block in table.blocks {
            try cancellation.check()
            bytes.removeAll()
            let piece = try file.bytes(block.archiveRange)
            whole.update(piece)
            unsafe bytes.append(piece.span.bytes)
            try content.update(try decoder.decode(bytes, of: block, table.encoding))
        }
        self.table = table
        archiveDigest = whole.finish()
        members = content.finish()
        self.layout = layout
    }

    /// Whether this is the archive that a release describes.
    ///
    /// - Parameters:
    ///   - archive: the archive and the block table that the manifest lists.
    ///   - layout: the files that the record lists for the archive.
    ///   - digests: the digest of each file in the record.
    /// - Returns: true when archive, stored form of the table, paths, sizes and digests are the same.
    package func proves(
        _ archive: ReleaseManifest.Archive,
        holds layout: ArchiveLayout,
        _ digests: [ReleasePath: ContentDigest]
    ) -> Bool {
        archiveDigest == archive.archive.digest && table.archiveSize == archive.archive.size
            && ContentDigest(of: table.canonicalBytes) == archive.blocks.digest
            && self.layout == layout
            && members.allSatisfy { digests[$0.path] == $0.digest }
    }
}
