// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
public import ZooTensor

/// Plans actions of any kind with the cross-entropy method, for LeWM, JEPA-WM and DINO-WM.
///
/// The values of an action, or of a block of actions that a model takes at once, are sampled
/// independently. The first sample is the current mean, stds are computed with n − 1, and there is
/// no momentum. The plan is the last mean.
///
/// Source: galilai-group/stable-worldmodel `planning/solver/cem.py`, `CEMSolver`, and
/// facebookresearch/jepa-wms `evals/simu_env_planning/planning/planning/planner.py`, `CEMPlanner`.
public struct CrossEntropyPlanner: Sendable {
    /// Settings of the search.
    public struct Settings: Hashable, Sendable {
        /// The number of steps of a plan, each an action or a block of actions of the model.
        public var horizon: Int
        /// Action sequences sampled per iteration.
        public var samples: Int
        /// The number of best samples that the next distribution is fitted to.
        public var elites: Int
        /// The number of iterations.
        public var iterations: Int
        /// The initial std of every value; default: 1.
        public var std: Double = 1
        /// The maximum absolute value of each dimension of an action; nil for no bounds.
        public var limits: [Double]?

        /// Creates settings.
        public init(
            horizon: Int,
            samples: Int,
            elites: Int,
            iterations: Int,
            std: Double = 1,
            limits: [Double]? = nil
        ) {
            self.horizon = horizon
            self.samples = samples
            self.elites = elites
            self.iterations = iterations
            self.std = std
            self.limits = limits
        }

        /// The settings of LeWM (arXiv 2603.19312).
        public static let lewm = Settings(horizon: 5, samples: 300, elites: 30, iterations: 30)
        /// The settings of JEPA-WM and DINO-WM (arXiv 2512.24497) in Push-T, PointMaze and Wall.
        public static let jepaWM = Settings(horizon: 6, samples: 300, elites: 10, iterations: 30)
        /// The settings of JEPA-WM and DINO-WM in Metaworld.
        public static let jepaWMMetaworld = Settings(
            horizon: 6,
            samples: 300,
            elites: 10,
            iterations: 15
        )
        /// The settings of JEPA-WM and DINO-WM for the robot arms of DROID.
        public static let jepaWMDroid = Settings(
            horizon: 3,
            samples: 300,
            elites: 10,
            iterations: 15,
            std: 0.1,
            limits: Array(repeating: 0.1, count: 6) + [0.75]
        )
    }

    /// Settings of the search.
    public let settings: Settings

    /// Creates a planner.
    public init(_ settings: Settings) { self.settings = settings }

    /// Searches for the actions whose predicted last frame has the least distance to the goal.
    ///
    /// - Parameters:
    ///   - problem: known frames, goal and model.
    ///   - noise: called once per iteration for [steps, samples, action width] values.
    ///   - pool: the threads to compute on.
    ///   - progress: called with the progress of the search.
    /// - Returns: the plan, [horizon, action width].
    /// - Throws: `ZooError` with code `model.plan-settings-invalid`, `model.energy-not-finite` or
    ///   `model.input-shape-invalid`; `CancellationError` when the task is cancelled.
    public func plan(
        _ problem: PlanningProblem,
        noise: some NoiseSource = SeededNoise(seed: 0),
        on pool: ComputePool = .shared,
        progress: (@Sendable (PlanningProgress) -> Void)? = nil
    ) async throws -> ActionPlan {
        let (width, limits) = (problem.model.latentShape.actionWidth, settings.limits)
        try CrossEntropySearch.require(
            horizon: settings.horizon,
            samples: settings.samples,
            elites: settings.elites,
            iterations: settings.iterations,
            width: width,
            numbers: [settings.std] + (limits ?? [])
        )
        guard limits.map({ $0.count == width && $0.allSatisfy { $0 >= 0 } }) ?? true else {
            throw ZooError(
                .planSettingsInvalid,
                "\(limits?.count ?? 0) limits do not match actions of \(width) values, or one is negative",
                remedy: "pass one limit for each value, at least 0"
            )
        }
        let bounds = limits?.map { Float($0) }
        let search = CrossEntropySearch(
            variables: Array(
                repeating: CrossEntropySearch.Variable(std: Float(settings.std)),
                count: width
            ),
            horizon: settings.horizon,
            samples: settings.samples,
            elites: settings.elites,
            iterations: settings.iterations,
            includesMean: true,
            bound: { numbers, _ in
                for (index, limit) in (bounds ?? []).enumerated() {
                    numbers[index] = min(max(numbers[index], -limit), limit)
                }
            },
            action: { Array($0) }
        )
        let history = try await search.run(problem, noise: noise, on: pool, progress: progress)
        return ActionPlan(actions: history[history.count - 1].mean, iterations: history)
    }
}
