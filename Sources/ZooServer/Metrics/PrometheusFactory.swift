// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CoreMetrics
internal import Synchronization

/// Keeps the metrics of one server and writes them in the Prometheus text format, version 0.0.4.
///
/// A metric keeps its value for the life of the server. The same label and dimensions always give the
/// same metric, so the number of time series is the number of different dimensions that the callers use.
final class PrometheusFactory: MetricsFactory, Sendable {
    /// A metric with its values.
    protocol Series: AnyObject, Sendable {
        /// The word after `# TYPE`.
        static var kind: String { get }

        /// The sample lines.
        func samples(_ name: String, _ dimensions: Dimensions) -> [String]
    }

    /// The dimensions of a series in a form that can be compared.
    struct Dimensions: Hashable, Sendable {
        /// The pairs, each `name="value"`.
        let pairs: [String]

        init(_ dimensions: [(String, String)]) {
            pairs = dimensions.map { "\($0.0)=\"\(escaped($0.1, quotes: true))\"" }
        }

        /// The pairs in braces; empty without any.
        func text(and last: String? = nil) -> String {
            let all = pairs + (last.map { [$0] } ?? [])
            return all.isEmpty ? "" : "{\(all.joined(separator: ","))}"
        }
    }

    private let help: [String: String]
    private let families = Mutex<[String: [Dimensions: any Series]]>([:])

    /// Creates a factory without metrics.
    ///
    /// - Parameter help: one line about each metric, by its label.
    init(help: [String: String]) { self.help = help }

    /// Everything that was recorded, sorted by label.
    var text: String {
        let families = families.withLock { $0 }
        var lines: [String] = []
        for (name, series) in families.sorted(by: { $0.key < $1.key }) {
            guard let first = series.values.first else { continue }
            if let help = help[name] {
                lines.append("# HELP \(name) \(escaped(help, quotes: false))")
            }
            lines.append("# TYPE \(name) \(type(of: first).kind)")
            for (dimensions, series) in series.sorted(by: { $0.key.text() < $1.key.text() }) {
                lines += series.samples(name, dimensions)
            }
        }
        return lines.map { "\($0)\n" }.joined()
    }

    // MARK: MetricsFactory

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions) { PrometheusCounter() }
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions) { PrometheusGauge() }
    }

    func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        if aggregate { return series(label, dimensions) { PrometheusHistogram() } }
        return series(label, dimensions) { PrometheusGauge() }
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions) { PrometheusHistogram() }
    }

    // A scraper needs the value of a metric after its last user is gone.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    private func series<Kind: Series>(
        _ label: String,
        _ dimensions: [(String, String)],
        _ make: () -> Kind
    ) -> Kind {
        let dimensions = Dimensions(dimensions)
        return families.withLock { families in
            guard let known = families[label]?[dimensions] else {
                let new = make()
                families[label, default: [:]][dimensions] = new
                return new
            }
            guard let known = known as? Kind else {
                preconditionFailure("the metric '\(label)' is already a \(type(of: known).kind)")
            }
            return known
        }
    }
}

/// Escapes text as the format requires.
private func escaped(_ text: String, quotes: Bool) -> String {
    let escaped = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    return quotes ? escaped.replacing("\"", with: "\\\"") : escaped
}
