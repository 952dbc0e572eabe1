// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore
import ZooFiles

@testable import ZooEval

/// A probe of a small model of time series with random weights.
struct ProbeEvaluation {
    enum Kind { case classification, regression, neighbours }

    static let vectors = "\(SampleEvaluation.vectors)/probes"

    let definition: SuiteDefinition
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
        model folder: String = SeriesEvaluation.model,
        split: String = "test",
        parameters: [String: JSONValue] = [:]
    ) throws {
        let digest = ContentDigest(of: Array("probes".utf8))
        let record = try DataSetRecord(canonical: Self.record.canonicalBytes)
        data = .dataSet(EvaluationDataSet(folder: path, record: record, digest: digest))
        model = EvaluatedModel(folder: folder, digest: ContentDigest(of: Array("model".utf8)))
        definition = try SuiteDefinition(
            parsing: Self.document(kind, digest, split, parameters).canonicalBytes
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

    private static func document(
        _ kind: Kind,
        _ digest: ContentDigest,
        _ split: String,
        _ changed: [String: JSONValue]
    ) -> JSONValue {
        func metric(_ name: String, _ unit: String, _ direction: String = "higher") -> JSONValue {
            ["name": .string(name), "unit": .string(unit), "direction": .string(direction)]
        }
        var parameters: [String: JSONValue] = ["input": "values", "fit": "fit", "raw": true]
        let metrics: [JSONValue]
        switch kind {
        case .classification:
            parameters.merge([
                "task": "classification", "label": "stage", "group": "unit", "holdOut": 4,
                "strengths": [
                    .number(0.001), .number(0.01), .number(0.1), .integer(1), .integer(10),
                ],
            ]) { $1 }
            metrics =
                [metric("accuracy", "fraction"), metric("class-mean accuracy", "fraction")]
                + ["constant", "raw"].map {
                    metric("1 - accuracy of \($0) over that of the model", "ratio")
                }
        case .regression:
            parameters.merge([
                "task": "regression", "label": "life", "unit": "lives", "group": "unit",
                "holdOut": 4, "strengths": [.number(0.1), 1, 10, 100, 1000],
            ]) { $1 }
            metrics =
                [metric("RMSE", "lives", "lower"), metric("R2", "fraction")]
                + ["constant", "raw"].map {
                    metric("RMSE of \($0) over that of the model", "ratio")
                }
        case .neighbours:
            let own: [String: JSONValue] = [
                "label": "stage", "neighbours": [1, 20], "temperature": .number(0.07),
            ]
            parameters.merge(own) { $1 }
            metrics = [1, 20].flatMap { count in
                [
                    metric("accuracy, \(count) neighbours", "fraction"),
                    metric(
                        "1 - accuracy of raw over that of the model, \(count) neighbours",
                        "ratio"
                    ),
                ]
            }
        }
        parameters.merge(changed) { $1 }
        let suite = kind == .neighbours ? "knn" : "linear-probe"
        return [
            "format": "ami-zoo.suite/1", "name": "probe", "suite": .string(suite),
            "suiteVersion": 1,
            "data": [
                "kind": "dataset", "name": "test/probes", "version": "1.0.0",
                "digest": .string(digest.description), "split": .string(split),
            ],
            "parameters": .object(parameters), "metrics": .array(metrics), "seed": 0,
        ]
    }

    private static let record: JSONValue = {
        let counts = [("fit", 240), ("test", 150)]
        let files: [JSONValue] = counts.enumerated().map { index, part in
            [
                "path": .string("\(part.0).safetensors"), "size": 1, "archive": "data",
                "offset": .integer(512 + 1024 * index),
                "digest": .string(ContentDigest(of: [1]).description),
            ]
        }
        let splits: [JSONValue] = counts.map { name, count in
            [
                "name": .string(name), "count": .integer(count),
                "files": [.string("\(name).safetensors")],
            ]
        }
        return [
            "format": .string(DataSetRecord.format), "compatibility": ["reader": "0.1.0"],
            "requires": [], "name": "test/probes", "version": "1.0.0",
            "created": "2026-11-27T00:00:00Z", "summary": "Windows.", "authors": ["a"],
            "licence": "Apache-2.0", "modality": "series", "files": .array(files),
            "splits": .array(splits), "lineage": ["kind": "generated"],
        ]
    }()
}
