// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The hashes of a Merkle tree over log entries: RFC 6962 section 2.1, with SHA-256.
package enum MerkleTree {
    /// The root of a tree without entries.
    package static var emptyRoot: ContentDigest { ContentDigest(of: []) }

    /// The hash of an entry.
    package static func leaf(_ entry: [UInt8]) -> ContentDigest { ContentDigest(of: [0] + entry) }

    /// The hash of an inner node.
    package static func node(_ left: ContentDigest, _ right: ContentDigest) -> ContentDigest {
        ContentDigest(of: [1] + left.bytes + right.bytes)
    }

    /// A complete subtree: it covers the entries from `index << level` up to but not including
    /// `(index + 1) << level`.
    struct Subtree: Hashable, Sendable {
        /// The height above the leaves.
        let level: Int
        /// The position among the subtrees of the same height.
        let index: Int
    }

    /// The complete subtrees whose hashes give that of a range of entries.
    ///
    /// - Parameter range: not empty; its start is a multiple of the largest power of two that is at most its
    ///   length, as in every range of this file.
    /// - Returns: the subtrees, from left to right.
    static func subtrees(of range: Range<Int>) -> [Subtree] {
        precondition(!range.isEmpty, "a range of no entries has no subtrees")
        var found: [Subtree] = []
        var start = range.lowerBound
        while start < range.upperBound {
            let rest = range.upperBound - start
            let level = Int.bitWidth - 1 - rest.leadingZeroBitCount
            precondition(start.trailingZeroBitCount >= level, "the range \(range) is not aligned")
            found.append(Subtree(level: level, index: start >> level))
            start += 1 << level
        }
        return found
    }

    /// The hash of a range from those of its ``subtrees(of:)``.
    static func fold(_ hashes: [ContentDigest]) -> ContentDigest {
        precondition(!hashes.isEmpty, "a range has at least one subtree")
        return hashes.dropLast().reversed().reduce(hashes[hashes.count - 1]) { node($1, $0) }
    }

    /// Splits a range of two or more entries as the tree does: RFC 9162 section 2.1.1.
    private static func split(_ range: Range<Int>) -> (left: Range<Int>, right: Range<Int>) {
        let level = Int.bitWidth - 1 - (range.count - 1).leadingZeroBitCount
        let middle = range.lowerBound + 1 << level
        return (range.lowerBound..<middle, middle..<range.upperBound)
    }

    /// The ranges whose hashes prove that an entry is in a tree.
    ///
    /// Source: `PATH` of RFC 9162 section 2.1.3.1.
    ///
    /// - Parameters:
    ///   - index: the index of the entry, less than `size`.
    ///   - size: the number of entries of the tree.
    /// - Returns: the ranges, from the leaf to the root.
    static func inclusionRanges(of index: Int, in size: Int) -> [Range<Int>] {
        precondition((0..<size).contains(index), "a tree of \(size) has no entry \(index)")
        var ranges: [Range<Int>] = []
        var range = 0..<size
        while range.count > 1 {
            let (left, right) = split(range)
            let isLeft = left.contains(index)
            ranges.append(isLeft ? right : left)
            range = isLeft ? left : right
        }
        return ranges.reversed()
    }

    /// The ranges whose hashes prove that a tree begins with another one.
    ///
    /// Source: `SUBPROOF` of RFC 9162 section 2.1.4.1.
    ///
    /// - Parameters:
    ///   - old: the size of the smaller tree, at least 1.
    ///   - new: the size of the larger tree, at least `old`.
    /// - Returns: the ranges, in the order of the proof.
    static func consistencyRanges(from old: Int, to new: Int) -> [Range<Int>] {
        precondition((1...new).contains(old), "no proof leads from \(old) to \(new) entries")
        var ranges: [Range<Int>] = []
        var range = 0..<new
        while range.upperBound != old {
            let (left, right) = split(range)
            let isLeft = old <= left.upperBound
            ranges.append(isLeft ? right : left)
            range = isLeft ? left : right
        }
        // The verifier has the hash of the old tree itself.
        if range.lowerBound != 0 { ranges.append(range) }
        return ranges.reversed()
    }
}
