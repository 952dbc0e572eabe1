// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooArchive
import ZooCore
import ZooFiles
import ZooTesting

/// `verify` of an archive that curl fetched: every change is refused, and what is claimed is what was
/// checked.
@Suite struct VerifyArchiveTests {
    /// A registry with one model, served, and its largest archive fetched with curl.
    private func fetched(
        _ body: (_ zoo: Program, _ archive: String, _ url: String, TemporaryFolder) async throws ->
            Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await PackedModel(tensors: 3, with: zoo, in: folder)
            let blobs = "\(model.registry)/blobs/sha256"
            let largest = try #require(
                try FileSystem.names(in: blobs).max {
                    try FileSystem.status("\(blobs)/\($0)")?.size ?? 0
                        < FileSystem.status("\(blobs)/\($1)")?.size ?? 0
                }
            )
            try await Serving.with(model.registry, zoo, folder) { url in
                let archive = folder.path(of: "weights.tar.zst")
                let curl = try await ProgramRun(
                    "curl",
                    ["-q", "-sf", "-o", archive, "\(url)/blobs/sha256/\(largest)"]
                )
                try #require(curl.status == 0)
                try await body(zoo, archive, url, folder)
            }
        }
    }

    @Test func anArchiveIsComparedWithItsReleaseItsDigestOrTheStore() async throws {
        try await fetched { zoo, archive, url, folder in
            let unknown = try await zoo("verify", archive, "--json")
            #expect(unknown.errorCode == "verify.archive-unknown", "\(unknown.output)")
            #expect(unknown.status == 64)

            let name = try await name(of: url, zoo)
            let release = ["--release", name, "--registry", url]
            let digest = ContentDigest(of: try folder.read("weights.tar.zst")).description
            for (arguments, kind) in [(release, "registry"), (["--digest", digest], "requested")] {
                let run = try await verify(zoo, archive, arguments)
                #expect(run.status == 0, "\(run.output)\(run.errors)")
                #expect(try run.document.object("anchor").string("kind") == kind)
                #expect(try run.document.string("digest") == digest)
                #expect(try run.document.value("complete") == .bool(false))
                // Without a release, nothing is known of the files.
                let files = try run.document.objects("files", maximum: 10)
                #expect(files.isEmpty == (kind == "requested"))
            }

            let pulled = try await zoo("pull", name, "--registry", url, "--json")
            try #require(pulled.status == 0, "\(pulled.errors)")
            let stored = try await verify(zoo, archive, [])
            #expect(stored.status == 0)
            #expect(try stored.document.object("anchor").string("kind") == "store")
            let manifest = try pulled.text("digest")
            let byManifest = try await verify(zoo, archive, ["--digest", manifest])
            #expect(byManifest.status == 0, "\(byManifest.output)")
            #expect(try byManifest.document.object("anchor").string("kind") == "requested")
            let text = try await zoo("verify", archive)
            #expect(text.output.contains("other archive"), "\(text.output)")

            let other = ContentDigest(of: [1]).description
            let refused = try await verify(zoo, archive, ["--digest", other])
            #expect(refused.status == 1)
            #expect(try refused.document.value("files") == .array([]))
        }
    }

    /// A policy is held against what an archive can show, and what it cannot show is never met.
    @Test func aPolicyIsHeldAgainstAnArchive() async throws {
        try await fetched { zoo, archive, url, folder in
            let name = try await name(of: url, zoo)
            let release = ["--release", name, "--registry", url]
            let digest = ContentDigest(of: try folder.read("weights.tar.zst")).description
            func run(_ rules: String, _ arguments: [String]) async throws -> ProgramRun {
                try folder.write(Array("format: ami-zoo.policy/1\n\(rules)\n".utf8), to: "p.yaml")
                return try await verify(
                    zoo,
                    archive,
                    arguments + ["--policy", folder.path(of: "p.yaml"), "--explain"]
                )
            }
            for rules in ["rules: [{anchor: [registry]}]", "rules: [{registry: '\(url)'}]"] {
                let met = try await run(rules, release)
                #expect(met.status == 0, "\(rules): \(met.output)\(met.errors)")
                #expect(try met.document.object("policy").string("status") == "passed")
            }
            for rules in [
                "rules: [{licences: [Zlib]}]", "rules: [{namespace: other}]",
                "rules: [{anchor: [requested]}]", "rules: [{current: true}]",
                "rules: [{evidence: {passed: true}}]",
                "signers: {lab: {keys: ['\(String(repeating: "a", count: 64))']}}\n"
                    + "rules: [{signatures: {signers: [lab]}}]",
            ] {
                let unmet = try await run(rules, release)
                #expect(unmet.status == 1, "\(rules): \(unmet.output)\(unmet.errors)")
                #expect(try unmet.document.string("status") == "failed")
                let findings = try unmet.document.objects("findings", maximum: 20)
                #expect(try findings.map { try $0.string("code") } == ["policy.unmet"])
            }

            // A digest of the archive alone says nothing of its release.
            try folder.write(
                Array("format: ami-zoo.policy/1\nrules: [{}]\n".utf8),
                to: "store-config/ami-zoo/policy.yaml"
            )
            let unknown = try await verify(zoo, archive, ["--digest", digest])
            #expect(unknown.status == 1 && unknown.output.contains("policy.unmet"))
            #expect(try unknown.document.value("policy") == nil)
            // Nor does it vouch for the release that the store knows it by.
            let pulled = try await zoo("pull", name, "--registry", url, "--json")
            try #require(pulled.status == 0, "\(pulled.errors)")
            let anchored = "rules: [{anchor: [requested]}]"
            #expect(try await run(anchored, ["--digest", digest]).status == 1)
            #expect(try await run(anchored, ["--digest", try pulled.text("digest")]).status == 0)
            #expect(try await run("rules: [{anchor: [store]}]", ["--digest", digest]).status == 0)
        }
    }

    @Test func everyChangeIsRefusedAndTheWrongBlocksAreNamed() async throws {
        try await fetched { zoo, archive, url, folder in
            let name = try await name(of: url, zoo)
            let bytes = try folder.read("weights.tar.zst")
            var changed: [(String, [UInt8])] = [
                ("empty", []), ("shorter", Array(bytes.dropLast())), ("longer", bytes + [0]),
                ("half", Array(bytes.prefix(bytes.count / 2))),
                ("first byte", [bytes[0] ^ 1] + bytes.dropFirst()),
                ("last byte", bytes.dropLast() + [bytes[bytes.count - 1] ^ 1]),
                ("zeros", [UInt8](repeating: 0, count: bytes.count)),
                ("a frame more", bytes + [0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0]),
            ]
            for step in 0..<12 {
                // Spread over the file, in any bit.
                let place = (step * 7919 + bytes.count / 12 * step + 13) % bytes.count
                var copy = bytes
                copy[place] ^= 1 << UInt8(step % 8)
                changed.append(("bit at \(place)", copy))
            }
            for (what, content) in changed {
                try folder.write(content, to: "weights.tar.zst")
                let run = try await verify(zoo, archive, ["--release", name, "--registry", url])
                #expect(run.status == 1, "\(what): \(run.output)\(run.errors)")
                #expect(try run.document.string("status") == "failed", "\(what)")
                #expect(try run.document.value("files") == .array([]), "\(what)")
                let findings = try run.document.objects("findings", maximum: 200)
                #expect(!findings.isEmpty, "\(what)")
                if what.hasPrefix("bit") {
                    #expect(try findings[0].string("code") == "archive.block-mismatch", "\(what)")
                    #expect(try findings[0].string("message").contains("block "), "\(what)")
                }
            }
        }
    }

    @Test func whatIsNoArchiveIsRefusedAsWhatItIs() async throws {
        try await fetched { zoo, archive, url, folder in
            let missing = try await zoo(
                "verify",
                folder.path(of: "none.tar"),
                "--digest",
                "sha256:" + String(repeating: "0", count: 64),
                "--json"
            )
            #expect(missing.errorCode == "io.not-found", "\(missing.output)")
            let pipe = folder.path(of: "pipe.tar")
            try #require(unsafe mkfifo(pipe, 0o600) == 0)
            let fifo = try await zoo("verify", pipe, "--json")
            #expect(fifo.status != 0)
            for arguments in [
                ["--only", "all"], ["--deep"], ["--registry", url], ["--html", "page.html"],
            ] {
                let usage = try await verify(zoo, archive, arguments)
                #expect(usage.status == 64, "\(arguments)")
            }
            let folderWithRelease = try await verify(zoo, folder.path, ["--release", "a/b"])
            #expect(folderWithRelease.status == 64)
        }
    }

    private func verify(
        _ zoo: Program,
        _ archive: String,
        _ arguments: [String]
    ) async throws -> ProgramRun {
        try await ProgramRun(
            Program.executable,
            ["verify", archive, "--json"] + arguments,
            environment: zoo.environment
        )
    }

    /// The name of the only model.
    private func name(of url: String, _ zoo: Program) async throws -> String {
        let list = try await zoo("list", "--registry", url, "--json")
        return try list.document.objects("models", maximum: 1)[0].string("name")
    }
}
