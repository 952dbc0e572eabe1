// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooConvert
import ZooCore
import ZooFiles
import ZooModels
import ZooTensor
import ZooTesting

@testable import ZooEval

/// Probes as Meta publishes them, on clips, against Meta's own evaluation
/// (`Tests/Vectors/evaluation/held/make_published.py`).
@Suite struct PublishedProbeTests {
    /// A file of a probe, and what belongs to it.
    struct Case: Sendable, CustomTestStringConvertible {
        let probe: String
        let encoder: String
        var levels: [Int]?
        var testDescription: String { probe }

        static let all = [
            Case(probe: "k400-probe.pth.tar", encoder: "vjepa.pth.tar"),
            Case(probe: "ssv2-vitl-16x2x3.pt", encoder: "vjepa2.pt"),
            Case(probe: "diving48-vitl-256.pt", encoder: "vjepa2.pt", levels: [0, 2]),
        ]

        var expected: JSONObject {
            get throws {
                let path = "\(HeldEvaluation.vectors)/published/expected.json"
                let bytes = try FileSystem.document(path, limit: 1 << 20)
                return try JSONObject(JSONValue(parsing: bytes)).object(probe)
            }
        }

        /// Two clips of four frames, two apart, in three views.
        var document: JSONValue {
            get throws {
                HeldEvaluation.classificationDocument(
                    classes: "index",
                    preprocessing: "meta-video-views",
                    sampling: ["rule": "segments", "clips": 2, "step": 2, "frames": 4],
                    layout: [
                        "kind": "file-list", "folder": "something/videos",
                        "list": .string("published/\(try expected.string("list"))"),
                    ]
                )
            }
        }
    }

