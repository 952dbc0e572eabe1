// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation

/// A linear scale from values to places in a drawing.
struct Scale {
    /// The lowest value.
    let low: Double
    /// The highest value.
    let high: Double

    /// A scale that holds values, with some room above; nil when there is no finite one.
    ///
    /// - Parameters:
    ///   - values: what it holds.
    ///   - isFromZero: whether it holds 0 too, as lengths of bars need.
    init?(_ values: [Double], isFromZero: Bool = true) {
        let all = isFromZero ? values + [0] : values
        guard let least = all.min(), let most = all.max() else { return nil }
        // Shares are not drawn beyond 1.
        let isShare = isFromZero && least == 0 && most <= 1 && most > 0.5
        low = least < 0 ? least * 1.04 : least
        high = isShare ? 1 : most > least ? most + 0.04 * (most - least) : least + 1
        guard (high - low).isFinite, high > low, high - low > 1e-300 else { return nil }
    }

    /// A scale with these ends.
    init(from low: Double, to high: Double) {
        self.low = low
        self.high = high
    }

    /// The place of a value between two places; that of the nearest end for values outside.
    func place(_ value: Double, _ start: Double, _ end: Double) -> Double {
        let share = (value - low) / (high - low)
        return start + (share.isFinite ? min(max(share, 0), 1) : 0) * (end - start)
    }

    /// About five round numbers.
    var ticks: [Double] {
        let power = pow(10, floor(log10((high - low) / 4)))
        let step =
            [1, 2, 5, 10].map { $0 * power }.first { (high - low) / $0 <= 5.5 } ?? 10 * power
        let first = (low / step).rounded(.up)
        guard step > 0, first.magnitude < 1e12 else { return [low, high] }
        return (0..<8).map { (first + Double($0)) * step }.filter { $0 <= high + step * 1e-9 }
    }
}

extension Double {
    /// The number with four significant digits, such as `0.5234`, `12` or `1.2e-06`.
    var short: String { String(format: "%.4g", self == 0 ? 0 : self) }

    /// The number as a coordinate, in hundredths.
    var place: String { String(format: "%.2f", self) }
}
