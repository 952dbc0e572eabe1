// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The configuration of a JEPA over windows of a multichannel time series.
///
/// `config.json` holds `model_type` (`series_jepa`), `window_steps`, `patch_steps` (steps of a token, which divide
/// those of a window), `channel_names`, `channel_mean`, `channel_std`, `layer_norm_eps`, and `hidden_size`,
/// `num_attention_heads`, `num_hidden_layers` and `mlp_ratio` of the encoder, with the prefix `pred_` of the predictor.
struct SeriesJEPAConfiguration: Sendable {
    /// The number of steps of a window.
    let steps: Int
    /// The number of steps of a token.
    let patch: Int
    /// The mean of each channel, in its unit.
    let mean: [Float]
    /// The std of each channel, in its unit; positive.
    let std: [Float]
    let encoder: TransformerSizes
    let predictor: TransformerSizes
    let epsilon: Double

    /// The number of channels.
    var channels: Int { mean.count }

    /// The tokens of a window: a grid of one row and one column.
    var tokens: GridSize { GridSize(frames: steps / patch, rows: 1, columns: 1) }

    /// Reads `config.json`.
    ///
    /// - Throws: `ZooError` with code `format.field-invalid`.
    init(_ fields: JSONObject) throws(ZooError) {
        steps = try fields.integer("window_steps", in: 1...65_536)
        patch = try fields.integer("patch_steps", in: 1...4096)
        guard steps.isMultiple(of: patch) else {
            throw fields.invalid("window_steps", "is not a multiple of \(patch) steps of a token")
        }
        let names = try fields.strings("channel_names", maximum: 1024, each: 64)
        guard !names.isEmpty, Set(names).count == names.count else {
            throw fields.invalid("channel_names", "must name each channel once")
        }
        mean = try fields.numbers("channel_mean", maximum: names.count).map { Float($0) }
        std = try fields.numbers("channel_std", maximum: names.count).map { Float($0) }
        guard mean.count == names.count, std.count == names.count,
            mean.allSatisfy(\.isFinite), std.allSatisfy({ $0 > 0 && $0.isFinite })
        else {
            throw fields.invalid(
                "channel_std",
                "and 'channel_mean' must have a number for each channel, and each std must be "
                    + "positive"
            )
        }
        encoder = try TransformerSizes(fields)
        predictor = try TransformerSizes(fields, prefix: "pred_")
        epsilon = try fields.normEpsilon()
    }
}
