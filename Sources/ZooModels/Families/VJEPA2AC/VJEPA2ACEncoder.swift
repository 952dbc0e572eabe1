// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

/// The encoder of a V-JEPA 2-AC release.
///
/// Equivalent to `VisionTransformer` of facebookresearch/vjepa2 in float32, for frames of any size.
/// A clip of one frame is repeated, as upstream does for planning. The features of
/// ``encode(_:visible:options:on:)`` are not normalised; those of ``encodeFrames(_:on:)`` are.
public struct VJEPA2ACEncoder: VideoEncoder, FrameEncoder {
    /// The encoder, without a predictor of masked tokens.
    public let networks: VideoNetworks
    /// Normalises latents, without weights.
    let norm: LayerNorm

    init(
        _ weights: WeightScope,
        _ sizes: TransformerSizes,
        _ videoSize: VideoSize,
        epsilon: Double
    ) throws(ZooError) {
        norm = .withoutWeights(width: sizes.width, epsilon: 1e-5)
        let encoder = PatchEncoder(
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
        networks = VideoNetworks(encoder: encoder, size: videoSize)
    }

    /// `vjepa2-ac`.
    public var family: FamilyID { .vjepa2AC }

    /// Encodes frames to normalised latents, each as a clip of two equal frames.
    ///
    /// Source: facebookresearch/vjepa2 `notebooks/utils/world_model_wrapper.py`, `encode`.
    ///
    /// - Parameters:
    ///   - pixelValues: [batch, frames, channels, height, width], the whole image without crop.
    ///   - pool: the threads to compute on.
    /// - Returns: [batch, frames, tokens, width].
    /// - Throws: `ZooError` with code `model.input-shape-invalid`; `CancellationError` when the
    ///   task is cancelled.
    public func encodeFrames(
        _ pixelValues: Tensor,
        on pool: ComputePool = .shared
    ) async throws -> Tensor {
        let network = networks.encoder
        let clips = try pixelValues.framesAsClips()
        let selection = try network.selection(of: clips.shape, visible: nil)
        let norm = norm
        return try await pool.run { session in
            let found = try network.encode(
                clips,
                selection: selection,
                options: ForwardOptions(),
                session: session
            ).tokens.values
            norm.apply(to: found.matrix, into: found.matrix)
            let (batch, frames) = (pixelValues.shape[0], pixelValues.shape[1])
            return found.reshaped([batch, frames, found.shape[1], found.shape[2]])
        }
    }
}
