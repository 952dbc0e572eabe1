// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1
internal import NIOSSL

/// Hummingbird's HTTP/1.1 connection with more handlers and stricter limits.
struct RegistryConnection: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let responder: HTTPChannelHandler.Responder
    /// The limits of the connection.
    let limits: ConnectionLimits
    /// What counts the bytes.
    let metrics: ServerMetrics
    /// The certificate and the key of HTTPS; nil for HTTP.
    let tls: TLSIdentity?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            // Buffer one to two chunks, so that the socket always has data to send.
            try channel.syncOptions?.setOption(
                .writeBufferWaterMark,
                value: .init(low: FileBody.pieceSize, high: 2 * FileBody.pieceSize)
            )
            var headers = NIOHTTPDecoderLimitConfiguration()
            headers.maxHeaderFieldSize = 16 << 10
            headers.maxHeaderListSize = 32 << 10
            headers.maxHeaderFieldCount = 100
            let pipeline = channel.pipeline.syncOperations
            if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls.context)) }
            try pipeline.addHandler(TrafficHandler(metrics: metrics))
            try pipeline.addHandler(StallHandler(limit: limits.stall))
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false,  // requests are handled one at a time
                withErrorHandling: false,  // Hummingbird answers malformed requests
                withOutboundHeaderValidation: false,  // HTTPTypes validates headers
                withEncoderConfiguration: .init(),
                withDecoderLimitConfiguration: headers
            )
            try pipeline.addHandler(CompletingCloseHandler(limit: limits.drain))
            try pipeline.addHandler(ConnectionPersistenceHandler())
            if tls == nil { try pipeline.addHandler(FileRegionHandler()) }
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: tls != nil))
            try pipeline.addHandler(
                HTTPConnectionStateHandler(idleTimeout: limits.idle, logger: logger)
            )
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel,
                configuration: .init(isOutboundHalfClosureEnabled: true)
            )
        }
    }

    func handle(value: Value, logger: Logger) async {
        await handleHTTP(asyncChannel: value, logger: logger)
    }
}
