// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The sizes of a JEPA-WM predictor, as `ami-zoo convert` writes them.
struct JEPAWMConfiguration: Hashable, Sendable {
    /// Elements of a visual token (`embed_dim`).
    let width: Int
    /// Elements of a visual token inside (`pred_hidden_size`).
    let inner: Int
    /// Features of proprioception beside them (`proprio_emb_dim`); 0 without.
    let proprio: Int
    /// Numbers of measured proprioception (`proprio_dim`).
    let proprioInputs: Int
    /// Numbers of an action, those of skipped frames together (`action_dim`).
    let actionWidth: Int
    let heads: Int
    let layers: Int
    /// Elements of a token inside an MLP.
    let hidden: Int
    let epsilon: Double
    /// Tokens along a side of a frame (`grid_size`).
    let side: Int
    /// The most frames a prediction is made from: those of the causal mask (`num_frames`).
    let frames: Int

    /// Elements of a token inside, proprioception included.
    var total: Int { inner + proprio }

    /// Reads `config.json`.
    ///
    /// - Throws: `ZooError` with code `format.field-invalid` or `model.unsupported`.
    init(_ fields: JSONObject) throws(ZooError) {
        width = try fields.integer("embed_dim", in: 1...16_384)
        inner = try fields.integer("pred_hidden_size", in: 1...16_384)
        proprio = try fields.integer("proprio_emb_dim", in: 0...16_384)
        proprioInputs =
            proprio == 0 ? 0 : try fields.integer("proprio_dim", in: 1...4096)
        guard fields.value("action_dim") != nil else {
            throw ZooError(.modelUnsupported, "the predictor has no embedding of actions")
        }
        actionWidth = try fields.integer("action_dim", in: 1...4096)
        heads = try fields.integer("pred_num_attention_heads", in: 1...1024)
        layers = try fields.integer("pred_num_hidden_layers", in: 1...512)
        epsilon = try fields.normEpsilon()
        side = try fields.integer("grid_size", in: 1...512)
        frames = try fields.integer("num_frames", in: 1...4096)
        let (all, ratio) = (inner + proprio, try fields.number("pred_mlp_ratio"))
        guard ratio > 0, ratio <= 64, Int(Double(all) * ratio) >= 1 else {
            throw fields.invalid("pred_mlp_ratio", "must be between 0 and 64")
        }
        hidden = Int(Double(all) * ratio)
        guard all.isMultiple(of: heads), all / heads >= RotaryEmbedding3D.leastHeadWidth else {
            throw fields.invalid(
                "pred_num_attention_heads",
                "does not give heads of at least \(RotaryEmbedding3D.leastHeadWidth) elements"
            )
        }
    }
}
