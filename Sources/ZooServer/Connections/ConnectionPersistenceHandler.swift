// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import NIOCore
internal import NIOHTTP1

/// Normalises the `Connection` header of requests after which the connection is closed, and invites
/// clients to send the bodies that they announce.
///
/// Hummingbird recognises only the exact value `close`. This handler rewrites other spellings and
/// HTTP/1.0 requests without keep-alive, because it still knows the HTTP version. It also closes the
/// connection after a request with a body that no method of ours reads, because the server would
/// otherwise read an endless body.
final class ConnectionPersistenceHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// The `Connection` value that closes the connection.
    static let close = "close"

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else {
            return context.fireChannelRead(data)
        }
        // RFC 9112 section 3.2; a proxy in front may have acted on the other one.
        guard head.headers["Host"].count <= 1 else {
            return context.fireErrorCaught(HTTPParserError.invalidHeaderToken)
        }
        let length = head.headers.first(name: "Content-Length")
        let hasBody = head.headers.contains(name: "Transfer-Encoding") || (length ?? "0") != "0"
        let readsBody = [.POST, .PUT, .PATCH].contains(head.method)
        if hasBody && !readsBody || !head.isKeepAlive {
            head.headers.replaceOrAdd(name: "Connection", value: Self.close)
        }
        // RFC 9110 section 10.1.1; without it, curl waits for a second before it sends the body.
        if hasBody, readsBody, head.headers[canonicalForm: "Expect"].contains("100-continue") {
            let invitation = HTTPResponseHead(version: head.version, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(invitation)), promise: nil)
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}
