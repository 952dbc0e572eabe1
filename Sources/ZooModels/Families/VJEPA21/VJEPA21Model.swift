// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

extension ModelFamily {
    /// V-JEPA 2.1 (arXiv 2603.14482), in the layout that `ami-zoo convert` writes.
    static let vjepa21 = ModelFamily(
        .vjepa21,
        loader: { folder throws(ZooError) in try VJEPA21Model(folder) }
    )
}

/// A V-JEPA 2.1 model: an encoder of videos and of images, and a predictor of masked tokens.
///
/// Equivalent to `app/vjepa_2_1` of facebookresearch/vjepa2 in float32, with the networks of its
/// hub. Clips of one frame are images, which have a separate patch embedding. Positions of the
/// encoder are scaled to 0…15 for any input; those of the predictor are not.
public struct VJEPA21Model: VideoEncoder {
    /// The encoder and the predictor of videos.
    public let networks: VideoNetworks
    /// The predictor of video tokens; nil if the release has none.
    public let videoPredictor: VJEPA21Predictor?
    /// The predictor of image tokens; nil if the release has none.
    public let imagePredictor: VJEPA21Predictor?
    private let images: PatchEncoder

    /// Loads a folder: `config.json`, and `model.safetensors` or shards with an index.
    ///
    /// - Parameters:
    ///   - path: the folder.
    ///   - stretchesPredictorPositions: whether positions of the predictor are scaled to 0…15 too,
    ///     as in training; the upstream hub does not scale them.
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code.
    public init(
        folder path: String,
        stretchesPredictorPositions: Bool = false
    ) throws(ZooError) {
        try self.init(try ModelFolder(path), stretchesPredictorPositions)
    }

    init(
        _ folder: ModelFolder,
        _ stretchesPredictorPositions: Bool = false
    ) throws(ZooError) {
        let configuration = try VJEPA21Configuration(
            folder.configuration,
            stretchesPredictorPositions
        )
        let weights = WeightScope(try Checkpoint(opening: folder.path))
        let encoder = weights.scope("encoder")
        let stack = try encoder.vjepa21Stack(configuration)
        let videos = try encoder.vjepa21Encoder(configuration, stack, isVideo: true)
        images = try encoder.vjepa21Encoder(configuration, stack, isVideo: false)
        if let inner = configuration.predictor {
            let predictor = weights.scope("predictor")
            let stack = try predictor.metaStack(
                "predictor_blocks",
                norm: "predictor_norm",
                inner,
                epsilon: configuration.epsilon
            )
            func make(_ isVideo: Bool) throws(ZooError) -> VJEPA21Predictor {
                VJEPA21Predictor(
                    network: try predictor.vjepa21Predictor(
                        configuration,
                        inner,
                        stack,
                        isVideo: isVideo
                    ),
                    levels: configuration.levels,
                    width: configuration.encoder.width,
                    outputs: configuration.outputs
                )
            }
            (videoPredictor, imagePredictor) = (try make(true), try make(false))
        } else {
            (videoPredictor, imagePredictor) = (nil, nil)
        }
        try weights.requireComplete()
        networks = VideoNetworks(
            encoder: videos,
            predictor: videoPredictor,
            size: configuration.sizes
        )
    }

    /// `vjepa2.1`.
    public var family: FamilyID { .vjepa21 }

    /// Clips with the number of frames and the image size of training; single images are supported
    /// too.
    public var input: ModelInput {
        let size = networks.size
        return ModelInput(
            frames: size.frames,
            channels: size.channels,
            height: size.side,
            width: size.side,
            patch: size.patch,
            tubelet: size.tubelet
        )
    }

    /// Encodes videos [batch, frames, channels, height, width], or images with one frame; see
    /// ``JEPAEncoder``.
    ///
    /// ``Encoding/context`` holds the input of the predictor: four concatenated levels if it was
    /// trained on those.
    public func encode(
        _ pixelValues: Tensor,
        visible: TokenSelection? = nil,
        options: ForwardOptions = ForwardOptions(),
        on pool: ComputePool = .shared
    ) async throws -> Encoding {
        let isImage = pixelValues.shape.rank == 5 && pixelValues.shape[1] == 1
        let encoder = isImage ? images : networks.encoder
        return try await encoder.encode(pixelValues, visible: visible, options: options, on: pool)
    }
}

