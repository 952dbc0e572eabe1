// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor
import ZooTesting

@testable import ZooEval

/// Probes against PyTorch and scikit-learn (`Tests/Vectors/evaluation/probes/make.py`).
@Suite struct ProbeSuiteTests {
    @Test func classificationsAreThoseOfScikitLearn() async throws {
        try await TemporaryFolder.with { folder in
            let report = try await ProbeEvaluation(.classification)
                .report(in: folder.path(of: "work"))
            let expected = try ProbeEvaluation.expected()
            let (model, raw) = (
                try expected.object("stage, model"), try expected.object("stage, raw")
            )
            let accuracy = try model.number("accuracy")
            #expect(try report.measurement("accuracy").value == accuracy)
            #expect(try report.measurement("accuracy").samples == 150)
            #expect(
                abs(
                    try report.measurement("class-mean accuracy").value - model.number("classMean")
                ) < 1e-12
            )
            for (name, other) in [
                ("constant", try expected.number("constant accuracy")),
                ("raw", try raw.number("accuracy")),
            ] {
                let ratio = try report.measurement("1 - accuracy of \(name) over that of the model")
                #expect(abs(ratio.value - (1 - other) / (1 - accuracy)) < 1e-9)
                let interval = try #require(ratio.interval)
                #expect(interval.low < ratio.value && ratio.value < interval.high)
            }
        }
    }

    @Test func regressionsAreThoseOfScikitLearn() async throws {
        try await TemporaryFolder.with { folder in
            let report = try await ProbeEvaluation(.regression).report(in: folder.path(of: "work"))
            let expected = try ProbeEvaluation.expected()
            let model = try expected.object("life, model")
            let raw = try expected.object("life, raw").number("rmse")
            let rmse = try model.number("rmse")
            let found = try report.measurement("RMSE")
            #expect(abs(found.value - rmse) < 1e-5)
            #expect(abs(try report.measurement("R2").value - model.number("r2")) < 1e-4)
            let interval = try #require(found.interval)
            #expect(interval.low < found.value && found.value < interval.high)
            for (name, other) in [
                ("constant", try expected.number("constant rmse")), ("raw", raw),
            ] {
                let ratio = try report.measurement("RMSE of \(name) over that of the model").value
                #expect(abs(ratio - other / rmse) < 1e-4)
            }
        }
    }

    @Test func votesAreThoseOfScikitLearn() async throws {
        try await TemporaryFolder.with { folder in
            let report = try await ProbeEvaluation(.neighbours).report(in: folder.path(of: "work"))
            let expected = try ProbeEvaluation.expected()
            for count in [1, 20] {
                let accuracy = try expected.object("stage, model").number("knn\(count)")
                let raw = try expected.object("stage, raw").number("knn\(count)")
                #expect(
                    try report.measurement("accuracy, \(count) neighbours").value == accuracy
                )
                let ratio = try report.measurement(
                    "1 - accuracy of raw over that of the model, \(count) neighbours"
                ).value
                #expect(abs(ratio - (1 - raw) / (1 - accuracy)) < 1e-9)
            }
        }
    }

    /// Pictures, and clips of one picture, in a model of pictures.
    @Test(arguments: ["images", "frames"])
    func probesOfPicturesAreThoseOfScikitLearn(input: String) async throws {
        let expected = try ProbeEvaluation.expected()
        let (model, raw) = (
            try expected.object("colour, model"), try expected.object("colour, raw")
        )
        try await TemporaryFolder.with { folder in
            let linear = try await ProbeEvaluation.pictures(
                .classification,
                ["input": .string(input), "strengths": [1]]
            ).report(in: folder.path(of: "work"))
            let accuracy = try model.number("accuracy")
            #expect(try linear.measurement("accuracy").value == accuracy)
            let ratio = try linear.measurement("1 - accuracy of raw over that of the model").value
            #expect(abs(ratio - (1 - (try raw.number("accuracy"))) / (1 - accuracy)) < 1e-9)
            let votes = try await ProbeEvaluation.pictures(
                .neighbours,
                ["input": .string(input), "neighbours": [5]]
            ).report(in: folder.path(of: "work"))
            #expect(
                try votes.measurement("accuracy, 5 neighbours").value == model.number("knn5")
            )
        }
    }

    /// Probes of other labels compute no features again, and shards give the numbers of one run.
    @Test func probesShareFeatures() async throws {
        try await TemporaryFolder.with { folder in
            let (whole, parts) = (folder.path(of: "whole"), folder.path(of: "parts"))
            let first = try await ProbeEvaluation(.classification).report(in: whole)
            for kind in [ProbeEvaluation.Kind.regression, .neighbours] {
                let run = try await ProbeEvaluation(kind).run()
                try await run.compute(in: whole) { #expect($0.computed == 0) }
            }
            let sample = try ProbeEvaluation(.classification)
            for index in 1...3 {
                try await sample.run().compute(try #require(Shard("\(index)/3")), in: parts)
            }
            let merged = try await sample.run().report(from: [parts])
            #expect(merged.json.canonicalBytes == first.json.canonicalBytes)
        }
    }

    private struct Refusal: Sendable, CustomTestStringConvertible {
        let kind: ProbeEvaluation.Kind
        let parameters: [String: JSONValue]
        let code: String
        let message: String
        var testDescription: String { message }
    }

    private static let refusals = [
        Refusal(
            kind: .classification,
            parameters: ["fit": "test"],
            code: "evaluation.data-unsuitable",
            message: "measured on the split 'test' that it is fitted on"
        ),
        Refusal(
            kind: .classification,
            parameters: ["label": "life"],
            code: "evaluation.data-unsuitable",
            message: "only one of the splits"
        ),
        Refusal(
            kind: .classification,
            parameters: ["label": "none"],
            code: "evaluation.data-unsuitable",
            message: "no F32 tensor 'none'"
        ),
        Refusal(
            kind: .classification,
            parameters: ["group": "stage", "holdOut": 2],
            code: "evaluation.data-unsuitable",
            message: "are held out to choose the settings"
        ),
        Refusal(
            kind: .classification,
            parameters: ["holdOut": 900],
            code: "evaluation.data-unsuitable",
            message: "too few groups"
        ),
        Refusal(
            kind: .classification,
            parameters: ["strengths": [1, 1]],
            code: "format.field-invalid",
            message: "ascending order"
        ),
        Refusal(
            kind: .classification,
            parameters: ["raw": 1],
            code: "format.field-invalid",
            message: "true or false"
        ),
        Refusal(
            kind: .neighbours,
            parameters: ["neighbours": [1, 241]],
            code: "evaluation.data-unsuitable",
            message: "fewer than 241 neighbours"
        ),
        Refusal(
            kind: .neighbours,
            parameters: ["temperature": 0],
            code: "format.field-invalid",
            message: "temperature"
        ),
        Refusal(
            kind: .neighbours,
            parameters: ["input": "frames"],
            code: "evaluation.data-unsuitable",
            message: "no samples in a tensor 'frames'"
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

    /// The error says the number that is wrong, and its remedy gives a definition that is accepted.
    @Test(
        arguments: [
            ([], "lists no strength", "such as [1]", [1]),
            ([0, 1], "has 0.0, and strengths are from 1e-12 to 1e12", "replace 0.0 by", [0.5, 1]),
            ([1e-13, 1], "has 1e-13, and strengths are from", "replace 1e-13 by", [1e-12, 1]),
            ([1, 10, 10], "has 10.0 after 10.0", "set it to [1.0, 10.0]", [1, 10]),
            ([10, 1], "has 1.0 after 10.0", "set it to [1.0, 10.0]", [1, 10]),
        ] as [([Double], String, String, [Double])]
    )
    func strengthsAreRefusedWithTheirNumber(
        _ wrong: [Double],
        _ message: String,
        _ remedy: String,
        _ right: [Double]
    ) async throws {
        func evaluation(_ strengths: [Double]) throws -> ProbeEvaluation {
            let list = JSONValue.array(strengths.map { .number($0) })
            return try ProbeEvaluation(.regression, parameters: ["strengths": list])
        }
        let error = try #require(
            await #expect(throws: ZooError.self) { _ = try await evaluation(wrong).run() }
        )
        #expect(error.code.description == "format.field-invalid")
        #expect(error.message.contains("strengths' \(message)"), "\(error.message)")
        #expect(error.remedy?.contains(remedy) == true, "\(error.remedy ?? "")")
        _ = try await evaluation(right).run()
    }
}
