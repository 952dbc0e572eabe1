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
    /// The connection itself.
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        channel = source.channel
        let remote = source.channel.remoteAddress
        address = remote?.ipAddress ?? "?"
        peer = remote.map { "\($0.ipAddress ?? "?"):\($0.port ?? 0)" } ?? "?"
    }
}
