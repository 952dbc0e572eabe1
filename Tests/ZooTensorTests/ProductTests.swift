// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooTensor

@Suite struct ProductTests {
    private func product(_ left: Matrix, _ right: Matrix) -> [[Double]] {
        (0..<left.rows).map { row in
            (0..<right.columns).map { column in
                (0..<left.columns).reduce(0.0) {
                    $0 + Double(left[row, $1]) * Double(right[$1, column])
                }
            }
        }
    }

    private func transposed(_ matrix: Matrix) -> Matrix {
        let result = Matrix(rows: matrix.columns, columns: matrix.rows)
        for row in 0..<matrix.rows {
            for column in 0..<matrix.columns { result[column, row] = matrix[row, column] }
        }
        return result
    }

    private func expectClose(_ found: Matrix, _ expected: [[Double]], within limit: Double) {
        for row in 0..<found.rows {
            for column in 0..<found.columns {
                #expect(abs(Double(found[row, column]) - expected[row][column]) < limit)
            }
        }
    }

    @Test func productsOfWindowsMatchTheirDefinition() {
        let left = KernelTests.matrix(rows: 7, columns: 33, limit: 1, seed: 1)
        let right = KernelTests.matrix(rows: 33, columns: 12, limit: 1, seed: 2)
        let output = Matrix(rows: 9, columns: 20)
        let window = output.rows(1..<8).columns(2..<14)
        MatrixProduct.multiply(left, transposed: transposed(right), into: window)
        expectClose(window, product(left, right), within: 1e-5)
        #expect(output[0, 0] == 0 && output[1, 1] == 0 && output[8, 14] == 0)
    }

    /// Sizes that leave a rest in every direction of every copy's tiles, and one beyond a block.
    @Test(arguments: KernelPath.runnable, [(7, 5, 3), (13, 33, 70), (100, 47, 520), (1, 1, 1)])
    func packedProductsMatchTheirDefinition(path: KernelPath, sizes: (Int, Int, Int)) {
        let (rows, columns, depth) = sizes
        let left = KernelTests.matrix(rows: rows, columns: depth, limit: 1, seed: 5)
        let right = KernelTests.matrix(rows: depth, columns: columns, limit: 1, seed: 6)
        let expected = product(left, right)
        for packed in [
            PackedMatrix(right, in: .packedKeys, of: Scratch(), path: path),
            PackedMatrix(
                transposing: transposed(right),
                in: .packedKeys,
                of: Scratch(),
                path: path
            ),
        ] {
            let output = Matrix(rows: rows + 2, columns: columns + 2)
            let window = output.rows(1..<rows + 1).columns(1..<columns + 1)
            packed.multiply(left, into: window)
            expectClose(window, expected, within: 1e-4)
            for column in 0..<columns + 2 {
                #expect(output[0, column] == 0 && output[rows + 1, column] == 0)
            }
            for row in 0..<rows + 2 {
                #expect(output[row, 0] == 0 && output[row, columns + 1] == 0)
            }
            packed.multiply(left, into: window, accumulating: true)
            expectClose(window, expected.map { $0.map { 2 * $0 } }, within: 2e-4)
        }
    }

