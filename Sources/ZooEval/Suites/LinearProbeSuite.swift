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
    var fits: Bool { true }

    let probe: ProbeParameters
    let task: ProbeTask
    let strengths: [Double]

    init(_ definition: SuiteDefinition) throws(ZooError) {
        let parameters = definition.parameters
        probe = try ProbeParameters(definition)
        task = try ProbeTask(probe, parameters)
        strengths = try Self.strengths(parameters)
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

    var metrics: [MetricDefinition] { task.metrics() }

    func stages(
        of model: EvaluatedModel,
        on data: EvaluationData
    ) async throws -> [any SampleStage] {
        try await probe.stages(of: model, on: data) { samples in
            try task.check(samples, choices: strengths.count)
        }
    }

    func measure(
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Measurement] {
        let samples = try probe.samples(data)
        let held = try task.held(samples, choices: strengths.count)
        let features = try probe.features(table, on: data)
        switch task.kind {
        case .classification:
            let classes = try SampleClasses(probe.label, of: samples)
            let predicted = try features.map {
                try classify(
                    $0.fit,
                    $0.measured,
                    classes.fit,
                    of: classes.labels.count,
                    held,
                    session
                )
            }
            return task.measurements(predicted, classes)
        case .regression:
            let known = try task.targets(samples).fit
            let predicted = try features.map {
                try regress($0.fit, $0.measured, known, held, session)
            }
            return try task.measurements(predicted, samples)
        }
    }

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
}
