// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
internal import X509
package import ZooCore

/// A signature that was parsed but not verified; the signed text cannot be reached.
///
/// A Sigstore bundle with a DSSE envelope: JSON that names the key or the certificates, and holds the
/// signed text and one signature. Sources: sigstore/protobuf-specs `sigstore_bundle.proto` (v0.3),
/// secure-systems-lab/dsse `protocol.md`, ossf/model-signing-spec `spec/v1.0.md`.
package struct SignatureBundle: Sendable {
    /// The media type of bundles that are written.
    package static let mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
    /// The form of the same media type before its registration.
    private static let earlierMediaType = "application/vnd.dev.sigstore.bundle+json;version=0.3"
    /// The largest size of a bundle, in bytes: a statement about some 100,000 files.
    package static let limit = 32 << 20

    /// How the signer is named.
    package enum Signer: Sendable, Equatable {
        /// A public key; the hint is the SHA-256 of its PEM text, nil in files of early tools.
        case key(hint: String?)
        /// A chain of X.509 certificates.
        case certificates
        /// A short-lived certificate of Sigstore with an entry in its log.
        case sigstore
    }

    /// How the signer is named; a claim until the signature is verified.
    package let signer: Signer
    /// The certificates in DER form, unread; empty for other signers.
    private let certificates: [[UInt8]]
    private let payloadType: String
    private let payload: [UInt8]
    private let signature: [UInt8]

    /// Parses a bundle.
    ///
    /// - Throws: ``ZooError`` with a `json.*` code or `signature.malformed`.
    package init(parsing bytes: [UInt8]) throws(ZooError) {
        do throws(ZooError) {
            let limits = JSONValue.Limits(bytes: Self.limit, depth: 16, values: 10_000)
            let bundle = try JSONObject(try JSONValue(parsing: bytes, limits: limits))
            let type = try bundle.string("mediaType")
            guard type == Self.mediaType || type == Self.earlierMediaType else {
                throw bundle.invalid("mediaType", "is '\(type)', and must be '\(Self.mediaType)'")
            }
            let material = try bundle.object("verificationMaterial")
            signer = try Self.signer(material)
            certificates = signer == .certificates ? try Self.certificates(material) : []
            let envelope = try bundle.object("dsseEnvelope")
            payloadType = try envelope.string("payloadType")
            payload = try envelope.base64("payload")
            let signatures = try envelope.objects("signatures", maximum: 1)
            guard let first = signatures.first else {
                throw envelope.invalid("signatures", "must have one element")
            }
            signature = try first.base64("sig")
        } catch  where error.code == .fieldInvalid {
            throw ZooError(
                .signatureMalformed,
                "the signature is not a Sigstore bundle: \(error.message)",
                remedy: "get the signature again, or sign the folder with 'ami-zoo sign'",
                cause: error
            )
        }
    }

    private static func signer(_ material: JSONObject) throws(ZooError) -> Signer {
        if material.value("publicKey") != nil {
            let hint = try material.object("publicKey").value("hint")
            guard case .string(let hint)? = hint, (try? ContentDigest(hex: hint)) != nil else {
                return .key(hint: nil)
            }
            return .key(hint: hint)
        }
        if material.value("x509CertificateChain") != nil { return .certificates }
        guard material.value("certificate") != nil else {
            throw material.invalid("publicKey", "is missing, as are certificates")
        }
        return .sigstore
    }

    private static func certificates(_ material: JSONObject) throws(ZooError) -> [[UInt8]] {
        let chain = try material.object("x509CertificateChain")
        return try chain.objects("certificates", maximum: SignerCertificates.limit)
            .map { certificate throws(ZooError) in try certificate.base64("rawBytes") }
    }

    /// Signs a text.
    ///
    /// - Parameters:
    ///   - payload: the text.
    ///   - type: its media type.
    ///   - key: the key.
    ///   - certificates: the certificate of the key, with those of its issuers; nil to name the key alone.
    /// - Throws: ``ZooError`` with code `certificate.other-key`, or of the key.
    package init(
        signing payload: [UInt8],
        _ type: String,
        with key: some SigningKey,
        certificates: SignerCertificates? = nil
    ) async throws(ZooError) {
        guard certificates == nil || certificates?.key == key.publicKey else {
            throw ZooError(
                .certificateOtherKey,
                "the certificate is of another key than the private key",
                remedy: "give the certificate that was issued for this key"
            )
        }
        signature = try await key.signature(
            for: Self.preAuthenticationEncoding(of: payload, type)
        )
        signer = certificates == nil ? .key(hint: key.publicKey.hint) : .certificates
        self.certificates = certificates?.encoded ?? []
        self.payload = payload
        payloadType = type
    }

    /// The stored form.
    package var bytes: [UInt8] {
        get throws(ZooError) {
            let material: (String, JSONValue)
            switch signer {
            case .key(let hint?): material = ("publicKey", ["hint": .string(hint)])
            case .certificates:
                let chain = certificates.map { bytes -> JSONValue in
                    ["rawBytes": .string(Data(bytes).base64EncodedString())]
                }
                material = ("x509CertificateChain", ["certificates": .array(chain)])
            case .key(nil), .sigstore:
                throw ZooError(
                    .signatureUnsupported,
                    "only signatures of keys and certificates are written"
                )
            }
            let document: JSONValue = [
                "mediaType": .string(Self.mediaType),
                "verificationMaterial": .object([material.0: material.1, "tlogEntries": []]),
                "dsseEnvelope": [
                    "payload": .string(Data(payload).base64EncodedString()),
                    "payloadType": .string(payloadType),
                    "signatures": [
                        ["sig": .string(Data(signature).base64EncodedString()), "keyid": ""]
                    ],
                ],
            ]
            return document.canonicalBytes
        }
    }

    /// Verifies the signature of a key.
    ///
    /// - Returns: the signed text, which can be reached from here on.
    /// - Throws: ``ZooError`` with code `signature.unsupported` for a signature that names no key, or
    ///   `signature.invalid`.
    package func verified(by key: VerificationKey) throws(ZooError) -> SignedPayload {
        guard case .key(let hint) = signer else { throw notOfAKey }
        guard isValid(for: key) else {
            let isOther = hint.map { $0 != key.hint } ?? false
            throw ZooError(
                .signatureInvalid,
                isOther
                    ? "the signature names another key, \(hint?.prefix(12) ?? ""), and the given key is "
                        + "\(key.hint.prefix(12))"
                    : "the signature does not match what it signs, or is of another key than the "
                        + "given one, \(key.hint.prefix(12))",
                remedy:
                    "do not use the model before you know who signed it; ask its publisher for the "
                    + "key"
            )
        }
        return SignedPayload(type: payloadType, bytes: payload, key: key, certificate: nil)
    }

    /// Verifies the signature of somebody whom a trusted certificate vouches for.
    ///
    /// - Parameters:
    ///   - trusted: the root certificates that are trusted.
    ///   - now: the time of the check.
    /// - Returns: the signed text, which can be reached from here on.
    /// - Throws: ``ZooError`` with code `signature.unsupported` for a signature without certificates,
    ///   `signature.invalid`, or a `certificate.*` code.
    package func verified(
        by trusted: TrustedCertificates,
        at now: Timestamp
    ) async throws(ZooError) -> SignedPayload {
        guard case .certificates = signer else { throw notOfACertificate }
        let certificates = try SignerCertificates(der: certificates)
        guard isValid(for: certificates.key) else {
            throw ZooError(
                .signatureInvalid,
                "the signature does not match what it signs, or is of another key than that of the "
                    + "certificate in it",
                remedy: "do not use the model; get it and its signature again from its publisher"
            )
        }
        let facts = try await trusted.requireTrusted(certificates, at: now)
        return SignedPayload(
            type: payloadType,
            bytes: payload,
            key: certificates.key,
            certificate: facts
        )
    }

    /// Reads the text without regard to the signature.
    func reading<Result>(
        _ body: (_ type: String, _ bytes: [UInt8]) throws(ZooError) -> Result
    ) throws(ZooError) -> Result {
        try body(payloadType, payload)
    }

    /// Who signed, as the bundle claims; nothing about it is checked.
    package var claim: SignerClaim {
        switch signer {
        case .key(let hint): .key(hint)
        case .certificates:
            .certificate(
                certificates.first.flatMap { try? Certificate(der: $0).subject.shown } ?? ""
            )
        case .sigstore: .sigstore
        }
    }

    /// Whether a key signed the text, and the bundle names the signer by exactly these certificates, or without any by
    /// the key.
    package func isSigned(
        by key: VerificationKey,
        naming certificates: SignerCertificates?
    ) -> Bool {
        isValid(for: key) && self.certificates == certificates?.encoded ?? []
            && signer == (certificates == nil ? .key(hint: key.hint) : .certificates)
    }

    /// The signed text if a key signed it, whatever names the signer; for a check of what was just written.
    func text(signedWith key: VerificationKey) throws(ZooError) -> SignedPayload {
        guard isValid(for: key) else {
            throw ZooError(.signatureInvalid, "the signature is not of the key that signed")
        }
        return SignedPayload(type: payloadType, bytes: payload, key: key, certificate: nil)
    }

    private func isValid(for key: VerificationKey) -> Bool {
        key.isValid(
            signature,
            for: Self.preAuthenticationEncoding(of: payload, payloadType)
        )
    }

    private var notOfAKey: ZooError {
        guard case .certificates = signer else { return notSupported }
        return ZooError(
            .signatureUnsupported,
            "the signature was made with a certificate, and a key was given",
            remedy: "give the root certificate of the signer's authority with --certificate-chain"
        )
    }

    private var notOfACertificate: ZooError {
        guard case .key = signer else { return notSupported }
        return ZooError(
            .signatureUnsupported,
            "the signature names a key, and certificates were given",
            remedy: "give the public key of the signer with --key"
        )
    }

    private var notSupported: ZooError {
        ZooError(
            .signatureUnsupported,
            "the signature is one of Sigstore, with a certificate of some minutes and an entry in a log",
            remedy: "verify it with the 'model-signing' tool of the OpenSSF"
        )
    }

    /// What is signed: DSSE's `PAE(type, body)`.
    private static func preAuthenticationEncoding(of body: [UInt8], _ type: String) -> [UInt8] {
        Array("DSSEv1 \(type.utf8.count) \(type) \(body.count) ".utf8) + body
    }
}

