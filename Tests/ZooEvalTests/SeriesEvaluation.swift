// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import ZooCore
import ZooFiles
import ZooTesting

@testable import ZooEval

/// A suite of time series on a small model with random weights.
struct SeriesEvaluation {
    enum Kind: String { case anomaly, retrieval }

    static let vectors = "\(SampleEvaluation.vectors)/series"
    static let model = "\(SampleEvaluation.root)/Tests/Vectors/families/series-jepa"

    var definition: SuiteDefinition
    let model: EvaluatedModel
    let data: EvaluationData

    static func expected() throws -> JSONObject {
        let bytes = try FileSystem.document("\(vectors)/expected.json", limit: 1 << 20)
        return try JSONObject(JSONValue(parsing: bytes))
    }

    /// Prepares a measurement on the data in a folder, with some parameters in place of the default ones.
    init(
        _ kind: Kind,
        data path: String = Self.vectors,
        model folder: String = Self.model,
        parameters: [String: JSONValue] = [:]
    ) throws {
        let digest = ContentDigest(of: Array("series".utf8))
        let record = try SampleRecord.make(
            "test/series",
            "series",
            [("anomalies", 130), ("labelled", 140), ("reference", 40)]
        )
        data = .dataSet(EvaluationDataSet(folder: path, record: record, digest: digest))
        definition = try SuiteDefinition(
            parsing: Self.document(kind, digest, parameters).canonicalBytes
        )
        model = EvaluatedModel(folder: folder, digest: ContentDigest(of: Array("model".utf8)))
    }

    func run() async throws -> EvaluationRun {
        try await EvaluationRun(definition, of: model, on: data)
    }

    func report(in work: String) async throws -> EvaluationReport {
        let run = try await run()
        try await run.compute(in: work)
        return try await run.report(from: [work])
    }

    /// A definition of a suite.
    static func document(
        _ kind: Kind,
        _ digest: ContentDigest,
        _ changed: [String: JSONValue]
    ) -> JSONValue {
        func metric(_ name: String, _ unit: String) -> JSONValue {
            ["name": .string(name), "unit": .string(unit), "direction": "higher"]
        }
        let isAnomaly = kind == .anomaly
        var parameters: [String: JSONValue] =
            isAnomaly
            ? ["block": 3, "kinds": ["shift", "burst"], "reference": "reference"]
            : ["label": "stage", "group": "unit", "neighbours": [1, 5]]
        parameters.merge(changed) { $1 }
        let kinds = ["shift", "burst", "any"]
        let precisions = ["precision at 1", "precision at 5", "mean average precision"]
        let metrics =
            isAnomaly
            ? kinds.map { metric("AUROC, \($0)", "fraction") }
                + kinds.flatMap { kind in
                    ["largest-z", "mahalanobis"].map {
                        metric("1 - AUROC of \($0) over that of the model, \(kind)", "ratio")
                    }
                }
            : precisions.map { metric($0, "fraction") }
                + ["raw windows", "channel means"].flatMap { baseline in
                    precisions.map { metric("\($0) over that of \(baseline)", "ratio") }
                }
        return [
            "format": "ami-zoo.suite/1", "name": .string(kind.rawValue),
            "suite": .string(kind.rawValue), "suiteVersion": 1,
            "data": [
                "kind": "dataset", "name": "test/series", "version": "1.0.0",
                "digest": .string(digest.description),
                "split": .string(isAnomaly ? "anomalies" : "labelled"),
            ],
            "parameters": .object(parameters), "metrics": .array(metrics), "seed": 0,
        ]
    }
}
