// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

/// Predicts embeddings of the next frames from embeddings of frames and their actions.
///
/// Source: galilai-group/stable-worldmodel `wm/lewm/module.py`, `Predictor` and `Embedder`.
struct LeWMPredictor: Sendable {
    private let action: (first: MeasurementEmbedding, second: Linear, third: Linear)
    /// The position embeddings, [frames, width].
    private let positions: Matrix
    private let blocks: [LeWMBlock]
    private let norm: LayerNorm
    private let projection: MLP

    init(
        _ weights: WeightScope,
        _ configuration: LeWMConfiguration,
        _ checkpoint: Checkpoint
    ) throws(ZooError) {
        let width = configuration.width
        // The configuration does not state the hidden widths of the action embedding.
        func outputs(_ name: String) -> Int { checkpoint[name]?.shape.sizes.first ?? 1 }
        let (inner, hidden) = (
            outputs("action_encoder.patch_embed.weight"), outputs("action_encoder.embed.0.weight")
        )
        let embed = weights.scope("action_encoder").scope("embed")
        action = (
            try weights.measurementEmbedding(
                "action_encoder",
                from: configuration.actionWidth,
                to: inner
            ),
            try embed.linear("0", from: inner, to: hidden),
            try embed.linear("2", from: hidden, to: width)
        )
        let predictor = weights.scope("predictor")
        let frames = configuration.frames
        positions = try predictor.values("pos_embedding", shape: [1, frames, width])
            .reshaped([frames, width]).matrix
        let transformer = predictor.scope("transformer")
        var blocks: [LeWMBlock] = []
        for index in 0..<configuration.layers {
            blocks.append(
                try LeWMBlock(transformer.scope("layers").scope(index), configuration)
            )
        }
        self.blocks = blocks
        norm = try transformer.layerNorm("norm", width: width, epsilon: 1e-5)
        projection = try weights.projectionHead(
            "pred_proj",
            width: width,
            hidden: configuration.projectorWidth
        )
    }

    /// Predicts embeddings.
    ///
    /// - Parameters:
    ///   - latents: [batch, frames, 1, width].
    ///   - actions: [batch, frames, action width].
    ///   - session: the threads to use.
    /// - Returns: [batch, frames, 1, width].
    /// - Throws: `CancellationError`.
    func predict(_ latents: Tensor, actions: Tensor, session: ComputeSession) throws -> Tensor {
        let (batch, frames, width) = (latents.shape[0], latents.shape[1], latents.shape[3])
        let x = Matrix(rows: batch * frames, columns: width)
        x.copy(from: latents.matrix)
        for sample in 0..<batch {
            x.rows(sample * frames..<(sample + 1) * frames).add(positions.rows(0..<frames))
        }
        let conditions = embed(actions, session: session)
        conditions.applySiLU()
        let state = blocks[0].state(batch: batch, frames: frames)
        for block in blocks {
            try session.checkCancellation()
            block.apply(to: x, conditions: conditions, state: state, session: session)
        }
        let result = Matrix(rows: x.rows, columns: width)
        session.forEachPanel(samples: 1, rows: x.rows, height: 256) { _, range, scratch in
            let rows = x.rows(range)
            norm.apply(to: rows, into: rows)
            projection.apply(to: rows, into: result.rows(range), scratch: scratch)
        }
        return Tensor(shape: latents.shape, buffer: result.buffer)
    }

    /// Embeds actions to [batch · frames, width].
    private func embed(_ actions: Tensor, session: ComputeSession) -> Matrix {
        let first = action.first.embed(actions)
        let result = Matrix(rows: first.rows, columns: action.third.weight.outputs)
        session.forEachPanel(samples: 1, rows: first.rows, height: 256) { _, range, scratch in
            let hidden = scratch.matrix(
                .hidden,
                rows: range.count,
                columns: action.second.weight.outputs
            )
            action.second.apply(to: first.rows(range), into: hidden, scratch: scratch)
            hidden.applySiLU()
            action.third.apply(to: hidden, into: result.rows(range), scratch: scratch)
        }
        return result
    }
}

/// A block with two norms per branch: one without weights before the modulation, and one with
/// weights.
///
/// Source: galilai-group/stable-worldmodel `wm/lewm/module.py`, `ConditionalBlock`, whose
/// `Attention` and `FeedForward` start with a norm.
struct LeWMBlock: Sendable {
    /// The linear layer from a condition to shift, scale and gate of attention and MLP, [6 · width,
    /// width].
    private let modulation: Linear
    /// The norm without weights.
    private let plain: LayerNorm
    private let attentionNorm: LayerNorm
    private let attention: SelfAttention
    private let mlpNorm: LayerNorm
    private let mlp: MLP

