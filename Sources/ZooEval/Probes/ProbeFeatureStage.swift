// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooMedia
internal import ZooModels
internal import ZooTensor

/// The features of each sample, averaged over its tokens.
///
/// Probes on the same splits share them, whatever the label.
struct ProbeFeatureStage: SampleStage {
    /// The names of the columns.
    static let (features, raw) = ("features", "raw")

    private let samplesToProbe: ProbeSamples
    private let splits: [String]
    private let encoder: any JEPAEncoder
    /// Nil for windows of a time series.
    private let preprocessing: Preprocessing?
    private let rawWidth: Int?

    /// Describes the features of two splits.
    ///
    /// - Parameters:
    ///   - samples: the samples.
    ///   - splits: the names of the two splits.
    ///   - withRaw: whether to store samples as they are, too.
    ///   - model: the model.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when the model takes other samples; a
    ///   `model.*`, `checkpoint.*` or `io.*` code; `CancellationError`.
    init(
        _ samples: ProbeSamples,
        splits: [String],
        withRaw: Bool,
        of model: EvaluatedModel
    ) async throws {
        samplesToProbe = samples
        self.splits = splits
        encoder = try await model.encoder()
        let takesSeries = encoder is SeriesJEPAModel
        guard takesSeries == (samples.input == .values) else {
            throw ZooError.dataUnsuitable(
                "the samples are '\(samples.input.rawValue)', and the model in '\(model.folder)' takes "
                    + (takesSeries ? "'values'" : "'images' or 'frames'")
            )
        }
        preprocessing = takesSeries ? nil : try model.preprocessing()
        rawWidth = withRaw ? try samples.rawWidth() : nil
    }

    var definition: JSONValue {
        [
            "features": "mean", "input": .string(samplesToProbe.input.rawValue),
            "splits": .array(splits.map { .string($0) }),
            "columns": .array(columns.keys.sorted().map { .string($0) }),
        ]
    }
    var columns: [String: Int] {
        var columns = [Self.features: encoder.width]
        if let rawWidth { columns[Self.raw] = rawWidth }
        return columns
    }
    var samples: Int { samplesToProbe.count }
    var chunk: Int { 64 }

    func compute(_ samples: Range<Int>, on pool: ComputePool) async throws -> [String: Tensor] {
        let (pixels, raw) = try await BlockingWork.run { _ in
            (
                try samplesToProbe.pixels(samples, preprocessing),
                rawWidth == nil ? nil : try samplesToProbe.raw(samples)
            )
        }
        let input =
            samplesToProbe.input == .images
            ? pixels.repeatingFrame(encoder.input.imageFrames) : pixels
        let tokens = try await encoder.encode(
            input,
            visible: nil,
            options: ForwardOptions(),
            on: pool
        ).tokens.values
        var columns = [Self.features: tokens.meansOfTokens]
        if let raw { columns[Self.raw] = raw }
        return columns
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
