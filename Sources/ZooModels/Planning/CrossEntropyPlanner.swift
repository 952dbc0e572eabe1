// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
public import ZooTensor

/// Plans actions of any kind, as the world models LeWM, JEPA-WM and DINO-WM are planned with.
///
/// Every number of an action, and of a block of actions that a model takes at once, is drawn by
/// itself. The first sample is the current mean; stds are those of n − 1; nothing of an old
/// mean or std stays. The plan is the last mean.
///
/// Source: galilai-group/stable-worldmodel `planning/solver/cem.py`, `CEMSolver`, and
/// facebookresearch/jepa-wms `evals/simu_env_planning/planning/planning/planner.py`, `CEMPlanner`.
public struct CrossEntropyPlanner: Sendable {
    /// Settings of the search.
    public struct Settings: Hashable, Sendable {
        /// Steps of a plan, each an action or block of actions of the model.
        public var horizon: Int
        /// Action sequences sampled per iteration.
        public var samples: Int
        /// The best of them, which the next iteration is fitted to.
        public var elites: Int
        /// Iterations.
        public var iterations: Int
        /// The first std of every number.
        public var std: Double = 1
        /// The greatest amount of each number of an action; nil for no bounds.
        public var limits: [Double]?

        /// States settings.
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

        /// LeWM (arXiv 2603.19312).
        public static let lewm = Settings(horizon: 5, samples: 300, elites: 30, iterations: 30)
        /// JEPA-WM and DINO-WM (arXiv 2512.24497) in Push-T, PointMaze and Wall.
        public static let jepaWM = Settings(horizon: 6, samples: 300, elites: 10, iterations: 30)
        /// JEPA-WM and DINO-WM in Metaworld.
        public static let jepaWMMetaworld = Settings(
            horizon: 6,
            samples: 300,
            elites: 10,
            iterations: 15
        )
        /// JEPA-WM and DINO-WM with the robot arms of DROID.
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

    /// Searches for the actions whose predicted last frame is nearest to the goal.
    ///
    /// - Parameters:
    ///   - problem: known frames, goal and model.
    ///   - noise: asked once per iteration, for [steps, samples, action width] numbers.
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
                "\(limits?.count ?? 0) limits do not bound actions of \(width) numbers",
                remedy: "give as many limits, none below 0"
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
