// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A linear function of features with several outputs.
///
/// Products are float32, and features are not centred before them: where a mean is n stds from 0, outputs lose
/// log10(n) of their seven digits.
package struct LinearModel: Sendable {
    /// The weights, [outputs, columns].
    package let weights: Matrix
    /// The intercept of each output.
    package let intercepts: [Float]

    /// Undoes the standardisation of features in weights that were fitted to it.
    ///
    /// - Parameters:
    ///   - weights: [outputs][columns], for standardised features.
    ///   - intercepts: of each output.
    ///   - features: how the features were standardised.
    init(standardised weights: [[Double]], _ intercepts: [Double], _ features: Standardisation) {
        let columns = features.mean.count
        let folded = Matrix(rows: weights.count, columns: columns)
        var shifted: [Float] = []
        for (output, row) in weights.enumerated() {
            var intercept = intercepts[output]
            for column in 0..<columns {
                let weight = row[column] / features.scale[column]
                folded[output, column] = Float(weight)
                // The rounded weight is used, so that its rounding error is only multiplied by the
                // difference between a feature and its mean.
                intercept -= Double(Float(weight)) * features.mean[column]
            }
            shifted.append(Float(intercept))
        }
        self.weights = folded
        self.intercepts = shifted
    }

    /// Computes the outputs of rows, group by group.
    ///
    /// - Parameters:
    ///   - rows: features, [rows, columns].
    ///   - session: the computation.
    ///   - body: is given the numbers of the rows of a group, and their outputs [rows, outputs], which it may change.
    /// - Throws: what reading or `body` throws; `CancellationError`.
    package func forEachOutputs(
        of rows: RowBlocks,
        in session: ComputeSession,
        _ body: (_ rows: Range<Int>, _ outputs: Matrix) throws -> Void
    ) throws {
        var outputs = Matrix(rows: 0, columns: intercepts.count)
        try rows.forEachGroup { range, parts in
            try session.checkCancellation()
            if outputs.rows < range.count {
                outputs = Matrix(rows: range.count, columns: intercepts.count)
            }
            let found = outputs.rows(0..<range.count)
            session.forEach(parts.count) { index, _ in
                let part = parts[index]
                let first = part.first - range.lowerBound
                let own = found.rows(first..<first + part.matrix.rows)
                MatrixProduct.multiply(part.matrix, transposed: weights, into: own)
                for row in 0..<own.rows {
                    for output in intercepts.indices { own[row, output] += intercepts[output] }
                }
            }
            try session.checkCancellation()
            try body(range, found)
        }
    }

    /// The output with the largest value for each row; the first of several.
    ///
    /// - Throws: what reading throws; `CancellationError`.
    package func largestOutputs(of rows: RowBlocks, in session: ComputeSession) throws -> [Int] {
        var found: [Int] = []
        found.reserveCapacity(rows.count)
        try forEachOutputs(of: rows, in: session) { _, outputs in
            for row in 0..<outputs.rows {
                var best = 0
                for output in 1..<max(outputs.columns, 1)
                where outputs[row, output] > outputs[row, best] {
                    best = output
                }
                found.append(best)
            }
        }
        return found
    }
}
