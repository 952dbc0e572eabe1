// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Timeouts, retries, and the number and speed of connections.
package struct TransferPolicy: Sendable {
    /// Failed attempts in a row after which a transfer gives up; a delivered byte resets the count.
    package var attempts = 5
    /// The longest time to establish a connection.
    package var connectTimeout: Duration = .seconds(15)
    /// The longest time without a byte, and the time over which ``floorSpeed`` is averaged.
    package var stallWindow: Duration = .seconds(30)
    /// The lowest speed of a connection in bytes per second; a slower one counts as stalled.
    package var floorSpeed = 64
    /// The upper bound of the first wait between attempts; it doubles up to ``backoffCap``.
    package var backoffBase: Duration = .seconds(1)
    /// The upper bound of every wait for which the server sent no `Retry-After`.
    package var backoffCap: Duration = .seconds(60)
    /// The longest time without progress, over all attempts and the waits between them.
    ///
    /// A `Retry-After` beyond it ends the transfer at once.
    package var timeout: Duration = .seconds(300)
    /// Transfers that run at the same time, each on its own connection; others queue.
    package var connections = 8
    /// The speed limit in bytes per second, over all connections and both directions; nil for none.
    package var maximumRate: Int?

    /// Makes the default policy.
    package init() {}

    /// Makes the default policy with another ``timeout``, and fits the other limits to it.
    ///
    /// A shorter timeout cuts the time for one attempt down to the whole. A longer one gives each
    /// attempt its share, and allows more attempts.
    package init(timeout: Duration) {
        self.timeout = timeout
        if timeout < .seconds(300) {
            connectTimeout = min(connectTimeout, timeout)
            stallWindow = min(stallWindow, timeout)
        } else {
            connectTimeout = timeout / 20
            stallWindow = timeout / 10
            attempts = Int(timeout / .seconds(60))
        }
    }
}

extension TransferPolicy {
    /// The bytes that a connection at exactly the lowest speed delivers within ``stallWindow``.
    var stallBytes: Int {
        var floor = floorSpeed
        if let maximumRate { floor = min(floor, maximumRate / (2 * max(1, connections))) }
        return Int(Double(floor) * (stallWindow / .seconds(1)))
    }
}
