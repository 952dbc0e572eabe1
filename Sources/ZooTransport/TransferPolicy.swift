// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// How patient a transport is, and how many connections it opens.
package struct TransferPolicy: Sendable {
    /// Attempts in a row that may bring no byte; a byte that arrives starts the count anew.
    package var attempts = 5
    /// The time in which a connection has to be established.
    package var connectTimeout: Duration = .seconds(15)
    /// The time without a byte, or below ``floorSpeed``, after which a transfer counts as stalled.
    package var stallWindow: Duration = .seconds(30)
    /// The least speed in bytes per second, averaged over ``stallWindow``.
    package var floorSpeed = 64
    /// The upper bound of the first wait; it doubles with each attempt up to ``backoffCap``.
    package var backoffBase: Duration = .seconds(1)
    /// The upper bound of every wait that the server did not ask for.
    package var backoffCap: Duration = .seconds(60)
    /// The longest `Retry-After` that is honoured; a longer one ends the transfer with an error.
    package var maximumRetryAfter: Duration = .seconds(300)
    /// Transfers that run at the same time, each on its own connection; others queue.
    package var connections = 8

    /// Makes the default policy; every field can be changed.
    package init() {}
}
