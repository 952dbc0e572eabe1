// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCheckpoint
import ZooCore
import ZooModels
import ZooTensor

/// LeWM against `Tests/Vectors/conversion/lewm/forward.safetensors`.
@Suite struct LeWMTests {
    private let files: ConvertedCase
    private let model: LeWMModel

    init() async throws {
        files = try await ConvertedCase("lewm")
        model = try LeWMModel(folder: files.release)
    }

    /// Frames of one sample of a tensor [batch, frames, ..], as [1, frames, ..].
    private func part(_ name: String, sample: Int, frames: Range<Int>) throws -> Tensor {
        let whole = try files.tensor(name)
        let size = whole.shape.sizes.dropFirst(2).reduce(1, *)
        let first = sample * whole.shape[1]
        return Tensor(
            shape: Shape([1, frames.count] + whole.shape.sizes.dropFirst(2)),
            values: Array(
                whole.values[
                    (first + frames.lowerBound) * size..<(first + frames.upperBound) * size
                ]
            )
        )
    }

    @Test func framesBecomeOneTokenEach() async throws {
        let found = try await model.encoder.encodeFrames(files.tensor("pixel_values"))
        #expect(found.shape == [2, 3, 1, 24])
        try files.expect(found.reshaped([2, 3, 24]), "embedding")
        let large = try await model.encoder.encodeFrames(files.tensor("pixel_values_large"))
        try files.expect(large.reshaped([1, 1, 24]), "embedding_large")
    }

    @Test func theEncoderTakesImages() async throws {
        let encoder = try ModelFamily.load(folder: files.release)
        let images = try files.tensor("pixel_values").reshaped([6, 3, 16, 16])
        func encode(_ visible: TokenSelection?, _ options: ForwardOptions) async throws -> Encoding
        {
            try await encoder.encode(images, visible: visible, options: options, on: .shared)
        }
        let found = try await encode(
            encoder.tokens(ofFrames: 0..<1, batch: 6),
            ForwardOptions(keepsLayers: true)
        )
        #expect(found.tokens.values.shape == [6, 1, 24])
        #expect(found.layers.map(\.shape) == Array(repeating: [6, 17, 24], count: 3))
        try files.expect(found.tokens.values.reshaped([2, 3, 24]), "embedding")
        await #expect(throws: ZooError(.tokenSelectionInvalid, "")) {
            try await encode(TokenSelection.first(2, batch: 6), ForwardOptions())
        }
        await #expect(throws: ZooError(.levelInvalid, "")) {
            try await encode(nil, ForwardOptions(levels: [0]))
        }
        for shape: Shape in [[6, 2, 3, 16, 16], [6, 1, 16, 16], [6, 3, 2, 16], [0, 3, 16, 16]] {
            await #expect(throws: ZooError(.inputShapeInvalid, "")) {
                try await encoder.encode(
                    Tensor(zeros: shape),
                    visible: nil,
                    options: ForwardOptions(),
                    on: .shared
                )
            }
        }
    }

    @Test func embeddingsFollowFromActions() async throws {
        let model = try ModelFamily.loadWorldModel(folder: files.release)
        let known = try files.tensor("embedding").reshaped([2, 3, 1, 24])
        let found = try await model.predict(
            LatentSequence(latents: known),
            under: files.tensor("actions"),
            on: .shared
        )
        try files.expect(found.latents.reshaped([2, 3, 24]), "predicted")
    }

    @Test func plansUnrollWithThreeFramesAtATime() async throws {
        let (history, plans) = (try files.tensor("action_history"), try files.tensor("plans"))
        let embedded = try files.tensor("embedding").values[..<72]
        let known = try LatentSequence(
            latents: Tensor(shape: [2, 3, 1, 24], values: Array(embedded) + Array(embedded))
        )
        var actions: [Float] = []
        for plan in 0..<2 {
            let range = plan * 20..<(plan + 1) * 20
            actions += history.values[range]
            actions += plans.values[range]
        }
        let found = try await model.rollOut(
            from: known,
            under: Tensor(shape: [2, 4, 10], values: actions)
        )
        try files.expect(found.latents.reshaped([1, 2, 5, 24]), "rollout")
    }

    @Test func blocksOfActionsArePlannedAsUpstreamPlansThem() async throws {
        let frames = try await model.encoder.encodeFrames(
            part("pixel_values", sample: 0, frames: 0..<2)
        )
        let goal = try await model.encoder.encodeFrames(
            part("pixel_values", sample: 1, frames: 0..<1)
        )
        let problem = try PlanningProblem(
            model: model,
            known: LatentSequence(latents: frames),
            pastActions: Tensor(
                shape: [1, 1, 10],
                values: Array(try files.tensor("action_history").values[..<10])
            ),
            goal: LatentSequence(latents: goal),
            distance: .lewm
        )
        var settings = CrossEntropyPlanner.Settings.lewm
        (settings.horizon, settings.samples, settings.elites, settings.iterations) = (3, 20, 6, 2)
        let recording = try PlannerTests.Recording("lewm")
        let plan = try await CrossEntropyPlanner(settings).plan(problem, noise: recording.noise)
        recording.expect(plan)
        await #expect(throws: ZooError(.modelUnsupported, "")) {
            try await ArmPlanner(.notebook).plan(problem)
        }
    }

    @Test func framesThatDoNotFitAreRefused() async throws {
        let known = try LatentSequence(latents: Tensor(zeros: [1, 4, 1, 24]))
        await #expect(throws: ZooError(.inputShapeInvalid, "")) {
            try await model.predict(known, under: Tensor(zeros: [1, 4, 10]))
        }
        await #expect(throws: ZooError(.inputShapeInvalid, "")) {
            try await model.encoder.encodeFrames(Tensor(zeros: [3, 16, 16]))
        }
    }
}
