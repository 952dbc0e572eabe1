// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooTensor

/// The result of a planner.
public struct ActionPlan: Sendable {
    /// The sampling distribution after an iteration, and the energies of its best samples.
    public struct Iteration: Sendable {
        /// The means after this iteration, [steps, planned dimensions].
        public let mean: Tensor
        /// The stds after this iteration, [steps, planned dimensions].
        public let std: Tensor
        /// The minimum energy of the samples.
        public let leastEnergy: Float
        /// The mean energy of the elites.
        public let eliteEnergy: Float
    }

    /// The actions, [steps, action width].
    public let actions: Tensor
    /// The distributions of each iteration.
    public let iterations: [Iteration]
}

/// The progress of a search.
public struct PlanningProgress: Hashable, Sendable {
    /// Completed iterations.
    public let iteration: Int
    /// The total number of iterations.
    public let iterations: Int
    /// Completed candidates of this iteration.
    public let candidates: Int
    /// The number of candidates per iteration.
    public let samples: Int
}