/// Loads the networks of V-JEPA 2.1 with the tensor names of upstream.
extension WeightScope {
    fileprivate func vjepa21Stack(
        _ configuration: VJEPA21Configuration
    ) throws(ZooError) -> TransformerStack {
        try metaStack(
            "blocks",
            norm: "norms_block.\(VJEPA21Levels.count - 1)",
            configuration.encoder,
            epsilon: configuration.epsilon
        )
    }

    fileprivate func vjepa21Encoder(
        _ configuration: VJEPA21Configuration,
        _ stack: TransformerStack,
        isVideo: Bool
    ) throws(ZooError) -> PatchEncoder {
        let (videoSize, sizes) = (configuration.sizes, configuration.encoder)
        let width = sizes.width
        var levels: [PatchEncoder.Level] = []
        for (index, block) in VJEPA21Levels.blocks[sizes.layers, default: []].enumerated() {
            let norm = try layerNorm(
                "norms_block.\(index)",
                width: width,
                epsilon: configuration.epsilon
            )
            levels.append(PatchEncoder.Level(block: block, norm: norm))
        }
        let offset = try values(
            isVideo ? "video_mod_embed" : "img_mod_embed",
            shape: [1, 1, width]
        )
        return PatchEncoder(
            embedding: try scope(isVideo ? "patch_embed" : "patch_embed_img").patchEmbedding3D(
                "proj",
                channels: videoSize.channels,
                tubelet: isVideo ? videoSize.tubelet : 1,
                patch: videoSize.patch,
                width: width
            ),
            positions: .rotary(
                RotaryEmbedding3D(headWidth: width / sizes.heads, layout: .interleaved),
                PositionCoding.RotaryGrid(
                    grid: TokenGrid(rows: videoSize.tokens.rows, columns: videoSize.tokens.columns),
                    followsInput: true,
                    lastPlace: configuration.lastPlace
                )
            ),
            stack: stack,
            offset: offset.reshaped([1, width]).matrix,
            levels: levels,
            joinsLevels: configuration.levels > 1
        )
    }

    fileprivate func vjepa21Predictor(
        _ configuration: VJEPA21Configuration,
        _ sizes: TransformerSizes,
        _ stack: TransformerStack,
        isVideo: Bool
    ) throws(ZooError) -> MaskedPredictorNetwork {
        let (width, outer) = (sizes.width, configuration.encoder.width)
        let offset = try values(
            isVideo ? "video_mod_embed" : "img_mod_embed",
            shape: [1, 1, width]
        )
        let input: MaskedPredictorNetwork.Input
        if configuration.levels == 1 {
            input = .linear(try linear("predictor_embed", from: outer, to: width))
        } else {
            let embed = scope("predictor_embed")
            input = .mlp(
                try embed.linear("0", from: configuration.levels * outer, to: outer),
                try embed.linear("2", from: outer, to: width)
            )
        }
        let grid = configuration.sizes.tokens
        return MaskedPredictorNetwork(
            input: input,
            maskTokens: try numberedTokens(
                "mask_tokens",
                count: configuration.maskTokens,
                width: width
            ),
            offset: offset.reshaped([1, width]).matrix,
            positions: .rotary(
                RotaryEmbedding3D(headWidth: width / sizes.heads, layout: .interleaved),
                PositionCoding.RotaryGrid(
                    grid: TokenGrid(rows: grid.rows, columns: grid.columns),
                    lastPlace: configuration.predictorLastPlace
                )
            ),
            stack: stack,
            output: try linear("predictor_proj", from: width, to: configuration.outputs),
            contextOutput: try linear(
                "predictor_proj_context",
                from: width,
                to: configuration.outputs
            )
        )
    }
}
