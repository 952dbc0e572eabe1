// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

/// An attentive probe of V-JEPA or V-JEPA 2: from the tokens of a frozen encoder to classes.
///
/// Computes what `AttentiveClassifier` of facebookresearch/jepa and facebookresearch/vjepa2 computes in
/// float32, and for anticipation (EPIC-KITCHENS-100) the variant with three queries and three heads.
public struct AttentiveProbe: Sendable {
    /// One linear map from a summary of the tokens to classes.
    private struct Head: Sendable {
        let name: String
        let query: Int
        let map: Linear
    }

    /// The elements of a token's features.
    public let width: Int
    private let pooler: AttentivePooler
    private let heads: [Head]

    /// Loads a folder that `ami-zoo convert` wrote for a probe.
    ///
    /// - Throws: ``ZooError`` with a `model.*`, `checkpoint.*` or `io.*` code.
    public init(folder path: String) throws(ZooError) {
        let folder = try ModelFolder(path)
        let configuration = try ProbeConfiguration(folder.configuration)
        width = configuration.width
        let weights = WeightScope(try Checkpoint(opening: path))
        if configuration.isFirst {
            let scope = weights.scope("classifier")
            pooler = try scope.scope("pooler").vjepaPooler(configuration)
            let map = try scope.linear("linear", from: width, to: configuration.classes[0].count)
            heads = [Head(name: configuration.classes[0].name, query: 0, map: map)]
        } else {
            pooler = try weights.scope("pooler").vjepa2Pooler(configuration)
            var heads: [Head] = []
            for (query, head) in configuration.classes.enumerated() {
                heads.append(
                    Head(
                        name: head.name,
                        query: query,
                        map: try weights.linear(head.scope, from: width, to: head.count)
                    )
                )
            }
            self.heads = heads
        }
        try weights.requireComplete()
    }

    /// Scores classes.
    ///
    /// - Parameters:
    ///   - tokens: [batch, tokens, width]: of one view, tokens of all its clips one after the other.
    ///   - pool: the threads to compute on.
    /// - Returns: logits [batch, classes]: under `logits`, or under `verb`, `noun` and `action`.
    /// - Throws: ``ZooError`` with code `model.input-shape-invalid`; `CancellationError` when the
    ///   task is cancelled.
    public func logits(
        of tokens: Tensor,
        on pool: ComputePool = .shared
    ) async throws -> [String: Tensor] {
        guard tokens.shape.rank == 3, tokens.shape[2] == width, tokens.shape.elementCount > 0 else {
            throw ZooError(
                .inputShapeInvalid,
                "the tokens have the shape \(tokens.shape), and must be [batch, tokens, \(width)]"
            )
        }
        let batch = tokens.shape[0]
        return try await pool.run { session in
            let pooled = try pooler.pool(tokens, session: session)
            let queries = pooled.rows / batch
            var logits: [String: Tensor] = [:]
            for head in heads {
                let result = Matrix(rows: batch, columns: head.map.weight.outputs)
                for sample in 0..<batch {
                    let row = sample * queries + head.query
                    head.map.apply(
                        to: pooled.rows(row..<row + 1),
                        into: result.rows(sample..<sample + 1),
                        scratch: Scratch()
                    )
                }
                logits[head.name] = Tensor(
                    shape: [batch, result.columns],
                    buffer: result.buffer
                )
            }
            return logits
        }
    }
}

/// What `config.json` of a probe says.
private struct ProbeConfiguration {
    let width: Int
    let heads: Int
    let hidden: Int
    let layers: Int
    let queries: Int
    let epsilon: Double
    /// The heads: how results call them, how weights call them, how many classes.
    let classes: [(name: String, scope: String, count: Int)]
    /// Whether it is a probe of the first V-JEPA.
    let isFirst: Bool

