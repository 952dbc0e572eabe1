// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import NIOCore

/// Closes a connection whose client does not read a pending response.
///
/// Slow clients are allowed, so the handler measures bytes and not completed writes: at each tick it
/// compares the buffered and the added bytes with the previous tick.
final class StallHandler: ChannelDuplexHandler {
    typealias InboundIn = NIOAny
    typealias OutboundIn = NIOAny

    private struct Progress: Equatable {
        var writes = 0
        var waiting = 0
    }

    private let limit: TimeAmount
    private var timer: RepeatedTask?
    private var last = Progress()
    private var writes = 0

    init(limit: Duration) { self.limit = TimeAmount(limit) }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleRepeatedTask(initialDelay: limit, delay: limit) { _ in
            bound.value.handler.tick(bound.value.context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        writes += 1
        context.write(data, promise: promise)
    }

    private func tick(_ context: ChannelHandlerContext) {
        // TCP sockets have this option; other channels are not monitored.
        let waiting = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
        let now = Progress(writes: writes, waiting: waiting ?? 0)
        if now.waiting > 0, now == last { context.close(promise: nil) }
        last = now
    }

    /// Cancels the timer, which retains this handler, when the connection closes.
    private func stop() {
        timer?.cancel()
        timer = nil
    }
}
