// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooTensor

/// Multi-head self-attention, optionally with rotary positions.
package struct SelfAttention: Sendable {
    package let query: Linear
    package let key: Linear
    package let value: Linear
    package let projection: Linear
    package let heads: Int
    /// Tokens per group for causal attention, in which tokens attend to their own and earlier
    /// groups.
    ///
    /// It is nil if every token attends to all tokens.
    package var group: Int?

    /// The number of elements of a head.
    package var headWidth: Int { query.weight.outputs / heads }

    /// Computes queries, keys and values of all tokens and stores them by head.
    ///
    /// - Parameters:
    ///   - normalised: [batch · tokens, width].
    ///   - rotations: the rotation tables: none, one for all samples, or one per sample.
    ///   - state: receives queries, keys and values.
    ///   - session: the threads to use.
    package func project(
        _ normalised: ProductRows,
        rotations: [Rotation],
        into state: AttentionState,
        session: ComputeSession
    ) {
        session.forEachProduct(
            rows: normalised.rows,
            matrices: 3,
            outputs: query.weight.outputs,
            unit: headWidth
        ) { part, rows, outputs, scratch in
            let linear = [query, key, value][part]
            let stack = [state.queries, state.keys, state.values][part]
            let weights = linear.weight.prepare(
                outputs: outputs,
                for: normalised,
                scratch: scratch
            )
            for block in rows.blocks {
                let projected = scratch.matrix(
                    .projected,
                    rows: block.count,
                    columns: outputs.count
                )
                scratch.measure(
                    .attentionLinear,
                    operations: 2 * block.count * outputs.count * normalised.columns
                ) {
                    weights.multiply(normalised, rows: block, into: projected)
                }
                scratch.measure(.headSplit, bytes: block.count * outputs.count * 8) {
                    for (sample, tokens) in block.samples(of: stack.tokens) {
                        let start = sample * stack.tokens + tokens.lowerBound - block.lowerBound
                        stack.store(
                            projected.rows(start..<start + tokens.count),
                            tokens: tokens,
                            of: sample,
                            firstHead: outputs.lowerBound / headWidth,
                            bias: linear.bias,
                            rotation: part == 2 || rotations.isEmpty
                                ? nil : rotations[rotations.count == 1 ? 0 : sample].rows(tokens)
                        )
                    }
                }
            }
        }
    }

    /// Computes attention within each sample and writes to `state.attended`.
    package func attend(_ state: AttentionState, session: ComputeSession) {
        Attention.apply(
            queries: state.queries,
            keys: state.keys,
            values: state.values,
            scale: 1 / Float(headWidth).squareRoot(),
            group: group,
            into: state.attended,
            session: session
        )
    }
}

/// The buffers of an attention layer, reused by successive layers of equal size.
package struct AttentionState: Sendable {
    package let queries: HeadStack
    package let keys: HeadStack
    package let values: HeadStack
    /// The output of attention before the projection, [batch · tokens, heads · head width].
    package let attended: Matrix

    package init(batch: Int, tokens: Int, heads: Int, headWidth: Int) {
        func stack() -> HeadStack {
            HeadStack(batch: batch, heads: heads, tokens: tokens, headWidth: headWidth)
        }
        queries = stack()
        keys = stack()
        values = stack()
        attended = Matrix(rows: batch * tokens, columns: heads * headWidth)
    }
}
