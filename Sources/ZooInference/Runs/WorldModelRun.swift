// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
public import ZooMedia
public import ZooModels
public import ZooTensor

/// Plans and predicts with an action-conditioned model.
public struct WorldModelRun: Sendable {
    /// What to plan, and how.
    public struct PlanSettings: Sendable {
        /// The state at both of two images; see ``ObservationSequence``.
        public var state: [Float]?
        /// Whether to plan from the last frame to the first.
        public var isReversed: Bool
        /// Whether to apply the orientation that an image's metadata states.
        public var orientation: Orientation
        /// The name of a search of the model's family; nil for the default of the model.
        public var preset: String?
        /// Changes to the size of the search.
        public var size: PlanningDefaults.Search.Size
        /// The maximum number of context frames of a prediction; nil for the model's default.
        public var window: Int?
        /// The seed of the search.
        public var seed: UInt64
        /// The number of moves along each axis of a grid whose energies are computed, 2 to 100; nil for no
        /// grid.
        public var grid: Int?
        /// Whether to search for a plan; false for the grid alone.
        public var isSearching: Bool

        /// Creates settings.
        public init(
            state: [Float]? = nil,
            isReversed: Bool = false,
            orientation: Orientation = .upright,
            preset: String? = nil,
            size: PlanningDefaults.Search.Size = PlanningDefaults.Search.Size(),
            window: Int? = nil,
            seed: UInt64 = 0,
            grid: Int? = nil,
            isSearching: Bool = true
        ) {
            self.state = state
            self.isReversed = isReversed
            self.orientation = orientation
            self.preset = preset
            self.size = size
            self.window = window
            self.seed = seed
            self.grid = grid
            self.isSearching = isSearching
        }
    }

    /// What was planned.
    public struct Result: Sendable {
        /// The plan; nil if none was searched for.
        public let plan: ActionPlan?
        /// The energies of the grid; nil without one.
        public let landscape: EnergyLandscape?
        /// The change of pose from the first to the last frame, if known.
        public let trueAction: Pose?

        /// The first move of the plan, for actions that are changes of a pose.
        public var firstMove: Pose? {
            guard let actions = plan?.actions, actions.shape[1] == Pose.width else { return nil }
            return Pose(actions.values.prefix(Pose.width))
        }
    }

    /// The model.
    public let model: any ActionConditionedModel
    private let folder: String
    private let onNote: (@Sendable (String) -> Void)?

    /// Loads the model of a folder.
    ///
    /// - Parameters:
    ///   - folder: a model folder with `config.json` and weights.
    ///   - onNote: receives notes about images; see ``InputReader``.
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code; `CancellationError`.
    public init(
        folder: String,
        onNote: (@Sendable (String) -> Void)? = nil
    ) async throws {
        model = try await BlockingWork.run(whenCancelled: .abandoned) { _ in
            try ModelFamily.loadWorldModel(folder: folder)
        }
        self.folder = folder
        self.onNote = onNote
    }

    /// Searches for actions that lead from the known frames to the last one.
    ///
    /// - Parameters:
    ///   - paths: one tensor file, or two images: start and goal.
    ///   - settings: what to plan.
    ///   - pool: the threads to compute on.
    ///   - progress: called from any thread; the candidates of the grid, then those of the search.
    /// - Returns: the plan and the energies of the grid.
    /// - Throws: `ZooError` with code `model.plan-settings-invalid` for a preset that the family does not
    ///   have, or a code of ``ObservationSequence`` or of the planners; `CancellationError`.
    public func plan(
        _ paths: [String],
        _ settings: PlanSettings = PlanSettings(),
        on pool: ComputePool = .shared,
        progress: (@Sendable (RunProgress) -> Void)? = nil
    ) async throws -> Result {
        let search = try search(settings.preset).resized(to: settings.size)
        let input = try await ObservationSequence(
            paths,
            state: settings.state,
            isReversed: settings.isReversed,
            orientation: settings.orientation,
            for: model,
            folder: folder,
            onNote: onNote
        )
        let problem = try await input.problem(window: settings.window, on: pool)
        var landscape: EnergyLandscape?
        if let grid = settings.grid {
            landscape = try await EnergyLandscape(of: problem, count: grid, on: pool) {
                progress?(RunProgress(completed: $0, total: grid * grid * grid))
            }
        }
        var plan: ActionPlan?
        if settings.isSearching {
            plan = try await search.plan(problem, noise: SeededNoise(seed: settings.seed), on: pool)
            {
                progress?(
                    RunProgress(
                        completed: $0.iteration * $0.samples + $0.candidates,
                        total: $0.iterations * $0.samples
                    )
                )
            }
        }
        return Result(plan: plan, landscape: landscape, trueAction: input.trueAction)
    }

    /// Predicts one frame after another from the actions in a file.
    ///
    /// - Parameters:
    ///   - path: a tensor file with `actions`; see ``ObservationSequence``.
    ///   - pool: the threads to compute on.
    /// - Returns: the predicted frames.
    /// - Throws: as ``ObservationSequence/rollOut(on:)``.
    public func rollOut(
        _ path: String,
        on pool: ComputePool = .shared
    ) async throws -> LatentSequence {
        try await ObservationSequence([path], for: model, folder: folder, onNote: onNote)
            .rollOut(on: pool)
    }

    private func search(_ preset: String?) throws(ZooError) -> PlanningDefaults.Search {
        guard let preset else { return model.planning.search }
        let presets = ModelFamily(model.family)?.planningPresets ?? []
        guard let found = presets.first(where: { $0.name == preset }) else {
            throw ZooError(
                .planSettingsInvalid,
                "models of \(model.family.title) have no preset '\(preset)'",
                remedy:
                    "leave out --preset, or give --horizon, --samples, --elites and --iterations"
            )
        }
        return found.search
    }
}
