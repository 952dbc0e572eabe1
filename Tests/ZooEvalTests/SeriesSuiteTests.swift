// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor
import ZooTesting

@testable import ZooEval

/// The suites of time series against PyTorch, numpy, scipy and scikit-learn
/// (`Tests/Vectors/evaluation/series/make.py`).
@Suite struct SeriesSuiteTests {
    private static func expect(
        _ interval: ConfidenceInterval?,
        _ object: JSONObject,
        _ tolerance: Double
    ) throws {
        let ends = try object.numbers("interval", maximum: 2)
        let found = try #require(interval)
        #expect(abs(found.low - ends[0]) < tolerance * max(1, ends[0]), "\(found) \(ends)")
        #expect(abs(found.high - ends[1]) < tolerance * max(1, ends[1]), "\(found) \(ends)")
    }

    @Test func anomaliesAreThoseOfScikitLearn() async throws {
        try await TemporaryFolder.with { folder in
            let report = try await SeriesEvaluation(.anomaly).report(in: folder.path(of: "work"))
            let expected = try SeriesEvaluation.expected()
            let (areas, ratios) = (try expected.object("areas"), try expected.object("ratios"))
            for kind in ["shift", "burst", "any"] {
                let area = try areas.object(kind)
                let found = try report.measurement("AUROC, \(kind)")
                #expect(abs(found.value - (try area.number("value"))) < 1e-9)
                #expect(
                    found.samples
                        == (try area.integer("low", in: 0...200) + area.integer("high", in: 0...200))
                )
                try Self.expect(found.interval, area, 1e-9)
                for baseline in ["largest-z", "mahalanobis"] {
                    let ratio = try ratios.object("\(baseline), \(kind)")
                    let found = try report.measurement(
                        "1 - AUROC of \(baseline) over that of the model, \(kind)"
                    )
                    #expect(abs(found.value - (try ratio.number("value"))) < 1e-9)
                    try Self.expect(found.interval, ratio, 1e-9)
                }
            }
        }
    }

    @Test func theErrorsOfTokensAreThoseOfPyTorch() async throws {
        let sample = try SeriesEvaluation(.anomaly)
        let stage = try await SuiteList.suite(for: sample.definition)
            .stages(of: sample.model, on: sample.data)[0]
        let found = try #require(try await stage.compute(0..<4, on: .shared)["errors"])
        #expect(found.shape == [4, 8])
        let rows = try SeriesEvaluation.expected().array("errors", maximum: 4)
        let wanted: [Double] = try rows.flatMap { row in
            try JSONObject(["row": row]).numbers("row", maximum: 8)
        }
        for (value, number) in zip(found.values, wanted) {
            #expect(abs(Double(value) - number) < 1e-5 * max(1, number))
        }
    }

    /// Scores that are separated, and few ones.
    @Test func intervalsOfAreasAreThoseOfScipy() throws {
        for row in try SeriesEvaluation.expected().objects("intervals", maximum: 10) {
            let low = try row.integer("low", in: 1...1000)
            let high = try row.integer("high", in: 1...1000)
            let area = AreaUnderCurve(try row.number("value"), low: low, high: high)
            try Self.expect(area.interval, row, 1e-9)
        }
        let perfect = AreaUnderCurve(low: [1, 2], high: [3, 4])
        #expect(perfect.value == 1)
        let ratio = perfect.errorRatio(of: perfect)
        #expect(ratio.value == 1 && ratio.interval.low > 0 && ratio.interval.high.isFinite)
    }

    @Test func neighboursAreThoseOfScikitLearn() async throws {
        try await TemporaryFolder.with { folder in
            let report = try await SeriesEvaluation(.retrieval).report(in: folder.path(of: "work"))
            let expected = try SeriesEvaluation.expected()
            let model = try expected.object("retrieval")
            for (title, name) in [
                ("precision at 1", "1"), ("precision at 5", "5"),
                ("mean average precision", "mean average precision"),
            ] {
                let (found, wanted) = (try report.measurement(title), try model.number(name))
                #expect(abs(found.value - wanted) < 1e-6 && found.samples == 140, "\(title)")
                for baseline in ["raw windows", "channel means"] {
                    let other = try expected.object(baseline).number(name)
                    let ratio = try report.measurement("\(title) over that of \(baseline)")
                    #expect(abs(ratio.value - wanted / other) < 1e-5, "\(title), \(baseline)")
                    #expect(ratio.interval != nil)
                }
            }
        }
    }

    /// Equal cosines are one threshold.
    @Test func tiesOfCosinesAreRankedTogether() {
        let features: [[Double]] = [[1, 0], [0, 1], [0, 1], [0, 2], [1, 0]]
        let scores = RetrievalScores(
            features,
            labels: [1, 1, 2, 2, 1],
            groups: [0, 1, 2, 3, 4],
            neighbours: [1]
        )
        // The query 1 has the cosines 0, 1, 1, 0 to the others, of which 0 and 4 are relevant.
        #expect(scores.columns[1][1] == 0.5)
        #expect(scores.columns[0] == [1, 0, 0, 0, 1])
    }

    @Test(arguments: [SeriesEvaluation.Kind.anomaly, .retrieval])
    func shardsThatAreMergedGiveTheBytesOfOneRun(kind: SeriesEvaluation.Kind) async throws {
        try await TemporaryFolder.with { folder in
            let sample = try SeriesEvaluation(kind)
            let whole = try await sample.report(in: folder.path(of: "whole"))
            let run = try await sample.run()
            let parts = (1...3).map { folder.path(of: "part\($0)") }
            for (index, part) in parts.enumerated() {
                try await run.compute(try #require(Shard("\(index + 1)/3")), in: part)
            }
            let merged = try await run.report(from: parts)
            #expect(merged.json.canonicalBytes == whole.json.canonicalBytes)
        }
    }
}
