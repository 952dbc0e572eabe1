// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A file of a log: some consecutive hashes of one level, or some consecutive entries.
///
/// Source: C2SP tlog-tiles, sections "Merkle Tree" and "Log entries".
package struct LogTile: Hashable, Sendable {
    /// What a tile holds.
    package enum Content: Hashable, Sendable {
        /// The entries themselves, each after its length as a big-endian 16-bit number.
        case entries
        /// Hashes of subtrees of `256^level` entries.
        case hashes(level: Int)
    }

    /// The items of a full tile.
    package static let fullWidth = 256
    /// The largest number of entries of a log, which JSON integers represent exactly.
    package static let largestSize = 1 << 53
    /// The bytes of a hash.
    package static let hashSize = 32
    private static let levels = 0...63

    /// What the tile holds.
    package let content: Content
    /// The position among the tiles of the same content.
    package let index: Int
    /// The number of items, 1 to 256.
    package let width: Int

    /// Creates a tile.
    package init(_ content: Content, index: Int, width: Int = fullWidth) {
        precondition(
            index >= 0 && (1...Self.fullWidth).contains(width),
            "no tile \(index).p/\(width)"
        )
        self.content = content
        self.index = index
        self.width = width
    }

    /// The tile with an item, in a log of `size` entries; nil when that log does not have the item.
    ///
    /// - Parameters:
    ///   - content: what the tile holds.
    ///   - item: the index of the item among all of the same content.
    ///   - size: the number of entries of the log.
    package init?(_ content: Content, of item: Int, in size: Int) {
        let count = Self.items(of: content, in: size)
        guard (0..<count).contains(item) else { return nil }
        let index = item / Self.fullWidth
        self.init(content, index: index, width: min(Self.fullWidth, count - index * Self.fullWidth))
    }

    /// The number of items in all tiles of a content, in a log of `size` entries.
    package static func items(of content: Content, in size: Int) -> Int {
        switch content {
        case .entries: size
        case .hashes(let level): level < 8 ? size >> (8 * level) : 0
        }
    }

    /// Every tile of a log of `size` entries.
    package static func all(in size: Int) -> [LogTile] {
        let contents = [Content.entries] + (0..<8).map { .hashes(level: $0) }
        return contents.flatMap { content in
            stride(from: 0, to: items(of: content, in: size), by: fullWidth)
                .compactMap { LogTile(content, of: $0, in: size) }
        }
    }

    /// The same tile with all of its items.
    package var full: LogTile { LogTile(content, index: index) }
    /// The largest size of the tile in bytes.
    package var limit: Int {
        switch content {
        case .entries: EntryBundle.largest
        case .hashes: Self.fullWidth * Self.hashSize
        }
    }
    /// Whether the tile has all of its items.
    package var isFull: Bool { width == Self.fullWidth }

    /// The path below the folder of the log.
    package var path: String {
        var parts: [String] = []
        var rest = index
        repeat {
            let digits = String(rest % 1000)
            let padded = String(repeating: "0", count: 3 - digits.count) + digits
            parts.insert(parts.isEmpty ? padded : "x\(padded)", at: 0)
            rest /= 1000
        } while rest > 0
        let folder =
            switch content {
            case .entries: "entries"
            case .hashes(let level): "\(level)"
            }
        return "tile/\(folder)/\(parts.joined(separator: "/"))" + (isFull ? "" : ".p/\(width)")
    }

    /// Reads a path below the folder of the log; nil for any other path.
    package init?(path: String) {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        // Nineteen digits, the most of an Int, take seven parts.
        guard parts.count >= 3, parts.count <= 10, parts[0] == "tile" else { return nil }
        var width = Self.fullWidth
        if parts[parts.count - 2].hasSuffix(".p") {
            guard let found = Int(parts.removeLast()) else { return nil }
            width = found
            parts[parts.count - 1].removeLast(2)
        }
        let content: Content
        if parts[1] == "entries" {
            content = .entries
        } else {
            guard let level = Int(parts[1]), Self.levels.contains(level) else { return nil }
            content = .hashes(level: level)
        }
        var index = 0
        for part in parts.dropFirst(2) {
            guard let digits = Int(part.hasPrefix("x") ? String(part.dropFirst()) : part) else {
                return nil
            }
            let (scaled, isTooLarge) = index.multipliedReportingOverflow(by: 1000)
            guard !isTooLarge, (0..<1000).contains(digits), scaled <= .max - digits else {
                return nil
            }
            index = scaled + digits
        }
        guard (1...Self.fullWidth).contains(width) else { return nil }
        self.init(content, index: index, width: width)
        // One path for each tile: neither signs nor other zeros.
        guard self.path == path else { return nil }
    }
}
