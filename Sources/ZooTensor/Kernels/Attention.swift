// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Softmax attention, computed for a block of queries at a time.
package enum Attention {
    /// Attention weights kept at a time by one worker, in elements: 4 MiB of float32.
    private static let scoreElements = 1 << 20

    /// Writes softmax(queries · keysᵀ · `scale`) · values, heads side by side.
    ///
    /// The weights of one block of queries of one head exist at a time, at most a few MiB per
    /// thread; never the whole [tokens, tokens] matrix.
    ///
    /// - Parameters:
    ///   - queries: [batch, heads, tokens, head width].
    ///   - keys: the same extents.
    ///   - values: the same extents.
    ///   - scale: what the products are multiplied by.
    ///   - output: [batch · tokens, heads · head width].
    ///   - session: the threads to use.
    package static func apply(
        queries: HeadStack,
        keys: HeadStack,
        values: HeadStack,
        scale: Float,
        into output: Matrix,
        session: ComputeSession
    ) {
        let tokens = queries.tokens
        let width = queries.matrix.columns
        queries.matrix.requireExtents(of: keys.matrix)
        queries.matrix.requireExtents(of: values.matrix)
        precondition(
            output.rows == queries.batch * tokens && output.columns == queries.heads * width
        )
        guard tokens > 0 else { return }
        let height = min(tokens, max(32, min(256, scoreElements / tokens)))
        let blocks = (tokens + height - 1) / height
        session.forEach(queries.batch * queries.heads * blocks) { index, scratch in
            let (head, sample) = (index / blocks % queries.heads, index / blocks / queries.heads)
            let first = index % blocks * height
            let rows = first..<min(first + height, tokens)
            let scores = scratch.matrix(.scores, rows: rows.count, columns: tokens)
            let sums = scratch.matrix(.sums, rows: 1, columns: rows.count)
            let target = output.rows(
                sample * tokens + rows.lowerBound..<sample * tokens + rows.upperBound
            )
            .columns(head * width..<(head + 1) * width)
            MatrixProduct.multiply(
                queries.head(head, of: sample).rows(rows),
                transposed: keys.head(head, of: sample),
                into: scores
            )
            scores.softmaxNumerators(scale: scale, sums: sums)
            MatrixProduct.multiply(scores, values.head(head, of: sample), into: target)
            target.divideRows(by: sums)
        }
    }
}
