// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooModels
internal import ZooTensor

/// Whether plans made with an action-conditioned model reach goals in a simulated environment.
///
/// Samples: episodes, drawn from seeds. The model sees the picture of the current state and the picture of the
/// goal; the cross-entropy method searches for the actions whose predicted last latents are nearest to those of the
/// goal (``CrossEntropyPlanner``). The first `replan` steps of a plan are executed, then the next plan is made
/// (model-predictive control). An episode succeeds when the goal is reached within `steps` actions.
///
/// Baselines, without the model: actions drawn uniformly from their range, and ``SimulatedEnvironment/straightAction``.
struct PlanningSuite: SingleStageSuite {
    static let id = SuiteID(name: "planning", version: 1)

    /// How the distance of latents is computed: ``LatentDistance/Kind``.
    enum Distance: String, CaseIterable {
        case meanAbsolute = "mean-absolute"
        case meanSquare = "mean-square"
        case sumOfSquares = "sum-of-squares"

        var latentDistance: LatentDistance {
            switch self {
            case .meanAbsolute: LatentDistance(.meanAbsolute)
            case .meanSquare: LatentDistance(.meanSquare)
            case .sumOfSquares: LatentDistance(.sumOfSquares)
            }
        }
    }

    /// The environment.
    let environment: EnvironmentList.Entry
    /// The number of episodes.
    let episodes: Int
    /// The maximum number of actions of an episode.
    let steps: Int
    /// The number of steps of a plan that are executed before the next one is made.
    let replan: Int
    /// The number of actions that the model takes at once.
    let block: Int
    /// The distance to the goal.
    let distance: Distance
    /// The settings of the search.
    let search: CrossEntropyPlanner.Settings
    /// The seed of all episodes.
    let seed: Int

    init(_ definition: SuiteDefinition) throws(ZooError) {
        guard case .environment(let id) = definition.data else {
            throw ZooError(
                .fieldInvalid,
                "'data' of the suite definition '\(definition.name)' is \(definition.data), and "
                    + "\(definition.suite) runs in an environment",
                remedy: "set 'kind' of 'data' to 'environment'"
            )
        }
        environment = try EnvironmentList.entry(id)
        let parameters = definition.parameters
        episodes = try parameters.integer("episodes", in: 1...1_000_000)
        steps = try parameters.integer("steps", in: 1...100_000)
        block = try parameters.integer("block", in: 1...1024)
        distance = try parameters.choice("distance", of: Distance.self)
        let horizon = try parameters.integer("horizon", in: 1...1024)
        replan = try parameters.integer("replan", in: 1...horizon)
        let samples = try parameters.integer("samples", in: 2...1_000_000)
        let std = try parameters.number("std")
        guard std > 0, std <= 1000 else { throw parameters.invalid("std", "must be in (0, 1000]") }
        search = CrossEntropyPlanner.Settings(
            horizon: horizon,
            samples: samples,
            elites: try parameters.integer("elites", in: 2...samples),
            iterations: try parameters.integer("iterations", in: 1...100_000),
            std: std,
            limits: Array(repeating: 1, count: block * environment.actionWidth)
        )
        seed = definition.seed
    }

    /// The most places on a way that are stored, besides the start.
    private static let most = 100

    /// The number of actions from one stored place on a way to the next.
    var apart: Int { (steps + Self.most - 1) / Self.most }

    /// The number of stored places on a way: the start, those after ``apart`` actions each, and the end.
    var places: Int { (steps + apart - 1) / apart + 1 }

    /// The seed of an episode.
    func seed(ofEpisode number: Int) -> UInt64 {
        SplitMix64.output(UInt64(number), seed: UInt64(seed))
    }

    /// Draws an episode.
    ///
    /// - Parameter seed: what ``seed(ofEpisode:)`` gave.
    /// - Returns: its start.
    func episode(_ seed: UInt64) -> any SimulatedEnvironment {
        environment.episode(SplitMix64.output(0, seed: seed))
    }

    var metrics: [MetricDefinition] {
        [
            MetricDefinition("success rate", unit: "fraction", better: .higher),
            MetricDefinition("steps of successful episodes", unit: "steps", better: .lower),
            MetricDefinition("success rate, random policy", unit: "fraction", better: .higher),
            MetricDefinition("success rate, straight line", unit: "fraction", better: .higher),
        ]
    }

    func stage(of model: EvaluatedModel, on data: EvaluationData) async throws -> any SampleStage {
        try await PlanningStage(suite: self, model: model)
    }

    func measure(
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Measurement] {
        func successes(_ column: String) throws -> [Double] {
            try table.rows(column).map { $0[0] }.filter { $0 > 0 }
        }
        let steps = try successes("planned")
        func rate(_ metric: Int, _ column: String) throws -> Measurement {
            Measurement(
                metrics[metric],
                share: try successes(column).count,
                of: table.samples
            )
        }
        return [
            try rate(0, "planned"),
            // A model that never succeeds has a result too.
            steps.isEmpty
                ? Measurement(metrics[1], Double(self.steps), samples: 0)
                : Measurement(metrics[1], meanOf: steps),
            try rate(2, "random"),
            try rate(3, "straight"),
        ]
    }
}
