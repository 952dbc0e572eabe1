// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The verified bytes of each file, which prove that every byte was verified.
///
/// Only the bytes of a ``VerifiedBlock`` or a ``VerifiedFile`` count.
package struct VerifiedCoverage: Sendable {
    private struct Place: Hashable {
        let archive: String
        let offset: Int
    }

    private var blocks: Set<Place> = []
    private var bytes: [ReleasePath: Int] = [:]
    private var whole: Set<ReleasePath> = []

    /// Creates an empty coverage.
    package init() {}

    /// Counts the bytes of a block; a repeated block adds nothing.
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

    /// Adds the coverage of another worker; traps when both verified the same block.
    package mutating func merge(_ other: VerifiedCoverage) {
        precondition(blocks.isDisjoint(with: other.blocks), "a block was verified twice")
        blocks.formUnion(other.blocks)
        bytes.merge(other.bytes, uniquingKeysWith: +)
        whole.formUnion(other.whole)
    }

    /// The files that are not completely verified.
    package func gaps(in files: [ReleaseRecord.File]) -> [ReleasePath] {
        files.filter { !whole.contains($0.path) && bytes[$0.path, default: 0] != $0.size }
            .map(\.path)
    }

    /// Returns the files when every byte of each is verified.
    ///
    /// - Throws: ``ZooError`` with code `release.not-covered`, which lists the other files.
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

/// Completely verified files of a release; only ``VerifiedCoverage`` creates it.
package struct VerifiedFiles: Sendable {
    /// The files.
    package let files: [ReleaseRecord.File]
    /// The total size of the files in bytes.
    package var bytes: Int { files.reduce(0) { $0 + $1.size } }

    fileprivate init(_ files: [ReleaseRecord.File]) { self.files = files }
}
