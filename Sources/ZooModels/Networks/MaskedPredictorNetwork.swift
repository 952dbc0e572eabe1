// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

/// A transformer that predicts targets from visible tokens and one mask token per target.
struct MaskedPredictorNetwork: MaskedPredictor {
    /// The map from encoder features to predictor tokens.
    enum Input: Sendable {
        case linear(Linear)
        /// Two linear layers with GELU between them.
        case mlp(Linear, Linear)

        /// The width of the encoder features.
        var width: Int {
            switch self {
            case .linear(let first), .mlp(let first, _): first.weight.inputs
            }
        }

        func apply(to input: Matrix, into output: Matrix, scratch: Scratch) {
            switch self {
            case .linear(let linear): linear.apply(to: input, into: output, scratch: scratch)
            case .mlp(let first, let second):
                let hidden = scratch.matrix(
                    .hidden,
                    rows: input.rows,
                    columns: first.weight.outputs
                )
                first.weight.multiply(input, into: hidden, scratch: scratch)
                hidden.biasGELU(first.bias)
                second.apply(to: hidden, into: output, scratch: scratch)
            }
        }
    }

    let input: Input
    /// The mask tokens, [mask tokens, width]; one of them is used for all targets.
    let maskTokens: Matrix
    /// An embedding that is added to every token, [1, width].
    var offset: Matrix?
    let positions: PositionCoding
    let stack: TransformerStack
    let output: Linear
    /// The output layer for context tokens, if the model has one.
    var contextOutput: Linear?

    /// The result of a forward pass.
    struct Prediction: Sendable {
        /// The features of the targets.
        let targets: TokenFeatures
        /// The features of the context, computed by ``contextOutput``.
        let context: TokenFeatures?
    }

    /// Checks that targets and context match each other and this predictor.
    ///
    /// - Throws: `ZooError` with code `model.input-shape-invalid` or
    ///   `model.token-selection-invalid`.
    func requireFit(_ targets: TokenSelection, _ context: TokenFeatures) throws(ZooError) {
        guard context.values.shape[2] == input.width else {
            throw ZooError(
                .inputShapeInvalid,
                "the context has features of \(context.values.shape[2]) elements, and the predictor "
                    + "takes \(input.width)"
            )
        }
        guard targets.batch == context.selection.batch else {
            throw ZooError(
                .tokenSelectionInvalid,
                "the targets have \(targets.batch) samples, and the context has "
                    + "\(context.selection.batch)"
            )
        }
        guard let largest = positions.largestID else { return }
        let ids = context.selection.ids.joined().max() ?? 0
        guard max(ids, targets.ids.joined().max() ?? 0) <= largest else {
            throw ZooError(
                .tokenSelectionInvalid,
                "a token id is outside the \(largest + 1) positions of the predictor"
            )
        }
    }

    func predict(
        _ targets: TokenSelection,
        from context: TokenFeatures,
        options: ForwardOptions,
        on pool: ComputePool
    ) async throws -> TokenFeatures {
        try await prediction(of: targets, from: context, options: options, on: pool).targets
    }

    /// Predicts the features of `targets`, and of the context if the network has ``contextOutput``.
    func prediction(
        of targets: TokenSelection,
        from context: TokenFeatures,
        options: ForwardOptions,
        on pool: ComputePool
    ) async throws -> Prediction {
        try requireFit(targets, context)
        return try await pool.run { session in
            try prediction(of: targets, from: context, options: options, session: session)
        }
    }

    /// Predicts the features of `targets`, which ``requireFit(_:_:)`` has checked.
    ///
    /// The reference sorts context and targets by id before the blocks and restores the order
    /// afterwards. This is omitted here: the blocks are equivariant to the order of tokens, so it
    /// changes results only by rounding.
    private func prediction(
        of targets: TokenSelection,
        from context: TokenFeatures,
        options: ForwardOptions,
        session: ComputeSession
    ) throws -> Prediction {
        let (batch, known, wanted) = (targets.batch, context.selection.count, targets.count)
        let tokens = known + wanted
        let x = Matrix(rows: batch * tokens, columns: stack.width)
        let features = context.values.matrix
        session.forEachPanel(samples: batch, rows: known, height: 256) { sample, range, scratch in
            input.apply(
                to: features.rows(
                    sample * known + range.lowerBound..<sample * known + range.upperBound
                ),
                into: x.rows(
                    sample * tokens + range.lowerBound..<sample * tokens + range.upperBound
                ),
                scratch: scratch
            )
        }
        let mask = options.maskIndex % maskTokens.rows
        for sample in 0..<batch {
            for row in sample * tokens + known..<(sample + 1) * tokens {
                x.rows(row..<row + 1).copy(from: maskTokens.rows(mask..<mask + 1))
            }
        }
        if let offset {
            for row in 0..<x.rows { x.rows(row..<row + 1).add(offset) }
        }
        let ids = try TokenSelection(zip(context.selection.ids, targets.ids).map { $0 + $1 })
        for (sample, tokenIDs) in ids.ids.enumerated() {
            let rows = x.rows(sample * tokens..<(sample + 1) * tokens)
            positions.add(to: rows, ids: tokenIDs[...])
        }
        _ = try stack.apply(
            to: x,
            ids: ids,
            positions: positions,
            options: options,
            session: session
        )

        func mapped(
            _ map: Linear,
            of selection: TokenSelection,
            from start: Int
        ) throws -> TokenFeatures {
            let (count, outputs) = (selection.count, map.weight.outputs)
            let result = Matrix(rows: batch * count, columns: outputs)
            session.forEachPanel(samples: batch, rows: count, height: 256) {
                sample,
                range,
                scratch in
                let first = sample * tokens + start
                map.apply(
                    to: x.rows(first + range.lowerBound..<first + range.upperBound),
                    into: result.rows(
                        sample * count + range.lowerBound..<sample * count + range.upperBound
                    ),
                    scratch: scratch
                )
            }
            return try TokenFeatures(
                values: Tensor(shape: [batch, count, outputs], buffer: result.buffer),
                selection: selection
            )
        }
        let predicted = try mapped(output, of: targets, from: known)
        try predicted.values.requireFinite("predictions")
        return Prediction(
            targets: predicted,
            context: try contextOutput.map {
                try mapped($0, of: context.selection, from: 0)
            }
        )
    }
}
