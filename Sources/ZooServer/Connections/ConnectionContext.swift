// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Hummingbird

/// The connection of a request.
struct ConnectionContext: InitializableFromSource {
    /// The address of the client.
    let peer: String

    init(source: ApplicationRequestContextSource) {
        let address = source.channel.remoteAddress
        peer = address.map { "\($0.ipAddress ?? "?"):\($0.port ?? 0)" } ?? "?"
    }
}
