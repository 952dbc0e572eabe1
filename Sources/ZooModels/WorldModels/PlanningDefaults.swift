// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooTensor

/// The settings that upstream plans with.
public struct PlanningDefaults: Hashable, Sendable {
    /// The search for actions.
    public enum Search: Hashable, Sendable {
        /// Moves of an arm: ``ArmPlanner``.
        case arm(ArmPlanner.Settings)
        /// Actions of any kind: ``CrossEntropyPlanner``.
        case general(CrossEntropyPlanner.Settings)
    }

    /// The distance to the goal.
    public let distance: LatentDistance
    /// The most frames that a prediction is made from; nil for as many as the model takes.
    public let window: Int?
    /// The search for actions.
    public let search: Search

    /// Creates defaults.
    public init(distance: LatentDistance, window: Int? = nil, search: Search) {
        self.distance = distance
        self.window = window
        self.search = search
    }

    /// The defaults of JEPA-WM and DINO-WM: contexts of two frames, shorter than in training.
    ///
    /// Models without proprioception that move an arm are those of DROID.
    ///
    /// Source: facebookresearch/jepa-wms `evals/simu_env_planning/planning` and its configurations.
    static func jepaWM(_ shape: LatentShape) -> PlanningDefaults {
        let hasStates = shape.stateWidth > 0
        let isArm = shape.actionWidth == Pose.width
        return PlanningDefaults(
            distance: hasStates ? .jepaWM : LatentDistance(.meanSquare),
            window: 2,
            search: .general(isArm ? .jepaWMDroid : .jepaWM)
        )
    }
}

extension PlanningDefaults.Search {
    /// The size of a search; nil keeps what the search has.
    public struct Size: Hashable, Sendable {
        /// Steps of a plan.
        public var horizon: Int?
        /// Action sequences sampled per iteration.
        public var samples: Int?
        /// The best of them, which the next iteration is fitted to.
        public var elites: Int?
        /// Iterations.
        public var iterations: Int?

        /// States a size.
        public init(
            horizon: Int? = nil,
            samples: Int? = nil,
            elites: Int? = nil,
            iterations: Int? = nil
        ) {
            self.horizon = horizon
            self.samples = samples
            self.elites = elites
            self.iterations = iterations
        }
    }

    /// The same search with another size.
    public func resized(to size: Size) -> PlanningDefaults.Search {
        switch self {
        case .arm(var settings):
            settings.horizon = size.horizon ?? settings.horizon
            settings.samples = size.samples ?? settings.samples
            settings.elites = size.elites ?? settings.elites
            settings.iterations = size.iterations ?? settings.iterations
            return .arm(settings)
        case .general(var settings):
            settings.horizon = size.horizon ?? settings.horizon
            settings.samples = size.samples ?? settings.samples
            settings.elites = size.elites ?? settings.elites
            settings.iterations = size.iterations ?? settings.iterations
            return .general(settings)
        }
    }

    /// Searches for actions that lead from the known frames to the goal.
    ///
    /// - Parameters:
    ///   - problem: the known frames, the goal, and the model.
    ///   - noise: the source of random numbers.
    ///   - pool: the threads to compute on.
    ///   - progress: called after each group of candidates.
    /// - Returns: the plan, [horizon, action width].
    /// - Throws: `ZooError` with code `model.plan-settings-invalid`, `model.energy-not-finite`,
    ///   `model.unsupported` or `model.input-shape-invalid`; `CancellationError`.
    public func plan(
        _ problem: PlanningProblem,
        noise: some NoiseSource = SeededNoise(seed: 0),
        on pool: ComputePool = .shared,
        progress: (@Sendable (PlanningProgress) -> Void)? = nil
    ) async throws -> ActionPlan {
        switch self {
        case .arm(let settings):
            try await ArmPlanner(settings)
                .plan(problem, noise: noise, on: pool, progress: progress)
        case .general(let settings):
            try await CrossEntropyPlanner(settings)
                .plan(problem, noise: noise, on: pool, progress: progress)
        }
    }
}

/// A named search that upstream uses with the models of a family.
public struct PlanningPreset: Hashable, Sendable {
    /// The name, such as `notebook`.
    public let name: String
    /// The search for actions.
    public let search: PlanningDefaults.Search
}
