// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension ConvertibleFamily {
    /// LeWM: a small Vision Transformer, projectors, and a predictor of the next embedding.
    ///
    /// The file is one flat dictionary. The Vision Transformer has the tensor names of transformers
    /// from before or after version 5. Releases use the names from before version 5, which
    /// transformers writes to files.
    static let leWM = ConvertibleFamily(
        .lewm,
        nesting: .flat(mark: "pred_proj"),
        recognise: { tensors in
            tensors.groups["predictor"]?.shape("transformer.layers.0.attn.to_qkv.weight")
                .map { _ in "'predictor' has the blocks of LeWM" }
        },
        plan: { request throws(ZooError) in try LeWMPlan(request).plan() }
    )
}

private struct LeWMPlan {
    private let request: PlanRequest
    private let whole: UpstreamTensors.Group
    private let patch: [Int]
    private let tokens: Int
    private let isNew: Bool

    init(_ request: PlanRequest) throws(ZooError) {
        self.request = request
        whole = try request.group(UpstreamTensors.whole)
        let embeddings = "encoder.embeddings"
        patch = try request.shape(
            "\(embeddings).patch_embeddings.projection.weight",
            rank: 4,
            of: whole
        )
        tokens = try request.shape("\(embeddings).position_embeddings", rank: 3, of: whole)[1]
        isNew = whole.shape("encoder.layers.0.mlp.fc1.weight") != nil
    }

    private var blocks: String { isNew ? "encoder.layers." : "encoder.encoder.layer." }

    func plan() throws(ZooError) -> ConversionPlan {
        let sizes = try TransformerDimensions(
            request,
            whole,
            blocks: blocks,
            mlp: isNew ? "mlp.fc1.weight" : "intermediate.dense.weight"
        )
        let name = "predictor.transformer.layers.0"
        let fused = try request.shape("\(name).attn.to_qkv.weight", rank: 2, of: whole)
        let hidden = try request.shape("\(name).mlp.net.1.weight", rank: 2, of: whole)[0]
        let frames = try request.shape("predictor.pos_embedding", rank: 3, of: whole)[1]
        let action = try request.shape("action_encoder.patch_embed.weight", rank: 3, of: whole)
        let actionHidden = try request.shape("action_encoder.embed.0.weight", rank: 2, of: whole)[0]
        let projector = try request.shape("projector.net.0.weight", rank: 2, of: whole)[0]
        let layers = whole.count(of: "predictor.transformer.layers.")
        let (width, inner) = (fused[1], fused[0] / 3)

        var rules = RuleList()
        encoder(sizes, &rules)
        for name in ["projector", "pred_proj"] {
            rules.linear("\(name).net.0", projector, width)
            rules.norm("\(name).net.1", projector)
            rules.keep("\(name).net.1.running_mean", [projector])
            rules.keep("\(name).net.1.running_var", [projector])
            rules.keep("\(name).net.1.num_batches_tracked", [])
            rules.linear("\(name).net.3", width, projector)
        }
        rules.convolution("action_encoder.patch_embed", action)
        rules.linear("action_encoder.embed.0", actionHidden, action[0])
        rules.linear("action_encoder.embed.2", width, actionHidden)
        rules.keep("predictor.pos_embedding", [1, frames, width])
        for index in 0..<layers {
            let name = "predictor.transformer.layers.\(index)"
            rules.norm("\(name).attn.norm", width)
            rules.linear("\(name).attn.to_qkv", 3 * inner, width, hasBias: false)
            rules.linear("\(name).attn.to_out.0", width, inner)
            rules.norm("\(name).mlp.net.0", width)
            rules.linear("\(name).mlp.net.1", hidden, width)
            rules.linear("\(name).mlp.net.4", width, hidden)
            rules.linear("\(name).adaLN_modulation.1", 6 * width, width)
        }
        rules.norm("predictor.transformer.norm", width)
        return try plan(
            rules.rules,
            sizes,
            predictor: [
                "pred_num_hidden_layers": .integer(layers),
                "pred_intermediate_size": .integer(hidden), "num_frames": .integer(frames),
                "action_dim": .integer(action[1]), "projector_size": .integer(projector),
            ],
            inner: inner
        )
    }

