// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// A proof that an entry is in a log: RFC 9162 section 2.1.3.
package struct InclusionProof: Sendable, Equatable {
    /// The index of the entry.
    package let index: Int
    /// The number of entries of the log.
    package let size: Int
    /// The hashes from the sibling of the leaf to the child of the root.
    package let hashes: [ContentDigest]

    /// Creates a proof, which is not verified yet.
    package init(index: Int, size: Int, hashes: [ContentDigest]) {
        self.index = index
        self.size = size
        self.hashes = hashes
    }

    /// Whether the proof leads from a leaf to a root (section 2.1.3.2).
    package func proves(_ leaf: ContentDigest, under root: ContentDigest) -> Bool {
        guard index >= 0, index < size else { return false }
        var (node, last, hash) = (index, size - 1, leaf)
        for sibling in hashes {
            guard last > 0 else { return false }
            if node & 1 == 1 || node == last {
                hash = MerkleTree.node(sibling, hash)
                // The rightmost node of a level without a sibling moves up unchanged.
                while node & 1 == 0, node > 0 { (node, last) = (node >> 1, last >> 1) }
            } else {
                hash = MerkleTree.node(hash, sibling)
            }
            (node, last) = (node >> 1, last >> 1)
        }
        return last == 0 && hash == root
    }
}

/// A proof that a log begins with the entries of an earlier state: RFC 9162 section 2.1.4.
package struct ConsistencyProof: Sendable, Equatable {
    /// The number of entries of the earlier state.
    package let old: Int
    /// The number of entries of the later state.
    package let new: Int
    /// The hashes in the order of section 2.1.4.1.
    package let hashes: [ContentDigest]

    /// Creates a proof, which is not verified yet.
    package init(from old: Int, to new: Int, hashes: [ContentDigest]) {
        (self.old, self.new) = (old, new)
        self.hashes = hashes
    }

    /// Whether the proof leads from one root to another (section 2.1.4.2).
    ///
    /// Every log begins with the empty one, and equal sizes need equal roots and no hashes.
    package func proves(_ oldRoot: ContentDigest, isPrefixOf newRoot: ContentDigest) -> Bool {
        guard old >= 0, old <= new else { return false }
        if old == new { return hashes.isEmpty && oldRoot == newRoot }
        if old == 0 { return hashes.isEmpty && oldRoot == MerkleTree.emptyRoot }
        var path = hashes
        // A complete subtree of the new tree is its own first hash.
        if old & (old - 1) == 0 { path.insert(oldRoot, at: 0) }
        guard let first = path.first else { return false }
        var (node, last) = (old - 1, new - 1)
        while node & 1 == 1 { (node, last) = (node >> 1, last >> 1) }
        var (oldHash, newHash) = (first, first)
        for sibling in path.dropFirst() {
            guard last > 0 else { return false }
            if node & 1 == 1 || node == last {
                oldHash = MerkleTree.node(sibling, oldHash)
                newHash = MerkleTree.node(sibling, newHash)
                while node & 1 == 0, node > 0 { (node, last) = (node >> 1, last >> 1) }
            } else {
                newHash = MerkleTree.node(newHash, sibling)
            }
            (node, last) = (node >> 1, last >> 1)
        }
        return last == 0 && oldHash == oldRoot && newHash == newRoot
    }
}
