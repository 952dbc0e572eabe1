// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

/// Writes an archive from the files of a folder, block by block.
package struct ArchiveWriter: Sendable {
    /// The zstd level: the library's default, past which weights hardly shrink.
    private static let level: Int32 = 3

    /// The archive.
    package let layout: ArchiveLayout
    /// Where its blocks are cut.
    package let plan: BlockPlan
    /// How it is stored.
    package let encoding: ArchiveEncoding

    /// A writer of one archive.
    package init(layout: ArchiveLayout, plan: BlockPlan, encoding: ArchiveEncoding) {
        self.layout = layout
        self.plan = plan
        self.encoding = encoding
    }

    /// Writes the archive and returns its table.
    ///
    /// - Parameters:
    ///   - source: the folder that holds the files.
    ///   - digests: the digest of each file, as the record will state it.
    ///   - output: an empty file.
    ///   - cancellation: ends the writing between two blocks.
    /// - Returns: the block table of what was written.
    /// - Throws: ``ZooError`` with code `archive.file-changed` when a file no longer has its
    ///   digest, or `io.*`; `CancellationError`. Blocking.
    package func write(
        from source: String,
        digests: [ReleasePath: ContentDigest],
        to output: OpenFile,
        _ cancellation: Cancellation
    ) throws -> BlockTable {
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
                unsafe try output.write(bytes, at: offset)
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
        for (path, digest) in contents.finish() where digests[path] != digest {
            throw ZooError(
                .fileChanged,
                "'\(source)/\(path)' changed while it was being packed",
                remedy: "stop what writes to it, and pack again"
            )
        }
        return BlockTable(
            encoding: encoding,
            archiveDigest: archiveHasher.finish(),
            blocks: blocks
        )
    }
}
