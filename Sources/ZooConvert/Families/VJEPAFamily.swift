// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension ConvertibleFamily {
    /// V-JEPA: encoder and predictor with unchanged names, because transformers has no such model.
    static let vjepa = ConvertibleFamily(
        .vjepa,
        recognise: { tensors in
            for key in ["target_encoder", "encoder"] {
                guard let group = tensors.groups[key] else { continue }
                if group.shape("patch_embed.proj.weight")?.count == 5,
                    group.shape("pos_embed") != nil
                {
                    return "'\(key)' has 3D patches and a position table"
                }
            }
            return nil
        },
        plan: { request throws(ZooError) in
            let encoder = try request.encoder(preferring: ["target_encoder", "encoder"])
            let patch = try request.shape("patch_embed.proj.weight", rank: 5, of: encoder)
            let sizes = try TransformerDimensions(request, encoder)
            let positions = try request.shape("pos_embed", rank: 3, of: encoder)[1]
            let frames = request.options.frames ?? 16
            let side = try VideoGrid.side(
                positions: positions,
                frames: frames,
                patch: patch,
                said: request.options.cropSize
            )
            var rules = RuleList(prefix: "encoder.")
            rules.keep("pos_embed", [1, positions, sizes.width])
            rules.convolution("patch_embed.proj", patch)
            for index in 0..<sizes.layers {
                rules.block("blocks.\(index)", sizes.width, sizes.hidden)
            }
            rules.norm("norm", sizes.width)
            var parts = [
                ConversionPlan.Part(
                    component: "encoder",
                    group: encoder.key,
                    prefix: "encoder.",
                    rules: rules.rules
                )
            ]
            var configuration = try VJEPA2Plan.encoderFields(
                request,
                patch: patch,
                sizes: sizes,
                side: side,
                frames: frames,
                heads: [1024: 16, 1280: 16]
            )
            configuration["model_type"] = .string(FamilyID.vjepa.modelType)
            configuration["intermediate_size"] = .integer(sizes.hidden)
            // True for all released files; source: facebookresearch/jepa `configs/pretrain/*.yaml`.
            configuration["uniform_power"] = true
            if let group = request.main.groups["predictor"] {
                let inner = try TransformerDimensions(request, group, blocks: "predictor_blocks.")
                let tokens = group.count(of: "mask_tokens.")
                var rules = RuleList(prefix: "predictor.")
                rules.keep("predictor_pos_embed", [1, positions, inner.width])
                for index in 0..<tokens { rules.keep("mask_tokens.\(index)", [1, 1, inner.width]) }
                rules.predictorFrame(inner, encoderWidth: sizes.width)
                parts.append(
                    ConversionPlan.Part(
                        component: "predictor",
                        group: group.key,
                        prefix: "predictor.",
                        rules: rules.rules
                    )
                )
                configuration["pred_hidden_size"] = .integer(inner.width)
                configuration["pred_num_hidden_layers"] = .integer(inner.layers)
                configuration["pred_num_attention_heads"] = .integer(
                    try request.heads(
                        request.options.predictorHeads,
                        width: inner.width,
                        known: [384: 16],
                        option: "--predictor-heads"
                    )
                )
                configuration["pred_mlp_ratio"] = TransformerSize.ratio(
                    hidden: inner.hidden,
                    width: inner.width
                )
                configuration["pred_num_mask_tokens"] = .integer(tokens)
            }
            let size = TransformerSize.name(width: sizes.width, layers: sizes.layers)
            return ConversionPlan(
                family: .vjepa,
                variant: "vit-\(size)-\(patch[3])-\(side)",
                parts: parts,
                configuration: configuration,
                preprocessor: InputDescription.videoProcessor(side: side),
                inputs: InputDescription.pictures(
                    video: true,
                    frames: frames,
                    side: side,
                    layout: "BTCHW",
                    steps: InputDescription.shorterSide(croppedTo: side)
                )
            )
        }
    )

    /// Attentive probes of V-JEPA, with unchanged names.
    ///
    /// `xattn.proj` is kept although no forward pass reads it, so that the probe can be exported.
    static let vjepaProbe = ConvertibleFamily(
        .vjepaProbe,
        nesting: .list(key: "classifiers"),
        recognise: { tensors in
            tensors.groups["classifier"]?.shape("pooler.query_tokens")
                .map { _ in "'classifier' is an attentive probe" }
        },
        plan: { request throws(ZooError) in
            let group = try request.group("classifier")
            let tokens = try request.shape("pooler.query_tokens", rank: 3, of: group)
            let (queries, width) = (tokens[1], tokens[2])
            let name = "pooler.cross_attention_block"
            let hidden = try request.shape("\(name).mlp.fc1.weight", rank: 2, of: group)[0]
            let classes = try request.shape("linear.weight", rank: 2, of: group)[0]
            let layers = group.count(of: "pooler.blocks.")
            var rules = RuleList(prefix: "classifier.")
            rules.keep("pooler.query_tokens", [1, queries, width])
            for index in 0..<layers { rules.block("pooler.blocks.\(index)", width, hidden) }
            rules.norm("\(name).norm1", width)
            rules.linear("\(name).xattn.q", width, width)
            rules.linear("\(name).xattn.kv", 2 * width, width)
            rules.linear("\(name).xattn.proj", width, width)
            rules.norm("\(name).norm2", width)
            rules.linear("\(name).mlp.fc1", hidden, width)
            rules.linear("\(name).mlp.fc2", width, hidden)
            rules.linear("linear", classes, width)
            let heads = try request.heads(
                request.options.heads,
                width: width,
                known: [1024: 16, 1280: 16],
                option: "--heads"
            )
            return ConversionPlan(
                family: .vjepaProbe,
                variant: "attentive-\(width)x\(layers + 1)",
                parts: [
                    ConversionPlan.Part(
                        component: "classifier",
                        group: group.key,
                        prefix: "classifier.",
                        rules: rules.rules
                    )
                ],
                configuration: [
                    "model_type": .string(FamilyID.vjepaProbe.modelType),
                    "hidden_size": .integer(width),
                    "num_attention_heads": .integer(heads), "depth": .integer(layers + 1),
                    "mlp_ratio": TransformerSize.ratio(hidden: hidden, width: width),
                    "num_labels": .integer(classes), "layer_norm_eps": .number(1e-5),
                    "num_queries": .integer(queries),
                ],
                preprocessor: nil,
                inputs: InputDescription.features(of: "the encoder that the probe was trained on")
            )
        }
    )
}

/// The position grid of a video model, derived from its position table.
enum VideoGrid {
    /// The side of the images in pixels, from the numbers of positions and frames.
    static func side(
        positions: Int,
        frames: Int,
        patch: [Int],
        said: Int?
    ) throws(ZooError) -> Int {
        let perFrame = positions / max(frames / patch[2], 1)
        let side = Int(Double(perFrame).squareRoot().rounded())
        guard side > 0, side * side * (frames / patch[2]) == positions,
            said == nil || said == side * patch[3]
        else {
            throw ZooError(
                .conversionOptionNeeded,
                "\(positions) positions do not match \(frames) frames of a square image"
                    + (said.map { " of \($0) pixels a side" } ?? ""),
                remedy: "pass the number of frames that the model was trained on with --frames"
            )
        }
        return side * patch[3]
    }
}
