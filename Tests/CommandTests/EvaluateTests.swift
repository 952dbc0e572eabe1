// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTesting

/// `evaluate` as its users run it, on eight clips and eight pairs.
@Suite struct EvaluateTests {
    @Test func aModelIsMeasuredAndTwoRunsAreEqual() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let sample = try await EvaluationSample(with: zoo, in: folder)
            func reports(_ options: [String]) async throws -> JSONValue {
                let run = try await sample.evaluate(["trajectory", "surprise"], options)
                try #require(run.status == 0, "\(run.output)\(run.errors)")
                return try run.document.required("reports")
            }
            let first = try await reports([])
            #expect(try await reports([]) == first)
            #expect(try await reports(["--work", folder.path(of: "elsewhere")]) == first)
            // Parts on three machines, merged.
            for part in 1...3 {
                let run = try await sample.evaluate(
                    ["trajectory", "surprise"],
                    ["--shard", "\(part)/3", "--work", folder.path(of: "part\(part)")]
                )
                #expect(run.status == 0, "\(run.output)")
                #expect(try run.text("shard") == "\(part)/3")
                #expect(try run.document.value("reports") == .array([]))
            }
            let parts = (2...3).flatMap { ["--merge", folder.path(of: "part\($0)")] }
            #expect(try await reports(["--work", folder.path(of: "part1")] + parts) == first)
            let missing = try await sample.evaluate(
                ["trajectory"],
                ["--work", folder.path(of: "part2"), "--merge", folder.path(of: "part3")]
            )
            #expect(missing.errorCode == "evaluation.shard-missing")
            #expect(missing.status == 66)

            guard case .array(let list) = first else { throw CancellationError() }
            let trajectory = try JSONObject(list[0])
            #expect(try trajectory.string("model") == sample.model)
            #expect(try trajectory.object("data").string("digest") == sample.digest)
            let metrics = try trajectory.objects("metrics", maximum: 100)
            #expect(try metrics[0].string("name") == "position error, frames 8 and 9")
            #expect(try metrics[0].number("value") > 0.1)
            let text = try await zoo(
                "evaluate",
                "ami/ball-drop",
                "--suite",
                sample.path("trajectory"),
                "--registry",
                sample.registry
            )
            #expect(text.output.contains("landing place error"))
        }
    }

    /// Collection without any grace runs beside evaluations, and none of them loses a result.
    @Test func collectionLeavesARunningEvaluationAlone() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let sample = try await EvaluationSample(with: zoo, in: folder)
            let end = Cancellation()
            let collecting = Task {
                var collections = 0
                while !end.isCancelled {
                    let run = try await zoo("cache", "gc", "--grace", "0s")
                    #expect(run.status == 0, "\(run.errors)")
                    collections += 1
                }
                return collections
            }
            for _ in 0..<2 {
                let run = try await sample.evaluate(["trajectory", "surprise"])
                #expect(run.status == 0, "\(run.output)")
            }
            end.cancel()
            #expect(try await collecting.value > 4)
            let usage = try await zoo("cache", "du", "--json")
            #expect(try usage.integer("evaluation") >= 0)
            #expect(try await zoo("cache", "gc", "--grace", "0s").status == 0)
            #expect(try await zoo("cache", "du", "--json").integer("evaluation") == 0)
            // A first run, whose results are kept without --grace.
            #expect(try await sample.evaluate(["trajectory"]).status == 0)
            #expect(try await zoo("cache", "gc", "--json").integer("evaluations") == 0)
            #expect(try await zoo("cache", "du", "--json").integer("evaluation") > 0)
            let dry = try await zoo("cache", "gc", "--grace", "0s", "--dry-run", "--json")
            #expect(try dry.integer("evaluations") == 1)
        }
    }

    /// What would be measured is verified first: a changed byte of the model or of the data gives no number.
    @Test func bytesThatAreNotAsReleasedAreNotMeasured() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let sample = try await EvaluationSample(with: zoo, in: folder)
            let whole = try await sample.evaluate(["trajectory"])
            try #require(whole.status == 0, "\(whole.output)")
            for (name, file) in [
                ("ami/ball-drop", "model.safetensors"), ("test/clips", "clips.safetensors"),
            ] {
                let path = try await zoo(
                    "pull",
                    name,
                    "--registry",
                    sample.source(of: name),
                    "--json"
                )
                .text("path")
                let url = URL(filePath: "\(path)/\(file)")
                let sound = try Data(contentsOf: url)
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o644],
                    ofItemAtPath: url.path
                )
                for place in [100, sound.count / 2, sound.count - 1] {
                    var changed = sound
                    changed[place] ^= 1
                    try changed.write(to: url)
                    let run = try await sample.evaluate(["trajectory"])
                    #expect(run.errorCode == "evaluation.not-as-released", "\(file) at \(place)")
                    #expect(run.status == 76)
                }
                try sound.write(to: url)
                #expect(try await sample.evaluate(["trajectory"]).status == 0)
            }
        }
    }

    @Test func wrongDefinitionsAreExplained() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let sample = try await EvaluationSample(with: zoo, in: folder)
            let changes: [(String, String, String)] = [
                ("\"suiteVersion\": 1", "\"suiteVersion\": 2", "evaluation.suite-unknown"),
                ("\"suite\": \"trajectory\"", "\"suite\": \"nothing\"", "evaluation.suite-unknown"),
                ("\"context\": 8", "\"context\": 6", "format.field-invalid"),
                ("\"context\": 8", "\"context\": true", "format.field-invalid"),
                ("\"group\": 2", "\"group\": 3", "format.field-invalid"),
                ("\"unit\": \"frames\"", "\"unit\": \"s\"", "format.field-invalid"),
                ("\"split\": \"clips\"", "\"split\": \"others\"", "evaluation.data-unsuitable"),
                ("\"split\": \"clips\"", "\"split\": \"pairs\"", "evaluation.data-unsuitable"),
                ("ami-zoo.suite/1", "ami-zoo.suite/9", "format.unknown"),
                ("{", "", "json.malformed"),
            ]
            let good = String(decoding: try folder.read("trajectory.json"), as: UTF8.self)
            for (found, replacement, code) in changes {
                try #require(good.contains(found), "\(found)")
                let range = try #require(good.range(of: found))
                try folder.write(
                    Array(good.replacingCharacters(in: range, with: replacement).utf8),
                    to: "bad.json"
                )
                let run = try await sample.evaluate(["bad"])
                #expect(run.errorCode == code, "\(replacement): \(run.output)")
            }
            let digest = good.replacing(
                sample.digest,
                with: "sha256:\(String(repeating: "1", count: 64))"
            )
            try folder.write(Array(digest.utf8), to: "bad.json")
            #expect(try await sample.evaluate(["bad"]).errorCode == "registry.digest-mismatch")
            #expect(try await sample.evaluate(["nothing"]).errorCode == "evaluation.suite-missing")
            let none = try await zoo("evaluate", "ami/ball-drop", "--json")
            #expect(none.errorCode == "evaluation.suite-missing")
            let folderRun = try await zoo(
                "evaluate",
                "\(Program.root)models/ami/ball-drop/release",
                "--json"
            )
            // Nothing names and describes what would be measured.
            #expect(folderRun.errorCode == "io.not-found")
            for options in [["--shard", "0/2"], ["--shard", "1/2", "--merge", "x"]] {
                #expect(try await sample.evaluate(["trajectory"], options).status == 64)
            }
        }
    }
}

