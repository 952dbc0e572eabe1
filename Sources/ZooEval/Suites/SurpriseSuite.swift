// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooModels
internal import ZooTensor

/// Whether a model is more surprised by impossible than by possible clips, in one number for each clip.
///
/// Samples and errors are those of ``SurpriseParameters``. A clip's surprise is pooled over windows, then averaged over
/// contexts; ``SurpriseByContextSuite`` reports each context.
///
/// Source: facebookresearch/jepa-intuitive-physics `evaluation_code/evals/intuitive_physics/eval.py`:
/// windows, contexts, relative and absolute accuracy, AUROC of the negative loss.
struct SurpriseSuite: SingleStageSuite {
    static let id = SuiteID(name: "surprise", version: 1)

    enum Pool: String, CaseIterable { case mean, maximum }

    private let parameters: SurpriseParameters
    private let pool: Pool

    init(_ definition: SuiteDefinition) throws(ZooError) {
        parameters = try SurpriseParameters(definition)
        pool = try definition.parameters.choice("pool", of: Pool.self)
    }

    var metrics: [MetricDefinition] {
        parameters.kinds.flatMap { kind in
            ["relative accuracy", "absolute accuracy", "AUROC"].map {
                MetricDefinition("\($0), \(kind)", unit: "fraction", better: .higher)
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
        let (possible, impossible) = (try table.rows("possible"), try table.rows("impossible"))
        var result: [Measurement] = []
        for (kind, chosen) in try parameters.samplesOfKinds(data).enumerated() {
            let scores = SurpriseScores(
                possible: chosen.map { surprise(possible[$0]) },
                impossible: chosen.map { surprise(impossible[$0]) }
            )
            let definitions = metrics[kind * 3..<kind * 3 + 3].map { $0 }
            result += [
                scores.relativeAccuracy(definitions[0]), scores.absoluteAccuracy(definitions[1]),
                scores.areaUnderCurve(definitions[2]),
            ]
        }
        return result
    }

    /// Pools the errors [windows · contexts] of a clip.
    private func surprise(_ errors: [Double]) -> Double {
        let contexts = parameters.method.contexts.count
        let windows = errors.count / contexts
        let pooled = (0..<contexts).map { context in
            let values = (0..<windows).map { errors[$0 * contexts + context] }
            return pool == .mean
                ? values.reduce(0, +) / Double(windows) : values.max() ?? 0
        }
        return pooled.reduce(0, +) / Double(contexts)
    }

    func exhibits(
        _ measurements: [Measurement],
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Exhibit] { try parameters.exhibits(table, on: data) }
}
