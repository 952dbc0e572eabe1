// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooTensor

/// The cross-entropy method: sample action sequences, keep the elites, fit the next distribution to
/// them.
///
/// Source: Rubinstein and Kroese, "The Cross-Entropy Method", 2004.
struct CrossEntropySearch: Sendable {
    /// The initial distribution of a planned dimension, and its momenta.
    struct Variable: Sendable {
        /// The initial mean.
        var mean: Float = 0
        /// The initial std.
        var std: Float
        /// The weight of the old mean.
        var meanMomentum: Float = 0
        /// The weight of the old std.
        var stdMomentum: Float = 0
    }

    /// The planned dimensions of a step.
    let variables: [Variable]
    let horizon: Int
    let samples: Int
    let elites: Int
    let iterations: Int
    /// Whether the first sample is the mean itself.
    let includesMean: Bool
    /// Clamps the planned values of a step to their bounds.
    let bound: @Sendable (inout [Float], _ step: Int) -> Void
    /// Creates an action from the planned values of a step.
    let action: @Sendable (ArraySlice<Float>) -> [Float]

    /// A sampled action sequence: the concatenated values of all steps.
    private typealias Course = [Float]

    func run(
        _ problem: PlanningProblem,
        noise: some NoiseSource,
        on pool: ComputePool,
        progress: (@Sendable (PlanningProgress) -> Void)?
    ) async throws -> [ActionPlan.Iteration] {
        var noise = noise
        let (width, count) = (variables.count, horizon * variables.count)
        var mean = (0..<horizon).flatMap { _ in variables.map(\.mean) }
        var std = (0..<horizon).flatMap { _ in variables.map(\.std) }
        var history: [ActionPlan.Iteration] = []
        for iteration in 0..<iterations {
            try Task.checkCancellation()
            let sequences = draw(mean, std, noise.normals(samples * count))
            let actions = sequences.flatMap { sequence in
                stride(from: 0, to: count, by: width).flatMap { action(sequence[$0..<$0 + width]) }
            }
            let energies = try await problem.energies(
                of: Tensor(
                    shape: [samples, horizon, problem.model.latentShape.actionWidth],
                    values: actions
                ),
                on: pool
            ) { done in
                progress?(
                    PlanningProgress(
                        iteration: iteration,
                        iterations: iterations,
                        candidates: done,
                        samples: samples
                    )
                )
            }
            let best = try self.best(energies)
            for index in 0..<count {
                let variable = variables[index % width]
                let (center, spread) = Self.moments(best.map { sequences[$0][index] })
                mean[index] = Self.mixed(center, mean[index], variable.meanMomentum)
                std[index] = Self.mixed(
                    spread,
                    std[index],
                    variable.stdMomentum
                )
            }
            let shape: Shape = [horizon, width]
            history.append(
                ActionPlan.Iteration(
                    mean: Tensor(shape: shape, values: mean),
                    std: Tensor(shape: shape, values: std),
                    leastEnergy: energies[best[0]],
                    eliteEnergy: best.reduce(0) { $0 + energies[$1] } / Float(elites)
                )
            )
        }
        return history
    }

    /// Creates samples from noise [steps, samples, planned dimensions].
    private func draw(_ mean: [Float], _ std: [Float], _ noise: [Float]) -> [Course] {
        let width = variables.count
        return (0..<samples).map { sample in
            (0..<horizon).flatMap { step in
                var numbers = (0..<width).map { number in
                    let (place, index) = ((step * samples + sample) * width, step * width + number)
                    return includesMean && sample == 0
                        ? mean[index] : noise[place + number] * std[index] + mean[index]
                }
                bound(&numbers, step)
                return numbers
            }
        }
    }

    /// Returns the samples with the least energy in ascending order; ties are in sampling order.
    private func best(_ energies: [Float]) throws(ZooError) -> [Int] {
        let order = energies.indices.filter { energies[$0].isFinite }
            .sorted { (energies[$0], $0) < (energies[$1], $1) }
        guard order.count >= elites else {
            throw ZooError(
                .energyNotFinite,
                "\(energies.count - order.count) of \(energies.count) action sequences have no "
                    + "finite energy, so \(elites) elites cannot be selected",
                remedy: "check that frames and states use the units that the model was trained with"
            )
        }
        return Array(order.prefix(elites))
    }

    /// Returns the mean, and the std with n − 1.
    private static func moments(_ numbers: [Float]) -> (mean: Float, std: Float) {
        let mean = numbers.reduce(0.0) { $0 + Double($1) } / Double(numbers.count)
        let squares = numbers.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        return (Float(mean), Float((squares / Double(numbers.count - 1)).squareRoot()))
    }

    private static func mixed(_ new: Float, _ old: Float, _ momentum: Float) -> Float {
        new * (1 - momentum) + old * momentum
    }
}

extension CrossEntropySearch {
    /// Checks the settings of a search.
    ///
    /// - Throws: `ZooError` with code `model.plan-settings-invalid`.
    static func require(
        horizon: Int,
        samples: Int,
        elites: Int,
        iterations: Int,
        width: Int,
        numbers: [Double]
    ) throws(ZooError) {
        guard (1...1024).contains(horizon), (2...1_000_000).contains(samples),
            (2...samples).contains(elites), (1...100_000).contains(iterations),
            horizon * samples * width <= 1 << 26, numbers.allSatisfy(\.isFinite)
        else {
            throw ZooError(
                .planSettingsInvalid,
                "a search with \(iterations) iterations, \(elites) elites, \(samples) samples, "
                    + "\(horizon) steps and \(width) values per step is not possible",
                remedy:
                    "use at least one iteration, one step and two elites, no more elites than samples, "
                    + "and at most 67108864 values in all samples together; all other settings must be "
                    + "finite"
            )
        }
    }
}
