// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
internal import ZooCore
internal import ZooTensor

/// The accuracy of a vote of the nearest labelled samples; nothing is fitted.
///
/// Samples are those of ``ProbeSamples``, with the column `label` (F32, [samples, 1]). Features are averaged over
/// tokens, and compared by the cosine. Each of the K nearest samples to fit on votes for its class with the weight
/// exp(cosine / temperature).
///
/// Source of the vote: Z. Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination"
/// (2018), section 3.4. No JEPA repository publishes a k-NN evaluation; this one is our own.
struct NearestNeighbourSuite: EvaluationSuite {
    static let id = SuiteID(name: "knn", version: 1)
    var fits: Bool { true }

    private let probe: ProbeParameters
    private let neighbours: [Int]
    private let temperature: Double

    init(_ definition: SuiteDefinition) throws(ZooError) {
        let parameters = definition.parameters
        probe = try ProbeParameters(definition)
        neighbours = try parameters.integers("neighbours", in: 1...1000, maximum: 16)
        guard !neighbours.isEmpty, Set(neighbours).count == neighbours.count else {
            throw parameters.invalid("neighbours", "must list each number once")
        }
        temperature = try parameters.number("temperature")
        guard (0.001...1000).contains(temperature) else {
            throw parameters.invalid("temperature", "must be from 0.001 to 1000")
        }
    }

    var metrics: [MetricDefinition] {
        neighbours.flatMap { count in
            [
                MetricDefinition(
                    "accuracy, \(count) neighbours",
                    unit: "fraction",
                    better: .higher
                )
            ]
                + (probe.withRaw
                    ? [
                        MetricDefinition(
                            "1 - accuracy of raw over that of the model, \(count) neighbours",
                            unit: "ratio",
                            better: .higher
                        )
                    ] : [])
        }
    }

    func stages(
        of model: EvaluatedModel,
        on data: EvaluationData
    ) async throws -> [any SampleStage] {
        try await probe.stages(of: model, on: data) { samples in
            _ = try SampleClasses(probe.label, of: samples)
            if let most = neighbours.max(), most > samples.fitted.count {
                throw ZooError.dataUnsuitable(
                    "the split '\(probe.fit)' has \(samples.fitted.count) samples, fewer than \(most) neighbours"
                )
            }
        }
    }

    func measure(
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Measurement] {
        let samples = try probe.samples(data)
        let classes = try SampleClasses(probe.label, of: samples)
        let predicted = try probe.features(table, on: data).map { features in
            try votes(features.fit, features.measured, classes, session).map {
                PredictedClasses($0, of: classes.measured)
            }
        }
        var definitions = metrics[...]
        return neighbours.indices.flatMap { index in
            let found = predicted[0][index]
            return [found.accuracy(definitions.removeFirst())]
                + predicted.dropFirst().map {
                    found.errorRatio(definitions.removeFirst(), of: $0[index])
                }
        }
    }

    /// The class of each sample to measure on, for each number of neighbours.
    private func votes(
        _ fit: RowBlocks,
        _ measured: RowBlocks,
        _ classes: SampleClasses,
        _ session: ComputeSession
    ) throws -> [[Int]] {
        var votes: [[Int]] = Array(repeating: [], count: neighbours.count)
        try NearestRows(fit, in: session).forEachQuery(
            measured,
            count: neighbours.max() ?? 1,
            in: session
        ) { found in
            for (index, count) in neighbours.enumerated() {
                var weights = [Double](repeating: 0, count: classes.labels.count)
                for neighbour in found.prefix(count) {
                    // A common factor does not change the order, and keeps the weights finite.
                    let cosine = Double(neighbour.cosine) - Double(found[0].cosine)
                    weights[classes.fit[neighbour.row]] += exp(cosine / temperature)
                }
                votes[index].append(weights.firstIndex(of: weights.max() ?? 0) ?? 0)
            }
        }
        return votes
    }
}
