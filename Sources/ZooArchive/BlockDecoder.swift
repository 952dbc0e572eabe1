// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Bytes of the raw stream that have the digest that their block table gives.
///
/// Only ``BlockDecoder`` makes one, and only a verified block can be written to a release
/// (``ArchiveFolder/write(_:)``) or counted as verified (``VerifiedCoverage``).
package struct VerifiedBlock: ~Copyable {
    /// The row of the block table.
    package let block: BlockTable.Block
    private let buffer: BlockBuffer
    private let generation: Int

    fileprivate init(_ buffer: BlockBuffer, _ block: BlockTable.Block) {
        self.block = block
        self.buffer = buffer
        generation = buffer.generation
    }

    /// The bytes, for the length of the call.
    func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(ZooError) -> Result
    ) throws(ZooError) -> Result {
        precondition(buffer.generation == generation, "the buffer of a verified block was reused")
        return unsafe try buffer.withBytes(body)
    }
}

/// Turns the bytes of one block of an archive into verified bytes of the raw stream.
///
/// Not thread-safe; each worker owns one, with its zstd context and its buffer.
package final class BlockDecoder {
    private let codec = ZstdCodec()
    private let raw = BlockBuffer()

    /// A decoder.
    package init() {}

    /// Verifies and decodes a block.
    ///
    /// - Parameters:
    ///   - bytes: the block as it lies in the archive.
    ///   - block: its row of the table.
    ///   - encoding: how the archive is stored.
    /// - Returns: the raw bytes; they are valid until the next call or until `bytes` changes.
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

    /// Checks bytes of the raw stream against the table.
    ///
    /// - Returns: the same bytes; they are valid until `raw` changes.
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
                "a block has digest \(found), and its table says \(digest)"
            )
        }
    }
}
