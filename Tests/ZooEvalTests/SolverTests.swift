// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor

/// The solvers against scikit-learn (`Tests/Vectors/evaluation/probes/make.py`).
@Suite struct SolverTests {
    private let vectors: Checkpoint
    private let features: Matrix
    private let included: [Bool]

    init() throws {
        vectors = try Checkpoint(opening: "\(ProbeEvaluation.vectors)/solver.safetensors")
        features = try #require(vectors["features"]).tensor.matrix
        included = try #require(vectors["included"]).tensor.values.map { $0 > 0 }
    }

    /// The rows in groups and parts of sizes that do not divide their number.
    private var rows: RowBlocks {
        let groups = [0..<100, 100..<101, 101..<437, 437..<700]
        return RowBlocks(columns: features.columns, groups: groups) { [features] group in
            let (rows, middle) = (groups[group], groups[group].lowerBound + groups[group].count / 3)
            return [rows.lowerBound..<middle, middle..<rows.upperBound].map(features.rows)
        }
    }

    private static func outputs(_ model: LinearModel, _ rows: RowBlocks) async throws -> [Float] {
        try await ComputePool.shared.run { session in
            var found: [Float] = []
            try model.forEachOutputs(of: rows, in: session) { _, outputs in
                for row in 0..<outputs.rows {
                    found += (0..<outputs.columns).map { outputs[row, $0] }
                }
            }
            return found
        }
    }

    @Test func logisticRegressionsAreThoseOfScikitLearn() async throws {
        let labels = try #require(vectors["label"]).tensor.values.map { Int($0) }
        let classes = zip(labels, included).map { $1 ? Optional($0) : nil }
        let strengths = [0.01, 1, 100]
        let models = try await ComputePool.shared.run { [rows] session in
            try LogisticRegression(rows, classes: classes, of: 4, in: session)
                .models(strengths: strengths, in: session)
        }
        for (model, name) in zip(models, ["0.01", "1", "100"]) {
            let found = try await Self.outputs(model, rows)
            let wanted = try #require(vectors["logits.\(name)"]).tensor.values
            // Only differences between logits are determined.
            for row in 0..<rows.count {
                for label in 1..<4 {
                    let mine = found[row * 4 + label] - found[row * 4]
                    let theirs = wanted[row * 4 + label] - wanted[row * 4]
                    #expect(abs(mine - theirs) < 5e-3, "strength \(name), row \(row)")
                }
            }
        }
    }

    @Test func ridgeRegressionsAreThoseOfScikitLearn() async throws {
        let target = try #require(vectors["target"]).tensor.values.map(Double.init)
        let targets = (0..<2).map { output in
            stride(from: output, to: target.count, by: 2).map { target[$0] }
        }
        let ridge = try await ComputePool.shared.run { [rows, included] session in
            try RidgeRegression(rows, targets: targets, included: included, in: session)
        }
        for (penalty, name) in [(0.01, "0.01"), (1, "1"), (100, "100")] {
            let found = try await Self.outputs(try #require(ridge.model(penalty: penalty)), rows)
            let wanted = try #require(vectors["ridge.\(name)"]).tensor.values
            for (mine, theirs) in zip(found, wanted) {
                #expect(abs(mine - theirs) < 2e-4 * max(1, abs(theirs)), "penalty \(name)")
            }
        }
    }

    @Test func nearestRowsAreThoseOfNumPy() async throws {
        let (queries, others) = (features.rows(0..<50), features.rows(100..<700))
        let found = try await ComputePool.shared.run { session in
            var found: [[NearestRows.Neighbour]] = []
            try NearestRows(RowBlocks(others, size: 77), in: session)
                .forEachQuery(RowBlocks(queries, size: 13), count: 9, in: session) {
                    found.append($0)
                }
            return found
        }
        let cosines = try #require(vectors["cosines"]).tensor.values
        let wanted = try #require(vectors["nearest"]).tensor.values
        #expect(found.count == 50)
        for (query, neighbours) in found.enumerated() {
            for (place, neighbour) in neighbours.enumerated() {
                let index = query * 9 + place
                #expect(abs(neighbour.cosine - cosines[index]) < 1e-6)
                // Rows whose cosines are equal in float32 may change places.
                let isClose = (0..<9).contains {
                    $0 != place && abs(cosines[query * 9 + $0] - cosines[index]) < 1e-6
                }
                #expect(isClose || place == 8 || neighbour.row == Int(wanted[index]))
            }
        }
    }

    /// Of equally near rows the first is nearer, and rows of zeros are like nothing.
    @Test func equalRowsKeepTheirOrder() async throws {
        let rows = Matrix(rows: 40, columns: 2)
        for row in 0..<40 where row != 7 { rows[row, row % 2] = Float(row + 1) }
        let query = Matrix(rows: 2, columns: 2)
        query[0, 0] = 3
        let found = try await ComputePool.shared.run { session in
            var found: [[NearestRows.Neighbour]] = []
            try NearestRows(RowBlocks(rows, size: 9), in: session)
                .forEachQuery(RowBlocks(query), count: 22, in: session) { found.append($0) }
            return found
        }
        #expect(found[0].prefix(20).map(\.row) == Array(stride(from: 0, to: 40, by: 2)))
        #expect(found[0].suffix(2).map(\.row) == [1, 3])
        #expect(found[0].map(\.cosine) == Array(repeating: 1, count: 20) + [0, 0])
        #expect(found[1].map(\.row) == Array(0..<22))
    }

    @Test func theNumberOfThreadsChangesNothing() async throws {
        let labels = try #require(vectors["label"]).tensor.values.map { Optional(Int($0)) }
        var results: [[Float]] = []
        for threads in [1, 3] {
            let pool = ComputePool(threads: threads)
            let model = try await pool.run { [rows] session in
                try LogisticRegression(rows, classes: labels, of: 4, in: session)
                    .models(strengths: [1], in: session)[0]
            }
            results.append(try await Self.outputs(model, rows))
        }
        #expect(results[0] == results[1])
    }

    @Test func featuresWithoutSolutionHaveNone() async throws {
        let broken = Matrix(rows: 20, columns: 2)
        for row in 0..<20 { broken[row, 0] = row == 3 ? .nan : Float(row) }
        let ridge = try await ComputePool.shared.run { session in
            try RidgeRegression(
                RowBlocks(broken),
                targets: [(0..<20).map(Double.init)],
                included: Array(repeating: true, count: 20),
                in: session
            )
        }
        #expect(ridge.model(penalty: 1) == nil)
    }

    @Test func readingFailuresStopAFit() async throws {
        struct Lost: Error {}
        let rows = RowBlocks(columns: 2, groups: [0..<5, 5..<10]) { group in
            guard group == 0 else { throw Lost() }
            return [Matrix(rows: 5, columns: 2)]
        }
        await #expect(throws: Lost.self) {
            try await ComputePool.shared.run { session in
                _ = try LogisticRegression(
                    rows,
                    classes: (0..<10).map { $0 % 2 },
                    of: 2,
                    in: session
                )
            }
        }
    }
}
