// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooModels
internal import ZooTensor

/// The features of each sample of a held split, averaged over its tokens, clips and views.
///
/// All suites that read the split share them, whatever else they read. One sample is in memory at a time.
struct HeldFeatureStage: SampleStage {
    private let split: HeldData.Labelled
    let data: JSONValue?
    private let reader: HeldSampleReader
    private let preparation: HeldPreparation
    private let encoder: any JEPAEncoder

    /// Describes the features of a split.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when the model takes no pictures; a `model.*`,
    ///   `checkpoint.*`, `media.*` or `io.*` code; `CancellationError`.
    init(
        _ split: HeldData.Labelled,
        of data: HeldData,
        _ preparation: HeldPreparation,
        with model: EvaluatedModel
    ) async throws {
        self.split = split
        self.data = try data.json(ofSplit: split.name)
        self.preparation = preparation
        encoder = try await model.encoder()
        guard !(encoder is SeriesJEPAModel) else {
            throw ZooError.dataUnsuitable(
                "the model in '\(model.folder)' takes time series, and held data are images or videos",
                remedy: "evaluate a model of images or videos"
            )
        }
        reader = try preparation.reader(of: data, for: model, encoder.input)
    }

    var definition: JSONValue {
        ["features": "mean", "preparation": preparation.json]
    }
    var decoders: [String: String] { preparation.decoders }
    var columns: [String: Int] { [ProbeFeatureStage.features: encoder.width] }
    var samples: Int { split.samples.count }
    var chunk: Int { 16 }

    func compute(_ samples: Range<Int>, on pool: ComputePool) async throws -> [String: Tensor] {
        var rows: [Float] = []
        for sample in split.samples[samples] {
            let pixels = try await reader.pixels(of: sample)
            let sizes = pixels.shape.sizes
            let clips = pixels.reshaped(Shape([sizes[0] * sizes[1]] + sizes.dropFirst(2)))
            let tokens = try await encoder.encode(
                clips,
                visible: nil,
                options: ForwardOptions(),
                on: pool
            ).tokens.values
            let all = tokens.shape[0] * tokens.shape[1]
            rows += tokens.reshaped([1, all, tokens.shape[2]]).meansOfTokens.values
        }
        return [
            ProbeFeatureStage.features: Tensor(
                shape: [samples.count, encoder.width],
                values: rows
            )
        ]
    }
}
