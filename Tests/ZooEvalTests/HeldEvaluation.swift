// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooCore
import ZooFiles

@testable import ZooEval

/// Suites on small data in the layouts of published data sets (`Tests/Vectors/evaluation/held/make.py`).
struct HeldEvaluation {
    static let vectors = "\(SampleEvaluation.vectors)/held"

    let definition: SuiteDefinition
    let model: EvaluatedModel
    let data: EvaluationData

    static func expected(_ name: String) throws -> JSONObject {
        let bytes = try FileSystem.document("\(vectors)/expected.json", limit: 4 << 20)
        return try JSONObject(JSONValue(parsing: bytes)).object(name)
    }

    /// Prepares a suite on the data in a folder.
    init(
        _ document: JSONValue,
        model folder: String,
        data path: String,
        probe: EvaluatedProbe? = nil
    ) async throws {
        definition = try SuiteDefinition(parsing: document.canonicalBytes)
        guard case .held(let source) = definition.data else { throw CancellationError() }
        data = .held(try await HeldData(source, in: try HeldFolder(path)))
        model = EvaluatedModel(
            folder: folder,
            digest: ContentDigest(of: Array("model".utf8)),
            probe: probe
        )
    }

    func split(_ name: String) throws -> HeldData.Labelled { try data.held().labelled(name) }

    func digest(_ name: String) throws -> ContentDigest { try data.held().digest(name) }

    func run() async throws -> EvaluationRun {
        try await EvaluationRun(definition, of: model, on: data)
    }

    func report(in work: String) async throws -> EvaluationReport {
        let run = try await run()
        try await run.compute(in: work)
        return try await run.report(from: [work])
    }

    // MARK: Definitions

    enum Probe { case linear, neighbours }

    /// A probe of images in class folders.
    static func images(_ probe: Probe, data: String = "\(vectors)/images") async throws -> Self {
        try await Self(
            imagesDocument(probe),
            model: "\(SampleEvaluation.vectors)/probes/pictures",
            data: data
        )
    }

    /// The definition of that probe; `digest` is what it expects of the split `val`.
    static func imagesDocument(_ probe: Probe, digest: ContentDigest? = nil) -> JSONValue {
        func metric(_ name: String, _ unit: String = "fraction") -> JSONValue {
            ["name": .string(name), "unit": .string(unit), "direction": "higher"]
        }
        func split(_ name: String, _ count: Int) -> JSONValue {
            var members: [String: JSONValue] = [
                "name": .string(name), "count": .integer(count),
                "layout": ["kind": "class-folders", "folder": .string(name)],
            ]
            if name == "val", let digest { members["digest"] = .string(digest.description) }
            return .object(members)
        }
        var parameters: [String: JSONValue] = [
            "input": "images", "fit": "train", "label": "class", "raw": false,
            "preprocessing": "meta-image",
        ]
        let metrics: [JSONValue]
        switch probe {
        case .linear:
            parameters.merge(["task": "classification", "strengths": [1], "holdOut": 4]) { $1 }
            metrics = [
                metric("accuracy"), metric("class-mean accuracy"),
                metric("1 - accuracy of constant over that of the model", "ratio"),
            ]
        case .neighbours:
            parameters.merge(["neighbours": [5], "temperature": .number(0.07)]) { $1 }
            metrics = [metric("accuracy, 5 neighbours")]
        }
        return [
            "format": "ami-zoo.suite/1", "name": "probe",
            "suite": .string(probe == .linear ? "linear-probe" : "knn"), "suiteVersion": 1,
            "data": [
                "kind": "held", "name": "pictures", "split": "val",
                "splits": [split("train", 32), split("val", 16)],
            ],
            "parameters": .object(parameters), "metrics": .array(metrics), "seed": 0,
        ]
    }
}
