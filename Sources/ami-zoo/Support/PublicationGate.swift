// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry
internal import ZooStore
internal import ZooTrust
internal import ZooValidate

/// What permits the publication of a model.
struct EvidenceOptions: ParsableArguments {
    @Option(
        help: """
            The folder that 'ami-zoo validate --report' wrote. Default: what the local store keeps of \
            the last validation of these bytes.
            """
    )
    var evidence: String?

    @Option(
        help: ArgumentHelp(
            "Publish a model without evidence, for this reason, which everybody sees.",
            valueName: "reason"
        )
    )
    var unvalidated: String?

    func validate() throws {
        guard evidence == nil || unvalidated == nil else {
            throw ValidationError("--evidence and --unvalidated exclude each other")
        }
    }
}

/// Lets a model be published only with evidence for exactly its bytes, or with a reason.
struct PublicationGate: Sendable {
    private let folder: String?
    private let waiver: ValidationWaiver?
    private let store: ModelStore
    private let source: Registry?
    private let signature: ReleaseSignature?
    private let isDryRun: Bool

    /// Prepares the gate.
    ///
    /// - Parameters:
    ///   - options: the evidence on the command line.
    ///   - source: the registry that is published from, whose own evidence counts too.
    ///   - signature: where the signature of a release comes from; nil for the one that was packed with it.
    ///   - isDryRun: whether a new signature is not kept in the store.
    /// - Throws: ``ZooError`` when the reason is not valid.
    init(
        _ options: EvidenceOptions,
        source: Registry? = nil,
        signature: ReleaseSignature? = nil,
        isDryRun: Bool = false
    ) throws(ZooError) {
        self.signature = signature
        self.isDryRun = isDryRun
        folder = options.evidence.map(FileSystem.absolute)
        waiver =
            if let reason = options.unvalidated {
                try ValidationWaiver(reason: reason, date: .now)
            } else { nil }
        store = try Surroundings().store
        self.source = source
    }

    /// Permits a release of a folder.
    func permit(
        _ digest: ContentDigest,
        in documents: RegistryDocuments
    ) async throws -> [AttachmentDraft] {
        let (record, descriptor) = try await BlockingWork.run { _ in
            let bytes = try documents.blobs.read(digest, limit: FormatLimits.manifest)
            let manifest = try ReleaseManifest(canonical: bytes)
            let record = try documents.blobs.read(
                manifest.record.digest,
                limit: FormatLimits.record
            )
            return (try manifest.kind.record(canonical: record), manifest.descriptor)
        }
        return try await permit(record, descriptor)
    }

    /// Permits a release.
    ///
    /// - Parameters:
    ///   - record: its record.
    ///   - manifest: the descriptor of its manifest.
    /// - Returns: what is attached to it: evidence, except to a data set and where the source has some, a
    ///   signature and provenance if there are any.
    /// - Throws: ``ZooError`` with an `evidence.*`, `signature.*` or `key.*` code.
    func permit(
        _ record: any ArchivedRecord,
        _ manifest: Descriptor
    ) async throws -> [AttachmentDraft] {
        let drafts = [
            try await evidence(record, manifest), try await signature(record, manifest),
            try await provenance(manifest),
        ]
        return drafts.compactMap(\.self)
    }

    /// The signature to attach, which covers exactly the files of the release.
    ///
    /// It is kept in the store, so that a repetition attaches the same one.
    private func signature(
        _ record: any ArchivedRecord,
        _ manifest: Descriptor
    ) async throws -> AttachmentDraft? {
        let folder = EvidenceFolder(of: manifest.digest, in: store)
        let kept = try await BlockingWork.run { _ in try folder.signature() }
        switch signature {
        case .key(let key, let certificates):
            if let kept, let bundle = try? SignatureBundle(parsing: kept.bundle),
                bundle.isSigned(by: key.publicKey, naming: certificates),
                try bundle.difference(from: record) == nil
            {
                break
            }
            let bundle = try await ModelSigner(key: key, certificates: certificates)
                .sign(record.name.description, record.signedFiles)
            return try await draft(of: bundle.bytes, keptIn: folder, manifest)
        case .bundle(let bytes) where bytes != kept?.bundle:
            let bundle = try SignatureBundle(parsing: bytes)
            if let difference = try bundle.difference(from: record) {
                throw ZooError(
                    .signatureInvalid,
                    "the signature is not of the files of \(record.name):\(record.version): "
                        + difference,
                    remedy: "sign the release with 'ami-zoo publish --sign KEY'"
                )
            }
            return try await draft(of: bytes, keptIn: folder, manifest)
        case .bundle, nil: break
        }
        return kept.map {
            AttachmentDraft(signature: $0.bundle, created: $0.created, to: manifest)
        }
    }

    /// A new signature, which the store keeps unless nothing is published.
    private func draft(
        of bundle: [UInt8],
        keptIn folder: EvidenceFolder,
        _ manifest: Descriptor
    ) async throws -> AttachmentDraft {
        var created = Timestamp.now
        if !isDryRun {
            created =
                try await BlockingWork.run { _ in
                    try folder.keep(signature: bundle)
                    return try folder.signature()?.created
                } ?? created
        }
        return AttachmentDraft(signature: bundle, created: created, to: manifest)
    }

    /// What a conversion stated about the files, as it was packed.
    private func provenance(_ manifest: Descriptor) async throws -> AttachmentDraft? {
        try await BlockingWork.run { [store] _ in
            try EvidenceFolder(of: manifest.digest, in: store).provenance()
        }.map { AttachmentDraft($0.statement, created: $0.created, to: manifest) }
    }

    private func evidence(
        _ record: any ArchivedRecord,
        _ manifest: Descriptor
    ) async throws -> AttachmentDraft? {
        guard let model = record as? ReleaseRecord else { return nil }
        if let waiver {
            return AttachmentDraft(waiver, name: "\(model.name):\(model.version)", to: manifest)
        }
        do {
            let evidence = try await BlockingWork.run { [folder, store] _ in
                let found =
                    folder.map { EvidenceFolder($0) }
                    ?? EvidenceFolder(of: manifest.digest, in: store)
                return try found.evidence(of: model, manifest.digest)
            }
            return AttachmentDraft(evidence, to: manifest)
        } catch let error as ZooError where error.code == .evidenceMissing && folder == nil {
            // Published before: what is attached in the source travels with it.
            let attached = try? await source?.evidence(of: model, manifest.digest)
            // What cannot be read may be newer than what passed.
            if let fault = attached?.unreadable.first { throw fault }
            switch attached?.decision {
            case .validated, .unvalidated: return nil
            case .failed(_, let fault), .invalid(let fault): throw fault
            case .absent, nil: throw error
            }
        }
    }
}

extension ArchivedRecord {
    /// The files that a signature of the release covers: all of them.
    var signedFiles: [(path: String, digest: ContentDigest)] {
        files.map { ($0.path.text, $0.digest) }
    }
}

extension SignatureBundle {
    /// How what the bundle claims to sign differs from a release; nil if it is the same.
    func difference(from record: any ArchivedRecord) throws(ZooError) -> String? {
        try difference(from: record.signedFiles)
    }
}

extension Timestamp {
    /// The present time.
    static var now: Timestamp { Timestamp(secondsSince1970: Clock.seconds()) }
}
