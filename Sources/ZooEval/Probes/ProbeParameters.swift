// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// What linear probes are told, whatever they predict.
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

    /// Reads the parameters `input`, `fit`, `label` and `raw`.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    init(_ definition: SuiteDefinition) throws(ZooError) {
        let parameters = definition.parameters
        input = try parameters.choice("input", of: ProbeSamples.Input.self)
        fit = try parameters.string("fit", maximum: 64)
        label = try parameters.string("label", maximum: 64)
        guard case .bool(let raw) = try parameters.required("raw") else {
            throw parameters.invalid("raw", "must be true or false")
        }
        withRaw = raw
        split = try definition.dataSet().split
    }

    /// The names of the columns of features to probe: those of the model, then the baseline.
    var columns: [String] {
        [ProbeFeatureStage.features] + (withRaw ? [ProbeFeatureStage.raw] : [])
    }

    /// Opens the samples.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`, or a `checkpoint.*` or `io.*` code.
    func samples(_ data: EvaluationData) throws(ZooError) -> ProbeSamples {
        try ProbeSamples(input, fit: fit, measured: split, of: data)
    }
}
