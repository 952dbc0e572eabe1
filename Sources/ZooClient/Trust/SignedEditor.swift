// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooRegistry
internal import ZooTransport
internal import ZooTrust

/// Changes the models of a signed registry through its server: makes the new index document and the metadata that
/// lists it, signs the metadata, and sends both.
struct SignedEditor: Sendable {
    let repositories: OCIRepositories
    /// The registry as a client that trusts its root reads it.
    let registry: Registry
    let keys: [PrivateKey]
    /// How often a change starts again after one of somebody else.
    private static let attempts = 5

    /// Creates an editor of the registry at an address; nil without keys, which only a signed registry needs.
    init?(
        _ repositories: OCIRepositories,
        at base: String,
        transport: HTTPTransport,
        credentials: @escaping RegistryCredentials.Lookup,
        keys: PublisherKeys,
        trusted: TrustedRegistries?
    ) {
        guard !keys.keys.isEmpty else { return nil }
        self.repositories = repositories
        registry = Registry(
            .web(base),
            transport: transport,
            cache: nil,
            credentials: credentials,
            trusted: trusted
        )
        self.keys = keys.keys
    }

    /// Makes a change.
    ///
    /// - Parameters:
    ///   - name: the model.
    ///   - change: returns the new document for the current one, or for nil; called again after a conflict.
    /// - Returns: the new document.
    /// - Throws: ``ZooError`` with code `trust.signer-required` when the keys are not those of the role,
    ///   `trust.changed-meanwhile` when others changed the registry each time, what `change` throws, or what
    ///   the server refused.
    func change(
        _ name: ModelName,
        _ change: (IndexDocument?) async throws -> IndexDocument
    ) async throws -> IndexDocument {
        for attempt in 1... {
            let (old, role) = try await registry.signingBase(of: name)
            let new = try await change(old)
            guard new != old else { return new }
            do {
                try await send(new, role)
                return new
            } catch let error as ZooError
                where error.code == .trustChanged && attempt < Self.attempts
            {
                continue
            }
        }
        preconditionFailure("the last attempt returns or throws")
    }

    /// Publishes a release whose blobs the server has.
    ///
    /// - Parameters:
    ///   - manifest: its manifest.
    ///   - identity: its name and version.
    ///   - require: refuses another digest of the same version.
    /// - Returns: whether the release is new.
    /// - Throws: as ``change(_:_:)``.
    func publish(
        _ manifest: [UInt8],
        as identity: RegistryFolder.Identity,
        _ require: (ContentDigest) throws -> Void
    ) async throws -> Bool {
        let (name, digest) = (identity.name, ContentDigest(of: manifest))
        let parsed = try ReleaseManifest(canonical: manifest)
        try await repositories.push(
            manifest,
            ArtifactManifest.manifestType,
            as: digest.description,
            of: name
        )
        let record = try parsed.kind.record(
            canonical: try await registry.blob(
                parsed.record.digest,
                of: name,
                limit: FormatLimits.record
            )
        )
        var isNew = true
        _ = try await change(name) { index in
            if let index, let known = index.entry(for: .version(identity.version)) {
                try require(known.digest)
                isNew = false
                return index
            }
            return try (index ?? IndexDocument(named: name, parsed.kind)).adding(record, digest)
        }
        return isNew
    }

    /// Lists an attachment whose manifest and blobs the server has.
    ///
    /// - Throws: as ``change(_:_:)``.
    func attach(
        _ manifest: [UInt8],
        _ attachment: IndexDocument.Attachment,
        to digest: ContentDigest,
        of name: ModelName
    ) async throws {
        _ = try await change(name) { index in
            guard let index, let entry = index.entries.first(where: { $0.digest == digest }) else {
                throw ZooError(
                    .releaseInconsistent,
                    "\(digest) is not a release of '\(name)' in \(repositories.address)",
                    remedy: "publish the release first, then attach to it"
                )
            }
            guard !entry.attachments.contains(attachment) else { return index }
            let attachments = entry.attachments + [attachment]
            return try index.replacing(
                entry.with(
                    attachments: attachments,
                    statedEvidence: try await registry.evidenceSummary(
                        of: digest,
                        name,
                        listed: attachments,
                        pushed: (attachment.digest, manifest)
                    )
                )
            )
        }
    }

    private func send(_ index: IndexDocument, _ role: SigningRole) async throws {
        let path = "\(index.name.namespace)/\(index.name.name).json"
        var targets = role.targets.content.targets
        targets[ExactName(path)] = TargetFile(path, content: index.canonicalBytes)
        let signed = try role.next(targets: targets, signing: keys, at: Clock.seconds())
        guard let signed else {
            throw ZooError(
                .trustUnsigned,
                "\(repositories.address) is signed, and a change of '\(index.name)' needs "
                    + "\(role.keys.threshold) of the keys of the role '\(role.name)'",
                remedy: "give them with --sign-with"
            )
        }
        let submission = SignedSubmission(index: index, targets: signed.bytes)
        let response = try await repositories.send(
            .put,
            repositories.endpoint.url(
                ofFile: String(SignedSubmission.path(of: index.name).dropFirst())
            ),
            of: index.name,
            .push,
            headers: [HeaderField("Content-Type", "application/json")],
            body: RequestBody(try submission.body.canonicalBytes),
            limit: FormatLimits.indexDocument,
            // The same change again follows no state any more, and would be reported as somebody else's.
            isIdempotent: false
        )
        if response.status == 200 { return }
        if let refusal = ZooError(refusal: response) { throw refusal }
        try response.requireSuccess()
    }
}

extension Registry {
    /// The current index document of a model, nil for none, and the role that signs for it: read anew.
    ///
    /// - Throws: ``ZooError`` with code `trust.no-root` when the root is not trusted, or as ``index(of:)``.
    func signingBase(
        of name: ModelName
    ) async throws -> (index: IndexDocument?, role: SigningRole) {
        guard let signed = try newSignedRegistry() else {
            throw ZooError(
                .trustNoRoot,
                "\(source.address) is signed, and this machine does not trust its root, so that it could "
                    + "be made to sign a wrong state",
                remedy: "get the fingerprint from the registry's owner, and run 'ami-zoo trust add "
                    + "\(source.address) --fingerprint DIGEST'"
            )
        }
        let role = try await signed.signingRole(of: name)
        do {
            return (try IndexDocument(canonical: try await signed.index(of: name).index), role)
        } catch let error as ZooError where error.code == .trustTargetUnknown {
            return (nil, role)
        }
    }
}
