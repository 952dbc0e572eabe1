// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooConvert
import ZooCore
import ZooModels
import ZooTensor

/// Small checkpoints of labs, converted and run: the numbers are those of the labs' own classes,
/// `Tests/Vectors/conversion/*/forward.safetensors`.
@Suite struct FamilyForwardTests {
    /// A case with an encoder.
    private struct Sample {
        let files: ConvertedCase
        let model: any JEPAEncoder

        init(_ name: String) async throws {
            files = try await ConvertedCase(name)
            model = try ModelFamily.load(folder: files.release)
        }

        func tensor(_ name: String) throws -> Tensor { try files.tensor(name) }

        func ids(_ name: String) throws -> [[Int]] { try files.ids(name) }

        func selection(_ name: String) throws -> TokenSelection { try files.selection(name) }

        func expect(_ found: TokenFeatures, _ name: String) throws {
            try files.expect(found.values, name)
        }

        func encode(_ name: String, visible: String? = nil) async throws -> Encoding {
            try await model.encode(
                tensor(name),
                visible: visible.map { try selection($0) },
                options: ForwardOptions(),
                on: .shared
            )
        }
    }

    @Test func imagesOfIJEPA() async throws {
        let sample = try await Sample("ijepa")
        try sample.expect(try await sample.encode("pixel_values").tokens, "last_hidden_state")
        try sample.expect(
            try await sample.encode("pixel_values_large").tokens,
            "last_hidden_state_large"
        )
        let context = try await sample.encode("pixel_values", visible: "context_ids").context
        try sample.expect(context, "context_hidden_state")
        // Set by set: two sets of targets for each of two images.
        let targets = try sample.ids("target_ids")
        var predicted: [Float] = []
        for set in [targets[0..<2], targets[2..<4]] {
            predicted += try await sample.model.requirePredictor().predict(
                TokenSelection(Array(set)),
                from: context,
                options: ForwardOptions(),
                on: .shared
            ).values.values
        }
        let expected = try sample.tensor("predicted").values
        #expect(zip(predicted, expected).allSatisfy { abs($0 - $1) <= 1e-5 })
        #expect(predicted.count == expected.count)
    }

    @Test func videosOfVJEPA() async throws {
        let sample = try await Sample("vjepa")
        try sample.expect(try await sample.encode("pixel_values").tokens, "last_hidden_state")
        try sample.expect(
            try await sample.encode("pixel_values_other").tokens,
            "last_hidden_state_other"
        )
        let context = try await sample.encode("pixel_values", visible: "context_ids").context
        try sample.expect(context, "context_hidden_state")
        for index in 0...1 {
            let predicted = try await sample.model.requirePredictor().predict(
                sample.selection("target_ids"),
                from: context,
                options: ForwardOptions(maskIndex: index),
                on: .shared
            )
            try sample.expect(predicted, "predicted_\(index)")
        }
    }

    @Test(arguments: ["vjepa21", "vjepa21-distilled"])
    func videosAndImagesOfVJEPA21(name: String) async throws {
        let sample = try await Sample(name)
        try sample.expect(try await sample.encode("pixel_values").tokens, "last_hidden_state")
        try sample.expect(
            try await sample.encode("pixel_values_image").tokens,
            "last_hidden_state_image"
        )
        try sample.expect(
            try await sample.encode("pixel_values_other").tokens,
            "last_hidden_state_other"
        )
        let levels = try await sample.model.encode(
            sample.tensor("pixel_values"),
            visible: nil,
            options: ForwardOptions(levels: [11, 8, 5, 2]),
            on: .shared
        ).levels
        try sample.files.expect(Self.joined(levels.reversed()), "hierarchical")
        let stretched = try VJEPA21Model(
            folder: sample.files.release,
            stretchesPredictorPositions: true
        )
        try sample.expect(
            try await stretched.requirePredictor().predict(
                sample.selection("target_ids"),
                from: sample.encode("pixel_values", visible: "context_ids").context
            ),
            "predicted_interpolated"
        )
        let model = try #require(sample.model as? VJEPA21Model)
        for (suffix, isImage) in [("", false), ("_image", true)] {
            let context = try await sample.encode(
                "pixel_values\(suffix)",
                visible: "context_ids\(suffix)"
            ).context
            try sample.expect(context, "context_hidden_state\(suffix)")
            let predictor = try #require(isImage ? model.imagePredictor : model.videoPredictor)
            let predicted = try await predictor.predictWithContext(
                sample.selection("target_ids\(suffix)"),
                from: context
            )
            try sample.expect(predicted.targets, "predicted\(suffix)")
            try sample.expect(predicted.context, "predicted_context\(suffix)")
        }
    }

