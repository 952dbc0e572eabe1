// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooTensor

/// The default planning settings of upstream.
public struct PlanningDefaults: Hashable, Sendable {
    /// The planner and its settings.
    public enum Search: Hashable, Sendable {
        /// Moves of an arm: ``ArmPlanner``.
        case arm(ArmPlanner.Settings)
        /// Actions of any kind: ``CrossEntropyPlanner``.
        case general(CrossEntropyPlanner.Settings)
    }

    /// The distance to the goal.
    public let distance: LatentDistance
    /// The maximum number of context frames of a prediction; nil for the maximum of the model.
    public let window: Int?
    /// The planner and its settings.
    public let search: Search

    /// Creates defaults.
    public init(distance: LatentDistance, window: Int? = nil, search: Search) {
        self.distance = distance
        self.window = window
        self.search = search
    }

    /// The defaults of JEPA-WM and DINO-WM: contexts of two frames, shorter than in training.
    ///
    /// Models of robot arms without proprioception are those of DROID.
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
    /// Changes to the size of a search; nil keeps the current value.
    public struct Size: Hashable, Sendable {
        /// The number of steps of a plan.
        public var horizon: Int?
        /// Action sequences sampled per iteration.
        public var samples: Int?
        /// The number of best samples that the next distribution is fitted to.
        public var elites: Int?
        /// The number of iterations.
        public var iterations: Int?

        /// Creates a size.
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

    /// Returns the search with another size.
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

/// A named search of upstream for the models of a family.
public struct PlanningPreset: Hashable, Sendable {
    /// The name, such as `notebook`.
    public let name: String
    /// The planner and its settings.
    public let search: PlanningDefaults.Search
}
