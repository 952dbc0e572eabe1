// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// Lock files, consent to licences, and removal of what was installed.
@Suite struct ProjectTests {
    /// Runs the program with a working folder.
    private func run(
        _ zoo: Program,
        in folder: String,
        _ arguments: String...
    ) async throws -> ProgramRun {
        try await ProgramRun(
            "env",
            ["-C", folder, Program.executable] + arguments + ["--json"],
            environment: zoo.environment
        )
    }

    /// Packs the model again under another version, and with other words in its description.
    private func repack(
        _ model: PackedModel,
        _ changes: [(String, String)],
        with zoo: Program,
        in folder: TemporaryFolder
    ) async throws {
        var text = String(decoding: try folder.read("source/model.yaml"), as: UTF8.self)
        for (old, new) in changes {
            try #require(text.contains(old))
            text = text.replacingOccurrences(of: old, with: new)
        }
        try folder.write(Array(text.utf8), to: "source/model.yaml")
        let pack = try await zoo(
            "pack",
            model.source,
            "--output",
            model.registry,
            "--unvalidated",
            "random weights"
        )
        try #require(pack.status == 0, "\(pack.errors)")
    }

    @Test func aLockedProjectInstallsExactlyWhatItLocked() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 1, with: zoo, in: folder)
            let registry = model.registry
            let missing = try await run(zoo, in: folder.path, "pull", "--locked")
            #expect(missing.status == 66)
            #expect(missing.errorCode == "lock.missing")
            let locked = try await run(
                zoo,
                in: folder.path,
                "lock",
                "test/random",
                "--registry",
                registry
            )
            #expect(locked.status == 0, "\(locked.errors)")
            let added = try await run(zoo, in: folder.path, "lock", "ami/ball-drop:1.0.0")
            #expect(added.status == 0, "\(added.errors)")
            let file = try folder.read("ami-zoo.lock")
            #expect(try JSONValue(canonical: file).canonicalBytes == file)

            // A newer version appears; the project keeps the old one.
            try await repack(model, [(#""1.0.0""#, #""1.1.0""#)], with: zoo, in: folder)
            let pull = try await run(zoo, in: folder.path, "pull", "--locked")
            #expect(pull.status == 0, "\(pull.output)\(pull.errors)")
            guard case .array(let releases)? = try pull.document.value("releases") else { return }
            let references = try releases.map { try JSONObject($0, at: "").string("reference") }
            #expect(references == ["ami/ball-drop:1.0.0", "test/random:1.0.0"])
            let latest = try await run(
                zoo,
                in: folder.path,
                "pull",
                "test/random",
                "--registry",
                registry
            )
            #expect(try latest.text("reference") == "test/random:1.1.0")

            // Installed and offline: the same releases without a registry.
            let offline = try await run(
                zoo,
                in: folder.path,
                "pull",
                "--locked",
                "--offline",
                "test/random"
            )
            #expect(offline.output.contains("test/random:1.0.0"))
            let conflict = try await run(
                zoo,
                in: folder.path,
                "pull",
                "--locked",
                "test/random:1.1.0"
            )
            #expect(conflict.errorCode == "lock.conflict")
            let other = try await run(zoo, in: folder.path, "pull", "--locked", "test/other")
            #expect(other.errorCode == "lock.model-missing")
            // The registry has another release under the name: it is refused.
            let text = String(decoding: file, as: UTF8.self)
            let digest = try #require(text.firstMatch(of: /random".*?sha256:([0-9a-f]{64})/)?.1)
            let forged = text.replacingOccurrences(
                of: digest,
                with: String(repeating: "0", count: 64)
            )
            try folder.write(Array(forged.utf8), to: "ami-zoo.lock")
            let refused = try await run(zoo, in: folder.path, "pull", "--locked", "test/random")
            #expect(refused.errorCode == "registry.digest-mismatch")
        }
    }

    @Test(
        arguments: [
            ("", "json.malformed"), (#"{"format":"ami-zoo.lock/9","models":{}}"#, "format.unknown"),
            (#"{"format":"ami-zoo.lock/1","models":{"x":{}}}"#, "format.field-invalid"),
            (
                #"{"format":"ami-zoo.lock/1","models":{"a/b":{"version":"1"}}}"#,
                "format.field-invalid"
            ),
        ]
    )
    func aBrokenLockFileIsRefusedAndKept(content: String, code: String) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            try folder.write(Array(content.utf8), to: "ami-zoo.lock")
            let pull = try await run(zoo, in: folder.path, "pull", "--locked")
            #expect(pull.status == 65)
            #expect(pull.errorCode == code)
            #expect(try await run(zoo, in: folder.path, "lock", "ami/ball-drop").status == 65)
            #expect(try folder.read("ami-zoo.lock") == Array(content.utf8))
        }
    }

    @Test func aRestrictedLicenceNeedsConsent() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 1, with: zoo, in: folder)
            let changes = [("Apache-2.0", "CC-BY-NC-4.0"), (#""1.0.0""#, #""1.1.0""#)]
            try await repack(model, changes, with: zoo, in: folder)
            let registry = model.registry
            let refused = try await run(
                zoo,
                in: folder.path,
                "pull",
                "test/random",
                "--registry",
                registry
            )
            #expect(refused.status == 77)
            #expect(refused.errorCode == "release.licence-not-accepted")
            #expect(refused.output.contains("--accept-licence 'CC-BY-NC-4.0'"))
            #expect(!FileManager.default.fileExists(atPath: "\(zoo.store)/models"))
            let other = try await run(
                zoo,
                in: folder.path,
                "pull",
                "test/random",
                "--registry",
                registry,
                "--accept-licence",
                "MIT"
            )
            #expect(other.status == 77)

            // On a terminal a person is asked; util-linux's script provides one.
            func answer(_ text: String) async throws -> ProgramRun {
                let pull = "'\(Program.executable)' pull test/random --registry '\(registry)'"
                return try await ProgramRun(
                    "sh",
                    ["-c", "printf '\(text)\\n' | script -qec \"\(pull)\" /dev/null"],
                    environment: zoo.environment
                )
            }
            let no = try await answer("n")
            #expect(no.status == 77, "\(no.output)")
            #expect(no.output.contains("permits non-commercial use only"))
            let yes = try await answer("y")
            #expect(yes.status == 0, "\(yes.output)")
            // What is installed needs no consent again.
            let again = try await run(
                zoo,
                in: folder.path,
                "pull",
                "test/random",
                "--registry",
                registry
            )
            #expect(try again.document.value("alreadyInstalled") == .bool(true))
            #expect(try await zoo("remove", "test/random").status == 0)
            let given = try await run(
                zoo,
                in: folder.path,
                "pull",
                "test/random",
                "--registry",
                registry,
                "--accept-licence",
                "CC-BY-NC-4.0"
            )
            #expect(given.status == 0)
        }
    }

    @Test func removalFreesWhatItSays() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let pull = try await zoo("pull", "ami/ball-drop:1.1.0", "--json")
            let part = try await zoo(
                "pull",
                "ami/ball-drop:1.1.0",
                "--only",
                "trajectory",
                "--json"
            )
            let old = try await zoo("pull", "ami/ball-drop:1.0.0", "--json")
            let several = try await zoo("remove", "ami/ball-drop", "--json")
            #expect(several.status == 64)
            #expect(several.errorCode == "store.several-installed")
            // A modified folder can be removed as well.
            let path = try pull.text("path")
            try FileManager.default.removeItem(atPath: "\(path)/.ami-zoo/manifest.json")
            let before = try await zoo("cache", "du", "--json").integer("total")
            let removed = try await zoo("remove", "ami/ball-drop:1.1.0", "--json")
            #expect(removed.status == 0, "\(removed.errors)")
            #expect(try removed.integer("bytes") > 5_000_000)
            let after = try await zoo("cache", "du", "--json").integer("total")
            #expect(before - after > 5_000_000)
            #expect(!FileManager.default.fileExists(atPath: path))
            #expect(!FileManager.default.fileExists(atPath: try part.text("path")))
            #expect(FileManager.default.fileExists(atPath: try old.text("path")))
            let receipts = "\(zoo.store)/receipts/ami/ball-drop"
            #expect(try FileManager.default.contentsOfDirectory(atPath: receipts).count == 1)
            let again = try await zoo("remove", "ami/ball-drop:1.1.0", "--json")
            #expect(again.errorCode == "store.not-installed")
            #expect(try await zoo("pull", "ami/ball-drop:1.1.0").status == 0)
        }
    }
}
