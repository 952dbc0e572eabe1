// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// A raw block that matches the digest in its block table.
///
/// Only ``BlockDecoder`` creates verified blocks, and only a verified block can be written to a
/// release (``ArchiveFolder/write(_:)``) or counted as verified (``VerifiedCoverage``).
package struct VerifiedBlock: ~Copyable {
    /// The entry in the block table.
    package let block: BlockTable.Block
    private let buffer: BlockBuffer
    private let generation: Int

    fileprivate init(_ buffer: BlockBuffer, _ block: BlockTable.Block) {
        self.block = block
        self.buffer = buffer
        generation = buffer.generation
    }

    /// Calls `body` with the bytes, which are valid only during the call.
    func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(ZooError) -> Result
    ) throws(ZooError) -> Result {
        precondition(buffer.generation == generation, "the buffer of a verified block was reused")
        return unsafe try buffer.withBytes(body)
    }
}

/// Verifies and decodes blocks of an archive.
///
/// Not thread-safe; each worker owns a decoder with a zstd context and a buffer.
package final class BlockDecoder {
    private let codec = ZstdCodec()
    private let raw = BlockBuffer()

    /// Creates a decoder.
    package init() {}

    /// Verifies and decodes a block.
    ///
    /// - Parameters:
    ///   - bytes: the encoded block.
    ///   - block: its entry in the block table.
    ///   - encoding: the encoding of the archive.
    /// - Returns: the raw bytes, which are valid until the next call or until `bytes` changes.
    /// - Throws: ``ZooError`` with code `archive.block-mismatch` or `archive.frame-malformed`.
    package func decode(
        _ bytes: BlockBuffer,
        of block: BlockTable.Block,
        _ encoding: ArchiveEncoding
    ) throws(ZooError) -> VerifiedBlock {
        try Self.require(bytes, block.archiveDigest)
        guard encoding == .zstd else { return VerifiedBlock(bytes, block) }
        try codec.decompress(bytes, into: raw, size: block.rawRange.count)
        return try Self.verify(raw, of: block)
    }

    /// Checks a raw block against the block table.
    ///
    /// - Returns: the same bytes, which are valid until `raw` changes.
    /// - Throws: ``ZooError`` with code `archive.block-mismatch`.
    package static func verify(
        _ raw: BlockBuffer,
        of block: BlockTable.Block
    ) throws(ZooError) -> VerifiedBlock {
        try require(raw, block.rawDigest)
        return VerifiedBlock(raw, block)
    }

    private static func require(
        _ bytes: BlockBuffer,
        _ digest: ContentDigest
    ) throws(ZooError) {
        let found = bytes.digest
        guard found == digest else {
            throw ZooError(
                .blockMismatch,
                "a block has digest \(found), and the block table expects \(digest)"
            )
        }
    }
}
