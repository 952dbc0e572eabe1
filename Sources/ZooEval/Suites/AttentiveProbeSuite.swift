// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooModels
internal import ZooTensor

/// The accuracy or error of an attentive probe that is trained on the tokens of the encoder.
///
/// Samples are those of ``ProbeSamples``, with the column `label` (F32, [samples, 1]). The probe is one cross-attention
/// block with one learned query and a linear layer, as that of V-JEPA; see ``AttentiveProbeTraining``. With several learning
/// rates or weight decays, every `holdOut`-th group of the samples to fit on is held out to choose a pair, and the probe is then
/// trained on all of them; groups are as for ``LinearProbeSuite``. V-JEPA 2 reports the best of its pairs on the samples
/// that it measures on instead.
///
/// The baseline is the best constant. There is none on samples as they are stored, which have no tokens.
struct AttentiveProbeSuite: EvaluationSuite {
    static let id = SuiteID(name: "attentive-probe", version: 1)
    var fits: Bool { true }

    /// The number of pairs of rates at most, because each has its own parameters in memory.
    private static let pairLimit = 32
    /// The bytes of the parameters of all pairs at most, with gradients and moments.
    private static let memoryLimit = 8 << 30

    private let probe: ProbeParameters
    private let task: ProbeTask
    private let heads: Int
    private let top: Int?
    private let rates: [AttentiveProbeTraining.Rates]
    private let schedule: AttentiveProbeTraining.Schedule
    private let seed: Int

    init(_ definition: SuiteDefinition) throws(ZooError) {
        let parameters = definition.parameters
        probe = try ProbeParameters(definition, features: .tokens)
        task = try ProbeTask(probe, parameters)
        heads = try parameters.integer("heads", in: 1...64)
        top =
            task.kind == .classification
            ? try parameters.optionalInteger("top", in: 2...1000) : nil
        func numbers(_ name: String, _ range: ClosedRange<Double>) throws(ZooError) -> [Double] {
            let found = try parameters.numbers(name, maximum: Self.pairLimit)
            guard !found.isEmpty, found.allSatisfy(range.contains), Set(found).count == found.count
            else {
                throw parameters.invalid(
                    name,
                    "must be different numbers from \(range.lowerBound) to \(range.upperBound)"
                )
            }
            return found
        }
        let learning = try numbers("learningRates", 1e-9...10)
        let decay = try numbers("weightDecays", 0...10)
        guard learning.count * decay.count <= Self.pairLimit else {
            throw parameters.invalid(
                "weightDecays",
                "makes \(learning.count * decay.count) pairs with 'learningRates', and at most "
                    + "\(Self.pairLimit) are trained"
            )
        }
        rates = learning.flatMap { rate in
            decay.map { AttentiveProbeTraining.Rates(learning: rate, decay: $0) }
        }
        let epochs = try parameters.integer("epochs", in: 1...10_000)
        let warmUp = try parameters.number("warmUp")
        guard (0...Double(epochs)).contains(warmUp) else {
            throw parameters.invalid("warmUp", "must be from 0 to 'epochs'")
        }
        schedule = AttentiveProbeTraining.Schedule(
            epochs: epochs,
            batch: try parameters.integer("batch", in: 1...65_536),
            warmUp: warmUp
        )
        seed = definition.seed
    }

    var metrics: [MetricDefinition] { task.metrics(top: top) }

    func stages(
        of model: EvaluatedModel,
        on data: EvaluationData
    ) async throws -> [any SampleStage] {
        let width = try await model.encoder().width
        guard width.isMultiple(of: heads) else {
            throw ZooError.dataUnsuitable(
                "the tokens of the model have \(width) elements, which \(heads) heads do not divide",
                remedy: "set 'heads' to a divisor of \(width)"
            )
        }
        return try await probe.stages(of: model, on: data) { samples in
            let classes = try task.check(samples, choices: rates.count)
            try requireMemory(width: width, outputs: classes)
            if let top, top >= classes {
                throw ZooError.dataUnsuitable(
                    "'top' is \(top), and '\(probe.label)' has \(classes) classes",
                    remedy: "leave 'top' out, or set it below \(classes)"
                )
            }
        }
    }

    /// Checks that the parameters of all pairs fit into memory.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable`.
    private func requireMemory(width: Int, outputs: Int) throws(ZooError) {
        // Three projections and an MLP of four times the width, each number with a gradient and two moments.
        let numbers = width * (11 * width + outputs)
        let bytes = rates.count * numbers * 4 * MemoryLayout<Float>.size
        guard bytes <= Self.memoryLimit else {
            throw .dataUnsuitable(
                "training \(rates.count) probes of tokens of \(width) elements takes \(bytes >> 20) MiB; the "
                    + "limit is \(Self.memoryLimit >> 20) MiB",
                remedy: "list fewer 'learningRates' and 'weightDecays'"
            )
        }
    }

