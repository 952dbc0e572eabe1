// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import NIOCore
internal import NIOHTTP1

/// Marks requests after which the connection ends with an exact `Connection: close`.
///
/// Hummingbird looks for that text alone. So requests of HTTP/1.0 without keep-alive and other
/// spellings are rewritten here, where the version is still known. A request with a body is marked
/// too: nothing here takes a body, and an endless one would otherwise be read to its end.
final class ConnectionPersistenceHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    /// The field value of a connection that ends.
    static let close = "close"

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else {
            return context.fireChannelRead(data)
        }
        let length = head.headers.first(name: "Content-Length")
        let hasBody = head.headers.contains(name: "Transfer-Encoding") || (length ?? "0") != "0"
        if hasBody || !head.isKeepAlive {
            head.headers.replaceOrAdd(name: "Connection", value: Self.close)
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}
