// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation

/// The logarithm of an error, with the ends of its interval.
struct LogError: Sendable {
    private let (low, value, high): (Double, Double, Double)

    /// Describes an error by an estimate with its interval.
    ///
    /// - Parameters:
    ///   - error: the estimate.
    ///   - interval: its interval.
    ///   - least: the smallest error to count with, so that its logarithm is finite.
    init(_ error: Double, _ interval: ConfidenceInterval, least: Double) {
        low = log(max(interval.low, least))
        value = log(max(error, least))
        high = log(max(interval.high, least))
    }

    /// The share of samples that are no hits, at least half a sample, with Wilson's interval.
    init(hits: Int, of samples: Int) {
        let misses = samples - hits
        self.init(
            Double(misses) / Double(samples),
            ConfidenceInterval(share: misses, of: samples),
            least: 1 / (2 * Double(samples))
        )
    }

    /// This error over another one, with an interval.
    ///
    /// The interval joins those of the two errors on the logarithmic scale as if they were independent. Errors on the
    /// same samples are correlated, mostly positively, so that it is wider than need be.
    ///
    /// Source: G. Y. Zou and A. Donner, "Construction of confidence limits about effect measures: a general
    /// approach", Statistics in Medicine 27 (2008), 1693 to 1702.
    func ratio(over below: LogError) -> (value: Double, interval: ConfidenceInterval) {
        let ratio = value - below.value
        func distance(_ first: Double, _ second: Double) -> Double {
            (first * first + second * second).squareRoot()
        }
        let down = distance(value - low, below.high - below.value)
        let up = distance(high - value, below.value - below.low)
        return (
            exp(ratio), ConfidenceInterval(low: exp(ratio - down), high: exp(ratio + up))
        )
    }
}
