// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooFiles
import ZooMedia
import ZooModels
import ZooTensor
import ZooTesting

@testable import ZooEval

/// Classifiers, published values and scenes of held data against PyTorch and transformers.
@Suite struct HeldVideoTests {
    private static func classification(_ classes: String) async throws -> HeldEvaluation {
        try await HeldEvaluation(
            HeldEvaluation.classificationDocument(classes: classes),
            model: HeldEvaluation.classifier,
            data: HeldEvaluation.something
        )
    }

    @Test func theListIsReadAsPublished() async throws {
        let expected = try HeldEvaluation.expected("something")
        let sample = try await Self.classification("name")
        let split = try sample.split("test")
        #expect(split.samples.map(\.path) == (try expected.strings("paths", maximum: 99, each: 99)))
        #expect(
            split.samples.map(\.label) == (try expected.integers("labels", in: 0...7, maximum: 99))
        )
        #expect(try sample.digest("test") == expected.digest("digest"))
    }

    @Test(arguments: ["name", "index"])
    func accuraciesAreThoseOfTransformers(classes: String) async throws {
        let expected = try HeldEvaluation.expected("something")
        try await TemporaryFolder.with { folder in
            let report = try await Self.classification(classes).report(in: folder.path(of: "work"))
            let first = try report.measurement("top-1 accuracy")
            #expect(try first.value == expected.number("top1"))
            #expect(first.samples == 10)
            #expect(try report.measurement("top-5 accuracy").value == expected.number("top5"))
            for index in 1...2 {
                try await Self.classification(classes).run().compute(
                    try #require(Shard("\(index)/2")),
                    in: folder.path(of: "part\(index)")
                )
            }
            let merged = try await Self.classification(classes).run()
                .report(from: [folder.path(of: "part1"), folder.path(of: "part2")])
            #expect(merged.json == report.json)
        }
    }

    /// One view of the whole clip, and two clips in three views as facebookresearch/vjepa2 makes them.
    @Test(arguments: ["probabilities", "views"])
    func probabilitiesAreThoseOfTransformers(name: String) async throws {
        let wanted = try HeldEvaluation.expected("something").numbers(name, maximum: 999)
        let sample = try await HeldEvaluation(
            name == "views"
                ? HeldEvaluation.classificationDocument(
                    preprocessing: "meta-video-views",
                    sampling: ["rule": "segments", "clips": 2, "step": 2, "frames": 4]
                ) : HeldEvaluation.classificationDocument(),
            model: HeldEvaluation.classifier,
            data: HeldEvaluation.something
        )
        let classifier = try await sample.model.classifier()
        let reader = try HeldPreparation(sample.definition.parameters)
            .reader(of: sample.data.held(), for: sample.model, classifier.backbone.input)
        var found: [Float] = []
        for clip in try sample.split("test").samples {
            found += try await classifier.probabilities(of: reader.pixels(of: clip), on: .shared)
        }
        try #require(found.count == wanted.count)
        let difference = zip(found, wanted).map { abs(Double($0) - $1) }.max() ?? 1
        #expect(difference < 2e-3, "\(difference)")
    }

    @Test func publishedValuesAreComputedAgain() async throws {
        let slice = try HeldEvaluation.expected("images").numbers("slice", maximum: 9)
        func evaluation(_ values: [Double]) async throws -> HeldEvaluation {
            try await HeldEvaluation(
                HeldEvaluation.publishedDocument(
                    file: "val/Zebra/10.png",
                    parameters: [
                        "input": "images", "preprocessing": "meta-image",
                        "output": "last-hidden-state", "tokens": 3,
                        "expected": .array(values.map { .number($0) }),
                    ],
                    metrics: [("difference, last-hidden-state", "absolute", "lower")]
                ),
                model: "\(SampleEvaluation.vectors)/probes/pictures",
                data: "\(HeldEvaluation.vectors)/images"
            )
        }
        try await TemporaryFolder.with { folder in
            let name = "difference, last-hidden-state"
            let equal = try await evaluation(slice).report(in: folder.path(of: "equal"))
            #expect(try equal.measurement(name).value < 1e-5)
            #expect(try equal.measurement(name).isWithinLimit)
            var other = slice
            other[7] += 0.01
            let differing = try await evaluation(other).report(in: folder.path(of: "other"))
            #expect(abs(try differing.measurement(name).value - 0.01) < 1e-5)
            #expect(!(try differing.measurement(name).isWithinLimit))
        }
    }

    @Test func publishedClassesAreComputedAgain() async throws {
        let expected = try HeldEvaluation.expected("something")
        let row = try expected.numbers("probabilities", maximum: 999).prefix(8)
        for (index, probability) in row.enumerated() {
            let rank = 1 + row.count { $0 > probability }
            let sample = try await HeldEvaluation(
                HeldEvaluation.publishedDocument(
                    file: "videos/1000.webm",
                    parameters: [
                        "input": "frames", "preprocessing": "model",
                        "sampling": ["rule": "uniform", "frames": 4], "output": "class",
                        "class": .integer(index), "probability": .number(probability),
                        "tolerance": .number(2e-3),
                    ],
                    metrics: [
                        ("rank of class \(index)", "rank", "lower"),
                        ("difference, probability of class \(index)", "fraction", "lower"),
                    ]
                ),
                model: HeldEvaluation.classifier,
                data: HeldEvaluation.something
            )
            try await TemporaryFolder.with { folder in
                let report = try await sample.report(in: folder.path(of: "work"))
                #expect(report.measurements[0].value == Double(rank))
                #expect(report.measurements[0].isWithinLimit == (rank == 1))
                #expect(report.measurements[1].isWithinLimit)
            }
        }
    }

    /// Movies 1 to 4 of each kind, in each order that the layout allows, with every frame once or twice.
    @Test(arguments: [
        (1, [0, 1, 2, 3]), (2, [0, 3, 2, 1]), (1, [3, 2, 1, 0]), (1, [1, 2, 0, 3]),
    ])
    func scenesAreThoseOfPyTorch(step: Int, order: [Int]) async throws {
        try await TemporaryFolder.with { folder in
            let kinds = ["frozen", "reversed", "teleport", "vanished"]
            try SceneFolder.write(to: folder, step: step, order: order)
            let sample = try await HeldEvaluation(
                HeldEvaluation.scenesDocument(kinds: kinds, pairs: 8, step: step),
                model: "\(SampleEvaluation.root)/models/ami/ball-drop/release",
                data: folder.path
            )
            let work = folder.path(of: "work")
            try await sample.run().compute(in: work)
            let stage = try await SuiteList.suite(for: sample.definition)
                .stages(of: sample.model, on: sample.data)[0]
            let chunks = ChunkFolder(
                work: work,
                key: stage.key(sample.model.digest, sample.data.json(sample.definition.data))
            )
            let table = SampleTable((0..<stage.chunks).compactMap { chunks.chunk($0, of: stage) })
            let expected = try SampleEvaluation.expected().object("surprise")
            // The pairs of a scene, that of the first movie first, are pairs 2k and 2k + 1 of the vectors.
            let second = order[0] / 2 == 1
            let pairs = ["frozen", "reversed", "teleport", "vanished"].flatMap { kind in
                let first = 2 * (SceneFolder.kinds.firstIndex(of: kind) ?? 0)
                return second ? [first + 1, first] : [first, first + 1]
            }
            for name in ["possible", "impossible"] {
                let rows = try expected.array("\(name) absolute", maximum: 100)
                let found = try table.rows(name)
                try #require(found.count == 8)
                for (pair, values) in zip(pairs, found) {
                    guard case .array(let numbers) = rows[pair] else { throw CancellationError() }
                    for (number, value) in zip(numbers, values) {
                        guard case .number(let wanted) = number else { throw CancellationError() }
                        #expect(abs(value - wanted) < 2e-4 * max(1, abs(wanted)))
                    }
                }
            }
        }
    }
}

