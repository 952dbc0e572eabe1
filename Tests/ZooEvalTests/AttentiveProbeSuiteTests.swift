// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTensor
import ZooTesting

@testable import ZooEval

/// The suite `attentive-probe` against PyTorch in float64 (`Tests/Vectors/evaluation/attentive/make.py`).
@Suite struct AttentiveProbeSuiteTests {
    private static func expected(_ task: String) throws -> JSONObject {
        let path = "\(SampleEvaluation.vectors)/attentive/expected.json"
        return try JSONObject(
            JSONValue(parsing: try FileSystem.document(path, limit: 1 << 20))
        ).object(task)
    }

    @Test func classificationsAreThoseOfPyTorch() async throws {
        try await TemporaryFolder.with { folder in
            let report = try await ProbeEvaluation(.attentiveClassification)
                .report(in: folder.path(of: "work"))
            let expected = try Self.expected("stage")
            let accuracy = try expected.number("accuracy")
            let found = try report.measurement("accuracy")
            #expect(found.value == accuracy && found.samples == 150)
            let interval = try #require(found.interval)
            #expect(interval.low < accuracy && accuracy < interval.high)
            #expect(
                abs(
                    try report.measurement("class-mean accuracy").value
                        - expected.number("classMean")
                ) < 1e-12
            )
            let top = try report.measurement("top-2 accuracy")
            #expect(abs(top.value - (try expected.number("top"))) < 1e-12)
            #expect(top.interval != nil)
            let constant = try ProbeEvaluation.expected().number("constant accuracy")
            let ratio = try report.measurement("1 - accuracy of constant over that of the model")
            #expect(abs(ratio.value - (1 - constant) / (1 - accuracy)) < 1e-9)
        }
    }

    @Test func regressionsAreThoseOfPyTorch() async throws {
        try await TemporaryFolder.with { folder in
            let report = try await ProbeEvaluation(.attentiveRegression)
                .report(in: folder.path(of: "work"))
            let expected = try Self.expected("life")
            let rmse = try expected.number("rmse")
            #expect(abs(try report.measurement("RMSE").value - rmse) < 1e-4)
            #expect(abs(try report.measurement("R2").value - expected.number("r2")) < 1e-3)
            let constant = try ProbeEvaluation.expected().number("constant rmse")
            let ratio = try report.measurement("RMSE of constant over that of the model").value
            #expect(abs(ratio - constant / rmse) < 1e-3)
        }
    }

    /// Other labels and rates compute no tokens again; shards and threads give the bytes of one run.
    @Test func probesShareTokens() async throws {
        try await TemporaryFolder.with { folder in
            let (whole, parts) = (folder.path(of: "whole"), folder.path(of: "parts"))
            let sample = try ProbeEvaluation(.attentiveClassification)
            let first = try await sample.report(in: whole)
            for (kind, changes) in [
                (ProbeEvaluation.Kind.attentiveRegression, [:]),
                (.attentiveClassification, ["epochs": 1 as JSONValue]),
            ] {
                let run = try await ProbeEvaluation(kind, parameters: changes).run()
                try await run.compute(in: whole) { #expect($0.computed == 0) }
            }
            for index in 1...3 {
                try await sample.run().compute(try #require(Shard("\(index)/3")), in: parts)
            }
            let merged = try await sample.run()
                .report(from: [parts], on: ComputePool(threads: 3))
            #expect(merged.json.canonicalBytes == first.json.canonicalBytes)
            let single = try await sample.run()
                .report(from: [parts], on: ComputePool(threads: 1))
            #expect(single.json.canonicalBytes == first.json.canonicalBytes)
        }
    }

    /// A picture, and a clip of one picture, have the same tokens.
    @Test func probesOfPicturesAreTrained() async throws {
        try await TemporaryFolder.with { folder in
            var reports: [EvaluationReport] = []
            for input in ["images", "frames"] {
                let sample = try ProbeEvaluation.pictures(
                    .attentiveClassification,
                    [
                        "input": .string(input), "group": .null, "top": .null,
                        "learningRates": [.number(0.003)], "weightDecays": [.number(0.01)],
                    ]
                )
                reports.append(try await sample.report(in: folder.path(of: input)))
            }
            #expect(reports[0].measurements == reports[1].measurements)
            #expect(try reports[0].measurement("accuracy").samples == 60)
        }
    }

    /// Weights that grow without bound are never measured.
    @Test func trainingsThatDivergeAreLeftOut() async throws {
        try await TemporaryFolder.with { folder in
            let work = folder.path(of: "work")
            for rates: [JSONValue] in [[10], [10, 9]] {
                let error = await #expect(throws: ZooError.self) {
                    _ = try await ProbeEvaluation(
                        .attentiveClassification,
                        parameters: ["learningRates": .array(rates), "weightDecays": [10]]
                    ).report(in: work)
                }
                #expect(error?.code.rawValue == "evaluation.not-finite")
                #expect(error?.remedy?.contains("smaller 'learningRates'") == true)
            }
            let report = try await ProbeEvaluation(
                .attentiveClassification,
                parameters: ["learningRates": [10, .number(0.01)], "weightDecays": [10]]
            ).report(in: work)
            #expect(report.measurements.count == 4)
        }
    }

    private struct Refusal: Sendable, CustomTestStringConvertible {
        let parameters: [String: JSONValue]
        var code = "format.field-invalid"
        let message: String
        var kind = ProbeEvaluation.Kind.attentiveClassification
        var testDescription: String { message }
    }

    private static let refusals = [
        Refusal(parameters: ["heads": 0], message: "heads"),
        Refusal(
            parameters: ["heads": 5],
            code: "evaluation.data-unsuitable",
            message: "which 5 heads do not divide"
        ),
        Refusal(
            parameters: ["top": 3],
            code: "evaluation.data-unsuitable",
            message: "'top' is 3, and 'stage' has 3 classes"
        ),
        Refusal(parameters: ["top": 1], message: "top"),
        Refusal(parameters: ["epochs": 0], message: "epochs"),
        Refusal(parameters: ["batch": 0], message: "batch"),
        Refusal(parameters: ["warmUp": .number(12.5)], message: "must be from 0 to 'epochs'"),
        Refusal(parameters: ["warmUp": .number(-0.5)], message: "must be from 0 to 'epochs'"),
        Refusal(parameters: ["learningRates": []], message: "learningRates"),
        Refusal(parameters: ["learningRates": [0]], message: "learningRates"),
        Refusal(parameters: ["learningRates": [1, 1]], message: "different numbers"),
        Refusal(parameters: ["weightDecays": [-1]], message: "weightDecays"),
        Refusal(
            parameters: [
                "learningRates": .array((1...9).map { .integer($0) }),
                "weightDecays": [0, 1, 2, 3],
            ],
            message: "makes 36 pairs with 'learningRates', and at most 32 are trained"
        ),
        Refusal(parameters: ["task": "segmentation"], message: "task"),
        Refusal(
            parameters: ["unit": .null],
            message: "unit",
            kind: .attentiveRegression
        ),
        Refusal(
            parameters: ["group": "stage", "holdOut": 2],
            code: "evaluation.data-unsuitable",
            message: "are held out to choose the settings"
        ),
        Refusal(
            parameters: ["fit": "test"],
            code: "evaluation.data-unsuitable",
            message: "measured on the split 'test' that it is fitted on"
        ),
        Refusal(
            parameters: ["input": "images"],
            code: "evaluation.data-unsuitable",
            message: "no samples in a tensor 'images'"
        ),
    ]

    @Test(arguments: refusals)
    private func unsuitableDefinitionsAreRefused(_ refusal: Refusal) async throws {
        let error = try #require(
            await #expect(throws: ZooError.self) {
                _ = try await ProbeEvaluation(refusal.kind, parameters: refusal.parameters).run()
            }
        )
        #expect(error.code.description == refusal.code, "\(error)")
        #expect(error.message.contains(refusal.message), "\(error.message)")
    }

    /// Stored results whose digest is right, and whose numbers are not.
    @Test(arguments: [Float.nan, .infinity, 0, -1, 0.5, 1e30, 7])
    func storedNumbersOfTokensAreChecked(number: Float) async throws {
        try await TemporaryFolder.with { folder in
            let work = folder.path(of: "work")
            let sample = try ProbeEvaluation(.attentiveClassification)
            let run = try await sample.run()
            try await run.compute(in: work)
            let stage = try await SuiteList.suite(for: sample.definition)
                .stages(of: sample.model, on: sample.data)[0]
            let store = ChunkFolder(
                work: work,
                key: stage.key(sample.model.digest, sample.definition.data.json)
            )
            var columns = try #require(store.chunk(0, of: stage)).columns()
            let values = Array(repeating: number, count: stage.chunk)
            columns["tokens"] = Tensor(shape: [stage.chunk, 1], values: values)
            _ = try store.store(columns, as: 0)
            let error = await #expect(throws: ZooError.self) { try await run.report(from: [work]) }
            #expect(error?.code.rawValue == "evaluation.shard-missing")
            #expect(error?.remedy?.contains("remove the stored results") == true)
        }
    }

    /// A stored file that is lost after it was checked.
    @Test func lostTokensStopATraining() async throws {
        try await TemporaryFolder.with { folder in
            let work = folder.path(of: "work")
            let sample = try ProbeEvaluation(.attentiveClassification)
            try await sample.run().compute(in: work)
            let suite = try SuiteList.suite(for: sample.definition)
            let stages = try await suite.stages(of: sample.model, on: sample.data)
            let stores = stages.map { stage in
                ChunkFolder(
                    work: work,
                    key: stage.key(sample.model.digest, sample.definition.data.json)
                )
            }
            let chunks = zip(stages, stores).flatMap { stage, store in
                (0..<stage.chunks).compactMap { store.chunk($0, of: stage) }
            }
            #expect(chunks.count == 25)
            try FileManager.default.removeItem(
                atPath: "\(stores[0].folder)/chunk-0000007.safetensors"
            )
            let error = await #expect(throws: ZooError.self) {
                try await ComputePool.shared.run { session in
                    _ = try suite.measure(SampleTable(chunks), on: sample.data, in: session)
                }
            }
            #expect(error?.code.rawValue.hasPrefix("io.") == true)
        }
    }
}
