// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTensor

extension LinearProbeSuite {
    /// Besides all labels: those of every 16th, 8th, 4th and 2nd group.
    private static let every = [16, 8, 4, 2]

    /// The learning curve: the accuracy or error by the number of labels, of the model and of samples as they are.
    ///
    /// Each point is a probe of its own, whose strength is chosen on the groups that are held out of its labels.
    func exhibits(
        _ measurements: [Measurement],
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Exhibit] {
        let samples = try probe.samples(data)
        let features = try probe.features(table, on: data)
        let places = try task.places(samples, choices: strengths.count)
        var lines: [[Exhibit.Point]] = features.map { _ in [] }
        for step in Self.every {
            let included = places.map { $0.isMultiple(of: step) }
            let own = places.filter { $0.isMultiple(of: step) }.map { $0 / step }
            guard own.count > 1, let held = task.held(places: own, choices: strengths.count)
            else { continue }
            for (line, feature) in features.enumerated() {
                let fit = feature.fit.filtered(included)
                guard
                    let score = try score(fit, feature.measured, samples, included, held, session)
                else { continue }
                lines[line].append(Exhibit.Point(Double(own.count), score.value, score.interval))
            }
        }
        // The last point is what was measured.
        let (all, found) = (Double(places.count), measurements[0])
        lines[0].append(Exhibit.Point(all, found.value, found.interval))
        if lines.count > 1, let ratio = measurements.last?.value {
            switch task.kind {
            case .regression: lines[1].append(Exhibit.Point(all, ratio * found.value))
            case .classification where found.value < 1:
                lines[1].append(Exhibit.Point(all, 1 - ratio * (1 - found.value)))
            // The ratio to a model without error says nothing about the baseline.
            case .classification: break
            }
        }
        guard lines[0].count > 1 else { return [] }
        let metric = metrics[0]
        return [
            Exhibit(
                "Learning curve of the probe: \(metric.name) by the number of labels",
                .curves(
                    Exhibit.Curves(
                        horizontal: "labels",
                        vertical: "\(metric.name) (\(metric.unit))",
                        zip(["model", "raw"], lines).map { Exhibit.Line($0, $1) }
                    )
                )
            )
        ]
    }

    /// The first metric of a probe on some of the labels; nil when a class or a difference of targets is missing among
    /// those that are not held out.
    private func score(
        _ fit: RowBlocks,
        _ measured: RowBlocks,
        _ samples: any LabelledSamples,
        _ included: [Bool],
        _ held: [Bool],
        _ session: ComputeSession
    ) throws -> Measurement? {
        func kept<Value>(_ values: [Value]) -> [Value] {
            zip(values, included).filter(\.1).map(\.0)
        }
        switch task.kind {
        case .classification:
            let classes = try SampleClasses(probe.label, of: samples)
            let known = kept(classes.fit)
            guard Set(zip(known, held).filter { !$0.1 }.map(\.0)).count == classes.labels.count
            else { return nil }
            let found = try classify(
                fit,
                measured,
                known,
                of: classes.labels.count,
                held,
                session
            )
            return PredictedClasses(found, of: classes.measured).accuracy(metrics[0])
        case .regression:
            let (all, wanted) = try task.targets(samples)
            let known = kept(all)
            guard Set(zip(known, held).filter { !$0.1 }.map(\.0)).count > 1 else { return nil }
            let found: [Double]
            do {
                found = try regress(fit, measured, known, held, session)
            } catch let error as ZooError where error.code == .evaluationNotFinite {
                // Few labels may have no solution where all have one.
                return nil
            }
            return task.measurements([found], wanted, try task.groups(samples))[0]
        }
    }
}
