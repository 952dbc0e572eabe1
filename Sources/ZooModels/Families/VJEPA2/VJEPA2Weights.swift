// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

/// Loads the networks of V-JEPA 2 with the tensor names of transformers.
extension WeightScope {
    /// Loads the encoder, `embeddings.patch_embeddings.proj`, `layer.<i>`, `layernorm`.
    func vjepa2Encoder(
        _ configuration: VJEPA2Configuration,
        positions: VJEPA2Model.PositionGrid
    ) throws(ZooError) -> PatchEncoder {
        PatchEncoder(
            embedding: try scope("embeddings").scope("patch_embeddings").patchEmbedding3D(
                "proj",
                channels: configuration.channels,
                tubelet: configuration.tubeletSize,
                patch: configuration.patchSize,
                width: configuration.encoder.width
            ),
            positions: Self.positions(
                configuration,
                configuration.encoder,
                followingInput: positions == .input
            ),
            stack: try vjepa2Stack(configuration, configuration.encoder),
            repeatsShortClips: true
        )
    }

    /// Loads the predictor, `embeddings.{predictor_embeddings,mask_tokens}`, `layer.<i>`,
    /// `layernorm`, `proj`.
    func vjepa2Predictor(
        _ configuration: VJEPA2Configuration
    ) throws(ZooError) -> MaskedPredictorNetwork {
        let (width, outer) = (configuration.predictor.width, configuration.encoder.width)
        let embeddings = scope("embeddings")
        let maskTokens = try embeddings.values(
            "mask_tokens",
            shape: [configuration.maskTokens, 1, 1, width]
        )
        return MaskedPredictorNetwork(
            input: .linear(
                try embeddings.linear("predictor_embeddings", from: outer, to: width)
            ),
            maskTokens: maskTokens.reshaped([configuration.maskTokens, width]).matrix,
            positions: Self.positions(configuration, configuration.predictor),
            stack: try vjepa2Stack(configuration, configuration.predictor),
            output: try linear("proj", from: width, to: outer)
        )
    }

    private static func positions(
        _ configuration: VJEPA2Configuration,
        _ sizes: TransformerSizes,
        followingInput: Bool = false
    ) -> PositionCoding {
        .rotary(
            RotaryEmbedding3D(headWidth: sizes.headWidth, layout: .tiled),
            PositionCoding.RotaryGrid(grid: configuration.grid, followsInput: followingInput)
        )
    }

    /// Loads blocks `layer.<i>.norm1`, `layer.<i>.attention.{query,key,value,proj}`,
    /// `layer.<i>.norm2`, `layer.<i>.mlp.{fc1,fc2}`, and `layernorm`.
    private func vjepa2Stack(
        _ configuration: VJEPA2Configuration,
        _ sizes: TransformerSizes
    ) throws(ZooError) -> TransformerStack {
        let (width, epsilon) = (sizes.width, configuration.normEpsilon)
        var blocks: [TransformerBlock] = []
        for index in 0..<sizes.layers {
            let layer = scope("layer").scope(index)
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
                        heads: sizes.heads
                    ),
                    norm2: try layer.layerNorm("norm2", width: width, epsilon: epsilon),
                    mlp: try layer.mlp("mlp", width: width, hidden: sizes.hidden)
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
