// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooClient
internal import ZooConvert
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry
internal import ZooStore
internal import ZooTrust
internal import ZooValidate

/// `ami-zoo verify`.
struct VerifyCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every byte of a model or data set against its manifest or record.",
        discussion: """
            Compares the digest of the manifest with the digest in the reference, with --digest, with \
            the registry that --registry names, and with the digest that the local store recorded; \
            the output says which. Without any of them, the check proves that the folder is complete, \
            not where it comes from.

            With --against, also proves that the model holds the tensors of the upstream file it was \
            converted from: each is mapped again and compared bit for bit.

            With --key, also proves that every file of the model is as the owner of that key signed it \
            (OpenSSF Model Signing); with --certificate-chain, as somebody signed it for whom one of these \
            root certificates vouches. The signature is model.sig in the folder, or one that was attached to \
            the release, unless --signature names it. The manifest and the record in .ami-zoo, which state name and version, are not signed.

            A policy says what else a model must have: signers, evidence, a licence, an age. It is a file, \
            policy.yaml in the folder of the configuration unless --policy names another. With --explain, \
            prints each rule, what was seen, and the verdict; what nobody checked is never taken as met.

            An archive is a file that somebody fetched from a registry with another program. It is \
            compared with the release that --release names, with --digest, or with the installed \
            releases. It holds neither signatures nor evidence: where a policy requires them, pull the \
            release and verify that.
            """
    )

    @Argument(
        help: ArgumentHelp(
            "An installed model or data set, a folder that ami-zoo pulled or converted, or an archive of a release.",
            valueName: "model"
        )
    )
    var model: String

    @Option(help: "The digest that the manifest, or the archive, must have: sha256:…")
    var digest: String?

    @Option(
        help: "For an archive: the release that it must belong to, such as ami/ball-drop:1.0.0."
    )
    var release: String?

    @Option(help: "Also compare the manifest with the digest that this registry lists.")
    var registry: String?

    @Option(
        help: ArgumentHelp(
            "Expect only this component and the files that belong to no component. Repeatable.",
            discussion: "Default: the whole release, or what the local store recorded."
        )
    )
    var only: [String] = []

    @Flag(help: "Also compare the hash of each whole file with the release record.")
    var deep = false

    @Option(help: "The upstream checkpoint that the model was converted from.")
    var against: String?

    @Option(help: "With --against: the checkpoint of the encoder that a probe was trained on.")
    var backbone: String?

    @OptionGroup(title: "Signature options") var signing: SignatureOptions
    @OptionGroup(title: "Policy options") var requirements: PolicyOptions
    @OptionGroup(title: "Network options") var network: NetworkOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard backbone == nil || against != nil else {
            throw ValidationError("--backbone requires --against")
        }
        let isArchive = ArchiveVerification.isMeant(by: model)
        guard release == nil || isArchive else {
            throw ValidationError("--release is for an archive, and '\(model)' is not a file")
        }
        guard !isArchive || only.isEmpty && against == nil && !deep && !signing.isRequired else {
            throw ValidationError(
                "--only, --deep, --against, --key and --certificate-chain are not for an archive"
            )
        }
        guard !isArchive || requirements.html == nil else {
            throw ValidationError("--html is not for an archive")
        }
        guard !isArchive || registry == nil || release != nil else {
            throw ValidationError("for an archive, --registry requires --release")
        }
    }

    func report() async throws -> VerifyReport {
        if ArchiveVerification.isMeant(by: model) { return .archive(try await archiveOutcome()) }
        do {
            let outcome = try await outcome()
            if let path = requirements.html.map(FileSystem.absolute) {
                let page = outcome.page(created: .now)
                try await BlockingWork.run { _ in
                    try FileSystem.writeAtomically(path, Array(page.html.utf8))
                }
            }
            return .model(outcome)
        } catch let error as ZooError
            where error.code == .notARelease && FileSystem.isFolder(model) && asksForSignatureOnly
        {
            // Any folder can be signed, and none but a release can be what a policy requires.
            let surroundings = Surroundings()
            guard let authority = try signing.authority(surroundings),
                try requirements.load(surroundings).path == nil
            else { throw error }
            return .signedFolder(try await signing.outcome(model, by: authority))
        }
    }

    /// Whether no option asks for more than a signature can prove.
    private var asksForSignatureOnly: Bool {
        digest == nil && registry == nil && against == nil && only.isEmpty && !deep
            && !requirements.isGiven
    }

    private func archiveOutcome() async throws -> ArchiveOutcome {
        let start = ContinuousClock.now
        let surroundings = Surroundings()
        let release = try release.map { text in
            let reference = try ModelReference(parsing: text)
            var options = RegistryOptions()
            options.registry = registry
            return (
                reference: reference,
                registry: try surroundings.registry(options, network, host: reference.host)
            )
        }
        let requested = try digest.map { try ContentDigest(parsing: $0) }
        let policy = PolicyUse(try requirements.load(surroundings), explain: requirements.explain)
        let store = try surroundings.store
        let verification = try await Interruption.cancelling {
            try await ArchiveVerification.run(
                model,
                release: release,
                requested: requested,
                in: store
            )
        }
        return ArchiveOutcome(
            verification: verification,
            policy: policy,
            verdicts: ReleaseFacts(verification).map {
                policy.loaded.policy.evaluate($0, at: Clock.seconds())
            },
            time: ContinuousClock.now - start
        )
    }

    private func outcome() async throws -> VerifyOutcome {
        let clock = ContinuousClock()
        let start = clock.now
        let surroundings = Surroundings()
        var search = AnchorSearch(store: try surroundings.store)
        search.requested = try requestedAnchors()
        var defaults = RegistryOptions()
        defaults.registry = nil
        search.usualRegistry = (try? surroundings.registryLocation(defaults))?.description
        if registry != nil {
            var options = RegistryOptions()
            options.registry = registry
            search.registry = try surroundings.registry(options, network)
        }
        let only = only.isEmpty ? nil : Set(only)
        let (model, deep, against, backbone) = (model, deep, against, backbone)
        let authority = try signing.authority(surroundings)
        let policy = PolicyUse(try requirements.load(surroundings), explain: requirements.explain)
        // One call, because a second signal handler can miss a signal that arrives in between.
        var outcome = try await Interruption.cancelling { [search, signing] in
            let subjects = try await BlockingWork.run { _ in
                try VerificationSubject.all(model, only: only, in: search.store)
            }
            func check(_ subject: VerificationSubject) async throws -> VerifyOutcome {
                let verification = try await subject.verify(search, only: only, deep: deep)
                var attachments: [ReleaseAttachment]?
                var provenance: ReleaseProvenance?
                if case .release(let release) = subject.content {
                    let kept = try await BlockingWork.run { _ in
                        KeptAttachments(in: release.folder, of: release.digest, repair: "")
                    }
                    provenance = ReleaseProvenance(kept.attachments, of: release.record)
                    attachments = kept.attachments
                }
                var signature = try await signing.check(
                    subject.folder,
                    with: attachments,
                    by: authority
                )
                var signers = Set([signature?.signer].compactMap(\.self))
                let claimed = try await BlockingWork.run { [attachments] _ -> [VerificationKey] in
                    // Without keys nothing is read that nobody asked for.
                    if policy.loaded.keys.isEmpty { return [] }
                    let candidates = try signing.candidates(in: subject.folder, attachments)
                    return policy.loaded.keys(ofSignatures: candidates.compactMap { try? $0.bytes })
                }
                for key in claimed {
                    let outcome = try await signing.check(
                        subject.folder,
                        with: attachments,
                        by: .key(key)
                    )
                    if let signer = outcome?.signer { signers.insert(signer) }
                    if authority == nil, signature?.passed != true { signature = outcome }
                }
                let evidence = verification.evidence ?? .absent
                var evidenceSigning = await evidence.signing(authority)
                if !evidenceSigning.passed, let bundle = evidence.signed?.bundle,
                    let key = policy.loaded.keys(ofSignatures: [bundle]).first
                {
                    evidenceSigning = await evidence.signing(.key(key))
                }
                let facts = subject.record.map {
                    ReleaseFacts($0, verification, signature, signers, evidenceSigning)
                }
                return VerifyOutcome(
                    subject: subject,
                    verification: verification,
                    signature: signature,
                    isSignatureRequired: signing.isRequired,
                    evidenceSigning: evidenceSigning,
                    provenance: provenance,
                    policy: policy,
                    verdicts: facts.map {
                        policy.loaded.policy.evaluate($0, at: Clock.seconds())
                    }
                )
            }
            let subject = subjects[0]
            var outcome = try await check(subject)
            for other in subjects.dropFirst() { outcome.others.append(try await check(other)) }
            guard let against, let record = try subject.record?.requireModel() else {
                return outcome
            }
            outcome.comparison = try await BlockingWork.run(whenCancelled: .abandoned) {
                let cancellation = $0
                let spool = surroundings.spool
                let main = try CheckpointInput(against, spool: spool, cancellation)
                let backbone = try backbone.map {
                    try CheckpointInput($0, spool: spool, cancellation)
                }
                return try UpstreamComparison(
                    folder: subject.folder,
                    record: record,
                    source: ConversionSource(main.place, backbone: backbone?.place)
                ).compare(cancellation)
            }
            return outcome
        }
        outcome.time = clock.now - start
        return outcome
    }

    /// The digest of the option and that of the reference: both must hold.
    private func requestedAnchors() throws -> [VerificationAnchor] {
        var anchors: [VerificationAnchor] = []
        if let digest {
            let digest = try ContentDigest(parsing: digest)
            anchors.append(VerificationAnchor(.requested, digest, source: "--digest"))
        }
        guard !model.hasPrefix("/"), !model.hasPrefix("."),
            let reference = try? ModelReference(parsing: model), let digest = reference.digest
        else { return anchors }
        return anchors + [VerificationAnchor(.requested, digest, source: model)]
    }
}
