// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Synchronization
import Testing
import ZooCheckpoint
import ZooCore
import ZooModels
import ZooTensor

/// Planning with V-JEPA 2-AC against the labs' own planners, `Tests/Vectors/planning/plans.json`.
@Suite struct PlannerTests {
    /// Numbers from a file in place of random ones.
    struct RecordedNoise: NoiseSource {
        private var values: ArraySlice<Float>

        init(_ tensor: Tensor) { values = tensor.values[...] }

        mutating func normals(_ count: Int) -> [Float] {
            defer { values = values.dropFirst(count) }
            precondition(values.count >= count)
            return Array(values.prefix(count))
        }
    }

    /// A search of `plans.safetensors`.
    struct Recording {
        let noise: RecordedNoise
        private let (mean, std, actions): (Tensor, Tensor, Tensor)

        init(_ name: String) throws {
            let file = try Checkpoint(opening: "\(vectors)/planning/plans.safetensors")
            func tensor(_ part: String) throws -> Tensor {
                try #require(file["\(name).\(part)"]).tensor
            }
            noise = RecordedNoise(try tensor("noise"))
            mean = try tensor("mean")
            std = try tensor("std")
            actions = try tensor("actions")
        }

        /// Means and stds of every iteration agree to 1e-5.
        func expect(_ plan: ActionPlan) {
            #expect(plan.actions.shape == actions.shape)
            expect(plan.actions.values, actions.values)
            #expect(plan.iterations.count == mean.shape[0])
            expect(plan.iterations.flatMap(\.mean.values), mean.values)
            expect(plan.iterations.flatMap(\.std.values), std.values)
        }

        private func expect(_ found: [Float], _ expected: [Float]) {
            #expect(found.count == expected.count)
            #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 1e-5 })
        }
    }

    private let files: ConvertedCase
    private let model: VJEPA2ACModel

    init() async throws {
        files = try await ConvertedCase("vjepa2-ac", frames: 16)
        model = try VJEPA2ACModel(folder: files.release)
    }

    /// From frame and state 0 of sample 0 to its frame 2.
    private func problem(distance: LatentDistance = .vjepa2AC) throws -> PlanningProblem {
        let tokens = try files.tensor("tokens").values
        return try PlanningProblem(
            model: model,
            known: LatentSequence(
                latents: Tensor(shape: [1, 1, 16, 24], values: Array(tokens[..<384])),
                states: Tensor(
                    shape: [1, 1, 7],
                    values: Array(try files.tensor("states").values[..<7])
                )
            ),
            goal: LatentSequence(
                latents: Tensor(shape: [1, 1, 16, 24], values: Array(tokens[768..<1152]))
            ),
            distance: distance
        )
    }

    @Test func energiesAreThoseOfTheDemonstration() async throws {
        let found = try await problem().energies(of: files.tensor("candidates"))
        try files.expect(Tensor(shape: [5], values: found), "energies")
    }

