// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor
import ZooTesting

@testable import ZooEval

/// Samples, labels and weights that contradict a probe give an error, and neither a number nor a crash.
@Suite struct HostileProbeTests {
    typealias Change = HostileDataTests.Change

    /// Changes of either split, which has this many samples.
    private static func changes(_ count: Int) -> [(ProbeEvaluation.Kind, Change)] {
        let samples: [Change] =
            [Change.missing("values"), .rows("values", 0..<count - 1)]
            + [.nan, .infinity, -.infinity].map { .number("values", 4711, $0) }
            + [
                [count, 24, 4], [count, 21, 5], [count, 24], [count, 0, 5], [count, 24, 0],
                [0, 24, 5],
            ].map { .shape("values", $0) }
        func labels(_ name: String) -> [Change] {
            [
                Change.missing(name), .number(name, 3, .nan), .number(name, count - 1, .infinity),
                // All are equal.
                .shape(name, [count, 1]), .shape(name, [count]), .shape(name, [count, 2]),
                .rows(name, 0..<count - 1),
            ]
        }
        // A class that the other split does not have.
        let classes = labels("stage") + [Change.number("stage", 3, 9), .number("stage", 3, 0.5)]
        return ProbeEvaluation.Kind.allCases.flatMap { kind in samples.map { (kind, $0) } }
            + classes.flatMap {
                [
                    (ProbeEvaluation.Kind.classification, $0), (.neighbours, $0),
                    (.attentiveClassification, $0),
                ]
            }
            + labels("life").flatMap { [(.regression, $0), (.attentiveRegression, $0)] }
    }

    @Test(arguments: [("fit", 240), ("test", 150)])
    func dataThatContradictAProbeAreRefused(name: String, count: Int) async throws {
        for (kind, change) in Self.changes(count) {
            let error = try await Self.error(of: change, in: name, kind)
            #expect(
                error?.code.rawValue == change.code,
                "\(kind), \(change.testDescription): \(error.map { "\($0)" } ?? "no error")"
            )
        }
    }

    private static func error(
        of change: Change,
        in name: String,
        _ kind: ProbeEvaluation.Kind
    ) async throws -> ZooError? {
        try await TemporaryFolder.with { folder in
            for other in ["fit", "test"] {
                let source = try Checkpoint(
                    opening: "\(ProbeEvaluation.vectors)/\(other).safetensors"
                )
                var tensors: [String: StoredTensor] = [:]
                for tensor in source.tensors { tensors[tensor.name] = source[tensor.name] }
                if other == name {
                    tensors[change.tensor] = change.make(try #require(tensors[change.tensor]))
                }
                try SafetensorsWriter.write(tensors, to: folder.path(of: "\(other).safetensors"))
            }
            do {
                _ = try await ProbeEvaluation(kind, data: folder.path)
                    .report(in: folder.path(of: "work"))
                return nil
            } catch let error as ZooError {
                return error
            }
        }
    }

    /// The runtime refuses the features of such weights, and no number is reported.
    @Test(arguments: ["encoder.norm.bias", "encoder.pos_embed", "encoder.blocks.1.mlp.fc2.weight"])
    func weightsThatAreNaNAreRefused(weight: String) async throws {
        try await TemporaryFolder.with { folder in
            let model = folder.path(of: "model")
            try FileManager.default.copyItem(atPath: SeriesEvaluation.model, toPath: model)
            let source = try Checkpoint(
                opening: "\(SeriesEvaluation.model)/model.safetensors"
            )
            var tensors: [String: StoredTensor] = [:]
            for tensor in source.tensors { tensors[tensor.name] = source[tensor.name] }
            let change = Change.number(weight, 2, .nan)
            tensors[weight] = change.make(try #require(tensors[weight]))
            try SafetensorsWriter.write(tensors, to: "\(model)/model.safetensors")
            for kind in ProbeEvaluation.Kind.allCases {
                let error = await #expect(throws: ZooError.self) {
                    _ = try await ProbeEvaluation(kind, model: model)
                        .report(in: folder.path(of: "work"))
                }
                #expect(error?.code.rawValue == "model.result-not-finite", "\(kind)")
            }
        }
    }

    @Test(arguments: ProbeEvaluation.Kind.allCases)
    func aModelOfOtherSamplesIsRefused(kind: ProbeEvaluation.Kind) async throws {
        let series = await #expect(throws: ZooError.self) {
            _ = try await ProbeEvaluation(kind, model: "\(ProbeEvaluation.vectors)/pictures").run()
        }
        #expect(series?.code.rawValue == "evaluation.data-unsuitable")
    }
}
