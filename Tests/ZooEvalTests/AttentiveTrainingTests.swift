// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Synchronization
import Testing
import ZooCheckpoint
import ZooModels
import ZooTensor

/// Training against PyTorch in float64 (`Tests/Vectors/evaluation/attentive/make.py`).
@Suite struct AttentiveTrainingTests {
    private typealias Rates = AttentiveProbeTraining.Rates
    private typealias Schedule = AttentiveProbeTraining.Schedule

    private let vectors: Checkpoint
    private let samples: TokenSamples
    private let included = (0..<90).filter { $0 % 9 != 4 }

    init() throws {
        vectors = try Checkpoint(
            opening: "\(SampleEvaluation.vectors)/attentive/training.safetensors"
        )
        let tokens = try #require(vectors["tokens"]).tensor
        samples = TokenSamples(count: 90, tokens: 7, width: 12) { wanted in
            let rows = tokens.reshaped([90 * 7, 12]).matrix
            return wanted.map { rows.rows($0 * 7..<($0 + 1) * 7) }
        }
    }

    private func vector(_ name: String) throws -> [Float] {
        try #require(vectors[name]).tensor.values
    }

    private func training(_ schedule: Schedule, numbers: Bool) throws -> AttentiveProbeTraining {
        let targets: ProbeTargets =
            numbers
            ? .numbers(try vector("number")) : .classes(try vector("label").map { Int32($0) })
        return AttentiveProbeTraining(
            samples,
            targets: targets,
            sizes: AttentiveProbeSizes(width: 12, heads: 3, outputs: numbers ? 1 : 4),
            schedule: schedule,
            seed: 7
        )
    }

    private func train(
        _ schedule: Schedule,
        _ rates: [Rates],
        numbers: Bool = false,
        on pool: ComputePool = .shared
    ) async throws -> AttentiveProbeTraining.Result {
        let training = try training(schedule, numbers: numbers)
        return try await pool.run { [included] session in
            try training.probes(on: included, rates: rates, in: session)
        }
    }

    private func outputs(_ probes: AttentiveProbes, _ probe: Int) async throws -> [Float] {
        try await ComputePool.shared.run { [samples] session in
            var found: [Float] = []
            try probes.forEachOutputs(of: samples, Array(0..<90), in: session) { _, outputs in
                found += Self.values(outputs[probe])
            }
            return found
        }
    }

    private static func values(_ matrix: Matrix) -> [Float] {
        (0..<matrix.rows).flatMap { row in (0..<matrix.columns).map { matrix[row, $0] } }
    }

    private func difference(_ found: [Float], _ name: String) throws -> Float {
        let wanted = try vector(name)
        #expect(found.count == wanted.count, "\(name)")
        return zip(found, wanted).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }

    @Test(arguments: [4, 1])
    func initialParametersFollowFromTheSeed(outputs: Int) throws {
        let sizes = AttentiveProbeSizes(width: 12, heads: 3, outputs: outputs)
        let found = AttentiveProbeParameters(random: sizes, seed: 7)
        // The logarithms of the two generators may differ in their last bits.
        #expect(try difference(Self.values(found.vector), "initial.\(outputs)") <= 1e-9)
        let other = AttentiveProbeParameters(random: sizes, seed: 8)
        #expect(try difference(Self.values(other.vector), "initial.\(outputs)") > 0.01)
    }

    /// Two probes that are trained together, with a warm-up and batches that are computed in parts.
    @Test func firstStepsAreThoseOfPyTorch() async throws {
        let rates = [Rates(learning: 0.01, decay: 0.1), Rates(learning: 0.002, decay: 0)]
        let result = try await train(Schedule(epochs: 3, batch: 70, warmUp: 1), rates)
        for (probe, name) in ["first", "second"].enumerated() {
            let losses = result.losses.map { Float($0[probe]) }
            #expect(losses.count == 6)
            #expect(try difference(losses, "losses.\(name)") <= 2e-6)
            let parameters = Self.values(result.probes.parameters[probe].vector)
            #expect(try difference(parameters, "parameters.\(name)") <= 1e-5)
            let outputs = try await outputs(result.probes, probe)
            #expect(try difference(outputs, "outputs.\(name)") <= 1e-5)
        }
    }

    @Test(arguments: ["long", "number"])
    func wholeTrainingsAreThoseOfPyTorch(name: String) async throws {
        let isNumber = name == "number"
        let schedule = Schedule(epochs: 40, batch: 16, warmUp: isNumber ? 0 : 2)
        let rates = [Rates(learning: 0.005, decay: 0.02)]
        let result = try await train(schedule, rates, numbers: isNumber)
        let losses = result.losses.map { Float($0[0]) }
        #expect(losses.count == 200)
        #expect(try difference(losses, "losses.\(name)") <= 1e-4)
        let parameters = Self.values(result.probes.parameters[0].vector)
        #expect(try difference(parameters, "parameters.\(name)") <= 1e-3)
        let outputs = try await outputs(result.probes, 0)
        #expect(try difference(outputs, "outputs.\(name)") <= 1e-3)
    }

