// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import NIOCore
internal import NIOHTTP1

/// Delays closing a connection until the completed response is sent to the client.
///
/// On shutdown, Hummingbird closes a connection right after it writes the last part of the response,
/// and NIO discards the data that is still buffered: up to a few hundred kilobytes for a slow client.
/// An incomplete response is aborted at once.
final class CompletingCloseHandler: ChannelOutboundHandler {
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let limit: TimeAmount
    /// Completes when the last response is written to the socket; nil during a response.
    private var completion: EventLoopFuture<Void>?

    /// Creates a handler that waits for at most `limit`.
    init(limit: Duration) { self.limit = TimeAmount(limit) }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head: completion = nil
        case .body: break
        case .end:
            let promise = promise ?? context.eventLoop.makePromise()
            completion = promise.futureResult
            return context.write(data, promise: promise)
        }
        context.write(data, promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all, let completion else {
            return context.close(mode: mode, promise: promise)
        }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        // Closing fails pending writes, which also completes the response.
        let deadline = context.eventLoop.scheduleTask(in: limit) {
            bound.value.close(mode: .all, promise: nil)
        }
        completion.whenComplete { _ in
            deadline.cancel()
            bound.value.close(mode: .all, promise: promise)
        }
    }
}
