// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTrust

extension SignerClaim {
    /// Who signed, as it claims.
    var text: String {
        switch self {
        case .key(let hint?): "the key \(hint.prefix(12))"
        case .key(nil): "a key"
        case .certificate(let subject): "'\(subject)'"
        case .sigstore: "an identity of Sigstore"
        }
    }

    /// The fields of a signature that was not checked.
    var json: JSONValue {
        var members: [String: JSONValue] = ["status": "unchecked"]
        switch self {
        case .key(let hint):
            members["method"] = "key"
            members["key"] = hint.map(JSONValue.string) ?? .null
        case .certificate(let subject):
            members["method"] = "certificate"
            members["subject"] = .string(subject)
        case .sigstore: members["method"] = "sigstore"
        }
        return .object(members)
    }
}

extension SignerFacts {
    /// Who signed, and who vouches for it.
    var text: String { "'\(subject)', for whom '\(issuer)' vouches until \(expires)" }

    var json: JSONValue {
        [
            "subject": .string(subject), "issuer": .string(issuer), "serial": .string(serial),
            "expires": .string(expires.text),
        ]
    }
}

/// What is known about the signature of evidence.
enum EvidenceSigning: Sendable {
    /// There is none.
    case none
    /// There is one, and nothing to check it with.
    case unchecked(SignerClaim)
    /// It is of the required signer.
    case passed(StatementSignature)
    /// It cannot be read, is not of the required signer, or is over something else.
    case refused(ZooError)

    var passed: Bool { if case .passed = self { true } else { false } }

    var text: String {
        switch self {
        case .none: return "not signed"
        case .unchecked(let claim): return "signed by \(claim.text), not checked"
        case .passed(let signature):
            guard let certificate = signature.certificate else {
                return "signed with the key \(signature.key.hint.prefix(12))"
            }
            return "signed by \(certificate.text)"
        case .refused(let error): return "signature refused: \(error.message)"
        }
    }

    /// The field `signature` of evidence.
    var json: JSONValue {
        switch self {
        case .none: return .null
        case .unchecked(let claim): return claim.json
        case .passed(let signature):
            var members: [String: JSONValue] = [
                "status": "passed", "key": .string(signature.key.hint),
            ]
            if let certificate = signature.certificate { members["certificate"] = certificate.json }
            return .object(members)
        case .refused(let error):
            return [
                "status": "failed", "code": .string(error.code.rawValue),
                "reason": .string(error.message),
            ]
        }
    }
}

extension AttachedEvidence {
    /// The statement of the validation that decides, with the bundle that claims to sign it; nil if there is none.
    var signed: (statement: [UInt8], bundle: [UInt8])? {
        switch decision {
        case .validated(let evidence): evidence.signature.map { (evidence.statement, $0) }
        case .failed(let failed, _): failed.signature.map { (failed.statement, $0) }
        case .unvalidated, .invalid, .absent: nil
        }
    }

    /// What is known about the signature of a validation.
    ///
    /// - Parameter authority: whose signature counts; nil to check none.
    /// - Returns: what is known.
    func signing(_ authority: SignatureAuthority?) async -> EvidenceSigning {
        guard let (statement, bundle) = signed else { return .none }
        do throws(ZooError) {
            guard let authority else {
                return .unchecked(try SignatureBundle(parsing: bundle).claim)
            }
            let signature = try await StatementSignature(bundle, over: statement, by: authority)
            try Surroundings().requireUsable(signature.key, to: .verify)
            return .passed(signature)
        } catch {
            return .refused(error)
        }
    }
}
