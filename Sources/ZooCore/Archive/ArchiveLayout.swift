// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The layout of a release archive: the tar stream as a pure function of file names and sizes.
///
/// A release archive holds regular files only, sorted by path, with constant metadata, so the
/// record alone determines each byte that is not file content. A reader therefore never parses a
/// tar header: it compares the header with the expected bytes. The format cannot express links,
/// devices, other owners or absolute names.
///
/// Format: POSIX.1-1988 ustar. A name longer than 100 bytes or a size of at least 8 GiB is stored in
/// a preceding pax extended header (POSIX.1-2001, type `x`).
public struct ArchiveLayout: Sendable, Equatable {
    /// One member: a file and its offsets in the raw stream.
    public struct Member: Sendable, Equatable {
        /// The file's path.
        public let path: ReleasePath
        /// The size of the file in bytes.
        public let size: Int
        /// The offset of the member's header in the raw stream.
        public let headerOffset: Int
        /// The offset of the file's content in the raw stream.
        public let contentOffset: Int
    }

    /// The members in stream order.
    public let members: [Member]
    /// The length of the raw stream in bytes.
    public let rawSize: Int

    static let sector = 512

    /// Lays out files, in any order.
    ///
    /// - Parameter files: the path and the size in bytes of each file; paths are distinct.
    public init(files: [(path: ReleasePath, size: Int)]) {
        var offset = 0
        var members: [Member] = []
        for file in files.sorted(by: { $0.path < $1.path }) {
            let content = offset + TarHeader.length(path: file.path, size: file.size)
            members.append(
                Member(
                    path: file.path,
                    size: file.size,
                    headerOffset: offset,
                    contentOffset: content
                )
            )
            offset = content + Self.padded(file.size)
        }
        self.members = members
        rawSize = offset + 2 * Self.sector
    }

    static func padded(_ size: Int) -> Int { (size + sector - 1) / sector * sector }

    /// One piece of a range of the raw stream.
    public enum Piece: Sendable, Equatable {
        /// Bytes that the layout determines.
        case fixed([UInt8])
        /// Bytes of a file: the index of the member, and a range of its content.
        case content(member: Int, range: Range<Int>)

        /// The length of the piece in bytes.
        public var length: Int {
            switch self {
            case .fixed(let bytes): bytes.count
            case .content(_, let range): range.count
            }
        }
    }

    /// Splits `range` of the raw stream into pieces.
    ///
    /// - Parameter range: lies inside `0..<rawSize`.
    /// - Returns: contiguous pieces; none for an empty range.
    public func pieces(of range: Range<Int>) -> [Piece] {
        precondition(range.lowerBound >= 0 && range.upperBound <= rawSize, "\(range) is outside")
        var pieces: [Piece] = []
        var position = range.lowerBound
        var index = firstMember(endingAfter: position)
        while position < range.upperBound {
            guard index < members.count else {
                pieces.append(.fixed([UInt8](repeating: 0, count: range.upperBound - position)))
                break
            }
            let member = members[index]
            let contentEnd = member.contentOffset + member.size
            if position < member.contentOffset {
                let end = min(range.upperBound, member.contentOffset)
                let header = TarHeader.bytes(path: member.path, size: member.size)
                let base = member.headerOffset
                pieces.append(.fixed(Array(header[position - base..<end - base])))
                position = end
            } else if position < contentEnd {
                let end = min(range.upperBound, contentEnd)
                let base = member.contentOffset
                pieces.append(.content(member: index, range: position - base..<end - base))
                position = end
            } else {
                let end = min(range.upperBound, member.contentOffset + Self.padded(member.size))
                if end > position {
                    pieces.append(.fixed([UInt8](repeating: 0, count: end - position)))
                }
                position = end
                index += 1
            }
        }
        return pieces
    }

    /// The file content in `range` of the raw stream, in order, without empty files.
    ///
    /// - Parameter range: lies inside `0..<rawSize`.
    /// - Returns: the index of each member, and the range of its content that lies in `range`.
    public func contents(in range: Range<Int>) -> [(member: Int, range: Range<Int>)] {
        precondition(range.lowerBound >= 0 && range.upperBound <= rawSize, "\(range) is outside")
        var parts: [(member: Int, range: Range<Int>)] = []
        var index = firstMember(endingAfter: range.lowerBound)
        while index < members.count, members[index].contentOffset < range.upperBound {
            let start = members[index].contentOffset
            let part = range.clamped(to: start..<start + members[index].size)
            if !part.isEmpty {
                parts.append((index, part.lowerBound - start..<part.upperBound - start))
            }
            index += 1
        }
        return parts
    }

    /// Finds the first member whose padded content ends after `offset`, by binary search.
    private func firstMember(endingAfter offset: Int) -> Int {
        var low = 0
        var high = members.count
        while low < high {
            let middle = (low + high) / 2
            let end = members[middle].contentOffset + Self.padded(members[middle].size)
            if end > offset { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