/// The pairs of `pairs.safetensors` as scenes in the layout of IntPhys: two pairs of one kind are the movies of a scene.
enum SceneFolder {
    static let kinds = ["teleport", "reversed", "frozen", "vanished"]

    /// Writes `dev/KIND/01/MOVIE`.
    ///
    /// - Parameters:
    ///   - kinds: the kinds to write.
    ///   - folder: where to write it.
    ///   - step: how often each frame is written.
    ///   - order: the place among the possible and the impossible movie of the first pair, then of the second, of each of
    ///     the movies 1 to 4.
    /// - Throws: `ZooError` when a file cannot be read or written.
    static func write(
        _ kinds: [String] = kinds,
        to folder: TemporaryFolder,
        step: Int,
        order: [Int]
    ) throws {
        let file = try Checkpoint(opening: "\(SampleEvaluation.vectors)/pairs.safetensors")
        for (kind, name) in Self.kinds.enumerated() where kinds.contains(name) {
            for (movie, place) in order.enumerated() {
                let isPossible = place % 2 == 0
                let pair = 2 * kind + place / 2
                let tensor = try #require(file[isPossible ? "possible" : "impossible"])
                let bytes = tensor.rows(pair..<pair + 1).withBytes { span in
                    unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
                }
                let path = "dev/\(name)/01/\(movie + 1)"
                try folder.write(
                    Array("{\"header\": {\"is_possible\": \(isPossible)}}".utf8),
                    to: "\(path)/status.json"
                )
                try folder.write([1, 2, 3], to: "\(path)/depth/depth_001.png")
                let size = 32 * 32 * 3
                for frame in 0..<16 {
                    let image = RGBImage(
                        width: 32,
                        height: 32,
                        pixels: Array(bytes[frame * size..<(frame + 1) * size])
                    )
                    for copy in 0..<step {
                        let digits = String(1000 + frame * step + copy).dropFirst()
                        try folder.write(image.pngBytes(), to: "\(path)/scene/scene_\(digits).png")
                    }
                }
            }
        }
    }
}
