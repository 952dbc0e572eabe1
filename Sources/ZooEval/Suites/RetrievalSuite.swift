// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooTensor

/// Whether the nearest windows of a time series have the same label.
///
/// Samples: windows `values` (F32, [samples, steps, channels]) and two columns (F32, [samples, 1]) that the parameters
/// name: `label`, and `group`, such as the engine that a window comes from. Each window is a query; the candidates are
/// the windows of other groups, ranked by the cosine of features averaged over tokens (``ProbeFeatureStage``). A
/// candidate is relevant if it has the label of the query.
///
/// Baselines: the cosine of raw windows, and of the means of their channels, each channel standardised with the mean and
/// the std of all windows.
struct RetrievalSuite: SingleStageSuite {
    static let id = SuiteID(name: "retrieval", version: 1)

    /// What windows are compared by without a model.
    enum Baseline: String, CaseIterable {
        case windows = "raw windows"
        case means = "channel means"
    }

    private let label: String
    private let group: String
    let neighbours: [Int]
    private let split: String

    init(_ definition: SuiteDefinition) throws(ZooError) {
        let parameters = definition.parameters
        label = try parameters.string("label", maximum: 64)
        group = try parameters.string("group", maximum: 64)
        neighbours = try parameters.integers("neighbours", in: 1...100_000, maximum: 16)
        guard !neighbours.isEmpty, Set(neighbours).count == neighbours.count else {
            throw parameters.invalid("neighbours", "must list each number once")
        }
        split = try definition.dataSet().split
    }

    private var titles: [String] {
        neighbours.map { "precision at \($0)" } + ["mean average precision"]
    }

    var metrics: [MetricDefinition] {
        titles.map { MetricDefinition($0, unit: "fraction", better: .higher) }
            + Baseline.allCases.flatMap { baseline in
                titles.map {
                    MetricDefinition(
                        "\($0) over that of \(baseline.rawValue)",
                        unit: "ratio",
                        better: .higher
                    )
                }
            }
    }

    func stage(of model: EvaluatedModel, on data: EvaluationData) async throws -> any SampleStage {
        // Before anything is computed.
        let windows = try await BlockingWork.run { _ in
            let windows = try SeriesWindows(split, of: data)
            _ = try truth(windows)
            _ = try rawFeatures(windows)
            return windows
        }
        _ = try await windows.encoder(of: model)
        let samples = try await BlockingWork.run { _ in
            try ProbeSplit(.values, split, of: data)
        }
        return try await ProbeFeatureStage(samples, .mean, of: model)
    }

    /// The label and the group of each window.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when there is one label only, a label is in one
    ///   group only, or a group leaves too few candidates.
    private func truth(
        _ windows: SeriesWindows
    ) throws(ZooError) -> (labels: [Float], groups: [Float]) {
        let (labels, groups) = (try windows.numbers(label), try windows.numbers(group))
        var groupsOfLabel: [Float: Set<Float>] = [:]
        for (label, group) in zip(labels, groups) {
            groupsOfLabel[label, default: []].insert(group)
        }
        guard groupsOfLabel.count > 1 else {
            throw .dataUnsuitable("all windows of the split '\(split)' have the same '\(label)'")
        }
        if let alone = groupsOfLabel.filter({ $0.value.count < 2 }).keys.min() {
            throw .dataUnsuitable(
                "only one '\(group)' of the split '\(split)' has windows with '\(label)' \(alone), so none of "
                    + "them can be found"
            )
        }
        let largest = Dictionary(grouping: groups, by: { $0 }).values.map(\.count).max() ?? 0
        guard let most = neighbours.max(), groups.count - largest >= most else {
            throw .dataUnsuitable(
                "a window of the split '\(split)' has \(groups.count - largest) candidates from other groups, and "
                    + "'neighbours' asks for more",
                remedy: "ask for at most \(groups.count - largest) neighbours"
            )
        }
        return (labels, groups)
    }

