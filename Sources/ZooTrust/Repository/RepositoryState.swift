// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

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

extension SigningRole {
    /// The next version of the role with other targets; nil when too few of the keys belong to it.
    ///
    /// - Parameters:
    ///   - targets: all targets.
    ///   - keys: private keys, of this role and others.
    ///   - now: the time in seconds since 1970.
    /// - Returns: the metadata, verified.
    /// - Throws: ``ZooError`` with a `key.*` code, or `trust.keys-invalid`.
    package func next(
        targets: [ExactName: TargetFile],
        signing keys: [PrivateKey],
        at now: Int
    ) throws(ZooError) -> Verified<TargetsMetadata>? {
        let content = self.targets.content.next(targets: targets, at: now)
        var draft = try MetadataDraft(content)
        try draft.sign(with: keys, for: self.keys)
        guard draft.signatures(of: self.keys) >= self.keys.threshold else { return nil }
        return try draft.verified(as: name, by: self.keys)
    }
}
