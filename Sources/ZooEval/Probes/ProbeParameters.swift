// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooTensor

/// The parameters that all probes have, and the features that follow from them.
struct ProbeParameters: Sendable {
    /// What samples are.
    let input: ProbeSplit.Input
    /// The split to fit on.
    let fit: String
    /// The split to measure on.
    let split: String
    /// The column of the labels.
    let label: String
    /// Whether a probe on samples as they are is a baseline.
    let withRaw: Bool
    private let features: ProbeFeatureStage.Features
    /// How held files become the input of the model; nil for samples of a data set.
    private let preparation: HeldPreparation?

    /// Reads the parameters `input`, `fit` and `label`, `raw` for averaged features, and for held data those of
    /// ``HeldPreparation``.
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
        input = try parameters.choice("input", of: ProbeSplit.Input.self)
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
        split = try definition.split()
        guard case .held = definition.data else {
            preparation = nil
            return
        }
        guard features == .mean else {
            throw parameters.invalid(
                "input",
                "is that of held data, and this suite reads data sets of a registry only"
            )
        }
        guard !withRaw else {
            throw parameters.invalid(
                "raw",
                "must be false for held data, which differ in their sizes"
            )
        }
        preparation = try HeldPreparation(parameters)
    }

    /// Opens the samples.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`, or a `checkpoint.*` or `io.*` code.
    func samples(_ data: EvaluationData) throws(ZooError) -> any LabelledSamples {
        guard case .held(let held) = data else { return try stored(data) }
        return try HeldLabels(fit: try held.labelled(fit), measured: try held.labelled(split))
    }

    private func stored(_ data: EvaluationData) throws(ZooError) -> ProbeSamples {
        try ProbeSamples(input, fit: fit, measured: split, of: data)
    }

    /// The stages that compute the features: of the split to fit on, then of the one to measure on.
    ///
    /// - Parameters:
    ///   - model: the model.
    ///   - data: the data set.
    ///   - check: throws if the samples do not suit the suite; called before anything is computed.
    /// - Returns: the stages.
    /// - Throws: what `check` and ``ProbeFeatureStage`` throw.
    func stages(
        of model: EvaluatedModel,
        on data: EvaluationData,
        _ check: @escaping @Sendable (any LabelledSamples) throws -> Void
    ) async throws -> [any SampleStage] {
        try await BlockingWork.run { _ in try check(try self.samples(data)) }
        var stages: [any SampleStage] = []
        if let preparation, case .held(let held) = data {
            for split in [fit, split] {
                stages.append(
                    try await HeldFeatureStage(
                        try held.labelled(split),
                        of: held,
                        preparation,
                        with: model
                    )
                )
            }
            return stages
        }
        let samples = try await BlockingWork.run { _ in
            let samples = try stored(data)
            if withRaw { _ = try samples.fit.rawWidth() }
            return samples
        }
        for split in [samples.fit, samples.measured] {
            stages.append(try await ProbeFeatureStage(split, features, of: model))
        }
        return stages
    }

    /// The features to probe: the stored ones of the model, then samples as they are if they are a baseline.
    ///
    /// - Parameters:
    ///   - table: the columns of all samples.
    ///   - data: the data.
    /// - Returns: for each of them, the rows to fit on and those to measure on.
    /// - Throws: as ``SampleTable/blocks(_:_:)`` and ``ProbeSplit/rawRows()``.
    func features(
        _ table: SampleTable,
        on data: EvaluationData
    ) throws(ZooError) -> [(fit: RowBlocks, measured: RowBlocks)] {
        let samples = try samples(data)
        let column = ProbeFeatureStage.features
        var features = [
            (
                fit: try table.blocks(column, samples.fitted),
                measured: try table.blocks(column, samples.tested)
            )
        ]
        if withRaw {
            let stored = try stored(data)
            features.append(
                (fit: try stored.fit.rawRows(), measured: try stored.measured.rawRows())
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
