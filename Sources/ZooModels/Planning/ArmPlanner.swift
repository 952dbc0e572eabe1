// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
public import ZooTensor

/// Plans moves of a robot arm, as V-JEPA 2-AC is planned with: steps along x, y and z and of the
/// gripper, without turns.
///
/// Source: facebookresearch/vjepa2 `notebooks/utils/mpc_utils.py`, `cem`.
public struct ArmPlanner: Sendable {
    /// The numbers of a step that are planned.
    public enum Axis: Int, CaseIterable, Hashable, Sendable {
        case x, y, z, gripper
    }

    /// Settings of the search.
    public struct Settings: Hashable, Sendable {
        /// Steps of a plan (`rollout`).
        public var horizon = 1
        /// Action sequences sampled per iteration (`samples`).
        public var samples = 100
        /// The best of them, which the next iteration is fitted to (`topk`).
        public var elites = 10
        /// Iterations (`cem_steps`).
        public var iterations = 100
        /// The weight of the old means of x, y and z (`momentum_mean`).
        public var meanMomentum = 0.25
        /// The weight of the old stds of x, y and z (`momentum_std`).
        public var stdMomentum = 0.95
        /// The weight of the old mean of the gripper (`momentum_mean_gripper`).
        public var gripperMeanMomentum = 0.15
        /// The weight of the old std of the gripper (`momentum_std_gripper`).
        public var gripperStdMomentum = 0.15
        /// The longest move along an axis in metres, and the first std (`maxnorm`).
        public var longestMove = 0.05
        /// Axes that do not vary, and what they are instead (`axis`).
        public var pinned: [Axis: Double] = [:]
        /// The step from which on the gripper closes, counted from 0; nil when it need not
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

        /// Those of `notebooks/energy_landscape_example.ipynb`.
        public static let notebook: Settings = {
            var settings = Settings()
            (settings.horizon, settings.samples, settings.iterations) = (2, 25, 2)
            (settings.meanMomentum, settings.stdMomentum) = (0.15, 0.75)
            settings.longestMove = 0.075
            return settings
        }()
    }

    /// The fastest the gripper may move in a step.
    private static let gripperLimit: Float = 0.75
    /// Moves of the gripper below this become none.
    private static let leastGripperMove: Float = 0.25

    /// Settings of the search.
    public let settings: Settings

    /// Creates a planner.
    public init(_ settings: Settings) { self.settings = settings }

    /// Searches for the moves whose predicted last frame is nearest to the goal.
    ///
    /// - Parameters:
    ///   - problem: known frames and goal, of a model whose actions are changes of a ``Pose``.
    ///   - noise: asked once per iteration, for [steps, samples, 4] numbers.
    ///   - pool: the threads to compute on.
    ///   - progress: called with the progress of the search.
    /// - Returns: the plan, [horizon, 7]; its iterations tell of x, y, z and the gripper.
    /// - Throws: `ZooError` with code `model.plan-settings-invalid`, `model.energy-not-finite`,
    ///   `model.unsupported` for a model of other actions, or `model.input-shape-invalid`;
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
                "momenta of \(momenta) and moves of \(settings.longestMove) m are not possible",
                remedy: "momenta are between 0 and 1, and moves not below 0"
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

    /// x, y, z and gripper as an action without turns.
    @Sendable
    private static func action(_ step: ArraySlice<Float>) -> [Float] {
        let numbers = Array(step)
        return Array(numbers[..<3]) + [0, 0, 0, numbers[3]]
    }
}

extension Pose {
    /// Checks that the actions of a model can be changes of a pose.
    ///
    /// - Throws: `ZooError` with code `model.unsupported`.
    static func requireActions(of model: any ActionConditionedModel) throws(ZooError) {
        guard model.latentShape.actionWidth == width else {
            throw ZooError(
                .modelUnsupported,
                "actions of \(model.latentShape.actionWidth) numbers are not changes of a pose, which are "
                    + "\(width)",
                remedy: "plan with the general planner instead"
            )
        }
    }
}
