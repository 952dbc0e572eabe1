// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// The commands that fetch and check models: what they print, and how they end.
@Suite struct GetModelsTests {
    private static let digest =
        "sha256:d7eac04920bf1aafcf71fd2e05b0b20b03717153a2ae23b39d6143dbff4f5da4"

    @Test func pullPrintsTheFieldsOfTheContract() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let first = try await zoo("pull", "ami/ball-drop", "--json")
            #expect(first.status == 0)
            #expect(first.errors == "")
            #expect(try first.text("reference") == "ami/ball-drop:1.1.0")
            #expect(try first.text("digest") == Self.digest)
            let path = try first.text("path")
            #expect(path == "\(zoo.store)/models/ami/ball-drop/1.1.0-d7eac04920bf")
            #expect(FileManager.default.fileExists(atPath: "\(path)/model.safetensors"))
            #expect(try first.integer("bytesTotal") == 5_610_960)
            #expect(try first.integer("bytesDownloaded") > 5_000_000)
            #expect(try first.integer("bytesReused") == 0)
            #expect(try first.document.value("seconds") != nil)

            let second = try await zoo("pull", "ami/ball-drop", "--json")
            #expect(second.status == 0)
            #expect(try second.document.value("alreadyInstalled") == .bool(true))
            #expect(try second.integer("bytesDownloaded") == 0)
            #expect(try second.integer("bytesReused") == 5_610_960)

