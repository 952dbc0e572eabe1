// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooModels
import ZooTensor

@Suite struct VJEPA2ModelTests {
    private static let plain = "\(VJEPA2ParityTests.folder)/plain"

    private func configuration(_ text: String) throws -> VJEPA2Configuration {
        try VJEPA2Configuration(try JSONObject(try JSONValue(parsing: Array(text.utf8))))
    }

    /// A copy of the plain model whose configuration or weights are changed.
    private func folder(
        configuration change: (inout [String: JSONValue]) -> Void = { _ in },
        weights changeWeights: (inout [String: StoredTensor]) -> Void = { _ in }
    ) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let text = Array(try Data(contentsOf: URL(filePath: "\(Self.plain)/config.json")))
        var members = try JSONObject(try JSONValue(parsing: text)).members
        change(&members)
        try folder.write(JSONValue.object(members).canonicalBytes, to: "config.json")
        let source = try Checkpoint(opening: Self.plain)
        var tensors: [String: StoredTensor] = [:]
        for tensor in source.tensors { tensors[tensor.name] = source[tensor.name] }
        changeWeights(&tensors)
        try SafetensorsWriter.write(tensors, to: "\(folder.path)/model.safetensors")
        return folder
    }

    private func loadingError(_ folder: TemporaryFolder) -> ZooError? {
        do throws(ZooError) {
            _ = try ModelFamily.load(folder: folder.path)
            return nil
        } catch {
            return error
        }
    }

    @Test func aModelWithoutActionsIsNoWorldModel() throws {
        #expect(throws: ZooError(.modelUnsupported, "")) {
            try ModelFamily.loadWorldModel(folder: Self.plain)
        }
    }

    @Test func fieldsThatAreAbsentHaveTheDefaultsOfTransformers() throws {
        let found = try configuration(#"{"model_type":"vjepa2"}"#)
        #expect(found.encoder.width == 1024 && found.encoder.heads == 16)
        #expect(found.encoder.layers == 24 && found.encoder.hidden == 4096)
        #expect(found.predictor.width == 384 && found.predictor.headWidth == 32)
        #expect(found.predictor.layers == 12 && found.predictor.hidden == 1536)
        #expect(found.patchSize == 16 && found.cropSize == 256 && found.framesPerClip == 64)
        #expect(found.maskTokens == 10 && found.hasQueryBias && found.normEpsilon == 1e-6)
    }

    @Test func theHiddenWidthOfTheLargestModelIsWhole() throws {
        let found = try configuration(
            #"{"model_type":"vjepa2","hidden_size":1408,"num_attention_heads":22,"mlp_ratio":4.363636363636363}"#
        )
        // python: int(1408 * 4.363636363636363), as vjepa2-vitg-fpc64-256 has it
        #expect(found.encoder.hidden == 6144)
    }

    @Test(arguments: [
        #""hidden_size":-1"#, #""hidden_size":1e3"#, #""hidden_size":"1024""#,
        #""hidden_size":1048576"#, #""hidden_size":1000"#, #""num_attention_heads":0"#,
        #""num_attention_heads":512"#, #""num_hidden_layers":0"#, #""num_hidden_layers":100000"#,
        #""mlp_ratio":0"#, #""mlp_ratio":-4"#, #""mlp_ratio":1e300"#, #""mlp_ratio":"4""#,
        #""patch_size":0"#, #""patch_size":[16,16]"#, #""crop_size":8"#, #""tubelet_size":0"#,
        #""in_chans":0"#, #""layer_norm_eps":0"#, #""layer_norm_eps":-1"#, #""layer_norm_eps":2"#,
        #""qkv_bias":1"#, #""pred_hidden_size":7"#, #""pred_num_mask_tokens":0"#,
        #""pred_mlp_ratio":null"#, #""frames_per_clip":0"#, #""architectures":[1]"#,
    ])
    func absurdConfigurationsAreRefused(field: String) {
        #expect(throws: ZooError(.configurationInvalid, "")) {
            try configuration("{\"model_type\":\"vjepa2\",\(field)}")
        }
    }

    @Test(arguments: [
        #""hidden_act":"relu""#, #""architectures":["VJEPA2ForTea"]"#,
    ])
    func whatIsNotSupportedIsSaid(field: String) {
        #expect(throws: ZooError(.modelUnsupported, "")) {
            try configuration("{\"model_type\":\"vjepa2\",\(field)}")
        }
    }

    @Test func unknownFamiliesAreNamed() throws {
        let other = try folder(configuration: { $0["model_type"] = "llama" })
        #expect(loadingError(other)?.code == .familyUnknown)
        #expect(loadingError(other)?.message.contains("llama") == true)
        let none = try folder(configuration: { $0["model_type"] = nil })
        #expect(loadingError(none)?.code == .familyUnknown)
    }

    @Test func weightsMustFitTheConfiguration() throws {
        let missing = try folder(weights: { $0["encoder.layer.1.norm1.bias"] = nil })
        #expect(loadingError(missing)?.code == .tensorMissing)
        #expect(loadingError(missing)?.message.contains("encoder.layer.1.norm1.bias") == true)
        let extra = try folder(weights: { $0["stray"] = StoredTensor(Tensor(zeros: [1])) })
        #expect(loadingError(extra)?.code == .tensorUnclaimed)
        let wider = try folder(configuration: { $0["mlp_ratio"] = 5 })
        #expect(loadingError(wider)?.code == .tensorShapeMismatch)
        let fewer = try folder(configuration: { $0["num_hidden_layers"] = 1 })
        #expect(loadingError(fewer)?.code == .tensorUnclaimed)
        let bias = try folder(configuration: { $0["qkv_bias"] = false })
        #expect(loadingError(bias)?.code == .tensorUnclaimed)
    }

    /// `VJEPA2Model` of transformers also encodes such a folder; its predictor would be random.
    @Test func anEncoderAloneEncodesAndHasNoPredictor() async throws {
        let alone = try folder(weights: { tensors in
            for name in tensors.keys where name.hasPrefix("predictor.") { tensors[name] = nil }
        })
        let (model, whole) = (
            try VJEPA2Model(folder: alone.path), try VJEPA2Model(folder: Self.plain)
        )
        let pixels = Tensor(zeros: [1, 4, 3, 32, 32])
        let (found, expected) = (try await model.encode(pixels), try await whole.encode(pixels))
        #expect(found.tokens.values.values == expected.tokens.values.values)
        #expect(model.predictor == nil)
        let error = #expect(throws: ZooError(.modelUnsupported, "")) {
            try model.requirePredictor()
        }
        #expect(error?.message.contains("has no predictor") == true)
        // A predictor of which only a part is there is damaged.
        let first = try #require(
            try Checkpoint(opening: Self.plain).tensors.first { $0.name.hasPrefix("predictor.") }
        )
        let torn = try folder(weights: { $0[first.name] = nil })
        #expect(loadingError(torn)?.code == .tensorMissing)
    }

    @Test func foldersWithoutAConfigurationAreRefused() throws {
        let folder = try TemporaryFolder()
        #expect(loadingError(folder)?.code.rawValue == "io.not-found")
        try folder.write(Array("{".utf8), to: "config.json")
        #expect(loadingError(folder)?.code == .configurationInvalid)
    }

    @Test(arguments: [
        [4, 3, 32, 32], [1, 4, 3, 32], [1, 4, 1, 32, 32], [0, 4, 3, 32, 32], [1, 0, 3, 32, 32],
        [1, 4, 3, 7, 32], [1, 4, 3, 32, 7],
    ])
    func inputsOfOtherShapesAreRefused(sizes: [Int]) async throws {
        let model = try VJEPA2Model(folder: Self.plain)
        await #expect(throws: ZooError(.inputShapeInvalid, "")) {
            try await model.encode(Tensor(zeros: Shape(sizes)))
        }
    }

    @Test func selectionsMustBeEvenAndExist() async throws {
        for ids in [[], [[]], [[0], [0, 1]], [[-1]], [[TokenSelection.largestID + 1]]] {
            #expect(throws: ZooError(.tokenSelectionInvalid, "")) { try TokenSelection(ids) }
        }
        let model = try VJEPA2Model(folder: Self.plain)
        let pixels = Tensor(zeros: [1, 4, 3, 32, 32])
        for ids in [[[32]], [[0], [1]]] {
            await #expect(throws: ZooError(.tokenSelectionInvalid, "")) {
                try await model.encode(pixels, visible: try TokenSelection(ids))
            }
        }
        let tokens = try await model.encode(pixels).tokens
        for ids in [[[32]], [[0], [1]]] {
            #expect(throws: ZooError(.tokenSelectionInvalid, "")) {
                try tokens.selecting(try TokenSelection(ids))
            }
        }
        let narrow = try TokenFeatures(
            values: Tensor(zeros: [1, 1, 3]),
            selection: .first(1, batch: 1)
        )
        await #expect(throws: ZooError(.inputShapeInvalid, "")) {
            try await model.requirePredictor().predict(.first(1, batch: 1), from: narrow)
        }
    }

    @Test func predictionsMayLieBeyondTheInput() async throws {
        // A clip of two tubelets; the predictor is asked for the third.
        let model = try VJEPA2Model(folder: Self.plain)
        let tokens = try await model.encode(Tensor(zeros: [1, 4, 3, 32, 32])).tokens
        let future = try TokenSelection([Array(32..<48)])
        #expect(
            try await model.requirePredictor().predict(future, from: tokens).values.shape == [
                1, 16, 48,
            ]
        )
    }

    @Test func progressCountsTheLayers() async throws {
        let model = try VJEPA2Model(folder: Self.plain)
        let (stream, continuation) = AsyncStream.makeStream(of: LayerProgress.self)
        let options = ForwardOptions(progress: { continuation.yield($0) })
        _ = try await model.encode(Tensor(zeros: [1, 2, 3, 32, 32]), options: options)
        continuation.finish()
        var seen: [Int] = []
        for await step in stream {
            #expect(step.total == 2)
            seen.append(step.completed)
        }
        #expect(seen == [1, 2])
    }

    @Test func cancellingStopsBetweenLayers() async throws {
        let model = try VJEPA2Model(folder: Self.plain)
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            let options = ForwardOptions(progress: { _ in
                continuation.yield()
                // Long enough for the cancellation below to arrive.
                Thread.sleep(forTimeInterval: 0.5)
            })
            return try await model.encode(Tensor(zeros: [1, 2, 3, 32, 32]), options: options)
        }
        for await _ in stream { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
    }
}
