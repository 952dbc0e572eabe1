// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// The classes of the samples that a probe is fitted to and measured on.
struct SampleClasses: Sendable {
    /// The label of each class, ascending.
    let labels: [Float]
    /// The class of each sample to fit on.
    let fit: [Int]
    /// The class of each sample to measure on.
    let measured: [Int]

    /// Reads the labels of a column.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when there is one class only, or a split has no
    ///   sample of a class of the other.
    init(_ column: String, of samples: any LabelledSamples) throws(ZooError) {
        let numbers = try samples.numbers(column)
        labels = Set(numbers.fit).sorted()
        guard labels.count > 1 else {
            throw .dataUnsuitable("all samples to fit on have the same '\(column)'")
        }
        let missing = Set(numbers.fit).symmetricDifference(numbers.measured).min()
        if let missing {
            throw .dataUnsuitable(
                "only one of the splits to fit on and to measure on has samples with '\(column)' \(missing)"
            )
        }
        let places = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
        fit = numbers.fit.map { places[$0] ?? 0 }
        measured = numbers.measured.map { places[$0] ?? 0 }
    }

    /// The class of most samples to fit on; the first of several.
    var mostFrequent: Int {
        var counts = [Int](repeating: 0, count: labels.count)
        for label in fit { counts[label] += 1 }
        return counts.firstIndex(of: counts.max() ?? 0) ?? 0
    }

    /// Checks that every class has samples among those that are not held out.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`.
    func requireAll(besides held: [Bool], _ column: String) throws(ZooError) {
        let kept = Set(zip(fit, held).filter { !$0.1 }.map(\.0))
        if let empty = labels.indices.first(where: { !kept.contains($0) }) {
            throw .dataUnsuitable(
                "all samples to fit on with '\(column)' \(labels[empty]) are held out to choose the settings of the probe",
                remedy: "hold out fewer samples with a larger 'holdOut'"
            )
        }
    }
}

/// Predicted classes, and the numbers that follow from them.
struct PredictedClasses: Sendable {
    /// Whether each prediction is right.
    let hits: [Bool]
    private let classes: [Int]

    /// Compares predictions with the classes of samples.
    init(_ predicted: [Int], of classes: [Int]) {
        hits = zip(predicted, classes).map { $0 == $1 }
        self.classes = classes
    }

    /// The share of right ones.
    func accuracy(_ metric: MetricDefinition) -> Measurement {
        Measurement(metric, share: hits.count { $0 }, of: hits.count)
    }

    /// The mean over the classes of the share of right ones.
    func classMeanAccuracy(_ metric: MetricDefinition) -> Measurement {
        let ofClass = Dictionary(grouping: zip(hits, classes), by: \.1)
        let shares = ofClass.keys.sorted().map { label in
            let own = ofClass[label] ?? []
            return Double(own.count { $0.0 }) / Double(own.count)
        }
        return Measurement(
            metric,
            shares.reduce(0, +) / Double(shares.count),
            samples: hits.count
        )
    }

    /// The share of wrong ones of other predictions over that of these.
    func errorRatio(_ metric: MetricDefinition, of other: PredictedClasses) -> Measurement {
        let ratio = LogError(hits: other.hits.count { $0 }, of: hits.count)
            .ratio(over: LogError(hits: hits.count { $0 }, of: hits.count))
        return Measurement(
            metric,
            ratio.value,
            samples: hits.count,
            interval: ratio.interval
        )
    }
}
