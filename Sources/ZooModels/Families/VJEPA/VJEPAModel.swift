// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

extension ModelFamily {
    /// V-JEPA (arXiv 2404.08471), in the layout that `ami-zoo convert` writes.
    static let vjepa = ModelFamily(
        .vjepa,
        loader: { folder throws(ZooError) in try VJEPAModel(folder) }
    )
}

/// A V-JEPA model: an encoder of videos and, where the release has it, a predictor of masked tokens.
///
/// Computes what `VisionTransformer` and `VisionTransformerPredictor` of facebookresearch/jepa compute
/// in float32. Clips of other sizes than those of training get positions that are interpolated
/// (trilinear), as there.
public struct VJEPAModel: JEPAModel {
    private let encoder: PatchEncoder
    private let predictor: MaskedPredictor?
    private let videoSize: VideoSize

    /// Loads a folder: `config.json`, and `model.safetensors` or shards with an index.
    ///
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code.
    public init(folder path: String) throws(ZooError) { try self.init(try ModelFolder(path)) }

    init(_ folder: ModelFolder) throws(ZooError) {
        let fields = folder.configuration
        let sizes: TransformerSizes
        let predictorSizes: TransformerSizes?
        let (epsilon, maskTokens): (Double, Int)
        do throws(ZooError) {
            videoSize = try VideoSize(fields)
            sizes = try TransformerSizes(fields)
            epsilon = try fields.normEpsilon()
            predictorSizes =
                fields.value("pred_hidden_size") == nil
                ? nil : try TransformerSizes(fields, prefix: "pred_")
            maskTokens = try fields.optionalInteger("pred_num_mask_tokens", in: 1...4096) ?? 1
        } catch {
            guard error.code == .fieldInvalid else { throw error }
            throw ZooError(
                .configurationInvalid,
                "the V-JEPA configuration is not valid",
                cause: error
            )
        }
        let weights = WeightScope(try Checkpoint(opening: folder.path))
        encoder = try weights.scope("encoder").vjepaEncoder(sizes, videoSize, epsilon: epsilon)
        if let inner = predictorSizes {
            predictor = try weights.scope("predictor").vjepaPredictor(
                inner,
                videoSize,
                encoderWidth: sizes.width,
                maskTokens: maskTokens,
                epsilon: epsilon
            )
        } else {
            predictor = nil
        }
        try weights.requireComplete()
    }

    /// `vjepa`.
    public var family: FamilyID { .vjepa }

    /// Clips of the frames and the size of training.
    public var input: ModelInput { videoSize.input }

    /// The elements of a token's features.
    public var width: Int { encoder.stack.width }

    /// The tokens of whole tubelets; their ids run over time, then rows, then columns.
    public func tokens(
        ofFrames frames: Range<Int>,
        batch: Int
    ) throws(ZooError) -> TokenSelection {
        try videoSize.tokens(ofFrames: frames, batch: batch)
    }

    /// Encodes videos [batch, frames, channels, height, width]; see ``JEPAModel``.
    public func encode(
        _ pixelValues: Tensor,
        visible: TokenSelection? = nil,
        options: ForwardOptions = ForwardOptions(),
        on pool: ComputePool = .shared
    ) async throws -> Encoding {
        try await encoder.encode(pixelValues, visible: visible, options: options, on: pool)
    }

    /// Predicts the features of tokens from the features of others; see ``JEPAModel``.
    public func predict(
        _ targets: TokenSelection,
        from context: TokenFeatures,
        options: ForwardOptions = ForwardOptions(),
        on pool: ComputePool = .shared
    ) async throws -> TokenFeatures {
        guard let predictor else { throw MaskedPredictor.missing }
        return try await predictor.predict(targets, from: context, options: options, on: pool)
            .targets
    }
}

/// The networks of V-JEPA under the names of facebookresearch/jepa.
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
    ) throws(ZooError) -> MaskedPredictor {
        let width = sizes.width
        return MaskedPredictor(
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
