// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

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
    /// - Returns: the raw bytes, which have the digest of the table; they are valid until the next
    ///   call or until `bytes` changes.
    /// - Throws: ``ZooError`` with code `archive.block-mismatch` or `archive.frame-malformed`.
    package func decode(
        _ bytes: BlockBuffer,
        of block: BlockTable.Block,
        _ encoding: ArchiveEncoding
    ) throws(ZooError) -> BlockBuffer {
        try Self.require(bytes, block.archiveDigest)
        guard encoding == .zstd else { return bytes }
        try codec.decompress(bytes, into: raw, size: block.rawRange.count)
        try Self.require(raw, block.rawDigest)
        return raw
    }

    /// Checks bytes of the raw stream against the table.
    ///
    /// - Throws: ``ZooError`` with code `archive.block-mismatch`.
    package static func verify(
        _ raw: BlockBuffer,
        of block: BlockTable.Block
    ) throws(ZooError) {
        try require(raw, block.rawDigest)
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
