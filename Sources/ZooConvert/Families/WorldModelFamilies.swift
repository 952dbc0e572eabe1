// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension ConvertibleFamily {
    /// JEPA-WM: an action-modulated predictor over the features of a separate encoder.
    ///
    /// The file also has the embeddings of actions and proprioception.
    static let jepaWM = ConvertibleFamily(
        .jepaWM,
        recognise: { tensors in
            let name = "predictor_blocks.0.adaLN_modulation.1.weight"
            return tensors.groups["predictor"]?.shape(name)
                .map { _ in "the blocks of 'predictor' are modulated by actions" }
        },
        plan: { request throws(ZooError) in
            let group = try request.group("predictor")
            let inner = try TransformerDimensions(request, group, blocks: "predictor_blocks.")
            let embedded = try request.shape("predictor_embed.weight", rank: 2, of: group)
            var rules = RuleList(prefix: "predictor.")
            rules.linear("predictor_embed", embedded[0], embedded[1])
            var inside = WorldModelEmbeddings()
            try inside.addInside(group, request, to: &rules)
            for index in 0..<inner.layers {
                let name = "predictor_blocks.\(index)"
                rules.block(name, inner.width, inner.hidden)
                rules.linear("\(name).adaLN_modulation.1", 6 * inner.width, inner.width)
            }
            rules.norm("predictor_norm", inner.width)
            rules.linear("predictor_proj", embedded[1], embedded[0])
            let outside = try inside.parts(request)
            let heads = try request.heads(
                request.options.predictorHeads,
                width: inner.width,
                known: [400: 16, 384: 16, 1024: 16],
                option: "--predictor-heads"
            )
            var configuration: [String: JSONValue] = [
                "model_type": .string(FamilyID.jepaWM.modelType),
                "embed_dim": .integer(embedded[1]),
                "pred_hidden_size": .integer(embedded[0]),
                "pred_total_size": .integer(inner.width),
                "proprio_emb_dim": .integer(inner.width - embedded[0]),
                "pred_num_hidden_layers": .integer(inner.layers),
                "pred_num_attention_heads": .integer(heads),
                "pred_mlp_ratio": TransformerSize.ratio(hidden: inner.hidden, width: inner.width),
                "layer_norm_eps": .number(1e-6), "grid_size": .integer(WorldModelGrid.side),
                "num_frames": .integer(request.options.frames ?? WorldModelGrid.frames),
            ]
            configuration.merge(inside.fields) { first, _ in first }
            return ConversionPlan(
                family: .jepaWM,
                variant: "predictor-\(inner.width)x\(inner.layers)",
                parts: [
                    ConversionPlan.Part(
                        component: "predictor",
                        group: group.key,
                        prefix: "predictor.",
                        rules: rules.rules
                    )
                ] + outside,
                configuration: configuration,
                preprocessor: nil,
                inputs: InputDescription.features(of: "the visual encoder")
            )
        }
    )

    /// DINO-WM: a predictor over concatenated DINOv2 features, proprioception and actions.
    ///
    /// Causal masks among the weights are dropped, because the sizes determine them.
    static let dinoWM = ConvertibleFamily(
        .dinoWM,
        recognise: { tensors in
            tensors.groups["predictor"]?.shape("transformer.layers.0.0.to_qkv.weight")
                .map { _ in "'predictor' has the blocks of DINO-WM" }
        },
        plan: { request throws(ZooError) in
            let group = try request.group("predictor")
            let name = "transformer.layers.0"
            let fused = try request.shape("\(name).0.to_qkv.weight", rank: 2, of: group)
            let hidden = try request.shape("\(name).1.net.1.weight", rank: 2, of: group)[0]
            let positions = try request.shape("pos_embedding", rank: 3, of: group)[1]
            let (width, inner) = (fused[1], fused[0] / 3)
            let layers = group.count(of: "transformer.layers.")
            var rules = RuleList(prefix: "predictor.")
            rules.keep("pos_embedding", [1, positions, width])
            for index in 0..<layers {
                let name = "transformer.layers.\(index)"
                rules.norm("\(name).0.norm", width)
                rules.linear("\(name).0.to_qkv", 3 * inner, width, hasBias: false)
                rules.linear("\(name).0.to_out.0", width, inner)
                rules.norm("\(name).1.net.0", width)
                rules.linear("\(name).1.net.1", hidden, width)
                rules.linear("\(name).1.net.4", width, hidden)
            }
            rules.norm("transformer.norm", width)
            var outside = WorldModelEmbeddings()
            let parts = try outside.parts(request)
            let heads = try request.heads(
                request.options.predictorHeads,
                width: inner,
                known: [1024: 16],
                option: "--predictor-heads"
            )
            var configuration: [String: JSONValue] = [
                "model_type": .string(FamilyID.dinoWM.modelType),
                "pred_total_size": .integer(width),
                "pred_num_hidden_layers": .integer(layers),
                "pred_num_attention_heads": .integer(heads),
                "pred_head_dim": .integer(inner / heads),
                "pred_intermediate_size": .integer(hidden), "num_tokens": .integer(positions),
                "layer_norm_eps": .number(1e-5), "grid_size": .integer(WorldModelGrid.side),
            ]
            configuration.merge(outside.fields) { first, _ in first }
            return ConversionPlan(
                family: .dinoWM,
                variant: "predictor-\(width)x\(layers)",
                parts: [
                    ConversionPlan.Part(
                        component: "predictor",
                        group: group.key,
                        prefix: "predictor.",
                        rules: rules.rules,
                        dropped: Set((0..<layers).map { "transformer.layers.\($0).0.bias" })
                    )
                ] + parts,
                configuration: configuration,
                preprocessor: nil,
                inputs: InputDescription.features(of: "DINOv2")
            )
        }
    )
}

