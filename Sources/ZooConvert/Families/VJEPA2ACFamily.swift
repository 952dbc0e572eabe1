// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension ConvertibleFamily {
    /// V-JEPA 2-AC: the action-conditioned predictor and its encoder, with unchanged names.
    ///
    /// The encoder is `encoder`, as in upstream's loader, even if there is a target encoder.
    static let vjepa2AC = ConvertibleFamily(
        .vjepa2AC,
        recognise: { tensors in
            guard let predictor = tensors.groups["predictor"],
                predictor.shape("action_encoder.weight") != nil,
                predictor.shape("predictor_blocks.0.attn.qkv.weight") != nil
            else { return nil }
            return "'predictor' has an action encoder before its blocks"
        },
        plan: { request throws(ZooError) in
            let group = try request.group("predictor")
            let inner = try TransformerDimensions(request, group, blocks: "predictor_blocks.")
            let outputs = try request.shape("predictor_proj.weight", rank: 2, of: group)[0]
            var parts: [ConversionPlan.Part] = []
            var configuration: [String: JSONValue] = [:]
            let side = request.options.cropSize ?? 256
            let frames = request.options.frames ?? 64
            if request.main.groups["encoder"] != nil || request.options.component != nil {
                let networks = try VJEPA2ACRules.encoder(request, side: side, frames: frames)
                parts.append(networks.part)
                configuration = networks.configuration
            } else {
                configuration = VJEPA2ACRules.features(width: outputs, side: side, frames: frames)
            }
            var rules = RuleList(prefix: "predictor.")
            for name in ["action_encoder", "state_encoder", "extrinsics_encoder"] {
                guard let shape = group.shape("\(name).weight"), shape.count == 2 else { continue }
                rules.linear(name, inner.width, shape[1])
                if name == "action_encoder" {
                    configuration["action_embed_dim"] = .integer(shape[1])
                }
            }
            rules.predictorFrame(inner, encoderWidth: outputs)
            parts.append(
                ConversionPlan.Part(
                    component: "predictor",
                    group: group.key,
                    prefix: "predictor.",
                    rules: rules.rules,
                    dropped: ["predictor_pos_embed"]
                )
            )
            let heads = try request.heads(
                request.options.predictorHeads,
                width: inner.width,
                known: [1024: 16],
                option: "--predictor-heads"
            )
            configuration["model_type"] = .string(FamilyID.vjepa2AC.modelType)
            configuration["pred_hidden_size"] = .integer(inner.width)
            configuration["pred_num_hidden_layers"] = .integer(inner.layers)
            configuration["pred_num_attention_heads"] = .integer(heads)
            configuration["pred_mlp_ratio"] = TransformerSize.ratio(
                hidden: inner.hidden,
                width: inner.width
            )
            // The files have an extrinsics encoder, but the released configuration does not use it.
            configuration["use_extrinsics"] = false
            return ConversionPlan(
                family: .vjepa2AC,
                variant: "predictor-\(inner.width)x\(inner.layers)-\(side)",
                parts: parts,
                configuration: configuration,
                preprocessor: nil,
                inputs: InputDescription.pictures(
                    video: true,
                    frames: frames,
                    side: side,
                    layout: "BCTHW",
                    steps: InputDescription.square(
                        side,
                        // Upstream normalises first: `app/vjepa_droid/transforms.py`.
                        .torchvision(antialias: false, .normalized)
                    )
                )
            )
        }
    )
}

enum VJEPA2ACRules {
    /// The fields of a standalone predictor that describe its encoder.
    ///
    /// All released encoders were trained with patch size 16 and tubelet size 2.
    static func features(width: Int, side: Int, frames: Int) -> [String: JSONValue] {
        [
            "embed_dim": .integer(width), "crop_size": .integer(side), "patch_size": 16,
            "frames_per_clip": .integer(frames), "tubelet_size": 2, "in_chans": 3,
        ]
    }

    static func encoder(
        _ request: PlanRequest,
        side: Int,
        frames: Int
    ) throws(ZooError) -> (part: ConversionPlan.Part, configuration: [String: JSONValue]) {
        let group = try request.encoder(preferring: ["encoder"])
        let patch = try request.shape("patch_embed.proj.weight", rank: 5, of: group)
        let sizes = try TransformerDimensions(request, group)
        var rules = RuleList(prefix: "encoder.")
        rules.convolution("patch_embed.proj", patch)
        for index in 0..<sizes.layers {
            rules.block("blocks.\(index)", sizes.width, sizes.hidden)
        }
        rules.norm("norm", sizes.width)
        let part = ConversionPlan.Part(
            component: "encoder",
            group: group.key,
            prefix: "encoder.",
            rules: rules.rules,
            dropped: ["pos_embed"]
        )
        let configuration = try VJEPA2Plan.encoderFields(
            request,
            patch: patch,
            sizes: sizes,
            side: side,
            frames: frames,
            heads: VJEPA2Plan.heads
        )
        return (part, configuration)
    }
}
