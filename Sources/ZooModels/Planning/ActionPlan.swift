// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooTensor

/// The result of a planner.
public struct ActionPlan: Sendable {
    /// A normal distribution of each number of each step, and how good its best samples were.
    public struct Iteration: Sendable {
        /// The means after this iteration, [steps, planned numbers].
        public let mean: Tensor
        /// The stds after this iteration, [steps, planned numbers].
        public let std: Tensor
        /// The least energy of a sample.
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
    /// All iterations.
    public let iterations: Int
    /// Candidates of this iteration that were predicted.
    public let candidates: Int
    /// All candidates of an iteration.
    public let samples: Int
}
