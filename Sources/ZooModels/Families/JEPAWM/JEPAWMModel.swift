// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
public import ZooCore
public import ZooTensor

extension ModelFamily {
    /// JEPA-WM (arXiv 2512.24497), in the layout that `ami-zoo convert` writes.
    static let jepaWM = ModelFamily(
        .jepaWM,
        worldModelLoader: { folder throws(ZooError) in try JEPAWMModel(folder) }
    )
}

/// A JEPA-WM predictor over the features of an external encoder, DINOv2 or DINOv3.
///
/// Equivalent to `VisionTransformerAdaLN` of facebookresearch/jepa-wms in float32: tokens attend to
/// their own and earlier frames, and the action of a frame modulates its tokens. Proprioception is
/// part of every token, and is predicted with it.
public struct JEPAWMModel: FeatureWorldModel {
    /// The layout of tokens.
    public let features: FeatureTokens
    private let action: MeasurementEmbedding
    private let input: Linear
    private let blocks: [ModulatedBlock]
    private let norm: LayerNorm
    private let output: Linear
    private let rotary: RotaryEmbedding3D
    private let grid: TokenGrid
    private let heads: Int

    /// Loads a folder: `config.json`, and `model.safetensors` or shards with an index.
    ///
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code.
    public init(folder path: String) throws(ZooError) { try self.init(try ModelFolder(path)) }

    init(_ folder: ModelFolder) throws(ZooError) {
        let configuration = try folder.configuration(of: .jepaWM) { (fields) throws(ZooError) in
            try JEPAWMConfiguration(fields)
        }
        let checkpoint = try Checkpoint(opening: folder.path)
        guard checkpoint["predictor.proprio_encoder.weight"] == nil else {
            throw ZooError(
                .modelUnsupported,
                "predictors with their own proprioception embedding are not supported"
            )
        }
        let weights = WeightScope(checkpoint)
        let inner = weights.scope("predictor")
        let (width, total) = (configuration.width, configuration.total)
        if checkpoint["predictor.action_encoder.weight"] == nil {
            action = try weights.measurementEmbedding(
                "action_encoder",
                from: configuration.actionWidth,
                to: total
            )
        } else {
            action = MeasurementEmbedding(
                map: try inner.linear(
                    "action_encoder",
                    from: configuration.actionWidth,
                    to: total
                )
            )
        }
        features = try FeatureTokens(
            weights,
            side: configuration.side,
            width: configuration.width,
            actionWidth: configuration.actionWidth,
            proprioception: (configuration.proprioInputs, configuration.proprio),
            frames: configuration.frames
        )
        input = try inner.linear("predictor_embed", from: width, to: configuration.inner)
        blocks = try inner.modulatedBlocks("predictor_blocks", configuration)
        norm = try inner.layerNorm(
            "predictor_norm",
            width: total,
            epsilon: configuration.epsilon
        )
        output = try inner.linear("predictor_proj", from: configuration.inner, to: width)
        try weights.requireComplete()
        heads = configuration.heads
        grid = TokenGrid(rows: configuration.side, columns: configuration.side)
        rotary = RotaryEmbedding3D(headWidth: total / heads, layout: .tiled)
    }

    /// `jepa-wm`.
    public var family: FamilyID { .jepaWM }

    /// Predicts the frame after each known frame; see ``ActionConditionedModel``.
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
        let (rows, visual) = (batch * frames * tokens, input.weight.outputs)
        let x = Matrix(rows: rows, columns: norm.weight.shape[0])
        let latents = known.latents.matrix
        session.forEachPanel(samples: 1, rows: rows, height: 256) { _, range, scratch in
            input.apply(
                to: latents.rows(range),
                into: x.rows(range).columns(0..<visual),
                scratch: scratch
            )
        }
        if let states = known.states {
            x.columns(visual..<x.columns).copy(
                from: states.reshaped([rows, x.columns - visual]).matrix
            )
        }
        let conditions = action.embed(actions)
        conditions.applySiLU()
        let rotation = rotary.rotation(for: Array(0..<frames * tokens), in: grid)
        let state = AttentionState(
            batch: batch,
            tokens: frames * tokens,
            heads: heads,
            headWidth: x.columns / heads
        )
        for block in blocks {
            try session.checkCancellation()
            block.apply(
                to: x,
                group: tokens,
                conditions: conditions,
                rotation: rotation,
                state: state,
                session: session
            )
        }
        let result = Matrix(rows: rows, columns: latentShape.width)
        session.forEachPanel(samples: 1, rows: rows, height: 256) { _, range, scratch in
            let panel = x.rows(range)
            norm.apply(to: panel, into: panel)
            output.apply(
                to: panel.columns(0..<visual),
                into: result.rows(range),
                scratch: scratch
            )
        }
        return try LatentSequence(
            latents: Tensor(shape: known.latents.shape, buffer: result.buffer),
            states: known.states.map { states in
                let features = Matrix(rows: rows, columns: x.columns - visual)
                features.copy(from: x.columns(visual..<x.columns))
                return Tensor(shape: states.shape, buffer: features.buffer)
            }
        )
    }
}

extension WeightScope {
    /// Loads Meta blocks with `adaLN_modulation.1`, whose attention is causal between frames.
    fileprivate func modulatedBlocks(
        _ name: String,
        _ configuration: JEPAWMConfiguration
    ) throws(ZooError) -> [ModulatedBlock] {
        let (width, epsilon) = (configuration.total, configuration.epsilon)
        var blocks: [ModulatedBlock] = []
        for index in 0..<configuration.layers {
            let block = scope(name).scope(index)
            blocks.append(
                ModulatedBlock(
                    block: try block.metaBlock(
                        width: width,
                        heads: configuration.heads,
                        hidden: configuration.hidden,
                        epsilon: epsilon,
                        group: configuration.side * configuration.side
                    ),
                    modulation: try block.scope("adaLN_modulation").linear(
                        "1",
                        from: width,
                        to: 6 * width
                    )
                )
            )
        }
        return blocks
    }
}
