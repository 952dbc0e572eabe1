// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooMedia
internal import ZooModels
internal import ZooTensor

/// The episodes of ``PlanningSuite``: a column for the plans of the model and for each baseline, with the number of
/// actions until the goal was reached, 0 if it was not; and the column ``way`` of the plans.
///
/// Seeds: output i of SplitMix64 with the seed of the definition is the seed of episode i; outputs 0, 1 and 2 of
/// SplitMix64 with that one are the seeds of the environment, of the noise of the plans, and of the random policy.
/// Output n of the second is the seed of the ``SeededNoise`` of plan n of the episode.
struct PlanningStage: SampleStage {
    /// The name of the column with the places on the way, x and y of each (``PlanningSuite/places``); those after the end are
    /// the last one.
    static let way = "way"

    private let suite: PlanningSuite
    private let model: any ActionConditionedModel
    private let encoder: any FrameEncoder
    private let preprocessing: Preprocessing

    /// Loads the model.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when it takes no actions or others than those of
    ///   the environment, has no encoder, or takes pictures of another size; a `model.*`, `checkpoint.*`, `media.*` or
    ///   `io.*` code; `CancellationError`.
    init(suite: PlanningSuite, model evaluated: EvaluatedModel) async throws {
        self.suite = suite
        do {
            model = try await evaluated.worldModel()
        } catch let error as ZooError where error.code == .modelUnsupported {
            throw Self.unsuitable(suite, error.message, cause: error)
        }
        let width = suite.block * suite.environment.actionWidth
        guard model.latentShape.actionWidth == width else {
            throw Self.unsuitable(
                suite,
                "the model takes actions of \(model.latentShape.actionWidth) values, and \(suite.block) of the "
                    + "environment have \(width)"
            )
        }
        guard let encoder = model.frameEncoder, model.latentShape.stateWidth == 0 else {
            throw Self.unsuitable(
                suite,
                model.frameEncoder == nil
                    ? "the model has no encoder of pictures"
                    : "the model needs measurements beside pictures"
            )
        }
        self.encoder = encoder
        preprocessing = try await BlockingWork.run { _ in try evaluated.preprocessing() }
        let picture = suite.environment.episode(0).picture
        let shape = try preprocessing.views(of: picture)[0].shape
        let input = encoder.input
        guard shape == Shape([input.channels, input.height, input.width]) else {
            throw Self.unsuitable(
                suite,
                "a picture of \(picture.width) x \(picture.height) pixels becomes an input of shape \(shape), "
                    + "and the model was trained on \(input.width) x \(input.height) pixels in "
                    + "\(input.channels) channels"
            )
        }
    }

    private static func unsuitable(
        _ suite: PlanningSuite,
        _ what: String,
        cause: ZooError? = nil
    ) -> ZooError {
        ZooError(
            .evaluationDataUnsuitable,
            "plans in the environment '\(suite.environment.id)' cannot be made: \(what)",
            remedy: "use a model that was trained in this environment",
            cause: cause
        )
    }

    var definition: JSONValue {
        [
            "suite": .string(PlanningSuite.id.description), "seed": .integer(suite.seed),
            "steps": .integer(suite.steps), "replan": .integer(suite.replan),
            "block": .integer(suite.block), "distance": .string(suite.distance.rawValue),
            "horizon": .integer(suite.search.horizon), "samples": .integer(suite.search.samples),
            "elites": .integer(suite.search.elites),
            "iterations": .integer(suite.search.iterations), "std": .number(suite.search.std),
        ]
    }

    var columns: [String: Int] {
        ["planned": 1, "random": 1, "straight": 1, Self.way: 2 * suite.places]
    }

    var samples: Int { suite.episodes }

    // An episode takes seconds, and one that is complete is kept.
    var chunk: Int { 1 }

    func compute(_ samples: Range<Int>, on pool: ComputePool) async throws -> [String: Tensor] {
        var taken: [String: [Float]] = [:]
        for sample in samples {
            let seed = suite.seed(ofEpisode: sample)
            let episode = suite.episode(seed)
            let planned = try await planned(episode, SplitMix64.output(1, seed: seed), on: pool)
            taken["planned", default: []].append(planned.actions)
            taken[Self.way, default: []] += planned.way
            var random = SplitMix64(seed: SplitMix64.output(2, seed: seed))
            taken["random", default: []].append(
                controlled(episode) { _ in
                    (0..<suite.environment.actionWidth).map { _ in 2 * random.uniform() - 1 }
                }
            )
            taken["straight", default: []].append(controlled(episode) { $0.straightAction })
        }
        let count = samples.count
        return taken.mapValues {
            Tensor(shape: Shape([count, $0.count / count]), values: $0)
        }
    }

    /// Runs an episode with a policy.
    ///
    /// - Returns: the number of actions until the goal was reached; 0 if it was not.
    private func controlled(
        _ episode: any SimulatedEnvironment,
        _ action: (any SimulatedEnvironment) -> [Double]
    ) -> Float {
        var environment = episode
        for step in 1...suite.steps {
            environment.step(action(environment))
            if environment.isSolved { return Float(step) }
        }
        return 0
    }

    /// Runs an episode with plans of the model.
    ///
    /// - Returns: the number of actions until the goal was reached, 0 if it was not; and the column ``way``.
    private func planned(
        _ episode: any SimulatedEnvironment,
        _ seed: UInt64,
        on pool: ComputePool
    ) async throws -> (actions: Float, way: [Float]) {
        let planner = CrossEntropyPlanner(suite.search)
        let goal = try await latents(episode.goalPicture, on: pool)
        var (environment, taken, plans) = (episode, 0, UInt64(0))
        var way = [episode.position]
        while true {
            let plan = try await planner.plan(
                PlanningProblem(
                    model: model,
                    known: latents(environment.picture, on: pool),
                    goal: goal,
                    distance: suite.distance.latentDistance
                ),
                noise: SeededNoise(seed: SplitMix64.output(plans, seed: seed)),
                on: pool
            )
            plans += 1
            let (values, width) = (plan.actions.values, suite.environment.actionWidth)
            for step in 0..<suite.replan * suite.block {
                environment.step(values[step * width..<(step + 1) * width].map(Double.init))
                taken += 1
                let isOver = environment.isSolved || taken == suite.steps
                if isOver || taken.isMultiple(of: suite.apart) { way.append(environment.position) }
                guard isOver else { continue }
                let rest = Array(repeating: environment.position, count: suite.places - way.count)
                return (
                    environment.isSolved ? Float(taken) : 0,
                    (way + rest).flatMap { [Float($0.x), Float($0.y)] }
                )
            }
        }
    }

    /// The latents of a picture, [1, 1, tokens, width].
    private func latents(_ picture: RGBImage, on pool: ComputePool) async throws -> LatentSequence {
        let pixels = try preprocessing.views(of: picture)[0]
        let frames = pixels.reshaped(Shape([1, 1] + pixels.shape.sizes))
        return try LatentSequence(latents: try await encoder.encodeFrames(frames, on: pool))
    }
}
