// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The timestamp metadata of an update, not expired.
package struct CurrentTimestamp: Sendable {
    /// The root of the update.
    package let root: CurrentRoot
    /// The timestamp metadata.
    package let timestamp: Verified<TimestampMetadata>

    init(root: CurrentRoot, timestamp: Verified<TimestampMetadata>) {
        self.root = root
        self.timestamp = timestamp
    }

    /// What the snapshot must be.
    package var file: MetadataFile { timestamp.content.snapshot }

    /// Snapshot metadata of an earlier update, to compare versions with; it may be expired.
    ///
    /// - Throws: ``ZooError`` with code `trust.signatures-missing`, such as after a change of keys,
    ///   or what ``SignedDocument/init(parsing:)`` throws.
    package func stored(snapshot bytes: [UInt8]) throws(ZooError) -> Verified<SnapshotMetadata> {
        try SignedDocument<SnapshotMetadata>(parsing: bytes)
            .verified(as: .snapshot, by: root.root.content.snapshot)
    }

    /// The current snapshot metadata (specification 5.5).
    ///
    /// - Parameters:
    ///   - bytes: the document.
    ///   - stored: the metadata of an earlier update; nil if there is none.
    /// - Returns: the next step.
    /// - Throws: ``ZooError`` with code `trust.content-mismatch`, `trust.signatures-missing`,
    ///   `trust.version-mismatch`, `trust.rollback` or `trust.expired`, or what
    ///   ``SignedDocument/init(parsing:)`` throws.
    package func snapshot(
        _ bytes: [UInt8],
        after stored: Verified<SnapshotMetadata>?
    ) throws(ZooError) -> CurrentSnapshot {
        try file.require(bytes, of: .snapshot)
        let snapshot = try self.stored(snapshot: bytes)
        guard snapshot.version == file.version else {
            throw .version(of: .snapshot, snapshot.version, expected: file.version)
        }
        if let stored {
            guard snapshot.version >= stored.version else {
                throw .rollback("the snapshot", snapshot.version, trusted: stored.version)
            }
            try Self.requireNoRollback(from: stored.content, to: snapshot.content)
        }
        try snapshot.requireCurrent(at: root.now)
        return CurrentSnapshot(timestamp: self, snapshot: snapshot)
    }

    private static func requireNoRollback(
        from stored: SnapshotMetadata,
        to snapshot: SnapshotMetadata
    ) throws(ZooError) {
        for (name, old) in stored.files {
            guard let new = snapshot.files[name] else {
                throw ZooError(
                    .trustRollback,
                    "the snapshot no longer lists '\(name)', which this machine has already trusted",
                    remedy: "report it to the registry's owner"
                )
            }
            guard new.version >= old.version else {
                throw .rollback("'\(name)' in the snapshot", new.version, trusted: old.version)
            }
        }
    }
}
