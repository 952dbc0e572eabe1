// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTrust

/// Signatures over in-toto statements.
@Suite struct StatementSignatureTests {
    private static let statement = Array(#"{"_type":"https://in-toto.io/Statement/v1"}"#.utf8)

    private static func code(
        _ bundle: [UInt8],
        _ statement: [UInt8],
        _ key: VerificationKey
    ) async -> String? {
        do {
            _ = try await StatementSignature(bundle, over: statement, by: .key(key))
            return nil
        } catch {
            return error.code.rawValue
        }
    }

    /// Every byte of the statement, and of the bundle: refused, or the bundle says the same.
    @Test func aChangedStatementIsNotTheSignedOne() async throws {
        let key = try PrivateKey.generate()
        let bundle = try await StatementSignature.sign(Self.statement, with: key)
        #expect(await Self.code(bundle, Self.statement, key.publicKey) == nil)
        for position in Self.statement.indices {
            var changed = Self.statement
            changed[position] ^= 1
            let code = await Self.code(bundle, changed, key.publicKey)
            #expect(code == "signature.invalid")
        }
        #expect(await Self.code(bundle, Self.statement + [0x20], key.publicKey) != nil)
        var accepted = 0
        for position in bundle.indices {
            var changed = bundle
            changed[position] ^= 1
            let code = await Self.code(changed, Self.statement, key.publicKey)
            if code == nil { accepted += 1 }
        }
        // The hint of 64 digits, and names of members that are not read: nobody signs them.
        #expect(accepted < 100)
        let other = try PrivateKey.generate().publicKey
        #expect(await Self.code(bundle, Self.statement, other) == "signature.invalid")
    }

    /// A signature of a model's files is none of evidence, and the other way round.
    @Test func oneKindOfStatementIsNotTheOther() async throws {
        let key = try PrivateKey.generate()
        let files = [(path: "config.json", digest: ContentDigest(of: [1]))]
        let model = try await ModelSigner(key: key).sign("m", files)
        let code = await Self.code(try model.bytes, Self.statement, key.publicKey)
        #expect(code == "signature.invalid")
        let bundle = try await StatementSignature.sign(Self.statement, with: key)
        let error = #expect(throws: ZooError.self) {
            try SignedModel(try SignatureBundle(parsing: bundle).verified(by: key.publicKey))
        }
        #expect(error?.code.rawValue.hasPrefix("signature.") == true)
        let typed = try await SignatureBundle(signing: Self.statement, "text/plain", with: key)
        let other = await Self.code(try typed.bytes, Self.statement, key.publicKey)
        #expect(other == "signature.invalid")
    }

    /// What is published with a release is about exactly its files.
    @Test func aSignatureOfOtherFilesDiffers() async throws {
        let digests = (0..<4).map { ContentDigest(of: [UInt8($0)]) }
        let files = [(path: "a", digest: digests[0]), (path: "b/c", digest: digests[1])]
        let bundle = try await ModelSigner(key: try PrivateKey.generate()).sign("m", files)
        #expect(try bundle.difference(from: files.reversed()) == nil)
        for other in [
            [files[0]], files + [("d", digests[2])], [files[0], ("b/c", digests[3])],
            [("A", digests[0]), files[1]], [("a", digests[1]), ("b/c", digests[0])],
        ] {
            #expect(try bundle.difference(from: other) != nil)
        }
    }
}
