// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// Signatures that travel with a release: `publish --sign`, `pull`, `verify`, `show`.
@Suite struct PublishedSignatureTests {
    /// A registry with one packed data set beside it.
    private struct Place {
        let zoo: Program
        let folder: TemporaryFolder
        let source: String
        let registry: String

        init(in folder: TemporaryFolder) async throws {
            self.folder = folder
            zoo = Program(in: folder)
            registry = folder.path(of: "registry")
            source = folder.path(of: "source")
            for name in ["config.json", "README.md"] {
                try folder.write(Array("{}\n".utf8), to: "source/\(name)")
            }
            try folder.write(Array("a table\n".utf8), to: "source/data/one.csv")
            try folder.write(
                Array(
                    """
                    kind: dataset
                    name: test/table
                    version: 1.0.0
                    created: 2026-01-01T00:00:00Z
                    summary: A table.
                    authors: [Somebody]
                    licence: Apache-2.0
                    modality: vector
                    lineage: {kind: generated, generator: a test, seed: 1}
                    splits:
                      - {name: all, count: 1, files: [data/one.csv, config.json]}
                    """.utf8
                ),
                to: "dataset.yaml"
            )
            #expect(try await zoo("registry", "init", registry).status == 0)
            for key in ["lab", "other"] {
                #expect(try await zoo("keys", "new", key).status == 0)
            }
        }

        func pack(_ layout: String) async throws -> ProgramRun {
            try await zoo(
                "pack",
                source,
                "--description",
                folder.path(of: "dataset.yaml"),
                "--output",
                folder.path(of: layout)
            )
        }

        func publish(_ layout: String, _ options: String...) async throws -> ProgramRun {
            try await ProgramRun(
                Program.executable,
                ["publish", folder.path(of: layout), "--registry", registry] + options,
                environment: zoo.environment
            )
        }

        func pull(to name: String) async throws -> String {
            let path = folder.path(of: name)
            let run = try await zoo("pull", "test/table", "--registry", registry, "--to", path)
            #expect(run.status == 0, "\(run.errors)")
            return path
        }
    }

