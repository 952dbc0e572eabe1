// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooStore
internal import ZooTrust

/// Whose signature `verify` requires.
struct SignatureOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The public key whose signature is required: a PEM file, or the name of one of your keys.",
            valueName: "file"
        )
    )
    var key: String?

    @Option(
        help: ArgumentHelp(
            "The root certificates of whose signers one must have signed: a PEM file.",
            valueName: "file"
        )
    )
    var certificateChain: String?

    @Option(
        help: ArgumentHelp(
            "The signature to check. Default: model.sig in the folder.",
            valueName: "file"
        )
    )
    var signature: String?

    /// Whether a signature is required.
    var isRequired: Bool { key != nil || certificateChain != nil }

    func validate() throws {
        guard key == nil || certificateChain == nil else {
            throw ValidationError("--key and --certificate-chain exclude each other")
        }
        guard signature == nil || isRequired else {
            throw ValidationError("--signature requires --key or --certificate-chain")
        }
    }

    /// Whose signature is required; nil for none.
    func authority(_ surroundings: Surroundings) throws(ZooError) -> SignatureAuthority? {
        if let key {
            let argument = KeyArgument(text: key, surroundings: surroundings)
            return .key(try argument.verificationKey())
        }
        return try certificateChain.map { path throws(ZooError) in
            .certificates(
                try CertificateFile.read(path) { pem throws(ZooError) in
                    try TrustedCertificates(pem: pem)
                },
                at: .now
            )
        }
    }

    /// The report about a folder that is no release of ami-zoo.
    func outcome(
        _ folder: String,
        by authority: SignatureAuthority
    ) async throws -> SignedFolderOutcome {
        let start = ContinuousClock.now
        let folder = FileSystem.absolute(folder)
        return try await Interruption.cancelling {
            SignedFolderOutcome(
                folder: folder,
                signature: try await verified(folder, by: authority),
                time: ContinuousClock.now - start
            )
        }
    }

    /// Checks the signature of a folder: the one beside its files, or one that was pulled with the release.
    ///
    /// - Parameters:
    ///   - folder: the folder.
    ///   - attachments: what was pulled with the release; nil if it is no release.
    ///   - authority: whose signature is required; nil for none.
    /// - Returns: the result; nil when none is required and there is none.
    /// - Throws: ``ZooError`` with an `io.*` code; `CancellationError`.
    func check(
        _ folder: String,
        with attachments: [ReleaseAttachment]?,
        by authority: SignatureAuthority?
    ) async throws -> SignatureOutcome? {
        guard let authority else {
            return try await BlockingWork.run { [self] _ -> SignatureOutcome? in
                guard let first = try candidates(in: folder, attachments).first else { return nil }
                return SignatureOutcome(path: first.path, .unchecked(first.claim))
            }
        }
        return try await verified(folder, with: attachments, by: authority)
    }

    /// The signatures to try, the one beside the files first.
    func candidates(
        in folder: String,
        _ attachments: [ReleaseAttachment]?
    ) throws -> [SignatureCandidate] {
        if let signature { return [SignatureCandidate(path: signature)] }
        var found: [SignatureCandidate] = []
        let path = "\(folder)/\(ModelFolder.signatureName)"
        if try FileSystem.status(path) != nil { found.append(SignatureCandidate(path: path)) }
        for attachment in attachments ?? [] {
            guard let bytes = attachment.modelSignature else { continue }
            let name = ContentDigest(of: bytes).hex
            let kept = "\(folder)/\(InstalledRelease.attachmentsFolder)/\(name)"
            found.append(SignatureCandidate(path: kept, kept: bytes))
        }
        return found
    }

    private func verified(
        _ folder: String,
        with attachments: [ReleaseAttachment]? = nil,
        by authority: SignatureAuthority
    ) async throws -> SignatureOutcome {
        let candidates = try await BlockingWork.run { [self] _ in
            try self.candidates(in: folder, attachments)
        }
        let usual = "\(folder)/\(ModelFolder.signatureName)"
        var refusal = Finding(
            .signatureMissing,
            path: usual,
            message: "the folder has no signature '\(ModelFolder.signatureName)'",
            remedy: "ask the publisher for it, or name another file with --signature"
        )
        var failed: SignatureOutcome?
        for (index, candidate) in candidates.enumerated() {
            do {
                let bundle = try await BlockingWork.run { _ in
                    try SignatureBundle(parsing: try candidate.bytes)
                }
                let payload = try await bundle.verified(by: authority)
                // That of a certificate is known only now.
                try Surroundings().requireUsable(payload.key, to: .verify)
                let model = try await BlockingWork.run { _ in try SignedModel(payload) }
                let own = attachments == nil || signature != nil ? candidate.path : usual
                let outcome = SignatureOutcome(
                    path: candidate.path,
                    .checked(try await SignatureCheck(model, folder, signature: own))
                )
                if outcome.passed { return outcome }
                // The same signer may have signed other files before.
                failed = failed ?? outcome
            } catch let error as ZooError where error.code.category != .inputOutput {
                if index == 0 { refusal = Finding(error, path: candidate.path) }
            }
        }
        return failed
            ?? SignatureOutcome(path: candidates.first?.path ?? usual, .refused(refusal))
    }
}

/// A signature that may be of the required signer.
struct SignatureCandidate: Sendable {
    let path: String
    private let kept: [UInt8]?

