// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCheckpoint
import ZooCore
import ZooModels
import ZooTensor

/// JEPA-WM and DINO-WM on the lab's files, converted: the numbers are those of `VisionTransformerAdaLN`
/// and `ViTPredictor` of facebookresearch/jepa-wms.
@Suite struct PredictorsOverFeaturesTests {
    /// A case whose frames are smaller than the 16 by 16 tokens of the released models.
    private static func converted(_ name: String, side: Int) async throws -> ConvertedCase {
        let files = try await ConvertedCase(name)
        let text = try JSONValue(parsing: files.folder.bytes(of: "release/config.json"))
        var members = try JSONObject(text).members
        #expect(members["grid_size"] == 16)
        members["grid_size"] = .integer(side)
        let changed = JSONValue.object(members).canonicalBytes
        try files.folder.write(changed, to: "release/config.json")
        return files
    }

    /// The first frames of a tensor [batch, frames, ..].
    private func first(_ count: Int, of tensor: Tensor) -> Tensor {
        let frame = tensor.shape.sizes.dropFirst(2).reduce(1, *)
        let (batch, frames) = (tensor.shape[0], tensor.shape[1])
        let kept = (0..<batch).flatMap { sample in
            tensor.values[sample * frames * frame..<(sample * frames + count) * frame]
        }
        return Tensor(
            shape: Shape([batch, count] + tensor.shape.sizes.dropFirst(2)),
            values: kept
        )
    }

