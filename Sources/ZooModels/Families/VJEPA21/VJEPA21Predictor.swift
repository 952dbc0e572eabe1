// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// The predictor of V-JEPA 2.1 for tokens of videos or of images.
///
/// It predicts the levels of the encoder side by side, and maps the tokens of the context as well.
public struct VJEPA21Predictor: MaskedPredictor {
    let network: MaskedPredictorNetwork
    /// Levels of the encoder.
    let levels: Int
    /// Elements of a token of one level.
    let width: Int
    /// Elements of a predicted token.
    let outputs: Int

    /// Predicts the features of tokens; see ``MaskedPredictor``.
    public func predict(
        _ targets: TokenSelection,
        from context: TokenFeatures,
        options: ForwardOptions = ForwardOptions(),
        on pool: ComputePool = .shared
    ) async throws -> TokenFeatures {
        try await network.predict(targets, from: context, options: options, on: pool)
    }

    /// Predicts the features of tokens, and maps those of the context as well.
    ///
    /// - Parameters:
    ///   - targets: the tokens to predict.
    ///   - context: ``Encoding/context``, whole or selected from.
    ///   - options: the mask token, and progress.
    ///   - pool: the threads to compute on.
    /// - Returns: features of the targets and of the context, in the space of the teacher.
    /// - Throws: `ZooError` with code `model.input-shape-invalid`, `model.token-selection-invalid` or
    ///   `model.result-not-finite`; `CancellationError` when the task is cancelled.
    public func predictWithContext(
        _ targets: TokenSelection,
        from context: TokenFeatures,
        options: ForwardOptions = ForwardOptions(),
        on pool: ComputePool = .shared
    ) async throws -> (targets: TokenFeatures, context: TokenFeatures) {
        let prediction = try await network.prediction(
            of: targets,
            from: context,
            options: options,
            on: pool
        )
        return (prediction.targets, prediction.context ?? context)
    }

    /// The levels of the encoder side by side, each token of each level normalised by itself.
    ///
    /// Source: the loss of `app/vjepa_2_1` of facebookresearch/vjepa2.
    ///
    /// - Throws: `ZooError` with code `model.unsupported` for distilled models, whose predictor was
    ///   trained on the features of their teacher.
    public func predictionTargets(of encoding: Encoding) throws(ZooError) -> TokenFeatures {
        guard outputs == levels * width else {
            throw ZooError(
                .modelUnsupported,
                "the predictor of this distilled model gives features of its teacher "
                    + "(\(outputs) elements, and its own have \(levels * width))",
                remedy: "compare the predictions with the features of the teacher"
            )
        }
        return try encoding.context.normalised(parts: levels)
    }
}
