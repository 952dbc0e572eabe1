// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooTensor
import ZooTesting

@testable import ZooEval

/// Shards, merging and stored results.
@Suite struct ShardTests {
    /// A stage with several small chunks, whose numbers are those of the samples.
    private struct Counting: SampleStage {
        var definition: JSONValue { ["counting": true] }
        var columns: [String: Int] { ["number": 1, "square": 2] }
        let samples = 23
        let chunk = 4
        var faultAt: Int?

        func compute(_ samples: Range<Int>, on pool: ComputePool) async throws -> [String: Tensor] {
            if let faultAt, samples.contains(faultAt) { throw CancellationError() }
            return [
                "number": Tensor(
                    shape: Shape([samples.count, 1]),
                    values: samples.map(Float.init)
                ),
                "square": Tensor(
                    shape: Shape([samples.count, 2]),
                    values: samples.flatMap { [Float($0 * $0), Float(-$0)] }
                ),
            ]
        }
    }

    @Test func shardsThatAreMergedGiveTheBytesOfOneRun() async throws {
        try await TemporaryFolder.with { folder in
            let sample = try await SampleEvaluation(.surprise, in: folder)
            let whole = try await sample.report(in: folder.path(of: "whole"))
            let run = try await sample.run()
            let parts = (1...3).map { folder.path(of: "part\($0)") }
            for (index, part) in parts.enumerated() {
                try await run.compute(try #require(Shard("\(index + 1)/3")), in: part)
            }
            let merged = try await run.report(from: parts.reversed())
            #expect(merged.json.canonicalBytes == whole.json.canonicalBytes)
            // The only chunk is in the first part.
            let error = await #expect(throws: ZooError.self) {
                try await run.report(from: [parts[1], parts[2]])
            }
            #expect(error?.code.rawValue == "evaluation.shard-missing")
        }
    }

    @Test func everyShardHasItsChunksAndTogetherTheyHaveAll() throws {
        for count in 1...9 {
            var seen: [Int] = []
            for index in 1...count {
                let shard = try #require(Shard("\(index)/\(count)"))
                seen += (0..<20).filter(shard.contains)
            }
            #expect(seen.sorted() == Array(0..<20))
        }
        for text in ["", "0/3", "4/3", "1", "1/0", "a/b", "1/2/3", "-1/2", "1/100001", " 1/2"] {
            #expect(Shard(text) == nil, "\(text)")
        }
    }

    /// From its first chunk to its report a run holds the lock that collection needs, and no longer.
    @Test func aRunHoldsItsStoredResults() async throws {
        try await TemporaryFolder.with { folder in
            let sample = try await SampleEvaluation(.surprise, in: folder)
            let work = folder.path(of: "work")
            func isFree() throws -> Bool {
                let lock = try FileSystem.names(in: work).first { $0.hasSuffix(".lock") }
                return try OpenFile("\(work)/\(try #require(lock))", .write).tryLock(.exclusive)
            }
            do {
                let run = try await sample.run()
                try await run.compute(in: work)
                #expect(try !isFree())
                let reader = try await sample.run()
                _ = try await reader.report(from: [work])
                _ = try await run.report(from: [work])
                #expect(try !isFree())
            }
            #expect(try isFree())
            // Results that were copied without their lock are read as they are.
            let copy = folder.path(of: "copy")
            for name in try FileSystem.files(below: work) where !name.hasSuffix(".lock") {
                try folder.write(try folder.read("work/\(name)"), to: "copy/\(name)")
            }
            _ = try await sample.run().report(from: [copy])
            #expect(try FileSystem.names(in: copy).allSatisfy { !$0.hasSuffix(".lock") })
        }
    }

    /// A flipped bit anywhere in a stored chunk is never read as a result.
    @Test func aDamagedChunkIsComputedAgain() async throws {
        try await TemporaryFolder.with { folder in
            let stage = Counting()
            let key = stage.key(ContentDigest(of: [1]), try Self.data().json)
            let store = ChunkFolder(work: folder.path(of: "work"), key: key)
            let columns = try await stage.compute(0..<4, on: .shared)
            let chunk = try store.store(columns, as: 0)
            #expect(store.chunk(0, of: stage)?.digest == chunk.digest)
            #expect(store.chunk(1, of: stage) == nil)
            let path = "work/\(key.hex)/chunk-0000000.safetensors"
            let sound = try folder.read(path)
            for position in sound.indices {
                var damaged = sound
                damaged[position] ^= 1 << UInt8(position % 8)
                try folder.write(damaged, to: path)
                guard let found = store.chunk(0, of: stage) else { continue }
                // What the bit changed was no part of the result.
                #expect(found.digest == chunk.digest, "byte \(position)")
                #expect(found.kernels == chunk.kernels)
            }
            for length in stride(from: 0, to: sound.count, by: 7) {
                try folder.write(Array(sound.prefix(length)), to: path)
                #expect(store.chunk(0, of: stage) == nil, "\(length) bytes")
            }
            // The chunk of another stage, model or data is not taken for this one.
            try folder.write(sound, to: path)
            let other = ChunkFolder(
                work: folder.path(of: "work"),
                key: stage.key(ContentDigest(of: [2]), try Self.data().json)
            )
            #expect(other.chunk(0, of: stage) == nil)
        }
    }

    @Test func foldersThatContradictEachOtherAreRefused() async throws {
        try await TemporaryFolder.with { folder in
            let sample = try await SampleEvaluation(.trajectory, in: folder)
            let run = try await sample.run()
            let (one, two) = (folder.path(of: "one"), folder.path(of: "two"))
            try await run.compute(in: one)
            try await run.compute(in: two)
            #expect(
                try await run.report(from: [one, two]).measurements
                    == run.report(from: [one]).measurements
            )
            let stage = try await SuiteList.suite(for: sample.definition)
                .stages(of: sample.model, on: sample.data)[0]
            let store = ChunkFolder(
                work: two,
                key: stage.key(sample.model.digest, sample.definition.data.json)
            )
            var columns = try #require(store.chunk(0, of: stage)).columns()
            var values = try #require(columns["landing"]).values
            values[3] += 0.5
            columns["landing"] = Tensor(shape: Shape([8, 2]), values: values)
            _ = try store.store(columns, as: 0)
            let error = await #expect(throws: ZooError.self) {
                try await run.report(from: [one, two])
            }
            #expect(error?.code.rawValue == "evaluation.shard-conflict")
        }
    }

    @Test func anotherDataSetIsRefused() async throws {
        try await TemporaryFolder.with { folder in
            let sample = try await SampleEvaluation(.trajectory, in: folder)
            let set = try sample.data.dataSet()
            let other = EvaluationDataSet(
                folder: set.folder,
                record: set.record,
                digest: ContentDigest(of: [9])
            )
            let error = await #expect(throws: ZooError.self) {
                _ = try await EvaluationRun(
                    sample.definition,
                    of: sample.model,
                    on: .dataSet(other)
                )
            }
            #expect(error?.code.rawValue == "evaluation.data-differs")
        }
    }

    private static func data() throws -> SampleSource {
        .dataSet(
            .init(
                name: try ModelName(parsing: "test/clips"),
                version: try SemanticVersion(parsing: "1.0.0"),
                digest: ContentDigest(of: [3]),
                split: "clips"
            )
        )
    }
}