    @Test func framesFollowInJEPAWM() async throws {
        let files = try await Self.converted("jepa-wm", side: 4)
        let model = try JEPAWMModel(folder: files.release)
        #expect(
            model.latentShape
                == LatentShape(
                    tokens: 16,
                    width: 24,
                    actionWidth: 10,
                    stateWidth: 64,
                    frames: 4
                )
        )
        let encoder = try #require(model.measurementEncoder)
        #expect(encoder.measurementWidth == 4)
        let states = try encoder.states(of: files.tensor("proprio"))
        let embedded = try files.tensor("proprio_embedding").values
        for token in 0..<16 {
            #expect(abs(states[1, 2, 4 * token + 3] - embedded[embedded.count - 1]) < 1e-6)
        }
        let visual = try files.tensor("visual").reshaped([2, 3, 16, 24])
        let actions = try files.tensor("actions")
        let found = try await model.predict(
            LatentSequence(latents: visual, states: states),
            under: actions
        )
        try files.expect(found.latents, "predicted")
        try files.expect(
            try #require(found.states).reshaped([2, 3, 16, 4]),
            "predicted_proprio"
        )
        // Nothing comes from the future.
        let early = try await model.predict(
            LatentSequence(latents: first(2, of: visual), states: first(2, of: states)),
            under: first(2, of: actions)
        )
        let close = zip(early.latents.values, first(2, of: found.latents).values)
            .allSatisfy { abs($0 - $1) <= 1e-6 }
        #expect(close)
    }

    @Test func framesFollowInDINOWM() async throws {
        let files = try await Self.converted("dino-wm", side: 2)
        let model = try ModelFamily.loadWorldModel(folder: files.release)
        #expect(model is DINOWMModel)
        #expect(model.latentShape.tokens == 4 && model.latentShape.frames == 3)
        #expect(model.latentShape.stateWidth == 16 && model.family == .dinoWM)
        let visual = try files.tensor("visual").reshaped([2, 3, 4, 24])
        let states = try #require(model.measurementEncoder).states(of: files.tensor("proprio"))
        let actions = try files.tensor("actions")
        for (frames, suffix) in [(3, ""), (2, "_two_frames")] {
            let found = try await model.predict(
                LatentSequence(
                    latents: first(frames, of: visual),
                    states: first(frames, of: states)
                ),
                under: first(frames, of: actions),
                on: .shared
            )
            try files.expect(found.latents, "predicted\(suffix)")
            try files.expect(
                try #require(found.states).reshaped([2, frames, 4, 4]),
                "predicted_proprio\(suffix)"
            )
        }
    }

    /// Against `EncPredWM.unroll` of facebookresearch/jepa-wms: three steps in windows of two frames.
    @Test(arguments: ["jepa-wm", "jepa-wm-visual", "dino-wm", "dino-wm-visual"])
    func predictionsFedBackAreTheUnrollOfUpstream(name: String) async throws {
        let folder = "\(vectors)/families/jepa-wm/\(name)"
        let expected = try Checkpoint(opening: "\(folder)/unroll.safetensors")
        func tensor(_ name: String) throws -> Tensor { try #require(expected[name]).tensor }
        let model = try ModelFamily.loadWorldModel(folder: folder)
        var states: Tensor?
        if model.latentShape.stateWidth > 0 {
            let measured = try tensor("measured")
            states = try #require(model.measurementEncoder).states(of: measured)
            #expect(states?.shape == [2, 1, model.latentShape.stateWidth])
        }
        let found = try await model.rollOut(
            from: LatentSequence(latents: tensor("visual"), states: states),
            under: tensor("actions"),
            window: 2
        )
        func expectClose(_ found: Tensor, _ name: String) throws {
            let wanted = try tensor(name)
            #expect(found.shape.elementCount == wanted.shape.elementCount)
            let difference = zip(found.values, wanted.values)
                .reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
            #expect(difference <= 1e-5, "\(name): \(difference)")
        }
        #expect(found.latents.shape == [2, 4, 9, 20])
        try expectClose(found.latents, "unrolled")
        if let states = found.states { try expectClose(states, "unrolled_proprio") }
        // A window of all frames is another thing.
        let whole = try await model.rollOut(
            from: LatentSequence(latents: tensor("visual"), states: states),
            under: tensor("actions")
        )
        let same = zip(found.latents.values, whole.latents.values)
            .allSatisfy { abs($0 - $1) <= 1e-4 }
        #expect(!same)
    }

    @Test func modelsWithoutProprioceptionHaveNoEncoderOfIt() throws {
        for name in ["jepa-wm-visual", "dino-wm-visual"] {
            let model = try ModelFamily.loadWorldModel(
                folder: "\(vectors)/families/jepa-wm/\(name)"
            )
            #expect(model.latentShape.stateWidth == 0)
            #expect(model.measurementEncoder == nil && model.frameEncoder == nil)
        }
    }

    @Test func proprioceptionInsideThePredictorIsRefused() async throws {
        let root = "\(vectors)/conversion/jepa-wm-inside"
        let folder = try TemporaryFolder()
        var tensors: [String: Tensor] = [:]
        let released = try Checkpoint(opening: "\(root)/expected.safetensors")
        for tensor in released.tensors { tensors[tensor.name] = released[tensor.name]?.tensor }
        try SafetensorsWriter.write(tensors, to: "\(folder.path)/model.safetensors")
        let fields: JSONValue = [
            "model_type": "jepa_wm", "embed_dim": 24, "pred_hidden_size": 24, "proprio_emb_dim": 4,
            "pred_num_hidden_layers": 1, "pred_num_attention_heads": 2, "pred_mlp_ratio": 4,
            "action_dim": 10, "proprio_dim": 4, "layer_norm_eps": .number(1e-6), "grid_size": 4,
            "num_frames": 4,
        ]
        try folder.write(fields.canonicalBytes, to: "config.json")
        #expect(throws: ZooError(.modelUnsupported, "")) {
            try JEPAWMModel(folder: folder.path)
        }
    }

    @Test func numbersAreStandardisedAsInTraining() throws {
        #expect(TrainingEnvironment.all.count == 6 && TrainingEnvironment.named("tea") == nil)
        let pusht = try #require(TrainingEnvironment.named("pusht"))
        // Two steps side by side: (number − mean) / std of facebookresearch/jepa-wms' DATA_STATS.
        let actions = Tensor(shape: [1, 1, 4], values: [0, 0, 1, -1])
        let found = try pusht.actions.standardised(actions)
        let expected: [Float] = [0.04309063, -0.03396603, 4.9960375, -5.028971]
        for (one, other) in zip(found.values, expected) { #expect(abs(one - other) < 1e-5) }
        for (one, other) in zip(try pusht.actions.restored(found).values, actions.values) {
            #expect(abs(one - other) < 1e-6)
        }
        #expect(throws: ZooError(.inputShapeInvalid, "")) {
            try pusht.actions.standardised(Tensor(zeros: [1, 1, 3]))
        }
        let droid = try #require(TrainingEnvironment.named("droid"))
        #expect(droid.actions == .identity(width: 7))
        #expect(TrainingEnvironment.named("metaworld")?.proprioception.mean.count == 4)
    }

    @Test func anEncoderOfAnotherProjectIsNotLoaded() async throws {
        let files = try await Self.converted("jepa-wm", side: 4)
        #expect(throws: ZooError(.modelUnsupported, "")) {
            try ModelFamily.load(folder: files.release)
        }
    }

    @Test func configurationsThatContradictThemselvesAreRefused() async throws {
        let changes: [(String, String, JSONValue?, ZooError.Code)] = [
            ("jepa-wm", "grid_size", nil, .configurationInvalid),
            ("jepa-wm", "grid_size", 0, .configurationInvalid),
            ("jepa-wm", "num_frames", "four", .configurationInvalid),
            ("jepa-wm", "pred_num_attention_heads", 5, .configurationInvalid),
            ("jepa-wm", "pred_mlp_ratio", 1000, .configurationInvalid),
            ("jepa-wm", "action_dim", nil, .modelUnsupported),
            ("jepa-wm", "proprio_emb_dim", 12, .tensorShapeMismatch),
            ("dino-wm", "num_tokens", 13, .configurationInvalid),
            ("dino-wm", "pred_total_size", 8, .configurationInvalid),
            ("dino-wm", "action_emb_dim", nil, .modelUnsupported),
            ("dino-wm", "pred_head_dim", 24, .tensorShapeMismatch),
        ]
        for (name, field, value, code) in changes {
            let files = try await Self.converted(name, side: 2)
            let text = try JSONValue(parsing: files.folder.bytes(of: "release/config.json"))
            var members = try JSONObject(text).members
            members[field] = value
            try files.folder.write(
                JSONValue.object(members).canonicalBytes,
                to: "release/config.json"
            )
            #expect(throws: ZooError(code, ""), "\(name): \(field)") {
                try ModelFamily.loadWorldModel(folder: files.release)
            }
        }
    }

    @Test func inputsThatDoNotFitAreRefused() async throws {
        let files = try await Self.converted("jepa-wm", side: 4)
        let model = try JEPAWMModel(folder: files.release)
        let visual = try files.tensor("visual").reshaped([2, 3, 16, 24])
        let encoder = try #require(model.measurementEncoder)
        let (states, actions) = (
            try encoder.states(of: files.tensor("proprio")), try files.tensor("actions")
        )
        #expect(throws: ZooError(.inputShapeInvalid, "")) {
            try encoder.states(of: Tensor(zeros: [2, 3, 5]))
        }
        let cases: [(Tensor, Tensor?, Tensor)] = [
            (visual, nil, actions), (visual, states, Tensor(zeros: [2, 3, 9])),
            (visual, Tensor(zeros: [2, 3, 4]), actions),
            (
                Tensor(zeros: [2, 5, 16, 24]), Tensor(zeros: [2, 5, 64]), Tensor(zeros: [2, 5, 10])
            ),
        ]
        for (latents, states, actions) in cases {
            await #expect(throws: ZooError(.inputShapeInvalid, "")) {
                try await model.predict(
                    LatentSequence(latents: latents, states: states),
                    under: actions
                )
            }
        }
    }
}
