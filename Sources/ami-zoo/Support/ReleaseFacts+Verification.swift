// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooClient
internal import ZooCore
internal import ZooRegistry
internal import ZooStore
internal import ZooTrust

extension ReleaseFacts {
    /// What a verification found out.
    ///
    /// - Parameters:
    ///   - record: the record of the folder, which the manifest names.
    ///   - verification: the result.
    ///   - signature: what was found out about the signature of the files; nil if there is none.
    ///   - signers: everybody whose signature of the files was checked and holds.
    ///   - evidenceSigning: what was found out about the signature of the evidence.
    init(
        _ record: any ArchivedRecord,
        _ verification: Verification,
        _ signature: SignatureOutcome?,
        _ signers: Set<Signer>,
        _ evidenceSigning: EvidenceSigning
    ) {
        self.init(record, integrity: Self.integrity(verification))
        let all = [verification.anchor].compactMap(\.self) + verification.otherAnchors
        let mismatch = verification.findings.first { $0.code == .anchorMismatch }
        if let mismatch {
            anchors = .refuted(mismatch.message)
        } else if !all.isEmpty {
            anchors = .established(Set(all.compactMap { Anchor(rawValue: $0.kind.rawValue) }))
        }
        registry = Self.registry(all, mismatch)
        // Metadata of another registry says nothing about this one.
        if case .established(let address) = registry,
            let anchor = all.first(where: { $0.kind == .tuf && $0.source == address })
        {
            currency = Self.currency(anchor)
        }
        signatures =
            signers.isEmpty
            ? signature?.fact ?? .notChecked("the folder has no signature") : .established(signers)
        evidence = Self.evidence(verification, record, evidenceSigning)
    }

    /// What is known of the release of an archive; nil when nothing says which release that is.
    ///
    /// An archive holds files of a release, and neither signatures nor evidence.
    init?(_ archive: ArchiveVerification) {
        guard let expected = archive.expected else { return nil }
        self.init(expected.record, integrity: Self.integrity(archive))
        if archive.passed, let anchor = archive.release {
            if let kind = Anchor(rawValue: anchor.kind.rawValue) { anchors = .established([kind]) }
            registry = Self.registry([anchor], nil)
        }
        signatures = .notChecked("an archive has no signature; pull the release and verify that")
        evidence = .notChecked("an archive has no evidence; pull the release and verify that")
        currency = .notChecked("an archive does not show it; pull the release and verify that")
    }

    private static func integrity(_ archive: ArchiveVerification) -> Fact<Integrity> {
        guard archive.passed, let files = archive.verified?.files else {
            return .refuted(archive.findings.first?.message ?? "not every byte was verified")
        }
        return .established(
            Integrity(files: files.count, bytes: files.reduce(0) { $0 + $1.size })
        )
    }

    private static func currency(_ anchor: VerificationAnchor) -> Fact<Timestamp> {
        if let yank = anchor.yank { return .refuted("the version was yanked: \(yank.reason)") }
        guard let proved = anchor.provedAt else {
            return .established(Timestamp(secondsSince1970: Clock.seconds()))
        }
        return proved.hasExpired
            ? .notChecked("signed metadata called it current at \(proved.time), and expired since")
            : .established(proved.time)
    }

    private static func integrity(_ verification: Verification) -> Fact<Integrity> {
        if verification.passed, let verified = verification.verified {
            return .established(Integrity(files: verified.files.count, bytes: verified.bytes))
        }
        let errors = verification.findings.filter { $0.severity == .error }
        return .refuted(
            errors.first.map { error in
                error.message + (errors.count > 1 ? "; \(errors.count - 1) more" : "")
            } ?? "not every byte was verified"
        )
    }

    /// The registry, as the registry itself or the store's receipt says; the folder's own word proves nothing.
    private static func registry(
        _ anchors: [VerificationAnchor],
        _ mismatch: Finding?
    ) -> Fact<String> {
        if let mismatch { return .refuted(mismatch.message) }
        if let anchor = anchors.first(where: { $0.kind == .tuf || $0.kind == .registry }) {
            return .established(anchor.source)
        }
        if let receipt = anchors.compactMap(\.receipt).first {
            return .established(receipt.registry)
        }
        return .notChecked("nothing outside the folder says where it comes from")
    }

    private static func evidence(
        _ verification: Verification,
        _ record: any ArchivedRecord,
        _ signing: EvidenceSigning
    ) -> Fact<Evidence> {
        guard let found = verification.evidence, let model = record as? ReleaseRecord else {
            return .notChecked("a data set has no evidence")
        }
        switch found.decision {
        case .validated(let evidence):
            return .established(
                Evidence(
                    created: evidence.created,
                    claims: ClaimCounts(evidence.claims).text,
                    unreadable: found.unreadable.count,
                    signers: signing.fact
                )
            )
        case .failed, .unvalidated, .invalid, .absent: return .refuted(found.line(model, signing))
        }
    }
}

extension SignatureOutcome {
    /// What it says about who signed the files.
    fileprivate var fact: Fact<Set<ReleaseFacts.Signer>> {
        guard let finding = findings.first else {
            return .notChecked("there is a signature, and no key to check it with; --key names one")
        }
        return .refuted(finding.message)
    }
}

extension EvidenceSigning {
    /// What it says about who signed the evidence.
    fileprivate var fact: Fact<Set<ReleaseFacts.Signer>> {
        switch self {
        case .none: .notChecked("the evidence is not signed")
        case .unchecked: .notChecked("the evidence is signed, and no key to check it with is here")
        case .passed(let signature):
            .established([ReleaseFacts.Signer(signature.key, signature.certificate)])
        case .refused(let error): .refuted(error.message)
        }
    }
}

extension ReleaseFacts.Signer {
    /// Whoever made a signature that was verified; the key for a certificate whose names are cut or changed when they are
    /// shown, because other names would look the same.
    init(_ key: VerificationKey, _ certificate: SignerFacts?) {
        self =
            if let certificate, certificate.hasWholeNames {
                .certificate(identity: certificate.subject, issuer: certificate.issuer)
            } else {
                .key(key.hint)
            }
    }
}
