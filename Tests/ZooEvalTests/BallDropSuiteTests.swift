// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTensor
import ZooTesting

@testable import ZooEval

/// The suites of `ami/ball-drop` against the numbers of its PyTorch script (`Tests/Vectors/evaluation/make.py`).
@Suite struct BallDropSuiteTests {
    @Test func positionsAndLandingsAreThoseOfPyTorch() async throws {
        try await TemporaryFolder.with { folder in
            let sample = try await SampleEvaluation(.trajectory, in: folder)
            let report = try await sample.report(in: folder.path(of: "work"))
            let expected = try SampleEvaluation.expected()
            for row in try expected.objects("position", maximum: 8) {
                let frames = try row.integers("frames", in: 0...100, maximum: 2)
                let title = "frames \(frames[0]) and \(frames[1])"
                let model = try row.object("model").number("mean")
                let found = try report.measurement("position error, \(title)")
                #expect(abs(found.value - model) < 1e-4)
                #expect(found.samples == 8)
                let error = try row.object("model").number("se")
                let half = try #require(found.interval.map { ($0.high - $0.low) / 2 })
                #expect(abs(half - 1.959964 * error) < 1e-4)
                for (metric, name) in [
                    ("last-position", "last_seen"), ("straight-line", "straight_line"),
                    ("ballistic", "parabola"),
                ] {
                    let baseline = try row.object(name).number("mean")
                    // Single precision decides how small the error of an exact guess is.
                    guard baseline > 0.01 else { continue }
                    let ratio = try report.measurement(
                        "position error over \(metric) error, \(title)"
                    )
                    #expect(abs(ratio.value - model / baseline) < 1e-3 * ratio.value, "\(metric)")
                }
            }
            let landing = try expected.object("landing")
            for (metric, name) in [
                ("landing place error", "place_px"), ("landing time error", "time_frames"),
            ] {
                let value = try landing.object(name).object("model").number("mean")
                let found = try report.measurement(metric)
                #expect(abs(found.value - value) < 1e-4)
                #expect(found.samples == (try landing.integer("n", in: 1...8)))
            }
        }
    }

    /// The protocol of the model's card, and that of Meta's intuitive-physics evaluation.
    @Test(arguments: [true, false])
    func surpriseIsThatOfPyTorch(ownProtocol: Bool) async throws {
        try await TemporaryFolder.with { folder in
            let sample = try await SampleEvaluation(
                ownProtocol ? .surprise : .absoluteSurprise,
                in: folder
            )
            let table = try await sample.table(in: folder.path(of: "work"))
            let expected = try SampleEvaluation.expected().object("surprise")
            for name in ["possible", "impossible"] {
                let rows = try expected.array(ownProtocol ? name : "\(name) absolute", maximum: 100)
                let found = try table.rows(name)
                #expect(found.count == rows.count)
                for (row, values) in zip(rows, found) {
                    guard case .array(let numbers) = row else { throw CancellationError() }
                    #expect(numbers.count == values.count)
                    for (number, value) in zip(numbers, values) {
                        guard case .number(let wanted) = number else { throw CancellationError() }
                        #expect(abs(value - wanted) < 2e-4 * max(1, abs(wanted)))
                    }
                }
            }
            guard ownProtocol else { return }
            let report = try await sample.report(in: folder.path(of: "work"))
            let real = try expected.numbers("possible total", maximum: 100)
            let fake = try expected.numbers("impossible total", maximum: 100)
            for (kind, title) in ["teleport", "reversed", "frozen", "vanished"].enumerated() {
                let share =
                    Double((0..<2).count { real[kind * 2 + $0] < fake[kind * 2 + $0] }) / 2
                #expect(try report.measurement("relative accuracy, \(title)").value == share)
            }
        }
    }
}

extension EvaluationReport {
    func measurement(_ name: String) throws -> ZooEval.Measurement {
        try #require(measurements.first { $0.metric.name == name }, "\(name)")
    }
}
