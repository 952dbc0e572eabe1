// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooTrust

/// The metadata of a signed registry folder, locked: its targets are the index documents, by their paths below
/// `index/`.
struct SignedIndex {
    private let root: String
    private let lock: OpenFile
    private let signer: RegistrySigner?
    let repository: MetadataRepository
    let state: RepositoryState

    /// Waits for the lock of the metadata; nil for a registry that is not signed.
    init?(_ folder: RegistryFolder, _ cancellation: Cancellation) throws {
        guard folder.kind == .registry, try folder.documents.description().trust != nil else {
            return nil
        }
        root = folder.root
        lock = try folder.locks.lock(.trust, .exclusive, cancellation)
        signer = folder.signer
        repository = MetadataRepository(registry: folder.root)
        try repository.completeRoot()
        state = try repository.state()
    }

    /// The path of an index document as a target.
    static func target(of name: ModelName) -> String { "\(name.namespace)/\(name.name).json" }

    /// The model of a target; nil for a target that is no index document.
    static func model(of target: String) -> ModelName? {
        guard target.hasSuffix(".json") else { return nil }
        return try? ModelName(parsing: String(target.dropLast(".json".count)))
    }

    // MARK: Changing

    /// The change that lists an index document, or with nil no longer does.
    ///
    /// - Throws: ``ZooError`` with code `trust.signer-required` when the keys are not those of the role that
    ///   signs for the model.
    func change(
        of name: ModelName,
        to file: TargetFile?
    ) throws(ZooError) -> (RepositoryChange, RegistrySigner) {
        let path = Self.target(of: name)
        let role = try repository.role(for: path, in: state)
        guard let signer else { throw .unsigned(name, role) }
        var targets = role.targets.content.targets
        targets[ExactName(path)] = file
        let signed = try role.next(targets: targets, signing: signer.keys, at: signer.now())
        guard let signed else { throw .unsigned(name, role) }
        return (RepositoryChange(targets: [signed]), signer)
    }

    /// The change that a publisher made and signed.
    ///
    /// - Parameters:
    ///   - name: the model.
    ///   - file: its index document.
    ///   - bytes: the next version of the role that signs for the model.
    /// - Returns: the change, with what signs snapshot and timestamp.
    /// - Throws: ``ZooError`` with code `trust.changed-meanwhile`, `trust.signatures-missing`,
    ///   `trust.expired`, or `trust.submission-invalid` when it lists or delegates something else.
    func change(
        of name: ModelName,
        to file: TargetFile,
        signedAs bytes: [UInt8]
    ) throws(ZooError) -> (RepositoryChange, RegistrySigner) {
        guard let signer else { throw ZooError(signerRequiredBy: root) }
        let role = try repository.role(for: file.path, in: state)
        let next = try SignedDocument<TargetsMetadata>(parsing: bytes)
            .verified(as: role.name, by: role.keys)
        guard next.version == role.targets.version + 1 else {
            throw .changedMeanwhile(role.name, role.targets.version, next.version)
        }
        try next.requireCurrent(at: Timestamp(secondsSince1970: signer.now()))
        try requireUsualLifetime(next, at: signer.now())
        var targets = role.targets.content.targets
        targets[ExactName(file.path)] = file
        guard next.content.targets == targets,
            next.content.delegations == role.targets.content.delegations
        else {
            throw ZooError(
                .trustSubmission,
                "the metadata '\(role.name)' changes more than '\(name)'",
                remedy: "run the command again, which starts from the current metadata"
            )
        }
        return (RepositoryChange(targets: [next]), signer)
    }

    /// Refuses metadata that would soon end every reading of the role, or that outlives the usual time.
    private func requireUsualLifetime(
        _ next: Verified<TargetsMetadata>,
        at now: Int
    ) throws(ZooError) {
        let (lifetime, day) = (MetadataLifetimes().targets, 86_400)
        let expires = next.content.header.expires
        guard !MetadataLifetimes.isDue(expires, lifetime: lifetime, now: now),
            expires <= Timestamp(secondsSince1970: now + lifetime + day)
        else {
            throw ZooError(
                .trustSubmission,
                "the metadata '\(next.role)' is valid until \(expires), and must be valid for \(lifetime / day) "
                    + "days from now",
                remedy: "set the clock of this machine, then run the command again"
            )
        }
    }

    /// Makes a change current.
    func commit(_ change: (RepositoryChange, RegistrySigner)) throws(ZooError) {
        let (change, signer) = change
        try repository.commit(change, to: state, signing: signer.online, at: signer.now())
    }

    // MARK: Completing

    /// Brings the index documents of the last change up to date, whose writer may have been killed.
    func completeLastChange() throws(ZooError) {
        for (path, file) in try repository.lastChange(in: state) {
            guard let name = Self.model(of: path) else { continue }
            try restore(name, as: file)
        }
    }

    /// The digest of the signed index document of a model; nil when none is signed.
    func digest(of name: ModelName) throws(ZooError) -> ContentDigest? {
        let path = Self.target(of: name)
        return try repository.role(for: path, in: state)
            .targets.content.targets[ExactName(path)]?.hashes.digest
    }

    /// Makes the index document of a model what is signed.
    ///
    /// A document that somebody changed without signing it must not become the base of the next signed one.
    ///
    /// - Throws: ``ZooError`` with code `trust.index-unsigned` when the signed one is not there, or when
    ///   nothing is signed but a document exists.
    func restore(_ name: ModelName) throws(ZooError) {
        let path = Self.target(of: name)
        let role = try repository.role(for: path, in: state)
        let file = role.targets.content.targets[ExactName(path)]
        if file == nil, try FileSystem.status("\(root)/\(RegistryLayout.index(name))") != nil {
            throw ZooError(
                .indexUnsigned,
                "'\(root)/\(RegistryLayout.index(name))' is not signed, and this registry is",
                remedy: "move it away, then publish its releases with --sign-with"
            )
        }
        try restore(name, as: file)
    }

    private func restore(_ name: ModelName, as file: TargetFile?) throws(ZooError) {
        let path = "\(root)/\(RegistryLayout.index(name))"
        let current: [UInt8]? =
            try FileSystem.status(path) == nil
            ? nil : try FileSystem.document(path, limit: FormatLimits.indexDocument)
        guard let file else {
            guard current != nil else { return }
            try FileSystem.remove(path)
            return try FileSystem.synchronizeFolder(FileSystem.parent(of: path))
        }
        if let current, (try? file.require(current)) != nil { return }
        guard let digest = file.hashes.digest,
            let bytes = try? FileSystem.document(
                "\(root)/\(IndexRevision(of: name, digest).path)",
                limit: FormatLimits.indexDocument
            ), (try? file.require(bytes)) != nil
        else {
            throw ZooError(
                .indexUnsigned,
                "'\(path)' is not the signed index document, which is missing",
                remedy: "restore the folder 'index' from a backup or a copy of the registry"
            )
        }
        try FileSystem.writeAtomically(path, bytes)
    }
}

extension ZooError {
    fileprivate static func unsigned(_ name: ModelName, _ role: SigningRole) -> ZooError {
        let keys = role.keys.keys.values.map { String($0.hint.prefix(12)) }.sorted()
        return ZooError(
            .trustUnsigned,
            "the registry is signed, and a change of '\(name)' needs \(role.keys.threshold) of the keys "
                + "\(keys.joined(separator: ", ")) of the role '\(role.name)'",
            remedy:
                "give them with --sign-with, and the folder of the registry's own keys with --state"
        )
    }
}
