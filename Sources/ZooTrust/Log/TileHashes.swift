// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Tiles of hashes that were read from a log, from which its hashes and proofs are computed.
///
/// Nothing in it is trusted: what is computed is compared with the root of a signed checkpoint.
package struct TileHashes: Sendable {
    private var tiles: [LogTile: [ContentDigest]] = [:]

    /// Creates an empty set.
    package init() {}

    /// Adds a tile.
    ///
    /// - Throws: ``ZooError`` with code `log.malformed` when it has another size than its hashes.
    package mutating func add(_ bytes: [UInt8], of tile: LogTile) throws(ZooError) {
        guard bytes.count == tile.width * LogTile.hashSize else {
            throw .malformedLog(
                "'\(tile.path)'",
                "has \(bytes.count) bytes, and \(tile.width) hashes have "
                    + "\(tile.width * LogTile.hashSize)"
            )
        }
        tiles[tile] = stride(from: 0, to: bytes.count, by: LogTile.hashSize).map {
            ContentDigest(bytes: bytes[$0..<$0 + LogTile.hashSize])
        }
    }

    /// Adds a tile by its hashes.
    package mutating func add(_ hashes: [ContentDigest], of tile: LogTile) {
        precondition(hashes.count == tile.width, "\(tile.path) has \(hashes.count) hashes")
        tiles[tile] = hashes
    }

    // MARK: What is needed

    /// The tiles that give the root of a log.
    package static func neededForRoot(of size: Int) -> Set<LogTile> {
        size == 0 ? [] : needed(for: [0..<size], in: size)
    }

    /// The tiles that give the proof that an entry is in a log.
    package static func neededForInclusion(of index: Int, in size: Int) -> Set<LogTile> {
        needed(for: MerkleTree.inclusionRanges(of: index, in: size), in: size)
    }

    /// The tiles that give the proof that a log begins with its first `old` entries.
    package static func neededForConsistency(from old: Int, to new: Int) -> Set<LogTile> {
        old == 0 ? [] : needed(for: MerkleTree.consistencyRanges(from: old, to: new), in: new)
    }

    private static func needed(for ranges: [Range<Int>], in size: Int) -> Set<LogTile> {
        Set(ranges.flatMap { MerkleTree.subtrees(of: $0) }.map { place(of: $0, in: size).tile })
    }

    /// The tile whose hashes give that of a subtree, and their positions in it.
    private static func place(
        of subtree: MerkleTree.Subtree,
        in size: Int
    ) -> (tile: LogTile, positions: Range<Int>) {
        let height = subtree.level % 8
        let first = subtree.index << height
        guard
            let tile = LogTile(.hashes(level: subtree.level / 8), of: first, in: size)
        else { preconditionFailure("a log of \(size) entries has no subtree \(subtree)") }
        let position = first % LogTile.fullWidth
        return (tile, position..<position + 1 << height)
    }

    // MARK: What they give

    /// The root of a log of `size` entries.
    package func root(of size: Int) -> ContentDigest {
        size == 0 ? MerkleTree.emptyRoot : hash(of: 0..<size, in: size)
    }

    /// The proof that an entry is in a log.
    package func inclusion(of index: Int, in size: Int) -> InclusionProof {
        InclusionProof(
            index: index,
            size: size,
            hashes: MerkleTree.inclusionRanges(of: index, in: size).map { hash(of: $0, in: size) }
        )
    }

    /// The proof that a log begins with its first `old` entries.
    package func consistency(from old: Int, to new: Int) -> ConsistencyProof {
        let ranges = old == 0 ? [] : MerkleTree.consistencyRanges(from: old, to: new)
        return ConsistencyProof(
            from: old,
            to: new,
            hashes: ranges.map { hash(of: $0, in: new) }
        )
    }

    private func hash(of range: Range<Int>, in size: Int) -> ContentDigest {
        MerkleTree.fold(
            MerkleTree.subtrees(of: range).map { subtree in
                let (tile, positions) = Self.place(of: subtree, in: size)
                guard let hashes = tiles[tile] else {
                    preconditionFailure("'\(tile.path)' was not added")
                }
                return Self.root(of: hashes[positions])
            }
        )
    }

    /// The root of a complete subtree above hashes whose number is a power of two.
    package static func root(of hashes: ArraySlice<ContentDigest>) -> ContentDigest {
        var level = Array(hashes)
        while level.count > 1 {
            level = stride(from: 0, to: level.count, by: 2).map {
                MerkleTree.node(level[$0], level[$0 + 1])
            }
        }
        return level[0]
    }
}
