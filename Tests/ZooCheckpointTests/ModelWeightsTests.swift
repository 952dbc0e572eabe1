// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooFiles
import ZooTensor

/// What packing learns from the files of a component.
@Suite struct ModelWeightsTests {
    private let one: [String: Tensor] = [
        "encoder.a": Tensor(shape: [2], values: [1, 2]), "predictor.a": Tensor(zeros: [7]),
    ]
    private let two: [String: Tensor] = ["encoder.b": Tensor(shape: [3], values: [3, 4, 5])]

    private func folder(_ files: [String: [String: Tensor]]) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for (name, tensors) in files {
            let path = "\(folder.path)/\(name)"
            try FileSystem.createFolder(FileSystem.parent(of: path))
            try SafetensorsWriter.write(tensors, to: path)
        }
        return folder
    }

    private func facts(
        _ folder: TemporaryFolder,
        _ files: [String],
        prefix: String = ""
    ) throws -> RecordDraft.ComponentFacts? {
        try ModelWeights(folder: folder.path, Cancellation())
            .facts(ofFiles: files, prefix: prefix, Cancellation())
    }

    /// The facts of the same tensors in one file.
    private func expected(prefix: String) throws -> RecordDraft.ComponentFacts? {
        let whole = try folder(["all.safetensors": one.merging(two) { first, _ in first }])
        let fingerprint = try Checkpoint(opening: "\(whole.path)/all.safetensors")
            .fingerprint(ofNamesBeginningWith: prefix)
        let found = try facts(whole, ["all.safetensors"], prefix: prefix)
        #expect(found?.fingerprint == fingerprint)
        return found
    }

    @Test(arguments: ["", "encoder."])
    func allFilesOfAComponentCountWithoutAnIndex(prefix: String) throws {
        let folder = try folder(["one.safetensors": one, "parts/two.safetensors": two])
        try folder.write([1], to: "notes.txt")
        for files in [
            ["one.safetensors", "parts/two.safetensors"],
            ["parts/two.safetensors", "notes.txt", "one.safetensors"],
        ] {
            let found = try facts(folder, files, prefix: prefix)
            #expect(try found == expected(prefix: prefix))
            #expect(found?.tensors == (prefix == "" ? 3 : 2))
            #expect(found?.parameters == (prefix == "" ? 12 : 5))
        }
    }

    @Test func anIndexCountsItsShardsOnce() throws {
        let folder = try folder(["one.safetensors": one, "two.safetensors": two])
        let index = "model.safetensors.index.json"
        let places =
            one.keys.map { "\"\($0)\":\"one.safetensors\"" }
            + two.keys.map { "\"\($0)\":\"two.safetensors\"" }
        try folder.write(
            Array("{\"weight_map\":{\(places.joined(separator: ","))}}".utf8),
            to: index
        )
        let found = try facts(folder, [index, "one.safetensors", "two.safetensors"])
        #expect(try found == expected(prefix: ""))
        // Whoever pulls the component alone would get an index without its shards.
        #expect(throws: ZooError(.descriptionInvalid, "")) {
            try facts(folder, [index, "one.safetensors"])
        }
        try SafetensorsWriter.write(one, to: "\(folder.path)/two.safetensors")
        #expect(throws: ZooError(.shardIndexMismatch, "")) {
            try facts(folder, [index, "one.safetensors", "two.safetensors"])
        }
    }

    @Test func aTensorInTwoFilesIsRefused() throws {
        let folder = try folder(["one.safetensors": one, "two.safetensors": one])
        let error = #expect(throws: ZooError(.tensorDuplicate, "")) {
            try facts(folder, ["one.safetensors", "two.safetensors"])
        }
        let message = error?.message ?? ""
        #expect(message.contains("'one.safetensors'") && message.contains("'two.safetensors'"))
        // One file named twice is one file, and components do not share names.
        #expect(try facts(folder, ["one.safetensors", "one.safetensors"])?.tensors == 2)
    }

    @Test func componentsWithoutTensorsHaveNoFacts() throws {
        let folder = try folder(["one.safetensors": one])
        #expect(try facts(folder, ["one.safetensors"], prefix: "probe.") == nil)
        #expect(try facts(folder, []) == nil)
        #expect(throws: ZooError(.fileMissing, "")) { try facts(folder, ["none.safetensors"]) }
        #expect(throws: ZooError(.pathUnsafe, "")) { try facts(folder, ["../one.safetensors"]) }
    }

    @Test func tensorsStartWhereTheFileHasThem() throws {
        let folder = try folder(["one.safetensors": one])
        let weights = try ModelWeights(folder: folder.path, Cancellation())
        let starts = try #require(weights.tensorStarts[ReleasePath(parsing: "one.safetensors")])
        let bytes = try folder.bytes(of: "one.safetensors")
        #expect(starts.last.map { bytes.count - $0 } == 28)
        #expect(starts.count == 2)
    }
}
