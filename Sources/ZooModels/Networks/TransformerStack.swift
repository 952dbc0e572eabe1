// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooTensor

/// Blocks, one after the other, and a final norm.
struct TransformerStack: Sendable {
    let blocks: [TransformerBlock]
    let norm: LayerNorm
    /// Attention heads of each block.
    let heads: Int
    /// Elements of a token.
    let width: Int

    /// Applies blocks and norm to `x` [batch · tokens, width] in place.
    ///
    /// - Parameters:
    ///   - x: the tokens.
    ///   - ids: which tokens they are.
    ///   - positions: where they lie, as far as attention has to know.
    ///   - options: what to do besides.
    ///   - session: the threads to use.
    ///   - after: is shown `x` after each block, by the block's number.
    /// - Returns: `x` before the first block and after each, [batch, tokens, width], if asked for.
    /// - Throws: `CancellationError`.
    func apply(
        to x: Matrix,
        ids: TokenSelection,
        positions: PositionCoding,
        options: ForwardOptions,
        session: ComputeSession,
        after: (Int, Matrix) -> Void = { _, _ in }
    ) throws -> [Tensor] {
        let state = AttentionState(
            batch: ids.batch,
            tokens: ids.count,
            heads: heads,
            headWidth: blocks.first?.attention.headWidth ?? width / heads
        )
        let rotations = positions.rotations(for: ids)
        var layers: [Tensor] = []
        func keep() {
            guard options.keepsLayers else { return }
            let copy = Matrix(rows: x.rows, columns: x.columns)
            copy.copy(from: x)
            layers.append(
                Tensor(shape: [ids.batch, ids.count, x.columns], buffer: copy.buffer)
            )
        }
        keep()
        for (index, block) in blocks.enumerated() {
            try session.checkCancellation()
            block.apply(to: x, rotations: rotations, state: state, session: session)
            keep()
            after(index, x)
            options.progress?(LayerProgress(completed: index + 1, total: blocks.count))
        }
        norm.apply(to: x, into: x, session: session)
        return layers
    }
}