    /// The raw windows, each channel standardised, [windows][steps · channels].
    private func rawFeatures(_ windows: SeriesWindows) throws(ZooError) -> [[Double]] {
        let values = try windows.values(0..<windows.count).values
        let (channels, size) = (windows.channels, windows.steps * windows.channels)
        let statistics = try ChannelStatistics(values, channels: channels)
        return (0..<windows.count).map { window in
            (0..<size).map { index in
                let channel = index % channels
                return (Double(values[window * size + index]) - statistics.mean[channel])
                    / statistics.std[channel]
            }
        }
    }

    /// The mean of each channel of windows [windows][steps · channels].
    private static func means(_ rows: [[Double]], channels: Int) -> [[Double]] {
        rows.map { row in
            (0..<channels).map { channel in
                let numbers = stride(from: channel, to: row.count, by: channels).map { row[$0] }
                return numbers.reduce(0, +) / Double(numbers.count)
            }
        }
    }

    func measure(
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Measurement] {
        let windows = try SeriesWindows(split, of: data)
        let (labels, groups) = try truth(windows)
        func columns(_ features: [[Double]]) -> [[Double]] {
            RetrievalScores(features, labels: labels, groups: groups, neighbours: neighbours)
                .columns
        }
        let found = columns(try table.rows(ProbeFeatureStage.features))
        let raw = try rawFeatures(windows)
        var definitions = metrics[...]
        var result = found.map { Measurement(definitions.removeFirst(), meanOf: $0) }
        for baseline in Baseline.allCases {
            let other = columns(
                baseline == .windows ? raw : Self.means(raw, channels: windows.channels)
            )
            result += zip(found, other).map {
                Measurement(definitions.removeFirst(), ratioOfMeans: $0, $1)
            }
        }
        return result
    }
}

/// The precision of each query.
struct RetrievalScores: Sendable {
    /// For each number of neighbours, the share of relevant ones for each query; then the average precision.
    let columns: [[Double]]

    /// Ranks the candidates of each query.
    ///
    /// Candidates with equal cosines are ranked in their order for the precision at a number of neighbours, and
    /// together for the average precision, the sum of (recall − recall before) · precision over distinct cosines,
    /// as `average_precision_score` of scikit-learn computes it.
    ///
    /// - Parameters:
    ///   - features: [samples][width].
    ///   - labels: of each sample; each is in at least two groups.
    ///   - groups: of each sample.
    ///   - neighbours: at most the number of candidates of any query.
    init(_ features: [[Double]], labels: [Float], groups: [Float], neighbours: [Int]) {
        let unit = features.map { row in
            let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return norm > 0 ? row.map { $0 / norm } : row
        }
        var columns: [[Double]] = Array(repeating: [], count: neighbours.count + 1)
        for query in unit.indices {
            let candidates = unit.indices.filter { groups[$0] != groups[query] }
            let ranked = candidates.map { candidate in
                (cosine: Self.product(unit[query], unit[candidate]), candidate: candidate)
            }.sorted {
                ($0.cosine, $1.candidate) > ($1.cosine, $0.candidate)
            }
            let relevant = ranked.map { labels[$0.candidate] == labels[query] }
            for (index, count) in neighbours.enumerated() {
                let hits = relevant.prefix(count).count { $0 }
                columns[index].append(Double(hits) / Double(count))
            }
            columns[neighbours.count].append(
                Self.averagePrecision(relevant, ranked.map(\.cosine))
            )
        }
        self.columns = columns
    }

    private static func product(_ left: [Double], _ right: [Double]) -> Double {
        var sum = 0.0
        for index in left.indices { sum += left[index] * right[index] }
        return sum
    }

    /// The average precision of candidates in descending order of their scores, at least one of them relevant.
    private static func averagePrecision(_ relevant: [Bool], _ scores: [Double]) -> Double {
        let all = Double(relevant.count { $0 })
        var (hits, start, result) = (0, 0, 0.0)
        while start < scores.count {
            var end = start
            while end < scores.count, scores[end] == scores[start] { end += 1 }
            let new = relevant[start..<end].count { $0 }
            hits += new
            result += Double(new) / all * Double(hits) / Double(end)
            start = end
        }
        return result
    }
}
