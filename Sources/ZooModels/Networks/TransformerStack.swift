// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooTensor

/// A sequence of blocks and a final norm.
struct TransformerStack: Sendable {
    let blocks: [TransformerBlock]
    let norm: LayerNorm
    /// The number of attention heads of each block.
    let heads: Int
    /// Elements of a token.
    let width: Int

    /// Applies blocks and norm to `x` [batch · tokens, width] in place.
    ///
    /// - Parameters:
    ///   - x: the tokens.
    ///   - ids: the ids of the tokens.
    ///   - positions: the position encoding.
    ///   - options: additional outputs and progress.
    ///   - session: the threads to use.
    ///   - after: called with the index of each block and `x` after it.
    /// - Returns: `x` before the first block and after each block, [batch, tokens, width], if the
    ///   options request it.
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