    @Test func statesCountWhenTheyShall() async throws {
        let given = try problem()
        let candidates = try files.tensor("candidates")
        let goal = try LatentSequence(
            latents: given.goal.latents,
            states: Tensor(shape: [1, 1, 7], values: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
        )
        func energies(_ weight: Double) async throws -> [Float] {
            try await PlanningProblem(
                model: model,
                known: given.known,
                goal: goal,
                distance: LatentDistance(.meanSquare, stateWeight: weight)
            ).energies(of: candidates)
        }
        let (without, with) = (try await energies(0), try await energies(0.1))
        let start = Pose(try files.tensor("states").values[..<7])
        for index in 0..<5 {
            let end = start.moved(by: Pose(candidates.values[index * 7..<(index + 1) * 7])).values
            let wanted = try #require(goal.states).values
            let mean = zip(end, wanted).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 7
            #expect(abs(with[index] - without[index] - 0.1 * mean) < 1e-5)
            #expect(mean > 1e-3)
        }
    }

    @Test func armsAreMovedAsUpstreamMovesThem() async throws {
        var function = ArmPlanner.Settings()
        (function.iterations, function.samples, function.elites) = (2, 20, 5)
        var pinned = ArmPlanner.Settings()
        (pinned.horizon, pinned.iterations, pinned.samples, pinned.elites) = (2, 2, 12, 4)
        (pinned.meanMomentum, pinned.stdMomentum) = (0.1, 0.3)
        (pinned.gripperMeanMomentum, pinned.gripperStdMomentum) = (0.2, 0.4)
        pinned.longestMove = 0.5
        pinned.pinned = [.y: 0.02]
        pinned.closesFrom = 1
        for (name, settings) in [
            ("function", function), ("notebook", .notebook), ("pinned", pinned),
        ] {
            let recording = try Recording(name)
            let plan = try await ArmPlanner(settings).plan(problem(), noise: recording.noise)
            recording.expect(plan)
        }
    }

    @Test func settingsAreThoseOfUpstream() {
        let (function, model) = (ArmPlanner.Settings(), ArmPlanner.Settings.worldModel)
        #expect(function.horizon == 1 && function.samples == 100 && function.elites == 10)
        #expect(function.iterations == 100 && function.longestMove == 0.05)
        #expect(function.meanMomentum == 0.25 && function.stdMomentum == 0.95)
        #expect(model.horizon == 2 && model.samples == 400 && model.elites == 10)
        #expect(model.iterations == 10 && model.longestMove == 0.05)
        #expect(model.meanMomentum == 0.15 && model.stdMomentum == 0.15)
        #expect(model.gripperMeanMomentum == 0.15 && model.gripperStdMomentum == 0.15)
    }

    @Test func actionsOfAnyKindArePlannedAsInJEPAWM() async throws {
        let folder = try await VJEPA2ACTests.predictorWithoutStates()
        let alone = try ModelFamily.loadWorldModel(folder: "\(folder.path)/release")
        let given = try problem()
        let problem = try PlanningProblem(
            model: alone,
            known: LatentSequence(latents: given.known.latents),
            goal: given.goal,
            distance: LatentDistance(.meanSquare),
            window: 2
        )
        var settings = CrossEntropyPlanner.Settings.jepaWMDroid
        (settings.iterations, settings.samples, settings.elites) = (2, 16, 5)
        let recording = try Recording("jepa-wm")
        let plan = try await CrossEntropyPlanner(settings).plan(problem, noise: recording.noise)
        recording.expect(plan)
    }

    @Test func aLandscapeIsAGridOfMoves() async throws {
        let landscape = try await EnergyLandscape(of: problem(), size: 0.5, count: 3)
        #expect(landscape.moves == [-0.5, 0, 0.5])
        #expect(landscape.actions.shape == [27, 7])
        #expect(Array(landscape.actions.values[7 * 5..<7 * 6]) == [-0.5, 0, 0.5, 0, 0, 0, 0])
        let alone = try await problem().energies(
            of: Tensor(shape: [1, 1, 7], values: [-0.5, 0, 0.5, 0, 0, 0, 0])
        )
        #expect(abs(alone[0] - landscape.energies[5]) < 1e-6)
        let sum = landscape.energies[2] + landscape.energies[5] + landscape.energies[8]
        #expect(abs(landscape.histogram[0][2] - Double(sum)) < 1e-6)
        let least = try #require(
            landscape.energies.indices.min {
                landscape.energies[$0] < landscape.energies[$1]
            }
        )
        let expected = Array(landscape.actions.values[least * 7..<least * 7 + 7])
        #expect(landscape.leastAction == expected)
    }

    @Test func framesArePredictedFromThoseBefore() async throws {
        let (tokens, states) = (try files.tensor("tokens"), try files.tensor("states"))
        let actions = try files.tensor("actions")
        let known = try LatentSequence(
            latents: Tensor(shape: [2, 1, 16, 24], values: frames(tokens, 0..<1, 384)),
            states: Tensor(shape: [2, 1, 7], values: frames(states, 0..<1, 7))
        )
        for window in [nil, 2] {
            let found = try await model.rollOut(from: known, under: actions, window: window)
            #expect(found.latents.shape == [2, 4, 16, 24] && found.states?.shape == [2, 4, 7])
            // Step by step, from the frames that the window shows.
            let first = max(0, 3 - (window ?? 3))
            let context = try LatentSequence(
                latents: Tensor(
                    shape: [2, 3 - first, 16, 24],
                    values: frames(found.latents, first..<3, 384)
                ),
                states: Tensor(
                    shape: [2, 3 - first, 7],
                    values: frames(try #require(found.states), first..<3, 7)
                )
            )
            let last = try await model.predict(
                context,
                under: Tensor(shape: [2, 3 - first, 7], values: frames(actions, first..<3, 7))
            )
            let count = 3 - first
            #expect(
                frames(found.latents, 3..<4, 384) == frames(last.latents, count - 1..<count, 384)
            )
            #expect(
                frames(try #require(found.states), 3..<4, 7)
                    == frames(try #require(last.states), count - 1..<count, 7)
            )
            #expect(frames(found.latents, 0..<1, 384) == known.latents.values)
        }
        await #expect(throws: ZooError(.inputShapeInvalid, "")) {
            try await model.rollOut(from: known, under: Tensor(zeros: [2, 0, 7]))
        }
    }

