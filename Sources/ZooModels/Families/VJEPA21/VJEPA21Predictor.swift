// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// The predictor of V-JEPA 2.1 for tokens of videos or of images.
///
/// It predicts the concatenated levels of the encoder, also for the tokens of the context.
public struct VJEPA21Predictor: MaskedPredictor {
    let network: MaskedPredictorNetwork
    /// The number of encoder levels.
    let levels: Int
    /// The width of a token of one level.
    let width: Int
    /// The width of a predicted token.
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

    /// Predicts the features of targets and of context tokens.
    ///
    /// - Parameters:
    ///   - targets: the tokens to predict.
    ///   - context: the features of visible tokens: all or some tokens of ``Encoding/context``.
    ///   - options: the mask token and progress.
    ///   - pool: the threads to compute on.
    /// - Returns: the features of the targets and of the context, in the feature space of the
    ///   teacher.
    /// - Throws: `ZooError` with code `model.input-shape-invalid`, `model.token-selection-invalid`
    ///   or `model.result-not-finite`; `CancellationError` when the task is cancelled.
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

    /// Returns the concatenated levels of the encoder, each token of each level normalised
    /// separately.
    ///
    /// Source: the loss of `app/vjepa_2_1` of facebookresearch/vjepa2.
    ///
    /// - Throws: `ZooError` with code `model.unsupported` for distilled models, whose predictor was
    ///   trained on the features of their teacher.
    public func predictionTargets(of encoding: Encoding) throws(ZooError) -> TokenFeatures {
        guard outputs == levels * width else {
            throw ZooError(
                .modelUnsupported,
                "the predictor of this distilled model predicts features of its teacher "
                    + "(\(outputs) elements; its own features have \(levels * width))",
                remedy: "compare the predictions with the features of the teacher"
            )
        }
        return try encoding.context.normalised(parts: levels)
    }
}
