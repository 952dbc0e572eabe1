// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooTensor

/// Multi-head self-attention whose queries and keys may be turned by position.
package struct SelfAttention: Sendable {
    package let query: Linear
    package let key: Linear
    package let value: Linear
    package let projection: Linear
    package let heads: Int
    /// Tokens of a group, when tokens come in groups and attend to their own and to earlier ones
    /// only; nil when every token attends to all.
    package var group: Int?

    /// The elements of one head.
    package var headWidth: Int { query.weight.outputs / heads }

    /// Computes queries, keys and values of some tokens and stores them by head.
    ///
    /// - Parameters:
    ///   - normalised: [tokens in `range`, width].
    ///   - range: which tokens of the sample these are.
    ///   - sample: the sample they belong to.
    ///   - rotation: the tables of these tokens; nil leaves queries and keys as they are.
    ///   - state: where queries, keys and values go.
    ///   - scratch: the calling worker's memory.
    package func project(
        _ normalised: Matrix,
        tokens range: Range<Int>,
        of sample: Int,
        rotation: Rotation?,
        into state: AttentionState,
        scratch: Scratch
    ) {
        forEachPart(of: normalised, in: state, scratch) { projected, stack, bias, isTurned in
            stack.store(
                projected,
                tokens: range,
                of: sample,
                bias: bias,
                rotation: isTurned ? rotation : nil
            )
        }
    }

    /// Computes queries, keys and values of all tokens of some samples and stores them by head: the
    /// products of many short samples together, which is faster than each by itself.
    ///
    /// - Parameters:
    ///   - normalised: [samples · tokens, width].
    ///   - samples: which samples these are.
    ///   - state: where queries, keys and values go.
    ///   - scratch: the calling worker's memory.
    package func project(
        _ normalised: Matrix,
        samples: Range<Int>,
        into state: AttentionState,
        scratch: Scratch
    ) {
        let tokens = state.queries.tokens
        forEachPart(of: normalised, in: state, scratch) { projected, stack, bias, _ in
            for (index, sample) in samples.enumerated() {
                stack.store(
                    projected.rows(index * tokens..<(index + 1) * tokens),
                    tokens: 0..<tokens,
                    of: sample,
                    bias: bias,
                    rotation: nil
                )
            }
        }
    }

    /// Projects queries, keys and values, without bias, and shows each with where it belongs and
    /// whether positions turn it.
    private func forEachPart(
        of normalised: Matrix,
        in state: AttentionState,
        _ scratch: Scratch,
        _ body: (_ projected: Matrix, HeadStack, _ bias: Tensor?, _ isTurned: Bool) -> Void
    ) {
        let parts = [
            (query, state.queries, true), (key, state.keys, true), (value, state.values, false),
        ]
        for (linear, stack, isTurned) in parts {
            let projected = scratch.matrix(
                .projected,
                rows: normalised.rows,
                columns: linear.weight.outputs
            )
            linear.weight.multiply(normalised, into: projected, scratch: scratch)
            body(projected, stack, linear.bias, isTurned)
        }
    }

    /// Lets every token attend to the tokens of its sample; the result is `state.attended`.
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

/// The memory of an attention layer; layers of equal extents share it, one after the other.
package struct AttentionState: Sendable {
    package let queries: HeadStack
    package let keys: HeadStack
    package let values: HeadStack
    /// What the tokens have attended to, [batch · tokens, heads · head width].
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
