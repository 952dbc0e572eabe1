// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCheckpoint
import ZooCore
import ZooFiles
import ZooTensor
import ZooTesting

@testable import ZooEval

/// The numbers of each context against `compute_metrics` of upstream, on hand-made errors
/// (`Tests/Vectors/evaluation/surprise/make.py`).
@Suite struct SurpriseContextTests {
    private static let vectors = "\(SampleEvaluation.vectors)/surprise"

    private static func suite(_ kinds: [String], _ contexts: [Int]) throws -> SurpriseByContextSuite
    {
        let document = HeldEvaluation.document(
            "surprise",
            version: 2,
            layout: ["kind": "intphys", "folder": "dev", "step": 2, "frames": 49],
            count: 2,
            parameters: [
                "window": 16, "stride": 2, "contexts": .array(contexts.map { .integer($0) }),
                "maskIndex": 1, "error": "absolute", "horizon": "rest", "targets": "layer-norm",
                "kinds": .array(kinds.map { .string($0) }), "preprocessing": "meta-square",
            ],
            metrics: []
        )
        return try SurpriseByContextSuite(SuiteDefinition(parsing: document.canonicalBytes))
    }

    @Test func metricsAreThoseOfUpstream() throws {
        let bytes = try FileSystem.document("\(Self.vectors)/expected.json", limit: 1 << 20)
        let expected = try JSONObject(JSONValue(parsing: bytes))
        let kindOfPair = try expected.strings("kinds", maximum: 99, each: 9)
        let contexts = try expected.integers("contexts", in: 1...99, maximum: 9)
        let suite = try Self.suite(["O1", "O2", "O3"], contexts)
        let errors = try Checkpoint(opening: "\(Self.vectors)/errors.safetensors")
        func rows(_ name: String) throws -> [[Double]] {
            let tensor = try #require(errors[name]).tensor
            let width = tensor.shape[1]
            return (0..<tensor.shape[0]).map { row in
                tensor.values[row * width..<(row + 1) * width].map(Double.init)
            }
        }
        let found = suite.measurements(
            possible: try rows("possible"),
            impossible: try rows("impossible"),
            ["O1", "O2", "O3"].map { kind in
                kindOfPair.indices.filter { kindOfPair[$0] == kind }
            }
        )
        #expect(found.map(\.metric) == suite.metrics)
        let wanted = try expected.object("metrics")
        #expect(found.count == wanted.members.count && found.count == 60)
        for measurement in found {
            let name = measurement.metric.name
            let difference = abs(measurement.value - (try wanted.number(name)))
            // Upstream computes shares in float32.
            #expect(difference < 1e-6, "\(name): \(difference)")
        }
    }

    /// Swapping possible and impossible clips turns every number around, and equal clips are no surprise.
    @Test func swappedClipsAreSeen() throws {
        let suite = try Self.suite(["a"], [2, 4])
        var generator = SystemRandomNumberGenerator()
        let real = (0..<12).map { _ in
            (0..<6).map { _ in Double.random(in: 0...1, using: &generator) }
        }
        let fake = real.map { $0.map { $0 + 2 } }
        func values(_ possible: [[Double]], _ impossible: [[Double]], _ name: String) -> [Double] {
            suite.measurements(possible: possible, impossible: impossible, [Array(0..<12)])
                .filter { $0.metric.name.hasPrefix(name) }.map(\.value)
        }
        for name in ["relative accuracy", "AUROC"] {
            #expect(values(real, fake, name).allSatisfy { $0 == 1 })
            #expect(values(fake, real, name).allSatisfy { $0 == 0 })
        }
        #expect(values(real, real, "relative accuracy").allSatisfy { $0 == 0 })
        #expect(values(real, real, "AUROC").allSatisfy { $0 == 0.5 })
    }

    /// The errors are those that `surprise/1` stored, and are not computed again.
    @Test func errorsAreShared() async throws {
        try await TemporaryFolder.with { folder in
            let kinds = SceneFolder.kinds
            try SceneFolder.write(to: folder, step: 1, order: [0, 1, 2, 3])
            let first = HeldEvaluation.scenesDocument(kinds: kinds, pairs: 8, step: 1)
            guard case .object(var members) = first,
                case .object(var parameters)? = members["parameters"]
            else { throw CancellationError() }
            parameters["pool"] = nil
            members["parameters"] = .object(parameters)
            members["suiteVersion"] = 2
            let metrics = try Self.suite(kinds, [2, 8]).metrics
            members["metrics"] = .array(metrics.map(\.json))
            func evaluation(_ document: JSONValue) async throws -> HeldEvaluation {
                try await HeldEvaluation(
                    document,
                    model: "\(SampleEvaluation.root)/models/ami/ball-drop/release",
                    data: folder.path
                )
            }
            let work = folder.path(of: "work")
            try await evaluation(first).run().compute(in: work)
            let report = try await evaluation(.object(members)).run().report(from: [work])
            #expect(report.measurements.map(\.metric) == metrics)
            #expect(report.exhibits.count == 1)
        }
    }
}
