// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooModels
import ZooTensor

/// Every family computes the same, however its weights are stored.
@Suite struct StorageTests {
    /// Elements of 16 bits.
    @safe private final class Words: @unchecked Sendable {
        // Sendable without a lock: nothing is written after the initialiser.
        let words: UnsafeMutableBufferPointer<UInt16>

        init(_ values: [UInt16]) {
            unsafe words = .allocate(capacity: values.count)
            unsafe _ = words.initialize(from: values)
        }

        deinit { unsafe words.deallocate() }

        func tensor(_ dtype: DType, _ shape: Shape) -> StoredTensor {
            unsafe StoredTensor(
                dtype: dtype,
                shape: shape,
                unsafeBytes: UnsafeRawBufferPointer(words),
                owner: self
            )
        }
    }

    /// Weights of a narrow type are those of float32 that have been rounded to it.
    @Test(arguments: SmallModels.all, [DType.bf16, .f16])
    func narrowTypes(name: String, dtype: DType) async throws {
        let (release, owner) = try await SmallModels.folder(name)
        defer { withExtendedLifetime(owner) {} }
        for file in ["model.safetensors", "predictor.safetensors"] {
            let path = "\(release)/\(file)"
            guard FileManager.default.fileExists(atPath: path) else { continue }
            let checkpoint = try Checkpoint(opening: path)
            var (narrow, wide): ([String: StoredTensor], [String: StoredTensor]) = ([:], [:])
            for tensor in checkpoint.tensors {
                let stored = try #require(checkpoint[tensor.name])
                (narrow[tensor.name], wide[tensor.name]) = (stored, stored)
                guard stored.dtype == .f32 else { continue }
                let values = stored.tensor.values
                let words = values.map { value in
                    dtype == .bf16
                        ? UInt16(truncatingIfNeeded: value.bitPattern >> 16)
                        : Float16(value).bitPattern
                }
                let widened = words.map { word in
                    dtype == .bf16
                        ? Float(bitPattern: UInt32(word) << 16) : Float(Float16(bitPattern: word))
                }
                narrow[tensor.name] = Words(words).tensor(dtype, stored.shape)
                wide[tensor.name] = StoredTensor(Tensor(shape: stored.shape, values: widened))
            }
            try SafetensorsWriter.write(narrow, to: "\(path).narrow")
            try SafetensorsWriter.write(wide, to: path)
        }
        let expected = try await SmallModels.run(release)
        for file in ["model.safetensors", "predictor.safetensors"] {
            let path = "\(release)/\(file)"
            guard FileManager.default.fileExists(atPath: path) else { continue }
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.moveItem(atPath: "\(path).narrow", toPath: path)
        }
        let found = try await SmallModels.run(release)
        #expect(!found.isEmpty && found.count == expected.count)
        let difference = zip(found, expected).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
        #expect(difference <= 1e-6, "\(difference)")
    }

    @Test(arguments: SmallModels.all)
    func shards(name: String) async throws {
        let (release, owner) = try await SmallModels.folder(name)
        defer { withExtendedLifetime(owner) {} }
        let expected = try await SmallModels.run(release)
        let path = "\(release)/model.safetensors"
        let checkpoint = try Checkpoint(opening: path)
        var parts: [[String: StoredTensor]] = [[:], [:]]
        var places: [String: JSONValue] = [:]
        for (index, tensor) in checkpoint.tensors.enumerated() {
            let file = "model-0000\(index % 2 + 1)-of-00002.safetensors"
            parts[index % 2][tensor.name] = checkpoint[tensor.name]
            places[tensor.name] = .string(file)
        }
        for (index, part) in parts.enumerated() {
            try SafetensorsWriter.write(
                part,
                to: "\(release)/model-0000\(index + 1)-of-00002.safetensors"
            )
        }
        try FileManager.default.removeItem(atPath: path)
        try Data(JSONValue.object(["weight_map": .object(places)]).canonicalBytes)
            .write(to: URL(filePath: "\(path).index.json"))
        #expect(try await SmallModels.run(release) == expected)
    }
}
