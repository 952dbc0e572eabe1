// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Metadata that a repository writes and signs.
package protocol SignableMetadata: RoleMetadata {
    /// The members of the object that is signed.
    ///
    /// - Throws: ``ZooError`` with code `trust.keys-invalid` for keys that TUF metadata cannot hold.
    var signed: [String: JSONValue] { get throws(ZooError) }
}

extension MetadataHeader {
    /// The version of the specification that written metadata follows.
    private static let specification = "1.0.31"

    /// Creates the fields.
    package init(version: Int, expires: Timestamp) {
        self.version = version
        self.expires = expires
    }

    fileprivate func members(of type: String) -> [String: JSONValue] {
        [
            "_type": .string(type), "spec_version": .string(Self.specification),
            "version": .integer(version), "expires": .string(expires.text),
        ]
    }
}

extension RootMetadata: SignableMetadata {
    /// Creates root metadata with consistent snapshots.
    package init(
        header: MetadataHeader,
        root: RoleKeys,
        timestamp: RoleKeys,
        snapshot: RoleKeys,
        targets: RoleKeys
    ) {
        self.header = header
        consistentSnapshot = true
        self.root = root
        self.timestamp = timestamp
        self.snapshot = snapshot
        self.targets = targets
    }

    /// The signed members (specification 4.3).
    package var signed: [String: JSONValue] {
        get throws(ZooError) {
            let roles = [
                "root": root, "timestamp": timestamp, "snapshot": snapshot, "targets": targets,
            ]
            var members = header.members(of: Self.type)
            members["consistent_snapshot"] = .bool(consistentSnapshot)
            members["keys"] = try RoleKeys.keyMembers(of: Array(roles.values))
            members["roles"] = .object(roles.mapValues { .object($0.members) })
            return members
        }
    }
}

extension TargetsMetadata: SignableMetadata {
    /// Creates targets metadata.
    package init(
        header: MetadataHeader,
        targets: [ExactName: TargetFile] = [:],
        delegations: Delegations = .roles([])
    ) {
        self.header = header
        self.targets = targets
        self.delegations = delegations
    }

    /// The signed members (specification 4.5).
    package var signed: [String: JSONValue] {
        get throws(ZooError) {
            var members = header.members(of: Self.type)
            members["targets"] = .object(
                Dictionary(uniqueKeysWithValues: targets.map { ($0.key.text, $0.value.json) })
            )
            members["delegations"] = try delegations.json
            return members
        }
    }
}

extension SnapshotMetadata: SignableMetadata {
    /// Creates snapshot metadata.
    ///
    /// - Parameters:
    ///   - header: version and expiry.
    ///   - files: the files of the targets roles.
    package init(header: MetadataHeader, files: [ExactName: MetadataFile]) {
        self.header = header
        self.files = files
    }

    /// The signed members (specification 4.4).
    package var signed: [String: JSONValue] {
        var members = header.members(of: Self.type)
        members["meta"] = .object(
            Dictionary(uniqueKeysWithValues: files.map { ($0.key.text, $0.value.json) })
        )
        return members
    }
}

extension TimestampMetadata: SignableMetadata {
    /// Creates timestamp metadata.
    package init(header: MetadataHeader, snapshot: MetadataFile) {
        self.header = header
        self.snapshot = snapshot
    }

    /// The signed members (specification 4.6).
    package var signed: [String: JSONValue] {
        var members = header.members(of: Self.type)
        members["meta"] = ["snapshot.json": snapshot.json]
        return members
    }
}

extension TargetsMetadata {
    /// The next version.
    ///
    /// - Parameters:
    ///   - targets: all targets; nil to keep them.
    ///   - delegations: all delegations; nil to keep them.
    ///   - now: the time in seconds since 1970, from which the lifetime counts.
    ///   - lifetimes: how long it is valid.
    /// - Returns: the content, to be signed.
    package func next(
        targets: [ExactName: TargetFile]? = nil,
        delegations: Delegations? = nil,
        at now: Int,
        lifetimes: MetadataLifetimes = MetadataLifetimes()
    ) -> TargetsMetadata {
        TargetsMetadata(
            header: MetadataHeader(
                version: header.version + 1,
                expires: Timestamp(secondsSince1970: now + lifetimes.targets)
            ),
            targets: targets ?? self.targets,
            delegations: delegations ?? self.delegations
        )
    }
}

extension RootMetadata {
    /// The next version with the same keys.
    ///
    /// - Parameters:
    ///   - now: the time in seconds since 1970, from which the lifetime counts.
    ///   - lifetimes: how long it is valid.
    /// - Returns: the content, to be signed.
    package func next(
        at now: Int,
        lifetimes: MetadataLifetimes = MetadataLifetimes()
    ) -> RootMetadata {
        RootMetadata(
            header: MetadataHeader(
                version: header.version + 1,
                expires: Timestamp(secondsSince1970: now + lifetimes.root)
            ),
            root: root,
            timestamp: timestamp,
            snapshot: snapshot,
            targets: targets
        )
    }
}
