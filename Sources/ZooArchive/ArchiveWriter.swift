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
    ) throws -> ArchiveEvidence {
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
        return ArchiveEvidence(
            writing: BlockTable(
                encoding: encoding,
                archiveDigest: archiveHasher.finish(),
                blocks: blocks
            ),
            layout,
            members
        )
    }
}
