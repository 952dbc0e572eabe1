// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCheckpoint
import ZooConvert
import ZooCore
import ZooModels
import ZooTensor

/// V-JEPA 2-AC against `Tests/Vectors/conversion/vjepa2-ac/forward.safetensors`.
@Suite struct VJEPA2ACTests {
    private let files: ConvertedCase
    private let model: VJEPA2ACModel

    init() async throws {
        files = try await ConvertedCase("vjepa2-ac", frames: 16)
        model = try VJEPA2ACModel(folder: files.release)
    }

    private func known() throws -> LatentSequence {
        try LatentSequence(
            latents: try files.tensor("tokens").reshaped([2, 3, 16, 24]),
            states: try files.tensor("states")
        )
    }

    @Test func framesBecomeNormalisedLatents() async throws {
        let latents = try await #require(model.encoder).encodeFrames(files.tensor("pixel_values"))
        #expect(latents.shape == [2, 3, 16, 24])
        try files.expect(latents.reshaped([2, 48, 24]), "tokens")
    }

    @Test func theEncoderAloneGivesTheFeaturesOfAFrame() async throws {
        let encoder = try ModelFamily.load(folder: files.release)
        let frames = try files.tensor("pixel_values").reshaped([6, 1, 3, 16, 16])
        let found = try await encoder.encode(
            frames,
            visible: nil,
            options: ForwardOptions(),
            on: .shared
        )
        try files.expect(found.tokens.values.reshaped([2, 48, 24]), "features")
        #expect(encoder.predictor == nil)
        #expect(throws: ZooError(.modelUnsupported, "")) { try encoder.requirePredictor() }
    }

    @Test func framesFollowFromActionsAndStates() async throws {
        let found = try await model.predictUnnormalised(known(), under: files.tensor("actions"))
        try files.expect(found.reshaped([2, 48, 24]), "predicted")
    }

    @Test func predictionsAreNormalisedAndStatesMove() async throws {
        let actions = try files.tensor("actions")
        let found = try await model.predict(known(), under: actions)
        for row in 0..<found.latents.shape.elementCount / 24 {
            let token = found.latents.values[row * 24..<(row + 1) * 24]
            let mean = token.reduce(0, +) / 24
            let variance = token.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 24
            #expect(abs(mean) < 1e-5 && abs(variance - 1) < 1e-3)
        }
        let states = try #require(found.states)
        let first = Pose(try files.tensor("states").values[0..<7])
        #expect(Array(states.values[0..<7]) == first.moved(by: Pose(actions.values[0..<7])).values)
    }

    @Test func laterFramesDoNotMatter() async throws {
        let whole = try await model.predict(known(), under: files.tensor("actions"))
        let first = try await model.predict(
            LatentSequence(
                latents: Tensor(
                    shape: [1, 1, 16, 24],
                    values: Array(files.tensor("tokens").values[0..<384])
                ),
                states: Tensor(
                    shape: [1, 1, 7],
                    values: Array(files.tensor("states").values[0..<7])
                )
            ),
            under: Tensor(shape: [1, 1, 7], values: Array(files.tensor("actions").values[0..<7]))
        )
        for (one, other) in zip(first.latents.values, whole.latents.values) {
            #expect(abs(one - other) <= 1e-5)
        }
    }

    /// The release of a predictor alone that takes no states.
    static func predictorWithoutStates() async throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let upstream = try Checkpoint(
            opening: "\(ZooModelsTests.vectors)/conversion/vjepa2-ac/upstream.pt"
        )
        var tensors: [String: StoredTensor] = [:]
        for name in upstream.tensors.map(\.name) where name.hasPrefix("predictor.") {
            guard !name.contains("state_encoder"), !name.contains("extrinsics") else { continue }
            tensors[name] = upstream[name]
        }
        let file = "\(folder.path)/upstream.safetensors"
        try SafetensorsWriter.write(tensors, to: file)
        let source = try ConversionSource(file, backbone: nil)
        var options = ConversionOptions()
        options.predictorHeads = 2
        options.cropSize = 16
        options.frames = 16
        _ = try await Converter(
            plan: try source.plan(options),
            sources: source.tensors,
            options: options,
            identity: ConversionIdentity(
                name: try ModelName(parsing: "test/sample"),
                version: try SemanticVersion(parsing: "1.0.0"),
                created: Timestamp(secondsSince1970: 0)
            ),
            dtype: nil
        ).write(to: "\(folder.path)/release")
        // Released models have patches of 16 pixels, this one of 4.
        let text = try JSONValue(parsing: folder.bytes(of: "release/config.json"))
        var members = try JSONObject(text).members
        #expect(members["patch_size"] == 16)
        members["patch_size"] = 4
        try folder.write(JSONValue.object(members).canonicalBytes, to: "release/config.json")
        return folder
    }

    @Test func aPredictorAloneTakesActionsOnly() async throws {
        let folder = try await Self.predictorWithoutStates()
        let alone = try VJEPA2ACModel(folder: "\(folder.path)/release")
        #expect(alone.latentShape.stateWidth == 0)
        let known = try LatentSequence(
            latents: try files.tensor("tokens").reshaped([2, 3, 16, 24])
        )
        let found = try await alone.predictUnnormalised(known, under: files.tensor("actions"))
        try files.expect(found.reshaped([2, 48, 24]), "predicted_without_states")
        #expect(throws: ZooError(.modelUnsupported, "")) {
            try ModelFamily.load(folder: "\(folder.path)/release")
        }
        #expect(alone.frameEncoder == nil && alone.measurementEncoder == nil)
    }

    @Test func inputsThatDoNotFitAreRefused() async throws {
        let (tokens, states) = (try known().latents, try files.tensor("states"))
        let shortFiles = try await ConvertedCase("vjepa2-ac")
        let short = try withExtendedLifetime(shortFiles) {
            try VJEPA2ACModel(folder: shortFiles.release)
        }
        #expect(short.latentShape.frames == 2)
        let actions = try files.tensor("actions")
        let cases: [(VJEPA2ACModel, Tensor, Tensor?, Tensor)] = [
            (short, tokens, states, actions),
            (model, tokens, nil, actions),
            (model, tokens, states, Tensor(zeros: [2, 3, 6])),
            (model, tokens, Tensor(zeros: [2, 3, 6]), actions),
            (model, Tensor(zeros: [2, 3, 15, 24]), states, actions),
            (
                model, Tensor(zeros: [0, 3, 16, 24]), Tensor(zeros: [0, 3, 7]),
                Tensor(zeros: [0, 3, 7])
            ),
        ]
        for (model, latents, states, actions) in cases {
            await #expect(throws: ZooError(.inputShapeInvalid, "")) {
                try await model.predict(
                    LatentSequence(latents: latents, states: states),
                    under: actions
                )
            }
        }
    }
}
