// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import NIOCore
internal import NIOHTTP1

/// Sends ranges of files as parts of a response, which the kernel copies to the socket (`sendfile`).
///
/// Hummingbird's body writers carry bytes only, so a range reaches this handler as an outbound event.
/// A pipeline with TLS has no such handler, because the bytes are encrypted in this process.
final class FileRegionHandler: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// The next part of the body of the response whose head was written last.
    struct Part: Sendable {
        /// The file, which its owner keeps open until the event has succeeded or failed.
        let file: NIOFileHandle
        /// The range of the file.
        let range: Range<Int>
    }

    func triggerUserOutboundEvent(
        context: ChannelHandlerContext,
        event: Any,
        promise: EventLoopPromise<Void>?
    ) {
        guard let part = event as? Part else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        let region = FileRegion(
            fileHandle: part.file,
            readerIndex: part.range.lowerBound,
            endIndex: part.range.upperBound
        )
        context.writeAndFlush(wrapOutboundOut(.body(.fileRegion(region))), promise: promise)
    }
}
