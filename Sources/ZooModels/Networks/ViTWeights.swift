// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore

/// Loads the weights of Vision Transformers with the tensor names of transformers.
extension WeightScope {
    /// Loads blocks `encoder.layer.<i>` and `layernorm`.
    ///
    /// Source: huggingface/transformers `models/vit/modeling_vit.py`.
    func vitStack(
        _ sizes: TransformerSizes,
        epsilon: Double
    ) throws(ZooError) -> TransformerStack {
        let width = sizes.width
        var blocks: [TransformerBlock] = []
        for index in 0..<sizes.layers {
            let layer = scope("encoder").scope("layer").scope(index)
            let attention = layer.scope("attention")
            let inner = attention.scope("attention")
            blocks.append(
                TransformerBlock(
                    norm1: try layer.layerNorm("layernorm_before", width: width, epsilon: epsilon),
                    attention: SelfAttention(
                        query: try inner.linear("query", from: width, to: width),
                        key: try inner.linear("key", from: width, to: width),
                        value: try inner.linear("value", from: width, to: width),
                        projection: try attention.scope("output")
                            .linear("dense", from: width, to: width),
                        heads: sizes.heads
                    ),
                    norm2: try layer.layerNorm("layernorm_after", width: width, epsilon: epsilon),
                    mlp: MLP(
                        first: try layer.scope("intermediate")
                            .linear("dense", from: width, to: sizes.hidden),
                        second: try layer.scope("output")
                            .linear("dense", from: sizes.hidden, to: width)
                    )
                )
            )
        }
        return TransformerStack(
            blocks: blocks,
            norm: try layerNorm("layernorm", width: width, epsilon: epsilon),
            heads: sizes.heads,
            width: width
        )
    }
}
