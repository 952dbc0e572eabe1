// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The folder `tuf/` of a registry: the metadata of a TUF repository with consistent snapshots.
///
/// `timestamp.json` is replaced; every other file has its version in its name. All members block, and one writer
/// at a time may call those that write.
package struct MetadataRepository: Sendable {
    /// The name of the folder in a registry.
    package static let folder = "tuf"

    /// A root that is about to become current; no reader asks for this name.
    private static let nextRoot = "next.root.json"

    /// The path of the folder.
    package let path: String
    private let lifetimes: MetadataLifetimes

    /// Refers to the metadata of a registry folder.
    package init(registry root: String, lifetimes: MetadataLifetimes = MetadataLifetimes()) {
        path = "\(root)/\(Self.folder)"
        self.lifetimes = lifetimes
    }

    // MARK: Reading

    /// The current state.
    ///
    /// - Throws: ``ZooError`` with code `trust.metadata-missing`, `trust.signatures-missing`,
    ///   `trust.content-mismatch` or `trust.version-mismatch`, or what
    ///   ``SignedDocument/init(parsing:)`` throws.
    package func state() throws(ZooError) -> RepositoryState { try state(of: newestRoot()) }

    private func state(of root: Verified<RootMetadata>) throws(ZooError) -> RepositoryState {
        let timestamp: Verified<TimestampMetadata> = try read(
            RoleName.timestamp.fileName(),
            as: .timestamp,
            by: root.content.timestamp
        )
        let file = timestamp.content.snapshot
        let snapshot: Verified<SnapshotMetadata> = try read(
            RoleName.snapshot.fileName(version: file.version),
            as: .snapshot,
            by: root.content.snapshot
        )
        try file.require(snapshot.bytes, of: .snapshot)
        try require(snapshot, file.version)
        return RepositoryState(
            root: root,
            timestamp: timestamp,
            snapshot: snapshot,
            targets: try targets(of: .targets, by: root.content.targets, in: snapshot)
        )
    }

    /// The role that signs for a target: the last one to which the path is delegated.
    ///
    /// - Throws: ``ZooError`` with code `trust.role-not-in-snapshot`, `trust.too-many-steps`, or as
    ///   ``state()``.
    package func role(for path: String, in state: RepositoryState) throws(ZooError) -> SigningRole {
        var role = SigningRole(keys: state.root.content.targets, targets: state.targets)
        for _ in 0..<MetadataLimits().delegatedRoles {
            guard let next = role.targets.content.delegations.matching(path).first else {
                return role
            }
            role = SigningRole(
                keys: next.keys,
                targets: try targets(of: next.role, by: next.keys, in: state.snapshot)
            )
        }
        throw ZooError(
            .trustTooManySteps,
            "the target '\(path)' is delegated too often",
            remedy: "remove delegations that lead in circles"
        )
    }

    /// The metadata of a targets role in a snapshot.
    package func targets(
        of role: RoleName,
        by keys: RoleKeys,
        in snapshot: Verified<SnapshotMetadata>
    ) throws(ZooError) -> Verified<TargetsMetadata> {
        guard let file = snapshot.content.file(of: role) else { throw .unlisted(role) }
        let targets: Verified<TargetsMetadata> = try read(
            role.fileName(version: file.version),
            as: role,
            by: keys
        )
        try file.require(targets.bytes, of: role)
        try require(targets, file.version)
        return targets
    }

    /// The targets that the last commit added, changed or, with nil, removed.
    ///
    /// What the files before it say is not verified: it only tells where to look.
    ///
    /// - Throws: ``ZooError`` as ``state()``.
    package func lastChange(in state: RepositoryState) throws(ZooError) -> [String: TargetFile?] {
        let earlier = try? SignedDocument<SnapshotMetadata>(
            parsing: try bytes(RoleName.snapshot.fileName(version: state.snapshot.version - 1))
        ).content.files
        guard let earlier else { return [:] }
        var (before, after): ([ExactName: TargetFile], [ExactName: TargetFile]) = ([:], [:])
        for (name, file) in state.snapshot.content.files
        where earlier[name]?.version != file.version {
            let role = name.text.dropLast(".json".count)
            let current = try bytes(of: String(role), file.version)
            try file.require(current, of: .targets)
            after.merge(try SignedDocument<TargetsMetadata>(parsing: current).content.targets) {
                $1
            }
            if let old = earlier[name], let bytes = try? bytes(of: String(role), old.version),
                let document = try? SignedDocument<TargetsMetadata>(parsing: bytes)
            {
                before.merge(document.content.targets) { $1 }
            }
        }
        var changes: [String: TargetFile?] = [:]
        for (name, file) in after where before[name] != file { changes[name.text] = .some(file) }
        for name in before.keys where after[name] == nil { changes[name.text] = .some(nil) }
        return changes
    }

    /// The names of the files that clients read in this state, and of those that ``lastChange(in:)`` reads; roots are
    /// not among them.
    ///
    /// - Throws: ``ZooError`` as ``state()``.
    package func neededFiles(in state: RepositoryState) throws(ZooError) -> Set<String> {
        var names: Set<String> = [RoleName.timestamp.fileName()]
        var snapshots = [state.snapshot.content]
        let earlier = RoleName.snapshot.fileName(version: state.snapshot.version - 1)
        if let bytes = try? bytes(earlier),
            let document = try? SignedDocument<SnapshotMetadata>(parsing: bytes)
        {
            snapshots.append(document.content)
        }
        for snapshot in snapshots {
            names.insert(RoleName.snapshot.fileName(version: snapshot.header.version))
            for (name, file) in snapshot.files {
                let role = try RoleName(listed: name.text)
                names.insert(role.fileName(version: file.version))
            }
        }
        return names
    }

    private func bytes(of role: String, _ version: Int) throws(ZooError) -> [UInt8] {
        let name = try RoleName(listed: "\(role).json")
        return try bytes(name.fileName(version: version))
    }

    private func newestRoot() throws(ZooError) -> Verified<RootMetadata> {
        let ending = ".\(RoleName.root.fileName())"
        let versions = try FileSystem.names(in: path).compactMap { name in
            name.hasSuffix(ending) ? Int(name.dropLast(ending.count)) : nil
        }
        guard let version = versions.max() else {
            throw missing(RoleName.root.fileName(version: 1))
        }
        let root = try SignedDocument<RootMetadata>(
            parsing: try bytes(RoleName.root.fileName(version: version))
        ).verifiedByItself()
        try require(root, version)
        return root
    }

    private func read<Content>(
        _ name: String,
        as role: RoleName,
        by keys: RoleKeys
    ) throws(ZooError) -> Verified<Content> {
        try SignedDocument<Content>(parsing: try bytes(name)).verified(as: role, by: keys)
    }

    private func bytes(_ name: String) throws(ZooError) -> [UInt8] {
        do throws(ZooError) {
            return try FileSystem.document("\(path)/\(name)", limit: MetadataLimits.largestDocument)
        } catch  where error.code == .fileMissing {
            throw missing(name)
        }
    }

    private func missing(_ name: String) -> ZooError {
        ZooError(
            .trustMissing,
            "'\(path)/\(name)' is missing",
            remedy: "restore it from a backup or a copy of the registry"
        )
    }

    private func require<Content>(
        _ document: Verified<Content>,
        _ version: Int
    ) throws(ZooError) {
        guard document.version == version else {
            throw .version(of: document.role, document.version, expected: version)
        }
    }

    // MARK: Writing

    /// Writes the first metadata of a repository.
    ///
    /// - Parameters:
    ///   - root: version 1 of the root.
    ///   - targets: version 1 of the top-level targets.
    ///   - online: the keys of the two other roles.
    ///   - now: the time in seconds since 1970.
    /// - Throws: ``ZooError`` with code `trust.online-keys-missing` or `io.*`.
    package func create(
        root: Verified<RootMetadata>,
        targets: Verified<TargetsMetadata>,
        signing online: OnlineKeys,
        at now: Int
    ) throws(ZooError) {
        try FileSystem.createFolder(path)
        try write(targets)
        try write(root)
        try publish(
            files: [Self.name(of: .targets): MetadataFile(version: targets.version, targets.bytes)],
            after: (snapshot: 0, timestamp: 0),
            roots: [root],
            online,
            now
        )
    }

    /// Brings a change of the root to its end, whose writer was killed: it is made if the timestamp belongs to it, and
    /// given up otherwise.
    ///
    /// - Throws: ``ZooError`` as ``state()`` when the metadata fits neither root, or `io.*`.
    package func completeRoot() throws(ZooError) {
        guard try FileSystem.status("\(path)/\(Self.nextRoot)") != nil else { return }
        let current = try newestRoot()
        if let next = try? root(after: current), (try? state(of: next)) != nil {
            try write(next)
        } else {
            _ = try state(of: current)
        }
        try FileSystem.remove("\(path)/\(Self.nextRoot)")
    }

    /// The root that a killed writer left, signed for the current one too.
    private func root(
        after current: Verified<RootMetadata>
    ) throws(ZooError) -> Verified<RootMetadata> {
        let document = try SignedDocument<RootMetadata>(parsing: try bytes(Self.nextRoot))
        _ = try document.verified(as: .root, by: current.content.root)
        let next = try document.verifiedByItself()
        try require(next, current.version + 1)
        return next
    }

    /// Commits a change: all files of the new state, then `timestamp.json`, which makes it current.
    ///
    /// A new root lies under another name before, because the timestamp may be one that only it accepts, and gets its own
    /// after: ``completeRoot()``.
    ///
    /// Snapshot and timestamp are also signed for the old root when the root changes, so that clients that have
    /// only the old one read both the state before and the state after.
    ///
    /// - Parameters:
    ///   - change: the change.
    ///   - state: the state that it follows.
    ///   - online: the keys of snapshot and timestamp, of the old and of the new root.
    ///   - now: the time in seconds since 1970.
    /// - Throws: ``ZooError`` with code `trust.changed-meanwhile` when a document does not follow that
    ///   of the state, `trust.online-keys-missing`, or `io.*`.
    package func commit(
        _ change: RepositoryChange,
        to state: RepositoryState,
        signing online: OnlineKeys,
        at now: Int
    ) throws(ZooError) {
        var roots = [state.root]
        if let root = change.root {
            guard root.version == state.root.version + 1 else {
                throw .changedMeanwhile(.root, state.root.version, root.version)
            }
            roots.append(root)
            try FileSystem.writeAtomically("\(path)/\(Self.nextRoot)", root.bytes)
        }
        var files = state.snapshot.content.files
        for targets in change.targets {
            let name = Self.name(of: targets.role)
            guard targets.version == (files[name]?.version ?? 0) + 1 else {
                throw .changedMeanwhile(targets.role, files[name]?.version ?? 0, targets.version)
            }
            try write(targets)
            files[name] = MetadataFile(version: targets.version, targets.bytes)
        }
        try publish(
            files: files,
            after: (state.snapshot.version, state.timestamp.version),
            roots: roots,
            online,
            now
        )
        if let root = change.root {
            try write(root)
            try FileSystem.remove("\(path)/\(Self.nextRoot)")
        }
    }

    private func publish(
        files: [ExactName: MetadataFile],
        after version: (snapshot: Int, timestamp: Int),
        roots: [Verified<RootMetadata>],
        _ online: OnlineKeys,
        _ now: Int
    ) throws(ZooError) {
        func header(_ version: Int, _ lifetime: Int) -> MetadataHeader {
            MetadataHeader(version: version, expires: Timestamp(secondsSince1970: now + lifetime))
        }
        let snapshot = try sign(
            SnapshotMetadata(
                header: header(version.snapshot + 1, lifetimes.snapshot),
                files: files
            ),
            as: .snapshot,
            for: roots.map(\.content.snapshot),
            online
        )
        let timestamp = try sign(
            TimestampMetadata(
                header: header(version.timestamp + 1, lifetimes.timestamp),
                snapshot: MetadataFile(version: snapshot.version, snapshot.bytes)
            ),
            as: .timestamp,
            for: roots.map(\.content.timestamp),
            online
        )
        try write(snapshot)
        try FileSystem.writeAtomically(
            "\(path)/\(RoleName.timestamp.fileName())",
            timestamp.bytes
        )
    }

    private func sign<Content: SignableMetadata>(
        _ content: Content,
        as role: RoleName,
        for keys: [RoleKeys],
        _ online: OnlineKeys
    ) throws(ZooError) -> Verified<Content> {
        var draft = try MetadataDraft(content)
        for keys in keys { try draft.sign(with: online.keys, for: keys) }
        guard let current = keys.last, draft.signatures(of: current) >= current.threshold else {
            throw OnlineKeys.missing("the folder of --state")
        }
        return try draft.verified(as: role, by: current)
    }

    private func write<Content>(_ document: Verified<Content>) throws(ZooError) {
        try FileSystem.writeAtomically(
            "\(path)/\(document.role.fileName(version: document.version))",
            document.bytes
        )
    }

    private static func name(of role: RoleName) -> ExactName { ExactName("\(role).json") }
}

extension ZooError {
    /// The error for a change of a signed registry without keys.
    package init(signerRequiredBy registry: String) {
        self.init(
            .trustUnsigned,
            "'\(registry)' is signed, and a change of it must be",
            remedy:
                "give your key with --sign-with, and the folder of the registry's own keys with --state"
        )
    }

    static func unlisted(_ role: RoleName) -> ZooError {
        ZooError(
            .trustUnlisted,
            "the role '\(role)' is delegated, but the snapshot does not list it",
            remedy: "report it to the registry's owner"
        )
    }

    package static func changedMeanwhile(
        _ role: RoleName,
        _ version: Int,
        _ found: Int
    ) -> ZooError {
        ZooError(
            .trustChanged,
            "version \(found) of the metadata '\(role)' does not follow version \(version), which is "
                + "the current one",
            remedy: "run the command again, which starts from the current version"
        )
    }
}
