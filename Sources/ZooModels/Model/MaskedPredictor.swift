// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// A predictor of the features of masked tokens from the features of visible tokens.
public protocol MaskedPredictor: Sendable {
    /// Predicts the features of tokens.
    ///
    /// - Parameters:
    ///   - targets: the tokens to predict.
    ///   - context: the features of visible tokens: all or some tokens of ``Encoding/context``.
    ///   - options: the mask token and progress.
    ///   - pool: the threads to compute on.
    /// - Returns: the features of the targets, comparable with ``predictionTargets(of:)``.
    /// - Throws: `ZooError` with code `model.input-shape-invalid`, `model.token-selection-invalid`
    ///   or `model.result-not-finite`; `CancellationError` when the task is cancelled.
    func predict(
        _ targets: TokenSelection,
        from context: TokenFeatures,
        options: ForwardOptions,
        on pool: ComputePool
    ) async throws -> TokenFeatures

    /// Returns the encoder features that predictions are compared with.
    ///
    /// - Throws: `ZooError` with code `model.unsupported` if the predictor was trained on the
    ///   features of another model.
    func predictionTargets(of encoding: Encoding) throws(ZooError) -> TokenFeatures
}

extension MaskedPredictor {
    /// Predicts on the shared threads; see ``predict(_:from:options:on:)``.
    public func predict(
        _ targets: TokenSelection,
        from context: TokenFeatures
    ) async throws -> TokenFeatures {
        try await predict(targets, from: context, options: ForwardOptions(), on: .shared)
    }
}
