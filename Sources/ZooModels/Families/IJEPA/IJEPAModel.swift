// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
internal import ZooFiles
public import ZooTensor

extension ModelFamily {
    /// I-JEPA (arXiv 2301.08243), as transformers stores it, with the predictor in a separate file.
    static let ijepa = ModelFamily(
        .ijepa,
        loader: { folder throws(ZooError) in try IJEPAModel(folder) }
    )
}

/// An I-JEPA model: an encoder of images and an optional predictor of masked patches.
///
/// The encoder is equivalent to `IJepaModel` of transformers 5.23 in float32, with
/// `interpolate_pos_encoding` for images of any size. The predictor is equivalent to
/// `VisionTransformerPredictor` of facebookresearch/ijepa for one set of targets.
public struct IJEPAModel: JEPAEncoder {
    private let encoder: PatchEncoder
    /// The predictor of masked patches; nil if the release has none.
    public let predictor: (any MaskedPredictor)?
    private let imageSize: Int
    private let patchSize: Int
    private let channels: Int

    /// Loads a folder with `config.json`, `model.safetensors` and optionally
    /// `predictor.safetensors`.
    ///
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code.
    public init(folder path: String) throws(ZooError) { try self.init(try ModelFolder(path)) }

    init(_ folder: ModelFolder) throws(ZooError) {
        let (sizes, predictorSizes, epsilon): (TransformerSizes, TransformerSizes?, Double)
        (imageSize, patchSize, channels, sizes, predictorSizes, epsilon) =
            try folder.configuration(of: .ijepa) { (fields) throws(ZooError) in
                try Self.requireSupported(fields)
                let imageSize = try fields.optionalInteger("image_size", in: 1...8192) ?? 224
                let patchSize = try fields.optionalInteger("patch_size", in: 1...256) ?? 16
                guard imageSize >= patchSize else {
                    throw fields.invalid("image_size", "is less than a patch of \(patchSize)")
                }
                return (
                    imageSize, patchSize,
                    try fields.optionalInteger("num_channels", in: 1...64) ?? 3,
                    try TransformerSizes(fields),
                    fields.value("pred_hidden_size") == nil
                        ? nil : try TransformerSizes(fields, prefix: "pred_"),
                    // The default in transformers is that of ViT; I-JEPA files state their own
                    // value.
                    try fields.normEpsilon(default: 1e-12)
                )
            }
        let side = imageSize / patchSize
        let grid = GridSize(frames: 1, rows: side, columns: side)
        let weights = WeightScope(try Checkpoint(opening: folder.path))
        encoder = try weights.ijepaEncoder(
            sizes,
            channels: channels,
            patch: patchSize,
            grid: grid,
            epsilon: epsilon
        )
        try weights.requireComplete()
        let file = "\(folder.path)/predictor.safetensors"
        guard let predictorSizes, try FileSystem.status(file) != nil else {
            predictor = nil
            return
        }
        let predictorWeights = WeightScope(try Checkpoint(opening: file))
        predictor = try predictorWeights.ijepaPredictor(
            predictorSizes,
            encoderWidth: sizes.width,
            grid: grid,
            epsilon: epsilon
        )
        try predictorWeights.requireComplete()
    }

    private static func requireSupported(_ fields: JSONObject) throws(ZooError) {
        let activation = try fields.optionalString("hidden_act") ?? "gelu"
        guard activation == "gelu" else {
            throw ZooError(
                .modelUnsupported,
                "the activation '\(activation)' is not supported, only 'gelu'"
            )
        }
    }

    /// `ijepa`.
    public var family: FamilyID { .ijepa }

    /// Single images of the size in the configuration.
    public var input: ModelInput {
        ModelInput(
            frames: 1,
            channels: channels,
            height: imageSize,
            width: imageSize,
            patch: patchSize
        )
    }

    /// The number of elements of a token's features.
    public var width: Int { encoder.stack.width }

    /// Returns all patches of an image; `frames` must be 0..<1.
    public func tokens(
        ofFrames frames: Range<Int>,
        batch: Int
    ) throws(ZooError) -> TokenSelection {
        guard frames == 0..<1, batch >= 1 else {
            throw ZooError(
                .tokenSelectionInvalid,
                "the model takes single images, and frames \(frames.lowerBound) to \(frames.upperBound - 1) "
                    + "were requested"
            )
        }
        let side = imageSize / patchSize
        return .first(side * side, batch: batch)
    }

    /// Encodes images [batch, channels, height, width] or clips of one frame; see ``JEPAEncoder``.
    public func encode(
        _ pixelValues: Tensor,
        visible: TokenSelection? = nil,
        options: ForwardOptions = ForwardOptions(),
        on pool: ComputePool = .shared
    ) async throws -> Encoding {
        try await encoder.encode(
            Self.asClips(pixelValues),
            visible: visible,
            options: options,
            on: pool
        )
    }

    private static func asClips(_ images: Tensor) throws(ZooError) -> Tensor {
        let sizes = images.shape.sizes
        if sizes.count == 4 {
            return images.reshaped(Shape([sizes[0], 1] + sizes.dropFirst()))
        }
        guard sizes.count == 5, sizes[1] == 1 else {
            throw ZooError(
                .inputShapeInvalid,
                "the input has the shape \(images.shape), and must be images [batch, channels, "
                    + "height, width]"
            )
        }
        return images
    }
}

/// Loads the encoder of I-JEPA with the names of transformers, and the predictor with those of
/// Meta.
extension WeightScope {
    fileprivate func ijepaEncoder(
        _ sizes: TransformerSizes,
        channels: Int,
        patch: Int,
        grid: GridSize,
        epsilon: Double
    ) throws(ZooError) -> PatchEncoder {
        let width = sizes.width
        let embeddings = scope("embeddings")
        let table = try embeddings.values("position_embeddings", shape: [1, grid.count, width])
        return PatchEncoder(
            embedding: try embeddings.scope("patch_embeddings").patchEmbedding2D(
                "projection",
                channels: channels,
                patch: patch,
                width: width
            ),
            positions: .table(
                PositionTable(
                    values: table.reshaped([grid.count, width]),
                    sizes: grid,
                    interpolation: .bicubic
                )
            ),
            stack: try vitStack(sizes, epsilon: epsilon)
        )
    }

    fileprivate func ijepaPredictor(
        _ sizes: TransformerSizes,
        encoderWidth: Int,
        grid: GridSize,
        epsilon: Double
    ) throws(ZooError) -> MaskedPredictorNetwork {
        let width = sizes.width
        let table = try values("predictor_pos_embed", shape: [1, grid.count, width])
        return MaskedPredictorNetwork(
            input: .linear(try linear("predictor_embed", from: encoderWidth, to: width)),
            maskTokens: try values("mask_token", shape: [1, 1, width]).reshaped([1, width]).matrix,
            positions: .table(
                PositionTable(
                    values: table.reshaped([grid.count, width]),
                    sizes: grid,
                    interpolation: .bicubic
                )
            ),
            stack: try metaStack(
                "predictor_blocks",
                norm: "predictor_norm",
                sizes,
                epsilon: epsilon
            ),
            output: try linear("predictor_proj", from: width, to: encoderWidth)
        )
    }
}
