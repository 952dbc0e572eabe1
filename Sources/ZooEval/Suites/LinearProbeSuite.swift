// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTensor

/// The accuracy or error of a linear probe on features that are averaged over tokens.
///
/// Samples are those of ``ProbeSamples``, with the column `label` (F32, [samples, 1]). The probe is a
/// ``LogisticRegression``, or a ``RidgeRegression`` for the task `regression`. With several strengths of its
/// regularisation, every `holdOut`-th group of the samples to fit on is held out to choose one, and the probe is then
/// fitted to all of them; groups are samples with an equal number in the column `group`, or single samples.
///
/// Baselines are the best constant, and the same probe on samples as they are stored.
struct LinearProbeSuite: EvaluationSuite {
    static let id = SuiteID(name: "linear-probe", version: 1)

    enum Task: String, CaseIterable { case classification, regression }

    let probe: ProbeParameters
    let task: Task
    private let unit: String
    private let strengths: [Double]
    private let holdOut: Int
    private let group: String?

    init(_ definition: SuiteDefinition) throws(ZooError) {
        let parameters = definition.parameters
        probe = try ProbeParameters(definition)
        task = try parameters.choice("task", of: Task.self)
        unit = task == .regression ? try parameters.string("unit", maximum: 32) : "fraction"
        strengths = try Self.strengths(parameters)
        holdOut = try parameters.integer("holdOut", in: 2...1000)
        group = try parameters.optionalString("group", maximum: 64)
    }

    /// The strengths to choose from.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid`, which says the number that is wrong.
    private static func strengths(_ parameters: JSONObject) throws(ZooError) -> [Double] {
        let found = try parameters.numbers("strengths", maximum: 64)
        let path = parameters.path(of: "strengths")
        guard !found.isEmpty else {
            throw ZooError(
                .fieldInvalid,
                "field '\(path)' lists no strength",
                remedy: "list at least one number, such as [1]"
            )
        }
        if let wrong = found.first(where: { !(1e-12...1e12).contains($0) }) {
            throw ZooError(
                .fieldInvalid,
                "field '\(path)' has \(wrong), and strengths are from 1e-12 to 1e12",
                remedy: "replace \(wrong) by a number from 1e-12 to 1e12"
            )
        }
        if let (before, after) = zip(found, found.dropFirst()).first(where: { $0 >= $1 }) {
            throw ZooError(
                .fieldInvalid,
                "field '\(path)' has \(after) after \(before), and strengths are in ascending order",
                remedy:
                    "set it to [\(Set(found).sorted().map(\.description).joined(separator: ", "))]"
            )
        }
        return found
    }

    private var baselines: [String] { ["constant"] + (probe.withRaw ? ["raw"] : []) }

