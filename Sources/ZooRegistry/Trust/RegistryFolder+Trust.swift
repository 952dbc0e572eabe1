// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles
package import ZooTrust

/// Making and changing the metadata of a signed registry. Publications wait meanwhile.
extension RegistryFolder {
    /// Makes a registry a signed one: root, targets with all index documents, and the keys of snapshot and
    /// timestamp.
    ///
    /// - Parameters:
    ///   - root: the keys of the root.
    ///   - targets: the keys of the top-level targets, which sign for every namespace that is not delegated.
    ///   - state: where the registry's own keys and unfinished metadata lie.
    ///   - keys: the private keys that sign now.
    ///   - now: the time in seconds since 1970.
    ///   - cancellation: ends the wait for other writers.
    /// - Returns: what is done or missing.
    /// - Throws: ``ZooError`` with code `trust.already-signed`, `trust.keys-invalid`, a `key.*` code, a code
    ///   of the documents, or `io.*`; `CancellationError`.
    package func sign(
        root: RolePlan,
        targets: RolePlan,
        in state: TrustState,
        with keys: [PrivateKey],
        at now: Int,
        _ cancellation: Cancellation
    ) throws -> TrustOutcome {
        let excluding = try locks.lock(.blobs, .exclusive, cancellation)
        defer { withExtendedLifetime(excluding) {} }
        guard try documents.description().trust == nil else {
            throw ZooError(
                .trustExists,
                "'\(self.root)' is already signed",
                remedy: "change its keys with 'ami-zoo trust rotate'"
            )
        }
        try state.prepare()
        let online = try OnlineKeys.make(in: state.keys, forRoot: 1)
        func header(_ lifetime: Int) -> MetadataHeader {
            MetadataHeader(version: 1, expires: Timestamp(secondsSince1970: now + lifetime))
        }
        var pending = PendingMetadata()
        pending.root = try MetadataDraft(
            RootMetadata(
                header: header(MetadataLifetimes().root),
                root: try root.roleKeys(),
                timestamp: try RoleKeys([online.timestamp], threshold: 1),
                snapshot: try RoleKeys([online.snapshot], threshold: 1),
                targets: try targets.roleKeys()
            )
        )
        pending.targets[.targets] = try MetadataDraft(
            TargetsMetadata(
                header: header(MetadataLifetimes().targets),
                targets: try indexTargets(cancellation)
            )
        )
        try pending.sign(with: keys, after: nil)
        return try finish(pending, nil, in: state, at: now, cancellation)
    }

    /// Whether the registry is signed.
    ///
    /// - Throws: ``ZooError`` with a code of `zoo.json`, or `io.*`.
    package func isSigned() throws(ZooError) -> Bool {
        guard kind == .registry else { return false }
        return try documents.description().trust != nil
    }

    /// Delegates a namespace to keys, or gives it others.
    ///
    /// - Parameters:
    ///   - namespace: the namespace.
    ///   - plan: its keys.
    ///   - state: where the registry's own keys and unfinished metadata lie.
    ///   - keys: the private keys that sign now.
    ///   - now: the time in seconds since 1970.
    ///   - cancellation: ends the wait for other writers.
    /// - Returns: what is done or missing.
    /// - Throws: ``ZooError`` with code `trust.not-signed` or `trust.role-invalid`, or as
    ///   ``sign(root:targets:in:with:at:_:)``.
    package func delegate(
        _ namespace: String,
        to plan: RolePlan,
        in state: TrustState,
        with keys: [PrivateKey],
        at now: Int,
        _ cancellation: Cancellation
    ) throws -> TrustOutcome {
        try change(in: state, with: keys, at: now, cancellation) { signed, pending in
            guard (try? ModelName(parsing: "\(namespace)/name")) != nil,
                let role = try? RoleName(delegated: namespace)
            else {
                throw ZooError(
                    .trustRole,
                    "'\(namespace)' is not a namespace that can be delegated",
                    remedy:
                        "give the first part of the names of models; 'root', 'snapshot', 'targets' "
                        + "and 'timestamp' are names of roles"
                )
            }
            let authority = try plan.roleKeys()
            let top = signed.state.targets.content
            var (own, delegated) = (top.targets, [ExactName: TargetFile]())
            for (path, file) in top.targets where path.text.beginsExactly(with: "\(namespace)/") {
                own[path] = nil
                delegated[path] = file
            }
            let version = signed.state.snapshot.content.file(of: role)?.version ?? 0
            if let known = top.delegations.keys(of: role) {
                let targets = try signed.repository.targets(
                    of: role,
                    by: known,
                    in: signed.state.snapshot
                )
                delegated.merge(targets.content.targets) { $1 }
                pending.targets[role] = try MetadataDraft(
                    targets.content.next(targets: delegated, at: now)
                )
            } else {
                let expires = Timestamp(secondsSince1970: now + MetadataLifetimes().targets)
                pending.targets[role] = try MetadataDraft(
                    TargetsMetadata(
                        header: MetadataHeader(version: version + 1, expires: expires),
                        targets: delegated
                    )
                )
            }
            let delegation = Delegation(to: role, authority, patterns: ["\(namespace)/*.json"])
            pending.targets[.targets] = try MetadataDraft(
                top.next(
                    targets: own,
                    delegations: try top.delegations.replacing(delegation),
                    at: now
                )
            )
        }
    }

