// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

/// Writes an archive from the files of a folder, block by block.
package struct ArchiveWriter: Sendable {
    /// The zstd level: the default of the library; higher levels hardly shrink weights.
    private static let level: Int32 = 3

    /// The layout of the archive.
    package let layout: ArchiveLayout
    /// The block boundaries.
    package let plan: BlockPlan
    /// The encoding of the blocks.
    package let encoding: ArchiveEncoding

    /// Creates a writer of one archive.
    package init(layout: ArchiveLayout, plan: BlockPlan, encoding: ArchiveEncoding) {
        self.layout = layout
        self.plan = plan
        self.encoding = encoding
    }

    /// Writes the archive.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - source: the folder of the files.
    ///   - digests: the digest of each file in the record.
    ///   - output: an empty file; nil to compute the block table alone.
    ///   - cancellation: stops the writer between blocks.
    /// - Returns: the block table of the archive, with the evidence that it describes what was written.
    /// - Throws: ``ZooError`` with code `archive.file-changed` when a file does not match its digest,
    ///   or `io.*`; `CancellationError`.
    package func write(
        from source: String,
        digests: [ReleasePath: ContentDigest],
        to output: OpenFile?,
        _ cancellation: Cancellation
    ) throws -> WrittenArchive {
        let folder = try ArchiveFolder(layout, in: source, .read)
        let codec = ZstdCodec()
        let raw = BlockBuffer()
        let frame = BlockBuffer()
        var archiveHasher = ContentDigest.Hasher()
        var contents = ArchiveContentHasher(layout)
        var blocks: [BlockTable.Block] = []
        var offset = 0
        for range in plan.ranges {
            try cancellation.check()
            try folder.read(range, into: raw)
            try contents.update(raw, at: range.lowerBound)
            if encoding == .zstd { try codec.compress(raw, into: frame, level: Self.level) }
            let bytes = encoding == .zstd ? frame : raw
            unsafe try bytes.withBytes { bytes throws(ZooError) in
                unsafe try output?.write(bytes, at: offset)
                unsafe archiveHasher.update(bytes)
            }
            let rawDigest = raw.digest
            blocks.append(
                BlockTable.Block(
                    archiveRange: offset..<offset + bytes.count,
                    archiveDigest: encoding == .zstd ? frame.digest : rawDigest,
                    rawRange: range,
                    rawDigest: rawDigest
                )
            )
            offset += bytes.count
        }
        let members = contents.finish()
        for (path, digest) in members where digests[path] != digest {
            throw ZooError(
                .fileChanged,
                "'\(source)/\(path)' changed while it was being packed",
                remedy: "stop the program that writes to it, then pack again"
            )
        }
        return WrittenArchive(
            BlockTable(
                encoding: encoding,
                archiveDigest: archiveHasher.finish(),
                blocks: blocks
            ),
            layout,
            members
        )
    }
}

/// The evidence that this process wrote an archive: every digest in it was computed from the bytes
/// that were handed to the file system.
///
/// Only ``ArchiveWriter/write(from:digests:to:_:)`` creates it. A check that believes it does not read
/// the archive again, so it does not see what a disk or another program did to the file since.
package struct WrittenArchive: Sendable {
    /// The block table.
    package let table: BlockTable
    private let layout: ArchiveLayout
    private let members: [(path: ReleasePath, digest: ContentDigest)]

    fileprivate init(
        _ table: BlockTable,
        _ layout: ArchiveLayout,
        _ members: [(ReleasePath, ContentDigest)]
    ) {
        self.table = table
        self.layout = layout
        self.members = members
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
        table.archiveDigest == archive.archive.digest && table.archiveSize == archive.archive.size
            && ContentDigest(of: table.canonicalBytes) == archive.blocks.digest
            && self.layout == layout
            && members.allSatisfy { digests[$0.path] == $0.digest }
    }
}