    var metrics: [MetricDefinition] {
        switch task {
        case .classification:
            [
                MetricDefinition("accuracy", unit: "fraction", better: .higher),
                MetricDefinition("class-mean accuracy", unit: "fraction", better: .higher),
            ]
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

    func stage(of model: EvaluatedModel, on data: EvaluationData) async throws -> any SampleStage {
        try await probe.stage(of: model, on: data) { samples in
            let held = try held(samples)
            if task == .classification {
                let classes = try ProbeClasses(probe.label, of: samples)
                try classes.requireAll(besides: held, probe.label)
            } else {
                _ = try targets(samples)
                _ = try groups(samples)
            }
        }
    }

    /// Which samples to fit on are held out to choose a strength.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when none or all are.
    private func held(_ samples: ProbeSamples) throws(ZooError) -> [Bool] {
        guard let held = held(places: try places(samples)) else {
            throw .dataUnsuitable(
                "the split '\(probe.fit)' has too few groups to hold out every \(holdOut)th of them"
            )
        }
        return held
    }

    /// Which samples are held out to choose a strength.
    ///
    /// - Parameter places: the group of each sample, numbered in the order of appearance.
    /// - Returns: for each sample whether it is; nil when none or all of them would be held out.
    func held(places: [Int]) -> [Bool]? {
        guard strengths.count > 1 else { return Array(repeating: false, count: places.count) }
        let held = places.map { $0 % holdOut == holdOut - 1 }
        return held.contains(true) && held.contains(false) ? held : nil
    }

    /// The group of each sample to fit on, numbered in the order of appearance.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`.
    func places(_ samples: ProbeSamples) throws(ZooError) -> [Int] {
        // A classification with one strength needs no groups, and its data may have none.
        guard let group, strengths.count > 1 || task == .regression else {
            return Array(samples.fitted)
        }
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
        _ samples: ProbeSamples
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
    func groups(_ samples: ProbeSamples) throws(ZooError) -> [[Int]] {
        guard let group else { return samples.tested.indices.map { [$0 - samples.fitted.count] } }
        let numbers = try samples.numbers(group).measured
        let members = Dictionary(grouping: numbers.indices, by: { numbers[$0] })
        return members.keys.sorted().map { members[$0] ?? [] }
    }

    func measure(
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Measurement] {
        let samples = try probe.samples(data)
        let held = try held(samples)
        let features = try probe.features(table, of: samples)
        switch task {
        case .classification:
            let classes = try ProbeClasses(probe.label, of: samples)
            let predicted = try features.map {
                PredictedClasses(
                    try classify(
                        $0.fit,
                        $0.measured,
                        classes.fit,
                        of: classes.labels.count,
                        held,
                        session
                    ),
                    of: classes.measured
                )
            }
            return measurements(predicted, classes)
        case .regression:
            let (known, wanted) = try targets(samples)
            let predicted = try features.map {
                try regress($0.fit, $0.measured, known, held, session)
            }
            let mean = known.reduce(0, +) / Double(known.count)
            return measurements(
                [predicted[0], wanted.map { _ in mean }] + predicted.dropFirst(),
                wanted,
                try groups(samples)
            )
        }
    }

    // MARK: Classification

    /// The classes that a probe predicts.
    ///
    /// - Parameters:
    ///   - fit: the features to fit on.
    ///   - measured: the features to predict from.
    ///   - known: the class of each row of `fit`; each class is among those that are not held out.
    ///   - count: the number of classes.
    ///   - held: which rows of `fit` are held out to choose a strength.
    ///   - session: the computation.
    /// - Returns: a class for each row of `measured`.
    /// - Throws: what reading throws; `CancellationError`.
    func classify(
        _ fit: RowBlocks,
        _ measured: RowBlocks,
        _ known: [Int],
        of count: Int,
        _ held: [Bool],
        _ session: ComputeSession
    ) throws -> [Int] {
        var strength = strengths[0]
        if strengths.count > 1 {
            let kept = zip(known, held).map { $1 ? nil : Optional($0) }
            let models = try LogisticRegression(fit, classes: kept, of: count, in: session)
                .models(strengths: strengths, in: session)
            var best = -1
            for (index, model) in models.enumerated() {
                let found = try model.largestOutputs(of: fit, in: session)
                let hits = found.indices.count { held[$0] && found[$0] == known[$0] }
                if hits > best { (best, strength) = (hits, strengths[index]) }
            }
        }
        let models = try LogisticRegression(fit, classes: known, of: count, in: session)
            .models(strengths: [strength], in: session)
        return try models[0].largestOutputs(of: measured, in: session)
    }

    private func measurements(
        _ predicted: [PredictedClasses],
        _ classes: ProbeClasses
    ) -> [Measurement] {
        let constant = PredictedClasses(
            classes.measured.map { _ in classes.mostFrequent },
            of: classes.measured
        )
        let found = predicted[0]
        return [found.accuracy(metrics[0]), found.classMeanAccuracy(metrics[1])]
            + ([constant] + predicted.dropFirst()).enumerated().map { index, other in
                found.errorRatio(metrics[2 + index], of: other)
            }
    }

    // MARK: Regression

    /// The numbers that a probe predicts; parameters are as for ``classify(_:_:_:of:_:_:)``.
    func regress(
        _ fit: RowBlocks,
        _ measured: RowBlocks,
        _ targets: [Double],
        _ held: [Bool],
        _ session: ComputeSession
    ) throws -> [Double] {
        func models(_ strengths: [Double], _ included: [Bool]) throws -> [LinearModel] {
            let ridge = try RidgeRegression(
                fit,
                targets: [targets],
                included: included,
                in: session
            )
            return try strengths.map { strength in
                guard let model = ridge.model(penalty: strength) else {
                    throw ZooError(
                        .evaluationNotFinite,
                        "the features have no ridge regression of strength \(strength)",
                        remedy: "give larger 'strengths'"
                    )
                }
                return model
            }
        }
        func outputs(_ model: LinearModel, _ rows: RowBlocks) throws -> [Double] {
            var found: [Double] = []
            try model.forEachOutputs(of: rows, in: session) { _, outputs in
                found += (0..<outputs.rows).map { Double(outputs[$0, 0]) }
            }
            return found
        }
        var strength = strengths[0]
        if strengths.count > 1 {
            var least = Double.infinity
            for (index, model) in try models(strengths, held.map { !$0 }).enumerated() {
                let error = zip(try outputs(model, fit), targets).enumerated().reduce(0) {
                    held[$1.offset]
                        ? $0 + ($1.element.0 - $1.element.1) * ($1.element.0 - $1.element.1) : $0
                }
                if error < least { (least, strength) = (error, strengths[index]) }
            }
        }
        let model = try models([strength], held.map { _ in true })[0]
        return try outputs(model, measured)
    }

    /// The measurements of a regression.
    ///
    /// - Parameters:
    ///   - predicted: of the model, then of each baseline.
    ///   - wanted: the numbers to predict.
    ///   - groups: the samples that are not independent of each other.
    /// - Returns: one measurement for each of ``metrics``, without the ratios of baselines that are not given.
    func measurements(
        _ predicted: [[Double]],
        _ wanted: [Double],
        _ groups: [[Int]]
    ) -> [Measurement] {
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
