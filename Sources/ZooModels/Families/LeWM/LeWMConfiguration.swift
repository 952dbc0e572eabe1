// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The `config.json` of a LeWM model, as `ami-zoo convert` writes it.
struct LeWMConfiguration: Hashable, Sendable {
    /// The Vision Transformer.
    let encoder: TransformerSizes
    /// The side of an image in pixels.
    let imageSize: Int
    /// The side of a patch in pixels.
    let patchSize: Int
    /// Colour channels.
    let channels: Int
    /// The epsilon of the norms of the Vision Transformer.
    let epsilon: Double
    /// The hidden width of the projection heads.
    let projectorWidth: Int
    /// The maximum number of context frames of a prediction.
    let frames: Int
    /// The number of values of a block of actions.
    let actionWidth: Int
    /// The number of blocks of the predictor.
    let layers: Int
    /// The number of attention heads of the predictor.
    let heads: Int
    /// The number of elements of a head of the predictor.
    let headWidth: Int
    /// The hidden width of the MLP of the predictor.
    let hidden: Int

    /// The width of an embedding.
    var width: Int { encoder.width }

    /// The patch grid of an image.
    var grid: GridSize {
        GridSize(frames: 1, rows: imageSize / patchSize, columns: imageSize / patchSize)
    }

    /// Reads `config.json`.
    ///
    /// - Throws: `ZooError` with code `model.configuration-invalid`.
    init(_ fields: JSONObject) throws(ZooError) {
        do throws(ZooError) {
            encoder = try TransformerSizes(fields)
            imageSize = try fields.integer("image_size", in: 1...8192)
            patchSize = try fields.integer("patch_size", in: 1...256)
            channels = try fields.integer("num_channels", in: 1...64)
            epsilon = try fields.normEpsilon()
            projectorWidth = try fields.integer("projector_size", in: 1...1_048_576)
            frames = try fields.integer("num_frames", in: 1...4096)
            actionWidth = try fields.integer("action_dim", in: 1...4096)
            layers = try fields.integer("pred_num_hidden_layers", in: 1...512)
            heads = try fields.integer("pred_num_attention_heads", in: 1...1024)
            headWidth = try fields.integer("pred_head_dim", in: 1...16_384)
            hidden = try fields.integer("pred_intermediate_size", in: 1...1_048_576)
            guard imageSize >= patchSize else {
                throw fields.invalid("image_size", "is less than a patch of \(patchSize)")
            }
        } catch {
            guard error.code == .fieldInvalid else { throw error }
            throw ZooError(
                .configurationInvalid,
                "the LeWM configuration is not valid",
                cause: error
            )
        }
    }
}
