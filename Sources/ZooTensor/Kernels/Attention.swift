// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Softmax attention, computed for one block of queries at a time.
package enum Attention {
    /// The attention weights of one block, in elements: 512 KiB of float32, about the L2 cache.
    private static let scoreElements = 1 << 17

    /// Writes softmax(queries · keysᵀ · `scale`) · values, with the heads concatenated.
    ///
    /// Each thread keeps only the weights of one block of queries of one head, about 0.5 MiB, and
    /// never the whole [tokens, tokens] matrix.
    ///
    /// - Parameters:
    ///   - queries: [batch, heads, tokens, head width].
    ///   - keys: the same shape.
    ///   - values: the same shape.
    ///   - scale: the factor for the products.
    ///   - group: the number of tokens in a group for block-causal attention, where tokens attend
    ///     to their own and earlier groups; nil if every token attends to all. Later tokens are
    ///     skipped, not computed and masked.
    ///   - output: [batch · tokens, heads · head width].
    ///   - session: the threads to use.
    package static func apply(
        queries: HeadStack,
        keys: HeadStack,
        values: HeadStack,
        scale: Float,
        group: Int? = nil,
        into output: Matrix,
        session: ComputeSession
    ) {
        let tokens = queries.tokens
        let width = queries.matrix.columns
        queries.matrix.requireSizes(of: keys.matrix)
        queries.matrix.requireSizes(of: values.matrix)
        precondition(
            output.rows == queries.batch * tokens && output.columns == queries.heads * width
        )
        precondition(group.map { $0 > 0 } ?? true)
        let heads = queries.batch * queries.heads
        // Keys and values are packed once per part, so there are only as many parts as load
        // balancing needs.
        let parts = min(tokens, max(1, (4 * session.threads + heads - 1) / max(heads, 1)))
        session.forEach(heads * parts) { index, scratch in
            let (stack, part) = (index / parts, index % parts)
            let (sample, head) = (stack / queries.heads, stack % queries.heads)
            let (packedKeys, packedValues) = scratch.measure(.packing, bytes: tokens * width * 16) {
                (
                    PackedMatrix(
                        transposing: keys.head(head, of: sample),
                        in: .packedKeys,
                        of: scratch
                    ),
                    PackedMatrix(values.head(head, of: sample), in: .packedValues, of: scratch)
                )
            }
            attend(
                queries: queries.head(head, of: sample),
                rows: tokens * part / parts..<tokens * (part + 1) / parts,
                keys: packedKeys,
                values: packedValues,
                scale: scale,
                group: group ?? tokens,
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
        group: Int,
        into output: Matrix,
        scratch: Scratch
    ) {
        // Whole tiles of the kernels, which have 6 or 12 rows.
        let height = max(12, min(192, scoreElements / keys.columns) / 12 * 12)
        var first = rows.lowerBound
        while first < rows.upperBound {
            // A block stays within one group, whose tokens attend to the same number of tokens.
            let visible = min((first / group + 1) * group, keys.columns)
            let block = first..<min(first + height, rows.upperBound, visible)
            let scores = scratch.matrix(.scores, rows: block.count, columns: visible)
            let sums = scratch.matrix(.sums, rows: 1, columns: block.count)
            let operations = 2 * block.count * visible * keys.depth
            scratch.measure(.attentionProducts, operations: operations) {
                keys.multiplyCorner(queries.rows(block), into: scores)
            }
            scratch.measure(.softmax, bytes: block.count * visible * 8) {
                scores.softmaxNumerators(scale: scale, sums: sums)
            }
            scratch.measure(.attentionProducts, operations: operations) {
                values.multiplyCorner(scores, into: output.rows(block))
            }
            scratch.measure(.softmax, bytes: block.count * output.columns * 8) {
                output.rows(block).divideRows(by: sums)
            }
            first = block.upperBound
        }
    }
}
