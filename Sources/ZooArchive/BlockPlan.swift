// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The block boundaries of a new archive.
///
/// `registry/SPEC.md` section 5.3: boundaries are the starts of tar headers and of tensors. A unit
/// extends from a boundary to the first later boundary at a distance of at least 1 MiB, and is split
/// into equal blocks of at most 4 MiB. A tensor that is unchanged between two releases therefore has
/// the same blocks in both and is fetched once.
package struct BlockPlan: Sendable, Equatable {
    /// The blocks of the raw stream, in order, covering it.
    package let ranges: [Range<Int>]

    private static let smallestUnit = 1 << 20

    /// Creates a plan with other boundaries, which readers accept too.
    ///
    /// - Parameter ranges: ordered, contiguous ranges from 0 to the end of the raw stream.
    package init(ranges: [Range<Int>]) { self.ranges = ranges }

    /// Plans the blocks of an archive.
    ///
    /// - Parameters:
    ///   - layout: the layout of the archive.
    ///   - tensorStarts: the byte offsets of the tensors in each file that has tensors.
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
