// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension ConvertibleFamily {
    /// V-JEPA 2.1: encoder for video and images and predictor with context output.
    ///
    /// The tensors keep their names. Distilled files have `ema_encoder`, others `target_encoder`.
    static let vjepa21 = ConvertibleFamily(
        .vjepa21,
        recognise: { tensors in
            VJEPA21Plan.encoders.first { tensors.groups[$0]?.shape("norms_block.0.weight") != nil }
                .map { "'\($0)' has a norm for each output level" }
        },
        plan: { request throws(ZooError) in try VJEPA21Plan(request).plan() }
    )
}

private struct VJEPA21Plan {
    static let encoders = ["ema_encoder", "target_encoder", "encoder"]
    private static let levels = 4

    private let request: PlanRequest
    private let encoder: UpstreamTensors.Group
    private let patch: [Int]
    private let sizes: TransformerDimensions

    init(_ request: PlanRequest) throws(ZooError) {
        self.request = request
        encoder = try request.encoder(preferring: Self.encoders)
        patch = try request.shape("patch_embed.proj.weight", rank: 5, of: encoder)
        sizes = try TransformerDimensions(request, encoder)
    }

    func plan() throws(ZooError) -> ConversionPlan {
        let side = request.options.cropSize ?? 384
        let frames = request.options.frames ?? 64
        var configuration = try VJEPA2Plan.encoderFields(
            request,
            patch: patch,
            sizes: sizes,
            side: side,
            frames: frames,
            heads: VJEPA2Plan.heads
        )
        configuration["model_type"] = .string(FamilyID.vjepa21.modelType)
        configuration["interpolate_rope"] = true
        configuration["img_temporal_dim_size"] = 1
        var parts = [encoderPart]
        if let group = request.main.groups["predictor"] {
            parts.append(try predictorPart(group, &configuration))
        }
        let size = TransformerSize.name(width: sizes.width, layers: sizes.layers)
        return ConversionPlan(
            family: .vjepa21,
            variant: "vit-\(size)-\(patch[3])-\(side)",
            parts: parts,
            configuration: configuration,
            preprocessor: InputDescription.videoProcessor(side: side),
            inputs: InputDescription.pictures(
                video: true,
                frames: frames,
                side: side,
                layout: "BCTHW",
                steps: InputDescription.shorterSide(croppedTo: side)
            )
        )
    }

    private var encoderPart: ConversionPlan.Part {
        var rules = RuleList(prefix: "encoder.")
        rules.keep("img_mod_embed", [1, 1, sizes.width])
        rules.keep("video_mod_embed", [1, 1, sizes.width])
        rules.convolution("patch_embed.proj", patch)
        rules.convolution("patch_embed_img.proj", [patch[0], patch[1], 1, patch[3], patch[4]])
        for index in 0..<sizes.layers {
            rules.block("blocks.\(index)", sizes.width, sizes.hidden)
        }
        for level in 0..<Self.levels { rules.norm("norms_block.\(level)", sizes.width) }
        return ConversionPlan.Part(
            component: "encoder",
            group: encoder.key,
            prefix: "encoder.",
            rules: rules.rules
        )
    }

    private func predictorPart(
        _ group: UpstreamTensors.Group,
        _ configuration: inout [String: JSONValue]
    ) throws(ZooError) -> ConversionPlan.Part {
        let inner = try TransformerDimensions(request, group, blocks: "predictor_blocks.")
        let outputs = try request.shape("predictor_proj.weight", rank: 2, of: group)[0]
        let tokens = group.count(of: "mask_tokens.")
        var rules = RuleList(prefix: "predictor.")
        rules.keep("img_mod_embed", [1, 1, inner.width])
        rules.keep("video_mod_embed", [1, 1, inner.width])
        for index in 0..<tokens { rules.keep("mask_tokens.\(index)", [1, 1, inner.width]) }
        // Teachers embed four levels of the encoder with two layers; students embed one level.
        let isDeep = group.shape("predictor_embed.0.weight") != nil
        if isDeep {
            rules.linear("predictor_embed.0", sizes.width, Self.levels * sizes.width)
            rules.linear("predictor_embed.2", inner.width, sizes.width)
        } else {
            rules.linear("predictor_embed", inner.width, sizes.width)
        }
        for index in 0..<inner.layers {
            rules.block("predictor_blocks.\(index)", inner.width, inner.hidden)
        }
        rules.norm("predictor_norm", inner.width)
        rules.linear("predictor_proj", outputs, inner.width)
        rules.linear("predictor_proj_context", outputs, inner.width)
        let heads = try request.heads(
            request.options.predictorHeads,
            width: inner.width,
            known: [384: 12],
            option: "--predictor-heads"
        )
        configuration["pred_hidden_size"] = .integer(inner.width)
        configuration["pred_num_hidden_layers"] = .integer(inner.layers)
        configuration["pred_num_attention_heads"] = .integer(heads)
        configuration["pred_mlp_ratio"] = TransformerSize.ratio(
            hidden: inner.hidden,
            width: inner.width
        )
        configuration["pred_num_mask_tokens"] = .integer(tokens)
        configuration["pred_levels"] = .integer(isDeep ? Self.levels : 1)
        configuration["pred_out_size"] = .integer(outputs)
        return ConversionPlan.Part(
            component: "predictor",
            group: group.key,
            prefix: "predictor.",
            rules: rules.rules
        )
    }
}
