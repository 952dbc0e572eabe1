// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The area under the curve of true over false positives (AUROC): the probability that a score of `high` is above one
/// of `low`, where equal ones count half.
struct AreaUnderCurve: Sendable {
    /// The area.
    let value: Double
    /// The number of scores that should be low.
    let low: Int
    /// The number of scores that should be high.
    let high: Int

    /// Describes an area that was computed.
    init(_ value: Double, low: Int, high: Int) {
        self.value = value
        self.low = low
        self.high = high
    }

    /// Computes the area of scores.
    ///
    /// - Parameters:
    ///   - low: scores that should be low, at least one.
    ///   - high: scores that should be high, at least one.
    init(low: [Double], high: [Double]) {
        self.init(
            SurpriseMetrics.areaUnderCurve(low: low, high: high),
            low: low.count,
            high: high.count
        )
    }

    /// The variance of an estimate when the true area is `area`.
    ///
    /// Source: J. A. Hanley and B. J. McNeil, "The meaning and use of the area under a receiver operating
    /// characteristic (ROC) curve", Radiology 143 (1982), 29 to 36.
    private func variance(_ area: Double) -> Double {
        let square = area * area
        let (q1, q2) = (area / (2 - area), 2 * square / (1 + area))
        return
            (area * (1 - area) + Double(high - 1) * (q1 - square)
            + Double(low - 1) * (q2 - square)) / (Double(low) * Double(high))
    }

    /// The areas that differ from the estimate by at most 1.96 standard errors of their own.
    ///
    /// Unlike an interval with the standard error of the estimate, it is inside 0 to 1 and wider than 0 for an
    /// estimate of 0 or 1.
    ///
    /// Source: R. G. Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic.
    /// Part 2", Statistics in Medicine 25 (2006), 559 to 573.
    var interval: ConfidenceInterval {
        ConfidenceInterval(low: bound(0), high: bound(1))
    }

    private func bound(_ end: Double) -> Double {
        var (inside, outside) = (value, end)
        let quantile = ConfidenceInterval.quantile
        func isInside(_ area: Double) -> Bool {
            let distance = area - value
            return distance * distance <= quantile * quantile * variance(area)
        }
        guard !isInside(end) else { return end }
        for _ in 0..<200 {
            let middle = (inside + outside) / 2
            if isInside(middle) { inside = middle } else { outside = middle }
        }
        return inside
    }

    /// The error 1 − area of another score over that of this one, with an interval.
    ///
    /// Errors are at least half a pair, so that the ratio is finite.
    func errorRatio(of other: AreaUnderCurve) -> (value: Double, interval: ConfidenceInterval) {
        other.logError.ratio(over: logError)
    }

    private var logError: LogError {
        let interval = interval
        return LogError(
            1 - value,
            ConfidenceInterval(low: 1 - interval.high, high: 1 - interval.low),
            least: 1 / (2 * Double(low) * Double(high))
        )
    }
}
