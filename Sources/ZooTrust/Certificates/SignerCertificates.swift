// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
internal import SwiftASN1
internal import X509
package import ZooCore

/// The certificates that come with a signature: that of the signer, then those of its issuers.
///
/// The first one is for signing by what it says of itself; only ``TrustedCertificates`` says whether to believe it.
package struct SignerCertificates: Sendable {
    /// The largest number of certificates in a signature.
    ///
    /// A hostile one could hold authorities that vouch for each other; the number of ways through them grows with the
    /// factorial of theirs.
    package static let limit = 6
    /// The largest size of a file with certificates, in bytes.
    package static let fileLimit = 1 << 20

    /// The certificate of the signer.
    let signer: Certificate
    /// The certificates of the issuers, which may be incomplete and in any order.
    let issuers: [Certificate]
    /// The public key of the signer.
    package let key: VerificationKey
    /// The DER form of all of them, that of the signer first.
    let encoded: [[UInt8]]

    /// Reads certificates in DER form.
    ///
    /// - Parameter encoded: the certificate of the signer, then those of its issuers.
    /// - Throws: ``ZooError`` with code `certificate.malformed`, `certificate.key-usage` or
    ///   `certificate.authority`.
    package init(der encoded: [[UInt8]]) throws(ZooError) {
        guard 1...Self.limit ~= encoded.count else {
            throw .malformedCertificate(
                "the signature has \(encoded.count) certificates, and 1 to \(Self.limit) are read"
            )
        }
        var certificates: [Certificate] = []
        for bytes in encoded { certificates.append(try Certificate(der: bytes)) }
        signer = certificates[0]
        issuers = Array(certificates.dropFirst())
        self.encoded = encoded
        key = try signer.requireSigningKey()
        try signer.requireForSigning()
    }

    /// Reads certificates in PEM form.
    ///
    /// - Parameters:
    ///   - signer: the text of a file with the certificate of the signer, which may also hold its issuers.
    ///   - chain: the text of a file with further issuers; nil if there is none.
    /// - Throws: as ``init(der:)``.
    package init(pem signer: String, chain: String?) throws(ZooError) {
        let files = try Certificate.encoded(in: signer) + (chain.map(Certificate.encoded) ?? [])
        try self.init(der: files)
    }

    /// Checks that none has expired, and none is not valid yet.
    ///
    /// - Throws: ``ZooError`` with code `certificate.expired`.
    package func requireValid(at now: Timestamp) throws(ZooError) {
        for certificate in [signer] + issuers where !certificate.validity.contains(now) {
            throw .expired(certificate, at: now, remedy: "sign with a valid certificate")
        }
    }

    /// The facts about the signer.
    package var facts: SignerFacts { SignerFacts(signer) }
}

extension DistinguishedName {
    /// The text of RFC 4514, at most 256 characters and none that a terminal could take for a command.
    var shown: String {
        var text = String.UnicodeScalarView()
        for scalar in "\(self)".unicodeScalars.prefix(256) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: text.append("?")
            default: text.append(scalar)
            }
        }
        return String(text)
    }
}

/// What a certificate that a trusted one vouches for says about the signer.
package struct SignerFacts: Sendable, Equatable {
    /// The distinguished name of the signer (RFC 4514).
    package let subject: String
    /// The distinguished name of the issuer.
    package let issuer: String
    /// The serial number, in hexadecimal digits.
    package let serial: String
    /// The last instant of its validity.
    package let expires: Timestamp
    /// Whether ``subject`` and ``issuer`` are the whole names: only then may somebody be recognised by them.
    package let hasWholeNames: Bool

    init(_ certificate: Certificate) {
        subject = certificate.subject.shown
        issuer = certificate.issuer.shown
        serial = Array(certificate.serialNumber.bytes).hexadecimal
        expires = certificate.validity.upperBound
        hasWholeNames = subject == "\(certificate.subject)" && issuer == "\(certificate.issuer)"
    }
}

extension Certificate {
    /// Reads the DER form, and nothing after it.
    ///
    /// - Throws: ``ZooError`` with code `certificate.malformed`.
    init(der bytes: [UInt8]) throws(ZooError) {
        do {
            self = try Certificate(derEncoded: bytes)
        } catch {
            throw .malformedCertificate("a certificate is not X.509 in DER form", cause: error)
        }
    }