    /// Rows that are packed and rows that are not, with a rest in every direction, beyond a block of
    /// rows and of depth.
    @Test(
        arguments: KernelPath.runnable,
        [(3, 40, 20), (48, 33, 70), (124, 20, 1030), (49, 1, 1)]
    )
    func preparedWeightsMatchTheirDefinition(path: KernelPath, sizes: (Int, Int, Int)) {
        let (rows, outputs, inputs) = sizes
        let left = KernelTests.matrix(rows: rows, columns: inputs, limit: 1, seed: 7)
        let right = KernelTests.matrix(rows: outputs, columns: inputs, limit: 1, seed: 8)
        let weights = WeightMatrix(
            StoredTensor(
                Tensor(
                    shape: [outputs, inputs],
                    values: (0..<outputs * inputs).map { right[$0 / inputs, $0 % inputs] }
                )
            )
        )
        let stored = ProductRows(
            rows: rows,
            columns: inputs,
            in: .packedRows,
            of: Scratch(),
            path: path
        )
        // In two parts each way, as blocks of an MLP come.
        let (upper, middle) = (min(rows, 24), inputs / 2)
        for part in [0..<upper, upper..<rows] where !part.isEmpty {
            for columns in [0..<middle, middle..<inputs] where !columns.isEmpty {
                stored.store(
                    left.rows(part).columns(columns),
                    row: part.lowerBound,
                    column: columns.lowerBound
                )
            }
        }
        let expected = product(left, transposed(right))
        let scratch = Scratch()
        let output = Matrix(rows: rows, columns: outputs + 1)
        for outputs in [0..<outputs / 2, outputs / 2..<outputs] where !outputs.isEmpty {
            let prepared = weights.prepare(outputs: outputs, for: stored, scratch: scratch)
            for part in [0..<upper, upper..<rows] where !part.isEmpty {
                let window = output.rows(part).columns(outputs)
                prepared.multiply(stored, rows: part, into: window)
                prepared.multiply(stored, rows: part, into: window, accumulating: true)
            }
        }
        expectClose(
            output.columns(0..<outputs),
            expected.map { $0.map { 2 * $0 } },
            within: 3e-4
        )
        for row in 0..<rows { #expect(output[row, outputs] == 0) }
    }

    @Test(arguments: [DType.bf16, .f16])
    func halfWeightsPackLikeFullOnes(dtype: DType) {
        let (outputs, inputs, rows) = (40, 24, 60)
        let values = (0..<outputs * inputs).map { Float($0 % 17 - 8) / 8 }
        let half = WeightMatrix(StoredBytes.tensor(dtype, [outputs, inputs], values: values))
        let full = WeightMatrix(
            StoredTensor(Tensor(shape: [outputs, inputs], values: values))
        )
        let left = ProductRows(rows: rows, columns: inputs, in: .packedRows, of: Scratch())
        left.store(KernelTests.matrix(rows: rows, columns: inputs, limit: 1), row: 0)
        let results = [half, full].map { weights in
            let output = Matrix(rows: rows, columns: outputs)
            weights.prepare(outputs: 0..<outputs, for: left, scratch: Scratch())
                .multiply(left, rows: 0..<rows, into: output)
            return (0..<rows * outputs).map { output[$0 / outputs, $0 % outputs] }
        }
        #expect(results[0] == results[1])
    }

    @Test(arguments: [(1, 7, 1, 5), (2, 2048, 1, 1024), (2, 100, 3, 48), (7, 5000, 1, 64)])
    func productsAreDividedWithoutGapsOrOverlaps(
        sizes: (threads: Int, rows: Int, matrices: Int, outputs: Int)
    ) async throws {
        let (threads, rows, matrices, outputs) = sizes
        let done = Matrix(rows: matrices * rows, columns: outputs)
        try await ComputePool(threads: threads).run { session in
            session.forEachProduct(
                rows: rows,
                matrices: matrices,
                outputs: outputs,
                unit: outputs.isMultiple(of: 16) ? 16 : 1
            ) { matrix, range, columns, _ in
                precondition(range.lowerBound.isMultiple(of: 12))
                for row in range {
                    for column in columns { done[matrix * rows + row, column] += 1 }
                }
            }
        }
        for row in 0..<done.rows {
            for column in 0..<outputs where done[row, column] != 1 {
                Issue.record("[\(row), \(column)] was written \(done[row, column]) times")
            }
        }
    }

    @Test func accumulatingAddsToWhatIsThere() {
        let left = KernelTests.matrix(rows: 3, columns: 5, limit: 1, seed: 3)
        let right = KernelTests.matrix(rows: 5, columns: 4, limit: 1, seed: 4)
        let output = Matrix(rows: 3, columns: 4)
        output[1, 2] = 100
        MatrixProduct.multiply(
            left,
            transposed: transposed(right),
            into: output,
            accumulating: true
        )
        var expected = product(left, right)
        expected[1][2] += 100
        expectClose(output, expected, within: 1e-4)
    }

    @Test(arguments: [DType.f32, .bf16, .f16])
    func weightsOfEveryTypeMultiplyAlike(dtype: DType) {
        // Small multiples of 1/8 are exact in every type; 700 inputs take several widened panels.
        let (outputs, inputs) = (1000, 700)
        let values = (0..<outputs * inputs).map { Float($0 % 17 - 8) / 8 }
        let weights = WeightMatrix(
            StoredBytes.tensor(dtype, [outputs, inputs], values: values, misalignment: 2)
        )
        let input = Matrix(rows: 2, columns: inputs)
        for row in 0..<2 {
            for column in 0..<inputs { input[row, column] = Float((column + row) % 5 - 2) }
        }
        let output = Matrix(rows: 2, columns: outputs)
        weights.multiply(input, into: output, scratch: Scratch())
        for row in 0..<2 {
            for column in 0..<outputs {
                let exact = (0..<inputs).reduce(Float(0)) {
                    $0 + input[row, $1] * values[column * inputs + $1]
                }
                #expect(output[row, column] == exact)
            }
        }
    }

    /// Without groups, and in groups smaller and larger than a block, the last of them not whole.
    @Test(arguments: [1, 2, 3], [nil, 1, 7, 250, 300])
    func attentionMatchesItsDefinitionAcrossBlocks(threads: Int, group: Int?) async throws {
        // 600 tokens make several blocks of queries, the last of them lower.
        let (batch, heads, tokens, width) = (2, 2, 600, 5)
        func stack(_ seed: UInt64) -> HeadStack {
            let stack = HeadStack(batch: batch, heads: heads, tokens: tokens, headWidth: width)
            stack.matrix.copy(
                from: KernelTests.matrix(
                    rows: batch * heads * tokens,
                    columns: width,
                    limit: 2,
                    seed: seed
                )
            )
            return stack
        }
        let (queries, keys, values) = (stack(1), stack(2), stack(3))
        let output = Matrix(rows: batch * tokens, columns: heads * width)
        try await ComputePool(threads: threads).run { session in
            Attention.apply(
                queries: queries,
                keys: keys,
                values: values,
                scale: 0.5,
                group: group,
                into: output,
                session: session
            )
        }
        for (sample, head, token) in [(0, 0, 0), (0, 1, 255), (1, 0, 256), (1, 1, 599)] {
            let (q, k, v) = (
                queries.head(head, of: sample), keys.head(head, of: sample),
                values.head(head, of: sample)
            )
            let visible = group.map { min((token / $0 + 1) * $0, tokens) } ?? tokens
            let weights = (0..<visible).map { other -> Double in
                exp(
                    (0..<width).reduce(0.0) {
                        $0 + Double(q[token, $1]) * Double(k[other, $1])
                    } / 2
                )
            }
            let sum = weights.reduce(0, +)
            for j in 0..<width {
                let exact = (0..<visible).reduce(0.0) { $0 + weights[$1] * Double(v[$1, j]) } / sum
                let found = output[sample * tokens + token, head * width + j]
                #expect(abs(Double(found) - exact) < 1e-6)
            }
        }
    }
}