    @Test func theNumberOfThreadsChangesNothing() async throws {
        let rates = [Rates(learning: 0.01, decay: 0.1), Rates(learning: 0.002, decay: 0)]
        var found: [([Float], [[Double]])] = []
        for threads in [1, 3] {
            let result = try await train(
                Schedule(epochs: 2, batch: 70, warmUp: 0),
                rates,
                on: ComputePool(threads: threads)
            )
            found.append(
                (result.probes.parameters.flatMap { Self.values($0.vector) }, result.losses)
            )
        }
        #expect(found[0].0.map(\.bitPattern) == found[1].0.map(\.bitPattern))
        #expect(found[0].1 == found[1].1)
    }

    /// A probe alone is the probe among others.
    @Test func probesThatAreTrainedTogetherDoNotMeet() async throws {
        let rates = [Rates(learning: 0.01, decay: 0.1), Rates(learning: 0.002, decay: 0)]
        let schedule = Schedule(epochs: 2, batch: 16, warmUp: 0)
        let both = try await train(schedule, rates)
        let alone = try await train(schedule, [rates[1]])
        let found = zip(
            Self.values(both.probes.parameters[1].vector),
            Self.values(alone.probes.parameters[0].vector)
        )
        // Products of more rows may be rounded otherwise.
        #expect(found.reduce(0) { max($0, abs($1.0 - $1.1)) } <= 1e-5)
    }

    /// The classes that run published probes give the outputs of the training.
    @Test func trainedProbesRunAsPublishedOnes() async throws {
        let schedule = Schedule(epochs: 10, batch: 16, warmUp: 0)
        let result = try await train(schedule, [Rates(learning: 0.01, decay: 0.1)])
        let probe = AttentiveProbe(result.probes.parameters[0])
        let tokens = try #require(vectors["tokens"]).tensor
        let logits = try #require(try await probe.logits(of: tokens)["logits"])
        #expect(logits.shape == [90, 4])
        let outputs = try await outputs(result.probes, 0)
        let difference = zip(logits.values, outputs).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(difference <= 2e-5)
    }

    /// However large a batch is, few samples are in memory, and each epoch reads every one once.
    @Test func fewSamplesAreReadTogether() async throws {
        let requests = Mutex<[[Int]]>([])
        let counted = TokenSamples(count: 90, tokens: 7, width: 12) { [samples] wanted in
            requests.withLock { $0.append(wanted) }
            return try samples.features(wanted)
        }
        let training = AttentiveProbeTraining(
            counted,
            targets: .numbers(try vector("number")),
            sizes: AttentiveProbeSizes(width: 12, heads: 3, outputs: 1),
            schedule: Schedule(epochs: 2, batch: 1000, warmUp: 0),
            seed: 7
        )
        let result = try await ComputePool.shared.run { [included] session in
            try training.probes(
                on: included,
                rates: [Rates(learning: 0.01, decay: 0)],
                in: session
            )
        }
        #expect(result.losses.count == 2)
        let read = requests.withLock { $0 }
        #expect(read.map(\.count) == [64, 16, 64, 16])
        let epochs = [read[0] + read[1], read[2] + read[3]]
        #expect(epochs.allSatisfy { $0.sorted() == included } && epochs[0] != epochs[1])
    }

    @Test func readingFailuresStopATraining() async throws {
        struct Lost: Error {}
        let broken = TokenSamples(count: 90, tokens: 7, width: 12) { [samples] wanted in
            guard !wanted.contains(33) else { throw Lost() }
            return try samples.features(wanted)
        }
        let training = AttentiveProbeTraining(
            broken,
            targets: .numbers(try vector("number")),
            sizes: AttentiveProbeSizes(width: 12, heads: 3, outputs: 1),
            schedule: Schedule(epochs: 1, batch: 16, warmUp: 0),
            seed: 7
        )
        await #expect(throws: Lost.self) {
            try await ComputePool.shared.run { [included] session in
                _ = try training.probes(
                    on: included,
                    rates: [Rates(learning: 0.01, decay: 0)],
                    in: session
                )
            }
        }
    }

    @Test func learningRatesRiseInALineAndFallInACosine() {
        let schedule = Schedule(epochs: 4, batch: 1, warmUp: 1)
        let shares = (1...20).map { schedule.share(step: $0, stepsPerEpoch: 5) }
        #expect(Array(shares.prefix(5)) == [0.2, 0.4, 0.6, 0.8, 1])
        #expect(zip(shares.dropFirst(4), shares.dropFirst(5)).allSatisfy { $0 > $1 })
        #expect(shares[19] == 0 && abs(shares[9] - 0.75) < 1e-12)
    }
}
