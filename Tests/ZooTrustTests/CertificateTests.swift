// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTesting
import ZooTrust

/// Signatures with certificates: those of the reference tool, lax ones, and those of ours.
@Suite struct CertificateTests {
    private static let vectors = "\(ModelSignatureTests.vectors)/certificates"
    /// The certificates of the vectors are valid, except the two short ones.
    private static let now = Timestamp(secondsSince1970: 1_900_000_000)

    private static func bundle(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: "\(vectors)/\(name).sig")))
    }

    private static func trusted(_ name: String) throws -> TrustedCertificates {
        try TrustedCertificates(pem: try text("\(name).pem"))
    }

    private static func text(_ file: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: "\(vectors)/\(file)")), as: UTF8.self)
    }

    private static func verified(
        _ name: String,
        by trusted: TrustedCertificates,
        at now: Timestamp = now
    ) async throws -> SignedPayload {
        try await SignatureBundle(parsing: try bundle(name)).verified(by: trusted, at: now)
    }

    // MARK: The reference tool

    @Test(arguments: ["sound", "p384", "p521", "whole-chain", "issuer-known"])
    func signaturesOfTheReferenceToolHold(name: String) async throws {
        let payload = try await Self.verified(name, by: try Self.trusted(name))
        let facts = try #require(payload.certificate)
        #expect(facts.subject.contains("CN=Signer") && facts.issuer.contains("O=Lab"))
        let check = try await SignatureCheck(
            try SignedModel(payload),
            "\(ModelSignatureTests.vectors)/model",
            signature: "-"
        )
        #expect(check.passed && check.files == 6)
    }

    /// Each with its own reason; the reference tool accepts nine of them.
    @Test(arguments: [
        ("issuer-missing", "untrusted"), ("other-root", "untrusted"),
        ("no-usage", "key-usage"), ("extended-usage-only", "key-usage"),
        ("encipherment", "key-usage"), ("web-server", "key-usage"),
        ("authority", "authority"), ("alone", "chain-invalid"),
        ("expired", "expired"), ("issuer-expired", "expired"),
        ("issuer-not-authority", "chain-invalid"), ("issuer-without-usage", "chain-invalid"),
        ("issuer-version-1", "chain-invalid"), ("issuer-of-mail", "chain-invalid"),
        ("path-too-long", "chain-invalid"), ("sha1", "chain-invalid"),
        ("critical", "chain-invalid"),
    ])
    func laxCertificatesAreRefused(name: String, reason: String) async throws {
        let trusted = try Self.trusted(name)
        let error = await #expect(throws: ZooError.self) {
            try await Self.verified(name, by: trusted)
        }
        #expect(error?.code.rawValue == "certificate.\(reason)", "\(error?.message ?? "")")
        #expect(error?.remedy != nil)
    }

    /// The vectors prove strictness only where the reference tool is lax.
    @Test func theReferenceToolAcceptsLaxCertificates() throws {
        let document = try JSONObject(
            try JSONValue(parsing: Array(try Self.text("reference.json").utf8))
        )
        for name in [
            "extended-usage-only", "encipherment", "web-server", "authority", "alone", "expired",
            "issuer-expired", "issuer-of-mail", "sha1",
        ] {
            #expect(document.value(name) == .bool(true), "\(name)")
        }
    }

    @Test(arguments: ["2020-01-01T00:00:00Z", "2150-01-01T00:00:00Z"])
    func aCertificateIsValidForItsTimeOnly(time: String) async throws {
        let now = try #require(Timestamp(parsing: time))
        let trusted = try Self.trusted("sound")
        let error = await #expect(throws: ZooError.self) {
            try await Self.verified("sound", by: trusted, at: now)
        }
        #expect(error?.code == .certificateExpired)
    }

    /// The chain of one signature with the text of another, and with a key that no signature is defined for.
    @Test func aSignatureOfAnotherKeyIsRefused() async throws {
        func certificates(_ bytes: [UInt8]) throws -> JSONValue {
            let material = try JSONObject(try JSONValue(parsing: bytes))
                .object("verificationMaterial")
            return try material.required("x509CertificateChain")
        }
        let own = try certificates(try Self.bundle("sound")).canonicalBytes
        let text = String(
            decoding: try JSONValue(parsing: try Self.bundle("sound")).canonicalBytes,
            as: UTF8.self
        )
        let trusted = try Self.trusted("sound")
        let rsa = Data(
            try Self.text("rsa-signer.pem").split(separator: "\n").dropFirst().dropLast().joined()
                .utf8
        )
        let unsupported =
            #"{"certificates":[{"rawBytes":"\#(String(decoding: rsa, as: UTF8.self))"}]}"#
        for (other, code) in [
            (try certificates(try Self.bundle("whole-chain")).canonicalBytes, "signature.invalid"),
            (Array(unsupported.utf8), "certificate.malformed"),
            (Array(#"{"certificates":[]}"#.utf8), "certificate.malformed"),
            (Array(#"{"certificates":[{"rawBytes":"MAA="}]}"#.utf8), "certificate.malformed"),
        ] {
            let changed = text.replacingOccurrences(
                of: String(decoding: own, as: UTF8.self),
                with: String(decoding: other, as: UTF8.self)
            )
            #expect(changed != text)
            let error = await #expect(throws: ZooError.self) {
                try await SignatureBundle(parsing: Array(changed.utf8))
                    .verified(by: trusted, at: Self.now)
            }
            #expect(error?.code.rawValue == code)
        }
    }

    // MARK: Changes

    /// Every byte of a bundle, with two changes each: it is refused, or says the same of the same signer.
    @Test func aChangedSignatureIsRefusedOrSaysTheSame() async throws {
        let bytes = try Self.bundle("sound")
        let trusted = try Self.trusted("sound")
        let signed = try await Self.verified("sound", by: trusted)
        var accepted = 0
        for position in bytes.indices {
            for change in [UInt8(1), 0x20] {
                var changed = bytes
                changed[position] ^= change
                guard
                    let payload = try? await SignatureBundle(parsing: changed)
                        .verified(by: trusted, at: Self.now)
                else { continue }
                #expect(payload.bytes == signed.bytes && payload.type == signed.type)
                #expect(payload.key == signed.key && payload.certificate == signed.certificate)
                accepted += 1
            }
        }
        // Members that nobody signs, and white space.
        #expect(accepted < bytes.count / 4)
    }

    /// Every byte of a file with a root: the signature is refused, or the root is the same.
    @Test func aChangedRootIsAnotherRoot() async throws {
        let text = Array(try Self.text("sound.pem").utf8)
        let bundle = try SignatureBundle(parsing: try Self.bundle("sound"))
        for position in text.indices {
            for change in [UInt8(1), 0x20] {
                var changed = text
                changed[position] ^= change
                guard
                    let trusted = try? TrustedCertificates(
                        pem: String(decoding: changed, as: UTF8.self)
                    )
                else { continue }
                let payload = try? await bundle.verified(by: trusted, at: Self.now)
                let lines = (before: Self.base64(text), after: Self.base64(changed))
                #expect(payload == nil || lines.before == lines.after, "byte \(position)")
            }
        }
    }

    private static func base64(_ text: [UInt8]) -> Data? {
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        return Data(base64Encoded: lines.dropFirst().dropLast().joined())
    }

    /// Authorities that vouch for each other could keep a reader busy for as long as there are ways through them.
    @Test(arguments: [(6, nil), (7, "signature.malformed")])
    func aSignatureHasFewCertificates(count: Int, code: String?) async throws {
        let bundle = try JSONObject(try JSONValue(parsing: try Self.bundle("whole-chain")))
        let chain = try bundle.object("verificationMaterial").object("x509CertificateChain")
        let certificates = try chain.objects("certificates", maximum: 9)
            .map { JSONValue.object($0.members) }
        let repeated = Array(repeating: certificates[1], count: count - certificates.count)
        var members = bundle.members
        members["verificationMaterial"] = [
            "x509CertificateChain": ["certificates": .array(certificates + repeated)]
        ]
        let found = await Self.code(
            JSONValue.object(members).canonicalBytes,
            by: try Self.trusted("whole-chain")
        )
        #expect(found == code)
    }

    /// The code of the refusal; nil if the signature holds.
    private static func code(_ bundle: [UInt8], by trusted: TrustedCertificates) async -> String? {
        do throws(ZooError) {
            _ = try await SignatureBundle(parsing: bundle).verified(by: trusted, at: now)
            return nil
        } catch {
            return error.code.rawValue
        }
    }

    @Test func aFileWithoutARootTrustsNobody() throws {
        let bundle = try Self.text("issuer-known.pem")
        let second = try #require(bundle.range(of: "-----BEGIN", options: .backwards))
        for text in ["", "x", String(bundle[second.lowerBound...])] {
            let error = #expect(throws: ZooError.self) { try TrustedCertificates(pem: text) }
            #expect(error?.code == .certificateMalformed)
        }
    }

    @Test func keysAndCertificatesAreNotTakenForEachOther() async throws {
        let trusted = try Self.trusted("sound")
        let key = try Data(contentsOf: URL(filePath: "\(ModelSignatureTests.vectors)/p256.sig"))
        let error = await #expect(throws: ZooError.self) {
            try await SignatureBundle(parsing: Array(key)).verified(by: trusted, at: Self.now)
        }
        #expect(error?.code == .signatureUnsupported && error?.remedy?.contains("--key") == true)
        let other = try await Self.verified("sound", by: trusted).key
        let refused = #expect(throws: ZooError.self) {
            try SignatureBundle(parsing: try Self.bundle("sound")).verified(by: other)
        }
        #expect(refused?.remedy?.contains("--certificate-chain") == true)
    }

    // MARK: Own signatures

    @Test func ownSignaturesNameTheirSigner() async throws {
        try await TemporaryFolder.with { folder in
            let authority = try await TestAuthority(in: folder)
            let (key, certificate) = try await authority.signer("/O=Lab/CN=Signer")
            let certificates = try SignerCertificates(pem: certificate, chain: authority.root)
            let result = try await ModelSigner(key: key, certificates: certificates)
                .sign("\(ModelSignatureTests.vectors)/model", signature: "-")
            let now = Timestamp(secondsSince1970: Int(Date.now.timeIntervalSince1970) + 60)
            let payload = try await SignatureBundle(parsing: try result.bundle.bytes)
                .verified(by: try TrustedCertificates(pem: authority.root), at: now)
            #expect(payload.certificate?.subject.contains("CN=Signer") == true)
            #expect(payload.key == key.publicKey)

            let other = ModelSigner(key: try PrivateKey.generate(), certificates: certificates)
            let error = await #expect(throws: ZooError.self) {
                try await other.sign("\(ModelSignatureTests.vectors)/model", signature: "-")
            }
            #expect(error?.code == .certificateOtherKey)
            let year = Timestamp(secondsSince1970: Int(Date.now.timeIntervalSince1970) + 31_536_000)
            #expect(throws: ZooError.self) { try certificates.requireValid(at: year) }
        }
    }
}

