// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Where the blocks of a new archive begin and end.
///
/// `registry/SPEC.md` section 5.3: boundaries are the starts of tar headers and of tensors. A unit
/// runs from a boundary to the first later one that makes it at least 1 MiB long, and is cut into
/// equal blocks of at most 4 MiB. So a tensor that did not change between two releases keeps its
/// blocks, and is fetched once.
package struct BlockPlan: Sendable, Equatable {
    /// The blocks of the raw stream, in order, covering it.
    package let ranges: [Range<Int>]

    private static let smallestUnit = 1 << 20

    /// A division of another writer: readers accept any that a block table can state.
    ///
    /// - Parameter ranges: in order, without gaps, from 0 to the end of the raw stream.
    package init(ranges: [Range<Int>]) { self.ranges = ranges }

    /// Plans the blocks of an archive.
    ///
    /// - Parameters:
    ///   - layout: the archive.
    ///   - tensorStarts: offsets into a file at which tensors begin, for files that hold tensors.
    package init(layout: ArchiveLayout, tensorStarts: [ReleasePath: [Int]]) {
        var boundaries = Set([0])
        for member in layout.members {
            boundaries.insert(member.headerOffset)
            for start in tensorStarts[member.path, default: []] where start < member.size {
                boundaries.insert(member.contentOffset + start)
            }
        }
        var units: [Range<Int>] = []
        var start = 0
        for boundary in boundaries.sorted() where boundary - start >= Self.smallestUnit {
            units.append(start..<boundary)
            start = boundary
        }
        let rest = start..<layout.rawSize
        if rest.count < Self.smallestUnit, let last = units.popLast() {
            units.append(last.lowerBound..<rest.upperBound)
        } else {
            units.append(rest)
        }
        ranges = units.flatMap(Self.blocks)
    }

    private static func blocks(of unit: Range<Int>) -> [Range<Int>] {
        let count = (unit.count + FormatLimits.block - 1) / FormatLimits.block
        return (0..<count).map { index in
            let low = unit.lowerBound + index * unit.count / count
            return low..<unit.lowerBound + (index + 1) * unit.count / count
        }
    }
}
