// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore
import ZooFiles

@testable import ZooEval

/// A probe of a small model of time series with random weights.
struct ProbeEvaluation {
    enum Kind: CaseIterable {
        case classification, regression, neighbours, attentiveClassification, attentiveRegression

        /// The name of the suite.
        var suite: String {
            switch self {
            case .classification, .regression: "linear-probe"
            case .neighbours: "knn"
            case .attentiveClassification, .attentiveRegression: "attentive-probe"
            }
        }
    }

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
        modality: String = "series",
        splits: [(name: String, count: Int)] = [("fit", 240), ("test", 150)],
        parameters: [String: JSONValue] = [:]
    ) throws {
        let digest = ContentDigest(of: Array("probes".utf8))
        let record = try SampleRecord.make("test/probes", modality, splits)
        data = .dataSet(EvaluationDataSet(folder: path, record: record, digest: digest))
        model = EvaluatedModel(folder: folder, digest: ContentDigest(of: Array("model".utf8)))
        definition = try SuiteDefinition(
            parsing: Self.document(kind, digest, split, parameters).canonicalBytes
        )
    }

    /// A probe of a small model of pictures with random weights.
    static func pictures(_ kind: Kind, _ parameters: [String: JSONValue]) throws -> Self {
        let folder = "\(vectors)/pictures"
        var all: [String: JSONValue] = ["label": "colour"]
        all.merge(parameters) { $1 }
        return try Self(
            kind,
            data: folder,
            model: folder,
            modality: "image",
            splits: [("fit", 120), ("test", 60)],
            parameters: all
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
            var counts = [1, 20]
            if case .array(let changed)? = changed["neighbours"] {
                counts = changed.compactMap {
                    if case .integer(let count) = $0 { count } else { nil }
                }
            }
            metrics = counts.flatMap { count in
                [
                    metric("accuracy, \(count) neighbours", "fraction"),
                    metric(
                        "1 - accuracy of raw over that of the model, \(count) neighbours",
                        "ratio"
                    ),
                ]
            }
        case .attentiveClassification, .attentiveRegression:
            let isClassification = kind == .attentiveClassification
            parameters = [
                "input": "values", "fit": "fit", "group": "unit", "holdOut": 4, "heads": 2,
                "epochs": 12, "batch": 32, "warmUp": 1,
                "learningRates": [.number(0.01), .number(0.003)],
                "weightDecays": [0, .number(0.1)],
            ]
            let own: [String: JSONValue] =
                isClassification
                ? ["task": "classification", "label": "stage", "top": 2]
                : ["task": "regression", "label": "life", "unit": "lives"]
            parameters.merge(own) { $1 }
            var top = 2
            if case .integer(let changed)? = changed["top"] { top = changed }
            let baseline = isClassification ? "1 - accuracy" : "RMSE"
            metrics =
                (isClassification
                    ? [metric("accuracy", "fraction"), metric("class-mean accuracy", "fraction")]
                        + (changed["top"] == .null
                            ? [] : [metric("top-\(top) accuracy", "fraction")])
                    : [metric("RMSE", "lives", "lower"), metric("R2", "fraction")])
                + [metric("\(baseline) of constant over that of the model", "ratio")]
        }
        parameters.merge(changed) { $1 }
        parameters = parameters.filter { $0.value != .null }
        return [
            "format": "ami-zoo.suite/1", "name": "probe", "suite": .string(kind.suite),
            "suiteVersion": 1,
            "data": [
                "kind": "dataset", "name": "test/probes", "version": "1.0.0",
                "digest": .string(digest.description), "split": .string(split),
            ],
            "parameters": .object(parameters), "metrics": .array(metrics), "seed": 0,
        ]
    }
}
