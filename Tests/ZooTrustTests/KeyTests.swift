// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTesting
import ZooTrust

/// Key files: those of OpenSSL, encrypted, exposed, revoked, and those of ours read by OpenSSL.
@Suite struct KeyTests {
    private let now = Timestamp(secondsSince1970: 1_800_000_000)

    private func openssl(_ arguments: String...) async throws -> ProgramRun {
        let run = try await ProgramRun("/usr/bin/openssl", arguments)
        try #require(run.status == 0, "\(run.errors)")
        return run
    }

    /// Makes a key on P-256 with OpenSSL.
    private func makeKey(at path: String) async throws {
        let curve = "ec_paramgen_curve:P-256"
        _ = try await openssl("genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", path)
    }

    private func code(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return (error as? ZooError)?.code.rawValue ?? "\(error)"
        }
    }

    @Test(arguments: ["P-256", "P-384", "P-521"])
    func keysOfOpenSSLSignWhatOpenSSLVerifies(curve: String) async throws {
        try await TemporaryFolder.with { folder in
            let file = folder.path(of: "key.pem")
            let group = "ec_paramgen_curve:\(curve)"
            _ = try await openssl("genpkey", "-algorithm", "EC", "-pkeyopt", group, "-out", file)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            let key = try KeyFolder.privateKey(in: file, passphrase: { nil })
            let message = Array("a statement".utf8)
            try folder.write(try key.signature(for: message), to: "signature")
            try folder.write(message, to: "message")
            let exported = folder.path(of: "key.pub")
            _ = try await openssl("pkey", "-in", file, "-pubout", "-out", exported)
            #expect(try KeyFolder.publicKey(in: exported) == key.publicKey)
            #expect(
                String(decoding: try folder.read("key.pub"), as: UTF8.self)
                    == key.publicKey.pem + "\n"
            )
            let hash = ["P-256": "-sha256", "P-384": "-sha384", "P-521": "-sha512"][curve] ?? ""
            let verified = try await openssl(
                "dgst",
                hash,
                "-verify",
                exported,
                "-signature",
                folder.path(of: "signature"),
                folder.path(of: "message")
            )
            #expect(verified.output.contains("Verified OK"))
        }
    }

    @Test(arguments: [["-v2", "aes-256-cbc"], ["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"]])
    func encryptedKeysOfOpenSSLAreRead(options: [String]) async throws {
        try await TemporaryFolder.with { folder in
            let (plain, file) = (folder.path(of: "plain.pem"), folder.path(of: "key.pem"))
            try await makeKey(at: plain)
            let run = try await ProgramRun(
                "/usr/bin/openssl",
                ["pkcs8", "-topk8", "-in", plain, "-out", file, "-passout", "pass:secret"] + options
            )
            try #require(run.status == 0, "\(run.errors)")
            for path in [plain, file] {
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o600],
                    ofItemAtPath: path
                )
            }
            let key = try KeyFolder.privateKey(in: file, passphrase: { Array("secret".utf8) })
            let same = try KeyFolder.privateKey(in: plain, passphrase: { nil })
            #expect(key.publicKey == same.publicKey)
            #expect(
                code { _ = try KeyFolder.privateKey(in: file, passphrase: { nil }) } == "key.locked"
            )
            #expect(
                code {
                    _ = try KeyFolder.privateKey(in: file, passphrase: { Array("Secret".utf8) })
                } == "key.locked"
            )
        }
    }

    @Test func keysOfOursAreReadByOpenSSL() async throws {
        try await TemporaryFolder.with { folder in
            let keys = KeyFolder(folder.path(of: "keys"))
            let (open, locked) = (try PrivateKey.generate(), try PrivateKey.generate())
            try keys.store(open, named: "open", passphrase: nil)
            try keys.store(locked, named: "locked", passphrase: Array("secret".utf8))
            for (name, key) in [("open", open), ("locked", locked)] {
                let run = try await openssl(
                    "pkey",
                    "-in",
                    folder.path(of: "keys/\(name).pem"),
                    "-passin",
                    "pass:secret",
                    "-pubout"
                )
                #expect(run.output == key.publicKey.pem + "\n")
                let status = try FileSystem.status(folder.path(of: "keys/\(name).pem"))
                #expect(status?.permissions == 0o600)
            }
            #expect(try keys.entries().map(\.name) == ["locked", "open"])
            #expect(
                try keys.privateKey(named: "locked", passphrase: { Array("secret".utf8) }).publicKey
                    == locked.publicKey
            )
            #expect(
                code { try keys.store(open, named: "open", passphrase: nil) } == "key.name-invalid"
            )
            // The first key is still there.
            #expect(try keys.publicKey(named: "open") == open.publicKey)
        }
    }

    @Test func exposedAndMalformedKeysAreRefused() async throws {
        try await TemporaryFolder.with { folder in
            let pem = try PrivateKey.generate().pem(passphrase: nil)
            try folder.write(Array(pem.utf8), to: "key.pem")
            let file = folder.path(of: "key.pem")
            for mode in [0o644, 0o640, 0o604, 0o660] {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
                #expect(
                    code { _ = try KeyFolder.privateKey(in: file, passphrase: { nil }) }
                        == "key.exposed"
                )
            }
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            #expect(code { _ = try KeyFolder.publicKey(in: file) } == "key.malformed")
            for text in ["", "x", pem.replacing("BEGIN", with: "BEGUN"), String(pem.dropLast(60))] {
                try folder.write(Array(text.utf8), to: "key.pem")
                #expect(
                    code { _ = try KeyFolder.privateKey(in: file, passphrase: { nil }) }
                        == "key.malformed"
                )
            }
        }
    }

    /// Every byte of an encrypted key: it is refused, or is the same key.
    @Test func changedEncryptedKeysAreRefused() async throws {
        try await TemporaryFolder.with { folder in
            let (plain, file) = (folder.path(of: "plain.pem"), folder.path(of: "key.pem"))
            try await makeKey(at: plain)
            _ = try await openssl(
                "pkcs8",
                "-topk8",
                "-in",
                plain,
                "-out",
                file,
                "-passout",
                "pass:secret"
            )
            let bytes = try folder.read("key.pem")
            let passphrase = Array("secret".utf8)
            let key = try PrivateKey(
                pem: String(decoding: bytes, as: UTF8.self),
                passphrase: { passphrase }
            ).publicKey
            for position in bytes.indices {
                var changed = bytes
                changed[position] ^= 1
                let text = String(decoding: changed, as: UTF8.self)
                if let found = try? PrivateKey(pem: text, passphrase: { passphrase }) {
                    #expect(found.publicKey == key)
                }
            }
        }
    }

    @Test func revokedKeysAreRefused() async throws {
        try await TemporaryFolder.with { folder in
            let keys = KeyFolder(folder.path(of: "keys"))
            let key = try PrivateKey.generate()
            try keys.store(key, named: "one", passphrase: nil)
            try keys.requireUsable(key.publicKey, to: .verify)
            #expect(try keys.revoke(key.publicKey, at: now))
            #expect(try !keys.revoke(key.publicKey, at: now))
            #expect(code { try keys.requireUsable(key.publicKey, to: .verify) } == "key.revoked")
            #expect(try keys.entries().map(\.revoked) == [now])
            let other = try PrivateKey.generate().publicKey
            try keys.requireUsable(other, to: .sign)
            // A damaged file does not make a revoked key usable, and revokes no other.
            for text in ["", "yesterday", "{}"] {
                try folder.write(Array(text.utf8), to: "keys/revoked/\(key.publicKey.hint)")
                #expect(code { try keys.requireUsable(key.publicKey, to: .sign) } != nil)
                try keys.requireUsable(other, to: .verify)
            }
        }
    }

    /// Two revocations at once are both kept.
    @Test func concurrentRevocationsAreKept() async throws {
        try await TemporaryFolder.with { folder in
            let keys = KeyFolder(folder.path(of: "keys"))
            let all = try (0..<16).map { _ in try PrivateKey.generate().publicKey }
            try await withThrowingTaskGroup { group in
                for key in all {
                    group.addTask { [now] in _ = try keys.revoke(key, at: now) }
                }
                try await group.waitForAll()
            }
            for key in all {
                #expect(code { try keys.requireUsable(key, to: .verify) } == "key.revoked")
            }
        }
    }

    @Test func aKeyIsNotPrinted() throws {
        let key = try PrivateKey.generate()
        let secret = try key.pem(passphrase: nil).split(separator: "\n")[1]
        for text in ["\(key)", String(reflecting: key), String(describing: [key])] {
            #expect(!text.contains(secret) && text.contains(key.publicKey.hint.prefix(12)))
        }
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!dumped.contains("p256"))
    }

    /// What `openssl ecparam -genkey` writes, and a key with a compressed point.
    @Test func otherFormsOfOpenSSLAreRead() async throws {
        try await TemporaryFolder.with { folder in
            let file = folder.path(of: "key.pem")
            for options in [["-conv_form", "uncompressed"], ["-conv_form", "compressed"]] {
                _ = try await openssl(
                    "ecparam",
                    "-name",
                    "prime256v1",
                    "-genkey",
                    "-out",
                    folder.path(of: "both.pem")
                )
                let run = try await ProgramRun(
                    "/usr/bin/openssl",
                    ["ec", "-in", folder.path(of: "both.pem"), "-out", file] + options
                )
                try #require(run.status == 0, "\(run.errors)")
                let exported = try await openssl(
                    "ec",
                    "-in",
                    file,
                    "-pubout",
                    "-conv_form",
                    "uncompressed"
                )
                for path in [file, folder.path(of: "both.pem")] {
                    let text = String(
                        decoding: try Data(contentsOf: URL(filePath: path)),
                        as: UTF8.self
                    )
                    let key = try PrivateKey(pem: text, passphrase: { nil })
                    #expect(key.publicKey.pem + "\n" == exported.output, "\(options) \(path)")
                }
            }
        }
    }

    @Test(arguments: ["", ".hidden", "a/b", "..", "a.pem", "a.pub", "ä", "a b"])
    func namesThatAreNoNamesAreRefused(name: String) async throws {
        try await TemporaryFolder.with { folder in
            let keys = KeyFolder(folder.path(of: "keys"))
            let key = try PrivateKey.generate()
            #expect(
                code { try keys.store(key, named: name, passphrase: nil) } == "key.name-invalid"
            )
        }
    }
}
