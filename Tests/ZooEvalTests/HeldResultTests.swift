// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Synchronization
import Testing
import ZooCore
import ZooFiles
import ZooMedia
import ZooTensor
import ZooTesting

@testable import ZooEval

/// What names stored results, and what is hashed.
@Suite struct HeldResultTests {
    /// A stage with other decoders, or another probe.
    private struct Changed: SampleStage {
        let stage: any SampleStage
        let decoders: [String: String]
        let probe: ContentDigest?
        var definition: JSONValue { stage.definition }
        var data: JSONValue? { stage.data }
        var columns: [String: Int] { stage.columns }
        var samples: Int { stage.samples }
        var chunk: Int { stage.chunk }

        func compute(
            _ samples: Range<Int>,
            on pool: ComputePool
        ) async throws -> [String: Tensor] { try await stage.compute(samples, on: pool) }
    }

    /// Every suite on held data names the decoders in its key and its report; a changed one is another result.
    @Test func resultsOfOtherDecodersAreNotReused() async throws {
        let images = try await HeldEvaluation.images(.neighbours)
        let clips = try await HeldEvaluation(
            HeldEvaluation.classificationDocument(),
            model: HeldEvaluation.classifier,
            data: HeldEvaluation.something
        )
        let published = try await HeldEvaluation(
            HeldEvaluation.publishedDocument(
                file: "val/Zebra/10.png",
                parameters: [
                    "input": "images", "preprocessing": "meta-image",
                    "output": "last-hidden-state", "tokens": 1, "expected": [0],
                ],
                metrics: [("difference, last-hidden-state", "absolute", "lower")]
            ),
            model: "\(SampleEvaluation.vectors)/probes/pictures",
            data: "\(HeldEvaluation.vectors)/images"
        )
        try await TemporaryFolder.with { folder in
            try SceneFolder.write(to: folder, step: 1, order: [0, 1, 2, 3])
            let scenes = try await HeldEvaluation(
                HeldEvaluation.scenesDocument(kinds: SceneFolder.kinds, pairs: 8, step: 1),
                model: "\(SampleEvaluation.root)/models/ami/ball-drop/release",
                data: folder.path
            )
            for sample in [images, clips, published, scenes] {
                let stage = try await SuiteList.suite(for: sample.definition)
                    .stages(of: sample.model, on: sample.data)[0]
                let names =
                    sample.definition.suite.name == "classification"
                    ? ["ffmpeg", "libjpeg", "libwebp"] : ["libjpeg", "libwebp"]
                #expect(stage.decoders.keys.sorted() == names)
                #expect(stage.decoders.values.allSatisfy { !$0.isEmpty })
                let data = sample.data.json(sample.definition.data)
                let key = stage.key(sample.model.digest, data)
                func changed(
                    _ decoders: [String: String],
                    _ probe: ContentDigest? = nil
                ) -> ContentDigest {
                    Changed(stage: stage, decoders: decoders, probe: probe)
                        .key(sample.model.digest, data)
                }
                #expect(changed(stage.decoders, stage.probe) == key)
                #expect(changed(stage.decoders, ContentDigest(of: [1])) != key)
                for name in names {
                    var other = stage.decoders
                    other[name] = "\(other[name] ?? "") (patched)"
                    #expect(changed(other) != key, "\(name)")
                    other[name] = nil
                    #expect(changed(other) != key, "\(name)")
                }
            }
            let report = try await images.report(in: folder.path(of: "work"))
            let found = try JSONObject(report.json).object("decoders")
            #expect(found.members == MediaDecoders.images.mapValues(JSONValue.string))
        }
    }

    /// The files of a folder, which count how often each is opened.
    private final class CountedFiles: HeldFiles {
        private let folder: HeldFolder
        private let counts = Mutex<[String: Int]>([:])

        init(_ path: String) throws { folder = try HeldFolder(path) }

        var path: String { folder.path }
        var opened: [String: Int] { counts.withLock { $0 } }

        func paths(below other: ReleasePath?, _ cancellation: Cancellation) throws -> [String] {
            try folder.paths(below: other, cancellation)
        }

        func folders(in other: ReleasePath?) throws(ZooError) -> [String] {
            try folder.folders(in: other)
        }

        func bytes(of file: String) throws(ZooError) -> HeldBytes? {
            counts.withLock { $0[file, default: 0] += 1 }
            return try folder.bytes(of: file)
        }

        func local(_ file: String) throws(ZooError) -> LocalCopy { try folder.local(file) }
    }

    /// Lists and labels are read once, so that what is hashed is what was read; the digest is that of all files.
    @Test(arguments: ["file-list", "something-something", "kinetics", "diving48"])
    func whatIsHashedIsWhatWasRead(name: String) async throws {
        let layout = try #require(HostileListTests.layouts[name])
        try await TemporaryFolder.with { folder in
            for (file, content) in layout.files { try folder.write(Array(content.utf8), to: file) }
            let definition = try SuiteDefinition(parsing: layout.document.canonicalBytes)
            guard case .held(let source) = definition.data else { throw CancellationError() }
            let files = try CountedFiles(folder.path)
            let data = try await HeldData(source, in: files)
            let lists = layout.files.keys.filter { !$0.contains("/") }
            #expect(!lists.isEmpty)
            for file in lists + layout.paths { #expect(files.opened[file] == 1, "\(file)") }
            let lines = (lists + layout.paths).sorted {
                Array($0.utf8).lexicographicallyPrecedes($1.utf8)
            }
            .map { path in
                let bytes = Array((layout.files[path] ?? "").utf8)
                return "\(ContentDigest(of: bytes).hex) \(bytes.count) \(path)\n"
            }
            let digest = ContentDigest(of: Array(lines.joined().utf8))
            #expect(try data.digest("test") == digest)
            // What a claim and evidence name.
            #expect(try JSONObject(data.json).digest("digest") == digest)
        }
    }

    @Test func labelsOfMoviesAreReadOnce() async throws {
        try await TemporaryFolder.with { folder in
            try SceneFolder.write(["frozen"], to: folder, step: 1, order: [0, 1, 2, 3])
            let document = HeldEvaluation.scenesDocument(kinds: ["frozen"], pairs: 2, step: 1)
            let definition = try SuiteDefinition(parsing: document.canonicalBytes)
            guard case .held(let source) = definition.data else { throw CancellationError() }
            let files = try CountedFiles(folder.path)
            _ = try await HeldData(source, in: files)
            for movie in 1...4 {
                #expect(files.opened["dev/frozen/01/\(movie)/status.json"] == 1)
            }
        }
    }
}
