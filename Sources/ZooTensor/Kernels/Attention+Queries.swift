// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension Attention {
    /// Writes softmax(queries · keysᵀ / √(head width)) · values for every sample.
    ///
    /// All samples share the same queries. The heads are concatenated along the width of every
    /// matrix.
    ///
    /// - Parameters:
    ///   - keys: [batch · tokens, width].
    ///   - values: [batch · tokens, width].
    ///   - queries: [queries, width].
    ///   - heads: the number of heads, a divisor of the width.
    ///   - output: [batch · queries, width].
    ///   - session: the threads to use.
    package static func sumUp(
        keys: Matrix,
        values: Matrix,
        for queries: Matrix,
        heads: Int,
        into output: Matrix,
        session: ComputeSession
    ) {
        keys.requireSizes(of: values)
        precondition(
            queries.rows > 0 && output.rows.isMultiple(of: queries.rows)
                && queries.columns == keys.columns && output.columns == keys.columns
                && keys.columns.isMultiple(of: heads)
        )
        let (rows, headWidth) = (queries.rows, keys.columns / heads)
        let batch = output.rows / rows
        let tokens = keys.rows / max(batch, 1)
        session.forEach(batch * heads) { index, scratch in
            let (sample, head) = (index / heads, index % heads)
            let columns = head * headWidth..<(head + 1) * headWidth
            let samples = sample * tokens..<(sample + 1) * tokens
            let scores = scratch.matrix(.scores, rows: rows, columns: tokens)
            let sums = scratch.matrix(.sums, rows: 1, columns: rows)
            let target = output.rows(sample * rows..<(sample + 1) * rows).columns(columns)
            scratch.measure(.attentionProducts, operations: 4 * rows * tokens * headWidth) {
                PackedMatrix(
                    transposing: keys.rows(samples).columns(columns),
                    in: .packedKeys,
                    of: scratch
                ).multiply(queries.columns(columns), into: scores)
                scores.softmaxNumerators(scale: 1 / Float(headWidth).squareRoot(), sums: sums)
                PackedMatrix(
                    values.rows(samples).columns(columns),
                    in: .packedValues,
                    of: scratch
                ).multiply(scores, into: target)
                target.divideRows(by: sums)
            }
        }
    }
}
