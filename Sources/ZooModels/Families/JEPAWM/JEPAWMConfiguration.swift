// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The `config.json` of a JEPA-WM predictor, as `ami-zoo convert` writes it.
struct JEPAWMConfiguration: Hashable, Sendable {
    /// The width of visual features (`embed_dim`).
    let width: Int
    /// The width of visual features in the predictor (`pred_hidden_size`).
    let inner: Int
    /// The width of embedded proprioception (`proprio_emb_dim`); 0 for none.
    let proprio: Int
    /// The number of values of proprioception (`proprio_dim`).
    let proprioInputs: Int
    /// The number of values of an action, including those of skipped frames (`action_dim`).
    let actionWidth: Int
    let heads: Int
    let layers: Int
    /// The hidden width of an MLP.
    let hidden: Int
    let epsilon: Double
    /// The number of tokens along a side of a frame (`grid_size`).
    let side: Int
    /// The maximum number of context frames, that of the causal mask (`num_frames`).
    let frames: Int

    /// The width of a token in the predictor, including proprioception.
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
            throw ZooError(.modelUnsupported, "the predictor has no action embedding")
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
                "must give heads of at least \(RotaryEmbedding3D.leastHeadWidth) elements"
            )
        }
    }
}
