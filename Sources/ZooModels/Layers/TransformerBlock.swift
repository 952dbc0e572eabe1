// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooTensor

/// A pre-norm block: x ← x + attention(norm1(x)), then x ← x + mlp(norm2(x)).
package struct TransformerBlock: Sendable {
    package let norm1: LayerNorm
    package let attention: SelfAttention
    package let norm2: LayerNorm
    package let mlp: MLP

    /// Rows that go through all passes of a half block together, so that each pass finds them in the
    /// cache; more rows make the products faster, fewer make the passes faster.
    private static let panelHeight = 256

    /// Applies the block to the tokens of some samples in place.
    ///
    /// - Parameters:
    ///   - x: [batch · tokens, width].
    ///   - rotations: the tables of the tokens: none, one for all samples, or one per sample.
    ///   - state: memory for the attention, for the same batch and tokens.
    ///   - session: the threads to use.
    package func apply(
        to x: Matrix,
        rotations: [Rotation],
        state: AttentionState,
        session: ComputeSession
    ) {
        let (batch, tokens) = (state.queries.batch, state.queries.tokens)
        precondition(x.rows == batch * tokens && [0, 1, batch].contains(rotations.count))
        session.forEachPanel(samples: batch, rows: tokens, height: Self.panelHeight) {
            sample,
            range,
            scratch in
            let rows = x.rows(
                sample * tokens + range.lowerBound..<sample * tokens + range.upperBound
            )
            let normalised = scratch.matrix(.normalised, rows: rows.rows, columns: x.columns)
            norm1.apply(to: rows, into: normalised)
            attention.project(
                normalised,
                tokens: range,
                of: sample,
                rotation: rotations.isEmpty
                    ? nil : rotations[rotations.count == 1 ? 0 : sample].rows(range),
                into: state,
                scratch: scratch
            )
        }
        attention.attend(state, session: session)
        session.forEachPanel(samples: 1, rows: batch * tokens, height: Self.panelHeight) {
            _,
            range,
            scratch in
            let rows = x.rows(range)
            attention.projection.add(
                of: state.attended.rows(range),
                to: rows,
                scratch: scratch
            )
            let normalised = scratch.matrix(.normalised, rows: rows.rows, columns: x.columns)
            norm2.apply(to: rows, into: normalised)
            mlp.add(of: normalised, to: rows, scratch: scratch)
        }
    }
}