/// An authority that OpenSSL makes, with a root certificate that is valid for thirty days.
struct TestAuthority {
    private let folder: TemporaryFolder
    /// The root certificate.
    let root: String

    init(in folder: TemporaryFolder) async throws {
        self.folder = folder
        try await Self.openssl(
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "30",
            "-subj",
            "/CN=Root",
            "-addext",
            "keyUsage=critical,keyCertSign",
            "-keyout",
            folder.path(of: "root.key"),
            "-out",
            folder.path(of: "root.pem")
        )
        root = String(decoding: try folder.read("root.pem"), as: UTF8.self)
    }

    /// Issues a certificate for a new key.
    func signer(_ name: String) async throws -> (PrivateKey, certificate: String) {
        let (key, request) = (folder.path(of: "signer.key"), folder.path(of: "signer.csr"))
        try await Self.openssl(
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            name,
            "-keyout",
            key,
            "-out",
            request
        )
        try folder.write(Array("keyUsage=critical,digitalSignature\n".utf8), to: "signer.cnf")
        try await Self.openssl(
            "x509",
            "-req",
            "-in",
            request,
            "-days",
            "30",
            "-CA",
            folder.path(of: "root.pem"),
            "-CAkey",
            folder.path(of: "root.key"),
            "-CAcreateserial",
            "-extfile",
            folder.path(of: "signer.cnf"),
            "-out",
            folder.path(of: "signer.pem")
        )
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
        return (
            try KeyFolder.privateKey(in: key, passphrase: { nil }),
            String(decoding: try folder.read("signer.pem"), as: UTF8.self)
        )
    }

    private static func openssl(_ arguments: String...) async throws {
        let run = try await ProgramRun("/usr/bin/openssl", arguments)
        try #require(run.status == 0, "\(run.errors)")
    }
}
