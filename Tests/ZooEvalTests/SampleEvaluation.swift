// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import ZooCore
import ZooFiles
import ZooTensor
import ZooTesting

@testable import ZooEval

/// A suite of `ami/ball-drop` on eight clips and eight pairs.
struct SampleEvaluation {
    enum Kind: String { case trajectory, surprise, absoluteSurprise }

    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
    static let vectors = "\(root)/Tests/Vectors/evaluation"

    var definition: SuiteDefinition
    let model: EvaluatedModel
    let data: EvaluationData

    static func expected() throws -> JSONObject {
        let bytes = try FileSystem.document("\(vectors)/expected.json", limit: 1 << 20)
        return try JSONObject(JSONValue(parsing: bytes))
    }

    init(_ kind: Kind, in folder: TemporaryFolder, data path: String = Self.vectors) async throws {
        let digest = ContentDigest(of: Array("data".utf8))
        let record = try SampleRecord.make("test/clips", "video", [("clips", 8), ("pairs", 8)])
        data = .dataSet(EvaluationDataSet(folder: path, record: record, digest: digest))
        definition = try SuiteDefinition(parsing: Self.document(kind, digest).canonicalBytes)
        model = EvaluatedModel(
            folder: "\(Self.root)/models/ami/ball-drop/release",
            digest: ContentDigest(of: Array("model".utf8))
        )
    }

    func run() async throws -> EvaluationRun {
        try await EvaluationRun(definition, of: model, on: data)
    }

    func report(in work: String) async throws -> EvaluationReport {
        let run = try await run()
        try await run.compute(in: work)
        return try await run.report(from: [work])
    }

    /// The columns of all samples.
    func table(in work: String) async throws -> SampleTable {
        try await run().compute(in: work)
        let stage = try await SuiteList.suite(for: definition).stages(of: model, on: data)[0]
        let folder = ChunkFolder(work: work, key: stage.key(model.digest, definition.data.json))
        return SampleTable((0..<stage.chunks).compactMap { folder.chunk($0, of: stage) })
    }

    /// A definition of a suite.
    static func document(_ kind: Kind, _ digest: ContentDigest) -> JSONValue {
        let isTrajectory = kind == .trajectory
        let kinds: [JSONValue] = ["teleport", "reversed", "frozen", "vanished"]
        let parameters: JSONValue =
            switch kind {
            case .trajectory: ["context": 8, "frames": 16, "group": 2]
            case .surprise:
                [
                    "window": 16, "stride": 2, "contexts": [4, 6, 8, 10, 12, 14], "maskIndex": 1,
                    "error": "squared", "horizon": "next", "targets": "read-out", "pool": "mean",
                    "kinds": .array(kinds),
                ]
            case .absoluteSurprise:
                [
                    "window": 16, "stride": 2, "contexts": [2, 8], "maskIndex": 1,
                    "error": "absolute", "horizon": "rest", "targets": "layer-norm", "pool": "mean",
                    "kinds": .array(kinds),
                ]
            }
        func metric(_ name: String, _ unit: String, _ direction: String) -> JSONValue {
            ["name": .string(name), "unit": .string(unit), "direction": .string(direction)]
        }
        let groups = ["8 and 9", "10 and 11", "12 and 13", "14 and 15"].map { "frames \($0)" }
        let metrics =
            isTrajectory
            ? groups.map { metric("position error, \($0)", "px", "lower") }
                + groups.flatMap { group in
                    ["last-position", "straight-line", "ballistic"].map {
                        metric("position error over \($0) error, \(group)", "ratio", "lower")
                    }
                } + [
                    metric("landing place error", "px", "lower"),
                    metric("landing time error", "frames", "lower"),
                ]
            : ["teleport", "reversed", "frozen", "vanished"].flatMap { kind in
                ["relative accuracy", "absolute accuracy", "AUROC"].map {
                    metric("\($0), \(kind)", "fraction", "higher")
                }
            }
        return [
            "format": "ami-zoo.suite/1", "name": .string(isTrajectory ? "trajectory" : "surprise"),
            "suite": .string(isTrajectory ? "trajectory" : "surprise"), "suiteVersion": 1,
            "data": [
                "kind": "dataset", "name": "test/clips", "version": "1.0.0",
                "digest": .string(digest.description),
                "split": .string(isTrajectory ? "clips" : "pairs"),
            ],
            "parameters": parameters, "metrics": .array(metrics), "seed": 0,
        ]
    }
}
