// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooClient
internal import ZooConvert
internal import ZooCore
internal import ZooStore
internal import ZooTrust
internal import ZooValidate

/// The report of `verify` about an installed release, or a part of one.
struct VerifyOutcome: Report {
    let subject: VerificationSubject
    let verification: Verification
    var comparison: UpstreamComparison.Outcome?
    let signature: SignatureOutcome?
    /// Whether an option requires a signature; what a policy requires is among its verdicts.
    let isSignatureRequired: Bool
    /// What is known about the signature of the evidence.
    let evidenceSigning: EvidenceSigning
    /// What a conversion states about the files.
    let provenance: ReleaseProvenance?
    let policy: PolicyUse
    /// What the policy says; nil when the record cannot be read.
    let verdicts: PolicyReport?
    /// The other installed parts of the release.
    var others: [VerifyOutcome] = []
    var time = Duration.zero

    var findings: [Finding] {
        verification.findings + (comparison?.findings ?? [])
            + (isSignatureRequired ? signature?.findings ?? [] : [])
            + (policy.loaded.path == nil ? [] : verdicts?.findings ?? [])
    }
    var isSound: Bool {
        verification.passed && (!isSignatureRequired || signature?.isSound != false)
            && !findings.contains { $0.severity == .error }
    }
    private var isAllSound: Bool { isSound && others.allSatisfy(\.isSound) }
    var exitStatus: Int32 { isAllSound ? 0 : 1 }

    var json: JSONValue {
        let files = verification.verified?.files ?? []
        var members: [String: JSONValue] = [
            "status": .string(isAllSound ? "passed" : "failed"), "reference": .string(subject.name),
            "digest": subject.digest.map { .string($0.description) } ?? .null,
            "path": .string(subject.folder), "anchor": verification.anchor?.json ?? .null,
            "files": .array(
                files.map(\.verifiedJSON)
            ),
            "findings": .array(findings.map(\.json)),
            "complete": .bool(isSound && subject.isWhole),
            "kind": subject.record.map { .string($0.kind.rawValue) } ?? .null,
            "components": subject.components.map { .array($0.sorted().map(JSONValue.string)) }
                ?? .null,
            "evidence": evidence.map { $0.json($1, evidenceSigning) } ?? .null,
        ]
        if let comparison {
            members["compared"] = [
                "tensors": .integer(comparison.tensors), "bytes": .integer(comparison.bytes),
            ]
        }
        if let signature { members["signature"] = signature.json }
        if let provenance { members["provenance"] = provenance.json }
        if let policy = policy.json(verdicts) { members["policy"] = policy }
        if !others.isEmpty { members["others"] = .array(others.map(\.json)) }
        return .object(members)
    }

    /// The evidence that the folder keeps, and the record that it is about.
    var evidence: (AttachedEvidence, ReleaseRecord)? {
        guard let evidence = verification.evidence, let record = subject.record as? ReleaseRecord
        else { return nil }
        return (evidence, record)
    }

    var text: String {
        ([ownText] + others.map(\.ownText)).joined(separator: "\n")
    }

    private var ownText: String {
        let identity = ([subject.name] + [subject.digest?.short].compactMap(\.self))
            .joined(separator: " ")
        let explanation = policy.lines(verdicts)
        guard isSound, let intact else {
            let lines = [FindingList.text(findings)] + explanation + ["\(identity): FAILED"]
            return lines.joined(separator: "\n")
        }
        var lines = findings.isEmpty ? [] : [FindingList.text(findings)]
        lines.append("\(identity): \(intact[0]) (\(time.shortText))")
        lines += intact.dropFirst() + statements + explanation
        return lines.joined(separator: "\n")
    }

    /// What was verified and what that is anchored to; nil unless every byte was.
    private var intact: [String]? {
        guard verification.passed, let verified = verification.verified,
            let anchor = verification.anchor
        else { return nil }
        return [
            "\(subject.scope(verified.files.count)), \(ByteCount(verified.bytes)), every byte is "
                + subject.claim(anchor),
            subject.explanation(anchor),
        ]
    }

    /// What was found out besides.
    private var statements: [String] {
        var lines: [String] = []
        if let (evidence, record) = evidence {
            lines.append("evidence: \(evidence.line(record, evidenceSigning))")
        }
        if let provenance { lines.append("provenance: \(provenance.text)") }
        if let comparison, comparison.findings.isEmpty {
            lines.append(
                "\(comparison.tensors) tensors, \(ByteCount(comparison.bytes)): bit-identical to the "
                    + "upstream file"
            )
        }
        if let signature { lines.append(signature.text) }
        return lines
    }

    /// The page about the release, to keep.
    func page(created: Timestamp) -> VerificationPage {
        VerificationPage(
            ([self] + others).map { outcome in
                VerificationPage.Subject(
                    title: outcome.subject.name,
                    passed: outcome.isSound,
                    digest: outcome.subject.digest,
                    path: outcome.subject.folder,
                    statements: (outcome.intact ?? []) + outcome.statements,
                    policy: outcome.verdicts,
                    findings: outcome.findings,
                    claims: outcome.evidence.map { $0.claims(of: $1) } ?? [],
                    files: outcome.verification.verified?.files ?? []
                )
            },
            policy: policy.loaded.path,
            created: created,
            program: AmiZoo.version
        )
    }
}

extension VerificationAnchor {
    /// What signed metadata proves, and when it did.
    var tufExplanation: String {
        guard let provedAt else {
            return "anchor: the digest that the signed metadata of \(source) lists now"
        }
        return
            "anchor: the digest that the signed metadata of \(source) listed at \(provedAt.time), "
            + "when it was pulled"
            + (provedAt.hasExpired ? "; the metadata has expired since" : "")
    }
}

extension VerificationSubject {
    /// The components that the folder holds; nil for all, or when its documents are invalid.
    fileprivate var components: Set<String>? {
        if case .release(let release) = content { release.components } else { nil }
    }

    /// Whether the folder is to hold every file of its release.
    fileprivate var isWhole: Bool {
        switch content {
        case .release(let release): release.files.count == release.record.files.count
        case .converted: true
        case .damaged: false
        }
    }

    /// How many files were verified, and of which components when not all were installed.
    fileprivate func scope(_ count: Int) -> String {
        guard case .release(let release) = content, let components = release.components else {
            return "\(count) files"
        }
        return "\(count) of \(release.record.files.count) files (only "
            + "\(components.sorted().joined(separator: ", ")))"
    }

    /// What a passed check states about every byte; never more than the anchor proves.
    fileprivate func claim(_ anchor: VerificationAnchor) -> String {
        guard case .release = content else { return "as converted" }
        return anchor.kind == .folder ? "as the folder's manifest says" : "as released"
    }

    fileprivate func explanation(_ anchor: VerificationAnchor) -> String {
        switch anchor.kind {
        case .requested: "anchor: the digest that you passed"
        case .registry: "anchor: the digest that \(anchor.source) lists"
        case .tuf: anchor.tufExplanation
        case .store:
            "anchor: the digest that the local store recorded when it installed the release"
        case .folder:
            "anchor: the folder's own \(isRelease ? "manifest" : "record"); this proves that it is "
                + "complete, not where it comes from"
                + (isRelease ? " (--digest or --registry proves that)" : "")
        }
    }

    private var isRelease: Bool { if case .release = content { true } else { false } }
}
