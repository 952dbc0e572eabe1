// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Hummingbird
internal import NIOCore
internal import NIOPosix

/// Part of a file as the body of a response: pieces, never the whole.
///
/// While one piece is written the next is read, so at most two are in memory here. The writer
/// waits while the client is slow, and throws when it is gone; either way the file is closed with
/// the last reference to this value.
struct FileBody: Sendable {
    /// The size of a piece in bytes.
    static let pieceSize = 256 << 10

    /// The file.
    let file: ServedFile
    /// Which bytes of it.
    let range: Range<Int>
    /// Where reading, which may wait for a disk, is done.
    let readers: NIOThreadPool

    /// Writes the bytes, counting them in `sent`, which begins at 0.
    func write(to writer: inout any ResponseBodyWriter, sent: inout Int) async throws {
        var piece = try await read(from: range.lowerBound)
        while range.lowerBound + sent + piece.readableBytes < range.upperBound {
            let offset = range.lowerBound + sent + piece.readableBytes
            async let next = read(from: offset)
            try await writer.write(piece)
            sent += piece.readableBytes
            piece = try await next
        }
        try await writer.write(piece)
        sent += piece.readableBytes
    }

    private func read(from offset: Int) async throws -> ByteBuffer {
        let end = min(offset + Self.pieceSize, range.upperBound)
        return try await readers.runIfActive { [file] in try file.read(offset..<end) }
    }
}