    func measure(
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Measurement] {
        let samples = try probe.samples(data)
        let run = Run(
            held: try task.held(samples, choices: rates.count),
            fit: try probe.tokens(table, samples.fitted),
            measured: try probe.tokens(table, samples.tested),
            session: session
        )
        switch task.kind {
        case .classification:
            let classes = try SampleClasses(probe.label, of: samples)
            let found = try outputs(
                run,
                targets: .classes(classes.fit.map(Int32.init)),
                count: classes.labels.count
            ) { sample, outputs in
                outputs.rank(of: classes.fit[sample]) == 1 ? 0 : 1
            }
            let hits = top.map { top in
                let ranks = found.indices.map { found[$0].rank(of: classes.measured[$0]) }
                return (hits: ranks.count { $0 <= top }, of: top)
            }
            return task.measurements([found.map(Self.largest)], classes, top: hits)
        case .regression:
            let known = try task.targets(samples).fit
            let mean = known.reduce(0, +) / Double(known.count)
            let variance = known.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(known.count)
            let std = variance.squareRoot()
            let wanted = known.map { Float(($0 - mean) / std) }
            let found = try outputs(run, targets: .numbers(wanted), count: 1) { sample, outputs in
                let residual = Double(outputs[0] - wanted[sample])
                return residual * residual
            }
            return try task.measurements([found.map { mean + std * Double($0[0]) }], samples)
        }
    }

    private struct Run {
        let held: [Bool]
        let fit: TokenSamples
        let measured: TokenSamples
        let session: ComputeSession
    }

    /// The outputs of the chosen probe for each sample to measure on.
    ///
    /// - Parameters:
    ///   - run: the samples.
    ///   - targets: those of the samples to fit on.
    ///   - count: the number of outputs.
    ///   - error: the error of the outputs for a sample to fit on, whose sum over those held out chooses the rates.
    /// - Returns: [samples][outputs].
    /// - Throws: ``ZooError`` with code `evaluation.not-finite`; what reading throws; `CancellationError`.
    private func outputs(
        _ run: Run,
        targets: ProbeTargets,
        count: Int,
        error: (_ sample: Int, _ outputs: [Float]) -> Double
    ) throws -> [[Float]] {
        let training = AttentiveProbeTraining(
            run.fit,
            targets: targets,
            sizes: AttentiveProbeSizes(width: run.fit.width, heads: heads, outputs: count),
            schedule: schedule,
            seed: UInt64(seed)
        )
        var chosen = rates[0]
        if rates.count > 1 {
            let kept = run.held.indices.filter { !run.held[$0] }
            let held = run.held.indices.filter { run.held[$0] }
            let result = try training.probes(on: kept, rates: rates, in: run.session)
            var errors = [Double](repeating: 0, count: rates.count)
            try result.probes.forEachOutputs(of: run.fit, held, in: run.session) { first, found in
                for (pair, outputs) in found.enumerated() {
                    for row in 0..<outputs.rows {
                        errors[pair] += error(held[first + row], Self.numbers(outputs, row))
                    }
                }
            }
            let sound = rates.indices.filter { result.isSound($0) && errors[$0].isFinite }
            guard let best = sound.min(by: { errors[$0] < errors[$1] }) else {
                throw Self.diverged("with all 'learningRates'")
            }
            chosen = rates[best]
        }
        let all = Array(run.held.indices)
        let result = try training.probes(on: all, rates: [chosen], in: run.session)
        guard result.isSound(0) else {
            throw Self.diverged("with the learning rate \(chosen.learning)")
        }
        var found: [[Float]] = []
        let wanted = Array(0..<run.measured.count)
        try result.probes.forEachOutputs(of: run.measured, wanted, in: run.session) { _, outputs in
            found += (0..<outputs[0].rows).map { Self.numbers(outputs[0], $0) }
        }
        guard found.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            throw Self.diverged("with the learning rate \(chosen.learning)")
        }
        return found
    }

    private static func diverged(_ how: String) -> ZooError {
        ZooError(
            .evaluationNotFinite,
            "the training of the probe \(how) came to numbers that are not finite",
            remedy: "give smaller 'learningRates'"
        )
    }

    private static func numbers(_ outputs: Matrix, _ row: Int) -> [Float] {
        (0..<outputs.columns).map { outputs[row, $0] }
    }

    private static func largest(_ outputs: [Float]) -> Int {
        outputs.indices.reduce(0) { outputs[$1] > outputs[$0] ? $1 : $0 }
    }
}
