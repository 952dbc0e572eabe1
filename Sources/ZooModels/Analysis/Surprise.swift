// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
public import ZooTensor

/// The distance between predicted and actual features of a video, window by window.
///
/// The encoder sees only the first frames of a window, the predictor predicts the features of the
/// other frames, and the surprise is the mean absolute difference from the normalised features of
/// the whole window.
///
/// Source: facebookresearch/jepa-intuitive-physics
/// `evaluation_code/evals/intuitive_physics/eval.py`.
public struct Surprise: Hashable, Sendable {
    /// One window of one video.
    public struct Window: Hashable, Sendable {
        /// The first frame.
        public let start: Int
        /// The mean absolute difference over tokens and elements, for each of
        /// ``SurpriseProtocol/contexts``.
        public let values: [Float]
    }

    /// The protocol of the measurement.
    public let method: SurpriseProtocol
    /// The windows of each video, in order.
    public let videos: [[Window]]

    /// Returns the mean over the windows of a video, for each context.
    public func means(of video: Int) -> [Float] {
        pooled(video) { values in values.reduce(0, +) / Float(values.count) }
    }

    /// Returns the maximum over the windows of a video, for each context.
    public func maxima(of video: Int) -> [Float] { pooled(video) { $0.max() ?? 0 } }

    private func pooled(_ video: Int, _ pool: ([Float]) -> Float) -> [Float] {
        method.contexts.indices.map { index in pool(videos[video].map { $0.values[index] }) }
    }

    /// Measures the surprise of videos.
    ///
    /// - Parameters:
    ///   - videos: [batch, frames, channels, height, width], normalised as the model's card says.
    ///   - model: a model whose predictor was trained on the features of its own encoder.
    ///   - method: windows and contexts; contexts must be whole tubelets.
    ///   - pool: the threads to compute on.
    ///   - progress: called after each forward pass with the number of completed passes and their
    ///     total.
    /// - Returns: the surprise in every window.
    /// - Throws: `ZooError` with code `model.surprise-protocol-invalid`, `model.unsupported`,
    ///   `model.input-shape-invalid` or `model.token-selection-invalid`; `CancellationError` when
    ///   the task is cancelled.
    public static func measure(
        _ videos: Tensor,
        with model: any JEPAEncoder,
        by method: SurpriseProtocol,
        on pool: ComputePool = .shared,
        progress: (@Sendable (_ completed: Int, _ total: Int) -> Void)? = nil
    ) async throws -> Surprise {
        var result: [[Window]] = []
        var values: [[Float]] = []
        try await forEachPrediction(of: videos, with: model, by: method, on: pool, progress) {
            found in
            let (predicted, actual) = (
                found.predicted.values.matrix,
                try found.targets.selecting(found.predicted.selection).values.matrix
            )
            let batch = found.predicted.selection.batch
            if result.isEmpty { result = Array(repeating: [], count: batch) }
            if found.context == 0 { values = Array(repeating: [], count: batch) }
            for sample in 0..<batch {
                let count = found.predicted.selection.count
                let rows = sample * count..<(sample + 1) * count
                let distance = LatentDistance(.meanAbsolute)
                    .between(predicted.rows(rows), actual.rows(rows))
                values[sample].append(Float(distance))
            }
            guard found.context == method.contexts.count - 1 else { return }
            for sample in 0..<batch {
                result[sample].append(Window(start: found.start, values: values[sample]))
            }
        }
        return Surprise(method: method, videos: result)
    }

    /// What a model predicts of a window from one context.
    package struct Prediction: Sendable {
        /// The first frame of the window.
        package let start: Int
        /// The index in ``SurpriseProtocol/contexts``.
        package let context: Int
        /// The predicted features of all tokens after the context.
        package let predicted: TokenFeatures
        /// The normalised features of all tokens of the window.
        package let targets: TokenFeatures
    }

    /// Predicts the frames after each context, window by window.
    ///
    /// - Parameters:
    ///   - videos: [batch, frames, channels, height, width], normalised as the model's card says.
    ///   - model: a model whose predictor was trained on the features of its own encoder.
    ///   - method: windows and contexts; contexts must be whole tubelets.
    ///   - pool: the threads to compute on.
    ///   - progress: as in ``measure(_:with:by:on:progress:)``.
    ///   - body: receives the predictions, by window and then by context.
    /// - Throws: as ``measure(_:with:by:on:progress:)``, or what `body` throws.
    package static func forEachPrediction(
        of videos: Tensor,
        with model: any JEPAEncoder,
        by method: SurpriseProtocol,
        on pool: ComputePool,
        _ progress: (@Sendable (_ completed: Int, _ total: Int) -> Void)? = nil,
        _ body: (Prediction) throws -> Void
    ) async throws {
        guard videos.shape.rank == 5, videos.shape[0] >= 1 else {
            throw ZooError(
                .inputShapeInvalid,
                "the input has the shape \(videos.shape), and must be videos [batch, frames, channels, "
                    + "height, width]"
            )
        }
        let predictor = try model.requirePredictor()
        try model.requireTrainedSize(videos.shape)
        let batch = videos.shape[0]
        let starts = try method.starts(frames: videos.shape[1])
        let options = ForwardOptions(maskIndex: method.maskIndex)
        let total = starts.count * (1 + 2 * method.contexts.count)
        var completed = 0
        func advance() {
            completed += 1
            progress?(completed, total)
        }
        for start in starts {
            let window = videos.frames(start..<start + method.window)
            let whole = try await model.encode(window, visible: nil, options: options, on: pool)
            let targets = try predictor.predictionTargets(of: whole)
            advance()
            for (index, context) in method.contexts.enumerated() {
                let seen = try model.tokens(ofFrames: 0..<context, batch: batch)
                let hidden = try model.tokens(ofFrames: context..<method.window, batch: batch)
                let known = try await model.encode(
                    window,
                    visible: seen,
                    options: options,
                    on: pool
                )
                advance()
                let predicted = try await predictor.predict(
                    hidden,
                    from: known.context,
                    options: options,
                    on: pool
                )
                advance()
                try body(
                    Prediction(
                        start: start,
                        context: index,
                        predicted: predicted,
                        targets: targets
                    )
                )
            }
        }
    }
}
