// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooModels
import ZooTensor

/// From pixels to classes: the numbers are those of transformers' `VJEPA2ForVideoClassification` and of
/// Meta's `AttentiveClassifier` on `ClipAggregation` and `AnticipativeWrapper`.
@Suite struct VideoClassifierTests {
    static let vectors = "\(ZooModelsTests.vectors)/conversion/vjepa2-probe"

    /// A folder as transformers writes it, with other names of classes.
    private static func folder(
        _ change: (inout [String: Any]) -> Void = { _ in }
    ) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(
            atPath: "\(vectors)/expected-full.safetensors",
            toPath: "\(folder.path)/model.safetensors"
        )
        let bytes = try Data(contentsOf: URL(filePath: "\(vectors)/expected-config.json"))
        var fields = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        fields["id2label"] = ["0": "a", "1": "b", "2": "c", "3": "d", "4": "ü"]
        change(&fields)
        try folder.write(
            Array(try JSONSerialization.data(withJSONObject: fields)),
            to: "config.json"
        )
        return folder
    }

    private func vector(_ name: String) throws -> Tensor {
        try #require(Checkpoint(opening: "\(Self.vectors)/forward.safetensors")[name]).tensor
    }

    private func expect(
        _ found: Tensor?,
        _ name: String,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let (found, expected) = (try #require(found), try vector(name))
        #expect(found.shape.elementCount == expected.shape.elementCount, sourceLocation: location)
        let difference = zip(found.values, expected.values)
            .reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
        #expect(difference <= 1e-5, "\(name): \(difference)", sourceLocation: location)
    }

    @Test func clipsAreClassifiedAsTransformersDoes() async throws {
        let folder = try Self.folder()
        let classifier = try VideoClassifier(folder: folder.path)
        let found = try await classifier.classify(vector("pixel_values_videos"))
        let head = try #require(found.head("logits"))
        #expect(head.logits.shape == [2, 1, 5] && head.probabilities.shape == [2, 5])
        try expect(head.logits, "logits_full")
    }

    @Test func viewsAreAveragedAndClipsJoined() async throws {
        let folder = try Self.folder()
        let classifier = try VideoClassifier(folder: folder.path)
        let found = try await classifier.classify(vector("clips"))
        let head = try #require(found.head("logits"))
        #expect(head.logits.shape == [1, 3, 5])
        try expect(head.logits, "clips_logits_full")
        try expect(head.probabilities, "clips_probabilities_full")
        let expected = try vector("clips_probabilities_full").values
        let best = head.top(2)
        let order = expected.indices.sorted { expected[$0] > expected[$1] }
        #expect(best.map(\.index) == Array(order.prefix(2)))
        #expect(best.map(\.label) == order.prefix(2).map { ["a", "b", "c", "d", "ü"][$0] })
        #expect(abs(best[0].probability - expected[order[0]]) <= 1e-5)
        #expect(head.top(9).count == 5)
    }

    @Test func videosDoNotMeet() async throws {
        let folder = try Self.folder()
        let classifier = try VideoClassifier(folder: folder.path)
        let clips = try vector("clips")
        // The second video is the first with its views in another order.
        let views = stride(from: 0, to: 3 * 2 * 1536, by: 2 * 1536).map {
            Array(clips.values[$0..<$0 + 2 * 1536])
        }
        let found = try await classifier.classify(
            Tensor(
                shape: [2, 3, 2, 2, 3, 16, 16],
                values: views.flatMap(\.self) + views.reversed().flatMap(\.self)
            )
        )
        let head = try #require(found.head("logits"))
        let logits = try vector("clips_logits_full").values
        let reversed = [2, 1, 0].flatMap { logits[5 * $0..<5 * $0 + 5] }
        let close = zip(head.logits.values, logits + reversed).allSatisfy { abs($0 - $1) <= 1e-5 }
        #expect(close && head.logits.shape == [2, 3, 5])
        #expect(head.top(1, ofVideo: 0)[0].index == head.top(1, ofVideo: 1)[0].index)
    }

    @Test(arguments: [nil, [0, 1]])
    func probesOfMetaReadTheirBackbone(levels: [Int]?) async throws {
        let backbone = try await ConvertedCase("vjepa2")
        let probe = try await ConvertedCase("vjepa2-probe", levels: levels)
        let classifier = try VideoClassifier(folder: backbone.release, probe: probe.release)
        #expect(classifier.probe.backboneLevels == levels ?? [])
        let suffix = levels == nil ? "" : "_levels"
        let head = try #require(
            try await classifier.classify(vector("clips")).head("logits")
        )
        try expect(head.logits, "clips_logits_meta\(suffix)")
        try expect(head.probabilities, "clips_probabilities_meta\(suffix)")
        #expect(head.top(1)[0].label == nil)
        if levels == nil {
            let single = try await classifier.classify(vector("pixel_values_videos"))
            try expect(single.heads[0].logits, "logits_full_meta")
        }
    }

    @Test func levelsThatTheBackboneLacksAreRefused() async throws {
        let backbone = try await ConvertedCase("vjepa2")
        let probe = try await ConvertedCase("vjepa2-probe", levels: [0, 2])
        let classifier = try VideoClassifier(folder: backbone.release, probe: probe.release)
        await #expect(throws: ZooError(.levelInvalid, "")) {
            try await classifier.classify(vector("clips"))
        }
        let twice = try await ConvertedCase("vjepa2-probe", levels: [1, 1])
        #expect(throws: ZooError(.configurationInvalid, "")) {
            try AttentiveProbe(folder: twice.release)
        }
    }

    @Test func verbsNounsAndActionsAreAnticipated() async throws {
        let backbone = try await ConvertedCase("vjepa2")
        let probe = try await ConvertedCase("vjepa2-ek100")
        let classifier = try VideoClassifier(folder: backbone.release, probe: probe.release)
        let pixels = try probe.tensor("pixel_values")
        let found = try await classifier.classify(pixels)
        #expect(found.heads.map(\.classes.name) == ["verb", "noun", "action"])
        for head in found.heads {
            let logits = head.logits.reshaped([2, head.classes.count])
            try probe.expect(logits, "\(head.classes.name)_logits_whole")
            let logistic = logits.values.map { 1 / (1 + exp(-$0)) }
            #expect(zip(head.probabilities.values, logistic).allSatisfy { abs($0 - $1) < 1e-6 })
        }
        await #expect(throws: ZooError(.inputShapeInvalid, "")) {
            try await classifier.classify(Tensor(zeros: [1, 4, 3, 12, 20]))
        }
    }

    @Test func theModelInsideAClassifierEncodes() async throws {
        let folder = try Self.folder()
        let backbone = try await ConvertedCase("vjepa2")
        let pixels = try vector("pixel_values_videos")
        let whole = try ModelFamily.load(folder: folder.path)
        let bare = try ModelFamily.load(folder: backbone.release)
        #expect(whole.family == bare.family)
        var features: [[Float]] = []
        for model in [whole, bare] {
            let tokens = try await model.encode(
                pixels,
                visible: nil,
                options: ForwardOptions(),
                on: .shared
            ).tokens
            let predicted = try await model.requirePredictor().predict(
                .first(3, batch: 2),
                from: tokens,
                options: ForwardOptions(),
                on: .shared
            )
            features.append(tokens.values.values + predicted.values.values)
        }
        #expect(features[0] == features[1])
    }

    @Test func classifiersMayLackThePredictor() async throws {
        let folder = try Self.folder()
        let all = try Checkpoint(opening: folder.path)
        var kept: [String: Tensor] = [:]
        for tensor in all.tensors where !tensor.name.hasPrefix("vjepa2.predictor.") {
            kept[tensor.name] = try #require(all[tensor.name]).tensor
        }
        try SafetensorsWriter.write(kept, to: "\(folder.path)/model.safetensors")
        let classifier = try VideoClassifier(folder: folder.path)
        let found = try await classifier.classify(vector("pixel_values_videos"))
        try expect(found.heads[0].logits, "logits_full")
        #expect(classifier.backbone.predictor == nil)
        #expect(throws: ZooError(.modelUnsupported, "")) {
            try classifier.backbone.requirePredictor()
        }
    }

    @Test func whatDoesNotFitIsRefused() async throws {
        let backbone = try await ConvertedCase("vjepa2")
        #expect(throws: ZooError(.modelUnsupported, "")) {
            try VideoClassifier(folder: backbone.release)
        }
        let labels: [(Any, ZooError.Code)] = [
            (["0": "a", "1": "b"], .tensorShapeMismatch), ([:], .configurationInvalid),
            (["0": "a", "1": "b", "2": "c", "3": "d", "5": "e"], .configurationInvalid),
            (["0": "a", "1": "b", "2": "c", "3": "d", "4": 5], .configurationInvalid),
            (5, .configurationInvalid),
        ]
        for (each, code) in labels {
            let folder = try Self.folder { $0["id2label"] = each }
            #expect(throws: ZooError(code, "")) { try VideoClassifier(folder: folder.path) }
        }
        let heads = try Self.folder { $0["num_pooler_layers"] = 2 }
        #expect(throws: ZooError(.tensorUnclaimed, "")) {
            try VideoClassifier(folder: heads.path)
        }
        let folder = try Self.folder()
        let classifier = try VideoClassifier(folder: folder.path)
        for shape: Shape in [[1, 4, 3, 16], [1, 1, 4, 3, 16, 16], [0, 4, 3, 16, 16]] {
            await #expect(throws: ZooError(.inputShapeInvalid, "")) {
                try await classifier.classify(Tensor(zeros: shape))
            }
        }
        // A model of another width.
        let other = try await ConvertedCase("vjepa2-probe")
        #expect(throws: ZooError(.probeMismatch, "")) {
            try VideoClassifier(
                folder: "\(ZooModelsTests.vectors)/families/vjepa2/plain",
                probe: other.release
            )
        }
    }

    @Test func progressCountsTheLayersOfAllViews() async throws {
        let folder = try Self.folder()
        let classifier = try VideoClassifier(folder: folder.path)
        let (stream, continuation) = AsyncStream.makeStream(of: LayerProgress.self)
        _ = try await classifier.classify(
            vector("clips"),
            options: ForwardOptions(progress: { continuation.yield($0) })
        )
        continuation.finish()
        var seen: [LayerProgress] = []
        for await step in stream { seen.append(step) }
        #expect(seen.map(\.completed) == Array(1...6) && seen.allSatisfy { $0.total == 6 })
    }
}
