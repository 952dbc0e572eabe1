// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooTensor

/// Features of known tokens to features of others.
struct VJEPA2Predictor: Sendable {
    /// Which of the learned mask tokens stands for what is to be predicted: transformers and the
    /// original code use index 1 when called directly, modulo the number there are.
    private static let maskIndex = 1

    private let input: Linear
    /// Learned tokens, [mask tokens, 1, 1, width].
    private let maskTokens: Tensor
    private let transformer: VJEPA2Transformer
    private let output: Linear
    private let width: Int

    init(_ configuration: VJEPA2Configuration, weights: WeightScope) throws(ZooError) {
        width = configuration.predictor.width
        let embeddings = weights.scope("embeddings")
        input = try embeddings.linear(
            "predictor_embeddings",
            from: configuration.encoder.width,
            to: width
        )
        maskTokens = try embeddings.values(
            "mask_tokens",
            shape: [configuration.maskTokens, 1, 1, width]
        )
        transformer = try VJEPA2Transformer(
            configuration,
            extents: configuration.predictor,
            weights: weights
        )
        output = try weights.linear("proj", from: width, to: configuration.encoder.width)
    }

    /// Predicts the features of `targets`.
    ///
    /// The reference sorts context and targets by id before the blocks and back afterwards. Each
    /// token carries its position, and nothing in a block depends on the order of tokens, so that
    /// is left out here: it changes results by rounding only.
    func predict(
        _ targets: TokenSelection,
        from context: TokenFeatures,
        options: ForwardOptions,
        session: ComputeSession
    ) throws -> TokenFeatures {
        let (batch, known, wanted) = (targets.batch, context.selection.count, targets.count)
        let tokens = known + wanted
        let x = Matrix(rows: batch * tokens, columns: width)
        let mask = maskTokens.matrix.rows(maskRow..<maskRow + 1)
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
        for sample in 0..<batch {
            for row in sample * tokens + known..<(sample + 1) * tokens {
                x.rows(row..<row + 1).copy(from: mask)
            }
        }
        let ids = try TokenSelection(zip(context.selection.ids, targets.ids).map { $0 + $1 })
        _ = try transformer.apply(to: x, ids: ids, options: options, session: session)

        let outputs = output.weight.outputs
        let result = Matrix(rows: batch * wanted, columns: outputs)
        session.forEachPanel(samples: batch, rows: wanted, height: 256) { sample, range, scratch in
            let first = sample * tokens + known
            output.apply(
                to: x.rows(first + range.lowerBound..<first + range.upperBound),
                into: result.rows(
                    sample * wanted + range.lowerBound..<sample * wanted + range.upperBound
                ),
                scratch: scratch
            )
        }
        return try TokenFeatures(
            values: Tensor(shape: [batch, wanted, outputs], buffer: result.buffer),
            selection: targets
        )
    }

    private var maskRow: Int { Self.maskIndex % maskTokens.shape[0] }
}
