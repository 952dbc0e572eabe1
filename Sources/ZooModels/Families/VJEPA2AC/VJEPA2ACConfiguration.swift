// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The `config.json` of a V-JEPA 2-AC model, as `ami-zoo convert` writes it.
struct VJEPA2ACConfiguration: Hashable, Sendable {
    /// The size of training clips, tubelets and patches of the encoder.
    let video: VideoSize
    /// The encoder; nil if there is only a predictor.
    let encoder: TransformerSizes?
    /// The predictor.
    let predictor: TransformerSizes
    /// The width of encoder features.
    let width: Int
    /// The number of values per action (`action_embed_dim`).
    let actionWidth: Int
    /// The epsilon of layer norms.
    let epsilon: Double

    /// The number of patches per frame.
    var patches: Int { video.tokens.rows * video.tokens.columns }

    /// The maximum number of context frames: the tubelets of a clip, as in the causal mask of
    /// upstream.
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
                "predictors with camera extrinsics ('use_extrinsics') are not supported"
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
        // Upstream uses one epsilon for encoder and predictor.
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
