// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTesting

/// A small copy of ami/ball-drop: a model folder with the suites `golden` and `trajectory`, and claims that hold.
struct ValidationCandidate {
    let zoo: Program
    let folder: TemporaryFolder
    let sample: EvaluationSample
    let source: String
    let store: [String: String]

    init(in folder: TemporaryFolder) async throws {
        self.folder = folder
        zoo = Program(in: folder)
        store = zoo.environment
        sample = try await EvaluationSample(with: zoo, in: folder)
        source = folder.path(of: "model")
        try FileManager.default.copyItem(
            atPath: "\(Program.root)models/ami/ball-drop/release",
            toPath: source
        )
        try? FileManager.default.removeItem(atPath: "\(source)/suites/surprise.json")
        let suite = try String(contentsOfFile: sample.path("trajectory"), encoding: .utf8)
        try folder.write(Array(suite.utf8), to: "model/suites/trajectory.json")
        try describe()
    }

    /// Writes `model.yaml` with the claims, each with its tolerance.
    func describe(_ change: (String) -> String = { $0 }) throws {
        let yaml = try String(
            contentsOfFile: "\(Program.root)models/ami/ball-drop/model.yaml",
            encoding: .utf8
        )
        let head = yaml.prefix(upTo: try #require(yaml.range(of: "evaluation:")).lowerBound)
        let suite = try JSONValue(
            parsing: Array(try folder.read("model/suites/trajectory.json"))
        )
        // What the suite measures on these eight clips (`Tests/Vectors/evaluation/expected.json`).
        let claims = [
            ("landing place error", "px", try expected("landing place error"), 0.01),
            (
                "position error, frames 14 and 15", "px",
                try expected("position error, frames 14 and 15"), 0.01
            ),
        ].map { metric, unit, value, tolerance in
            """
              - suite: trajectory
                suiteDigest: "\(ContentDigest(of: suite.canonicalBytes))"
                dataset: test/clips:1.0.0
                datasetDigest: "\(sample.digest)"
                metric: "\(metric)"
                unit: \(unit)
                direction: lower
                value: \(value)
                tolerance: \(tolerance)
                status: measured
                source: ami-zoo evaluate
            """
        }.joined(separator: "\n")
        let text = head.replacing("ami/ball-drop\n", with: "test/candidate\n")
            .replacing(#/\nversion: .*/#, with: "\nversion: 1.0.0")
        let description = change("\(text)evaluation:\n\(claims)\n")
        try folder.write(Array(description.utf8), to: "model/model.yaml")
    }

    private func expected(_ metric: String) throws -> Double {
        let bytes = try FileSystem.document(
            "\(Program.root)Tests/Vectors/evaluation/expected.json",
            limit: 1 << 20
        )
        let all = try JSONObject(JSONValue(parsing: bytes))
        return metric == "landing place error"
            ? try all.object("landing").object("place_px").object("model").number("mean")
            : try all.objects("position", maximum: 4)[3].object("model").number("mean")
    }

    func validate(_ options: [String] = []) async throws -> ProgramRun {
        try await ProgramRun(
            Program.executable,
            ["validate", source, "--registry", sample.registry, "--json"] + options,
            environment: zoo.environment
        )
    }

    func publish(_ options: [String] = []) async throws -> ProgramRun {
        let layout = folder.path(of: "layout-\(UUID())")
        let pack = try await zoo("pack", source, "--output", layout)
        try #require(pack.status == 0, "\(pack.errors)")
        return try await ProgramRun(
            Program.executable,
            ["publish", layout, "--registry", sample.registry, "--json"] + options,
            environment: zoo.environment
        )
    }
}
