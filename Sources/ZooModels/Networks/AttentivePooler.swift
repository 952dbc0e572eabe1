// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooTensor

/// Pools the tokens of an encoder with learned queries and cross-attention.
///
/// Optional self-attention blocks over the tokens are followed by q ← q + XA(q, norm1(x)) and
/// q ← q + MLP(norm2(q)), where XA is cross-attention. The queries are not normalised before
/// attention, and attention has no output projection.
///
/// Source: facebookresearch/vjepa2 `src/models/attentive_pooler.py` and, for one block,
/// facebookresearch/jepa.
struct AttentivePooler: Sendable {
    /// The learned queries, [queries, width].
    let queries: Matrix
    let blocks: [TransformerBlock]
    let norm1: LayerNorm
    let query: Linear
    let key: Linear
    let value: Linear
    let norm2: LayerNorm
    let mlp: MLP
    let heads: Int

    private var width: Int { queries.columns }

    /// Pools tokens [batch, tokens, width] to [batch · queries, width].
    ///
    /// - Throws: `CancellationError`.
    func pool(_ tokens: Tensor, session: ComputeSession) throws -> Matrix {
        let (batch, count) = (tokens.shape[0], tokens.shape[1])
        let x = Matrix(rows: batch * count, columns: width)
        x.copy(from: tokens.reshaped([batch * count, width]).matrix)
        if let first = blocks.first {
            let state = AttentionState(
                batch: batch,
                tokens: count,
                heads: first.attention.heads,
                headWidth: first.attention.headWidth
            )
            for block in blocks {
                try session.checkCancellation()
                block.apply(to: x, rotations: [], state: state, session: session)
            }
        }
        let keys = Matrix(rows: batch * count, columns: width)
        let values = Matrix(rows: batch * count, columns: width)
        session.forEachPanel(samples: 1, rows: batch * count, height: 256) { _, range, scratch in
            let normalised = scratch.matrix(.normalised, rows: range.count, columns: x.columns)
            norm1.apply(to: x.rows(range), into: normalised)
            key.apply(to: normalised, into: keys.rows(range), scratch: scratch)
            value.apply(to: normalised, into: values.rows(range), scratch: scratch)
        }
        return attend(keys, values, batch: batch, tokens: count, session: session)
    }

    private func attend(
        _ keys: Matrix,
        _ values: Matrix,
        batch: Int,
        tokens: Int,
        session: ComputeSession
    ) -> Matrix {
        let rows = queries.rows
        let asked = Matrix(rows: rows, columns: width)
        query.apply(to: queries, into: asked, scratch: Scratch())
        let pooled = Matrix(rows: batch * rows, columns: width)
        Attention.sumUp(
            keys: keys,
            values: values,
            for: asked,
            heads: heads,
            into: pooled,
            session: session
        )
        for sample in 0..<batch { pooled.rows(sample * rows..<(sample + 1) * rows).add(queries) }
        let scratch = Scratch()
        let normalised = scratch.matrix(.normalised, rows: pooled.rows, columns: width)
        norm2.apply(to: pooled, into: normalised)
        mlp.add(of: normalised, to: pooled, scratch: scratch)
        return pooled
    }
}
