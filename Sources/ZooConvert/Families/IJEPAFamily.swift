// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension ConvertibleFamily {
    /// I-JEPA: converts the encoder to the layout of transformers' `IJepaModel`.
    ///
    /// transformers has no predictor; its tensors keep their names, in a separate file.
    static let ijepa = ConvertibleFamily(
        .ijepa,
        recognise: { tensors in
            for key in ["target_encoder", "encoder"]
            where tensors.groups[key]?.shape("patch_embed.proj.weight")?.count == 4
                && tensors.groups[key]?.shape("pos_embed") != nil
            {
                return "'\(key)' has 2D patches and a position table"
            }
            return nil
        },
        plan: { request throws(ZooError) in
            let encoder = try request.encoder(preferring: ["target_encoder", "encoder"])
            let patch = try request.shape("patch_embed.proj.weight", rank: 4, of: encoder)
            let sizes = try TransformerDimensions(request, encoder)
            let positions = try request.shape("pos_embed", rank: 3, of: encoder)[1]
            let side = try VideoGrid.side(
                positions: positions,
                frames: 1,
                patch: [patch[0], patch[1], 1, patch[2]],
                said: request.options.cropSize
            )
            var parts = [
                ConversionPlan.Part(
                    component: "encoder",
                    group: encoder.key,
                    rules: IJEPARules.encoder(patch: patch, sizes, positions: positions).rules
                )
            ]
            var configuration = try IJEPARules.configuration(request, patch, sizes, side: side)
            if let group = request.main.groups["predictor"] {
                let inner = try TransformerDimensions(request, group, blocks: "predictor_blocks.")
                var rules = RuleList()
                rules.keep("mask_token", [1, 1, inner.width])
                rules.keep("predictor_pos_embed", [1, positions, inner.width])
                rules.predictorFrame(inner, encoderWidth: sizes.width)
                parts.append(
                    ConversionPlan.Part(
                        component: "predictor",
                        group: group.key,
                        file: "predictor",
                        rules: rules.rules
                    )
                )
                configuration["pred_hidden_size"] = .integer(inner.width)
                configuration["pred_num_hidden_layers"] = .integer(inner.layers)
                configuration["pred_intermediate_size"] = .integer(inner.hidden)
                configuration["pred_num_attention_heads"] = .integer(
                    try request.heads(
                        request.options.predictorHeads,
                        width: inner.width,
                        known: [384: 16],
                        option: "--predictor-heads"
                    )
                )
            }
            let size = TransformerSize.name(width: sizes.width, layers: sizes.layers)
            return ConversionPlan(
                family: .ijepa,
                variant: "vit-\(size)-\(patch[3])-\(side)",
                parts: parts,
                configuration: configuration,
                preprocessor: IJEPARules.processor(side: side),
                inputs: InputDescription.pictures(
                    video: false,
                    frames: 1,
                    side: side,
                    layout: "BCHW",
                    steps: InputDescription.square(side, .torchvision(antialias: true, .bytes))
                )
            )
        }
    )
}

enum IJEPARules {
    static func encoder(
        patch: [Int],
        _ sizes: TransformerDimensions,
        positions: Int
    ) -> RuleList {
        var rules = RuleList()
        rules.keep(
            "pos_embed",
            [1, positions, sizes.width],
            as: "embeddings.position_embeddings"
        )
        rules.convolution("patch_embed.proj", patch, as: "embeddings.patch_embeddings.projection")
        for index in 0..<sizes.layers {
            rules.ijepaBlock(
                "blocks.\(index)",
                as: "encoder.layer.\(index)",
                sizes.width,
                sizes.hidden
            )
        }
        rules.norm("norm", sizes.width, as: "layernorm")
        return rules
    }

    static func configuration(
        _ request: PlanRequest,
        _ patch: [Int],
        _ sizes: TransformerDimensions,
        side: Int
    ) throws(ZooError) -> [String: JSONValue] {
        let heads = try request.heads(
            request.options.heads,
            width: sizes.width,
            known: [1280: 16, 1408: 16],
            option: "--heads"
        )
        return [
            "architectures": ["IJepaModel"], "model_type": .string(FamilyID.ijepa.modelType),
            "hidden_size": .integer(sizes.width), "num_hidden_layers": .integer(sizes.layers),
            "num_attention_heads": .integer(heads), "intermediate_size": .integer(sizes.hidden),
            "image_size": .integer(side), "patch_size": .integer(patch[3]),
            "num_channels": .integer(patch[1]), "layer_norm_eps": .number(1e-6),
            "hidden_act": "gelu", "qkv_bias": true,
            "pooler_output_size": .integer(sizes.width), "pooler_act": "tanh",
        ]
    }

    /// The image processor with the size, mean and std of the training.
    ///
    /// The conversion script of transformers writes mean and std 0.5, which training did not use.
    static func processor(side: Int) -> [String: JSONValue] {
        [
            "image_processor_type": "ViTImageProcessor", "do_resize": true,
            "size": ["height": .integer(side), "width": .integer(side)], "resample": 2,
            "do_rescale": true, "rescale_factor": .number(1.0 / 255), "do_normalize": true,
            "image_mean": .array(InputDescription.mean.map { .number($0) }),
            "image_std": .array(InputDescription.std.map { .number($0) }),
        ]
    }
}
