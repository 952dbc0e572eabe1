// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The largest archive of others that is read.
package struct ArchiveLimits: Sendable {
    /// The number of members, folders included.
    package var members = 65_536
    /// The size of all members together, in bytes.
    package var totalBytes = 1 << 40
    /// The ratio of the size of the members to the size of the archive, beyond ``freeBytes``.
    package var ratio = 200
    /// The size of all members, in bytes, below which any ratio is allowed.
    package var freeBytes = 64 << 20

    /// Creates the default limits.
    package init() {}

    /// The largest size of all members of an archive of `size` bytes.
    func expandedBytes(of size: Int) -> Int {
        let (product, overflow) = size.multipliedReportingOverflow(by: ratio)
        return min(totalBytes, max(freeBytes, overflow ? .max : product))
    }
}
