// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The settings of a transport.
package struct TransportConfiguration: Sendable {
    /// The certificate authorities to trust.
    package enum Authorities: Sendable, Hashable {
        /// Those of the system.
        case system
        /// Those of a PEM file, of a folder of PEM files as `openssl rehash` names them, or of both; and
        /// none of the system's.
        case custom(file: String?, folder: String?)
    }

    /// The version in the `User-Agent` header, `ami-zoo/<version>`.
    package var version: String
    /// Timeouts, retries, and the number and speed of connections.
    package var policy = TransferPolicy()
    /// The proxies.
    package var proxies = ProxySettings()
    /// The certificate authorities to trust.
    package var authorities = Authorities.system
    /// The clock for the waits between attempts.
    package var clock: any Clock<Duration> = ContinuousClock()
    /// Random numbers in `0..<1` that spread the retries of many clients.
    package var jitter: @Sendable () -> Double = { Double.random(in: 0..<1) }
    /// Called before each wait, on any thread; must return quickly.
    package var onRetry: @Sendable (RetryNotice) -> Void = { _ in }

    /// Makes a configuration with defaults for everything but the version.
    package init(version: String) { self.version = version }
}

/// Why a transfer is retried, and how long it waits before that.
package struct RetryNotice: Sendable, Hashable, CustomStringConvertible {
    /// The address without its query, which may hold a signature.
    package let address: String
    /// What went wrong: `connection reset by peer`, `the server answered 503`.
    package let reason: String
    /// How long the transfer waits.
    package let delay: Duration
    /// Failures in a row so far, from 1.
    package let failures: Int
    /// Bytes that have been delivered and are not requested again.
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
