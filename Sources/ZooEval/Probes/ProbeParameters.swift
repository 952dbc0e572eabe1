// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooTensor

/// The parameters that all probes have, and the features that follow from them.
struct ProbeParameters: Sendable {
    /// What samples are.
    let input: ProbeSamples.Input
    /// The split to fit on.
    let fit: String
    /// The split to measure on.
    let split: String
    /// The column of the labels.
    let label: String
    /// Whether a probe on samples as they are is a baseline.
    let withRaw: Bool
    private let features: ProbeFeatureStage.Features

    /// Reads the parameters `input`, `fit` and `label`, and `raw` for averaged features.
    ///
    /// - Parameters:
    ///   - definition: the definition.
    ///   - features: what the probe reads.
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    init(
        _ definition: SuiteDefinition,
        features: ProbeFeatureStage.Features = .mean
    ) throws(ZooError) {
        let parameters = definition.parameters
        input = try parameters.choice("input", of: ProbeSamples.Input.self)
        fit = try parameters.string("fit", maximum: 64)
        label = try parameters.string("label", maximum: 64)
        self.features = features
        if features == .mean {
            guard case .bool(let raw) = try parameters.required("raw") else {
                throw parameters.invalid("raw", "must be true or false")
            }
            withRaw = raw
        } else {
            withRaw = false
        }
        split = try definition.dataSet().split
    }

    /// Opens the samples.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`, or a `checkpoint.*` or `io.*` code.
    func samples(_ data: EvaluationData) throws(ZooError) -> ProbeSamples {
        try ProbeSamples(input, fit: fit, measured: split, of: data)
    }

    /// The stage that computes the features.
    ///
    /// - Parameters:
    ///   - model: the model.
    ///   - data: the data set.
    ///   - check: throws if the samples do not suit the suite; called before anything is computed.
    /// - Returns: the stage.
    /// - Throws: what `check` and ``ProbeFeatureStage`` throw.
    func stage(
        of model: EvaluatedModel,
        on data: EvaluationData,
        _ check: @escaping @Sendable (ProbeSamples) throws -> Void
    ) async throws -> any SampleStage {
        let samples = try await BlockingWork.run { _ in
            let samples = try self.samples(data)
            try check(samples)
            return samples
        }
        return try await ProbeFeatureStage(
            samples,
            splits: [fit, split],
            features: features,
            withRaw: withRaw,
            of: model
        )
    }

    /// The stored features to probe: those of the model, then samples as they are if they are a baseline.
    ///
    /// - Parameters:
    ///   - table: the columns of all samples.
    ///   - samples: the samples.
    /// - Returns: for each of them, the rows to fit on and those to measure on.
    /// - Throws: as ``SampleTable/blocks(_:_:)``.
    func features(
        _ table: SampleTable,
        of samples: ProbeSamples
    ) throws(ZooError) -> [(fit: RowBlocks, measured: RowBlocks)] {
        var features: [(fit: RowBlocks, measured: RowBlocks)] = []
        for column in [ProbeFeatureStage.features] + (withRaw ? [ProbeFeatureStage.raw] : []) {
            features.append(
                (
                    try table.blocks(column, samples.fitted),
                    try table.blocks(column, samples.tested)
                )
            )
        }
        return features
    }

    /// The stored tokens of some samples.
    ///
    /// - Parameters:
    ///   - table: the columns of all samples.
    ///   - wanted: which samples.
    /// - Returns: their tokens, read when they are needed.
    /// - Throws: as ``SampleTable/tokens(_:count:_:)``.
    func tokens(_ table: SampleTable, _ wanted: Range<Int>) throws(ZooError) -> TokenSamples {
        try table.tokens(ProbeFeatureStage.features, count: ProbeFeatureStage.tokens, wanted)
    }
}