    /// Refers to a file, or to bytes of it that were read and compared with the digest in its name.
    init(path: String, kept: [UInt8]? = nil) {
        self.path = path
        self.kept = kept
    }

    var bytes: [UInt8] {
        get throws(ZooError) {
            if let kept { return kept }
            return try FileSystem.document(
                path,
                limit: SignatureBundle.limit,
                followingLinks: true
            )
        }
    }

    /// Who signed, as it claims; nil if it cannot be read.
    var claim: SignerClaim? { (try? bytes).flatMap { try? SignatureBundle(parsing: $0).claim } }
}

/// What `verify` found out about a signature.
struct SignatureOutcome: Sendable {
    enum State: Sendable {
        /// There is a signature, and nothing to check it with; who it claims to be of, if it can be read.
        case unchecked(SignerClaim?)
        case checked(SignatureCheck)
        case refused(Finding)
    }

    private let path: String
    private let state: State

    init(path: String, _ state: State) {
        self.path = FileSystem.absolute(path)
        self.state = state
    }

    /// Whether it was checked and every file is as signed.
    var passed: Bool { if case .checked(let check) = state { check.passed } else { false } }

    /// Who signed every file; nil unless that was checked and holds.
    var signer: ReleaseFacts.Signer? {
        guard case .checked(let check) = state, check.passed else { return nil }
        return ReleaseFacts.Signer(check.model.key, check.model.certificate)
    }

    /// Whether nothing that was required of it failed.
    var isSound: Bool { if case .unchecked = state { true } else { passed } }

    var findings: [Finding] {
        switch state {
        case .unchecked: []
        case .checked(let check): check.findings
        case .refused(let finding): [finding]
        }
    }

    var json: JSONValue {
        var members: [String: JSONValue] = ["path": .string(path)]
        switch state {
        case .unchecked(let claim):
            members["status"] = "unchecked"
            if let claim { members["claim"] = claim.json }
        case .refused: members["status"] = "failed"
        case .checked(let check):
            members["status"] = check.passed ? "passed" : "failed"
            members["key"] = .string(check.model.key.hint)
            if let certificate = check.model.certificate {
                members["certificate"] = certificate.json
            }
            members["files"] = .integer(check.files)
            members["bytes"] = .integer(check.bytes)
            members["uncovered"] = .array(check.uncovered.map(JSONValue.string))
        }
        return .object(members)
    }

    var text: String {
        switch state {
        case .unchecked(let claim):
            let signer = claim.map { "signed by \($0.text)" } ?? "it cannot be read"
            return
                "signature: \(signer), not checked; --key or --certificate-chain checks '\(path)'"
        case .refused: return "signature: refused"
        case .checked(let check) where !check.passed:
            return "signature: FAILED, not every file is as signed \(check.model.signerText)"
        case .checked(let check):
            var text =
                "signature: \(check.files) files, \(ByteCount(check.bytes)), every byte is as "
                + "signed \(check.model.signerText)"
            if !check.uncovered.isEmpty {
                text += "\nnot signed: " + Self.list(check.uncovered)
            }
            return text
        }
    }

    /// Files that are not signed: folders that are always left out with the number of their files, then the first
    /// of the others.
    static func list(_ names: [String]) -> String {
        var (folders, others): ([String: Int], [String]) = ([:], [])
        for name in names {
            let top = name.prefix { $0 != "/" }
            if top.utf8.count < name.utf8.count, ModelFolder.ignored.contains(String(top)) {
                folders[String(top), default: 0] += 1
            } else {
                others.append(printable(name))
            }
        }
        var parts = folders.sorted { $0.key < $1.key }
            .map { "\($0.key) (\(Counted.text($0.value, "file")))" }
        parts += others.prefix(5)
        if others.count > 5 { parts.append("\(others.count - 5) more") }
        return parts.joined(separator: ", ")
    }

    /// A name that cannot imitate a line of a report.
    private static func printable(_ name: String) -> String {
        var text = String.UnicodeScalarView()
        for scalar in name.unicodeScalars {
            text.append(scalar.isControl ? "?" : scalar)
        }
        return String(text)
    }
}

extension SignedModel {
    /// Who signed, as far as it was checked.
    fileprivate var signerText: String {
        let text = "with the key \(key.hint.prefix(12))"
        return certificate.map { "by \($0.text), \(text)" } ?? text
    }
}

/// The result for a folder that is signed, and no release of ami-zoo.
struct SignedFolderOutcome: Report {
    let folder: String
    let signature: SignatureOutcome
    let time: Duration

    var exitStatus: Int32 { signature.passed ? 0 : 1 }

    var json: JSONValue {
        [
            "status": .string(signature.passed ? "passed" : "failed"), "reference": .null,
            "kind": .null, "digest": .null, "path": .string(folder), "anchor": .null,
            // Of a release; `signature` counts the files that were signed.
            "files": [], "complete": .bool(false), "components": .null,
            "findings": .array(signature.findings.map(\.json)), "signature": signature.json,
        ]
    }

    var text: String {
        guard signature.passed else {
            return FindingList.text(signature.findings) + "\n'\(folder)': FAILED"
        }
        return signature.text
            + " (\(time.shortText))\n'\(folder)' is not a release of ami-zoo; only the signature was "
            + "checked"
    }
}
