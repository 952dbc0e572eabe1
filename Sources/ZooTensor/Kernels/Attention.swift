// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Softmax attention, computed for a block of queries at a time.
package enum Attention {
    /// Attention weights kept at a time by one worker, in elements: 512 KiB of float32, about what
    /// the second-level cache holds.
    private static let scoreElements = 1 << 17

    /// Writes softmax(queries · keysᵀ · `scale`) · values, heads side by side.
    ///
    /// The weights of one block of queries of one head exist at a time, about half a MiB per
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
        let heads = queries.batch * queries.heads
        // Keys and values are packed once per part, so that there are no more parts than balance
        // needs.
        let parts = min(tokens, max(1, (4 * session.threads + heads - 1) / max(heads, 1)))
        session.forEach(heads * parts) { index, scratch in
            let (stack, part) = (index / parts, index % parts)
            let (sample, head) = (stack / queries.heads, stack % queries.heads)
            attend(
                queries: queries.head(head, of: sample),
                rows: tokens * part / parts..<tokens * (part + 1) / parts,
                keys: PackedMatrix(
                    transposing: keys.head(head, of: sample),
                    in: .packedKeys,
                    of: scratch
                ),
                values: PackedMatrix(values.head(head, of: sample), in: .packedValues, of: scratch),
                scale: scale,
                into: output.rows(sample * tokens..<(sample + 1) * tokens)
                    .columns(head * width..<(head + 1) * width),
                scratch: scratch
            )
        }
    }

    /// Attention of some queries of one head: `queries` and `output` are [tokens, head width].
    private static func attend(
        queries: Matrix,
        rows: Range<Int>,
        keys: PackedMatrix,
        values: PackedMatrix,
        scale: Float,
        into output: Matrix,
        scratch: Scratch
    ) {
        // Whole tiles of the kernels, which have 6 or 12 rows.
        let height = max(12, min(192, scoreElements / keys.columns) / 12 * 12)
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: height) {
            let block = first..<min(first + height, rows.upperBound)
            let scores = scratch.matrix(.scores, rows: block.count, columns: keys.columns)
            let sums = scratch.matrix(.sums, rows: 1, columns: block.count)
            keys.multiply(queries.rows(block), into: scores)
            scores.softmaxNumerators(scale: scale, sums: sums)
            values.multiply(scores, into: output.rows(block))
            output.rows(block).divideRows(by: sums)
        }
    }
}
