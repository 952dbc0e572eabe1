// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Synchronization
import Testing
import ZooCore
import ZooTesting

@testable import ZooEval

/// Features of a split are computed once for all suites that read them, and for no other model, split or input.
@Suite struct SharedFeatureTests {
    /// The number of samples that a run computed.
    private static func computed(_ run: EvaluationRun, in work: String) async throws -> Int {
        let last = Mutex(0)
        try await run.compute(in: work) { progress in last.withLock { $0 = progress.computed } }
        return last.withLock { $0 }
    }

    /// A retrieval among the windows of a split of the data of the probes.
    private static func retrieval(_ sample: ProbeEvaluation, split: String) throws
        -> SuiteDefinition
    {
        let precisions = ["precision at 1", "mean average precision"]
        func metric(_ name: String, _ unit: String) -> JSONValue {
            ["name": .string(name), "unit": .string(unit), "direction": "higher"]
        }
        guard
            case .object(var members) = SeriesEvaluation.document(
                .retrieval,
                try sample.data.dataSet().digest,
                ["neighbours": [1]]
            )
        else { throw CancellationError() }
        members["metrics"] = .array(
            precisions.map { metric($0, "fraction") }
                + ["raw windows", "channel means"].flatMap { baseline in
                    precisions.map { metric("\($0) over that of \(baseline)", "ratio") }
                }
        )
        members["data"] = [
            "kind": "dataset", "name": "test/probes", "version": "1.0.0",
            "digest": .string(try sample.data.dataSet().digest.description),
            "split": .string(split),
        ]
        return try SuiteDefinition(parsing: JSONValue.object(members).canonicalBytes)
    }

    @Test func probesAndRetrievalShareTheirFeatures() async throws {
        try await TemporaryFolder.with { folder in
            let work = folder.path(of: "work")
            let linear = try ProbeEvaluation(.classification)
            #expect(try await Self.computed(try await linear.run(), in: work) == 390)
            // Other labels, another suite, no raw baseline, the splits the other way round.
            for other in [
                try ProbeEvaluation(.regression), try ProbeEvaluation(.neighbours),
                try ProbeEvaluation(.classification, split: "fit", parameters: ["fit": "test"]),
            ] {
                #expect(try await Self.computed(try await other.run(), in: work) == 0)
            }
            for split in ["fit", "test"] {
                let run = try await EvaluationRun(
                    try Self.retrieval(linear, split: split),
                    of: linear.model,
                    on: linear.data
                )
                #expect(try await Self.computed(run, in: work) == 0)
                let alone = folder.path(of: "alone-\(split)")
                try await run.compute(in: alone)
                #expect(
                    try await run.report(from: [work]).json == run.report(from: [alone]).json
                )
            }
        }
    }

    /// Retrieval first, on one split: a probe computes the other one only.
    @Test func whatIsMissingIsComputed() async throws {
        try await TemporaryFolder.with { folder in
            let work = folder.path(of: "work")
            let sample = try ProbeEvaluation(.regression)
            let run = try await EvaluationRun(
                try Self.retrieval(sample, split: "test"),
                of: sample.model,
                on: sample.data
            )
            #expect(try await Self.computed(run, in: work) == 150)
            #expect(try await Self.computed(try await sample.run(), in: work) == 240)
            let whole = try await sample.report(in: folder.path(of: "whole"))
            #expect(try await sample.run().report(from: [work]).json == whole.json)
        }
    }

    @Test func otherFeaturesAreNotShared() async throws {
        try await TemporaryFolder.with { folder in
            let work = folder.path(of: "work")
            let sample = try ProbeEvaluation(.neighbours)
            try await sample.run().compute(in: work)
            let model = EvaluatedModel(
                folder: SeriesEvaluation.model,
                digest: ContentDigest(of: Array("another model".utf8))
            )
            let other = try await EvaluationRun(sample.definition, of: model, on: sample.data)
            #expect(try await Self.computed(other, in: work) == 390)
            // Tokens are not means.
            let tokens = try ProbeEvaluation(.attentiveClassification)
            #expect(try await Self.computed(try await tokens.run(), in: work) == 390)
        }
    }

    /// Held splits are shared whatever they and their data are called; other preparation, layout or bytes are not.
    @Test func heldFeaturesAreShared() async throws {
        try await TemporaryFolder.with { folder in
            let work = folder.path(of: "work")
            let first = try await HeldEvaluation.images(.linear)
            #expect(try await Self.computed(try await first.run(), in: work) == 48)
            let document = String(
                decoding: HeldEvaluation.imagesDocument(.neighbours).canonicalBytes,
                as: UTF8.self
            )
            func computed(
                _ changes: [(String, String)],
                data: String = "\(HeldEvaluation.vectors)/images"
            ) async throws -> Int {
                let text = changes.reduce(document) { $0.replacing($1.0, with: $1.1) }
                try #require(changes.isEmpty || text != document)
                let sample = try await HeldEvaluation(
                    try JSONValue(parsing: Array(text.utf8)),
                    model: first.model.folder,
                    data: data
                )
                return try await Self.computed(try await sample.run(), in: work)
            }
            #expect(try await computed([]) == 0)
            #expect(try await computed([("\"name\":\"pictures\"", "\"name\":\"photos\"")]) == 0)
            #expect(
                try await computed([
                    ("\"name\":\"val\"", "\"name\":\"validation\""),
                    ("\"split\":\"val\"", "\"split\":\"validation\""),
                ]) == 0
            )
            #expect(try await computed([("meta-image", "vit-processor")]) == 48)
            // One other byte in one split.
            let images = folder.path(of: "images")
            try FileManager.default.copyItem(
                atPath: "\(HeldEvaluation.vectors)/images",
                toPath: images
            )
            try FileManager.default.moveItem(
                atPath: "\(images)/val/Zebra/7.png",
                toPath: "\(images)/val/Zebra/5.png"
            )
            #expect(try await computed([], data: images) == 16)
        }
    }
}
