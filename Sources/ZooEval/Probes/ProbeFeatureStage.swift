// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooMedia
internal import ZooModels
internal import ZooTensor

/// The features of each sample of a split, averaged over its tokens or of each token.
///
/// All suites that read the split share them, whatever else they read.
struct ProbeFeatureStage: SampleStage {
    /// What is stored of the tokens of a sample.
    enum Features: String {
        /// Their mean.
        case mean
        /// All, one after another, and their number.
        case tokens
    }

    /// The names of the columns.
    static let (features, tokens) = ("features", "tokens")

    private let split: ProbeSplit
    private let kind: Features
    /// The number of tokens of a sample; 1 for their mean.
    private let tokens: Int
    private let encoder: any JEPAEncoder
    /// Nil for windows of a time series.
    private let preprocessing: Preprocessing?

    /// Describes the features of a split.
    ///
    /// - Parameters:
    ///   - split: the split.
    ///   - features: what is stored of the tokens.
    ///   - model: the model.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when the model takes other samples; a
    ///   `model.*`, `checkpoint.*` or `io.*` code; `CancellationError`.
    init(
        _ split: ProbeSplit,
        _ features: Features,
        of model: EvaluatedModel
    ) async throws {
        self.split = split
        kind = features
        let encoder = try await model.encoder()
        self.encoder = encoder
        let takesSeries = encoder is SeriesJEPAModel
        guard takesSeries == (split.input == .values) else {
            throw ZooError.dataUnsuitable(
                "the samples are '\(split.input.rawValue)', and the model in '\(model.folder)' takes "
                    + (takesSeries ? "'values'" : "'images' or 'frames'")
            )
        }
        let preprocessing = takesSeries ? nil : try model.preprocessing()
        self.preprocessing = preprocessing
        switch features {
        case .mean: tokens = 1
        case .tokens:
            // Only a family knows how many tokens an input of some size has.
            let first = try await BlockingWork.run { _ in try split.pixels(0..<1, preprocessing) }
            tokens = try await Self.encode(first, split, encoder, .shared).shape[1]
        }
    }

    /// The features of all tokens, [samples, tokens, width].
    private static func encode(
        _ pixels: Tensor,
        _ split: ProbeSplit,
        _ encoder: any JEPAEncoder,
        _ pool: ComputePool
    ) async throws -> Tensor {
        try await encoder.encode(
            split.input == .images
                ? pixels.repeatingFrame(encoder.input.imageFrames) : pixels,
            visible: nil,
            options: ForwardOptions(),
            on: pool
        ).tokens.values
    }

    var definition: JSONValue {
        ["features": .string(kind.rawValue), "input": .string(split.input.rawValue)]
    }
    var data: JSONValue? { split.data }
    var columns: [String: Int] {
        var columns = [Self.features: tokens * encoder.width]
        if kind == .tokens { columns[Self.tokens] = 1 }
        return columns
    }
    var samples: Int { split.count }
    var chunk: Int { kind == .mean ? 64 : 16 }

    func compute(_ samples: Range<Int>, on pool: ComputePool) async throws -> [String: Tensor] {
        let pixels = try await BlockingWork.run { _ in try split.pixels(samples, preprocessing) }
        let features = try await Self.encode(pixels, split, encoder, pool)
        switch kind {
        case .mean: return [Self.features: features.meansOfTokens]
        case .tokens:
            return [
                Self.features: features.reshaped([samples.count, tokens * encoder.width]),
                Self.tokens: Tensor(
                    shape: [samples.count, 1],
                    values: Array(repeating: Float(tokens), count: samples.count)
                ),
            ]
        }
    }
}

extension Tensor {
    /// The mean of the features of each sample over its tokens, [samples, tokens, width] to [samples, width].
    var meansOfTokens: Tensor {
        let (samples, count, width) = (shape[0], shape[1], shape[2])
        let rows = reshaped([samples * count, width]).matrix
        return Tensor(
            shape: [samples, width],
            values: (0..<samples).flatMap { sample in
                rows.rows(sample * count..<(sample + 1) * count).columnMeans().map { Float($0) }
            }
        )
    }

    /// A still image as a clip, [samples, 1, channels, height, width] to [samples, frames, channels, height, width].
    func repeatingFrame(_ frames: Int) -> Tensor {
        guard frames > 1 else { return self }
        let size = shape.elementCount / shape[0]
        let values = values
        return Tensor(
            shape: Shape([shape[0], frames] + shape.sizes.dropFirst(2)),
            values: (0..<shape[0]).flatMap { sample in
                (0..<frames).flatMap { _ in values[sample * size..<(sample + 1) * size] }
            }
        )
    }
}
