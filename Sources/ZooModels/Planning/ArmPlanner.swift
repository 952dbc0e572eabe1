// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
public import ZooTensor

/// Plans moves of a robot arm with V-JEPA 2-AC: translation along x, y and z and the gripper, no
/// rotation.
///
/// Source: facebookresearch/vjepa2 `notebooks/utils/mpc_utils.py`, `cem`.
public struct ArmPlanner: Sendable {
    /// The planned dimensions of a step.
    public enum Axis: Int, CaseIterable, Hashable, Sendable {
        case x, y, z, gripper
    }

    /// Settings of the search.
    public struct Settings: Hashable, Sendable {
        /// The number of steps of a plan (`rollout`); default: 1.
        public var horizon = 1
        /// Action sequences sampled per iteration (`samples`); default: 100.
        public var samples = 100
        /// The number of best samples that the next distribution is fitted to (`topk`); default:
        /// 10.
        public var elites = 10
        /// The number of iterations (`cem_steps`); default: 100.
        public var iterations = 100
        /// The weight of the old means of x, y and z (`momentum_mean`).
        public var meanMomentum = 0.25
        /// The weight of the old stds of x, y and z (`momentum_std`).
        public var stdMomentum = 0.95
        /// The weight of the old mean of the gripper (`momentum_mean_gripper`).
        public var gripperMeanMomentum = 0.15
        /// The weight of the old std of the gripper (`momentum_std_gripper`).
        public var gripperStdMomentum = 0.15
        /// The maximum move along an axis in metres, and the initial std (`maxnorm`).
        public var longestMove = 0.05
        /// Axes that are fixed, and their values (`axis`).
        public var pinned: [Axis: Double] = [:]
        /// The first step, counted from 0, in which the gripper closes; nil for no constraint
        /// (`close_gripper`).
        public var closesFrom: Int?

        /// The defaults of the function `cem`.
        public init() {}

        /// The defaults of `WorldModel` in `notebooks/utils/world_model_wrapper.py`.
        public static let worldModel: Settings = {
            var settings = Settings()
            (settings.horizon, settings.samples, settings.iterations) = (2, 400, 10)
            (settings.meanMomentum, settings.stdMomentum) = (0.15, 0.15)
            return settings
        }()

        /// The settings of `notebooks/energy_landscape_example.ipynb`.
        public static let notebook: Settings = {
            var settings = Settings()
            (settings.horizon, settings.samples, settings.iterations) = (2, 25, 2)
            (settings.meanMomentum, settings.stdMomentum) = (0.15, 0.75)
            settings.longestMove = 0.075
            return settings
        }()
    }

    /// The maximum move of the gripper per step.
    private static let gripperLimit: Float = 0.75
    /// Moves of the gripper below this threshold are set to 0.
    private static let leastGripperMove: Float = 0.25

    /// Settings of the search.
    public let settings: Settings

    /// Creates a planner.
    public init(_ settings: Settings) { self.settings = settings }

    /// Searches for the moves whose predicted last frame has the least distance to the goal.
    ///
    /// - Parameters:
    ///   - problem: known frames and goal, for a model whose actions are changes of a ``Pose``.
    ///   - noise: called once per iteration for [steps, samples, 4] values.
    ///   - pool: the threads to compute on.
    ///   - progress: called with the progress of the search.
    /// - Returns: the plan, [horizon, 7]; its iterations hold x, y, z and the gripper.
    /// - Throws: `ZooError` with code `model.plan-settings-invalid`, `model.energy-not-finite`,
    ///   `model.unsupported` for a model with other actions, or `model.input-shape-invalid`;
    ///   `CancellationError` when the task is cancelled.
    public func plan(
        _ problem: PlanningProblem,
        noise: some NoiseSource = SeededNoise(seed: 0),
        on pool: ComputePool = .shared,
        progress: (@Sendable (PlanningProgress) -> Void)? = nil
    ) async throws -> ActionPlan {
        try Pose.requireActions(of: problem.model)
        let history = try await search().run(
            problem,
            noise: noise,
            on: pool,
            progress: progress
        )
        let mean = history[history.count - 1].mean.values
        let actions = stride(from: 0, to: mean.count, by: Axis.allCases.count).flatMap { first in
            var step = Array(mean[first..<first + Axis.allCases.count])
            if abs(step[3]) < Self.leastGripperMove { step[3] = 0 }
            return Self.action(step[...])
        }
        return ActionPlan(
            actions: Tensor(shape: [settings.horizon, Pose.width], values: actions),
            iterations: history
        )
    }

    private func search() throws(ZooError) -> CrossEntropySearch {
        let settings = settings
        let momenta = [
            settings.meanMomentum, settings.stdMomentum, settings.gripperMeanMomentum,
            settings.gripperStdMomentum,
        ]
        try CrossEntropySearch.require(
            horizon: settings.horizon,
            samples: settings.samples,
            elites: settings.elites,
            iterations: settings.iterations,
            width: Pose.width,
            numbers: momenta + settings.pinned.values + [settings.longestMove]
        )
        guard momenta.allSatisfy({ (0...1).contains($0) }), settings.longestMove >= 0 else {
            throw ZooError(
                .planSettingsInvalid,
                "the momenta \(momenta) or the maximum move of \(settings.longestMove) m are out of range",
                remedy: "use momenta from 0 to 1, and a move of at least 0 m"
            )
        }
        let limit = Float(settings.longestMove)
        return CrossEntropySearch(
            variables: Axis.allCases.map { axis in
                let isGripper = axis == .gripper
                return CrossEntropySearch.Variable(
                    mean: Float(settings.pinned[axis] ?? 0),
                    std: isGripper ? 1 : limit,
                    meanMomentum: Float(
                        isGripper ? settings.gripperMeanMomentum : settings.meanMomentum
                    ),
                    stdMomentum: Float(
                        isGripper ? settings.gripperStdMomentum : settings.stdMomentum
                    )
                )
            },
            horizon: settings.horizon,
            samples: settings.samples,
            elites: settings.elites,
            iterations: settings.iterations,
            includesMean: false,
            bound: { numbers, step in
                for axis in Axis.allCases {
                    let most = axis == .gripper ? Self.gripperLimit : limit
                    let found = min(max(numbers[axis.rawValue], -most), most)
                    numbers[axis.rawValue] = settings.pinned[axis].map(Float.init) ?? found
                }
                if let first = settings.closesFrom, step >= first {
                    numbers[Axis.gripper.rawValue] = 1
                }
            },
            action: Self.action
        )
    }

    /// Creates an action from x, y, z and gripper, without rotation.
    @Sendable
    private static func action(_ step: ArraySlice<Float>) -> [Float] {
        let numbers = Array(step)
        return Array(numbers[..<3]) + [0, 0, 0, numbers[3]]
    }
}

extension Pose {
    /// Checks that the actions of a model have the width of a pose.
    ///
    /// - Throws: `ZooError` with code `model.unsupported`.
    static func requireActions(of model: any ActionConditionedModel) throws(ZooError) {
        guard model.latentShape.actionWidth == width else {
            throw ZooError(
                .modelUnsupported,
                "the actions of the model have \(model.latentShape.actionWidth) values; changes of a pose "
                    + "have \(width)",
                remedy: "use the general planner instead"
            )
        }
    }
}