    /// Gives the roles of the root other keys: a new version of the root.
    ///
    /// - Parameters:
    ///   - root: the keys of the root; nil to keep them.
    ///   - targets: the keys of the top-level targets; nil to keep them.
    ///   - online: whether to make new keys for snapshot and timestamp.
    ///   - state: where the registry's own keys and unfinished metadata lie.
    ///   - keys: the private keys that sign now.
    ///   - now: the time in seconds since 1970.
    ///   - cancellation: ends the wait for other writers.
    /// - Returns: what is done or missing.
    /// - Throws: as ``delegate(_:to:in:with:at:_:)``.
    package func rotate(
        root: RolePlan?,
        targets: RolePlan?,
        online: Bool,
        in state: TrustState,
        with keys: [PrivateKey],
        at now: Int,
        _ cancellation: Cancellation
    ) throws -> TrustOutcome {
        try change(in: state, with: keys, at: now, cancellation) { signed, pending in
            let old = signed.state.root.content
            var (snapshot, timestamp) = (old.snapshot, old.timestamp)
            if online {
                let made = try OnlineKeys.make(in: state.keys, forRoot: old.header.version + 1)
                snapshot = try RoleKeys([made.snapshot], threshold: 1)
                timestamp = try RoleKeys([made.timestamp], threshold: 1)
            }
            pending.root = try MetadataDraft(
                RootMetadata(
                    header: MetadataHeader(
                        version: old.header.version + 1,
                        expires: Timestamp(secondsSince1970: now + MetadataLifetimes().root)
                    ),
                    root: try root?.roleKeys() ?? old.root,
                    timestamp: timestamp,
                    snapshot: snapshot,
                    targets: try targets?.roleKeys() ?? old.targets
                )
            )
            if targets != nil {
                pending.targets[.targets] = try MetadataDraft(
                    signed.state.targets.content.next(at: now)
                )
            }
        }
    }

    /// Signs snapshot and timestamp again, and what else is due and the keys suffice for.
    ///
    /// - Parameters:
    ///   - state: where the registry's own keys and unfinished metadata lie.
    ///   - keys: the private keys that sign now.
    ///   - now: the time in seconds since 1970.
    ///   - cancellation: ends the wait for other writers.
    /// - Returns: what is done, and what is due but lacks keys.
    /// - Throws: as ``delegate(_:to:in:with:at:_:)``.
    package func renewMetadata(
        in state: TrustState,
        with keys: [PrivateKey],
        at now: Int,
        _ cancellation: Cancellation
    ) throws -> TrustOutcome {
        let lifetimes = MetadataLifetimes()
        return try change(in: state, with: keys, at: now, cancellation) { signed, pending in
            func isDue(_ header: MetadataHeader, _ lifetime: Int) -> Bool {
                MetadataLifetimes.isDue(header.expires, lifetime: lifetime, now: now)
            }
            let (root, top) = (signed.state.root.content, signed.state.targets.content)
            // Documents for which keys are missing wait for nobody: they are still valid.
            func holds(_ role: RoleKeys) -> Bool {
                keys.filter { role.keys.values.contains($0.publicKey) }.count >= role.threshold
            }
            if isDue(root.header, lifetimes.root), holds(root.root) {
                pending.root = try MetadataDraft(root.next(at: now))
            }
            if isDue(top.header, lifetimes.targets), holds(root.targets) {
                pending.targets[.targets] = try MetadataDraft(top.next(at: now))
            }
            for (role, authority) in top.delegations.roles where holds(authority) {
                let targets = try signed.repository.targets(
                    of: role,
                    by: authority,
                    in: signed.state.snapshot
                )
                guard isDue(targets.content.header, lifetimes.targets) else { continue }
                pending.targets[role] = try MetadataDraft(targets.content.next(at: now))
            }
        }
    }

    /// Signs what waits for signatures, and completes it when there are enough.
    ///
    /// - Parameters:
    ///   - state: where the registry's own keys and unfinished metadata lie.
    ///   - keys: the private keys that sign now.
    ///   - now: the time in seconds since 1970.
    ///   - cancellation: ends the wait for other writers.
    /// - Returns: what is done or missing.
    /// - Throws: ``ZooError`` with code `trust.changed-meanwhile` when the registry changed since, or as
    ///   ``sign(root:targets:in:with:at:_:)``.
    package func signPending(
        in state: TrustState,
        with keys: [PrivateKey],
        at now: Int,
        _ cancellation: Cancellation
    ) throws -> TrustOutcome {
        let excluding = try locks.lock(.blobs, .exclusive, cancellation)
        defer { withExtendedLifetime(excluding) {} }
        var pending = try PendingMetadata(in: state)
        guard !pending.isEmpty else {
            throw ZooError(
                .trustAbsent,
                "no metadata waits for signatures in '\(state.pending)'",
                remedy: "'ami-zoo trust show \(root)' shows the keys of the registry"
            )
        }
        let signed = try signedState(cancellation)
        guard pending.follows(signed?.state) else {
            try PendingMetadata.remove(from: state)
            throw ZooError(
                .trustChanged,
                "the registry changed since the metadata was made that waited for signatures",
                remedy:
                    "make the change again with 'ami-zoo trust rotate' or 'ami-zoo trust delegate'"
            )
        }
        try pending.sign(with: keys, after: signed?.state)
        return try finish(pending, signed, in: state, at: now, cancellation)
    }

