// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The sizes of a V-JEPA 2-AC model, as `ami-zoo convert` writes them.
struct VJEPA2ACConfiguration: Hashable, Sendable {
    /// The frames the encoder was trained on, and how they are cut into tokens.
    let video: VideoSize
    /// The encoder; nil for a predictor alone.
    let encoder: TransformerSizes?
    /// The predictor.
    let predictor: TransformerSizes
    /// Elements of the encoder's features.
    let width: Int
    /// Numbers of an action (`action_embed_dim`).
    let actionWidth: Int
    /// What layer norms add to the variance.
    let epsilon: Double

    /// Patches of a frame.
    var patches: Int { video.tokens.rows * video.tokens.columns }

    /// The most frames a prediction is made from: tubelets of a clip, as many as the causal mask of
    /// upstream has.
    var frames: Int { video.tokens.frames }

    /// Reads `config.json`.
    ///
    /// - Throws: `ZooError` with code `model.configuration-invalid` or `model.unsupported`.
    init(_ fields: JSONObject) throws(ZooError) {
        do {
            try self.init(reading: fields)
        } catch {
            guard error.code == .fieldInvalid else { throw error }
            throw ZooError(
                .configurationInvalid,
                "the V-JEPA 2-AC configuration is not valid",
                cause: error
            )
        }
    }

    private init(reading fields: JSONObject) throws(ZooError) {
        if case .bool(true)? = fields.value("use_extrinsics") {
            throw ZooError(
                .modelUnsupported,
                "the predictor takes camera extrinsics ('use_extrinsics'), which is not supported"
            )
        }
        video = try VideoSize(fields)
        encoder = fields.value("hidden_size") == nil ? nil : try TransformerSizes(fields)
        predictor = try TransformerSizes(fields, prefix: "pred_")
        if let encoder {
            width = encoder.width
        } else {
            width = try fields.integer("embed_dim", in: 1...16_384)
        }
        actionWidth = try fields.integer("action_embed_dim", in: 1...4096)
        // The predictor's norms have the same, upstream's one value for all of them.
        epsilon = try fields.normEpsilon(default: 1e-6)
        for (sizes, name) in [(encoder, "hidden_size"), (predictor, "pred_hidden_size")] {
            guard let sizes else { continue }
            guard sizes.width / sizes.heads >= RotaryEmbedding3D.leastHeadWidth else {
                throw fields.invalid(
                    name,
                    "gives heads of fewer than \(RotaryEmbedding3D.leastHeadWidth) elements, which "
                        + "rotary positions need"
                )
            }
        }
    }
}
