// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor
import ZooTesting

@testable import ZooEval

/// Windows, labels and parameters that contradict a suite of time series give an error, and neither a number nor a
/// crash.
@Suite struct HostileSeriesTests {
    typealias Change = HostileDataTests.Change

    /// Every element of a tensor is one number.
    private static func constant(_ tensor: String, _ value: Float) -> Change {
        Change(tensor: tensor, what: "all are \(value)") { stored in
            let values = Array(repeating: value, count: stored.shape.elementCount)
            return StoredTensor(Tensor(shape: stored.shape, values: values))
        }
    }

    private static let windows: [Change] =
        [Change.missing("values")]
        + [.nan, .infinity, -.infinity].map { .number("values", 4711, $0) }

    static let anomalies: [Change] =
        windows
        + [Change.missing("kind"), constant("kind", 0), constant("kind", 1)]
        + [.nan, .infinity, -1, 0.5, 3, 1e30].flatMap { value in
            [0, 129].map { Change.number("kind", $0, value) }
        } + [
            .rows("values", 0..<129), .rows("kind", 0..<129), .shape("values", [130, 24, 4]),
            .shape("values", [130, 24, 6]), .shape("values", [130, 21, 5]),
            .shape("values", [130, 24]), .shape("values", [130, 0, 5]),
            .shape("values", [130, 24, 0]), .shape("kind", [130]), .shape("kind", [130, 2]),
        ]

    static let references: [Change] =
        windows
        + [constant("values", 3), .rows("values", 0..<1), .shape("values", [40, 24, 4])]

    static let labelled: [Change] =
        windows
        + [
            .missing("stage"), .missing("unit"), constant("stage", 1), constant("unit", 1),
            constant("values", 2), .number("stage", 3, .nan), .number("unit", 3, .infinity),
            // The only window with its label.
            .number("stage", 3, 9), .shape("stage", [140]), .rows("unit", 0..<139),
            .shape("values", [140, 24, 4]),
        ]

    @Test(arguments: anomalies)
    func anomaliesThatContradictTheSuiteAreRefused(change: Change) async throws {
        try await Self.requireRefusal(of: change, .anomaly, "anomalies")
    }

    @Test(arguments: references)
    func referencesThatContradictTheSuiteAreRefused(change: Change) async throws {
        try await Self.requireRefusal(of: change, .anomaly, "reference")
    }

    @Test(arguments: labelled)
    func labelsThatContradictTheSuiteAreRefused(change: Change) async throws {
        try await Self.requireRefusal(of: change, .retrieval, "labelled")
    }

    private static func requireRefusal(
        of change: Change,
        _ kind: SeriesEvaluation.Kind,
        _ name: String
    ) async throws {
        try await TemporaryFolder.with { folder in
            for other in ["anomalies", "reference", "labelled"] {
                let source = try Checkpoint(
                    opening: "\(SeriesEvaluation.vectors)/\(other).safetensors"
                )
                var tensors: [String: StoredTensor] = [:]
                for tensor in source.tensors { tensors[tensor.name] = source[tensor.name] }
                if other == name {
                    tensors[change.tensor] = change.make(try #require(tensors[change.tensor]))
                }
                try SafetensorsWriter.write(
                    tensors,
                    to: folder.path(of: "\(other).safetensors")
                )
            }
            let error = await #expect(throws: ZooError.self) {
                _ = try await SeriesEvaluation(kind, data: folder.path).run()
            }
            #expect(error?.code.rawValue == change.code, "\(error.map { "\($0)" } ?? "")")
        }
    }

    /// A parameter that is wrong for any data, or for these.
    struct Parameter: Sendable, CustomTestStringConvertible {
        let kind: SeriesEvaluation.Kind
        let name: String
        let value: JSONValue
        let code: String
        var testDescription: String { "\(name) of \(kind): \(value)" }

        init(_ kind: SeriesEvaluation.Kind, _ name: String, _ value: JSONValue, isInvalid: Bool) {
            (self.kind, self.name, self.value) = (kind, name, value)
            code = isInvalid ? "format.field-invalid" : "evaluation.data-unsuitable"
        }
    }

    static let parameters: [Parameter] = [
        Parameter(.anomaly, "block", 0, isInvalid: true),
        Parameter(.anomaly, "block", 8, isInvalid: false),
        Parameter(.anomaly, "kinds", [], isInvalid: true),
        Parameter(.anomaly, "kinds", ["shift", "shift"], isInvalid: true),
        Parameter(.anomaly, "kinds", ["shift", "any"], isInvalid: true),
        Parameter(.anomaly, "reference", "nothing", isInvalid: false),
        Parameter(.retrieval, "neighbours", [], isInvalid: true),
        Parameter(.retrieval, "neighbours", [1, 1], isInvalid: true),
        Parameter(.retrieval, "neighbours", [1, 137], isInvalid: false),
        Parameter(.retrieval, "label", "nothing", isInvalid: false),
    ]

    @Test(arguments: parameters)
    func parametersThatFitNothingAreRefused(wrong: Parameter) async throws {
        let error = await #expect(throws: ZooError.self) {
            let changed = [wrong.name: wrong.value]
            var sample = try SeriesEvaluation(wrong.kind, parameters: changed)
            sample.definition = try Self.withMetrics(of: sample.definition, wrong.kind, changed)
            _ = try await sample.run()
        }
        #expect(error?.code.rawValue == wrong.code, "\(error.map { "\($0)" } ?? "")")
    }

    /// The definition with the metrics that the suite measures with its parameters.
    private static func withMetrics(
        of definition: SuiteDefinition,
        _ kind: SeriesEvaluation.Kind,
        _ parameters: [String: JSONValue]
    ) throws -> SuiteDefinition {
        let suite: any EvaluationSuite =
            kind == .anomaly ? try AnomalySuite(definition) : try RetrievalSuite(definition)
        guard case .dataSet(let set) = definition.data,
            case .object(var members) = SeriesEvaluation.document(kind, set.digest, parameters)
        else { throw CancellationError() }
        members["metrics"] = .array(suite.metrics.map(\.json))
        return try SuiteDefinition(parsing: JSONValue.object(members).canonicalBytes)
    }

    @Test(arguments: [SeriesEvaluation.Kind.anomaly, .retrieval])
    func aModelOfClipsIsRefused(kind: SeriesEvaluation.Kind) async throws {
        let clips = "\(SampleEvaluation.root)/models/ami/ball-drop/release"
        let error = await #expect(throws: ZooError.self) {
            _ = try await SeriesEvaluation(kind, model: clips).run()
        }
        #expect(error?.code.rawValue == "evaluation.data-unsuitable")
    }
}
