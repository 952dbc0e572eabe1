// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// The files for operators in `docs/operations`.
@Suite struct OperationsTests {
    private static let analyzer = "/usr/bin/systemd-analyze"
    private static let hasAnalyzer = FileManager.default.isExecutableFile(atPath: analyzer)
    private static let installed = "/usr/bin/ami-zoo"

    /// The unit, with the path of the program that this build made.
    private func unit() throws -> String {
        let path = "\(Program.root)docs/operations/ami-zoo.service"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains("ExecStart=\(Self.installed) serve "))
        return text.replacing(Self.installed, with: Program.executable)
    }

    /// What `systemd-analyze verify` writes about a unit: nothing when all is well.
    private func findings(_ unit: String, _ folder: TemporaryFolder) async throws -> String {
        try folder.write(Array(unit.utf8), to: "ami-zoo.service")
        let run = try await ProgramRun(
            Self.analyzer,
            ["verify", "--man=no", folder.path(of: "ami-zoo.service")]
        )
        return run.output + run.errors + (run.status == 0 ? "" : "status \(run.status)")
    }

    @Test(.enabled(if: hasAnalyzer, "needs systemd-analyze"))
    func theUnitIsValid() async throws {
        try await TemporaryFolder.with { folder in
            let unit = try unit()
            #expect(try await findings(unit, folder) == "")
            let misspelt = unit.replacing("NoNewPrivileges=yes", with: "NoNewPrivilege=yes")
            #expect(try await findings(misspelt, folder).contains("NoNewPrivilege"))
        }
    }

    @Test(.enabled(if: hasAnalyzer, "needs systemd-analyze"))
    func theUnitIsHardened() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write(Array(try unit().utf8), to: "ami-zoo.service")
            // 15 stands for an exposure of 1.5 of 10; the status is 1 above it.
            let run = try await ProgramRun(
                Self.analyzer,
                [
                    "security", "--offline=yes", "--threshold=15",
                    folder.path(of: "ami-zoo.service"),
                ]
            )
            #expect(run.status == 0, "\(run.output)")
        }
    }

    @Test func theCommandOfTheUnitServesReadOnly() async throws {
        try await TemporaryFolder.with { folder in
            let line = try #require(
                try unit().split(separator: "\n").first { $0.hasPrefix("ExecStart=") }
            )
            var arguments = line.split(separator: " ").dropFirst().map(String.init)
            let root = try #require(arguments.firstIndex(of: "/var/lib/ami-zoo/registry"))
            arguments[root] = Program.embedded
            let address = try #require(arguments.firstIndex(of: "0.0.0.0:8080"))
            arguments[address] = "0.0.0.0:0"
            let process = try Program(in: folder).start(arguments, output: folder.path(of: "out"))
            var text = ""
            for _ in 0..<500 where !text.hasSuffix("\n") && process.isRunning {
                text = String(decoding: try folder.read("out"), as: UTF8.self)
                try await Task.sleep(for: .milliseconds(20))
            }
            await process.kill()
            #expect(text.wholeMatch(of: /serving at http:\/\/0\.0\.0\.0:\d+\nread-only\n/) != nil)
        }
    }

    @Test func theContainerRunsTheCommandOfTheUnit() throws {
        let path = "\(Program.root)docs/operations/Containerfile"
        let recipe = try String(contentsOfFile: path, encoding: .utf8)
        let command = try #require(recipe.firstMatch(of: /\nCMD \[(.*)\]\n/)).1
            .split(separator: ", ").map { $0.dropFirst().dropLast() }.joined(separator: " ")
        #expect(try unit().contains("ExecStart=\(Program.executable) \(command)\n"))
    }
}