    init(_ fields: JSONObject) throws(ZooError) {
        do throws(ZooError) {
            let type = try fields.string("model_type")
            guard type == "vjepa_probe" || type == "vjepa2_probe" else {
                throw ZooError(
                    .familyUnknown,
                    "the model is of type '\(type)', and not an attentive probe"
                )
            }
            isFirst = type == "vjepa_probe"
            width = try fields.integer("hidden_size", in: 1...16_384)
            heads = try fields.integer("num_attention_heads", in: 1...1024)
            let ratio = try fields.number("mlp_ratio")
            guard ratio > 0, ratio <= 64, width.isMultiple(of: heads) else {
                throw fields.invalid("mlp_ratio", "or 'num_attention_heads' is out of range")
            }
            hidden = Int(Double(width) * ratio)
            epsilon = try fields.number("layer_norm_eps")
            queries = try fields.integer("num_queries", in: 1...64)
            layers =
                isFirst
                ? try fields.integer("depth", in: 1...64) - 1
                : try fields.integer("num_pooler_layers", in: 0...64)
            guard !isFirst || layers == 0 else {
                throw ZooError(
                    .modelUnsupported,
                    "probes of V-JEPA with more than one block are not supported",
                    remedy: "no published probe has them"
                )
            }
            if fields.value("num_verbs") != nil {
                classes = [
                    ("verb", "verb_classifier", try fields.integer("num_verbs", in: 1...1_000_000)),
                    ("noun", "noun_classifier", try fields.integer("num_nouns", in: 1...1_000_000)),
                    (
                        "action", "action_classifier",
                        try fields.integer("num_actions", in: 1...1_000_000)
                    ),
                ]
                guard queries == classes.count else {
                    throw fields.invalid("num_queries", "must be one for each head")
                }
            } else {
                let count = try fields.integer("num_labels", in: 1...1_000_000)
                classes = [("logits", "classifier", count)]
            }
        } catch {
            guard error.code == .fieldInvalid else { throw error }
            throw ZooError(
                .configurationInvalid,
                "the configuration of the probe is not valid",
                cause: error
            )
        }
    }
}

extension WeightScope {
    /// A pooler under the names of facebookresearch/jepa.
    fileprivate func vjepaPooler(
        _ configuration: ProbeConfiguration
    ) throws(ZooError) -> AttentivePooler {
        let (width, epsilon) = (configuration.width, configuration.epsilon)
        let block = scope("cross_attention_block")
        let attention = block.scope("xattn")
        let fused = try attention.fusedLinears("kv", parts: 2, from: width, to: width)
        // In the files, and read by nobody.
        _ = try attention.linear("proj", from: width, to: width)
        return AttentivePooler(
            queries: try queryTokens(configuration),
            blocks: [],
            norm1: try block.layerNorm("norm1", width: width, epsilon: epsilon),
            query: try attention.linear("q", from: width, to: width),
            key: fused[0],
            value: fused[1],
            norm2: try block.layerNorm("norm2", width: width, epsilon: epsilon),
            mlp: try block.mlp("mlp", width: width, hidden: configuration.hidden),
            heads: configuration.heads
        )
    }

    /// A pooler under the names of transformers' `VJEPA2AttentivePooler`.
    fileprivate func vjepa2Pooler(
        _ configuration: ProbeConfiguration
    ) throws(ZooError) -> AttentivePooler {
        let (width, epsilon) = (configuration.width, configuration.epsilon)
        var blocks: [TransformerBlock] = []
        for index in 0..<configuration.layers {
            let layer = scope("self_attention_layers").scope(index)
            let attention = layer.scope("self_attn")
            blocks.append(
                TransformerBlock(
                    norm1: try layer.layerNorm("layer_norm1", width: width, epsilon: epsilon),
                    attention: SelfAttention(
                        query: try attention.linear("q_proj", from: width, to: width),
                        key: try attention.linear("k_proj", from: width, to: width),
                        value: try attention.linear("v_proj", from: width, to: width),
                        projection: try attention.linear("out_proj", from: width, to: width),
                        heads: configuration.heads
                    ),
                    norm2: try layer.layerNorm("layer_norm2", width: width, epsilon: epsilon),
                    mlp: try layer.mlp("mlp", width: width, hidden: configuration.hidden)
                )
            )
        }
        let layer = scope("cross_attention_layer")
        let attention = layer.scope("cross_attn")
        return AttentivePooler(
            queries: try queryTokens(configuration),
            blocks: blocks,
            norm1: try layer.layerNorm("layer_norm1", width: width, epsilon: epsilon),
            query: try attention.linear("q_proj", from: width, to: width),
            key: try attention.linear("k_proj", from: width, to: width),
            value: try attention.linear("v_proj", from: width, to: width),
            norm2: try layer.layerNorm("layer_norm2", width: width, epsilon: epsilon),
            mlp: try layer.mlp("mlp", width: width, hidden: configuration.hidden),
            heads: configuration.heads
        )
    }

    private func queryTokens(_ configuration: ProbeConfiguration) throws(ZooError) -> Matrix {
        let shape: Shape = [1, configuration.queries, configuration.width]
        return try values("query_tokens", shape: shape)
            .reshaped([configuration.queries, configuration.width]).matrix
    }
}