    /// Features of the same tokens side by side.
    private static func joined(_ parts: [TokenFeatures]) -> Tensor {
        let (shape, width) = (parts[0].values.shape, parts[0].values.shape[2])
        let values = (0..<shape[0] * shape[1]).flatMap { token in
            parts.flatMap { $0.values.values[token * width..<(token + 1) * width] }
        }
        return Tensor(shape: [shape[0], shape[1], parts.count * width], values: values)
    }

    @Test func videosOfVJEPA2() async throws {
        let sample = try await Sample("vjepa2")
        try sample.expect(try await sample.encode("pixel_values").tokens, "last_hidden_state")
        // Another length and a rectangle: positions are those of the input.
        try sample.expect(
            try await sample.encode("pixel_values_other").tokens,
            "last_hidden_state_other"
        )
        try sample.expect(
            try await sample.encode("pixel_values_other", visible: "context_ids_other").tokens,
            "context_hidden_state_other"
        )
    }

    @Test func transformersPlacesRectanglesElsewhere() async throws {
        let sample = try await Sample("vjepa2")
        let pixels = try sample.tensor("pixel_values_other")
        let model = try VJEPA2Model(folder: sample.files.release, positions: .cropSize)
        let found = try await model.encode(pixels).tokens.values.values
        let expected = try sample.tensor("last_hidden_state_other").values
        #expect(zip(found, expected).contains { abs($0 - $1) > 1e-3 })
    }

    @Test func levelsOfVJEPA2() async throws {
        let sample = try await Sample("vjepa2")
        let encoding = try await sample.model.encode(
            sample.tensor("pixel_values"),
            visible: nil,
            options: ForwardOptions(levels: [1, 0]),
            on: .shared
        )
        #expect(encoding.levels.count == 2)
        try sample.expect(encoding.levels[0], "level_1")
        try sample.expect(encoding.levels[1], "level_0")
        try sample.expect(encoding.tokens, "level_1")
        for level in [-1, 2] {
            await #expect(throws: ZooError(.levelInvalid, "")) {
                try await sample.model.encode(
                    sample.tensor("pixel_values"),
                    visible: nil,
                    options: ForwardOptions(levels: [level]),
                    on: .shared
                )
            }
        }
    }

    @Test(arguments: [
        ("vjepa-probe", ["logits": "logits"]), ("vjepa2-probe", ["logits": "logits"]),
        (
            "vjepa2-ek100",
            ["verb": "verb_logits", "noun": "noun_logits", "action": "action_logits"]
        ),
    ])
    func probesOfTokens(name: String, heads: [String: String]) async throws {
        let files = try await ConvertedCase(name)
        let probe = try AttentiveProbe(folder: files.release)
        let logits = try await probe.logits(of: files.tensor("tokens"))
        #expect(Set(logits.keys) == Set(heads.keys))
        for (head, vector) in heads { try files.expect(try #require(logits[head]), vector) }
        await #expect(throws: ZooError(.inputShapeInvalid, "")) {
            try await probe.logits(of: Tensor(zeros: [1, 2, 3]))
        }
    }
}
