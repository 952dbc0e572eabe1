// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Everything a transport is told from outside.
package struct TransportConfiguration: Sendable {
    /// Where proxies are taken from.
    package enum Proxies: Sendable {
        /// `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, as curl reads them.
        case fromEnvironment
        /// No proxy, whatever the environment says.
        case none
    }

    /// The version in the `User-Agent`, which is `ami-zoo/<version>`.
    package var version: String
    /// Patience and width.
    package var policy = TransferPolicy()
    /// Where proxies are taken from.
    package var proxies = Proxies.fromEnvironment
    /// A PEM file of certificate authorities that replaces the system's.
    package var certificateAuthorities: String?
    /// The clock for the waits between attempts.
    package var clock: any Clock<Duration> = ContinuousClock()
    /// Numbers in `0..<1` that spread the waits, so that clients do not come back all at once.
    package var jitter: @Sendable () -> Double = { Double.random(in: 0..<1) }
    /// Called before each wait, on any thread; must return quickly.
    package var onRetry: @Sendable (RetryNotice) -> Void = { _ in }

    /// Makes a configuration with defaults for all but the version.
    package init(version: String) { self.version = version }
}

/// Why and for how long a transfer waits before it tries again.
package struct RetryNotice: Sendable, Hashable, CustomStringConvertible {
    /// The address as it may be shown: without query, which can hold signatures.
    package let address: String
    /// What went wrong: `connection reset by peer`, `the server answered 503`.
    package let reason: String
    /// How long the transfer waits.
    package let delay: Duration
    /// Failures in a row so far, from 1.
    package let failures: Int
    /// Bytes that have been delivered and will not be asked for again.
    package let delivered: Int

    /// `retrying in 2.0 s: connection reset by peer`.
    package var description: String { "retrying in \(delay.inSeconds): \(reason)" }
}

extension Duration {
    /// Seconds with one decimal and their unit.
    var inSeconds: String {
        let tenths = (components.seconds * 10) + components.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