/// A small data set in a registry, and definitions of suites on it.
struct EvaluationSample {
    let zoo: Program
    let folder: TemporaryFolder
    /// The registry with the data set `test/clips`.
    let registry: String
    /// The digest of the manifest of the data set.
    let digest: String
    /// The digest of the manifest of the installed ami/ball-drop.
    let model: String

    init(with zoo: Program, in folder: TemporaryFolder) async throws {
        (self.zoo, self.folder) = (zoo, folder)
        registry = folder.path(of: "evaluation-registry")
        let vectors = "\(Program.root)Tests/Vectors/evaluation"
        for name in ["clips.safetensors", "pairs.safetensors"] {
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(vectors)/\(name)")))
            try folder.write(bytes, to: "clips/\(name)")
        }
        let description = """
            kind: dataset
            name: test/clips
            version: 1.0.0
            summary: Eight clips and eight pairs of a ball.
            authors: [somebody]
            licence: Apache-2.0
            created: 2026-11-26T00:00:00Z
            modality: video
            splits:
              - {name: clips, count: 8, files: [clips.safetensors]}
              - {name: pairs, count: 8, files: [pairs.safetensors]}
            lineage: {kind: generated, generator: Tests/Vectors/evaluation/make.py, seed: 104}
            """
        try folder.write(Array(description.utf8), to: "clips/dataset.yaml")
        try #require(try await zoo("registry", "init", registry).status == 0)
        let pack = try await zoo("pack", folder.path(of: "clips"), "--output", registry, "--json")
        try #require(pack.status == 0, "\(pack.output)")
        digest = try pack.text("digest")
        model = try await zoo("pull", "ami/ball-drop", "--json").text("digest")
        for name in ["trajectory", "surprise"] {
            let template = try String(contentsOfFile: "\(vectors)/\(name).json", encoding: .utf8)
            try folder.write(
                Array(template.replacing("@DIGEST@", with: digest).utf8),
                to: "\(name).json"
            )
        }
    }

    func path(_ suite: String) -> String { folder.path(of: "\(suite).json") }

    /// The registry of a release; nil stands for the one that ships with the program.
    func source(of name: String) -> String {
        name == "test/clips" ? registry : Program.embedded
    }

    /// Runs `evaluate` with definitions in the folder.
    func evaluate(_ suites: [String], _ options: [String] = []) async throws -> ProgramRun {
        try await ProgramRun(
            Program.executable,
            ["evaluate", "ami/ball-drop", "--registry", registry, "--json"]
                + suites.flatMap { ["--suite", path($0)] } + options,
            environment: zoo.environment
        )
    }
}
