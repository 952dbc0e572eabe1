// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

/// What a fitted probe predicts, which samples choose its settings, and how it is judged.
struct ProbeTask: Sendable {
    enum Kind: String, CaseIterable { case classification, regression }

    /// What is predicted.
    let kind: Kind
    private let probe: ProbeParameters
    private let unit: String
    private let holdOut: Int
    private let group: String?

    /// Reads the parameters `task`, `unit`, `holdOut` and `group`.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    init(_ probe: ProbeParameters, _ parameters: JSONObject) throws(ZooError) {
        self.probe = probe
        kind = try parameters.choice("task", of: Kind.self)
        unit = kind == .regression ? try parameters.string("unit", maximum: 32) : "fraction"
        holdOut = try parameters.integer("holdOut", in: 2...1000)
        group = try parameters.optionalString("group", maximum: 64)
    }

    private var baselines: [String] { ["constant"] + (probe.withRaw ? ["raw"] : []) }

    /// What is measured, in order.
    ///
    /// - Parameter top: the number of first classes among which the right one counts, too; nil for none.
    /// - Returns: the metrics.
    func metrics(top: Int? = nil) -> [MetricDefinition] {
        switch kind {
        case .classification:
            [
                MetricDefinition("accuracy", unit: "fraction", better: .higher),
                MetricDefinition("class-mean accuracy", unit: "fraction", better: .higher),
            ]
                + (top.map {
                    [MetricDefinition("top-\($0) accuracy", unit: "fraction", better: .higher)]
                } ?? [])
                + baselines.map {
                    MetricDefinition(
                        "1 - accuracy of \($0) over that of the model",
                        unit: "ratio",
                        better: .higher
                    )
                }
        case .regression:
            [
                MetricDefinition("RMSE", unit: unit, better: .lower),
                MetricDefinition("R2", unit: "fraction", better: .higher),
            ]
                + baselines.map {
                    MetricDefinition(
                        "RMSE of \($0) over that of the model",
                        unit: "ratio",
                        better: .higher
                    )
                }
        }
    }

    /// Checks that samples suit the task.
    ///
    /// - Parameters:
    ///   - samples: the samples.
    ///   - choices: the number of settings to choose from.
    /// - Returns: the number of classes; 1 for a regression.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`.
    @discardableResult
    func check(_ samples: any LabelledSamples, choices: Int) throws(ZooError) -> Int {
        let held = try held(samples, choices: choices)
        guard kind == .classification else {
            _ = try targets(samples)
            _ = try groups(samples)
            return 1
        }
        let classes = try SampleClasses(probe.label, of: samples)
        try classes.requireAll(besides: held, probe.label)
        return classes.labels.count
    }

    /// Which samples to fit on are held out to choose settings.
    ///
    /// - Parameters:
    ///   - samples: the samples.
    ///   - choices: the number of settings to choose from; nothing is held out for a single one.
    /// - Returns: whether each sample to fit on is.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when none or all are.
    func held(_ samples: any LabelledSamples, choices: Int) throws(ZooError) -> [Bool] {
        guard let held = held(places: try places(samples, choices: choices), choices: choices)
        else {
            throw .dataUnsuitable(
                "the split '\(probe.fit)' has too few groups to hold out every \(holdOut)th of them"
            )
        }
        return held
    }

    /// Which samples are held out to choose settings.
    ///
    /// - Parameters:
    ///   - places: the group of each sample, numbered in the order of appearance.
    ///   - choices: the number of settings to choose from.
    /// - Returns: for each sample whether it is; nil when none or all of them would be held out.
    func held(places: [Int], choices: Int) -> [Bool]? {
        guard choices > 1 else { return Array(repeating: false, count: places.count) }
        let held = places.map { $0 % holdOut == holdOut - 1 }
        return held.contains(true) && held.contains(false) ? held : nil
    }

    /// The group of each sample to fit on, numbered in the order of appearance.
    ///
    /// - Parameters:
    ///   - samples: the samples.
    ///   - choices: the number of settings to choose from.
    /// - Returns: the groups.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`.
    func places(_ samples: any LabelledSamples, choices: Int) throws(ZooError) -> [Int] {
        // A classification with one setting needs no groups, and its data may have none.
        guard let group, choices > 1 || kind == .regression else { return Array(samples.fitted) }
        var order: [Float: Int] = [:]
        return try samples.numbers(group).fit.map { number in
            let place = order[number, default: order.count]
            order[number] = place
            return place
        }
    }

    /// The numbers to predict, of samples to fit on and to measure on.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when those to fit on or to measure on are equal.
    func targets(
        _ samples: any LabelledSamples
    ) throws(ZooError) -> (fit: [Double], measured: [Double]) {
        let numbers = try samples.numbers(probe.label)
        for (split, values) in [(probe.fit, numbers.fit), (probe.split, numbers.measured)] {
            guard Set(values).count > 1 else {
                throw .dataUnsuitable("all samples of '\(split)' have the same '\(probe.label)'")
            }
        }
        return (numbers.fit.map(Double.init), numbers.measured.map(Double.init))
    }

    /// The samples to measure on of each group.
    func groups(_ samples: any LabelledSamples) throws(ZooError) -> [[Int]] {
        guard let group else { return samples.tested.indices.map { [$0 - samples.fitted.count] } }
        let numbers = try samples.numbers(group).measured
        let members = Dictionary(grouping: numbers.indices, by: { numbers[$0] })
        return members.keys.sorted().map { members[$0] ?? [] }
    }

    // MARK: Measurements

    /// The measurements of a classification.
    ///
    /// - Parameters:
    ///   - predicted: the classes that the model, then each baseline but the constant predicts.
    ///   - classes: the classes of the samples.
    ///   - top: the number of samples whose class is among the first of the model, and how many are the first; nil if
    ///     it is not measured.
    /// - Returns: one measurement for each of ``metrics(top:)``.
    func measurements(
        _ predicted: [[Int]],
        _ classes: SampleClasses,
        top: (hits: Int, of: Int)? = nil
    ) -> [Measurement] {
        var metrics = metrics(top: top?.of)[...]
        let all = predicted.map { PredictedClasses($0, of: classes.measured) }
        let most = classes.mostFrequent
        let constant = PredictedClasses(classes.measured.map { _ in most }, of: classes.measured)
        let found = all[0]
        var measurements = [
            found.accuracy(metrics.removeFirst()), found.classMeanAccuracy(metrics.removeFirst()),
        ]
        if let top {
            measurements.append(
                Measurement(metrics.removeFirst(), share: top.hits, of: classes.measured.count)
            )
        }
        return measurements
            + ([constant] + all.dropFirst()).map {
                found.errorRatio(metrics.removeFirst(), of: $0)
            }
    }

    /// The measurements of a regression.
    ///
    /// - Parameters:
    ///   - predicted: the numbers that the model, then each baseline but the constant predicts.
    ///   - samples: the samples.
    /// - Returns: one measurement for each of ``metrics(top:)``.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`.
    func measurements(
        _ predicted: [[Double]],
        _ samples: any LabelledSamples
    ) throws(ZooError) -> [Measurement] {
        let (known, wanted) = try targets(samples)
        let constant = known.reduce(0, +) / Double(known.count)
        return measurements(
            [predicted[0], wanted.map { _ in constant }] + predicted.dropFirst(),
            wanted,
            try groups(samples)
        )
    }

    /// The measurements of a regression.
    ///
    /// - Parameters:
    ///   - predicted: of the model, then of each baseline.
    ///   - wanted: the numbers to predict.
    ///   - groups: the samples that are not independent of each other.
    /// - Returns: one measurement for each of ``metrics(top:)``, without the ratios of baselines that are not given.
    func measurements(
        _ predicted: [[Double]],
        _ wanted: [Double],
        _ groups: [[Int]]
    ) -> [Measurement] {
        let metrics = metrics()
        let squares = predicted.map { numbers in
            groups.map { $0.reduce(0) { $0 + Self.square(numbers[$1] - wanted[$1]) } }
        }
        let mean = wanted.reduce(0, +) / Double(wanted.count)
        let spread = wanted.reduce(0) { $0 + Self.square($1 - mean) }
        let counts = groups.map { Double($0.count) }
        func root(_ metric: MetricDefinition, _ above: [Double], _ below: [Double]) -> Measurement {
            let ratio = Measurement(metric, ratioOfMeans: above, below)
            return Measurement(
                metric,
                ratio.value.squareRoot(),
                samples: wanted.count,
                interval: ratio.interval.map {
                    ConfidenceInterval(
                        low: max(0, $0.low).squareRoot(),
                        high: $0.high.squareRoot()
                    )
                }
            )
        }
        return [
            root(metrics[0], squares[0], counts),
            Measurement(
                metrics[1],
                1 - squares[0].reduce(0, +) / spread,
                samples: wanted.count
            ),
        ]
            + squares.dropFirst().enumerated().map { index, other in
                root(metrics[2 + index], other, squares[0])
            }
    }

    private static func square(_ value: Double) -> Double { value * value }
}
