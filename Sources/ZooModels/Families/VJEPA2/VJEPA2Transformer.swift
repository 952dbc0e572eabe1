// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

/// The blocks and the final norm that the encoder and the predictor of V-JEPA 2 have in common.
///
/// Weight names: `layer.<i>.norm1`, `layer.<i>.attention.{query,key,value,proj}`, `layer.<i>.norm2`,
/// `layer.<i>.mlp.{fc1,fc2}`, `layernorm`.
struct VJEPA2Transformer: Sendable {
    private let blocks: [TransformerBlock]
    private let norm: LayerNorm
    private let embedding: TiledRotaryEmbedding
    private let extents: VJEPA2Configuration.Transformer
    private let grid: TokenGrid

    init(
        _ configuration: VJEPA2Configuration,
        extents: VJEPA2Configuration.Transformer,
        weights: WeightScope
    ) throws(ZooError) {
        let (width, epsilon) = (extents.width, configuration.normEpsilon)
        let layers = weights.scope("layer")
        var blocks: [TransformerBlock] = []
        for index in 0..<extents.layers {
            let layer = layers.scope(index)
            let attention = layer.scope("attention")
            let bias = configuration.hasQueryBias
            blocks.append(
                TransformerBlock(
                    norm1: try layer.layerNorm("norm1", width: width, epsilon: epsilon),
                    attention: SelfAttention(
                        query: try attention.linear("query", from: width, to: width, bias: bias),
                        key: try attention.linear("key", from: width, to: width, bias: bias),
                        value: try attention.linear("value", from: width, to: width, bias: bias),
                        projection: try attention.linear("proj", from: width, to: width),
                        heads: extents.heads
                    ),
                    norm2: try layer.layerNorm("norm2", width: width, epsilon: epsilon),
                    mlp: try layer.mlp("mlp", width: width, hidden: extents.hiddenWidth)
                )
            )
        }
        self.blocks = blocks
        norm = try weights.layerNorm("layernorm", width: width, epsilon: epsilon)
        embedding = TiledRotaryEmbedding(headWidth: extents.headWidth)
        self.extents = extents
        grid = configuration.grid
    }

    /// Applies blocks and norm to `x` [batch · tokens, width] in place.
    ///
    /// - Returns: `x` before the first block and after each, [batch, tokens, width], if asked for.
    func apply(
        to x: Matrix,
        ids: TokenSelection,
        options: ForwardOptions,
        session: ComputeSession
    ) throws -> [Tensor] {
        let state = AttentionState(
            batch: ids.batch,
            tokens: ids.count,
            heads: extents.heads,
            headWidth: extents.headWidth
        )
        let isUniform = ids.ids.allSatisfy { $0 == ids.ids[0] }
        let rotations = ids.ids.prefix(isUniform ? 1 : ids.batch).map {
            embedding.rotation(for: $0, in: grid)
        }
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
            options.progress?(LayerProgress(completed: index + 1, total: blocks.count))
        }
        norm.apply(to: x, into: x)
        return layers
    }
}
