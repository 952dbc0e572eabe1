// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// `evaluate --probe` as its users run it, with a catalogue that describes small probes.
@Suite struct PublishedProbeCommandTests {
    private static let held = "\(Program.root)Tests/Vectors/evaluation/held"
    private static let published = "\(held)/published"

    private static func expected(_ file: String) throws -> JSONObject {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(published)/expected.json")))
        return try JSONObject(JSONValue(parsing: bytes)).object(file)
    }

    /// An entry for a small probe in a file of a published name.
    private static func describe(
        _ name: String,
        file: String,
        levels: [Int]?,
        tensors: Int = 51,
        in folder: TemporaryFolder
    ) throws {
        let layers = levels.map { ", layers: \($0)" } ?? ""
        let text = """
            name: lab/\(name)
            summary: A small probe.
            authors: [somebody]
            licence: MIT
            homepage: https://example.org/lab
            architecture: {family: vjepa2-probe, variant: tiny, heads: 2, poolerHeads: 2,
                           poolerDepth: 4, classes: 8, backbone: lab/tiny\(layers)}
            upstream: {url: "https://example.org/lab/\(file)", container: torch-zip, size: unknown,
                       sha256: unknown, component: classifiers, index: 0}
            components:
              - {name: classifier, tensors: \(tensors), parameters: unknown}
            inputs: {modality: video, frames: 4, height: 32, width: 32, channels: rgb,
                     layout: BTCHW, preprocessing: {orientation: unknown, resize: {rule: none},
                     resampling: none, crop: {rule: none}, rescale: 1, mean: [0, 0, 0],
                     std: [1, 1, 1]}}
            evaluation: []
            unknown: [size, sha256, parameters, inputs.preprocessing.orientation]
            """
        try folder.write(Array(text.utf8), to: "catalogue/lab/\(name)/model.yaml")
        try folder.write(Array("# A card\n".utf8), to: "catalogue/lab/\(name)/README.md")
    }

    private static func suite(_ file: String, in folder: TemporaryFolder) throws -> String {
        func metric(_ name: String) -> JSONValue {
            ["name": .string(name), "unit": "fraction", "direction": "higher"]
        }
        let document: JSONValue = [
            "format": "ami-zoo.suite/1", "name": "clips", "suite": "classification",
            "suiteVersion": 1,
            "data": [
                "kind": "held", "name": "clips", "split": "test",
                "splits": [
                    [
                        "name": "test", "count": 10,
                        "layout": [
                            "kind": "file-list", "folder": "something/videos",
                            "list": .string("published/\(try expected(file).string("list"))"),
                        ],
                    ]
                ],
            ],
            "parameters": [
                "input": "frames", "preprocessing": "meta-video-views",
                "sampling": ["rule": "segments", "clips": 2, "step": 2, "frames": 4],
                "classes": "index", "top": [1, 5],
            ],
            "metrics": [metric("top-1 accuracy"), metric("top-5 accuracy")], "seed": 0,
        ]
        return try folder.write(document.canonicalBytes, to: "\(file).json")
    }

    @Test func aPublishedFileIsMeasuredAsMetaDoes() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = folder.path(of: "model")
            let options = [
                "--heads", "2", "--predictor-heads", "1", "--crop-size", "32", "--frames", "4",
            ]
            func run(_ arguments: [String]) async throws -> ProgramRun {
                try await ProgramRun(
                    Program.executable,
                    arguments,
                    environment: zoo.environment.merging(["TMPDIR": folder.path(of: "tmp")]) { $1 }
                )
            }
            try FileManager.default.createDirectory(
                atPath: folder.path(of: "tmp"),
                withIntermediateDirectories: true
            )
            let converted = try await run(
                ["convert", "\(Self.published)/vjepa2.pt", "--to", model] + options
            )
            try #require(converted.status == 0, "\(converted.errors)")
            let catalogue = folder.path(of: "catalogue")
            let (last, several) = ("ssv2-vitl-16x2x3.pt", "diving48-vitl-256.pt")
            try Self.describe("ssv2", file: last, levels: nil, in: folder)
            try Self.describe("diving48", file: several, levels: [0, 2], in: folder)
            func evaluate(_ file: String, _ options: [String]) async throws -> ProgramRun {
                try await run(
                    ["evaluate", model, "--json", "--data", "clips=\(Self.held)"]
                        + ["--suite", try Self.suite(file, in: folder)] + options
                )
            }
            func probe(_ path: String) -> [String] { ["--probe", path, "--catalogue", catalogue] }
            for file in [last, several] {
                let found = try await evaluate(file, probe("\(Self.published)/\(file)"))
                try #require(found.status == 0, "\(found.output)\(found.errors)")
                #expect(found.errors.contains("which was trained on lab/tiny; licence MIT"))
                let report = try found.document.objects("reports", maximum: 1)[0]
                let values = try report.objects("metrics", maximum: 2).map { metric throws in
                    try metric.number("value")
                }
                let wanted = try Self.expected(file)
                #expect(try values == [wanted.number("top1"), wanted.number("top5")])
                #expect(try report.object("decoders").string("ffmpeg").isEmpty == false)
                // The same probe, converted before: the same report, and nothing is computed again.
                let own = folder.path(of: "probe-\(file)")
                let levels = file == several ? ["--backbone-levels", "0,2"] : []
                let convert = try await run(
                    ["convert", "\(Self.published)/\(file)", "--to", own, "--heads", "2"] + levels
                )
                try #require(convert.status == 0, "\(convert.errors)")
                let again = try await evaluate(
                    file,
                    ["--probe", own, "--merge", folder.path(of: "none")]
                )
                try #require(again.status == 0, "\(again.output)\(again.errors)")
                #expect(
                    try again.document.required("reports") == found.document.required("reports")
                )
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path(of: "tmp"))
            #expect(left.isEmpty, "\(left)")

            // A file that the catalogue does not know, and one that is another than it says.
            let renamed = folder.path(of: "mine.pt")
            try FileManager.default.copyItem(
                atPath: "\(Self.published)/\(last)",
                toPath: renamed
            )
            let unknown = try await evaluate(last, probe(renamed))
            #expect(unknown.errorCode == "convert.probe-unknown", "\(unknown.output)")
            #expect(unknown.status == 66)
            try Self.describe("ssv2", file: last, levels: nil, tensors: 50, in: folder)
            let other = try await evaluate(last, probe("\(Self.published)/\(last)"))
            #expect(other.errorCode == "import.counts-mismatch", "\(other.output)")
            // The shipped catalogue knows the published file of this name, which is larger.
            let small = try await evaluate(last, ["--probe", "\(Self.published)/\(last)"])
            #expect(small.errorCode == "import.counts-mismatch", "\(small.output)")
            #expect(small.output.contains("meta/vjepa2-vitl-ssv2-probe"))
            let truncated = folder.path(of: last)
            let bytes = try Data(contentsOf: URL(filePath: "\(Self.published)/\(last)"))
            try bytes.dropLast(1000).write(to: URL(filePath: truncated))
            let damaged = try await evaluate(last, probe(truncated))
            #expect(damaged.errorCode?.hasPrefix("checkpoint.") == true, "\(damaged.output)")
            // Without a probe, a probe for a suite that reads none, a catalogue for nothing.
            let none = try await evaluate(last, [])
            #expect(none.errorCode == "model.unsupported")
            #expect(none.output.contains("--probe"))
            #expect(try await evaluate(last, ["--catalogue", catalogue]).status == 64)
            #expect(
                try await evaluate(last, ["--probe", folder.path(of: "gone.pt")]).status == 66
            )
        }
    }
}