    // MARK: Steps

    /// Prepares a change of a signed registry, and completes it when the signatures suffice.
    private func change(
        in state: TrustState,
        with keys: [PrivateKey],
        at now: Int,
        _ cancellation: Cancellation,
        _ prepare: (SignedIndex, inout PendingMetadata) throws -> Void
    ) throws -> TrustOutcome {
        let excluding = try locks.lock(.blobs, .exclusive, cancellation)
        defer { withExtendedLifetime(excluding) {} }
        guard let signed = try signedState(cancellation) else {
            throw ZooError(
                .trustAbsent,
                "'\(root)' is not signed",
                remedy: "sign it with 'ami-zoo trust init \(root) --state FOLDER --key KEY'"
            )
        }
        var pending = PendingMetadata()
        try prepare(signed, &pending)
        try pending.sign(with: keys, after: signed.state)
        return try finish(pending, signed, in: state, at: now, cancellation)
    }

    /// The metadata, locked and complete; nil for a registry that is not signed.
    func signedState(_ cancellation: Cancellation) throws -> SignedIndex? {
        let signed = try SignedIndex(self, cancellation)
        try signed?.completeLastChange()
        return signed
    }

    private func finish(
        _ pending: PendingMetadata,
        _ signed: SignedIndex?,
        in state: TrustState,
        at now: Int,
        _ cancellation: Cancellation
    ) throws -> TrustOutcome {
        let open = try pending.requirements(after: signed?.state).filter { !$0.isMet }
        guard open.isEmpty else {
            try pending.write(to: state)
            return TrustOutcome(
                missing: open.map { requirement in
                    TrustOutcome.Missing(
                        role: requirement.role.description,
                        path: "\(state.pending)/\(requirement.role.fileName())",
                        signatures: requirement.signatures,
                        threshold: requirement.keys.threshold
                    )
                },
                state: signed?.state,
                fingerprint: try documents.description().trust?.digest
            )
        }
        let change = try pending.change(after: signed?.state)
        let online = try OnlineKeys(in: state.keys)
        if let signed {
            try signed.repository.commit(change, to: signed.state, signing: online, at: now)
        } else {
            try create(change, signing: online, at: now, cancellation)
        }
        // A renewal of snapshot and timestamp must not discard what others are still signing.
        if !pending.isEmpty { try PendingMetadata.remove(from: state) }
        return TrustOutcome(
            missing: [],
            state: try MetadataRepository(registry: root).state(),
            fingerprint: try documents.description().trust?.digest
        )
    }

    /// Writes the first metadata, then says so in `zoo.json`: from here on the registry is signed.
    private func create(
        _ change: RepositoryChange,
        signing online: OnlineKeys,
        at now: Int,
        _ cancellation: Cancellation
    ) throws {
        guard let root = change.root, let targets = change.targets.first else {
            preconditionFailure("the first change has a root and targets")
        }
        guard try indexTargets(cancellation) == targets.content.targets else {
            throw ZooError(
                .trustChanged,
                "index documents changed since the metadata was made",
                remedy: "run 'ami-zoo trust init' again with the same options"
            )
        }
        for name in try documents.names() {
            guard let bytes = try documents.indexBytes(of: name) else { continue }
            let revision = IndexRevision(of: name, ContentDigest(of: bytes))
            try FileSystem.writeAtomically("\(self.root)/\(revision.path)", bytes)
        }
        try MetadataRepository(registry: self.root).create(
            root: root,
            targets: targets,
            signing: online,
            at: now
        )
        let old = try documents.description()
        let description = RegistryDescription(
            name: old.name,
            mirrors: old.mirrors,
            trust: RegistryDescription.Trust(version: 1, digest: ContentDigest(of: root.bytes)),
            log: old.log,
            unknownMembers: old.unknownMembers
        )
        try FileSystem.writeAtomically(
            "\(self.root)/\(RegistryLayout.description)",
            description.canonicalBytes
        )
    }

    /// Every index document as a target.
    private func indexTargets(_ cancellation: Cancellation) throws -> [ExactName: TargetFile] {
        var targets: [ExactName: TargetFile] = [:]
        for name in try documents.names() {
            try cancellation.check()
            // A document that cannot be read must not be signed.
            guard try documents.index(of: name) != nil,
                let bytes = try documents.indexBytes(of: name)
            else { continue }
            let path = SignedIndex.target(of: name)
            targets[ExactName(path)] = TargetFile(path, content: bytes)
        }
        return targets
    }
}