    /// The certificates of a PEM file in DER form, in their order; other content is ignored.
    ///
    /// - Throws: ``ZooError`` with code `certificate.malformed`, also when there is none.
    static func encoded(in text: String) throws(ZooError) -> [[UInt8]] {
        let documents: [PEMDocument]
        do {
            documents = try PEMDocument.parseMultiple(pemString: text)
        } catch {
            throw .malformedCertificate("the file is not in PEM form", cause: error)
        }
        let encoded = documents.filter { $0.discriminator == "CERTIFICATE" }.map(\.derBytes)
        guard !encoded.isEmpty else { throw .malformedCertificate("the file has no certificate") }
        return encoded
    }

    /// The validity: from the first instant to the last, both included.
    var validity: ClosedRange<Timestamp> {
        let start = Timestamp(secondsSince1970: Int(notValidBefore.timeIntervalSince1970))
        let end = Timestamp(secondsSince1970: Int(notValidAfter.timeIntervalSince1970))
        return start...max(start, end)
    }

    /// The key of a signer, which must be one that OpenSSF Model Signing has an algorithm for.
    fileprivate func requireSigningKey() throws(ZooError) -> VerificationKey {
        do {
            return try VerificationKey(publicKeyFile: try publicKey.serializeAsPEM().pemString)
        } catch {
            throw .malformedCertificate(
                "the certificate '\(subject.shown)' has no ECDSA key on P-256, P-384 or P-521",
                cause: error
            )
        }
    }

    /// Checks that the certificate is for digital signatures, and of a signer and not of an authority.
    ///
    /// A certificate with neither extension could be for anything; one with an extended use for something else, such
    /// as a web server's, is for that alone (RFC 5280, 4.2.1.3 and 4.2.1.12).
    fileprivate func requireForSigning() throws(ZooError) {
        switch try read({ try $0.basicConstraints }) {
        case .isCertificateAuthority?:
            throw ZooError(
                .certificateAuthority,
                "the certificate '\(subject.shown)' is that of an authority, and signs certificates, not models",
                remedy: "sign with a certificate that the authority issued"
            )
        case .notCertificateAuthority?, nil: break
        }
        guard try read({ try $0.keyUsage })?.digitalSignature == true else {
            throw .keyUsage("the certificate '\(subject.shown)' is not for digital signatures")
        }
        guard try allowsCodeSigning else {
            throw .keyUsage("the certificate '\(subject.shown)' is not for code signing")
        }
    }

    /// Whether an extended use, if one is stated, includes code signing.
    var allowsCodeSigning: Bool {
        get throws(ZooError) {
            guard let uses = try read({ try $0.extendedKeyUsage }) else { return true }
            return uses.contains(.codeSigning) || uses.contains(.any)
        }
    }

    /// Reads an extension.
    ///
    /// - Throws: ``ZooError`` with code `certificate.malformed`.
    func read<Value>(_ member: (Extensions) throws -> Value) throws(ZooError) -> Value {
        do {
            return try member(extensions)
        } catch {
            throw .malformedCertificate(
                "an extension of the certificate '\(subject.shown)' is not in DER form",
                cause: error
            )
        }
    }
}

extension ZooError {
    static func malformedCertificate(
        _ what: String,
        cause: (any Error)? = nil
    ) -> ZooError {
        ZooError(
            .certificateMalformed,
            what,
            remedy:
                "give certificates in PEM form; 'openssl x509 -in FILE -text' shows what one says",
            cause: cause
        )
    }

    static func expired(_ certificate: Certificate, at now: Timestamp, remedy: String) -> ZooError {
        ZooError(
            .certificateExpired,
            "the certificate '\(certificate.subject.shown)' is valid from "
                + "\(certificate.validity.lowerBound) to \(certificate.validity.upperBound), and now it "
                + "is \(now)",
            remedy: remedy
        )
    }

    fileprivate static func keyUsage(_ what: String) -> ZooError {
        ZooError(
            .certificateKeyUsage,
            what,
            remedy:
                "sign with a certificate whose key usage has 'digitalSignature', and whose extended key "
                + "usage, if it has one, has 'codeSigning'"
        )
    }
}
