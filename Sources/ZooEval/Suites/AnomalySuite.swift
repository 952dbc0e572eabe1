// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooTensor

/// Whether windows of a time series with an anomaly are harder to predict than those without.
///
/// Samples: windows `values` (F32, [samples, steps, channels]) and `kind` (F32, [samples, 1]): 0 for a window without
/// anomaly, otherwise 1 + an index into the parameter `kinds`. The score of a window is the prediction error of its
/// tokens in the latent space (``MaskedErrorStage``), averaged. Baselines are scores on raw channels
/// (``RawSeriesScores``) with the statistics of the windows of another split.
struct AnomalySuite: SingleStageSuite {
    static let id = SuiteID(name: "anomaly", version: 1)

    /// The title of all kinds together.
    private static let any = "any"

    private let block: Int
    private let kinds: [String]
    private let reference: String
    private let split: String

    init(_ definition: SuiteDefinition) throws(ZooError) {
        let parameters = definition.parameters
        block = try parameters.integer("block", in: 1...4096)
        kinds = try parameters.strings("kinds", maximum: 64, each: 64)
        guard !kinds.isEmpty, Set(kinds).count == kinds.count, !kinds.contains(Self.any) else {
            throw parameters.invalid("kinds", "must name each kind once, and none '\(Self.any)'")
        }
        reference = try parameters.string("reference", maximum: 64)
        split = try definition.dataSet().split
    }

    var titles: [String] { kinds + [Self.any] }

    var metrics: [MetricDefinition] {
        titles.map { MetricDefinition("AUROC, \($0)", unit: "fraction", better: .higher) }
            + titles.flatMap { kind in
                RawSeriesScores.Kind.allCases.map {
                    MetricDefinition(
                        "1 - AUROC of \($0.rawValue) over that of the model, \(kind)",
                        unit: "ratio",
                        better: .higher
                    )
                }
            }
    }

    func stage(of model: EvaluatedModel, on data: EvaluationData) async throws -> any SampleStage {
        // Before anything is computed.
        let windows = try await BlockingWork.run { _ in
            _ = try scoresOfBaselines(data)
            return try SeriesWindows(split, of: data)
        }
        return try await MaskedErrorStage(windows, block: block, of: model)
    }

    /// The samples of each title, after those without anomaly.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when a sample has no kind, or there are fewer
    ///   than two samples of a kind or without anomaly.
    private func samples(
        _ windows: SeriesWindows
    ) throws(ZooError) -> (normal: [Int], of: [[Int]]) {
        var samples: [[Int]] = Array(repeating: [], count: kinds.count + 1)
        for (sample, number) in try windows.numbers("kind").enumerated() {
            guard let kind = samples.indices.first(where: { Float($0) == number }) else {
                throw .dataUnsuitable(
                    "'kind' of sample \(sample) of the split '\(split)' is \(number), neither 0 nor 1 + an index "
                        + "into 'kinds'"
                )
            }
            samples[kind].append(sample)
        }
        if let kind = samples.firstIndex(where: { $0.count < 2 }) {
            throw .dataUnsuitable(
                "the split '\(split)' has fewer than two windows "
                    + (kind == 0 ? "without anomaly" : "of the kind '\(kinds[kind - 1])'")
            )
        }
        let normal = samples.removeFirst()
        return (normal, samples + [samples.flatMap(\.self)])
    }

    /// The scores of the baselines for each sample.
    private func scoresOfBaselines(
        _ data: EvaluationData
    ) throws(ZooError) -> [[RawSeriesScores.Kind: Double]] {
        let windows = try SeriesWindows(split, of: data)
        _ = try samples(windows)
        let normal = try SeriesWindows(reference, of: data)
        guard normal.steps == windows.steps, normal.channels == windows.channels, normal.count > 1
        else {
            throw .dataUnsuitable(
                "the split '\(reference)' must have at least two windows of \(windows.steps) steps and "
                    + "\(windows.channels) channels, as '\(split)'"
            )
        }
        let scores = try RawSeriesScores(
            normal.values(0..<normal.count).values,
            steps: normal.steps,
            channels: normal.channels
        )
        let values = try windows.values(0..<windows.count).values
        return (0..<windows.count).map { scores.scores($0, of: values) }
    }

    func measure(
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Measurement] {
        let errors = try table.rows("errors").map { $0.reduce(0, +) / Double($0.count) }
        let baselines = try scoresOfBaselines(data)
        let (normal, anomalous) = try samples(try SeriesWindows(split, of: data))
        func area(_ scores: [Double], _ chosen: [Int]) -> AreaUnderCurve {
            AreaUnderCurve(low: normal.map { scores[$0] }, high: chosen.map { scores[$0] })
        }
        var definitions = metrics[...]
        let found = anomalous.map { area(errors, $0) }
        var result = zip(found, anomalous).map { area, chosen in
            Measurement(
                definitions.removeFirst(),
                area.value,
                samples: normal.count + chosen.count,
                interval: area.interval
            )
        }
        for (area, chosen) in zip(found, anomalous) {
            for kind in RawSeriesScores.Kind.allCases {
                let other = AreaUnderCurve(
                    low: normal.compactMap { baselines[$0][kind] },
                    high: chosen.compactMap { baselines[$0][kind] }
                )
                let ratio = area.errorRatio(of: other)
                result.append(
                    Measurement(
                        definitions.removeFirst(),
                        ratio.value,
                        samples: normal.count + chosen.count,
                        interval: ratio.interval
                    )
                )
            }
        }
        return result
    }
}
