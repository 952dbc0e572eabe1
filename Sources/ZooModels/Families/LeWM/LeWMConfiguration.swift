// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The sizes of a LeWM model, as `ami-zoo convert` writes them.
struct LeWMConfiguration: Hashable, Sendable {
    /// The Vision Transformer.
    let encoder: TransformerSizes
    /// Pixels along the side of an image.
    let imageSize: Int
    /// Pixels along the side of a patch.
    let patchSize: Int
    /// Colour channels.
    let channels: Int
    /// What the norms of the Vision Transformer add to the variance.
    let epsilon: Double
    /// Elements inside the projection heads.
    let projectorWidth: Int
    /// The most frames a prediction is made from.
    let frames: Int
    /// Numbers of an action, a block of them together.
    let actionWidth: Int
    /// Blocks of the predictor.
    let layers: Int
    /// Attention heads of the predictor.
    let heads: Int
    /// Elements of one of them.
    let headWidth: Int
    /// Elements of a token inside the MLP of the predictor.
    let hidden: Int

    /// Elements of an embedding.
    var width: Int { encoder.width }

    /// The patches of an image.
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
