// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Hummingbird
internal import NIOCore

/// The connection of a request.
struct ConnectionContext: InitializableFromSource {
    /// The address and the port of the client.
    let peer: String
    /// The address of the client; `?` when it has none.
    let address: String
    /// The event loop of the connection.
    let eventLoop: any EventLoop

    init(source: ApplicationRequestContextSource) {
        eventLoop = source.channel.eventLoop
        let remote = source.channel.remoteAddress
        address = remote?.ipAddress ?? "?"
        peer = remote.map { "\($0.ipAddress ?? "?"):\($0.port ?? 0)" } ?? "?"
    }
}
