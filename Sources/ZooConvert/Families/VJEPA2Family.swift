// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension ConvertibleFamily {
    /// V-JEPA 2: converts encoder and predictor to the layout of transformers' `VJEPA2Model`.
    static let vjepa2 = ConvertibleFamily(
        .vjepa2,
        recognise: { tensors in
            for key in VJEPA2Plan.encoders {
                guard let group = tensors.groups[key] else { continue }
                if group.shape("patch_embed.proj.weight")?.count == 5,
                    group.shape("norm.weight") != nil
                {
                    let hasPositions = group.shape("pos_embed") != nil
                    return hasPositions ? nil : "'\(key)' has 3D patches and no position table"
                }
            }
            return nil
        },
        plan: { request throws(ZooError) in
            let networks = try VJEPA2Plan(request, source: .main)
            return ConversionPlan(
                family: .vjepa2,
                variant: networks.variant,
                parts: networks.parts(prefix: ""),
                configuration: try networks.configuration(architecture: "VJEPA2Model"),
                preprocessor: InputDescription.videoProcessor(side: networks.side),
                inputs: networks.inputs
            )
        }
    )
}

/// The encoder and the predictor of V-JEPA 2 in one file.
struct VJEPA2Plan {
    static let encoders = ["target_encoder", "encoder"]
    /// Heads by width; source: facebookresearch/vjepa2 `src/models/vision_transformer.py`.
    static let heads = [768: 12, 1024: 16, 1280: 16, 1408: 22, 1664: 26]
    static let predictorHeads = [384: 12]

    let request: PlanRequest
    let source: ConversionPlan.Source
    let encoder: UpstreamTensors.Group
    let predictor: UpstreamTensors.Group?
    let patch: [Int]
    let sizes: TransformerDimensions
    let predictorDimensions: TransformerDimensions?
    let maskTokens: Int

    init(_ request: PlanRequest, source: ConversionPlan.Source) throws(ZooError) {
        self.request = request
        self.source = source
        encoder = try request.encoder(preferring: Self.encoders, of: source)
        predictor = request.sources[source]?.groups["predictor"]
        patch = try request.shape("patch_embed.proj.weight", rank: 5, of: encoder)
        sizes = try TransformerDimensions(request, encoder)
        predictorDimensions =
            try predictor.map { group throws(ZooError) in
                try TransformerDimensions(request, group, blocks: "predictor_blocks.")
            }
        maskTokens = predictor?.count(of: "mask_tokens.") ?? 0
    }

    var side: Int { request.options.cropSize ?? 256 }
    var frames: Int { request.options.frames ?? 64 }
    var variant: String {
        let size = TransformerSize.name(width: sizes.width, layers: sizes.layers)
        return "vit-\(size)-\(patch[3])-\(side)"
    }

    func parts(prefix: String) -> [ConversionPlan.Part] {
        var parts = [
            ConversionPlan.Part(
                component: "encoder",
                group: encoder.key,
                source: source,
                prefix: "\(prefix)encoder.",
                rules: VJEPA2Rules.encoder("\(prefix)encoder.", patch, sizes).rules,
                // Rotary positions replaced it, but the training code still saves it in some files.
                dropped: ["pos_embed"]
            )
        ]
        if let predictor, let predictorDimensions {
            parts.append(
                ConversionPlan.Part(
                    component: "predictor",
                    group: predictor.key,
                    source: source,
                    prefix: "\(prefix)predictor.",
                    rules: VJEPA2Rules.predictor(
                        "\(prefix)predictor.",
                        predictorDimensions,
                        encoderWidth: sizes.width,
                        maskTokens: maskTokens
                    ).rules,
                    dropped: ["predictor_pos_embed"]
                )
            )
        }
        return parts
    }

    func configuration(architecture: String) throws(ZooError) -> [String: JSONValue] {
        var members = try Self.encoderFields(
            request,
            patch: patch,
            sizes: sizes,
            side: side,
            frames: frames,
            heads: Self.heads
        )
        members["architectures"] = [.string(architecture)]
        members["model_type"] = .string(FamilyID.vjepa2.modelType)
        members["num_pooler_layers"] = 3
        guard let inner = predictorDimensions else { return members }
        let heads = try request.heads(
            request.options.predictorHeads,
            width: inner.width,
            known: Self.predictorHeads,
            option: "--predictor-heads"
        )
        members["pred_hidden_size"] = .integer(inner.width)
        members["pred_num_hidden_layers"] = .integer(inner.layers)
        members["pred_num_attention_heads"] = .integer(heads)
        members["pred_mlp_ratio"] = TransformerSize.ratio(hidden: inner.hidden, width: inner.width)
        members["pred_num_mask_tokens"] = .integer(maskTokens)
        return members
    }

    /// The configuration fields that all V-JEPA 2 video encoders share.
    static func encoderFields(
        _ request: PlanRequest,
        patch: [Int],
        sizes: TransformerDimensions,
        side: Int,
        frames: Int,
        heads: [Int: Int]
    ) throws(ZooError) -> [String: JSONValue] {
        let heads = try request.heads(
            request.options.heads,
            width: sizes.width,
            known: heads,
            option: "--heads"
        )
        return [
            "crop_size": .integer(side), "patch_size": .integer(patch[3]),
            "frames_per_clip": .integer(frames), "tubelet_size": .integer(patch[2]),
            "in_chans": .integer(patch[1]), "hidden_size": .integer(sizes.width),
            "num_hidden_layers": .integer(sizes.layers), "num_attention_heads": .integer(heads),
            "mlp_ratio": TransformerSize.ratio(hidden: sizes.hidden, width: sizes.width),
            "layer_norm_eps": .number(1e-6), "hidden_act": "gelu", "qkv_bias": true,
        ]
    }

    var inputs: JSONValue {
        InputDescription.pictures(
            video: true,
            frames: frames,
            side: side,
            layout: "BTCHW",
            steps: InputDescription.shorterSide(croppedTo: side)
        )
    }
}
