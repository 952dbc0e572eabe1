// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Synchronization
import Testing
import ZooCheckpoint
import ZooCore
import ZooFiles
import ZooInference
import ZooModels
import ZooTensor
import ZooTesting

/// Features of inputs of every kind, against the model called directly.
@Suite struct EmbedRunTests {
    @Test func rowsAreTheFeaturesOfTheInputsInOrder() async throws {
        let run = try await EmbedRun(folder: BallDrop.folder)
        let paths = [BallDrop.clips[1], BallDrop.clips[0], BallDrop.clips[1]]
        let features = try await run.features(of: paths)
        #expect(features.names == paths)
        #expect(features.values.shape == [3, 128, 128])
        let size = 128 * 128
        for (row, path) in paths.enumerated() {
            let alone = try await run.model.encode(try Clip(file: path).pixelValues)
            #expect(
                Array(features.values.values[row * size..<(row + 1) * size])
                    == alone.tokens.values.values
            )
        }
    }

    @Test func pooledFeaturesAreMeansOverTokens() async throws {
        var run = try await EmbedRun(folder: BallDrop.folder)
        let whole = try await run.features(of: [BallDrop.clips[0]]).values
        run.pooling = .mean
        let pooled = try await run.features(of: [BallDrop.clips[0]]).values
        #expect(pooled.shape == [1, 128])
        for column in 0..<128 {
            let mean = (0..<128).reduce(0.0) { $0 + Double(whole[0, $1, column]) } / 128
            #expect(pooled[0, column] == Float(mean))
        }
    }

    /// A file with `values` holds windows of a time series, or one.
    @Test func windowsOfATimeSeriesAreEmbedded() async throws {
        try await TemporaryFolder.with { folder in
            let series = "\(BallDrop.root)Tests/Vectors/families/series-jepa"
            let run = try await EmbedRun(folder: series)
            let path = "\(series)/expected.safetensors"
            let file = try Checkpoint(opening: path)
            let expected = try #require(file["last_hidden_state"]).tensor
            let features = try await run.features(of: [path])
            #expect(features.values.shape == expected.shape)
            let pairs = zip(features.values.values, expected.values)
            #expect(pairs.allSatisfy { abs($0 - $1) < 1e-5 })
            let first = try #require(file["values"]).rows(0..<1).tensor.reshaped([24, 5])
            let one = folder.path(of: "one.safetensors")
            try SafetensorsWriter.write(["values": StoredTensor(first)], to: one)
            let alone = try await run.features(of: [one])
            #expect(alone.values.shape == [1, 8, 24])
            #expect(zip(alone.values.values, expected.values).allSatisfy { abs($0 - $1) < 1e-5 })
            await #expect(throws: ZooError(.inputShapeInvalid, "")) {
                try await EmbedRun(folder: BallDrop.folder).features(of: [one])
            }
        }
    }

    @Test func anImageBecomesAClipOfEqualNormalisedFrames() async throws {
        try await TemporaryFolder.with { folder in
            let run = try await EmbedRun(folder: BallDrop.folder)
            let clip = try await run.reader.clip(try BallDrop.image(in: folder))
            #expect(clip.pixelValues.shape == [1, 16, 3, 32, 32])
            #expect(clip.frameIndices == Array(repeating: 0, count: 16))
            let bytes = BallDrop.pixels(width: 32, height: 32)
            for frame in [0, 15] {
                for (row, column, channel) in [(0, 0, 0), (3, 31, 1), (31, 17, 2)] {
                    // preprocessor_config.json: mean 0.5, std 0.25.
                    let level = Double(bytes[3 * (32 * row + column) + channel]) / 255
                    let found = clip.pixelValues[0, frame, channel, row, column]
                    #expect(abs(Double(found) - (level - 0.5) / 0.25) < 1e-6)
                }
            }
        }
    }

    @Test func inputsOfDifferentShapesNeedPooling() async throws {
        try await TemporaryFolder.with { folder in
            var run = try await EmbedRun(
                folder: BallDrop.folder,
                selection: FrameSelection(count: 4)
            )
            let frames = try (0..<4).map {
                try BallDrop.image(named: "frames/f\($0).png", in: folder)
            }
            #expect(frames.count == 4)
            let short = folder.path(of: "frames")
            let file = folder.path(of: "clip.safetensors")
            try SafetensorsWriter.write(
                ["pixel_values": StoredTensor(try Clip(file: BallDrop.clips[0]).pixelValues)],
                to: file
            )
            #expect(
                await code { _ = try await run.features(of: [short, file]) } == .inputUnsuitable
            )
            run = try await EmbedRun(folder: BallDrop.folder)
            let two = folder.path(of: "two.safetensors")
            try SafetensorsWriter.write(
                ["pixel_values": StoredTensor(Tensor(zeros: [1, 4, 3, 32, 32]))],
                to: two
            )
            #expect(
                await code { _ = try await run.features(of: [file, two]) } == .inputShapesDiffer
            )
            run.pooling = .mean
            #expect(try await run.features(of: [file, two]).values.shape == [2, 128])
        }
    }

    @Test func sizesOtherThanThoseOfTrainingAreNotedOnce() async throws {
        try await TemporaryFolder.with { folder in
            let notes = Mutex<[String]>([])
            let run = try await EmbedRun(folder: BallDrop.folder, pooling: .mean) { note in
                notes.withLock { $0.append(note) }
            }
            let exact = try BallDrop.image(named: "exact.png", in: folder)
            let large = try BallDrop.image(width: 64, height: 40, named: "a.png", in: folder)
            let again = try BallDrop.image(width: 64, height: 40, named: "b.png", in: folder)
            let small = try BallDrop.image(width: 16, height: 16, named: "c.png", in: folder)
            let rows = try await run.features(of: [exact, large, again, small]).values.shape
            #expect(rows == [4, 128])
            let found = notes.withLock { $0 }
            #expect(found.count == 2)
            #expect(found[0].contains("'\(large)' is 64 x 40 pixels"))
            #expect(found[0].contains("trained on 32 x 32"))
            #expect(found[1].contains("'\(small)' is 16 x 16 pixels"))
        }
    }

    @Test func filesAmongTheFramesAreNotedOncePerFolder() async throws {
        try await TemporaryFolder.with { folder in
            let notes = Mutex<[String]>([])
            let run = try await EmbedRun(folder: BallDrop.folder, pooling: .mean) { note in
                notes.withLock { $0.append(note) }
            }
            for clip in ["one", "two", "clean"] {
                for frame in 1...2 {
                    _ = try BallDrop.image(named: "\(clip)/\(frame).png", in: folder)
                }
            }
            for name in ["one/labels.txt", "two/Thumbs.db", "two/notes.md"] {
                try folder.write(Array("x".utf8), to: name)
            }
            let clips = ["one", "two", "clean"].map { folder.path(of: $0) }
            for _ in 0..<2 {
                let rows = try await run.features(of: clips + clips).values
                #expect(rows.shape == [6, 128])
                // What is left out does not change the features.
                #expect(Array(rows.values[0..<128]) == Array(rows.values[256..<384]))
            }
            let found = notes.withLock { $0 }.filter { $0.contains("left out") }.sorted()
            #expect(found.count == 2)
            #expect(found.first?.contains("'\(clips[0])'") == true)
            #expect(found.first?.hasSuffix("left out: 'labels.txt'") == true)
            #expect(found.last?.contains("'\(clips[1])'") == true)
            #expect(found.last?.hasSuffix("left out: 'Thumbs.db', 'notes.md'") == true)
        }
    }

    @Test func picturesFarFromTheSizeOfTrainingAreRefused() async throws {
        try await TemporaryFolder.with { folder in
            let run = try await EmbedRun(folder: BallDrop.folder)
            for (width, height) in [(65, 32), (32, 65), (15, 32), (32, 15), (640, 480)] {
                let image = try BallDrop.image(width: width, height: height, in: folder)
                let error = await #expect(throws: ZooError(.inputUnsuitable, "")) {
                    try await run.features(of: [image])
                }
                #expect(error?.message.contains("is \(width) x \(height) pixels") == true)
                #expect(error?.message.contains("takes 32 x 32") == true)
                // The remedy: a picture of that size, or tensors, which are taken at any size.
                #expect(error?.remedy?.contains("scale it to 32 x 32 pixels") == true)
            }
            let tensors = folder.path(of: "large.safetensors")
            try SafetensorsWriter.write(
                ["pixel_values": StoredTensor(Tensor(zeros: [1, 2, 3, 80, 80]))],
                to: tensors
            )
            #expect(try await run.features(of: [tensors]).values.shape == [1, 100, 128])
        }
    }

    @Test func progressGrowsToOne() async throws {
        let run = try await EmbedRun(folder: BallDrop.folder)
        let seen = Mutex<[Double]>([])
        _ = try await run.features(of: BallDrop.clips) { progress in
            seen.withLock { $0.append(progress.fraction) }
        }
        let fractions = seen.withLock { $0 }
        #expect(fractions == fractions.sorted() && fractions.count > 2)
        #expect(fractions.last == 1)
    }

    @Test func featuresAreWrittenInBothFormats() async throws {
        try await TemporaryFolder.with { folder in
            let values = Tensor(shape: [2, 3], values: [1, -2, 3.5, 0, 1e-30, 7])
            for ending in FeatureWriter.endings {
                let path = folder.path(of: "x\(ending)")
                try FeatureWriter(path, apartFrom: []).write(values, named: "features")
                let tensors = try Checkpoint(opening: path)
                let name = try #require(tensors.tensors.first).name
                #expect(ending == ".npy" || name == "features")
                #expect(try #require(tensors[name]).tensor.values == values.values)
                #expect(try #require(tensors[name]).shape == values.shape)
            }
            let read = folder.path(of: "x.npy")
            let refused = [
                ("x.txt", [String](), ZooError.Code.outputUnsuitable),
                ("none/x.npy", [], .fileMissing), ("x.npy", [read], .outputUnsuitable),
                ("y.npy", [folder.path], .outputUnsuitable),
            ]
            for (name, sources, expected) in refused {
                let found = await code {
                    _ = try FeatureWriter(folder.path(of: name), apartFrom: sources)
                }
                #expect(found == expected, "\(name)")
            }
        }
    }
}
