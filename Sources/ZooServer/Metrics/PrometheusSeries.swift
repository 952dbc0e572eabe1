// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CoreMetrics
internal import Synchronization

/// A number that only grows.
final class PrometheusCounter: CounterHandler, PrometheusFactory.Series {
    static let kind = "counter"
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { value.store(0, ordering: .relaxed) }

    func samples(_ name: String, _ dimensions: PrometheusFactory.Dimensions) -> [String] {
        ["\(name)\(dimensions.text()) \(value.load(ordering: .relaxed))"]
    }
}

/// A number that goes up and down.
final class PrometheusGauge: MeterHandler, RecorderHandler, PrometheusFactory.Series {
    static let kind = "gauge"
    private let value = Mutex(0.0)

    func set(_ new: Int64) { set(Double(new)) }
    func set(_ new: Double) { value.withLock { $0 = new } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ new: Int64) { set(new) }
    func record(_ new: Double) { set(new) }

    func samples(_ name: String, _ dimensions: PrometheusFactory.Dimensions) -> [String] {
        ["\(name)\(dimensions.text()) \(value.withLock { $0 })"]
    }
}

/// How often values, or times in seconds, were at most each of some bounds.
final class PrometheusHistogram: TimerHandler, RecorderHandler, PrometheusFactory.Series {
    static let kind = "histogram"

    /// The upper bounds, for a small document from the page cache up to a large blob on a slow line.
    private static let bounds = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800,
    ]

    private struct State {
        /// The number of values per bound, each without those below; the last has no bound.
        var counts = [Int](repeating: 0, count: PrometheusHistogram.bounds.count + 1)
        var sum = 0.0
    }

    private let state = Mutex(State())

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let place = Self.bounds.firstIndex { value <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.counts[place] += 1
            state.sum += value
        }
    }

    func samples(_ name: String, _ dimensions: PrometheusFactory.Dimensions) -> [String] {
        let state = state.withLock { $0 }
        var lines: [String] = []
        var count = 0
        for (bound, more) in zip(Self.bounds.map(\.description) + ["+Inf"], state.counts) {
            count += more
            lines.append("\(name)_bucket\(dimensions.text(and: "le=\"\(bound)\"")) \(count)")
        }
        lines.append("\(name)_sum\(dimensions.text()) \(state.sum)")
        lines.append("\(name)_count\(dimensions.text()) \(count)")
        return lines
    }
}
