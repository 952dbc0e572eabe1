// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// How long metadata is valid after it was signed, in seconds.
package struct MetadataLifetimes: Hashable, Sendable {
    private static let day = 86_400

    /// Root metadata: a year.
    package var root = 365 * day
    /// Targets metadata, also delegated: a year.
    package var targets = 365 * day
    /// Snapshot metadata: 30 days.
    package var snapshot = 30 * day
    /// Timestamp metadata: 7 days.
    ///
    /// A client that is shown an old state notices it after this time.
    package var timestamp = 7 * day

    /// Creates the default lifetimes.
    package init() {}

    /// Whether metadata has less than half of its lifetime left.
    ///
    /// - Parameters:
    ///   - expires: when it expires.
    ///   - lifetime: its lifetime in seconds.
    ///   - now: the time in seconds since 1970.
    /// - Returns: whether it is to be signed again.
    package static func isDue(_ expires: Timestamp, lifetime: Int, now: Int) -> Bool {
        expires <= Timestamp(secondsSince1970: now + lifetime / 2)
    }
}
