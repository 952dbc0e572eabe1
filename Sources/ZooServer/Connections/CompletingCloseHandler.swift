// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import NIOCore
internal import NIOHTTP1

/// Lets a response that was written to its end reach the client before the connection closes.
///
/// When a server stops, Hummingbird closes a connection right after the last part of its response
/// was written, and NIO drops what the system has not taken by then: up to some hundred kilobytes
/// for a slow client. A response that is still being written is cut off at once, as asked.
final class CompletingCloseHandler: ChannelOutboundHandler {
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let limit: TimeAmount
    /// Done when the system has taken the last response; nil while one is being written.
    private var completion: EventLoopFuture<Void>?

    /// Waits for `limit` at most.
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
        // Closing fails what is still to be written, and so completes the response too.
        let deadline = context.eventLoop.scheduleTask(in: limit) {
            bound.value.close(mode: .all, promise: nil)
        }
        completion.whenComplete { _ in
            deadline.cancel()
            bound.value.close(mode: .all, promise: promise)
        }
    }
}
