// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

/// Loads the poolers of probes.
extension WeightScope {
    /// Loads a pooler with the tensor names of facebookresearch/jepa.
    func vjepaPooler(
        _ configuration: ProbeConfiguration
    ) throws(ZooError) -> AttentivePooler {
        let (width, epsilon) = (configuration.width, configuration.epsilon)
        let block = scope("cross_attention_block")
        let attention = block.scope("xattn")
        let fused = try attention.fusedLinears("kv", parts: 2, from: width, to: width)
        // The files hold this layer, but upstream does not use it.
        _ = try attention.linear("proj", from: width, to: width)
        return AttentivePooler(
            queries: try queryTokens(configuration),
            blocks: [],
            norm1: try block.layerNorm("norm1", width: width, epsilon: epsilon),
            query: try attention.linear("q", from: width, to: width),
            key: fused[0],
            value: fused[1],
            norm2: try block.layerNorm("norm2", width: width, epsilon: epsilon),
            mlp: try block.mlp("mlp", width: width, hidden: configuration.hidden),
            heads: configuration.heads
        )
    }

    /// Loads a pooler with the tensor names of `VJEPA2AttentivePooler` of transformers.
    func vjepa2Pooler(
        _ configuration: ProbeConfiguration
    ) throws(ZooError) -> AttentivePooler {
        let (width, epsilon) = (configuration.width, configuration.epsilon)
        var blocks: [TransformerBlock] = []
        for index in 0..<configuration.layers {
            let layer = scope("self_attention_layers").scope(index)
            let attention = layer.scope("self_attn")
            blocks.append(
                TransformerBlock(
                    norm1: try layer.layerNorm("layer_norm1", width: width, epsilon: epsilon),
                    attention: SelfAttention(
                        query: try attention.linear("q_proj", from: width, to: width),
                        key: try attention.linear("k_proj", from: width, to: width),
                        value: try attention.linear("v_proj", from: width, to: width),
                        projection: try attention.linear("out_proj", from: width, to: width),
                        heads: configuration.heads
                    ),
                    norm2: try layer.layerNorm("layer_norm2", width: width, epsilon: epsilon),
                    mlp: try layer.mlp("mlp", width: width, hidden: configuration.hidden)
                )
            )
        }
        let layer = scope("cross_attention_layer")
        let attention = layer.scope("cross_attn")
        return AttentivePooler(
            queries: try queryTokens(configuration),
            blocks: blocks,
            norm1: try layer.layerNorm("layer_norm1", width: width, epsilon: epsilon),
            query: try attention.linear("q_proj", from: width, to: width),
            key: try attention.linear("k_proj", from: width, to: width),
            value: try attention.linear("v_proj", from: width, to: width),
            norm2: try layer.layerNorm("layer_norm2", width: width, epsilon: epsilon),
            mlp: try layer.mlp("mlp", width: width, hidden: configuration.hidden),
            heads: configuration.heads
        )
    }

    private func queryTokens(_ configuration: ProbeConfiguration) throws(ZooError) -> Matrix {
        let shape: Shape = [1, configuration.queries, configuration.width]
        return try values("query_tokens", shape: shape)
            .reshaped([configuration.queries, configuration.width]).matrix
    }
}
