// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The largest sizes that a client fetches, and the most steps that it performs.
///
/// The defaults are those of python-tuf (`tuf/ngclient/config.py`).
package struct MetadataLimits: Hashable, Sendable {
    /// The largest size of any metadata document in bytes, in memory or on disk.
    static let largestDocument = 16 << 20

    /// The largest size of root metadata in bytes.
    package var root = 512_000
    /// The largest size of timestamp metadata in bytes.
    package var timestamp = 16_384
    /// The largest size of snapshot metadata in bytes.
    package var snapshot = 2_000_000
    /// The largest size of targets metadata in bytes.
    package var targets = 5_000_000
    /// The most versions of root metadata that one update accepts.
    package var rootRotations = 256
    /// The most delegated roles that one search visits.
    package var delegatedRoles = 32

    /// Creates the default limits.
    package init() {}
}
