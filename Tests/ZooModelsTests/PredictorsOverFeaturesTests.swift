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
        let frame = tensor.shape.extents.dropFirst(2).reduce(1, *)
        let (batch, frames) = (tensor.shape[0], tensor.shape[1])
        let kept = (0..<batch).flatMap { sample in
            tensor.values[sample * frames * frame..<(sample * frames + count) * frame]
        }
        return Tensor(
            shape: Shape([batch, count] + tensor.shape.extents.dropFirst(2)),
            values: kept
        )
    }

    @Test func framesFollowInJEPAWM() async throws {
        let files = try await Self.converted("jepa-wm", side: 4)
        let model = try JEPAWMModel(folder: files.release)
        #expect(
            model.extents
                == LatentExtents(
                    tokens: 16,
                    width: 24,
                    actionWidth: 10,
                    stateWidth: 64,
                    frames: 4
                )
        )
        #expect(model.measurementWidth == 4)
        let states = try model.states(of: files.tensor("proprio"))
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
        let dino = try #require(model as? DINOWMModel)
        #expect(model.extents.tokens == 4 && model.extents.frames == 3)
        #expect(model.extents.stateWidth == 16 && model.family.rawValue == "dino-wm")
        let visual = try files.tensor("visual").reshaped([2, 3, 4, 24])
        let states = try dino.states(of: files.tensor("proprio"))
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
        let (states, actions) = (
            try model.states(of: files.tensor("proprio")), try files.tensor("actions")
        )
        #expect(throws: ZooError(.inputShapeInvalid, "")) {
            try model.states(of: Tensor(zeros: [2, 3, 5]))
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
