// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// The commands that turn labs' files into releases and back, as people and scripts use them.
@Suite struct ConvertTests {
    @Test func aCheckpointGoesAllTheWayToAUserAndBack() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let release = folder.path(of: "release")
            func run(_ arguments: [String]) async throws -> ProgramRun {
                let run = try await ProgramRun(
                    Program.executable,
                    arguments,
                    environment: zoo.environment
                )
                #expect(run.status == 0, "\(arguments): \(run.errors)")
                return run
            }
            let converted = try await run(
                ["convert"] + Conversions.vjepa2
                    + ["--to", release, "--name", "lab/tiny", "--version", "1.2.0", "--json"]
            )
            #expect(try converted.text("reference") == "lab/tiny:1.2.0")
            let registry = folder.path(of: "registry")
            _ = try await run(["registry", "init", registry])
            _ = try await run(["pack", release, "--output", registry, "--unvalidated", "a test"])
            _ = try await run(["registry", "index", registry])
            let pulled = try await run(["pull", "lab/tiny", "--registry", registry, "--json"])
            let path = try pulled.text("path")
            let verified = try await run(
                ["verify", "lab/tiny", "--against", Conversions.file, "--json"]
            )
            guard case .object(let compared)? = try verified.document.value("compared") else {
                throw ZooError(.fieldInvalid, verified.output)
            }
            #expect(compared["tensors"] == .integer(75))
            let file = folder.path(of: "tiny.pt")
            _ = try await run(["export", path, "--to", file])
            let inspected = try await run(["inspect", file, "--json"])
            #expect(try inspected.text("format") == "torch-zip")
            #expect(try inspected.text("fingerprint") == converted.text("sourceFingerprint"))
            #expect(try inspected.text("family") == "vjepa2")

        }
    }

    @Test func aReleaseThatDiffersFromItsUpstreamFileFailsTheCheck() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let release = folder.path(of: "release")
            let run = try await ProgramRun(
                Program.executable,
                ["convert"] + Conversions.vjepa2 + ["--to", release],
                environment: zoo.environment
            )
            #expect(run.status == 0, "\(run.errors)")
            var bytes = try folder.read("release/model.safetensors")
            bytes[bytes.count - 3] ^= 0x40
            try folder.write(bytes, to: "release/model.safetensors")
            let checked = try await zoo(
                "verify",
                release,
                "--against",
                Conversions.file,
                "--json"
            )
            #expect(checked.status == 1)
            #expect(checked.output.contains("convert.upstream-mismatch"))
            #expect(checked.output.contains("release.file-mismatch"))
        }
    }

    @Test func aFileThatWouldRunCodeIsRefusedByName() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            // cos\nsystem\n(S'id'\ntR. in protocol 2.
            let pickle: [UInt8] =
                [0x80, 2] + Array("cos\nsystem\n".utf8) + [0x58, 2, 0, 0, 0] + Array("id".utf8)
                + [0x85, 0x52, 0x2E]
            try folder.write(pickle, to: "evil.pt")
            for command in ["inspect", "convert"] {
                let more = command == "convert" ? ["--to", folder.path(of: "out")] : []
                let run = try await ProgramRun(
                    Program.executable,
                    [command, folder.path(of: "evil.pt")] + more,
                    environment: zoo.environment
                )
                #expect(run.status == 65)
                #expect(run.errors.contains("contains `os.system`; this file would run code"))
                #expect(run.errors.contains("[checkpoint.pickle-global]"))
            }
            #expect(!FileManager.default.fileExists(atPath: folder.path(of: "out")))
        }
    }

    @Test func importFetchesFromAMirrorAndGoesOnWhereItStopped() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            try Conversions.writeCatalogue(in: folder)
            let bytes = try Array(Data(contentsOf: URL(filePath: Conversions.file)))
            let content = ServedContent(bytes, entityTag: "\"one\"")
            try await HostileServer.with { server in
                server.on(
                    "/tiny.pt",
                    .serving(content),
                    .serving(content).stalling(after: 60_000, for: .seconds(60))
                )
                let arguments = [
                    "import", "lab/tiny", "--catalogue", folder.path(of: "catalogue"), "--from",
                    server.url("/tiny.pt"), "--to", folder.path(of: "release"),
                ]
                let process = try zoo.start(arguments)
                let partial = "\(zoo.store)/imports/lab/tiny/tiny.pt.part"
                while (try? Data(contentsOf: URL(filePath: partial)).count) ?? 0 < 10_000 {
                    try #require(process.isRunning)
                    try await Task.sleep(for: .milliseconds(20))
                }
                process.signal(SIGKILL)
                _ = await process.status()
                let kept = try Data(contentsOf: URL(filePath: partial)).count

                server.on("/tiny.pt", .serving(content))
                let before = server.requests.count
                let run = try await ProgramRun(
                    Program.executable,
                    arguments + ["--json"],
                    environment: zoo.environment
                )
                #expect(run.status == 0, "\(run.errors)")
                let asked = server.requests.dropFirst(before).compactMap(\.range)
                #expect(asked.contains { $0.lowerBound == kept }, "\(asked)")
                let record = try JSONObject(
                    JSONValue(parsing: try folder.read("release/release.json")),
                    at: ""
                )
                let upstream = try record.object("lineage").object("upstream")
                #expect(
                    try upstream.string("sha256")
                        == String(ContentDigest(of: bytes).description.dropFirst(7))
                )
                #expect(try upstream.string("url") == "https://example.org/lab/tiny.pt")
                #expect(try folder.read("release/README.md") == Array("# A card\n".utf8))
                #expect(!FileManager.default.fileExists(atPath: "\(zoo.store)/imports/lab/tiny"))
            }
        }
    }

    @Test func importChecksLicenceCountsAndFile() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            func run(_ more: [String] = []) async throws -> ProgramRun {
                try await ProgramRun(
                    Program.executable,
                    ["import"] + Conversions.imported(in: folder)
                        + ["--to", folder.path(of: "release"), "--json"] + more,
                    environment: zoo.environment
                )
            }
            try Conversions.writeCatalogue(in: folder, licence: "CC-BY-NC-4.0")
            let refused = try await run()
            #expect(refused.status == 77)
            #expect(refused.errorCode == "import.licence-not-accepted")
            try Conversions.writeCatalogue(in: folder, licence: "unknown")
            #expect(try await run(["--accept-licence", "MIT"]).status == 77)
            try Conversions.writeCatalogue(in: folder, tensors: 29)
            #expect(try await run().errorCode == "import.counts-mismatch")
            try Conversions.writeCatalogue(in: folder, details: "size: 7, sha256: unknown")
            #expect(try await run().errorCode == "import.file-mismatch")
            #expect(!FileManager.default.fileExists(atPath: folder.path(of: "release")))
            try Conversions.writeCatalogue(in: folder, licence: "CC-BY-NC-4.0")
            #expect(try await run(["--accept-licence", "CC-BY-NC-4.0"]).status == 0)
            #expect(try await zoo("import", "meta/nothing").status == 66)
        }
    }
}