            let third = try await zoo("pull", "ami/ball-drop")
            #expect(
                third.output
                    == "ami/ball-drop:1.1.0 d7eac04920bf is installed already\n\(path)\n"
            )
        }
    }

    @Test func progressForProgramsIsOneEventPerLine() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let run = try await zoo("pull", "ami/ball-drop", "--progress", "json", "--quiet")
            let events = try run.errors.split(separator: "\n").map {
                try JSONObject(JSONValue(parsing: Array($0.utf8)), at: "")
            }
            #expect(events.first?.value("event") == .string("resolved"))
            let last = try #require(events.last { $0.value("event") == .string("progress") })
            #expect(last.value("bytesDone") == last.value("bytesTotal"))
            #expect(events.last?.value("event") == .string("finishing"))
        }
    }

    @Test func aTerminalSeesALineThatRewritesItself() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            // util-linux's script gives the program a terminal; with it, both streams are one.
            let command = "'\(Program.executable)' pull ami/ball-drop"
            let run = try await ProgramRun(
                "script",
                ["-qec", command, "/dev/null"],
                environment: zoo.environment
            )
            #expect(run.status == 0)
            #expect(run.output.contains("\r\u{1B}[K100%  5.62 MB of 5.62 MB"))
            // The line is gone when the result is printed.
            #expect(run.output.contains("\r\u{1B}[Kami/ball-drop:1.1.0 d7eac04920bf verified"))
        }
    }

    @Test func onlyOneComponentIsFetched() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let run = try await zoo("pull", "ami/ball-drop", "--only", "trajectory", "--json")
            #expect(run.status == 0)
            let path = try run.text("path")
            #expect(
                FileManager.default.fileExists(atPath: "\(path)/read_outs/trajectory.safetensors")
            )
            #expect(FileManager.default.fileExists(atPath: "\(path)/config.json"))
            #expect(!FileManager.default.fileExists(atPath: "\(path)/model.safetensors"))
            #expect(try await zoo("verify", path).status == 0)

            let unknown = try await zoo("pull", "ami/ball-drop", "--only", "decoder", "--json")
            #expect(unknown.status == 66)
            #expect(unknown.errorCode == "release.component-not-found")
        }
    }

    @Test func listShowAndVersionsReadTheCatalogue() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            #expect(
                try await zoo("list").output == """
                    NAME           KIND   NEWEST  VERSIONS  EVIDENCE     INSTALLED
                    ami/ball-drop  model  1.1.0   2         unvalidated

                    """
            )
            #expect(
                try await zoo("versions", "ami/ball-drop").output == """
                    VERSION  CREATED     SIZE     LICENCE     CHANNELS  DIGEST        EVIDENCE
                    1.1.0    2026-11-25  5.61 MB  Apache-2.0  stable    d7eac04920bf  unvalidated
                    1.0.0    2026-11-21  5.61 MB  Apache-2.0  stable    0528c06df736  unvalidated

                    """
            )
            let show = try await zoo("show", "ami/ball-drop")
            #expect(show.output.contains("  family      vjepa2, ball-drop\n"))
            #expect(show.output.contains("  input       video, 16 frames of 32×32 rgb\n"))
            let document = try await zoo("show", "ami/ball-drop:1.1.0", "--json")
            #expect(try document.text("digest") == Self.digest)
            #expect(try document.document.value("record") != nil)
            let versions = try await zoo("versions", "ami/ball-drop", "--json")
            #expect(try versions.text("name") == "ami/ball-drop")
            #expect(try await zoo("list", "--json").document.value("models") != nil)
        }
    }

    @Test func theReleaseOfTheFirstFormatInstallsBesideTheNew() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let old = try await zoo("pull", "ami/ball-drop:1.0.0", "--json")
            #expect(old.status == 0)
            let new = try await zoo("pull", "ami/ball-drop", "--json")
            #expect(try new.integer("bytesDownloaded") == 0)
            for reference in ["ami/ball-drop:1.0.0", "ami/ball-drop:1.1.0"] {
                #expect(try await zoo("verify", reference, "--deep").status == 0)
                #expect(try await zoo("show", reference).output.contains("16 frames of 32×32 rgb"))
            }
        }
    }

    @Test func verifyFindsWhatChanged() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let path = try await zoo("pull", "ami/ball-drop", "--json").text("path")
            let sound = try await zoo("verify", "ami/ball-drop", "--deep", "--json")
            #expect(sound.status == 0)
            #expect(try sound.text("status") == "passed")
            #expect(try sound.document.value("findings") == .array([]))

            let weights = "store\(path.dropFirst(zoo.store.count))/model.safetensors"
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644],
                ofItemAtPath: folder.path(of: weights)
            )
            var bytes = try folder.read(weights)
            bytes[3_000_000] ^= 1
            try folder.write(bytes, to: weights)
            let damaged = try await zoo("verify", "ami/ball-drop", "--json")
            #expect(damaged.status == 1)
            #expect(try damaged.text("status") == "failed")
            guard case .array(let findings)? = try damaged.document.value("findings"),
                case .object(let finding)? = findings.first
            else { throw ZooError(.fieldInvalid, "no findings in \(damaged.output)") }
            #expect(findings.count == 1)
            #expect(finding["code"] == .string("archive.block-mismatch"))
            #expect(finding["severity"] == .string("error"))
            #expect(finding["path"] == .string("model.safetensors"))
            #expect(finding["remedy"] != nil)
            #expect(try await zoo("verify", path).output.hasSuffix("FAILED\n"))
        }
    }

    @Test func theCacheCommandsShowTheStore() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            #expect(try await zoo("cache", "ls").output == "nothing is installed in \(zoo.store)\n")
            _ = try await zoo("pull", "ami/ball-drop")
            let listed = try await zoo("cache", "ls", "--json")
            #expect(try listed.text("root") == zoo.store)
            guard case .array(let releases)? = try listed.document.value("releases") else {
                throw ZooError(.fieldInvalid, "no releases in \(listed.output)")
            }
            #expect(releases.count == 1)
            let usage = try await zoo("cache", "du", "--json")
            #expect(try usage.integer("models") >= 5_610_960)
            #expect(try usage.integer("staging") == 0)
            #expect(try usage.integer("total") >= usage.integer("models"))
        }
    }

    /// A command that fails, the status that it ends with, and the code that it names.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let status: Int32
        let code: String?
        var testDescription: String { arguments.joined(separator: " ") }
    }

    static let refusals = [
        Refusal(arguments: ["pull", "ami/nothing"], status: 66, code: "registry.model-not-found"),
        Refusal(
            arguments: ["pull", "ami/ball-drop:9.9.9"],
            status: 66,
            code: "registry.version-not-found"
        ),
        Refusal(
            arguments: ["pull", "ami/ball-drop@sha256:\(String(repeating: "0", count: 64))"],
            status: 76,
            code: nil
        ),
        Refusal(arguments: ["pull", "Not A Name"], status: 64, code: "reference.malformed"),
        Refusal(
            arguments: ["pull", "ami/ball-drop", "--offline"],
            status: 69,
            code: "registry.offline"
        ),
        Refusal(arguments: ["verify", "ami/ball-drop"], status: 66, code: "store.not-installed"),
        Refusal(arguments: ["verify", "/nowhere"], status: 66, code: "io.not-found"),
        Refusal(arguments: ["verify", "/etc"], status: 65, code: "store.not-a-release"),
        Refusal(
            arguments: ["list", "--registry", "/etc"],
            status: 66,
            code: "registry.not-a-registry"
        ),
        Refusal(
            arguments: ["list", "--registry", "ftp://example.org"],
            status: 64,
            code: "registry.address-invalid"
        ),
        Refusal(arguments: ["inspect", "/etc/passwd"], status: 65, code: nil),
        Refusal(arguments: ["fetch", "ami/ball-drop"], status: 64, code: nil),
        Refusal(arguments: ["pull"], status: 64, code: nil),
        Refusal(
            arguments: ["embed", "/etc", "x", "--output", "y.npy"],
            status: 66,
            code: "io.not-found"
        ),
    ]

    @Test(arguments: refusals)
    func refusalsHaveACodeAndTheStatusOfTheContract(refusal: Refusal) async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let run = try await ProgramRun(
                Program.executable,
                refusal.arguments + ["--json"],
                environment: zoo.environment
            )
            #expect(run.status == refusal.status, "\(run.output)\(run.errors)")
            if let code = refusal.code { #expect(run.errorCode == code) }
            #expect(!FileManager.default.fileExists(atPath: "\(zoo.store)/models"))
        }
    }

    @Test func anUnreachableRegistryIsSaidToBe() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let address = "http://127.0.0.1:\(try NginxServer.freePort())"
            let run = try await zoo("pull", "ami/ball-drop", "--registry", address)
            #expect(run.status == 69)
            #expect(run.output == "")
            #expect(run.errors.contains("[transport.connection-failed]"))
            #expect(run.errors.contains("remedy:"))
        }
    }
}
