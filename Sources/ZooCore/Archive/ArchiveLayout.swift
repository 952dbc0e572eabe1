// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Where every byte of a release archive lies: the tar stream as a pure function of names and sizes.
///
/// A release archive holds regular files only, sorted by path, with constant metadata, so the
/// record alone determines each byte that is not file content. A reader therefore never interprets
/// a tar header: it compares it. Whatever else a tar could say (links, devices, other owners,
/// absolute names) has no way to be said.
///
/// Format: POSIX.1-1988 ustar; a name over 100 bytes or a size of 8 GiB and more is carried by a
/// preceding pax extended header (POSIX.1-2001, type `x`).
public struct ArchiveLayout: Sendable, Equatable {
    /// One member: a file and its place.
    public struct Member: Sendable, Equatable {
        /// The file's path.
        public let path: ReleasePath
        /// The file's bytes.
        public let size: Int
        /// Where the member's header begins in the raw stream.
        public let headerOffset: Int
        /// Where the file's content begins in the raw stream.
        public let contentOffset: Int
    }

    /// The members in the order of the stream.
    public let members: [Member]
    /// The length of the raw stream.
    public let rawSize: Int

    static let sector = 512

    /// Lays out files; the order given does not matter.
    ///
    /// - Parameter files: path and size of each file; paths are distinct.
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

    /// What a stretch of the raw stream holds, piece by piece, in order.
    public enum Piece: Sendable, Equatable {
        /// Bytes that the layout determines.
        case fixed([UInt8])
        /// Bytes of a file: which member, and which part of its content.
        case content(member: Int, range: Range<Int>)

        /// How many bytes of the stream it is.
        public var length: Int {
            switch self {
            case .fixed(let bytes): bytes.count
            case .content(_, let range): range.count
            }
        }
    }

    /// Cuts `range` of the raw stream into pieces.
    ///
    /// - Parameter range: lies inside `0..<rawSize`.
    /// - Returns: pieces that follow each other without gap; none for an empty range.
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

    /// The parts of files in `range` of the raw stream, in order; empty files have none.
    ///
    /// - Parameter range: lies inside `0..<rawSize`.
    /// - Returns: the members, and the bytes of each that lie in `range`.
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

    /// The first member whose padded content ends after `offset`, by bisection.
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
