// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Hummingbird
internal import NIOCore
internal import NIOPosix

/// A range of a file as a response body, sent in chunks.
///
/// The writer waits for a slow client and throws when the client disconnects. The file is closed with
/// the last reference to this value.
struct FileBody: Sendable {
    /// The size of a chunk that is read, in bytes.
    static let pieceSize = 256 << 10
    /// The size of a chunk that the kernel copies, in bytes.
    private static let regionSize = 4 << 20

    /// The file.
    let file: ServedFile
    /// The byte range to send.
    let range: Range<Int>
    /// The thread pool for blocking reads.
    let readers: NIOThreadPool

    /// Writes the bytes and counts them in `sent`, which starts at 0.
    ///
    /// - Parameters:
    ///   - writer: writes to the connection.
    ///   - channel: the connection.
    ///   - isEncrypted: whether it is one of HTTPS, whose pipeline has no ``FileRegionHandler``.
    ///   - sent: counts the bytes.
    /// - Throws: what the connection or the file throws.
    func write(
        to writer: inout any ResponseBodyWriter,
        on channel: any Channel,
        isEncrypted: Bool,
        sent: inout Int
    ) async throws {
        if !isEncrypted, range.count > Self.pieceSize {
            try await send(on: channel, &sent)
        } else {
            try await copy(to: &writer, on: channel.eventLoop, &sent)
        }
    }

    /// Has the kernel copy the bytes from the page cache to the socket.
    private func send(on channel: any Channel, _ sent: inout Int) async throws {
        var region = try await prefetch(from: range.lowerBound)
        while !region.isEmpty {
            let chunk = region
            async let next = prefetch(from: chunk.upperBound)
            let part = FileRegionHandler.Part(file: file.handle, range: chunk)
            try await withTaskCancellationHandler {
                try await channel.triggerUserOutboundEvent(part).get()
            } onCancel: {
                channel.close(promise: nil)
            }
            sent += chunk.count
            region = try await next
        }
    }

    /// The next chunk, in the page cache: a read from the disk would block all connections of a thread.
    private func prefetch(from offset: Int) async throws -> Range<Int> {
        let chunk = offset..<min(offset + Self.regionSize, range.upperBound)
        try await readers.runIfActive { [file] in try file.prefetch(chunk) }
        return chunk
    }

    /// Copies the bytes; the next chunk is read while one is written, so at most two are in memory.
    private func copy(
        to writer: inout any ResponseBodyWriter,
        on eventLoop: any EventLoop,
        _ sent: inout Int
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
