// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTensor

/// The labelled samples of a probe: a split to fit it on, then one to measure it on.
struct ProbeSamples: LabelledSamples {
    /// The split to fit on.
    let fit: ProbeSplit
    /// The split to measure on.
    let measured: ProbeSplit

    var fitted: Range<Int> { 0..<fit.count }
    var tested: Range<Int> { fit.count..<fit.count + measured.count }

    /// Opens two splits.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`, or a `checkpoint.*` or `io.*` code.
    init(
        _ input: ProbeSplit.Input,
        fit: String,
        measured: String,
        of data: EvaluationData
    ) throws(ZooError) {
        try Self.requireApart(fit, measured)
        self.fit = try ProbeSplit(input, fit, of: data)
        self.measured = try ProbeSplit(input, measured, of: data)
        guard self.fit.shape == self.measured.shape else {
            throw .dataUnsuitable(
                "the samples of the splits '\(fit)' and '\(measured)' differ in their sizes"
            )
        }
    }

    /// Checks that a probe is measured on another split than the one that it is fitted on.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`.
    static func requireApart(_ fit: String, _ measured: String) throws(ZooError) {
        guard fit != measured else {
            throw .dataUnsuitable(
                "the probe would be measured on the split '\(fit)' that it is fitted on",
                remedy: "name another split in 'fit'"
            )
        }
    }

    func numbers(_ column: String) throws(ZooError) -> (fit: [Float], measured: [Float]) {
        (try fit.numbers(column), try measured.numbers(column))
    }
}
