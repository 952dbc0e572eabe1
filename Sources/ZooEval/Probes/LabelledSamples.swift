// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The labels of two splits: the samples to fit a probe on, then those to measure it on.
protocol LabelledSamples: Sendable {
    /// The samples to fit on.
    var fitted: Range<Int> { get }
    /// The samples to measure on.
    var tested: Range<Int> { get }

    /// A number for each sample.
    ///
    /// - Parameter column: the name of the numbers.
    /// - Returns: those of the samples to fit on, and of those to measure on.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`.
    func numbers(_ column: String) throws(ZooError) -> (fit: [Float], measured: [Float])
}

/// The labels of held data: the number of the class of each sample, with the name `class`.
struct HeldLabels: LabelledSamples {
    private let fit: HeldData.Labelled
    private let measured: HeldData.Labelled

    var fitted: Range<Int> { 0..<fit.samples.count }
    var tested: Range<Int> { fit.samples.count..<fit.samples.count + measured.samples.count }

    /// Takes two splits with the same classes.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when their classes differ, or they are one split.
    init(fit: HeldData.Labelled, measured: HeldData.Labelled) throws(ZooError) {
        (self.fit, self.measured) = (fit, measured)
        try ProbeSamples.requireApart(fit.name, measured.name)
        for split in [fit, measured] where split.classes == .none {
            throw .withoutClasses(split.name)
        }
        if let names = fit.classes.names, let others = measured.classes.names {
            let exact = (Set(names.map(ExactName.init)), Set(others.map(ExactName.init)))
            if let name = exact.0.symmetricDifference(exact.1).min() {
                throw .dataUnsuitable(
                    "only one of the splits '\(fit.name)' and '\(measured.name)' has the class '\(name)'",
                    remedy: "complete the data, or remove the class from both"
                )
            }
        }
        guard fit.classes == measured.classes else {
            throw .dataUnsuitable(
                "the splits '\(fit.name)' and '\(measured.name)' number their classes differently",
                remedy: "use the same layout, and the same list of labels, for both"
            )
        }
        let known = Set(fit.samples.map { ExactName($0.path) })
        if let both = measured.samples.first(where: { known.contains(ExactName($0.path)) }) {
            throw .dataUnsuitable(
                "'\(both.path)' is in both splits, '\(fit.name)' and '\(measured.name)'",
                remedy: "remove it from one of them"
            )
        }
    }

    func numbers(_ column: String) throws(ZooError) -> (fit: [Float], measured: [Float]) {
        guard column == "class" else {
            throw .dataUnsuitable(
                "held data have no '\(column)', only 'class'",
                remedy: "set 'label' of the suite to 'class', and remove 'group'"
            )
        }
        return (fit.samples.map { Float($0.label) }, measured.samples.map { Float($0.label) })
    }
}
