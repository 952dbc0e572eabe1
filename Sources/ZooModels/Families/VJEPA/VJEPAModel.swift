// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
internal import ZooTensor

extension ModelFamily {
    /// V-JEPA (arXiv 2404.08471), in the layout that `ami-zoo convert` writes.
    static let vjepa = ModelFamily(
        .vjepa,
        loader: { folder throws(ZooError) in try VJEPAModel(folder) }
    )
}

/// A V-JEPA model: an encoder of videos and an optional predictor of masked tokens.
///
/// Equivalent to `VisionTransformer` and `VisionTransformerPredictor` of facebookresearch/jepa in
/// float32. For clips of other sizes than the training size, position embeddings are interpolated
/// (trilinear), as upstream does.
public struct VJEPAModel: VideoEncoder {
    /// The encoder and the predictor.
    public let networks: VideoNetworks

    /// Loads a folder: `config.json`, and `model.safetensors` or shards with an index.
    ///
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code.
    public init(folder path: String) throws(ZooError) { try self.init(try ModelFolder(path)) }

    init(_ folder: ModelFolder) throws(ZooError) {
        let (size, sizes, predictorSizes, epsilon, maskTokens) = try folder.configuration(
            of: .vjepa
        ) {
            (fields) throws(ZooError) in
            (
                try VideoSize(fields),
                try TransformerSizes(fields),
                fields.value("pred_hidden_size") == nil
                    ? nil : try TransformerSizes(fields, prefix: "pred_"),
                try fields.normEpsilon(),
                try fields.optionalInteger("pred_num_mask_tokens", in: 1...4096) ?? 1
            )
        }
        let weights = WeightScope(try Checkpoint(opening: folder.path))
        let encoder = try weights.scope("encoder").vjepaEncoder(sizes, size, epsilon: epsilon)
        var predictor: MaskedPredictorNetwork?
        if let inner = predictorSizes {
            predictor = try weights.scope("predictor").vjepaPredictor(
                inner,
                size,
                encoderWidth: sizes.width,
                maskTokens: maskTokens,
                epsilon: epsilon
            )
        }
        try weights.requireComplete()
        networks = VideoNetworks(encoder: encoder, predictor: predictor, size: size)
    }

    /// `vjepa`.
    public var family: FamilyID { .vjepa }
}

/// Loads the networks of V-JEPA with the tensor names of facebookresearch/jepa.
extension WeightScope {
    fileprivate func vjepaEncoder(
        _ sizes: TransformerSizes,
        _ videoSize: VideoSize,
        epsilon: Double
    ) throws(ZooError) -> PatchEncoder {
        PatchEncoder(
            embedding: try scope("patch_embed").patchEmbedding3D(
                "proj",
                channels: videoSize.channels,
                tubelet: videoSize.tubelet,
                patch: videoSize.patch,
                width: sizes.width
            ),
            positions: try positionTable("pos_embed", videoSize, width: sizes.width),
            stack: try metaStack("blocks", norm: "norm", sizes, epsilon: epsilon)
        )
    }

    fileprivate func vjepaPredictor(
        _ sizes: TransformerSizes,
        _ videoSize: VideoSize,
        encoderWidth: Int,
        maskTokens: Int,
        epsilon: Double
    ) throws(ZooError) -> MaskedPredictorNetwork {
        let width = sizes.width
        return MaskedPredictorNetwork(
            input: .linear(try linear("predictor_embed", from: encoderWidth, to: width)),
            maskTokens: try numberedTokens("mask_tokens", count: maskTokens, width: width),
            positions: try positionTable("predictor_pos_embed", videoSize, width: width),
            stack: try metaStack(
                "predictor_blocks",
                norm: "predictor_norm",
                sizes,
                epsilon: epsilon
            ),
            output: try linear("predictor_proj", from: width, to: encoderWidth)
        )
    }

    private func positionTable(
        _ name: String,
        _ videoSize: VideoSize,
        width: Int
    ) throws(ZooError) -> PositionCoding {
        let table = try values(name, shape: [1, videoSize.tokens.count, width])
        return .table(
            PositionTable(
                values: table.reshaped([videoSize.tokens.count, width]),
                sizes: videoSize.tokens,
                interpolation: .trilinear
            )
        )
    }
}
