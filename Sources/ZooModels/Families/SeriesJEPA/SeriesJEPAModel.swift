// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

extension ModelFamily {
    /// A JEPA over windows of a multichannel time series, such as the sensors of an engine.
    static let seriesJEPA = ModelFamily(
        .seriesJEPA,
        loader: { folder throws(ZooError) in try SeriesJEPAModel(folder) }
    )
}

/// A JEPA over time series: an encoder of windows and a predictor of masked tokens.
///
/// A window [steps, channels] is cut along time into tokens of a few steps of all channels. Encoder and
/// predictor are pre-norm transformers with learned positions, as in I-JEPA (arXiv 2301.08243). Equivalent to
/// `SeriesJEPA` of `models/ami/turbofan/model.py` in float32.
///
/// A window is a clip of one pixel whose frames are the steps: ``ModelInput/frames`` counts the steps of a
/// window, ``ModelInput/tubelet`` those of a token, and the height and the width are 1.
public struct SeriesJEPAModel: JEPAEncoder {
    private let configuration: SeriesJEPAConfiguration
    private let encoder: PatchEncoder
    /// The predictor of masked tokens.
    public let predictor: (any MaskedPredictor)?

    /// Loads a folder with `config.json` and `model.safetensors`.
    ///
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code.
    public init(folder path: String) throws(ZooError) { try self.init(try ModelFolder(path)) }

    init(_ folder: ModelFolder) throws(ZooError) {
        configuration = try folder.configuration(of: .seriesJEPA) { (fields) throws(ZooError) in
            try SeriesJEPAConfiguration(fields)
        }
        let weights = WeightScope(try Checkpoint(opening: folder.path))
        encoder = try weights.scope("encoder").seriesEncoder(configuration)
        predictor = try weights.scope("predictor").seriesPredictor(configuration)
        try weights.requireComplete()
    }

    /// `series-jepa`.
    public var family: FamilyID { .seriesJEPA }

    /// Windows of the length and the channels in the configuration.
    public var input: ModelInput {
        ModelInput(
            frames: configuration.steps,
            channels: configuration.channels,
            height: 1,
            width: 1,
            patch: 1,
            tubelet: configuration.patch
        )
    }

    /// The number of elements of a token's features.
    public var width: Int { encoder.stack.width }

    /// Returns the tokens that cover some steps of a window, for every sample of a batch.
    ///
    /// - Throws: `ZooError` with code `model.token-selection-invalid` if the steps are not whole tokens of a
    ///   window.
    public func tokens(
        ofFrames steps: Range<Int>,
        batch: Int
    ) throws(ZooError) -> TokenSelection {
        let patch = configuration.patch
        guard steps.lowerBound >= 0, !steps.isEmpty, steps.upperBound <= configuration.steps,
            steps.lowerBound.isMultiple(of: patch), steps.upperBound.isMultiple(of: patch),
            batch >= 1
        else {
            throw ZooError(
                .tokenSelectionInvalid,
                "steps \(steps.lowerBound) to \(steps.upperBound) are not whole tokens of \(patch) steps in a "
                    + "window of \(configuration.steps)"
            )
        }
        let ids = Array(steps.lowerBound / patch..<steps.upperBound / patch)
        return try TokenSelection(Array(repeating: ids, count: batch))
    }

    /// Encodes windows.
    ///
    /// - Parameters:
    ///   - values: [batch, steps, channels], or [batch, steps, channels, 1, 1], in the units of the channels:
    ///     the model subtracts the mean and divides by the std of each channel.
    ///   - visible: the tokens that the encoder sees, nil for all; the others have no influence.
    ///   - options: additional outputs and progress.
    ///   - pool: the threads to compute on.
    /// - Returns: the features of all tokens, or of the visible ones.
    /// - Throws: `ZooError` with code `model.input-shape-invalid`, `model.token-selection-invalid` or
    ///   `model.result-not-finite`; `CancellationError` when the task is cancelled.
    public func encode(
        _ values: Tensor,
        visible: TokenSelection? = nil,
        options: ForwardOptions = ForwardOptions(),
        on pool: ComputePool = .shared
    ) async throws -> Encoding {
        try await encoder.encode(
            standardised(values),
            visible: visible,
            options: options,
            on: pool
        )
    }

    /// (value − mean) / std of each channel, as a clip [batch, steps, channels, 1, 1].
    private func standardised(_ values: Tensor) throws(ZooError) -> Tensor {
        let (sizes, channels) = (values.shape.sizes, configuration.channels)
        guard sizes.count == 3 || (sizes.count == 5 && sizes.suffix(2) == [1, 1]), sizes[0] > 0,
            sizes[1] == configuration.steps, sizes[2] == channels
        else {
            throw ZooError(
                .inputShapeInvalid,
                "the input has the shape \(values.shape), and must be windows [batch, "
                    + "\(configuration.steps), \(channels)]: steps and channels"
            )
        }
        var result = Tensor(zeros: Shape(Array(sizes.prefix(3)) + [1, 1]))
        let (mean, std) = (configuration.mean, configuration.std)
        values.withValues { source in
            result.withMutableValues { target in
                for index in 0..<source.count {
                    let channel = index % channels
                    target[index] = (source[index] - mean[channel]) / std[channel]
                }
            }
        }
        return result
    }
}

/// Loads the networks with the tensor names of `models/ami/turbofan/model.py`.
extension WeightScope {
    fileprivate func seriesEncoder(
        _ configuration: SeriesJEPAConfiguration
    ) throws(ZooError) -> PatchEncoder {
        let (channels, width) = (configuration.channels, configuration.encoder.width)
        let embedding = scope("patch_embed")
        let weight = try embedding.tensor(
            "weight",
            shape: [width, channels, configuration.patch]
        )
        return PatchEncoder(
            embedding: PatchEmbedding3D(
                linear: Linear(
                    weight: WeightMatrix(weight),
                    bias: try embedding.values("bias", shape: [width])
                ),
                channels: channels,
                tubelet: configuration.patch,
                patch: 1
            ),
            positions: try stepPositions("pos_embed", configuration.tokens, width: width),
            stack: try metaStack(
                "blocks",
                norm: "norm",
                configuration.encoder,
                epsilon: configuration.epsilon
            )
        )
    }

    fileprivate func seriesPredictor(
        _ configuration: SeriesJEPAConfiguration
    ) throws(ZooError) -> MaskedPredictorNetwork {
        let (outer, width) = (configuration.encoder.width, configuration.predictor.width)
        return MaskedPredictorNetwork(
            input: .linear(try linear("predictor_embed", from: outer, to: width)),
            maskTokens: try values("mask_token", shape: [1, 1, width]).reshaped([1, width]).matrix,
            positions: try stepPositions("predictor_pos_embed", configuration.tokens, width: width),
            stack: try metaStack(
                "predictor_blocks",
                norm: "predictor_norm",
                configuration.predictor,
                epsilon: configuration.epsilon
            ),
            output: try linear("predictor_proj", from: width, to: outer)
        )
    }

    private func stepPositions(
        _ name: String,
        _ tokens: GridSize,
        width: Int
    ) throws(ZooError) -> PositionCoding {
        .table(
            PositionTable(
                values: try values(name, shape: [1, tokens.count, width])
                    .reshaped([tokens.count, width]),
                sizes: tokens,
                interpolation: .trilinear
            )
        )
    }
}
