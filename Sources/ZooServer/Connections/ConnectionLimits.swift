// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc

/// Limits on client connections.
package struct ConnectionLimits: Sendable {
    /// The idle timeout of a connection without a request.
    package var idle: Duration
    /// The timeout of a client that reads no data of a pending response.
    ///
    /// It is checked once per interval, so a client may stall for up to twice this time.
    package var stall: Duration
    /// The time that running requests get to finish on shutdown.
    package var drain: Duration
    /// The maximum number of open connections; others wait in the listen backlog.
    package var connections: Int

    /// The limits of a public server.
    ///
    /// A connection needs two file descriptors, a socket and a file. The maximum number of connections
    /// is derived from the descriptor limit of the process, so that accepting never fails.
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
