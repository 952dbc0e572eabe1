// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor
import ZooTesting

@testable import ZooEval

/// Data that contradict their record or their suite give an error, and neither a number nor a crash.
@Suite struct HostileDataTests {
    /// A tensor of the data, and what it is replaced by; nil removes it.
    struct Change: Sendable, CustomTestStringConvertible {
        let tensor: String
        let what: String
        let make: @Sendable (StoredTensor) -> StoredTensor?
        var code = "evaluation.data-unsuitable"
        var testDescription: String { "\(tensor): \(what)" }

        /// Replaces the element at `index` of a tensor of numbers.
        static func number(_ tensor: String, _ index: Int, _ value: Float) -> Change {
            Change(tensor: tensor, what: "element \(index) is \(value)") { stored in
                var values = stored.tensor.values
                values[index] = value
                return StoredTensor(Tensor(shape: stored.shape, values: values))
            }
        }

        static func shape(_ tensor: String, _ sizes: [Int]) -> Change {
            Change(tensor: tensor, what: "shape \(sizes)") { _ in
                StoredTensor(Tensor(zeros: Shape(sizes)))
            }
        }

        static func rows(_ tensor: String, _ rows: Range<Int>) -> Change {
            Change(tensor: tensor, what: "only rows \(rows)") { $0.rows(rows) }
        }

        static func missing(_ tensor: String) -> Change {
            Change(tensor: tensor, what: "missing") { _ in nil }
        }
    }

    static let clips: [Change] =
        ["frames", "positions", "landing"].map(Change.missing)
        + [.nan, .infinity, -.infinity].flatMap { value in
            [0, 100, 255].map { Change.number("positions", $0, value) }
                + [0, 15].map { Change.number("landing", $0, value) }
        } + [
            .rows("frames", 0..<7), .rows("positions", 0..<7), .rows("landing", 1..<2),
            .shape("frames", [8, 16, 32, 32, 3]), .shape("frames", [8, 16, 32, 3]),
            .shape("frames", [8, 0, 32, 32, 3]), .shape("frames", [8, 16, 0, 32, 3]),
            .shape("frames", [0, 16, 32, 32, 3]), .shape("positions", [8, 16, 3]),
            .shape("positions", [8, 15, 2]), .shape("positions", [256]), .shape("landing", [8]),
        ]

    static let pairs: [Change] =
        ["possible", "impossible", "kind"].map(Change.missing)
        + [.nan, .infinity, -1, 0.5, 4, 1e30, -1e30].flatMap { value in
            [0, 7].map { Change.number("kind", $0, value) }
        } + [
            // One pair only is left of a kind.
            .number("kind", 0, 1), .rows("possible", 0..<3), .rows("impossible", 0..<3),
            .rows("kind", 0..<7), .shape("possible", [8, 16, 0, 32, 3]),
            .shape("impossible", [8, 16, 32, 32, 3]), .shape("kind", [8]),
        ]

    @Test(arguments: clips)
    func clipsThatContradictTheSuiteAreRefused(change: Change) async throws {
        try await Self.requireRefusal(of: change, .trajectory, "clips")
    }

    @Test(arguments: pairs)
    func pairsThatContradictTheSuiteAreRefused(change: Change) async throws {
        try await Self.requireRefusal(of: change, .surprise, "pairs")
    }

    private static func requireRefusal(
        of change: Change,
        _ kind: SampleEvaluation.Kind,
        _ name: String
    ) async throws {
        try await TemporaryFolder.with { folder in
            let source = try Checkpoint(
                opening: "\(SampleEvaluation.vectors)/\(name).safetensors"
            )
            var tensors: [String: StoredTensor] = [:]
            for tensor in source.tensors { tensors[tensor.name] = source[tensor.name] }
            tensors[change.tensor] = change.make(try #require(tensors[change.tensor]))
            try SafetensorsWriter.write(
                tensors,
                to: folder.path(of: "\(name).safetensors")
            )
            let error = await #expect(throws: ZooError.self) {
                _ = try await SampleEvaluation(kind, in: folder, data: folder.path)
                    .report(in: folder.path(of: "work"))
            }
            #expect(error?.code.rawValue == change.code, "\(error.map { "\($0)" } ?? "")")
        }
    }
}