    private func plan(
        _ rules: [TensorRule],
        _ sizes: TransformerDimensions,
        predictor: [String: JSONValue],
        inner: Int
    ) throws(ZooError) -> ConversionPlan {
        let heads = try request.heads(
            request.options.heads,
            width: sizes.width,
            known: [192: 3],
            option: "--heads"
        )
        let predictorHeads = try request.heads(
            request.options.predictorHeads,
            width: inner,
            known: [1024: 16],
            option: "--predictor-heads"
        )
        let side = try VideoGrid.side(
            positions: tokens - 1,
            frames: 1,
            patch: [patch[0], patch[1], 1, patch[2]],
            said: request.options.cropSize
        )
        var configuration: [String: JSONValue] = [
            "model_type": .string(FamilyID.lewm.modelType), "hidden_size": .integer(sizes.width),
            "num_hidden_layers": .integer(sizes.layers), "num_attention_heads": .integer(heads),
            "intermediate_size": .integer(sizes.hidden), "image_size": .integer(side),
            "patch_size": .integer(patch[3]), "num_channels": .integer(patch[1]),
            "layer_norm_eps": .number(1e-12), "pred_num_attention_heads": .integer(predictorHeads),
            "pred_head_dim": .integer(inner / predictorHeads),
        ]
        configuration.merge(predictor) { first, _ in first }
        let networks = ["encoder", "projector", "pred_proj", "action_encoder", "predictor"]
        return ConversionPlan(
            family: .lewm,
            variant: "vit-\(TransformerSize.name(width: sizes.width, layers: sizes.layers))"
                + "-\(patch[3])-\(side)",
            parts: networks.map { network in
                ConversionPlan.Part(
                    component: network,
                    group: network,
                    prefix: "\(network).",
                    rules: rules.filter { $0.released[0].name.hasPrefix("\(network).") }
                        .map { $0.inGroup(network) }
                )
            },
            configuration: configuration,
            preprocessor: nil,
            inputs: InputDescription.pictures(
                video: true,
                frames: request.options.frames ?? 3,
                side: side,
                layout: "BTCHW",
                steps: InputDescription.square(side, .torchvision(antialias: true, .normalized))
            )
        )
    }

    /// The Vision Transformer, with the tensor names from before transformers 5.
    private func encoder(_ sizes: TransformerDimensions, _ rules: inout RuleList) {
        let width = sizes.width
        rules.keep("encoder.embeddings.cls_token", [1, 1, width])
        rules.keep("encoder.embeddings.position_embeddings", [1, tokens, width])
        rules.convolution("encoder.embeddings.patch_embeddings.projection", patch)
        for index in 0..<sizes.layers {
            let name = "\(blocks)\(index)"
            let newName = "encoder.encoder.layer.\(index)"
            for (old, new) in [
                ("attention.attention.query", "attention.q_proj"),
                ("attention.attention.key", "attention.k_proj"),
                ("attention.attention.value", "attention.v_proj"),
                ("attention.output.dense", "attention.o_proj"),
            ] {
                rules.linear("\(name).\(isNew ? new : old)", width, width, as: "\(newName).\(old)")
            }
            rules.norm("\(name).layernorm_before", width, as: "\(newName).layernorm_before")
            rules.norm("\(name).layernorm_after", width, as: "\(newName).layernorm_after")
            let (first, second) =
                isNew ? ("mlp.fc1", "mlp.fc2") : ("intermediate.dense", "output.dense")
            rules.linear(
                "\(name).\(first)",
                sizes.hidden,
                width,
                as: "\(newName).intermediate.dense"
            )
            rules.linear("\(name).\(second)", width, sizes.hidden, as: "\(newName).output.dense")
        }
        rules.norm("encoder.layernorm", width)
    }
}

extension TensorRule {
    /// The rule with upstream names relative to the group `key`.
    func inGroup(_ key: String) -> TensorRule {
        TensorRule(
            upstream: upstream.map {
                NamedShape(String($0.name.dropFirst(key.count + 1)), $0.shape)
            },
            released: released
        )
    }
}