    init(_ weights: WeightScope, _ configuration: LeWMConfiguration) throws(ZooError) {
        let (width, inner) = (
            configuration.width, configuration.heads * configuration.headWidth
        )
        modulation = try weights.scope("adaLN_modulation").linear("1", from: width, to: 6 * width)
        plain = .withoutWeights(width: width, epsilon: 1e-6)
        let scope = weights.scope("attn")
        attentionNorm = try scope.layerNorm("norm", width: width, epsilon: 1e-5)
        let fused = try scope.tensor("to_qkv.weight", shape: [3 * inner, width])
        func part(_ index: Int) -> Linear {
            Linear(
                weight: WeightMatrix(fused.rows(index * inner..<(index + 1) * inner)),
                bias: nil
            )
        }
        attention = SelfAttention(
            query: part(0),
            key: part(1),
            value: part(2),
            projection: try scope.scope("to_out").linear("0", from: inner, to: width),
            heads: configuration.heads,
            group: 1
        )
        let net = weights.scope("mlp").scope("net")
        mlpNorm = try net.layerNorm("0", width: width, epsilon: 1e-5)
        mlp = MLP(
            first: try net.linear("1", from: width, to: configuration.hidden),
            second: try net.linear("4", from: configuration.hidden, to: width)
        )
    }

    /// Creates the attention buffers of a block.
    func state(batch: Int, frames: Int) -> AttentionState {
        AttentionState(
            batch: batch,
            tokens: frames,
            heads: attention.heads,
            headWidth: attention.headWidth
        )
    }

    /// Applies the block in place.
    ///
    /// - Parameters:
    ///   - x: [batch · frames, width].
    ///   - conditions: [batch · frames, width].
    ///   - state: buffers for the attention, for the same batch and frames.
    ///   - session: the threads to use.
    func apply(
        to x: Matrix,
        conditions: Matrix,
        state: AttentionState,
        session: ComputeSession
    ) {
        let (batch, frames, width) = (state.queries.batch, state.queries.tokens, x.columns)
        precondition(x.rows == batch * frames && conditions.rows == x.rows)
        let modulated = Matrix(rows: x.rows, columns: 6 * width)
        @Sendable func part(_ index: Int, _ rows: Range<Int>) -> Matrix {
            modulated.rows(rows).columns(index * width..<(index + 1) * width)
        }
        let packed = session.sharedRows(.packedRows, rows: x.rows, columns: width)
        session.forEachBlock(of: x.rows) { rows, scratch in
            modulation.apply(
                to: conditions.rows(rows),
                into: modulated.rows(rows),
                scratch: scratch
            )
            let normalised = scratch.matrix(.normalised, rows: rows.count, columns: width)
            plain.apply(to: x.rows(rows), into: normalised)
            normalised.modulate(scales: part(1, rows), shifts: part(0, rows))
            attentionNorm.apply(to: normalised, into: normalised)
            packed.store(normalised, row: rows.lowerBound)
        }
        attention.project(packed, rotations: [], into: state, session: session)
        attention.attend(state, session: session)
        session.forEachPanel(samples: 1, rows: batch * frames, height: 256) { _, rows, scratch in
            let tokens = x.rows(rows)
            let change = scratch.matrix(.projected, rows: rows.count, columns: width)
            attention.projection.apply(
                to: state.attended.rows(rows),
                into: change,
                scratch: scratch
            )
            tokens.add(change, times: part(2, rows))
            let normalised = scratch.matrix(.normalised, rows: rows.count, columns: width)
            plain.apply(to: tokens, into: normalised)
            normalised.modulate(scales: part(4, rows), shifts: part(3, rows))
            mlpNorm.apply(to: normalised, into: normalised)
            mlp.apply(to: normalised, into: change, scratch: scratch)
            tokens.add(change, times: part(5, rows))
        }
    }
}

extension WeightScope {
    /// Loads `<name>.net.{0,1,3}`: a linear layer, a batch norm, GELU, and a linear layer.
    ///
    /// At inference the batch norm (running statistics, ε = 1e-5) is linear, so it is folded into
    /// the preceding layer.
    func projectionHead(
        _ name: String,
        width: Int,
        hidden: Int
    ) throws(ZooError) -> MLP {
        let net = scope(name).scope("net")
        let norm = net.scope("1")
        let weight = try net.values("0.weight", shape: [hidden, width]).values
        let bias = try net.values("0.bias", shape: [hidden]).values
        let normWeight = try norm.values("weight", shape: [hidden]).values
        let normBias = try norm.values("bias", shape: [hidden]).values
        let mean = try norm.values("running_mean", shape: [hidden]).values
        let variance = try norm.values("running_var", shape: [hidden]).values
        norm.ignore("num_batches_tracked")
        let factors = (0..<hidden).map { row in
            Double(normWeight[row]) / (Double(variance[row]) + 1e-5).squareRoot()
        }
        let folded = Tensor(
            shape: [hidden, width],
            values: weight.indices.map { Float(Double(weight[$0]) * factors[$0 / width]) }
        )
        let moved = (0..<hidden).map { row in
            Float((Double(bias[row]) - Double(mean[row])) * factors[row] + Double(normBias[row]))
        }
        return MLP(
            first: Linear(
                weight: WeightMatrix(StoredTensor(folded)),
                bias: Tensor(shape: [hidden], values: moved)
            ),
            second: try net.linear("3", from: hidden, to: width)
        )
    }
}