    /// Some frames of both samples of a tensor [2, frames, ..] with so many elements a frame.
    private func frames(_ tensor: Tensor, _ range: Range<Int>, _ size: Int) -> [Float] {
        let values = tensor.values
        let half = values.count / 2
        return [0, half].flatMap {
            values[$0 + range.lowerBound * size..<$0 + range.upperBound * size]
        }
    }

    @Test func plansFollowFromTheirSeed() async throws {
        let planner = ArmPlanner(.notebook)
        let seen = Mutex<[PlanningProgress]>([])
        let first = try await planner.plan(problem(), noise: SeededNoise(seed: 3)) { progress in
            seen.withLock { $0.append(progress) }
        }
        let again = try await planner.plan(problem(), noise: SeededNoise(seed: 3))
        let other = try await planner.plan(problem(), noise: SeededNoise(seed: 4))
        #expect(first.actions.values == again.actions.values)
        #expect(first.actions.values != other.actions.values)
        #expect(seen.withLock { $0.map(\.iteration) } == [0, 1])
        #expect(seen.withLock { $0.allSatisfy { $0.candidates == 25 && $0.samples == 25 } })
    }

    @Test func aPlanIsGivenUpWhenItsTaskIs() async throws {
        var settings = ArmPlanner.Settings()
        settings.iterations = 100_000
        let (planner, problem) = (ArmPlanner(settings), try problem())
        let task = Task {
            try await planner.plan(problem) { _ in
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func searchesThatAreNotPossibleAreRefused() async throws {
        let wrong: [(inout ArmPlanner.Settings) -> Void] = [
            { $0.elites = 1 }, { $0.elites = 101 }, { $0.samples = 1 }, { $0.horizon = 0 },
            { $0.iterations = 0 }, { $0.meanMomentum = 1.5 }, { $0.longestMove = .nan },
            { $0.longestMove = -1 }, { $0.pinned = [.x: .infinity] },
            { ($0.horizon, $0.samples) = (1024, 1_000_000) },
        ]
        for change in wrong {
            var settings = ArmPlanner.Settings()
            change(&settings)
            await #expect(throws: ZooError(.planSettingsInvalid, "")) {
                try await ArmPlanner(settings).plan(problem())
            }
        }
        await #expect(throws: ZooError(.planSettingsInvalid, "")) {
            try await EnergyLandscape(of: problem(), count: 1)
        }
        var settings = CrossEntropyPlanner.Settings.lewm
        settings.limits = [1]
        await #expect(throws: ZooError(.planSettingsInvalid, "")) {
            try await CrossEntropyPlanner(settings).plan(problem())
        }
    }

    @Test func statesThatAreNoNumbersGiveNoPlan() async throws {
        let given = try problem()
        let problem = try PlanningProblem(
            model: model,
            known: LatentSequence(
                latents: given.known.latents,
                states: Tensor(shape: [1, 1, 7], values: Array(repeating: .nan, count: 7))
            ),
            goal: given.goal,
            distance: .vjepa2AC
        )
        await #expect(throws: ZooError(.energyNotFinite, "")) {
            try await ArmPlanner(.notebook).plan(problem)
        }
    }

    @Test func problemsThatDoNotFitAreRefused() throws {
        let given = try problem()
        let latents = given.known.latents
        let cases: [(LatentSequence, Tensor?, LatentSequence, LatentDistance, Int?)] = [
            (try LatentSequence(latents: latents), nil, given.goal, .vjepa2AC, nil),
            (given.known, Tensor(zeros: [1, 1, 7]), given.goal, .vjepa2AC, nil),
            (
                given.known, nil, try LatentSequence(latents: Tensor(zeros: [1, 1, 1, 24])),
                .vjepa2AC, nil
            ),
            (given.known, nil, given.goal, .jepaWM, nil),
            (given.known, nil, given.goal, .vjepa2AC, 0),
        ]
        for (known, past, goal, distance, window) in cases {
            #expect(throws: ZooError(.inputShapeInvalid, "")) {
                try PlanningProblem(
                    model: model,
                    known: known,
                    pastActions: past,
                    goal: goal,
                    distance: distance,
                    window: window
                )
            }
        }
    }
}
