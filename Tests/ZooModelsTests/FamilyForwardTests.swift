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
    /// A converted checkpoint and the vectors of its case.
    struct Case {
        let folder: TemporaryFolder
        let vectors: Checkpoint
        /// The converted model.
        let release: String

        /// - Parameters:
        ///   - name: a folder of `Vectors/conversion`.
        ///   - frames: frames of a clip, if not those of the case.
        init(_ name: String, frames: Int? = nil) async throws {
            let root = "\(ZooModelsTests.vectors)/conversion/\(name)"
            folder = try TemporaryFolder()
            vectors = try Checkpoint(opening: "\(root)/forward.safetensors")
            let names = try FileManager.default.contentsOfDirectory(atPath: root)
            let file = names.first { $0.hasPrefix("upstream") } ?? ""
            let source = try ConversionSource("\(root)/\(file)", backbone: nil)
            let given = try JSONObject(
                JSONValue(
                    parsing: Array(try Data(contentsOf: URL(filePath: "\(root)/expected.json")))
                ),
                at: ""
            ).object("options")
            var options = ConversionOptions()
            options.heads = try given.optionalInteger("heads", in: 1...100)
            options.predictorHeads = try given.optionalInteger("predictor_heads", in: 1...100)
            options.cropSize = try given.optionalInteger("crop_size", in: 1...1000)
            options.frames = try frames ?? given.optionalInteger("frames_per_clip", in: 1...1000)
            release = "\(folder.path)/release"
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
            ).write(to: release)
        }

        func tensor(_ name: String) throws -> Tensor { try #require(vectors[name]).tensor }

        /// Token ids, [samples, tokens].
        func ids(_ name: String) throws -> [[Int]] {
            let stored = try #require(vectors[name])
            let count = stored.shape[stored.shape.rank - 1]
            let flat: [Int] = stored.withBytes { span in
                (0..<stored.shape.elementCount).map { index in
                    Int(unsafe span.unsafeLoadUnaligned(fromByteOffset: 8 * index, as: Int64.self))
                }
            }
            return stride(from: 0, to: flat.count, by: count).map { Array(flat[$0..<$0 + count]) }
        }

        func selection(_ name: String) throws -> TokenSelection { try TokenSelection(ids(name)) }

        /// Numbers agree with a vector to 1e-5.
        func expect(_ found: Tensor, _ name: String) throws {
            let expected = try tensor(name)
            #expect(found.shape == expected.shape)
            let difference = zip(found.values, expected.values)
                .reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
            #expect(difference <= 1e-5, "\(name)")
        }
    }

    /// A case with an encoder.
    private struct Sample {
        let files: Case
        let model: any JEPAModel

        init(_ name: String) async throws {
            files = try await Case(name)
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
            predicted += try await sample.model.predict(
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
            let predicted = try await sample.model.predict(
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
        let model = try #require(sample.model as? VJEPA21Model)
        for (suffix, isImage) in [("", false), ("_image", true)] {
            let context = try await sample.encode(
                "pixel_values\(suffix)",
                visible: "context_ids\(suffix)"
            ).context
            try sample.expect(context, "context_hidden_state\(suffix)")
            let predicted = try await model.predict(
                sample.selection("target_ids\(suffix)"),
                from: context,
                ofImages: isImage
            )
            try sample.expect(predicted.targets, "predicted\(suffix)")
            try sample.expect(predicted.context, "predicted_context\(suffix)")
        }
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
            await #expect(throws: ZooError.self) {
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
        let files = try await Case(name)
        let probe = try AttentiveProbe(folder: files.release)
        let logits = try await probe.logits(of: files.tensor("tokens"))
        #expect(Set(logits.keys) == Set(heads.keys))
        for (head, vector) in heads { try files.expect(try #require(logits[head]), vector) }
        await #expect(throws: ZooError.self) {
            try await probe.logits(of: Tensor(zeros: [1, 2, 3]))
        }
    }
}