/// The training settings of all released predictors that the weights do not determine.
///
/// Source: facebookresearch/jepa-wms, the configurations that `hubconf.py` names.
enum WorldModelGrid {
    /// Tokens along a side of a frame: 224 pixels with patch size 14, or 256 with patch size 16.
    static let side = 16
    /// The context length of a prediction, in frames.
    static let frames = 4
}

/// The embeddings of actions and proprioception, whose names differ in older files.
struct WorldModelEmbeddings {
    /// The fields for the configuration.
    private(set) var fields: [String: JSONValue] = [:]

    private static let kinds: [(kind: String, names: [String])] = [
        ("action", ["action_encoder"]), ("proprio", ["proprio_encoder", "state_encoder"]),
    ]

    /// Adds linear embeddings inside the predictor.
    mutating func addInside(
        _ group: UpstreamTensors.Group,
        _ request: PlanRequest,
        to rules: inout RuleList
    ) throws(ZooError) {
        for (kind, names) in Self.kinds {
            guard let name = names.first(where: { group.shape("\($0).weight") != nil }) else {
                continue
            }
            let shape = try request.shape("\(name).weight", rank: 2, of: group)
            rules.linear(name, shape[0], shape[1], as: names[0])
            fields["\(kind)_dim"] = .integer(shape[1])
        }
    }

    /// Plans embeddings outside the predictor: temporal convolutions with kernel size 1.
    mutating func parts(_ request: PlanRequest) throws(ZooError) -> [ConversionPlan.Part] {
        var parts: [ConversionPlan.Part] = []
        for (kind, names) in Self.kinds {
            guard let name = names.first(where: { request.main.groups[$0] != nil }) else {
                continue
            }
            let group = try request.group(name)
            let shape = try request.shape("patch_embed.weight", rank: 3, of: group)
            var rules = RuleList(prefix: "\(names[0]).")
            rules.convolution("patch_embed", shape)
            parts.append(
                ConversionPlan.Part(
                    component: names[0],
                    group: name,
                    prefix: "\(names[0]).",
                    rules: rules.rules
                )
            )
            fields["\(kind)_dim"] = .integer(shape[1])
            if fields["\(kind)_emb_dim"] == nil {
                fields["\(kind)_emb_dim"] = .integer(shape[0])
            }
        }
        return parts
    }
}
