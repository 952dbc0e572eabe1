// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooInference
import ZooModels
import ZooTensor
import ZooTesting

/// Observations for a predictor over given features, DINO-WM with proprioception.
@Suite struct ObservationSequenceTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().path()
    private static let folder = "\(root)Vectors/families/jepa-wm/dino-wm"

    private let model: any ActionConditionedModel
    private let vectors: Checkpoint

    init() throws {
        model = try ModelFamily.loadWorldModel(folder: Self.folder)
        vectors = try Checkpoint(opening: "\(Self.folder)/unroll.safetensors")
    }

    /// The first sample of a tensor of the vectors.
    private func first(_ name: String) throws -> Tensor {
        let tensor = try #require(vectors[name]).tensor
        let sizes = [1] + tensor.shape.sizes.dropFirst()
        return Tensor(
            shape: Shape(sizes),
            values: Array(tensor.values.prefix(sizes.reduce(1, *)))
        )
    }

    private func observations(
        _ tensors: [String: Tensor],
        isReversed: Bool = false
    ) async throws -> ObservationSequence {
        try await TemporaryFolder.with { folder in
            let path = folder.path(of: "episode.safetensors")
            try SafetensorsWriter.write(tensors, to: path)
            return try await ObservationSequence(
                [path],
                isReversed: isReversed,
                for: model,
                folder: Self.folder
            )
        }
    }

    /// Against `EncPredWM.unroll` of facebookresearch/jepa-wms.
    @Test func actionsUnrollAsUpstreamUnrollsThem() async throws {
        let found = try await observations([
            "latents": first("visual"), "measurements": first("measured"),
            "actions": first("actions"),
        ]).rollOut()
        let whole = try #require(vectors["unrolled"]).tensor
        let size = found.latents.shape.elementCount
        let perSample = whole.shape.elementCount / whole.shape[0]
        // The vectors begin with the known frames.
        let expected = whole.values[..<perSample].suffix(size)
        #expect(size > 0 && expected.count == size)
        #expect(zip(found.latents.values, expected).allSatisfy { abs($0 - $1) <= 1e-5 })
    }

    @Test func theLastFrameIsTheGoalAndTheFirstWhenReversed() async throws {
        let (shape, frame) = (model.latentShape, model.latentShape.tokens * model.latentShape.width)
        let latents = Tensor(
            shape: [1, 2, shape.tokens, shape.width],
            values: (0..<2 * frame).map { Float($0) / Float(frame) }
        )
        let measured = try first("measured")
        let pair = Tensor(
            shape: [1, 2, measured.shape[2]],
            values: Array((measured.values + measured.values).prefix(2 * measured.shape[2]))
        )
        for isReversed in [false, true] {
            let problem = try await observations(
                ["latents": latents, "measurements": pair],
                isReversed: isReversed
            ).problem()
            #expect(problem.known.latents.values.first == (isReversed ? 1 : 0))
            #expect(problem.goal.latents.values.first == (isReversed ? 0 : 1))
            #expect(problem.window == model.planning.window)
        }
    }

    @Test func filesThatSayTooLittleAreRefused() async throws {
        let (visual, measured) = (try first("visual"), try first("measured"))
        let broken = Tensor(
            shape: visual.shape,
            values: Array(repeating: .nan, count: visual.shape.elementCount)
        )
        for tensors in [
            ["measurements": measured], ["latents": broken, "measurements": measured],
            ["latents": visual, "measurements": measured],
            ["latents": visual, "states": Tensor(zeros: [1, 9, 3]), "actions": visual],
        ] {
            let found = await code { _ = try await observations(tensors).rollOut() }
            #expect(found == .inputUnsuitable, "\(tensors.keys.sorted())")
        }
        // The release has no encoder that images could go through.
        try await TemporaryFolder.with { folder in
            let image = try BallDrop.image(in: folder)
            let found = await code {
                _ = try await ObservationSequence(
                    [image, image],
                    for: model,
                    folder: Self.folder
                )
            }
            #expect(found == .inputUnsuitable)
        }
    }
}
