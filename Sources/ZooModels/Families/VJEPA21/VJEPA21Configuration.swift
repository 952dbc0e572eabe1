// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The `config.json` of a V-JEPA 2.1 release.
struct VJEPA21Configuration: Sendable {
    let sizes: VideoSize
    let encoder: TransformerSizes
    let predictor: TransformerSizes?
    let epsilon: Double
    let maskTokens: Int
    /// The number of encoder levels that the predictor takes.
    let levels: Int
    let outputs: Int
    /// The position of the last row and column, to which positions are scaled (`interpolate_rope`);
    /// nil for no scaling.
    let lastPlace: Float?
    /// The same for the predictor.
    let predictorLastPlace: Float?

    init(_ fields: JSONObject, _ stretchesPredictorPositions: Bool) throws(ZooError) {
        do throws(ZooError) {
            lastPlace =
                fields.value("interpolate_rope") == .bool(false) ? nil : VJEPA21Levels.lastPlace
            predictorLastPlace = stretchesPredictorPositions ? VJEPA21Levels.lastPlace : nil
            sizes = try VideoSize(fields)
            encoder = try TransformerSizes(fields)
            epsilon = try fields.normEpsilon()
            predictor =
                fields.value("pred_hidden_size") == nil
                ? nil : try TransformerSizes(fields, prefix: "pred_")
            maskTokens = try fields.optionalInteger("pred_num_mask_tokens", in: 1...4096) ?? 1
            levels = try fields.optionalInteger("pred_levels", in: 1...4) ?? 1
            outputs = try fields.optionalInteger("pred_out_size", in: 1...65_536) ?? encoder.width
            let heads = [encoder, predictor].compactMap { $0 }.map { $0.width / $0.heads }
            guard heads.allSatisfy({ $0 >= RotaryEmbedding3D.leastHeadWidth }) else {
                throw fields.invalid("num_attention_heads", "gives heads with too few elements")
            }
            guard levels == 1 || levels == VJEPA21Levels.count else {
                throw fields.invalid("pred_levels", "must be 1 or \(VJEPA21Levels.count)")
            }
            guard predictorLastPlace == nil || sizes.tokens.rows > 1 else {
                throw fields.invalid("crop_size", "is a single patch, which cannot be scaled")
            }
            guard VJEPA21Levels.blocks[encoder.layers] != nil else {
                let known = VJEPA21Levels.blocks.keys.sorted().map(String.init)
                throw fields.invalid(
                    "num_hidden_layers",
                    "is \(encoder.layers), and must be one of \(known.joined(separator: ", "))"
                )
            }
        } catch {
            guard error.code == .fieldInvalid else { throw error }
            throw ZooError(
                .configurationInvalid,
                "the V-JEPA 2.1 configuration is not valid",
                cause: error
            )
        }
    }
}

/// The blocks whose outputs are levels, each with its own norm.
enum VJEPA21Levels {
    static let count = 4
    /// The position of the last row and column in the pretraining grid: (256 / 16) − 1.
    static let lastPlace: Float = 15

    /// The blocks, counted from 0, by the depth of the encoder.
    ///
    /// They are the last blocks of its quarters, except 37 at depth 48.
    ///
    /// Source: facebookresearch/vjepa2 `app/vjepa_2_1/models/vision_transformer.py`,
    /// `hierarchical_layers`, which supports no other depths.
    static let blocks: [Int: [Int]] = [
        12: [2, 5, 8, 11],
        24: [5, 11, 17, 23],
        40: [9, 19, 29, 39],
        48: [11, 23, 37, 47],
    ]
}
