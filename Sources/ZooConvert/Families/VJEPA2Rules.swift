// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The tensors of V-JEPA 2, upstream and in the layout of transformers.
///
/// Source: huggingface/transformers `models/vjepa2/convert_vjepa2_to_hf.py` and
/// `convert_vjepa2_classifier_to_hf.py`.
enum VJEPA2Rules {
    static func encoder(_ prefix: String, _ patch: [Int], _ sizes: TransformerDimensions)
        -> RuleList
    {
        var rules = RuleList(prefix: prefix)
        rules.convolution("patch_embed.proj", patch, as: "embeddings.patch_embeddings.proj")
        for index in 0..<sizes.layers {
            rules.vjepa2Block(
                "blocks.\(index)",
                as: "layer.\(index)",
                sizes.width,
                sizes.hidden
            )
        }
        rules.norm("norm", sizes.width, as: "layernorm")
        return rules
    }

    static func predictor(
        _ prefix: String,
        _ inner: TransformerDimensions,
        encoderWidth: Int,
        maskTokens: Int
    ) -> RuleList {
        var rules = RuleList(prefix: prefix)
        rules.linear(
            "predictor_embed",
            inner.width,
            encoderWidth,
            as: "embeddings.predictor_embeddings"
        )
        rules.stack(
            (0..<maskTokens).map { "mask_tokens.\($0)" },
            [1, 1, inner.width],
            into: "embeddings.mask_tokens"
        )
        for index in 0..<inner.layers {
            rules.vjepa2Block(
                "predictor_blocks.\(index)",
                as: "layer.\(index)",
                inner.width,
                inner.hidden
            )
        }
        rules.norm("predictor_norm", inner.width, as: "layernorm")
        rules.linear("predictor_proj", encoderWidth, inner.width, as: "proj")
        return rules
    }

    /// The pooler of a probe: blocks over the tokens, and queries that attend to them.
    static func pooler(width: Int, hidden: Int, queries: Int, layers: Int) -> RuleList {
        var rules = RuleList()
        rules.keep("pooler.query_tokens", [1, queries, width])
        for index in 0..<layers {
            let name = "pooler.blocks.\(index)"
            let newName = "pooler.self_attention_layers.\(index)"
            rules.splitLinear(
                "\(name).attn.qkv",
                3 * width,
                width,
                into: ["q_proj", "k_proj", "v_proj"].map { "\(newName).self_attn.\($0)" }
            )
            rules.linear("\(name).attn.proj", width, width, as: "\(newName).self_attn.out_proj")
            rules.poolerFrame(name, as: newName, width, hidden)
        }
        let name = "pooler.cross_attention_block"
        let newName = "pooler.cross_attention_layer"
        rules.linear("\(name).xattn.q", width, width, as: "\(newName).cross_attn.q_proj")
        rules.splitLinear(
            "\(name).xattn.kv",
            2 * width,
            width,
            into: ["k_proj", "v_proj"].map { "\(newName).cross_attn.\($0)" }
        )
        rules.poolerFrame(name, as: newName, width, hidden)
        return rules
    }
}

extension RuleList {
    /// The layers around the attention that both kinds of pooler blocks share.
    fileprivate mutating func poolerFrame(
        _ name: String,
        as newName: String,
        _ width: Int,
        _ hidden: Int
    ) {
        norm("\(name).norm1", width, as: "\(newName).layer_norm1")
        norm("\(name).norm2", width, as: "\(newName).layer_norm2")
        linear("\(name).mlp.fc1", hidden, width, as: "\(newName).mlp.fc1")
        linear("\(name).mlp.fc2", width, hidden, as: "\(newName).mlp.fc2")
    }
}
