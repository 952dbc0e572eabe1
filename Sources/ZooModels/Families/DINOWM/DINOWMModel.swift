// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

extension ModelFamily {
    /// DINO-WM (arXiv 2411.04983) as trained for arXiv 2512.24497, in the layout that `ami-zoo
    /// convert` writes.
    static let dinoWM = ModelFamily(
        .dinoWM,
        worldModelLoader: { folder throws(ZooError) in try DINOWMModel(folder) }
    )
}

/// A DINO-WM predictor over the features of DINOv2.
///
/// Equivalent to `ViTPredictor` of facebookresearch/jepa-wms in float32: a token holds visual
/// features, embedded proprioception and the embedded action of its frame, and attends to its own
/// and earlier frames.
public struct DINOWMModel: FeatureWorldModel {
    /// The layout of tokens.
    public let features: FeatureTokens
    private let action: MeasurementEmbedding
    private let positions: PositionCoding
    private let stack: TransformerStack

    /// Loads a folder: `config.json`, and `model.safetensors` or shards with an index.
    ///
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code.
    public init(folder path: String) throws(ZooError) { try self.init(try ModelFolder(path)) }

    init(_ folder: ModelFolder) throws(ZooError) {
        let configuration = try folder.configuration(of: .dinoWM) { (fields) throws(ZooError) in
            try DINOWMConfiguration(fields)
        }
        let weights = WeightScope(try Checkpoint(opening: folder.path))
        action = try weights.measurementEmbedding(
            "action_encoder",
            from: configuration.actionWidth,
            to: configuration.action
        )
        features = try FeatureTokens(
            weights,
            side: configuration.side,
            width: configuration.visual,
            actionWidth: configuration.actionWidth,
            proprioception: (configuration.proprioInputs, configuration.proprio),
            frames: configuration.frames
        )
        let inner = weights.scope("predictor")
        let (tokens, side) = (features.shape.tokens, configuration.side)
        let table = try inner.values(
            "pos_embedding",
            shape: [1, configuration.frames * tokens, configuration.width]
        )
        positions = .table(
            PositionTable(
                values: table.reshaped([configuration.frames * tokens, configuration.width]),
                sizes: GridSize(frames: configuration.frames, rows: side, columns: side),
                interpolation: .trilinear
            )
        )
        stack = try inner.scope("transformer").dinoWMStack(configuration)
        try weights.requireComplete()
    }

    /// `dino-wm`.
    public var family: FamilyID { .dinoWM }

    /// Predicts the frame after each known frame; see ``ActionConditionedModel``.
    ///
    /// The predicted action elements are dropped, as upstream does.
    public func predict(
        _ known: LatentSequence,
        under actions: Tensor,
        on pool: ComputePool = .shared
    ) async throws -> LatentSequence {
        try latentShape.requireFit(known, actions)
        return try await pool.run { session in
            try compute(known, actions, session)
        }
    }

    private func compute(
        _ known: LatentSequence,
        _ actions: Tensor,
        _ session: ComputeSession
    ) throws -> LatentSequence {
        let (batch, frames, tokens) = (
            known.latents.shape[0], known.latents.shape[1], latentShape.tokens
        )
        let (rows, visual) = (batch * frames * tokens, latentShape.width)
        let x = Matrix(rows: rows, columns: stack.width)
        x.columns(0..<visual).copy(from: known.latents.matrix)
        let last = stack.width - action.outputs
        if let states = known.states {
            x.columns(visual..<last).copy(from: states.reshaped([rows, last - visual]).matrix)
        }
        let embedded = action.embed(actions)
        for row in 0..<rows {
            let frame = row / tokens
            x.rows(row..<row + 1).columns(last..<stack.width)
                .copy(from: embedded.rows(frame..<frame + 1))
        }
        let ids = TokenSelection.first(frames * tokens, batch: batch)
        for (sample, tokenIDs) in ids.ids.enumerated() {
            positions.add(
                to: x.rows(sample * ids.count..<(sample + 1) * ids.count),
                ids: tokenIDs[...]
            )
        }
        _ = try stack.apply(
            to: x,
            ids: ids,
            positions: positions,
            options: ForwardOptions(),
            session: session
        )
        func part(_ columns: Range<Int>, _ shape: Shape) -> Tensor {
            let copy = Matrix(rows: rows, columns: columns.count)
            copy.copy(from: x.columns(columns))
            return Tensor(shape: shape, buffer: copy.buffer)
        }
        return try LatentSequence(
            latents: part(0..<visual, known.latents.shape),
            states: known.states.map { part(visual..<last, $0.shape) }
        )
    }
}

