// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The current metadata of the top-level roles of a repository, verified but perhaps expired.
package struct RepositoryState: Sendable {
    /// The newest root.
    package let root: Verified<RootMetadata>
    /// The timestamp.
    package let timestamp: Verified<TimestampMetadata>
    /// The snapshot that the timestamp names.
    package let snapshot: Verified<SnapshotMetadata>
    /// The top-level targets.
    package let targets: Verified<TargetsMetadata>
}

/// A targets role in its current state, with the keys through which it was reached.
package struct SigningRole: Sendable {
    /// The keys that sign it.
    package let keys: RoleKeys
    /// Its metadata.
    package let targets: Verified<TargetsMetadata>

    /// Its name.
    package var name: RoleName { targets.role }
}

/// What changes in a repository.
///
/// Its documents have been verified, so that nothing can be committed that too few keys signed.
package struct RepositoryChange: Sendable {
    /// The next root; nil to keep it.
    package var root: Verified<RootMetadata>?
    /// The next metadata of targets roles.
    package var targets: [Verified<TargetsMetadata>]

    /// Creates a change; without documents it renews snapshot and timestamp.
    package init(
        root: Verified<RootMetadata>? = nil,
        targets: [Verified<TargetsMetadata>] = []
    ) {
        self.root = root
        self.targets = targets
    }
}
