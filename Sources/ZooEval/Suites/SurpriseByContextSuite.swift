// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooModels
internal import ZooTensor

/// Whether a model is more surprised by impossible than by possible clips, for each context as upstream reports it.
///
/// Samples and errors are those of ``SurpriseParameters``. For each context alone, and for the least error of each window
/// over all contexts, which upstream calls filtered, a clip's surprise is the mean or the maximum over windows.
///
/// Source: facebookresearch/jepa-intuitive-physics `evaluation_code/evals/intuitive_physics/eval.py`, `compute_metrics`
/// and its callers. Not measured are its area under precision and recall, and its accuracy with the threshold that is
/// best on the clips that are measured.
struct SurpriseByContextSuite: SingleStageSuite {
    static let id = SuiteID(name: "surprise", version: 2)

    private static let titles = [
        "relative accuracy, mean over windows", "relative accuracy, maximum over windows",
        "absolute accuracy, maximum over windows", "AUROC, mean over windows",
        "AUROC, maximum over windows",
    ]

    private let parameters: SurpriseParameters

    init(_ definition: SuiteDefinition) throws(ZooError) {
        parameters = try SurpriseParameters(definition)
    }

    private var contexts: [Int] { parameters.method.contexts }

    var metrics: [MetricDefinition] {
        parameters.kinds.flatMap { kind in
            (contexts.map { "context of \($0) frames" } + ["least of the contexts"]).flatMap {
                row in
                Self.titles.map {
                    MetricDefinition("\($0), \(kind), \(row)", unit: "fraction", better: .higher)
                }
            }
        }
    }

    func stage(of model: EvaluatedModel, on data: EvaluationData) async throws -> any SampleStage {
        try await parameters.stage(of: model, on: data)
    }

    func measure(
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Measurement] {
        measurements(
            possible: try table.rows("possible"),
            impossible: try table.rows("impossible"),
            try parameters.samplesOfKinds(data)
        )
    }

    /// The measurements that follow from errors.
    ///
    /// - Parameters:
    ///   - possible: the errors [windows · contexts] of the possible clip of each pair.
    ///   - impossible: those of the impossible clip.
    ///   - kinds: the pairs of each kind.
    /// - Returns: one measurement for each of ``metrics``.
    func measurements(
        possible: [[Double]],
        impossible: [[Double]],
        _ kinds: [[Int]]
    ) -> [Measurement] {
        var definitions = metrics[...]
        var result: [Measurement] = []
        for pairs in kinds {
            for context in contexts.indices.map(Optional.init) + [nil] {
                func scores(_ pool: ([Double]) -> Double) -> SurpriseScores {
                    SurpriseScores(
                        possible: pairs.map { pool(windows(possible[$0], context)) },
                        impossible: pairs.map { pool(windows(impossible[$0], context)) }
                    )
                }
                let mean = scores { $0.reduce(0, +) / Double($0.count) }
                let maximum = scores { $0.max() ?? 0 }
                result += [
                    mean.relativeAccuracy(definitions.removeFirst()),
                    maximum.relativeAccuracy(definitions.removeFirst()),
                    maximum.absoluteAccuracy(definitions.removeFirst()),
                    mean.areaUnderCurve(definitions.removeFirst()),
                    maximum.areaUnderCurve(definitions.removeFirst()),
                ]
            }
        }
        return result
    }

    /// The error of each window of a clip [windows · contexts] for a context; nil for the least of all contexts.
    private func windows(_ errors: [Double], _ context: Int?) -> [Double] {
        stride(from: 0, to: errors.count, by: contexts.count).map { start in
            context.map { errors[start + $0] } ?? errors[start..<start + contexts.count].min() ?? 0
        }
    }

    func exhibits(
        _ measurements: [Measurement],
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Exhibit] { try parameters.exhibits(table, on: data) }
}
