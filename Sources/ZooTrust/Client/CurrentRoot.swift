// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The last root metadata of a repository, not expired.
package struct CurrentRoot: Sendable {
    /// The root metadata.
    package let root: Verified<RootMetadata>
    /// The time at which the update started.
    package let now: Timestamp

    /// Timestamp metadata of an earlier update, to compare versions with; it may be expired.
    ///
    /// - Throws: ``ZooError`` with code `trust.signatures-missing`, such as after a change of keys,
    ///   or what ``SignedDocument/init(parsing:)`` throws.
    package func stored(timestamp bytes: [UInt8]) throws(ZooError) -> Verified<TimestampMetadata> {
        try SignedDocument<TimestampMetadata>(parsing: bytes)
            .verified(as: .timestamp, by: root.content.timestamp)
    }

    /// The current timestamp metadata (specification 5.4).
    ///
    /// - Parameters:
    ///   - bytes: the document as fetched.
    ///   - stored: the metadata of an earlier update; it stays in force if the version is the same.
    /// - Returns: the next step, with the fetched or the stored metadata.
    /// - Throws: ``ZooError`` with code `trust.signatures-missing`, `trust.rollback` or
    ///   `trust.expired`, or what ``SignedDocument/init(parsing:)`` throws.
    package func timestamp(
        _ bytes: [UInt8],
        after stored: Verified<TimestampMetadata>?
    ) throws(ZooError) -> CurrentTimestamp {
        var timestamp = try self.stored(timestamp: bytes)
        if let stored {
            guard timestamp.version >= stored.version else {
                throw .rollback("the timestamp", timestamp.version, trusted: stored.version)
            }
            if timestamp.version == stored.version {
                timestamp = stored
            } else if timestamp.content.snapshot.version < stored.content.snapshot.version {
                throw .rollback(
                    "the snapshot",
                    timestamp.content.snapshot.version,
                    trusted: stored.content.snapshot.version
                )
            }
        }
        try timestamp.requireCurrent(at: now)
        return CurrentTimestamp(root: self, timestamp: timestamp)
    }
}