    /// Converts a file, as `ami-zoo convert` does.
    private static func convert(
        _ file: String,
        levels: [Int]? = nil,
        in folder: TemporaryFolder
    ) async throws -> String {
        var options = ConversionOptions()
        options.heads = 2
        options.predictorHeads = 1
        options.frames = 4
        options.cropSize = 32
        options.backboneLevels = levels
        let path = folder.path(of: "\(file)-\(levels ?? [])")
        guard try FileSystem.status(path) == nil else { return path }
        let source = try ConversionSource(
            "\(HeldEvaluation.vectors)/published/\(file)",
            backbone: nil
        )
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
        ).write(to: path)
        return path
    }

    private static func evaluation(
        _ example: Case,
        levels: [Int]?,
        in folder: TemporaryFolder
    ) async throws -> HeldEvaluation {
        try await HeldEvaluation(
            try example.document,
            model: try await convert(example.encoder, in: folder),
            data: HeldEvaluation.vectors,
            probe: try EvaluatedProbe(
                folder: try await convert(example.probe, levels: levels, in: folder),
                Cancellation()
            )
        )
    }

    /// The largest difference from the probabilities that Meta's code gives.
    private static func difference(_ sample: HeldEvaluation, _ example: Case) async throws -> Double
    {
        let wanted = try example.expected.numbers("probabilities", maximum: 999)
        let classifier = try await sample.model.classifier()
        let reader = try HeldPreparation(sample.definition.parameters)
            .reader(of: sample.data.held(), for: sample.model, classifier.backbone.input)
        let samples = try sample.split("test").samples
        let classes = wanted.count / samples.count
        var difference = 0.0
        // The list and the vectors are in the order of the names.
        for (index, clip) in samples.enumerated() {
            let found = try await classifier.probabilities(of: reader.pixels(of: clip), on: .shared)
            for (place, value) in found.enumerated() {
                difference = max(difference, abs(Double(value) - wanted[index * classes + place]))
            }
        }
        return difference
    }

    @Test(arguments: Case.all)
    func accuraciesAreThoseOfMeta(example: Case) async throws {
        try await TemporaryFolder.with { folder in
            let sample = try await Self.evaluation(example, levels: example.levels, in: folder)
            let difference = try await Self.difference(sample, example)
            #expect(difference < 2e-3, "\(difference)")
            let report = try await sample.report(in: folder.path(of: "work"))
            #expect(
                try report.measurement("top-1 accuracy").value == example.expected.number("top1")
            )
            #expect(
                try report.measurement("top-5 accuracy").value == example.expected.number("top5")
            )
            let json = try JSONObject(report.json)
            #expect(try json.digest("probe") == sample.model.probe?.digest)
        }
    }

    /// A probe that reads several blocks runs on the last one too, and is then another probe with another result.
    @Test func theBlocksThatAProbeReadsMatter() async throws {
        try await TemporaryFolder.with { folder in
            let example = Case.all[2]
            let right = try await Self.evaluation(example, levels: [0, 2], in: folder)
            for levels in [nil, [2], [0, 1], [0, 1, 2]] {
                let other = try await Self.evaluation(example, levels: levels, in: folder)
                #expect(other.model.probe?.digest != right.model.probe?.digest)
                #expect(try await Self.difference(other, example) > 0.02, "\(levels ?? [])")
            }
            let missing = try await Self.evaluation(example, levels: [0, 3], in: folder)
            let error = await #expect(throws: ZooError.self) {
                _ = try await missing.report(in: folder.path(of: "work"))
            }
            #expect(error?.code.rawValue == "model.level-invalid")
        }
    }

    /// Results of one probe are not those of another, nor of the classifier of the model.
    @Test func resultsOfAnotherProbeAreNotReused() async throws {
        try await TemporaryFolder.with { folder in
            let work = folder.path(of: "work")
            let (first, second) = (Case.all[1], Case.all[2])
            // Both on the labels of the second.
            let document = try second.document
            let encoder = try await Self.convert(first.encoder, in: folder)
            func report(_ probe: Case) async throws -> EvaluationReport {
                let path = try await Self.convert(probe.probe, levels: probe.levels, in: folder)
                return try await HeldEvaluation(
                    document,
                    model: encoder,
                    data: HeldEvaluation.vectors,
                    probe: try EvaluatedProbe(folder: path, Cancellation())
                ).report(in: work)
            }
            let wrong = try await report(first).measurement("top-1 accuracy").value
            let right = try await report(second).measurement("top-1 accuracy").value
            #expect(right == (try second.expected.number("top1")))
            #expect(wrong != right)
        }
    }

    @Test func probesThatDoNotFitAreRefused() async throws {
        try await TemporaryFolder.with { folder in
            let path = try await Self.convert(Case.all[1].probe, in: folder)
            let probe = try EvaluatedProbe(folder: path, Cancellation())
            func code(_ work: () async throws -> Void) async -> String? {
                await #expect(throws: ZooError.self) { try await work() }?.code.rawValue
            }
            // A suite without a classifier.
            #expect(
                await code {
                    _ = try await HeldEvaluation(
                        HeldEvaluation.imagesDocument(.neighbours),
                        model: "\(SampleEvaluation.vectors)/probes/pictures",
                        data: "\(HeldEvaluation.vectors)/images",
                        probe: probe
                    ).run()
                } == "evaluation.probe-unused"
            )
            // Another encoder.
            #expect(
                await code {
                    _ = try await HeldEvaluation(
                        try Case.all[1].document,
                        model: "\(SampleEvaluation.root)/models/ami/ball-drop/release",
                        data: HeldEvaluation.vectors,
                        probe: probe
                    ).run()
                } == "model.probe-mismatch"
            )
            // A model in place of a probe.
            #expect(
                await code {
                    _ = try EvaluatedProbe(
                        folder: "\(SampleEvaluation.vectors)/probes/pictures",
                        Cancellation()
                    )
                } == "model.family-unknown"
            )
            // An encoder without a classifier, and without a probe.
            #expect(
                await code {
                    _ = try await HeldEvaluation(
                        try Case.all[1].document,
                        model: try await Self.convert(Case.all[1].encoder, in: folder),
                        data: HeldEvaluation.vectors
                    ).run()
                } == "model.unsupported"
            )
            try probe.requireUnchanged(Cancellation())
            for file in ["model.safetensors", "config.json"] {
                let place = URL(filePath: "\(path)/\(file)")
                let sound = try Data(contentsOf: place)
                var changed = sound
                // The last digit of a weight; for the configuration the epsilon.
                if file == "config.json" {
                    let text = String(decoding: sound, as: UTF8.self)
                    changed = Data(
                        text.replacing(
                            #/"layer_norm_eps": [^,\n]+/#,
                            with: "\"layer_norm_eps\": 0.5"
                        ).utf8
                    )
                    try #require(changed != sound)
                } else {
                    changed[sound.count - 1] ^= 1
                }
                try changed.write(to: place)
                #expect(await code { try probe.requireUnchanged(Cancellation()) } == "io.changed")
                try sound.write(to: place)
            }
        }
    }
}