/// The sizes of a DINO-WM predictor, as `ami-zoo convert` writes them.
private struct DINOWMConfiguration {
    /// The width of a token (`pred_total_size`).
    let width: Int
    /// The width of the embedded action in it (`action_emb_dim`).
    let action: Int
    /// The width of the embedded proprioception in it (`proprio_emb_dim`); 0 for none.
    let proprio: Int
    let actionWidth: Int
    let proprioInputs: Int
    let heads: Int
    let headWidth: Int
    let hidden: Int
    let layers: Int
    let epsilon: Double
    /// Tokens along a side of a frame (`grid_size`).
    let side: Int
    /// The number of frames with positions, from `num_tokens`.
    let frames: Int

    var visual: Int { width - action - proprio }

    init(_ fields: JSONObject) throws(ZooError) {
        width = try fields.integer("pred_total_size", in: 1...16_384)
        guard fields.value("action_emb_dim") != nil else {
            throw ZooError(.modelUnsupported, "the predictor has no action embedding")
        }
        action = try fields.integer("action_emb_dim", in: 1...16_384)
        actionWidth = try fields.integer("action_dim", in: 1...4096)
        proprio = try fields.optionalInteger("proprio_emb_dim", in: 0...16_384) ?? 0
        proprioInputs = proprio == 0 ? 0 : try fields.integer("proprio_dim", in: 1...4096)
        heads = try fields.integer("pred_num_attention_heads", in: 1...1024)
        headWidth = try fields.integer("pred_head_dim", in: 1...16_384)
        hidden = try fields.integer("pred_intermediate_size", in: 1...1_048_576)
        layers = try fields.integer("pred_num_hidden_layers", in: 1...512)
        epsilon = try fields.normEpsilon()
        side = try fields.integer("grid_size", in: 1...512)
        let positions = try fields.integer("num_tokens", in: 1...1_048_576)
        guard positions.isMultiple(of: side * side) else {
            throw fields.invalid("num_tokens", "is not a multiple of \(side) by \(side) tokens")
        }
        frames = positions / (side * side)
        guard width > action + proprio else {
            throw fields.invalid("pred_total_size", "has no elements for visual features")
        }
    }
}

extension WeightScope {
    /// Loads blocks `layers.<i>.0.{norm,to_qkv,to_out.0}` and `layers.<i>.1.net.{0,1,4}`, and the
    /// norm.
    ///
    /// Source: facebookresearch/jepa-wms `app/plan_common/models/vit.py`.
    fileprivate func dinoWMStack(
        _ configuration: DINOWMConfiguration
    ) throws(ZooError) -> TransformerStack {
        let (width, epsilon) = (configuration.width, configuration.epsilon)
        let inner = configuration.heads * configuration.headWidth
        var blocks: [TransformerBlock] = []
        for index in 0..<configuration.layers {
            let layer = scope("layers").scope(index)
            let attention = layer.scope(0)
            let net = layer.scope(1).scope("net")
            let fused = try attention.fusedLinears(
                "to_qkv",
                parts: 3,
                from: width,
                to: inner,
                bias: false
            )
            blocks.append(
                TransformerBlock(
                    norm1: try attention.layerNorm("norm", width: width, epsilon: epsilon),
                    attention: SelfAttention(
                        query: fused[0],
                        key: fused[1],
                        value: fused[2],
                        projection: try attention.scope("to_out").linear(
                            "0",
                            from: inner,
                            to: width
                        ),
                        heads: configuration.heads,
                        group: configuration.side * configuration.side
                    ),
                    norm2: try net.layerNorm("0", width: width, epsilon: epsilon),
                    mlp: MLP(
                        first: try net.linear("1", from: width, to: configuration.hidden),
                        second: try net.linear("4", from: configuration.hidden, to: width)
                    )
                )
            )
        }
        return TransformerStack(
            blocks: blocks,
            norm: try layerNorm("norm", width: width, epsilon: epsilon),
            heads: configuration.heads,
            width: width
        )
    }
}
