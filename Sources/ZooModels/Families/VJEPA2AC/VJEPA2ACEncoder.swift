// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

/// The encoder of a V-JEPA 2-AC release.
///
/// Computes what `VisionTransformer` of facebookresearch/vjepa2 computes in float32, for frames of any
/// sizes. A clip of one frame is shown twice, as upstream does with the frames it plans with.
public struct VJEPA2ACEncoder: JEPAModel {
    let network: PatchEncoder
    private let videoSize: VideoSize

    init(
        _ weights: WeightScope,
        _ sizes: TransformerSizes,
        _ videoSize: VideoSize,
        epsilon: Double
    ) throws(ZooError) {
        self.videoSize = videoSize
        network = PatchEncoder(
            embedding: try weights.scope("patch_embed").patchEmbedding3D(
                "proj",
                channels: videoSize.channels,
                tubelet: videoSize.tubelet,
                patch: videoSize.patch,
                width: sizes.width
            ),
            positions: .rotary(
                RotaryEmbedding3D(headWidth: sizes.width / sizes.heads, layout: .tiled),
                PositionCoding.RotaryGrid(
                    grid: TokenGrid(rows: videoSize.tokens.rows, columns: videoSize.tokens.columns),
                    followsInput: true
                )
            ),
            stack: try weights.metaStack("blocks", norm: "norm", sizes, epsilon: epsilon),
            repeatsShortClips: true
        )
    }

    /// `vjepa2-ac`.
    public var family: FamilyID { .vjepa2AC }

    /// Clips of the frames and the size of training.
    public var input: ModelInput { videoSize.input }

    /// The elements of a token's features.
    public var width: Int { network.stack.width }

    /// The tokens of whole tubelets; their ids run over time, then rows, then columns.
    public func tokens(
        ofFrames frames: Range<Int>,
        batch: Int
    ) throws(ZooError) -> TokenSelection {
        try videoSize.tokens(ofFrames: frames, batch: batch)
    }

    /// Encodes videos [batch, frames, channels, height, width]; see ``JEPAModel``.
    ///
    /// The features are not normalised; ``VJEPA2ACModel/encodeFrames(_:on:)`` does that.
    public func encode(
        _ pixelValues: Tensor,
        visible: TokenSelection? = nil,
        options: ForwardOptions = ForwardOptions(),
        on pool: ComputePool = .shared
    ) async throws -> Encoding {
        try await network.encode(pixelValues, visible: visible, options: options, on: pool)
    }

    /// Not possible: the predictor of this family takes actions, not masks.
    ///
    /// - Throws: `ZooError` with code `model.unsupported`.
    public func predict(
        _ targets: TokenSelection,
        from context: TokenFeatures,
        options: ForwardOptions = ForwardOptions(),
        on pool: ComputePool = .shared
    ) async throws -> TokenFeatures { throw ModelFamily.takesActions(family) }
}

extension ModelFamily {
    /// What to say where masked tokens are to be predicted and the predictor takes actions.
    static func takesActions(_ family: FamilyID) -> ZooError {
        ZooError(
            .modelUnsupported,
            "the predictor of \(family) does not predict masked tokens; it takes actions",
            remedy: "load the folder as a world model"
        )
    }
}
