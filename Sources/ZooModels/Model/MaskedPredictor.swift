// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// Predicts the features of masked tokens from the features of visible ones.
public protocol MaskedPredictor: Sendable {
    /// Predicts the features of tokens from the features of others.
    ///
    /// - Parameters:
    ///   - targets: the tokens to predict.
    ///   - context: the visible tokens, ``Encoding/context`` whole or selected from.
    ///   - options: the mask token, and progress.
    ///   - pool: the threads to compute on.
    /// - Returns: features of the targets, to be compared with ``predictionTargets(of:)``.
    /// - Throws: `ZooError` with code `model.input-shape-invalid`, `model.token-selection-invalid` or
    ///   `model.result-not-finite`; `CancellationError` when the task is cancelled.
    func predict(
        _ targets: TokenSelection,
        from context: TokenFeatures,
        options: ForwardOptions,
        on pool: ComputePool
    ) async throws -> TokenFeatures

    /// The features of the encoder that predictions are compared with; see the default implementation.
    ///
    /// - Throws: `ZooError` with code `model.unsupported` when the predictor was trained on the features
    ///   of another model.
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