/// Who signed something, as it claims.
package enum SignerClaim: Sendable, Equatable {
    /// The owner of a key; the name of the key, if it is stated.
    case key(String?)
    /// The subject of a certificate, a distinguished name.
    case certificate(String)
    /// The subject of a certificate of Sigstore.
    case sigstore
}

/// A text whose signature was verified; there is no other way to make one.
package struct SignedPayload: Sendable {
    /// The media type, which is signed too.
    package let type: String
    /// The text.
    package let bytes: [UInt8]
    /// The key that signed it.
    package let key: VerificationKey
    /// What the certificate of the signer says; nil if only the key is known.
    package let certificate: SignerFacts?

    fileprivate init(
        type: String,
        bytes: [UInt8],
        key: VerificationKey,
        certificate: SignerFacts?
    ) {
        self.type = type
        self.bytes = bytes
        self.key = key
        self.certificate = certificate
    }
}

extension JSONObject {
    /// Bytes as Base64 with padding (RFC 4648), in the standard or the URL-safe alphabet.
    fileprivate func base64(_ name: String) throws(ZooError) -> [UInt8] {
        guard case .string(let text) = try required(name) else {
            throw invalid(name, "must be a string")
        }
        let standard = text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        guard let data = Data(base64Encoded: Data(standard)), !data.isEmpty else {
            throw invalid(name, "is not Base64")
        }
        return Array(data)
    }
}
