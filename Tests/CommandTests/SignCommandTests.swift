// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// `keys`, `sign` and `verify --key` as their users run them.
@Suite struct SignCommandTests {
    private func made(_ zoo: Program, _ folder: TemporaryFolder) async throws -> String {
        #expect(try await zoo("keys", "new", "lab").status == 0)
        let exported = try await zoo("keys", "export", "lab")
        try folder.write(Array(exported.output.utf8), to: "lab.pub")
        return folder.path(of: "lab.pub")
    }

    @Test func aReleaseIsSignedAndVerified() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let key = try await made(zoo, folder)
            let model = folder.path(of: "model")
            #expect(try await zoo("pull", "ami/ball-drop", "--to", model).status == 0)
            let signed = try await zoo("sign", model, "--key", "lab", "--json")
            #expect(signed.status == 0, "\(signed.errors)")
            let files = try signed.document.strings("files", maximum: 100)
            #expect(files.contains("read_outs/trajectory.safetensors"))

            let text = try await zoo("verify", model, "--key", "lab")
            #expect(text.output.contains("not signed: .ami-zoo ("))
            let unchecked = try await zoo("verify", model)
            #expect(unchecked.status == 0)
            #expect(unchecked.output.contains(", not checked; --key or --certificate-chain checks"))
            for name in [key, "lab"] {
                let verified = try await zoo("verify", model, "--key", name, "--json")
                #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
                let signature = try verified.document.object("signature")
                #expect(try signature.string("status") == "passed")
                #expect(try signature.integer("files", in: 0...100) == files.count)
                // The signature proves nothing about where the manifest comes from.
                let anchor = try verified.document.object("anchor")
                #expect(try anchor.string("kind") != "signature")
            }
            let again = try await zoo("sign", model, "--key", "lab")
            #expect(again.status != 0 && again.errors.contains("io.exists"))

