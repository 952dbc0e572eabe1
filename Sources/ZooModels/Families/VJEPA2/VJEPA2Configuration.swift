// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

/// The configuration of a V-JEPA 2 model, with the names and defaults of `VJEPA2Config` of
/// transformers.
public struct VJEPA2Configuration: Hashable, Sendable {
    /// The side of a patch in pixels (`patch_size`).
    public let patchSize: Int
    /// The side of a training image in pixels (`crop_size`).
    public let cropSize: Int
    /// Frames of a training clip (`frames_per_clip`); inputs may have more or fewer.
    public let framesPerClip: Int
    /// Frames per tubelet (`tubelet_size`).
    public let tubeletSize: Int
    /// Colour channels (`in_chans`).
    public let channels: Int
    /// The encoder.
    public let encoder: TransformerSizes
    /// The predictor.
    public let predictor: TransformerSizes
    /// The number of mask tokens (`pred_num_mask_tokens`).
    public let maskTokens: Int
    /// Whether queries, keys and values have a bias (`qkv_bias`).
    public let hasQueryBias: Bool
    /// The epsilon of layer norms (`layer_norm_eps`).
    public let normEpsilon: Double
    /// Whether the model includes a pooler and a classifier (`architectures`).
    public let isVideoClassifier: Bool

    /// The size of training clips, tubelets and patches.
    var video: VideoSize {
        VideoSize(
            frames: framesPerClip,
            side: cropSize,
            channels: channels,
            tubelet: tubeletSize,
            patch: patchSize
        )
    }

    /// The token grid of an input of `crop_size`.
    var grid: TokenGrid { TokenGrid(rows: video.tokens.rows, columns: video.tokens.columns) }

    /// Reads `config.json`.
    ///
    /// Fields of transformers that have no effect at inference are ignored.
    ///
    /// - Throws: `ZooError` with code `model.configuration-invalid` if a field has the wrong type,
    ///   is out of range or contradicts another field, and `model.unsupported` if a feature of the
    ///   model is not supported.
    public init(_ object: JSONObject) throws(ZooError) {
        do {
            try self.init(reading: object)
        } catch {
            guard error.code == .fieldInvalid else { throw error }
            throw ZooError(
                .configurationInvalid,
                "the V-JEPA 2 configuration is not valid",
                cause: error
            )
        }
    }

    private init(reading object: JSONObject) throws(ZooError) {
        isVideoClassifier = try Self.requireSupported(object) == Self.classifier
        func size(_ name: String, _ range: ClosedRange<Int>, default value: Int)
            throws(ZooError) -> Int
        {
            try object.optionalInteger(name, in: range) ?? value
        }
        patchSize = try size("patch_size", 1...256, default: 16)
        cropSize = try size("crop_size", 1...8192, default: 256)
        framesPerClip = try size("frames_per_clip", 1...4096, default: 64)
        tubeletSize = try size("tubelet_size", 1...64, default: 2)
        channels = try size("in_chans", 1...64, default: 3)
        encoder = try Self.transformer(
            object,
            prefix: "",
            defaults: (width: 1024, heads: 16, layers: 24)
        )
        predictor = try Self.transformer(
            object,
            prefix: "pred_",
            defaults: (width: 384, heads: 12, layers: 12)
        )
        maskTokens = try size("pred_num_mask_tokens", 1...4096, default: 10)
        hasQueryBias = try Self.flag(object, "qkv_bias") ?? true
        normEpsilon = try object.normEpsilon(default: 1e-6)
        guard cropSize >= patchSize else {
            throw object.invalid("crop_size", "is \(cropSize), less than a patch of \(patchSize)")
        }
    }

    private static func transformer(
        _ object: JSONObject,
        prefix: String,
        defaults: (width: Int, heads: Int, layers: Int)
    ) throws(ZooError) -> TransformerSizes {
        let widthName = "\(prefix)hidden_size"
        let width = try object.optionalInteger(widthName, in: 1...16384) ?? defaults.width
        let heads =
            try object.optionalInteger("\(prefix)num_attention_heads", in: 1...1024)
            ?? defaults.heads
        let layers =
            try object.optionalInteger("\(prefix)num_hidden_layers", in: 1...512)
            ?? defaults.layers
        guard width.isMultiple(of: heads) else {
            throw object.invalid(widthName, "is \(width), not a multiple of \(heads) heads")
        }
        guard width / heads >= RotaryEmbedding3D.leastHeadWidth else {
            throw object.invalid(
                widthName,
                "gives heads of \(width / heads) elements; rotary positions need at least "
                    + "\(RotaryEmbedding3D.leastHeadWidth)"
            )
        }
        let ratioName = "\(prefix)mlp_ratio"
        let ratio = object.value(ratioName) == nil ? 4 : try object.number(ratioName)
        guard ratio > 0, ratio <= 64, Int(Double(width) * ratio) >= 1 else {
            throw object.invalid(ratioName, "is \(ratio), and must be between 0 and 64")
        }
        // Truncated in double precision, as `int(hidden_size * mlp_ratio)` is.
        return TransformerSizes(
            width: width,
            heads: heads,
            layers: layers,
            hidden: Int(Double(width) * ratio)
        )
    }

    private static func flag(_ object: JSONObject, _ name: String) throws(ZooError) -> Bool? {
        switch object.value(name) {
        case nil: nil
        case .bool(let value): value
        default: throw object.invalid(name, "must be true or false")
        }
    }

    private static let classifier = "VJEPA2ForVideoClassification"

    /// Returns the class of the model.
    private static func requireSupported(_ object: JSONObject) throws(ZooError) -> String {
        let type = try object.string("model_type")
        guard type == "vjepa2" else {
            throw ZooError(
                .familyUnknown,
                "the model has the type '\(type)', not 'vjepa2'",
                remedy: "pass a probe (--probe): only V-JEPA 2 models can include a classifier"
            )
        }
        let activation = try object.optionalString("hidden_act") ?? "gelu"
        guard activation == "gelu" else {
            throw ZooError(
                .modelUnsupported,
                "the activation '\(activation)' is not supported, only 'gelu'"
            )
        }
        guard case .array(let all)? = object.value("architectures"), !all.isEmpty else {
            return "VJEPA2Model"
        }
        let names = try object.strings("architectures", maximum: 16)
        guard names.count == 1, ["VJEPA2Model", classifier].contains(names[0]) else {
            throw ZooError(
                .modelUnsupported,
                "the architecture '\(names.joined(separator: ", ").prefix(80))' is not supported, only "
                    + "'VJEPA2Model' or '\(classifier)'",
                remedy: "use the base model"
            )
        }
        return names[0]
    }
}
