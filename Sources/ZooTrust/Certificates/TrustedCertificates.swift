// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
internal import SwiftASN1
@_spi(FixedExpiryValidationTime) internal import X509
package import ZooCore

/// The root certificates whose word a user takes for who a signer is, and further issuers.
package struct TrustedCertificates: Sendable {
    private let roots: [Certificate]
    private let issuers: [Certificate]

    /// Reads the text of a PEM file.
    ///
    /// Certificates that sign themselves are roots; the others may be links between a root and a signer, and are not
    /// believed without one.
    ///
    /// - Throws: ``ZooError`` with code `certificate.malformed`, also when there is no root or there are more than
    ///   1000 certificates.
    package init(pem text: String) throws(ZooError) {
        let encoded = try Certificate.encoded(in: text)
        guard encoded.count <= 1000 else {
            throw .malformedCertificate(
                "the file has \(encoded.count) certificates, more than 1000"
            )
        }
        var (roots, issuers): ([Certificate], [Certificate]) = ([], [])
        for bytes in encoded {
            let certificate = try Certificate(der: bytes)
            if certificate.signsItself {
                roots.append(certificate)
            } else {
                issuers.append(certificate)
            }
        }
        guard !roots.isEmpty else {
            throw ZooError(
                .certificateMalformed,
                "the file has no root certificate, which is one that signs itself",
                remedy: "add the root certificate of the authority to the file"
            )
        }
        self.roots = roots
        self.issuers = issuers
    }

    /// Checks that a root vouches for a signer.
    ///
    /// Nothing proves when a signature was made, so that every certificate of the chain must be valid when it is
    /// checked.
    ///
    /// - Parameters:
    ///   - certificates: the certificates that came with the signature.
    ///   - now: the time of the check.
    /// - Returns: what the signer's certificate says.
    /// - Throws: ``ZooError`` with code `certificate.untrusted`, `certificate.expired` or
    ///   `certificate.chain-invalid`.
    func requireTrusted(
        _ certificates: SignerCertificates,
        at now: Timestamp
    ) async throws(ZooError) -> SignerFacts {
        guard let date = try? Date(now.text, strategy: .iso8601) else {
            preconditionFailure("a timestamp is not a date")
        }
        var verifier = Verifier(rootCertificates: CertificateStore(roots)) {
            RFC5280Policy(fixedExpiryValidationTime: date)
            IssuerPolicy()
        }
        let result = await verifier.validate(
            leaf: certificates.signer,
            intermediates: CertificateStore(issuers + certificates.issuers)
        )
        guard case .couldNotValidate(let failures) = result else { return certificates.facts }
        if let unknown = certificates.signer.unknownCriticalExtension {
            throw .chainInvalid(
                "the certificate '\(certificates.signer.subject.shown)' has the critical extension \(unknown), "
                    + "which is not supported"
            )
        }
        guard !certificates.signer.signsItself else {
            throw .chainInvalid(
                "the certificate '\(certificates.signer.subject.shown)' signs itself; no authority vouches for it"
            )
        }
        guard let failure = failures.first else {
            throw ZooError(
                .certificateUntrusted,
                "no given root certificate vouches for '\(certificates.signer.subject.shown)', issued by "
                    + "'\(certificates.signer.issuer.shown)'",
                remedy:
                    "do not use the model before you know who signed it; if you trust that issuer, add "
                    + "its root certificate to the file"
            )
        }
        if let certificate = failure.chain.first(where: { !$0.validity.contains(now) }) {
            throw .expired(
                certificate,
                at: now,
                remedy:
                    "ask the publisher to sign again with a valid certificate; nothing proves that the "
                    + "signature was made while this one was"
            )
        }
        throw .chainInvalid("the certificates do not form a chain: \(failure.policyFailureReason)")
    }
}

/// What RFC 5280 asks of issuers, and the library does not check: they are for signing certificates, no authority of
/// something else, and nothing is signed over SHA-1.
private struct IssuerPolicy: VerifierPolicy {
    let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = [
        .X509ExtensionID.extendedKeyUsage
    ]

    func chainMeetsPolicyRequirements(
        chain: UnverifiedCertificateChain
    ) -> PolicyEvaluationResult {
        // The user vouches for the root, whatever it says; its own signature proves nothing.
        let vouched = chain.dropLast()
        for certificate in vouched
        where certificate.signatureAlgorithm == .sha1WithRSAEncryption {
            return Self.failure("'\(certificate.subject.shown)' is signed over SHA-1")
        }
        for issuer in chain.dropFirst() {
            let usage: KeyUsage?
            do {
                usage = try issuer.read { try $0.keyUsage }
                guard try issuer.allowsCodeSigning else {
                    return Self.failure("'\(issuer.subject.shown)' is not for code signing")
                }
            } catch {
                return Self.failure(error.message)
            }
            let isRoot = issuer == chain.last
            guard usage?.keyCertSign ?? isRoot else {
                return Self.failure("'\(issuer.subject.shown)' is not for signing certificates")
            }
            // The library takes certificates of version 1, which cannot say so, for those of authorities.
            guard isRoot || issuer.version == .v3 else {
                return Self.failure("'\(issuer.subject.shown)' is not a certificate of version 3")
            }
        }
        return .meetsPolicy
    }

    private static func failure(_ reason: String) -> PolicyEvaluationResult {
        .failsToMeetPolicy(reason: PolicyFailureReason(reason))
    }
}

extension Certificate {
    /// Whether it is signed with its own key.
    fileprivate var signsItself: Bool {
        issuer == subject && publicKey.isValidSignature(signature, for: self)
    }

    /// A critical extension that no policy here checks.
    fileprivate var unknownCriticalExtension: ASN1ObjectIdentifier? {
        let known: [ASN1ObjectIdentifier] = [
            .X509ExtensionID.basicConstraints, .X509ExtensionID.nameConstraints,
            .X509ExtensionID.keyUsage, .X509ExtensionID.extendedKeyUsage,
        ]
        return extensions.first { $0.critical && !known.contains($0.oid) }?.oid
    }
}

extension ZooError {
    fileprivate static func chainInvalid(_ what: String) -> ZooError {
        ZooError(
            .certificateChain,
            what,
            remedy: "do not use the model; ask the publisher to sign it with another certificate"
        )
    }
}
