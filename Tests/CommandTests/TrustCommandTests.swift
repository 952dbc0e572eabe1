// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// `trust`, and the commands that change or read signed registries, as owners and users run them.
@Suite struct TrustCommandTests {
    private struct Place {
        let zoo: Program
        let user: Program
        let registry: String
        let state: String

        /// Signs a copy of the embedded registry.
        init(in folder: TemporaryFolder) async throws {
            zoo = Program(in: folder, store: "owner")
            user = Program(in: folder, store: "user")
            (registry, state) = (folder.path(of: "registry"), folder.path(of: "state"))
            try FileManager.default.copyItem(atPath: Program.embedded, toPath: registry)
            for name in ["owner", "maintainer"] {
                try #require(try await zoo("keys", "new", name).status == 0)
            }
        }

        func sign() async throws {
            let run = try await zoo(
                "trust",
                "init",
                registry,
                "--state",
                state,
                "--key",
                "owner",
                "--json"
            )
            try #require(run.status == 0, "\(run.output)")
        }

        func yank(_ arguments: String...) async throws -> ProgramRun {
            try await ProgramRun(
                Program.executable,
                ["yank", "ami/ball-drop:1.0.0", "--reason", "x", "--json"] + arguments,
                environment: zoo.environment
            )
        }
    }

    @Test func aUserWhoTrustsTheRootReadsNothingUnsigned() async throws {
        try await TemporaryFolder.with { folder in
            let place = try await Place(in: folder)
            try await place.sign()
            let shown = try await place.zoo("trust", "show", place.registry, "--json")
            let fingerprint = try shown.text("fingerprint")
            try await Serving.with(place.registry, place.zoo, folder, options: []) { url in
                let wrong = try await place.user(
                    "trust",
                    "add",
                    url,
                    "--fingerprint",
                    "sha256:\(String(repeating: "0", count: 64))",
                    "--json"
                )
                #expect(wrong.errorCode == "trust.fingerprint-mismatch")
                let added = try await place.user(
                    "trust",
                    "add",
                    url,
                    "--fingerprint",
                    fingerprint,
                    "--json"
                )
                #expect(added.status == 0, "\(added.output)")
                let pulled = try await place.user("pull", "ami/ball-drop", "--registry", url)
                #expect(pulled.status == 0, "\(pulled.errors)")
                let verified = try await place.user("verify", "ami/ball-drop", "--json")
                #expect(try verified.document.object("anchor").string("kind") == "tuf")
                // The server has no keys, so that nobody changes the registry through it.
                let yank = try await place.yank("--registry", url)
                #expect(yank.errorCode == "trust.signer-required", "\(yank.output)")
                // What the server's owner signs is there at once.
                let signed = try await place.yank(
                    "--registry",
                    place.registry,
                    "--sign-with",
                    "owner",
                    "--state",
                    place.state
                )
                #expect(signed.status == 0, "\(signed.output)")
                let versions = try await place.user("versions", "ami/ball-drop", "--registry", url)
                #expect(versions.output.contains("x"))
                try FileManager.default.removeItem(atPath: "\(place.registry)/tuf")
                let refused = try await place.user(
                    "show",
                    "ami/ball-drop",
                    "--registry",
                    url,
                    "--json"
                )
                #expect(refused.errorCode == "trust.metadata-missing")
                // Who trusts no root reads it as before.
                #expect(try await place.zoo("show", "ami/ball-drop", "--registry", url).status == 0)
            }
        }
    }

    @Test func aSignerWithOnlyTheFileCompletesARoot() async throws {
        try await TemporaryFolder.with { folder in
            let place = try await Place(in: folder)
            let key = try await place.zoo("keys", "export", "maintainer")
            try folder.write(Array(key.output.utf8), to: "maintainer.pub")
            let other = Program(in: folder, store: "other")
            let foreign = try await other("keys", "new", "maintainer")
            #expect(foreign.status == 0)
            let initial = try await place.zoo(
                "trust",
                "init",
                place.registry,
                "--state",
                place.state,
                "--key",
                "owner",
                "--key",
                folder.path(of: "maintainer.pub"),
                "--json"
            )
            #expect(initial.status == 0, "\(initial.output)")
            #expect(try initial.document.value("complete") == .bool(false))
            let file = "\(place.state)/trust/pending/root.json"
            func complete() async throws -> JSONValue? {
                let run = try await place.zoo(
                    "trust",
                    "sign",
                    place.registry,
                    "--state",
                    place.state,
                    "--json"
                )
                return try run.document.value("complete")
            }
            // A key of the same name on another machine is another key.
            let wrong = try await other("trust", "sign", file, "--key", "maintainer", "--json")
            #expect(wrong.status == 0, "\(wrong.output)")
            #expect(try await complete() == .bool(false))
            let right = try await place.zoo("trust", "sign", file, "--key", "maintainer", "--json")
            #expect(try right.text("type") == "root")
            #expect(try await complete() == .bool(true))
            let check = try await place.zoo("registry", "check", place.registry)
            #expect(check.status == 0, "\(check.output)")
        }
    }

    @Test func keysForARegistryThatIsNotSignedAreRefused() async throws {
        try await TemporaryFolder.with { folder in
            let place = try await Place(in: folder)
            let unsigned = try await place.yank(
                "--registry",
                place.registry,
                "--sign-with",
                "owner",
                "--state",
                place.state
            )
            #expect(unsigned.errorCode == "trust.not-signed")
            try await place.sign()
            let stateless = try await place.yank(
                "--registry",
                place.registry,
                "--sign-with",
                "owner"
            )
            #expect(stateless.errorCode == "trust.online-keys-missing")
            let keyless = try await place.yank("--registry", place.registry)
            #expect(keyless.errorCode == "trust.signer-required")
            let foreign = try await place.yank(
                "--registry",
                place.registry,
                "--sign-with",
                "maintainer",
                "--state",
                place.state
            )
            #expect(foreign.errorCode == "trust.signer-required")
            let publish = try await place.zoo(
                "publish",
                Program.embedded,
                "--registry",
                place.registry,
                "--json"
            )
            #expect(publish.errorCode == "trust.signer-required")
        }
    }
}
