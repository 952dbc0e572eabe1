// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// The snapshot metadata of an update, not expired: one consistent state of the repository.
package struct CurrentSnapshot: Sendable {
    /// The timestamp of the update.
    package let timestamp: CurrentTimestamp
    /// The snapshot metadata.
    package let snapshot: Verified<SnapshotMetadata>

    init(timestamp: CurrentTimestamp, snapshot: Verified<SnapshotMetadata>) {
        self.timestamp = timestamp
        self.snapshot = snapshot
    }

    /// The root of the update.
    package var root: CurrentRoot { timestamp.root }

    /// What the file of a targets role must be.
    ///
    /// - Throws: ``ZooError`` with code `trust.role-not-in-snapshot`.
    package func file(of role: RoleName) throws(ZooError) -> MetadataFile {
        guard let file = snapshot.content.file(of: role) else { throw .unlisted(role) }
        return file
    }

    /// The metadata of a targets role (specification 5.6).
    ///
    /// The result is trusted only for the delegation whose keys are given. A role that is reached
    /// through another delegation must be verified again.
    ///
    /// - Parameters:
    ///   - document: the document.
    ///   - role: the role.
    ///   - keys: the keys that the delegation names.
    /// - Returns: the metadata.
    /// - Throws: ``ZooError`` with code `trust.role-not-in-snapshot`, `trust.content-mismatch`,
    ///   `trust.signatures-missing`, `trust.version-mismatch` or `trust.expired`.
    package func targets(
        _ document: SignedDocument<TargetsMetadata>,
        of role: RoleName,
        by keys: RoleKeys
    ) throws(ZooError) -> Verified<TargetsMetadata> {
        let file = try file(of: role)
        try file.require(document.bytes, of: role)
        let targets = try document.verified(as: role, by: keys)
        guard targets.version == file.version else {
            throw .version(of: role, targets.version, expected: file.version)
        }
        try targets.requireCurrent(at: root.now)
        return targets
    }
}
