// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The numbers of a measurement of surprise.
enum SurpriseMetrics {
    /// The share of possible clips that the threshold of absolute accuracy lets pass.
    private static let quantile = 0.9

    /// The threshold of absolute accuracy: of the sorted surprises of possible clips, that with the index
    /// ⌈0.9 n⌉, counted from 0, or the last.
    static func threshold(of possible: [Double]) -> Double {
        let sorted = possible.sorted()
        return sorted[min(Int((quantile * Double(sorted.count)).rounded(.up)), sorted.count - 1)]
    }

    /// The probability that a number of `high` is above one of `low`; equal ones count half.
    ///
    /// The area under the curve of true over false positives, by the Mann-Whitney statistic.
    static func areaUnderCurve(low: [Double], high: [Double]) -> Double {
        let ranked = (low.map { ($0, false) } + high.map { ($0, true) }).sorted { $0.0 < $1.0 }
        var (wins, below, start) = (0.0, 0, 0)
        while start < ranked.count {
            var end = start
            while end < ranked.count, ranked[end].0 == ranked[start].0 { end += 1 }
            let above = ranked[start..<end].count(where: \.1)
            let equal = end - start - above
            wins += Double(above) * (Double(below) + Double(equal) / 2)
            below += equal
            start = end
        }
        return wins / (Double(low.count) * Double(high.count))
    }
}

/// The surprise of the two clips of each pair, and the numbers that follow from it.
struct SurpriseScores: Sendable {
    private let possible: [Double]
    private let impossible: [Double]

    /// Takes the surprise of the possible and of the impossible clip of each pair, at least one.
    init(possible: [Double], impossible: [Double]) {
        (self.possible, self.impossible) = (possible, impossible)
    }

    /// The share of pairs whose possible clip surprises less.
    func relativeAccuracy(_ metric: MetricDefinition) -> Measurement {
        Measurement(
            metric,
            share: zip(possible, impossible).count { $0 < $1 },
            of: possible.count
        )
    }

    /// The share of clips on the right side of the threshold that possible clips set.
    func absoluteAccuracy(_ metric: MetricDefinition) -> Measurement {
        let threshold = SurpriseMetrics.threshold(of: possible)
        let right = possible.count { $0 < threshold } + impossible.count { $0 > threshold }
        return Measurement(metric, share: right, of: 2 * possible.count)
    }

    /// The probability that an impossible clip surprises more than a possible one.
    func areaUnderCurve(_ metric: MetricDefinition) -> Measurement {
        Measurement(
            metric,
            SurpriseMetrics.areaUnderCurve(low: possible, high: impossible),
            samples: 2 * possible.count
        )
    }
}
