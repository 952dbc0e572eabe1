// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// The commands that change what a registry folder offers.
@Suite struct ChangeRegistryTests {
    @Test func aVersionIsYankedDeletedAndCollected() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 2, with: zoo, in: folder)
            let (release, registry) = ("test/random:1.0.0", model.registry)
            func run(_ arguments: String...) async throws -> ProgramRun {
                try await ProgramRun(
                    Program.executable,
                    arguments + ["--json"],
                    environment: zoo.environment
                )
            }
            let yank = try await run(
                "yank",
                release,
                "--reason",
                "trained on test data",
                "--registry",
                registry
            )
            #expect(yank.status == 0, "\(yank.errors)")
            let hidden = try await run("pull", "test/random", "--registry", registry)
            #expect(hidden.errorCode == "registry.version-not-found")
            let exact = try await run("pull", release, "--registry", registry)
            #expect(exact.status == 0)
            #expect(exact.errors.contains("trained on test data"))
            #expect(try await run("unyank", release, "--registry", registry).status == 0)
            #expect(try await run("pull", "test/random", "--registry", registry).status == 0)

            let deleted = try await run("registry", "delete", release, "--registry", registry)
            #expect(deleted.status == 0, "\(deleted.errors)")
            let again = try await run("registry", "delete", release, "--registry", registry)
            #expect(try again.text("digest") == deleted.text("digest"))
            let young = try await run("registry", "gc", registry)
            #expect(try young.integer("blobs") == 0)
            let dry = try await run("registry", "gc", registry, "--grace", "0s", "--dry-run")
            // Manifest, record, and an archive and a block table for each of weights and documents.
            #expect(try dry.integer("blobs") >= 6)
            let collected = try await run("registry", "gc", registry, "--grace", "0s")
            #expect(try collected.integer("bytes") == dry.integer("bytes"))
            let check = try await run("registry", "check", registry)
            #expect(try check.document.value("findings") == .array([]))
            #expect(try check.integer("releases") == 0)
        }
    }

    @Test func whatIsNotMeantIsRefused() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 1, with: zoo, in: folder)
            let nothing = folder.path(of: "nothing")
            let other = "test/random:1.0.0@sha256:" + String(repeating: "0", count: 64)
            let cases: [(arguments: [String], code: String, status: Int32)] = [
                (["unyank", "test/random"], "reference.version-required", 64),
                (["unyank", "test/random:2.0.0"], "registry.version-not-found", 66),
                (["unyank", "test/other:1.0.0"], "registry.model-not-found", 66),
                (["unyank", other], "registry.digest-mismatch", 76),
                (["registry", "delete", other], "registry.digest-mismatch", 76),
                (["yank", "test/random:1.0.0", "--reason", ""], "format.field-invalid", 65),
                (["channel", "test/random", "Bad Channel", "--add", "1.0.0"], "", 64),
                (["channel", "test/random", "stable", "--add", "9.0.0"], "", 66),
            ]
            for (arguments, code, status) in cases {
                let run = try await ProgramRun(
                    Program.executable,
                    arguments + ["--registry", model.registry, "--json"],
                    environment: zoo.environment
                )
                #expect(run.status == status, "\(arguments): \(run.output)\(run.errors)")
                if !code.isEmpty { #expect(run.errorCode == code) }
            }
            let server = try await zoo(
                "registry",
                "delete",
                "test/random:1.0.0",
                "--registry",
                "http://localhost:1",
                "--json"
            )
            #expect(server.errorCode == "registry.folder-required")
            #expect(try await zoo("registry", "gc", nothing).status == 66)
            #expect(!FileManager.default.fileExists(atPath: nothing))
            #expect(try await zoo("registry", "gc", model.registry, "--grace", "soon").status == 64)
            let check = try await zoo("registry", "check", model.registry, "--json")
            #expect(try check.document.value("findings") == .array([]))
        }
    }
}
