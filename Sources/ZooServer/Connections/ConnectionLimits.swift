// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc

/// What one client, or all together, may hold on to.
package struct ConnectionLimits: Sendable {
    /// How long a connection may be open without a request.
    package var idle: Duration
    /// How long a client may take nothing of what is waiting for it.
    ///
    /// It is looked at once in this time, so up to twice as long may pass.
    package var stall: Duration
    /// How long requests may still run after the server was asked to stop.
    package var drain: Duration
    /// How many connections may be open; more wait in the system's queue.
    package var connections: Int

    /// Limits for a public server.
    ///
    /// A connection needs two descriptors, a socket and a file; the number follows from how many
    /// this process may have, so that the server never runs out while accepting.
    package static var standard: ConnectionLimits {
        let descriptors = sysconf(CInt(_SC_OPEN_MAX))
        return ConnectionLimits(
            idle: .seconds(60),
            stall: .seconds(60),
            drain: .seconds(10),
            connections: min(max((descriptors - 128) / 2, 16), 32_768)
        )
    }
}