    @Test func aSignatureTravelsWithItsRelease() async throws {
        try await TemporaryFolder.with { folder in
            let place = try await Place(in: folder)
            let zoo = place.zoo
            #expect(try await place.pack("layout").status == 0)
            let planned = try await place.publish("layout", "--sign", "lab", "--dry-run")
            #expect(planned.status == 0 && planned.output.contains("attached: a signature"))
            let published = try await place.publish("layout", "--sign", "lab")
            #expect(published.status == 0, "\(published.errors)")
            #expect(published.output.contains("attached: a signature"))
            // The same signature again, although a new one would have other bytes.
            let again = try await place.publish("layout", "--sign", "lab")
            #expect(again.status == 0 && !again.output.contains("attached"), "\(again.output)")

            let key = try await zoo("keys", "list", "--json").document.objects("keys", maximum: 2)
            let hint = try key[0].string("key")
            let shown = try await zoo("show", "test/table", "--registry", place.registry)
            #expect(shown.output.contains("signed by the key \(hint.prefix(12)), not checked"))
            let model = try await place.pull(to: "pulled")
            #expect(FileManager.default.fileExists(atPath: "\(model)/model.sig"))
            let offline = try await zoo("show", model, "--json")
            let claims = try offline.document.objects("signatures", maximum: 2)
            #expect(try claims.map { try $0.string("status") } == ["unchecked"])

            let unchecked = try await zoo("verify", model)
            #expect(unchecked.status == 0)
            #expect(unchecked.output.contains("signed by the key \(hint.prefix(12)), not checked"))
            let verified = try await zoo("verify", model, "--key", "lab")
            #expect(verified.status == 0, "\(verified.output)")
            #expect(
                verified.output.contains("3 files") && verified.output.contains("as signed with")
            )
            let other = try await zoo("verify", model, "--key", "other")
            #expect(other.status == 1 && other.output.contains("signature.invalid"))

            // The store keeps it too, under the name of the release.
            let run = try await zoo("pull", "test/table", "--registry", place.registry)
            #expect(run.status == 0)
            #expect(try await zoo("verify", "test/table", "--key", "lab").status == 0)
            #expect(try await zoo("registry", "check", place.registry).status == 0)

            // Nothing that lies in place of the signature keeps the model from being verified.
            let file = "\(model)/model.sig"
            try FileManager.default.removeItem(atPath: file)
            try FileManager.default.createDirectory(
                atPath: file,
                withIntermediateDirectories: false
            )
            #expect(try await zoo("verify", model).status == 0)
            try FileManager.default.removeItem(atPath: file)
            // One of the same signer over other files does not hide the right one.
            try folder.write([1], to: "else/config.json")
            let elsewhere = folder.path(of: "else")
            #expect(
                try await zoo("sign", elsewhere, "--key", "lab", "--signature", file).status == 0
            )
            let both = try await zoo("verify", model, "--key", "lab", "--json")
            #expect(both.status == 0, "\(both.output)")
            let path = try both.document.object("signature").string("path", maximum: 4096)
            #expect(path.contains("/.ami-zoo/attachments/"))
            // A repair leaves the user's file, and puts back a missing one.
            let bytes = try folder.read("pulled/model.sig")
            let registry = ["--registry", place.registry]
            for isThere in [true, false] {
                if !isThere { try FileManager.default.removeItem(atPath: file) }
                let repair = try await ProgramRun(
                    Program.executable,
                    ["repair", model] + registry,
                    environment: zoo.environment
                )
                #expect(repair.status == 0, "\(repair.errors)")
                #expect(try (folder.read("pulled/model.sig") == bytes) == isThere)
            }
            // Whatever happens to the file, the attachment is the same signature.
            try FileManager.default.removeItem(atPath: "\(model)/model.sig")
            #expect(try await zoo("verify", model, "--key", "lab").status == 0)
            try folder.write([1], to: "pulled/data/one.csv")
            let changed = try await zoo("verify", model, "--key", "lab")
            #expect(changed.status == 1 && changed.output.contains("signature.file-mismatch"))
        }
    }

    @Test func everySignerIsFound() async throws {
        try await TemporaryFolder.with { folder in
            let place = try await Place(in: folder)
            #expect(try await place.pack("layout").status == 0)
            for key in ["lab", "other"] {
                #expect(try await place.publish("layout", "--sign", key).status == 0)
            }
            let model = try await place.pull(to: "pulled")
            for key in ["lab", "other"] {
                let run = try await place.zoo("verify", model, "--key", key)
                #expect(run.status == 0, "\(run.output)")
            }
            #expect(try await place.zoo("keys", "new", "third").status == 0)
            let third = try await place.zoo("verify", model, "--key", "third")
            #expect(third.status == 1)
        }
    }

    /// A signature that lies in the folder is no file of the release, and travels if it covers exactly its files.
    @Test func aSignatureInTheFolderTravels() async throws {
        try await TemporaryFolder.with { folder in
            let place = try await Place(in: folder)
            #expect(try await place.pack("before").status == 0)
            #expect(try await place.zoo("sign", place.source, "--key", "lab").status == 0)
            let packed = try await place.pack("layout")
            #expect(packed.status == 0 && !packed.errors.contains("left out"), "\(packed.errors)")
            let published = try await place.publish("layout")
            #expect(published.output.contains("attached: a signature"), "\(published.output)")
            let model = try await place.pull(to: "pulled")
            #expect(try await place.zoo("verify", model, "--key", "lab").status == 0)
            #expect(try folder.read("pulled/model.sig") == folder.read("source/model.sig"))

            // Of other files it is left out, and refused when it is given.
            try folder.write([1], to: "source/data/one.csv")
            let stale = try await place.pack("stale")
            #expect(stale.status == 0 && stale.errors.contains("another 'data/one.csv' is signed"))
            let refused = try await place.publish(
                "stale",
                "--signature",
                "\(place.source)/model.sig"
            )
            #expect(refused.status == 77 && refused.errors.contains("signature.invalid"))
        }
    }

    @Test func aSignatureOfTheReferenceFormIsPublished() async throws {
        try await TemporaryFolder.with { folder in
            let place = try await Place(in: folder)
            #expect(try await place.pack("layout").status == 0)
            let signature = folder.path(of: "elsewhere.sig")
            let signed = try await place.zoo(
                "sign",
                place.source,
                "--key",
                "lab",
                "--signature",
                signature
            )
            #expect(signed.status == 0)
            let published = try await place.publish("layout", "--signature", signature)
            #expect(published.status == 0, "\(published.errors)")
            let model = try await place.pull(to: "pulled")
            #expect(try await place.zoo("verify", model, "--key", "lab").status == 0)
        }
    }

    @Test func aPolicyCountsEverySigner() async throws {
        try await TemporaryFolder.with { folder in
            let place = try await Place(in: folder)
            #expect(try await place.pack("layout").status == 0)
            var keys: [String: String] = [:]
            for key in ["lab", "other"] {
                keys[key] = try await place.zoo("keys", "export", key, "--json").text("key")
            }
            let hints = ["lab", "other"].map { keys[$0] ?? "" }
            func verify(_ rule: String, _ model: String) async throws -> ProgramRun {
                let text = """
                    format: ami-zoo.policy/1
                    signers: {lab: {keys: ['\(hints[0])']}, other: {keys: ['\(hints[1])']}}
                    rules: [\(rule)]
                    """
                try folder.write(Array(text.utf8), to: "policy.yaml")
                let policy = folder.path(of: "policy.yaml")
                return try await place.zoo("verify", model, "--policy", policy)
            }
            let both = "{signatures: {signers: [lab, other], threshold: 2}}"
            let lab = "{signatures: {signers: [lab]}}"
            #expect(try await place.publish("layout", "--sign", "lab").status == 0)
            let one = try await place.pull(to: "one")
            #expect(try await verify(both, one).status == 1)
            #expect(try await verify(lab, one).status == 0)

            #expect(try await place.publish("layout", "--sign", "other").status == 0)
            let two = try await place.pull(to: "two")
            let counted = try await verify(both, two)
            #expect(counted.status == 0, "\(counted.output)")
            #expect(try await verify(lab, two).status == 0)

            // A signature over other files: nothing fails that no rule requires.
            try folder.write(Array("b table\n".utf8), to: "others/one.csv")
            let others = folder.path(of: "others")
            #expect(try await place.zoo("sign", others, "--key", "lab").status == 0)
            let files = FileManager.default
            try files.removeItem(atPath: "\(two)/.ami-zoo/attachments")
            try files.removeItem(atPath: "\(two)/model.sig")
            try files.copyItem(atPath: "\(others)/model.sig", toPath: "\(two)/model.sig")
            #expect(try await verify("{}", two).status == 0)
            #expect(try await verify(lab, two).status == 1)
        }
    }
}
