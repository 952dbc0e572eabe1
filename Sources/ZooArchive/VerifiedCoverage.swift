// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Which bytes of which files have been verified; the evidence for "every byte".
///
/// Bytes count when they were in a ``VerifiedBlock`` or when their file is a ``VerifiedFile``; nothing
/// else adds to it.
package struct VerifiedCoverage: Sendable {
    private struct Place: Hashable {
        let archive: String
        let offset: Int
    }

    private var blocks: Set<Place> = []
    private var bytes: [ReleasePath: Int] = [:]
    private var whole: Set<ReleasePath> = []

    /// Nothing is verified yet.
    package init() {}

    /// Counts the bytes of a block; a block that was counted before adds nothing.
    ///
    /// - Parameters:
    ///   - block: the block.
    ///   - archive: the name of its archive.
    ///   - layout: the layout of that archive.
    package mutating func add(
        _ block: borrowing VerifiedBlock,
        of archive: String,
        _ layout: ArchiveLayout
    ) {
        let range = block.block.rawRange
        guard blocks.insert(Place(archive: archive, offset: range.lowerBound)).inserted else {
            return
        }
        for (member, part) in layout.contents(in: range) {
            bytes[layout.members[member].path, default: 0] += part.count
        }
    }

    /// Counts a whole file.
    package mutating func add(_ file: VerifiedFile) { whole.insert(file.file.path) }

    /// Adds what another worker verified; the two have no block in common.
    package mutating func merge(_ other: VerifiedCoverage) {
        precondition(blocks.isDisjoint(with: other.blocks), "a block was verified twice")
        blocks.formUnion(other.blocks)
        bytes.merge(other.bytes, uniquingKeysWith: +)
        whole.formUnion(other.whole)
    }

    /// The files that are not verified to the last byte.
    package func gaps(in files: [ReleaseRecord.File]) -> [ReleasePath] {
        files.filter { !whole.contains($0.path) && bytes[$0.path, default: 0] != $0.size }
            .map(\.path)
    }

    /// The files, when every byte of each is verified.
    ///
    /// - Throws: ``ZooError`` with code `release.not-covered`, which names the files that are not.
    package func complete(_ files: [ReleaseRecord.File]) throws(ZooError) -> VerifiedFiles {
        let gaps = gaps(in: files)
        guard gaps.isEmpty else {
            throw ZooError(
                .filesNotCovered,
                "\(gaps.map { "'\($0)'" }.joined(separator: ", ")): not every byte was verified",
                remedy: "do not use the folder; remove it and pull the release again"
            )
        }
        return VerifiedFiles(files)
    }
}

/// Files of a release, each verified to the last byte; only ``VerifiedCoverage`` makes it.
package struct VerifiedFiles: Sendable {
    /// The files.
    package let files: [ReleaseRecord.File]
    /// Bytes of all of them.
    package var bytes: Int { files.reduce(0) { $0 + $1.size } }

    fileprivate init(_ files: [ReleaseRecord.File]) { self.files = files }
}
