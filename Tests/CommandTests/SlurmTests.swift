// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// A validation as a job array of Slurm, as `docs/cluster.md` says.
@Suite struct SlurmTests {
    private static let script = "\(Program.root)docs/operations/validate.sbatch"

    @Test(
        .enabled(
            if: SlurmCluster.isInstalled,
            "needs slurmctld, slurmd and munged; run 'scripts/setup --test'"
        )
    )
    func anArrayOfPartsGivesTheReportOfOneRunAlsoAfterAKill() async throws {
        try await TemporaryFolder.with { folder in
            let control = try ControlModel("two-rooms", suites: ["planning"], in: folder)
            // Six of the hundred episodes, with a search of a quarter of the size.
            try control.keep {
                try control.replace(
                    "\"episodes\": 100",
                    with: "\"episodes\": 6",
                    in: "suites/planning.json"
                )
                try control.replace(
                    "\"samples\": 64",
                    with: "\"samples\": 16",
                    in: "suites/planning.json"
                )
                try control.forgetClaims()
            }
            let registry = ["--registry", "\(Program.root)registry/embedded"]
            let whole = try await control.run(
                "validate",
                ["--json", "--work", folder.path(of: "whole")]
            )
            try #require(whole.status == 0, "\(whole.output)\(whole.errors)")

            var variables = control.zoo.environment
            let build = URL(filePath: Program.executable).deletingLastPathComponent().path()
            variables["PATH"] = "\(build):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
            try await SlurmCluster.with(variables, in: folder) { cluster in
                let work = folder.path(of: "work")
                let task = [Self.script, "3", control.source, work] + registry
                let first = try await cluster.submit(["--array=1-3"] + task)
                // Part 1 has episodes 0 and 3; it is killed during the second one.
                let stored = try await Self.chunk(0, in: work)
                let date = try Self.date(of: stored)
                _ = try await cluster("scancel", "--signal=KILL", "--full", "\(first)_1")
                let states = try await cluster.end(of: first)
                #expect(states.count { $0 == "COMPLETED" } == 2 && states.count == 3, "\(states)")

                func merged(_ name: String) async throws -> (states: [String], output: [UInt8]) {
                    let output = folder.path(of: name)
                    let command =
                        [Program.executable, "validate", control.source, "--json"] + registry
                        + ["--work", work, "--merge", work]
                    let job = try await cluster.submit([
                        "--dependency=afterany:\(first)", "--output=\(output)", "--wrap",
                        command.joined(separator: " "),
                    ])
                    return (try await cluster.end(of: job), try folder.read(name))
                }
                let early = try await merged("early.json")
                #expect(early.states == ["FAILED"])
                let message = String(decoding: early.output, as: UTF8.self)
                #expect(message.contains("evaluation.shard-missing"))
                #expect(message.contains("1 of 6 chunks of 'planning' are missing: 3"))

                let again = try await cluster.submit(["--array=1"] + task)
                #expect(try await cluster.end(of: again) == ["COMPLETED"])
                #expect(try Self.date(of: stored) == date)

                let report = try await merged("report.json")
                #expect(report.states == ["COMPLETED"])
                let found = try JSONObject(JSONValue(parsing: report.output), at: "")
                #expect(try found.value("evaluations") == whole.document.value("evaluations"))
                #expect(try found.value("checks") == whole.document.value("checks"))
            }
        }
    }

    /// Waits until a chunk is stored.
    private static func chunk(_ number: Int, in work: String) async throws -> String {
        let name = "chunk-\(String(repeating: "0", count: 6))\(number).safetensors"
        for _ in 0..<6000 {
            let stages = (try? FileManager.default.contentsOfDirectory(atPath: work)) ?? []
            let paths = stages.map { "\(work)/\($0)/\(name)" }
            if let path = paths.first(where: FileManager.default.fileExists) { return path }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw CancellationError()
    }

    private static func date(of path: String) throws -> Date {
        try #require(
            try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        )
    }
}
