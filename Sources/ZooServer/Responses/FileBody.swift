// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Hummingbird
internal import NIOCore
internal import NIOPosix

/// A range of a file as a response body, sent in chunks.
///
/// The next chunk is read while one is written, so at most two chunks are in memory. The writer waits
/// for a slow client and throws when the client disconnects. The file is closed with the last
/// reference to this value.
struct FileBody: Sendable {
    /// The size of a chunk in bytes.
    static let pieceSize = 256 << 10

    /// The file.
    let file: ServedFile
    /// The byte range to send.
    let range: Range<Int>
    /// The thread pool for blocking reads.
    let readers: NIOThreadPool

    /// Writes the bytes and counts them in `sent`, which starts at 0.
    ///
    /// - Parameters:
    ///   - writer: the response.
    ///   - eventLoop: the event loop of the connection.
    ///   - sent: counts the bytes.
    /// - Throws: when the client disconnects, or the file cannot be read.
    func write(
        to writer: inout any ResponseBodyWriter,
        on eventLoop: any EventLoop,
        sent: inout Int
    ) async throws {
        var piece = try await read(from: range.lowerBound)
        while range.lowerBound + sent + piece.readableBytes < range.upperBound {
            let offset = range.lowerBound + sent + piece.readableBytes
            async let next = read(from: offset)
            try await writer.write(piece)
            // The writer learns from the event loop that the client is slow. On a busy server it would accept
            // megabytes before that.
            try await eventLoop.submit {}.get()
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
