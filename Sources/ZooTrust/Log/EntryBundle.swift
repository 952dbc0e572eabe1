// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The content of an entry bundle: entries, each after its length as a big-endian 16-bit number.
///
/// Source: C2SP tlog-tiles, section "Log entries".
package enum EntryBundle {
    /// The largest entry in bytes.
    package static let largestEntry = 65_535
    /// The largest bundle in bytes.
    package static let largest = LogTile.fullWidth * (2 + largestEntry)

    /// The stored form of entries.
    package static func bytes(of entries: [[UInt8]]) -> [UInt8] {
        entries.flatMap { entry in
            precondition(entry.count <= largestEntry, "an entry of \(entry.count) bytes")
            return [UInt8(entry.count >> 8), UInt8(entry.count & 0xFF)] + entry
        }
    }

    /// The entries of a bundle.
    ///
    /// - Parameters:
    ///   - bytes: the stored form.
    ///   - tile: the bundle.
    /// - Returns: the entries, as many as the tile is wide.
    /// - Throws: ``ZooError`` with code `log.malformed` unless the bundle has exactly the number of entries of
    ///   the tile.
    package static func entries(
        _ bytes: [UInt8],
        of tile: LogTile
    ) throws(ZooError) -> [[UInt8]] {
        var entries: [[UInt8]] = []
        var position = 0
        while position < bytes.count {
            guard position + 2 <= bytes.count else { throw truncated(tile) }
            let end = position + 2 + Int(bytes[position]) << 8 + Int(bytes[position + 1])
            guard end <= bytes.count, entries.count < tile.width else { throw truncated(tile) }
            entries.append(Array(bytes[position + 2..<end]))
            position = end
        }
        guard entries.count == tile.width else { throw truncated(tile) }
        return entries
    }

    private static func truncated(_ tile: LogTile) -> ZooError {
        .malformedLog("'\(tile.path)'", "does not hold \(tile.width) entries")
    }
}
