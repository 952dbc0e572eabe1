// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// Keeps the trusted metadata of one repository current, and finds targets in it.
///
/// An updater performs one update: every target that it finds is of the same state of the
/// repository, at one time. Source: specification section 5.
package actor MetadataUpdater {
    private let folder: MetadataFolder
    private let files: any RepositoryFiles
    private let limits: MetadataLimits
    private let now: Timestamp
    private var state: CurrentSnapshot?
    /// The targets documents of this state; none of them is verified for a delegation yet.
    private var documents: [RoleName: SignedDocument<TargetsMetadata>] = [:]

    /// Creates an updater.
    ///
    /// - Parameters:
    ///   - folder: the metadata that this machine has trusted; no other updater may write to it at
    ///     the same time.
    ///   - files: the metadata of the repository.
    ///   - now: the time with which all expiry dates are compared.
    ///   - limits: the largest sizes and numbers of steps.
    package init(
        folder: MetadataFolder,
        files: any RepositoryFiles,
        now: Timestamp,
        limits: MetadataLimits = MetadataLimits()
    ) {
        self.folder = folder
        self.files = files
        self.now = now
        self.limits = limits
    }

    /// Updates the metadata of the top-level roles; does nothing the second time.
    ///
    /// - Returns: the state of the repository.
    /// - Throws: ``ZooError`` with a `trust.*`, `json.*`, `format.*` or `io.*` code, or what
    ///   ``RepositoryFiles/file(_:limit:)`` throws. The metadata that was verified before the failure
    ///   is stored and stays trusted.
    @discardableResult
    package func refresh() async throws -> CurrentSnapshot {
        if let state { return state }
        let root = try await updateRoot()
        let timestamp = try await updateTimestamp(root)
        let snapshot = try await updateSnapshot(timestamp)
        _ = try await targets(of: .targets, by: root.root.content.targets, in: snapshot)
        state = snapshot
        return snapshot
    }

    /// What the repository says about a target, after ``refresh()``.
    ///
    /// - Parameter path: the path of the target.
    /// - Returns: the size and the hashes of the target.
    /// - Throws: ``ZooError`` with code `trust.target-not-found` or `trust.too-many-steps`, or what
    ///   ``refresh()`` throws.
    package func target(_ path: String) async throws -> TargetFile {
        try await find(path).target
    }

    /// What the repository says about a target, with everything that proves it.
    ///
    /// - Parameter path: the path of the target.
    /// - Returns: the target, and the documents that were verified on the way to it.
    /// - Throws: as ``target(_:)``.
    package func proof(of path: String) async throws -> (target: TargetFile, proof: TargetProof) {
        let (target, documents) = try await find(path)
        return (target, TargetProof(target: path, time: now, documents: documents))
    }

    /// The role that signs for a target, whether or not it lists it.
    ///
    /// - Throws: ``ZooError`` with code `trust.too-many-steps`, or what ``refresh()`` throws.
    package func signingRole(for path: String) async throws -> SigningRole {
        let snapshot = try await refresh()
        var keys = snapshot.root.root.content.targets
        var role = try await targets(of: .targets, by: keys, in: snapshot)
        for _ in 0..<limits.delegatedRoles {
            guard let next = role.content.delegations.matching(path).first else {
                return SigningRole(keys: keys, targets: role)
            }
            keys = next.keys
            role = try await targets(of: next.role, by: keys, in: snapshot)
        }
        throw ZooError(
            .trustTooManySteps,
            "the target '\(path)' is delegated more than \(limits.delegatedRoles) times",
            remedy: "report it to the registry's owner"
        )
    }

    private func find(
        _ path: String
    ) async throws -> (target: TargetFile, documents: [RoleName: [UInt8]]) {
        let snapshot = try await refresh()
        var documents = [
            RoleName.root: snapshot.root.root.bytes,
            .timestamp: snapshot.timestamp.timestamp.bytes, .snapshot: snapshot.snapshot.bytes,
        ]
        var search = TargetSearch(for: path, from: snapshot.root, limit: limits.delegatedRoles)
        while let visit = try search.next() {
            let targets = try await targets(of: visit.role, by: visit.keys, in: snapshot)
            documents[visit.role] = targets.bytes
            if let target = search.look(into: targets) { return (target, documents) }
        }
        throw ZooError.unknownTarget(path)
    }

    /// Fetches a target and checks its size and hashes.
    ///
    /// - Parameters:
    ///   - target: what the repository says about the target.
    ///   - files: the targets of the repository.
    /// - Returns: the bytes that were signed.
    /// - Throws: ``ZooError`` with code `trust.metadata-missing` or `trust.content-mismatch`, or what
    ///   ``refresh()`` throws.
    package func content(
        of target: TargetFile,
        from files: any RepositoryFiles
    ) async throws -> [UInt8] {
        let consistent = try await refresh().root.root.content.consistentSnapshot
        let name = target.fileName(consistent: consistent)
        guard let bytes = try await files.file(name, limit: target.length) else {
            throw Self.missing(name)
        }
        try target.require(bytes)
        return bytes
    }

    // MARK: The steps

    private func updateRoot() async throws -> CurrentRoot {
        let folder = folder
        let anchor = try await BlockingWork.run { _ in try folder.root() }
        var root = try TrustedRoot(anchor: anchor, now: now)
        for rotation in 0... {
            let name = RoleName.root.fileName(version: root.root.version + 1)
            guard let bytes = try await fetch(name, limit: limits.root) else { break }
            guard rotation < limits.rootRotations else {
                throw ZooError(
                    .trustTooManySteps,
                    "the registry has more than \(limits.rootRotations) new versions of its root",
                    remedy: "run the command again, which continues with the next versions"
                )
            }
            let next = try root.rotated(to: bytes)
            let revoked = root.isRevoked(by: next)
            try await BlockingWork.run { _ in
                if revoked {
                    // Before the root is stored: afterwards nothing tells that they must go.
                    try folder.remove(.timestamp)
                    try folder.remove(.snapshot)
                }
                try folder.store(bytes, of: .root)
            }
            root = next
        }
        return try root.concluded()
    }

    private func updateTimestamp(_ root: CurrentRoot) async throws -> CurrentTimestamp {
        // A document that is damaged or signed with other keys is no basis for a comparison.
        let stored = try await stored(.timestamp).flatMap { try? root.stored(timestamp: $0) }
        let name = RoleName.timestamp.fileName()
        guard let bytes = try await fetch(name, limit: limits.timestamp) else {
            throw Self.missing(name)
        }
        let timestamp = try root.timestamp(bytes, after: stored)
        if timestamp.timestamp.bytes == bytes { try await store(bytes, of: .timestamp) }
        return timestamp
    }

    private func updateSnapshot(_ timestamp: CurrentTimestamp) async throws -> CurrentSnapshot {
        var earlier: Verified<SnapshotMetadata>?
        if let bytes = try await stored(.snapshot) {
            if let snapshot = try? timestamp.snapshot(bytes, after: nil) { return snapshot }
            earlier = try? timestamp.stored(snapshot: bytes)
        }
        let bytes = try await fetch(
            .snapshot,
            timestamp.file,
            limit: limits.snapshot,
            root: timestamp.root
        )
        let snapshot = try timestamp.snapshot(bytes, after: earlier)
        try await store(bytes, of: .snapshot)
        return snapshot
    }

    /// The metadata of a targets role, verified for the delegation through which it is reached now.
    private func targets(
        of role: RoleName,
        by keys: RoleKeys,
        in snapshot: CurrentSnapshot
    ) async throws -> Verified<TargetsMetadata> {
        let file = try snapshot.file(of: role)
        if documents[role] == nil, let bytes = try await stored(role) {
            documents[role] = try? SignedDocument(parsing: bytes)
        }
        if let document = documents[role],
            let targets = try? snapshot.targets(document, of: role, by: keys)
        {
            return targets
        }
        let bytes = try await fetch(role, file, limit: limits.targets, root: snapshot.root)
        let document = try SignedDocument<TargetsMetadata>(parsing: bytes)
        let targets = try snapshot.targets(document, of: role, by: keys)
        try await store(bytes, of: role)
        documents[role] = document
        return targets
    }

    // MARK: Files

    private func fetch(
        _ role: RoleName,
        _ file: MetadataFile,
        limit: Int,
        root: CurrentRoot
    ) async throws -> [UInt8] {
        let consistent = root.root.content.consistentSnapshot
        let name = role.fileName(version: consistent ? file.version : nil)
        guard let bytes = try await fetch(name, limit: min(limit, file.length ?? limit)) else {
            throw Self.missing(name)
        }
        return bytes
    }

    private func fetch(_ name: String, limit: Int) async throws -> [UInt8]? {
        let bytes = try await files.file(name, limit: limit)
        if let bytes, bytes.count > limit { throw ZooError.tooLarge(name, limit: limit) }
        return bytes
    }

    private func stored(_ role: RoleName) async throws -> [UInt8]? {
        let folder = folder
        return try await BlockingWork.run { _ in try folder.document(of: role) }
    }

    private func store(_ bytes: [UInt8], of role: RoleName) async throws {
        let folder = folder
        try await BlockingWork.run { _ in try folder.store(bytes, of: role) }
    }

    private static func missing(_ name: String) -> ZooError {
        ZooError(
            .trustMissing,
            "the registry does not have the file '\(name)', which its signed metadata requires",
            remedy: "run the command again; if the error persists, report it to the registry's "
                + "owner"
        )
    }
}

extension ZooError {
    static func unknownTarget(_ path: String) -> ZooError {
        ZooError(
            .trustTargetUnknown,
            "no role that may sign for '\(path)' lists it",
            remedy: "check the name; the registry may have removed it"
        )
    }
}
