// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The places and digests of the blocks of an archive, in a form that is read faster than a block table.
///
/// One record per block: the end of the block in the archive, 8 bytes in little-endian order, and the 64
/// hexadecimal digits of its digest.
struct UploadBlocks: Sendable {
    /// Whether the upload has a block.
    enum State: UInt8 {
        /// It must be sent, unless an archive of the repository has it.
        case missing = 0x2D
        /// It must be sent: the archive that should have it does not.
        case lost = 0x21
        /// It was sent or copied; its bytes are checked at the end.
        case received = 0x2B
        /// An archive of the repository had it when that was last looked up.
        case reusable = 0x3D
    }

    private static let recordSize = 72

    /// The stored form.
    let bytes: [UInt8]

    /// Reads the stored form; nil when it is damaged.
    init?(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, bytes.count.isMultiple(of: Self.recordSize) else { return nil }
        self.bytes = bytes
    }

    init(_ table: BlockTable) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(table.blocks.count * Self.recordSize)
        for block in table.blocks {
            let end = block.archiveRange.upperBound
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: end >> (8 * $0)) }
            bytes += Array(block.archiveDigest.hex.utf8)
        }
        self.bytes = bytes
    }

    /// The number of blocks.
    var count: Int { bytes.count / Self.recordSize }

    /// The size of the archive in bytes.
    var archiveSize: Int { end(of: count - 1) }

    private func end(of block: Int) -> Int {
        let start = block * Self.recordSize
        return (0..<8).reduce(0) { $0 | Int(bytes[start + $1]) << (8 * $1) }
    }

    /// The byte range of a block in the archive.
    func range(of block: Int) -> Range<Int> {
        let start = block == 0 ? 0 : end(of: block - 1)
        return start..<max(start, end(of: block))
    }

    /// The digest of a block as it is in the archive.
    func digest(of block: Int) throws(ZooError) -> ContentDigest {
        let start = block * Self.recordSize + 8
        return try ContentDigest(hex: String(decoding: bytes[start..<start + 64], as: UTF8.self))
    }

    /// The blocks that a byte range consists of; nil when it cuts a block or is not in the archive.
    func blocks(in range: Range<Int>) -> Range<Int>? {
        guard let first = block(startingAt: range.lowerBound),
            range.upperBound == archiveSize || block(startingAt: range.upperBound) != nil
        else { return nil }
        let end = block(startingAt: range.upperBound) ?? count
        return first < end ? first..<end : nil
    }

    private func block(startingAt offset: Int) -> Int? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if range(of: middle).lowerBound < offset { low = middle + 1 } else { high = middle }
        }
        return low < count && range(of: low).lowerBound == offset ? low : nil
    }
}
