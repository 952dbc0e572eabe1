// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooTensor

/// A pre-norm block: x ← x + attention(norm1(x)), then x ← x + mlp(norm2(x)).
package struct TransformerBlock: Sendable {
    package let norm1: LayerNorm
    package let attention: SelfAttention
    package let norm2: LayerNorm
    package let mlp: MLP

    /// Rows that the MLP processes together, which bounds its memory for any number of tokens.
    ///
    /// The hidden rows take 32 MiB for a width of 1024.
    private static let groupHeight = 2040

    /// Applies the block to the tokens of some samples in place.
    ///
    /// - Parameters:
    ///   - x: [batch · tokens, width].
    ///   - rotations: the rotation tables: none, one for all samples, or one per sample.
    ///   - state: buffers for the attention, for the same batch and tokens.
    ///   - session: the threads to use.
    package func apply(
        to x: Matrix,
        rotations: [Rotation],
        state: AttentionState,
        session: ComputeSession
    ) {
        let (batch, tokens) = (state.queries.batch, state.queries.tokens)
        precondition(x.rows == batch * tokens && [0, 1, batch].contains(rotations.count))
        let width = x.columns
        let normalised = session.sharedRows(.packedRows, rows: x.rows, columns: width)
        norm1.apply(to: x, into: normalised, session: session)
        attention.project(normalised, rotations: rotations, into: state, session: session)
        attention.attend(state, session: session)
        let groups = (x.rows + Self.groupHeight - 1) / Self.groupHeight
        for group in 0..<groups {
            let rows = x.rows(x.rows * group / groups..<x.rows * (group + 1) / groups)
            let attended = state.attended.rows(
                x.rows * group / groups..<x.rows * (group + 1) / groups
            )
            let heads = session.sharedRows(
                .packedRows,
                rows: rows.rows,
                columns: attended.columns
            )
            session.forEachBlock(of: rows.rows) { range, scratch in
                scratch.measure(.packing, bytes: range.count * attended.columns * 8) {
                    heads.store(attended.rows(range), row: range.lowerBound)
                }
            }
            attention.projection.add(
                of: heads,
                to: rows,
                kind: .attentionLinear,
                session: session
            )
            let normalised = session.sharedRows(.packedRows, rows: rows.rows, columns: width)
            norm2.apply(to: rows, into: normalised, session: session)
            mlp.add(of: normalised, to: rows, session: session)
        }
    }
}
