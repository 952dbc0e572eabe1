// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// `verify` and `repair` as their users run them.
@Suite struct VerifyCommandTests {
    private func flip(_ path: String, at offset: Int) throws {
        let file = URL(filePath: path)
        var bytes = try Data(contentsOf: file)
        bytes[offset] ^= 1
        try Data(bytes).write(to: file)
    }

    private func run(_ zoo: Program, _ arguments: String...) async throws -> ProgramRun {
        try await ProgramRun(Program.executable, arguments, environment: zoo.environment)
    }

    @Test func aFlippedBitInAComponentIsFoundAndRepaired() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let pull = try await run(zoo, "pull", "ami/ball-drop", "--only", "trajectory", "--json")
            let path = try pull.document.string("path", maximum: 4096)
            #expect(try await run(zoo, "verify", "ami/ball-drop").status == 0)
            for offset in [0, 9, 1000, 100_000] {
                try flip("\(path)/read_outs/trajectory.safetensors", at: offset)
                let verify = try await run(zoo, "verify", "ami/ball-drop", "--json")
                #expect(verify.status == 1)
                #expect(try verify.document.string("status") == "failed")
                let repair = try await run(zoo, "repair", "ami/ball-drop", "--json")
                #expect(repair.status == 0, "\(repair.output)\(repair.errors)")
                #expect(
                    try repair.document.strings("repaired", maximum: 10)
                        .contains("read_outs/trajectory.safetensors")
                )
                #expect(try await run(zoo, "verify", "ami/ball-drop").status == 0)
            }
        }
    }

    @Test func theAnchorIsSaid() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let pull = try await run(zoo, "pull", "ami/ball-drop", "--json")
            let digest = try pull.document.string("digest")
            func anchor(_ arguments: String...) async throws -> JSONObject {
                let run = try await ProgramRun(
                    Program.executable,
                    ["verify", "--json"] + arguments,
                    environment: zoo.environment
                )
                #expect(run.status == 0, "\(run.output)\(run.errors)")
                return try run.document.object("anchor")
            }
            #expect(try await anchor("ami/ball-drop").string("kind") == "store")
            #expect(try await anchor("ami/ball-drop@\(digest)").string("kind") == "requested")
            let listed = try await anchor(
                "ami/ball-drop",
                "--registry",
                "\(Program.root)registry/embedded"
            )
            #expect(try listed.string("kind") == "registry")
            let copy = folder.path(of: "copy")
            try FileManager.default.copyItem(
                atPath: try pull.document.string("path", maximum: 4096),
                toPath: copy
            )
            #expect(try await anchor(copy).string("kind") == "folder")
            #expect(try await anchor(copy, "--digest", digest).string("kind") == "requested")
            let wrong = "sha256:" + String(repeating: "0", count: 64)
            for (pinned, option) in [(digest, wrong), (wrong, digest)] {
                let reference = "ami/ball-drop@\(pinned)"
                let both = try await run(zoo, "verify", reference, "--digest", option)
                #expect(both.status != 0, "\(both.output)")
            }
            let refused = try await run(zoo, "verify", copy, "--digest", wrong)
            #expect(refused.status == 1)
            #expect(refused.output.contains("release.anchor-mismatch"))
            let text = try await run(zoo, "verify", copy)
            #expect(text.output.contains("not where it comes from"))
            #expect(!text.output.contains("as released"))
        }
    }

    @Test func aPartIsSaidToBeOne() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let copy = folder.path(of: "copy")
            let pull = try await zoo(
                "pull",
                "ami/ball-drop",
                "--only",
                "trajectory",
                "--to",
                copy,
                "--json"
            )
            let digest = try pull.text("digest")
            let claimed = try await zoo("verify", copy, "--json")
            #expect(claimed.status == 0)
            #expect(try claimed.document.value("complete") == .bool(false))
            #expect(try claimed.document.strings("components", maximum: 9) == ["trajectory"])
            #expect(claimed.output.contains(#""release.components-unconfirmed""#))
            let text = try await zoo("verify", copy)
            #expect(text.output.hasPrefix("warning: "), "\(text.output)")
            for anchor in [["--digest", digest], ["--registry", Program.embedded]] {
                let arguments = ["verify", copy, "--json"] + anchor
                let whole = try await ProgramRun(
                    Program.executable,
                    arguments,
                    environment: zoo.environment
                )
                #expect(whole.status == 1)
                #expect(whole.output.contains(#""release.incomplete""#))
                let part = try await ProgramRun(
                    Program.executable,
                    arguments + ["--only", "trajectory"],
                    environment: zoo.environment
                )
                #expect(part.status == 0, "\(part.output)\(part.errors)")
                #expect(try part.document.value("complete") == .bool(false))
            }
            let whole = folder.path(of: "whole")
            _ = try await zoo("pull", "ami/ball-drop", "--to", whole)
            let verified = try await zoo("verify", whole, "--digest", digest, "--json")
            #expect(try verified.document.value("complete") == .bool(true))
            #expect(try verified.document.value("components") == .null)
        }
    }

    @Test func theOtherPartsAreReportedToo() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            var paths: [String] = []
            for component in ["encoder", "trajectory"] {
                let pull = try await zoo("pull", "ami/ball-drop", "--only", component, "--json")
                paths.append(try pull.text("path"))
            }
            let sound = try await zoo("verify", "ami/ball-drop", "--json")
            #expect(sound.status == 0)
            for path in paths {
                try flip("\(path)/config.json", at: 9)
                let run = try await zoo("verify", "ami/ball-drop", "--json")
                #expect(run.status == 1)
                #expect(try run.text("status") == "failed")
                let text = try await zoo("verify", "ami/ball-drop")
                #expect(text.status == 1)
                #expect(text.output.contains("FAILED"))
                #expect(text.output.contains("every byte is as released"))
                #expect(try await zoo("repair", path).status == 0)
            }
        }
    }

    @Test func everyInstalledPartIsRepaired() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            var paths: [String] = []
            for part in [[], ["--only", "encoder"], ["--only", "trajectory"]] {
                let pull = try await ProgramRun(
                    Program.executable,
                    ["pull", "ami/ball-drop", "--json"] + part,
                    environment: zoo.environment
                )
                paths.append(try pull.text("path"))
            }
            #expect(Set(paths).count == 3)
            func damage() throws { for path in paths { try flip("\(path)/config.json", at: 9) } }
            try damage()
            let repair = try await zoo("repair", "ami/ball-drop", "--json")
            #expect(repair.status == 0, "\(repair.output)")
            let others = try repair.document.objects("others", maximum: 9)
            #expect(
                Set([try repair.text("path")] + (try others.map { try $0.string("path") }))
                    == Set(paths)
            )
            for part in [try repair.document] + others {
                #expect(try part.strings("repaired", maximum: 9) == ["config.json"])
            }
            #expect(try await zoo("verify", "ami/ball-drop").status == 0)
            try damage()
            let text = try await zoo("repair", "ami/ball-drop")
            for path in paths { #expect(text.output.contains(path), "\(text.output)") }
            #expect(try await zoo("verify", "ami/ball-drop").status == 0)
        }
    }

    @Test func aFolderNeedsNoDotInFrontOfIt() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            _ = try await zoo("pull", "ami/ball-drop", "--to", folder.path(of: "out/m"))
            _ = try await zoo("pull", "ami/ball-drop", "--to", folder.path(of: "a/b/c"))
            for model in ["out/m", "a/b/c"] {
                try flip(folder.path(of: "\(model)/config.json"), at: 9)
                let run = try await ProgramRun(
                    "sh",
                    [
                        "-c",
                        """
                        cd "$folder"
                        "$zoo" verify \(model) >/dev/null; echo "verify $?"
                        "$zoo" repair \(model) >/dev/null; echo "repair $?"
                        "$zoo" verify \(model) >/dev/null; echo "verify $?"
                        """,
                    ],
                    environment: zoo.environment.merging([
                        "zoo": Program.executable, "folder": folder.path,
                    ]) { $1 }
                )
                #expect(run.output == "verify 1\nrepair 0\nverify 0\n", "\(run.errors)")
            }
        }
    }

    @Test func theHostOfAReferenceIsTheOneItWasPulledFrom() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            try await HostileServer.with { server in
                server.serve(folder: Program.embedded)
                let host = String(server.url("").dropFirst("http://".count))
                let reference = "\(host)/ami/ball-drop"
                #expect(try await zoo("pull", reference).status == 0)
                for command in ["verify", "repair"] {
                    let run = try await zoo(command, reference)
                    #expect(run.status == 0, "\(run.output)\(run.errors)")
                    let other = try await zoo(command, "zoo.example.org/ami/ball-drop", "--json")
                    #expect(other.errorCode == "store.not-installed", "\(other.output)")
                    let channel = try await zoo(command, "ami/ball-drop:candidate", "--json")
                    #expect(channel.errorCode == "store.channel-not-recorded")
                }
            }
        }
    }

    @Test func aPartAfterAKilledPullOfTheWholeHoldsThePartAlone() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let registry = "\(Program.root)registry/embedded"
            let blobs = try FileManager.default.contentsOfDirectory(
                atPath: "\(registry)/blobs/sha256"
            )
            let sizes = try blobs.map { name in
                let path = "\(registry)/blobs/sha256/\(name)"
                return (
                    name, try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
                )
            }
            let largest = try #require(sizes.max { $0.1 < $1.1 }?.0)
            try await HostileServer.with { server in
                server.serve(folder: registry)
                let content = try ServedContent(file: "\(registry)/blobs/sha256/\(largest)")
                // Over as many connections as a pull opens, this takes some seconds.
                server.on(
                    "/blobs/sha256/\(largest)",
                    .serving(content).dripping(32 << 10, every: .milliseconds(100))
                )
                let run = try await ProgramRun(
                    "sh",
                    [
                        "-c",
                        """
                        "$zoo" pull ami/ball-drop --to "$to/model" --registry "$url" >/dev/null 2>&1 &
                        until [ -s "$(echo "$to"/.ami-zoo-staging-*/blocks)" ]; do
                            kill -0 $! || exit; sleep 0.02
                        done
                        kill -9 $! && wait $! 2>/dev/null
                        "$zoo" pull ami/ball-drop --only trajectory --to "$to/model" --registry "$url"
                        echo "status $?"
                        ls -A "$to" "$to/model"
                        """,
                    ],
                    environment: zoo.environment.merging([
                        "zoo": Program.executable, "url": server.url(""), "to": folder.path,
                    ]) { $1 }
                )
                #expect(run.output.contains("status 0"), "\(run.output)\(run.errors)")
                #expect(run.output.contains("verified and installed"))
                #expect(!run.output.contains("model.safetensors"))
                #expect(!run.output.contains("staging"))
            }
            #expect(try await self.run(zoo, "verify", folder.path(of: "model")).status == 0)
        }
    }
}