            #expect(try await zoo("keys", "revoke", "lab").status == 0)
            for arguments in [["verify", model, "--key", key], ["sign", model, "--key", "lab"]] {
                let run = try await ProgramRun(
                    Program.executable,
                    arguments + (arguments[0] == "sign" ? ["--signature", "\(model).sig"] : []),
                    environment: zoo.environment
                )
                #expect(run.status == 77, "\(run.output)\(run.errors)")
                #expect(run.errors.contains("key.revoked"))
            }
        }
    }

    @Test func aForeignFolderIsVerifiedByItsSignatureAlone() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let vectors = "\(Program.root)Tests/Vectors/signatures"
            let model = folder.path(of: "model")
            try FileManager.default.copyItem(atPath: "\(vectors)/model", toPath: model)
            try FileManager.default.copyItem(
                atPath: "\(vectors)/p256.sig",
                toPath: "\(model)/model.sig"
            )
            let run = try await zoo("verify", model, "--key", "\(vectors)/p256.pub")
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output.contains("6 files") && run.output.contains("only the signature"))
            let other = try await zoo("verify", model, "--key", "\(vectors)/p384.pub")
            #expect(other.status == 1 && other.output.contains("signature.invalid"))
            try folder.write([0], to: "model/config.json")
            let changed = try await zoo("verify", model, "--key", "\(vectors)/p256.pub", "--json")
            #expect(changed.status == 1)
            let findings = try changed.document.objects("findings", maximum: 10)
            #expect(try findings.map { try $0.string("path") } == ["config.json"])
            // A signature that is required and missing is a finding, with the whole report.
            try FileManager.default.removeItem(atPath: "\(model)/model.sig")
            let missing = try await zoo("verify", model, "--key", "\(vectors)/p256.pub")
            #expect(missing.status == 1 && missing.output.contains("signature.missing"))
            // Without a key there is nothing to compare it with.
            #expect(try await zoo("verify", model).status == 65)
        }
    }

    /// With a certificate that OpenSSL issues; the root alone is given to the one who verifies.
    @Test func aCertificateNamesTheSigner() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            func openssl(_ arguments: String...) async throws {
                let run = try await ProgramRun("/usr/bin/openssl", arguments)
                try #require(run.status == 0, "\(run.errors)")
            }
            let path = folder.path(of:)
            for name in ["root", "signer"] {
                try await openssl(
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
                    "/CN=\(name)",
                    "-keyout",
                    path("\(name).key"),
                    "-out",
                    path("\(name).pem")
                )
            }
            try folder.write(Array("keyUsage=critical,digitalSignature\n".utf8), to: "usage")
            try await openssl(
                "req",
                "-new",
                "-key",
                path("signer.key"),
                "-subj",
                "/CN=Lab",
                "-out",
                path("csr")
            )
            try await openssl(
                "x509",
                "-req",
                "-in",
                path("csr"),
                "-days",
                "30",
                "-CA",
                path("root.pem"),
                "-CAkey",
                path("root.key"),
                "-CAcreateserial",
                "-extfile",
                path("usage"),
                "-out",
                path("lab.pem")
            )
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600],
                ofItemAtPath: path("signer.key")
            )
            try folder.write([1], to: "model/config.json")
            let model = path("model")
            // One that signs itself is an authority, as OpenSSL makes it.
            let own = try await zoo(
                "sign",
                model,
                "--key",
                path("signer.key"),
                "--certificate",
                path("signer.pem")
            )
            #expect(own.status == 77 && own.errors.contains("certificate.authority"))
            let signed = try await zoo(
                "sign",
                model,
                "--key",
                path("signer.key"),
                "--certificate",
                path("lab.pem"),
                "--json"
            )
            #expect(signed.status == 0, "\(signed.errors)")
            let facts = try signed.document.object("certificate")
            #expect(try facts.string("subject") == "CN=Lab")
            let verified = try await zoo("verify", model, "--certificate-chain", path("root.pem"))
            #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
            #expect(verified.output.contains("by 'CN=Lab', for whom 'CN=root' vouches until"))
            let other = try await zoo(
                "verify",
                model,
                "--certificate-chain",
                path("signer.pem"),
                "--json"
            )
            #expect(other.status == 1 && other.output.contains("certificate.untrusted"))
            let key = try signed.document.string("key")
            try folder.write(
                Array("2026-01-01T00:00:00Z".utf8),
                to: "store-config/ami-zoo/keys/revoked/\(key)"
            )
            let revoked = try await zoo("verify", model, "--certificate-chain", path("root.pem"))
            #expect(revoked.status == 1 && revoked.output.contains("key.revoked"))
        }
    }

    /// A folder without its manifest is not accepted in place of what an option asks for.
    @Test(arguments: [
        ["--digest", "sha256:" + String(repeating: "a", count: 64)], ["--deep"],
        ["--only", "encoder"],
    ])
    func aSignatureDoesNotReplaceAnAnchor(options: [String]) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let vectors = "\(Program.root)Tests/Vectors/signatures"
            let arguments = ["verify", "\(vectors)/model", "--signature", "\(vectors)/p256.sig"]
            let run = try await ProgramRun(
                Program.executable,
                arguments + ["--key", "\(vectors)/p256.pub"] + options,
                environment: zoo.environment
            )
            #expect(run.status == 65 && run.errors.contains("store.not-a-release"))
        }
    }

    /// A file that came with a model does not take the place of the user's key.
    @Test func aFileOfTheNameOfAKeyIsNotTheKey() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let vectors = "\(Program.root)Tests/Vectors/signatures"
            try FileManager.default.copyItem(
                atPath: "\(vectors)/model",
                toPath: folder.path(of: "model")
            )
            for (from, to) in [("p256.sig", "model.sig"), ("p256.pub", "lab")] {
                try FileManager.default.copyItem(
                    atPath: "\(vectors)/\(from)",
                    toPath: folder.path(of: "model/\(to)")
                )
            }
            _ = try await made(zoo, folder)
            func verify(_ key: String) async throws -> ProgramRun {
                try await ProgramRun(
                    "/bin/sh",
                    [
                        "-c",
                        "cd \(folder.path(of: "model")) && \(Program.executable) verify . --key \(key)",
                    ],
                    environment: zoo.environment
                )
            }
            let named = try await verify("lab")
            #expect(named.status == 1 && named.output.contains("signature.invalid"))
            #expect(try await zoo("keys", "revoke", "lab").status == 0)
            // The file is signed with another key, and is itself not signed.
            let path = try await verify("./lab")
            #expect(path.status == 1 && path.output.contains("'lab' is not signed"))
        }
    }

    @Test func aKeyInTheFolderIsNotPublished() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            _ = try await made(zoo, folder)
            try folder.write([1], to: "model/config.json")
            try FileManager.default.copyItem(
                atPath: "\(zoo.store)-config/ami-zoo/keys/lab.pem",
                toPath: folder.path(of: "model/lab.pem")
            )
            let model = folder.path(of: "model")
            let run = try await zoo("sign", model, "--key", "\(model)/lab.pem")
            #expect(run.status == 77 && run.errors.contains("key.exposed"))
        }
    }

    /// A passphrase and a key appear in no output and in no command line.
    @Test func anEncryptedKeyNeedsItsPassphrase() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            try folder.write([1], to: "model/config.json")
            let model = folder.path(of: "model")
            var environment = zoo.environment
            environment["AMI_ZOO_KEY_PASSPHRASE"] = "correct horse"
            let made = try await ProgramRun(
                Program.executable,
                ["keys", "new", "safe", "--encrypt"],
                environment: environment
            )
            #expect(made.status == 0, "\(made.errors)")
            let locked = try await zoo("sign", model, "--key", "safe")
            #expect(locked.status == 77 && locked.errors.contains("key.locked"))
            environment["AMI_ZOO_KEY_PASSPHRASE"] = "wrong horse"
            let wrong = try await ProgramRun(
                Program.executable,
                ["sign", model, "--key", "safe"],
                environment: environment
            )
            #expect(wrong.status == 77 && !wrong.errors.contains("horse"))
            #expect(!FileManager.default.fileExists(atPath: "\(model)/model.sig"))
            environment["AMI_ZOO_KEY_PASSPHRASE"] = "correct horse"
            let signed = try await ProgramRun(
                Program.executable,
                ["sign", model, "--key", "safe"],
                environment: environment
            )
            #expect(signed.status == 0, "\(signed.errors)")
            #expect(!signed.output.contains("PRIVATE") && !made.output.contains("PRIVATE"))
        }
    }
}
