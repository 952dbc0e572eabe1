// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

/// Pixels to features: patch embedding, blocks, norm.
struct VJEPA2Encoder: Sendable {
    private let embedding: PatchEmbedding3D
    private let transformer: VJEPA2Transformer
    private let width: Int

    init(_ configuration: VJEPA2Configuration, weights: WeightScope) throws(ZooError) {
        width = configuration.encoder.width
        embedding = try weights.scope("embeddings").scope("patch_embeddings").patchEmbedding3D(
            "proj",
            channels: configuration.channels,
            tubelet: configuration.tubeletSize,
            patch: configuration.patchSize,
            width: width
        )
        transformer = try VJEPA2Transformer(
            configuration,
            extents: configuration.encoder,
            weights: weights
        )
    }

    /// The tokens of an input [batch, frames, channels, height, width], all of them or those that
    /// are `visible`.
    func selection(
        of pixels: Shape,
        visible: TokenSelection?
    ) throws(ZooError) -> TokenSelection {
        guard pixels.rank == 5, pixels[0] > 0, pixels[1] > 0, pixels[2] == embedding.channels,
            pixels[3] >= embedding.patch, pixels[4] >= embedding.patch
        else {
            throw ZooError(
                .inputShapeInvalid,
                "the input has the shape \(pixels), and must be [batch, frames, "
                    + "\(embedding.channels), height, width] with sides of at least "
                    + "\(embedding.patch) pixels"
            )
        }
        let extents = embedding.tokens(
            frames: frames(of: pixels),
            height: pixels[3],
            width: pixels[4]
        )
        let count = extents.frames * extents.rows * extents.columns
        guard count <= TokenSelection.largestID else {
            throw ZooError(.inputShapeInvalid, "an input of shape \(pixels) has too many tokens")
        }
        guard let visible else { return .first(count, batch: pixels[0]) }
        guard visible.batch == pixels[0], visible.ids.joined().allSatisfy({ $0 < count }) else {
            throw ZooError(
                .tokenSelectionInvalid,
                "the input has \(pixels[0]) samples with tokens 0 to \(count - 1); the visible "
                    + "tokens are not among them"
            )
        }
        return visible
    }

    /// Encodes the tokens of `selection`, which ``selection(of:visible:)`` returned.
    func encode(
        _ pixels: Tensor,
        selection: TokenSelection,
        options: ForwardOptions,
        session: ComputeSession
    ) throws -> Encoding {
        let x = Matrix(rows: selection.batch * selection.count, columns: width)
        embedding.apply(
            to: pixels,
            frames: frames(of: pixels.shape),
            ids: selection.ids,
            into: x,
            session: session
        )
        let layers = try transformer.apply(
            to: x,
            ids: selection,
            options: options,
            session: session
        )
        return Encoding(
            tokens: try TokenFeatures(
                values: Tensor(
                    shape: [selection.batch, selection.count, width],
                    buffer: x.buffer
                ),
                selection: selection
            ),
            layers: layers
        )
    }

    /// The frames that are read.
    ///
    /// A clip too short for one tubelet is repeated `tubelet` times, as transformers does.
    private func frames(of pixels: Shape) -> Int {
        pixels[1] < embedding.tubelet ? pixels[1] * embedding.tubelet : pixels[1]
    }
}
