// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// A measured number.
package struct Measurement: Sendable, Equatable {
    /// What it means.
    package let metric: MetricDefinition
    /// The value.
    package let value: Double
    /// The number of samples that it is computed from.
    package let samples: Int
    /// The interval that holds the value for all samples that could have been drawn; nil when there is none.
    package let interval: ConfidenceInterval?
    /// What the definition lets the value be at most, or at least if higher is better; nil for any value.
    package let limit: Limit?

    /// A bound of a value.
    package struct Limit: Sendable, Equatable {
        /// The bound.
        package let value: Double
        /// Why it is the bound.
        package let reason: String
    }

    /// Whether the value keeps its bound, if it has one.
    package var isWithinLimit: Bool {
        guard let limit else { return true }
        return metric.direction == .lower ? value <= limit.value : value >= limit.value
    }

    /// Creates a measurement.
    package init(
        _ metric: MetricDefinition,
        _ value: Double,
        samples: Int,
        interval: ConfidenceInterval? = nil,
        limit: Limit? = nil
    ) {
        self.metric = metric
        self.value = value
        self.samples = samples
        self.interval = interval
        self.limit = limit
    }

    /// The mean of one number for each sample.
    ///
    /// - Parameters:
    ///   - metric: what it means.
    ///   - values: at least one number.
    package init(_ metric: MetricDefinition, meanOf values: [Double]) {
        self.init(
            metric,
            values.reduce(0, +) / Double(values.count),
            samples: values.count,
            interval: ConfidenceInterval(meanOf: values)
        )
    }

    /// The mean of one number for each sample over the mean of another.
    ///
    /// The interval is normal, with the standard error of the first-order expansion of the ratio (the delta
    /// method; W. G. Cochran, "Sampling Techniques", section 2.11).
    ///
    /// - Parameters:
    ///   - metric: what it means.
    ///   - values: at least one number.
    ///   - others: as many numbers, whose mean is not 0.
    package init(_ metric: MetricDefinition, ratioOfMeans values: [Double], _ others: [Double]) {
        let below = others.reduce(0, +) / Double(others.count)
        let ratio = values.reduce(0, +) / Double(values.count) / below
        let deviations = zip(values, others).map { ratio + ($0 - ratio * $1) / below }
        self.init(
            metric,
            ratio,
            samples: values.count,
            interval: ConfidenceInterval(meanOf: deviations)
        )
    }

    /// The share of samples for which something holds.
    ///
    /// - Parameters:
    ///   - metric: what it means.
    ///   - successes: the samples for which it holds.
    ///   - samples: all samples, at least one.
    package init(_ metric: MetricDefinition, share successes: Int, of samples: Int) {
        self.init(
            metric,
            Double(successes) / Double(samples),
            samples: samples,
            interval: ConfidenceInterval(share: successes, of: samples)
        )
    }
}

/// An interval of confidence 95 %.
package struct ConfidenceInterval: Sendable, Equatable {
    /// The lower end.
    package let low: Double
    /// The upper end.
    package let high: Double

    /// The 97.5 % quantile of the standard normal distribution.
    static let quantile = 1.959963984540054

    /// Creates an interval.
    package init(low: Double, high: Double) {
        self.low = low
        self.high = high
    }

    /// The normal interval of a mean: mean ± 1.96 standard errors; nil for fewer than two values.
    init?(meanOf values: [Double]) {
        guard values.count > 1 else { return nil }
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let half = Self.quantile * (squares / (count - 1) / count).squareRoot()
        self.init(low: mean - half, high: mean + half)
    }

    /// Wilson's interval of a share.
    ///
    /// Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal
    /// of the American Statistical Association 22 (1927), 209 to 212.
    init(share successes: Int, of samples: Int) {
        let (share, count) = (Double(successes) / Double(samples), Double(samples))
        let square = Self.quantile * Self.quantile
        let middle = (share + square / (2 * count)) / (1 + square / count)
        let half =
            Self.quantile / (1 + square / count)
            * (share * (1 - share) / count + square / (4 * count * count)).squareRoot()
        self.init(low: max(0, middle - half), high: min(1, middle + half))
    }
}
