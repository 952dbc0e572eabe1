// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooFiles
import ZooTensor

@Suite struct CheckpointTests {
    private static let models = "\(vectors)/families/vjepa2"

    /// A folder with two shards, `a` in the first and `b` in the second, and an index of them.
    private func shards(_ index: String) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try SafetensorsWriter.write(
            ["a": Tensor(zeros: [1])],
            to: "\(folder.path)/one.safetensors"
        )
        try SafetensorsWriter.write(
            ["b": Tensor(zeros: [2])],
            to: "\(folder.path)/two.safetensors"
        )
        try folder.write(Array(index.utf8), to: "model.safetensors.index.json")
        return folder
    }

    private static let map = #""weight_map":{"a":"one.safetensors","b":"two.safetensors"}"#

    @Test(arguments: [
        #"{"metadata":{"total_size":12},\#(map)}"#, #"{"metadata":{"total_size":13},\#(map)}"#,
        #"{"metadata":{"total_size":12.0},\#(map)}"#, #"{"metadata":{"total_size":"12"},\#(map)}"#,
        #"{\#(map)}"#, #"{"metadata":{},\#(map)}"#,
    ])
    func aShardedSetReadsAsOneCheckpoint(index: String) throws {
        let folder = try shards(index)
        let checkpoint = try Checkpoint(opening: folder.path)
        #expect(checkpoint.format == .shardedSafetensors)
        #expect(checkpoint.tensors.map(\.name) == ["a", "b"])
    }

    @Test(arguments: [
        ("", "index-malformed"), ("[]", "index-malformed"), ("{}", "index-malformed"),
        (#"{"weight_map":{"a":1}}"#, "index-malformed"),
        (#"{"weight_map":{"a":"one.safetensors","a":"one.safetensors"}}"#, "index-malformed"),
        (#"{"weight_map":{"a":"../one.safetensors"}}"#, "index-path-unsafe"),
        (#"{"weight_map":{"a":"/etc/one.safetensors"}}"#, "index-path-unsafe"),
        (#"{"weight_map":{"a":"x/one.safetensors"}}"#, "index-path-unsafe"),
        // A slash and a combining mark are one Character, and still a slash for the system.
        ("{\"weight_map\":{\"a\":\"x/\u{308}one.safetensors\"}}", "index-path-unsafe"),
        (#"{"weight_map":{"a":"config.json"}}"#, "index-path-unsafe"),
        (#"{"weight_map":{"a":".hidden.safetensors"}}"#, "index-path-unsafe"),
        (#"{"weight_map":{"a":"two.safetensors"}}"#, "index-mismatch"),
        (#"{"weight_map":{"a":"one.safetensors","c":"two.safetensors"}}"#, "index-mismatch"),
    ])
    func anIndexThatDoesNotFitIsRefused(index: String, code: String) throws {
        let folder = try shards(index)
        let error = #expect(throws: ZooError.self) { try Checkpoint(opening: folder.path) }
        #expect(error?.code.rawValue == "checkpoint.\(code)")
    }

    @Test func aTensorIsFoundOnlyUnderItsOwnName() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/model.safetensors"
        // The Kelvin sign, which equals the letter K as a text.
        try SafetensorsWriter.write(["\u{212A}": Tensor(zeros: [1])], to: path)
        let checkpoint = try Checkpoint(opening: path)
        #expect(checkpoint["\u{212A}"] != nil)
        #expect(checkpoint["K"] == nil)
    }

    @Test func shardsWithEquivalentNamesAreTwoFiles() throws {
        let map = "{\"weight_map\":{\"a\":\"K.safetensors\",\"b\":\"\u{212A}.safetensors\"}}"
        let folder = try shards(map)
        for (name, tensors) in [("K", ["a": [1]]), ("\u{212A}", ["b": [2]])] {
            try SafetensorsWriter.write(
                tensors.mapValues { Tensor(zeros: Shape($0)) },
                to: "\(folder.path)/\(name).safetensors"
            )
        }
        let checkpoint = try Checkpoint(opening: folder.path)
        #expect(checkpoint.tensors.map(\.name) == ["a", "b"])
        // Both tensors in one of the two files is not what the index says.
        try SafetensorsWriter.write(
            ["a": Tensor(zeros: [1]), "b": Tensor(zeros: [2])],
            to: "\(folder.path)/K.safetensors"
        )
        #expect(throws: ZooError(.shardIndexMismatch, "")) { try Checkpoint(opening: folder.path) }
    }

    @Test func aTensorInTwoShardsIsRefused() throws {
        let folder = try shards("{\(Self.map)}")
        try SafetensorsWriter.write(
            ["a": Tensor(zeros: [1]), "b": Tensor(zeros: [2])],
            to: "\(folder.path)/two.safetensors"
        )
        #expect(throws: ZooError(.shardIndexMismatch, "")) { try Checkpoint(opening: folder.path) }
    }

    @Test func foldersAndPathsWithoutWeightsSaySo() throws {
        let folder = try TemporaryFolder()
        #expect(throws: ZooError(.checkpointMissing, "")) { try Checkpoint(opening: folder.path) }
        #expect(throws: ZooError(.fileMissing, "")) {
            try Checkpoint(opening: "\(folder.path)/nothing.safetensors")
        }
    }

    @Test func weightsBehindSymbolicLinksAreRead() throws {
        // The cache of Hugging Face stores a snapshot as links to blobs.
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/model.safetensors",
            withDestinationPath: "\(Self.models)/plain/model.safetensors"
        )
        #expect(try Checkpoint(opening: folder.path).format == .safetensors)
    }

    @Test func theFingerprintIsThatOfThePublishedEncoding() throws {
        let checkpoint = try Checkpoint(opening: "\(vectors)/safetensors/ok-one.safetensors")
        // python: sha256(json.dumps([["a","F32",[1],sha256(b"\0\0\x80\x3f").hexdigest()]],
        //                           separators=(",",":")))
        #expect(try checkpoint.fingerprint().hex == Self.fingerprintOfOne)
    }

    private static let fingerprintOfOne =
        "795b40c0314e6593db8e77cb1ea9b2b5da82ed81992455cf0ead3eab09a1ccd3"

    @Test func theFingerprintDoesNotDependOnTheContainer() throws {
        let source = try Checkpoint(opening: "\(Self.models)/sharded")
        let folder = try TemporaryFolder()
        var tensors: [String: StoredTensor] = [:]
        for tensor in source.tensors { tensors[tensor.name] = source[tensor.name] }
        try SafetensorsWriter.write(
            tensors,
            metadata: ["other": "metadata"],
            to: "\(folder.path)/model.safetensors"
        )
        let copy = try Checkpoint(opening: folder.path)
        #expect(copy.format != source.format)
        #expect(try copy.fingerprint() == source.fingerprint())
    }

    @Test func theSummaryListsWhatInspectPrints() throws {
        let checkpoint = try Checkpoint(opening: "\(Self.models)/bf16")
        let summary = try CheckpointSummary(of: checkpoint, fingerprinting: true)
        #expect(summary.topLevelKeys == ["encoder", "predictor"])
        #expect(summary.byteCount == 2 * summary.elementCount)
        let json = try JSONObject(summary.json)
        #expect(try json.string("format") == "safetensors")
        #expect(try json.string("fingerprint") == "\(checkpoint.fingerprint())")
        let first = try #require(try json.objects("tensors", maximum: 1000).first)
        #expect(try first.string("name") == "encoder.embeddings.patch_embeddings.proj.bias")
        #expect(try first.string("dtype") == "BF16")
        #expect(try first.integer("bytes", in: 96...96) == 96)
        #expect(try first.numbers("shape", maximum: 8) == [48])
    }
}
