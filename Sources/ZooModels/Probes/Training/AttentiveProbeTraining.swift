// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Foundation
package import ZooTensor

/// Trains attentive probes on the tokens of a frozen encoder, with AdamW, a warm-up and a cosine schedule.
///
/// Several probes are trained on the same batches. Each epoch takes all samples once, in an order that follows from the
/// seed. Results do not depend on the number of threads.
///
/// Source: `evals/video_classification_frozen/eval.py` of facebookresearch/vjepa2, whose weight decay also applies to biases
/// and norms.
package struct AttentiveProbeTraining: Sendable {
    /// The step sizes of one probe.
    package struct Rates: Hashable, Sendable {
        /// The learning rate after the warm-up.
        package let learning: Double
        /// The weight decay, which is multiplied by the learning rate.
        package let decay: Double

        /// Describes step sizes.
        package init(learning: Double, decay: Double) {
            self.learning = learning
            self.decay = decay
        }
    }

    /// How long is trained.
    package struct Schedule: Hashable, Sendable {
        /// The number of times that all samples are taken.
        package let epochs: Int
        /// The number of samples of a step; the last step of an epoch may have fewer.
        package let batch: Int
        /// The number of epochs in which the learning rate rises linearly from 0.
        package let warmUp: Double

        /// Describes a schedule.
        package init(epochs: Int, batch: Int, warmUp: Double) {
            precondition(epochs > 0 && batch > 0 && warmUp >= 0)
            self.epochs = epochs
            self.batch = batch
            self.warmUp = warmUp
        }

        /// The share of the learning rate that a step takes: a line from 0, then a half cosine to 0 at the last step.
        ///
        /// - Parameters:
        ///   - step: which step, from 1.
        ///   - stepsPerEpoch: the number of steps of an epoch.
        /// - Returns: from 0 to 1.
        package func share(step: Int, stepsPerEpoch: Int) -> Double {
            let rising = Int(warmUp * Double(stepsPerEpoch))
            guard step >= rising else { return Double(step) / Double(rising) }
            let progress = Double(step - rising) / Double(max(1, epochs * stepsPerEpoch - rising))
            return max(0, 0.5 * (1 + cos(Double.pi * progress)))
        }
    }

    /// Trained probes.
    package struct Result: Sendable {
        /// The probes.
        package let probes: AttentiveProbes
        /// The mean loss of the samples of each step, before it, for each probe: [steps][probes].
        package let losses: [[Double]]

        /// Whether all losses and parameters of a probe are finite.
        package func isSound(_ probe: Int) -> Bool {
            losses.allSatisfy { $0[probe].isFinite } && probes.parameters[probe].isFinite
        }
    }

    private let samples: TokenSamples
    private let targets: ProbeTargets
    private let sizes: AttentiveProbeSizes
    private let schedule: Schedule
    private let seed: UInt64

    /// Describes a training.
    ///
    /// - Parameters:
    ///   - samples: the tokens of all samples.
    ///   - targets: those of all samples.
    ///   - sizes: the sizes of a probe.
    ///   - schedule: how long is trained.
    ///   - seed: the seed of the initial parameters and of the orders of samples.
    package init(
        _ samples: TokenSamples,
        targets: ProbeTargets,
        sizes: AttentiveProbeSizes,
        schedule: Schedule,
        seed: UInt64
    ) {
        precondition(targets.count == samples.count && sizes.width == samples.width)
        self.samples = samples
        self.targets = targets
        self.sizes = sizes
        self.schedule = schedule
        self.seed = seed
    }

    /// Trains a probe for each of some step sizes, from the same parameters.
    ///
    /// - Parameters:
    ///   - included: the samples to train on, at least one.
    ///   - rates: the step sizes.
    ///   - session: the computation.
    /// - Returns: the probes, some of which may have diverged.
    /// - Throws: what reading throws; `CancellationError`.
    package func probes(
        on included: [Int],
        rates: [Rates],
        in session: ComputeSession
    ) throws -> Result {
        precondition(!included.isEmpty)
        let probes = AttentiveProbes(
            AttentiveProbeParameters(random: sizes, seed: seed),
            count: rates.count,
            tokens: samples.tokens
        )
        let stepsPerEpoch = (included.count + schedule.batch - 1) / schedule.batch
        var losses: [[Double]] = []
        for epoch in 0..<schedule.epochs {
            let order = order(of: included, epoch: epoch)
            for first in stride(from: 0, to: order.count, by: schedule.batch) {
                let batch = Array(order[first..<min(first + schedule.batch, order.count)])
                losses.append(try addGradients(of: batch, to: probes, session))
                let step = losses.count
                let share = schedule.share(step: step, stepsPerEpoch: stepsPerEpoch)
                let steps = rates.map {
                    AdamW(
                        number: step,
                        learningRate: share * $0.learning,
                        weightDecay: $0.decay,
                        scale: 1 / Double(batch.count)
                    )
                }
                probes.step(steps, in: session)
            }
        }
        return Result(probes: probes, losses: losses)
    }

    /// Adds the gradients of a batch, some samples at a time.
    ///
    /// - Returns: the mean losses.
    private func addGradients(
        of batch: [Int],
        to probes: AttentiveProbes,
        _ session: ComputeSession
    ) throws -> [Double] {
        var sums = [Double](repeating: 0, count: probes.parameters.count)
        for first in stride(from: 0, to: batch.count, by: AttentiveProbes.capacity) {
            try session.checkCancellation()
            let part = Array(batch[first..<min(first + AttentiveProbes.capacity, batch.count)])
            let found = probes.addGradients(
                of: try samples.features(part),
                targets: targets[part],
                in: session
            )
            for (probe, loss) in found.enumerated() { sums[probe] += loss }
        }
        try session.checkCancellation()
        return sums.map { $0 / Double(batch.count) }
    }

    /// The order of samples in an epoch: a Fisher-Yates shuffle with output 2 + epoch of SplitMix64 as the seed.
    private func order(of included: [Int], epoch: Int) -> [Int] {
        var order = included
        var bits = SplitMix64(seed: SplitMix64.output(UInt64(2 + epoch), seed: seed))
        for last in stride(from: order.count - 1, to: 0, by: -1) {
            order.swapAt(last, Int(bits.next() % UInt64(last + 1)))
        }
        return order
    }
}

extension AttentiveProbes {
    /// Computes the outputs of samples, some at a time.
    ///
    /// - Parameters:
    ///   - samples: the tokens.
    ///   - wanted: which samples.
    ///   - session: the computation.
    ///   - body: is given the first place in `wanted`, and for each probe outputs [samples, outputs] that are valid until it
    ///     returns.
    /// - Throws: what reading or `body` throws; `CancellationError`.
    package func forEachOutputs(
        of samples: TokenSamples,
        _ wanted: [Int],
        in session: ComputeSession,
        _ body: (_ first: Int, _ outputs: [Matrix]) throws -> Void
    ) throws {
        for first in stride(from: 0, to: wanted.count, by: Self.capacity) {
            try session.checkCancellation()
            let part = Array(wanted[first..<min(first + Self.capacity, wanted.count)])
            let outputs = outputs(of: try samples.features(part), in: session)
            try session.checkCancellation()
            try body(first, outputs)
        }
    }
}
