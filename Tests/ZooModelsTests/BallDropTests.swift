// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooModels
import ZooTensor

/// Runs the released ami/ball-drop against what transformers computes with the same weights
/// (`models/ami/ball-drop/goldens.py`).
@Suite struct BallDropTests {
    private static let release = URL(filePath: vectors)
        .appending(path: "../../models/ami/ball-drop/release").standardized.path()
    private let goldens: Checkpoint
    private let clip: Clip
    private let model: VJEPA2Model

    init() throws {
        clip = try Clip(file: "\(vectors)/models/ball-drop/goldens.safetensors")
        goldens = try Checkpoint(opening: "\(vectors)/models/ball-drop/goldens.safetensors")
        model = try VJEPA2Model(folder: Self.release)
    }

    private func golden(_ name: String) throws -> Tensor {
        try #require(goldens[name], "\(name)").tensor
    }

    private func tokens(_ name: String) throws -> TokenSelection {
        try #require(try clip.tokens(name), "\(name)")
    }

    /// The largest difference, infinite where a number is missing or not one.
    private func difference(_ found: Tensor, _ name: String) throws -> Float {
        let expected = try golden(name)
        guard found.shape == expected.shape else { return .infinity }
        return zip(found.values, expected.values).reduce(0) { worst, pair in
            let distance = abs(pair.0 - pair.1)
            return distance.isNaN ? .infinity : max(worst, distance)
        }
    }

    @Test func everyStageOfTheEncoderMatches() async throws {
        let encoding = try await model.encode(
            try golden("pixel_values"),
            options: ForwardOptions(keepsLayers: true)
        )
        #expect(encoding.layers.count == 5)
        #expect(try difference(encoding.layers[0], "encoder.embeddings") <= 1e-5)
        // The residual stream grows to 26 before the final norm, so its tolerance is relative.
        for layer in 0..<4 {
            let stage = "encoder.layer.\(layer)"
            let largest = try golden(stage).values.reduce(0) { max($0, abs($1)) }
            #expect(try difference(encoding.layers[layer + 1], stage) <= 1e-5 * largest)
        }
        #expect(try difference(encoding.tokens.values, "encoder.last_hidden_state") <= 1e-5)
    }

    @Test func aPredictionSeesOnlyTheFirstFramesAndMatches() async throws {
        let context = try model.tokens(ofFrames: 0..<8, batch: 1)
        let targets = try model.tokens(ofFrames: 8..<16, batch: 1)
        #expect(try context == tokens("predict.context_ids"))
        #expect(try targets == tokens("predict.target_ids"))
        let seen = try await model.encode(try golden("pixel_values"), visible: context).tokens
        #expect(try difference(seen.values, "predict.encoder.last_hidden_state") <= 1e-5)
        let predicted = try await model.requirePredictor().predict(targets, from: seen).values
        #expect(try difference(predicted, "predict.predictor.output") <= 1e-5)

        let readOut = try TrajectoryReadOut(folder: Self.release)
        let trajectory = try readOut.trajectory(of: predicted)
        let positions = try golden("predict.position").values
        #expect(trajectory.positions.count == 8)
        for (frame, position) in trajectory.positions.enumerated() {
            #expect(abs(position.x - Double(positions[2 * frame])) < 1e-4)
            #expect(abs(position.y - Double(positions[2 * frame + 1])) < 1e-4)
        }
        let landing = try golden("predict.landing").values
        #expect(abs(trajectory.landing.x - Double(landing[0])) < 1e-4)
        #expect(abs(trajectory.landing.frame - Double(landing[1])) < 1e-4)
    }

    @Test(arguments: ["forward", "scattered"])
    func theForwardPassOfTransformersMatches(masks: String) async throws {
        let tokens = try await model.encode(try golden("pixel_values")).tokens
        let targets = try self.tokens("\(masks).target_ids")
        let context = try tokens.selecting(try self.tokens("\(masks).context_ids"))
        let predicted = try await model.requirePredictor().predict(targets, from: context).values
        #expect(try difference(predicted, "\(masks).predictor.output") <= 1e-5)
        let truth = try tokens.selecting(targets).values
        #expect(try difference(truth, "\(masks).target_hidden_state") <= 1e-5)
    }
}
