// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor

@Suite struct SafetensorsTests {
    /// One line of `Tests/Vectors/safetensors/cases.json`.
    struct Case: Codable, CustomTestStringConvertible, Sendable {
        let file: String
        let code: String?
        var testDescription: String { file }
    }

    private struct Listing: Codable {
        let cases: [Case]
    }

    static let folder = "\(vectors)/safetensors"

    static let cases: [Case] = {
        do {
            let text = try Data(contentsOf: URL(filePath: "\(folder)/cases.json"))
            return try JSONDecoder().decode(Listing.self, from: text).cases
        } catch {
            Issue.record(error)
            return []
        }
    }()

    @Test(arguments: cases)
    func everyFileIsAcceptedOrRefusedWithItsCode(each: Case) {
        var found: String?
        do throws(ZooError) {
            _ = try Checkpoint(opening: "\(Self.folder)/\(each.file)")
        } catch {
            found = error.code.rawValue
        }
        #expect(found == each.code)
    }

    @Test(arguments: 0..<66)
    func aFileCutAnywhereIsRefused(length: Int) throws {
        let folder = try TemporaryFolder()
        let whole = Array(try Data(contentsOf: URL(filePath: "\(Self.folder)/ok-one.safetensors")))
        try #require(length < whole.count)
        try folder.write(Array(whole.prefix(length)), to: "cut.safetensors")
        #expect(throws: ZooError.self) {
            try Checkpoint(opening: "\(folder.path)/cut.safetensors")
        }
    }

    @Test func noSingleFlippedBitMakesTheReaderFailOtherwise() throws {
        let folder = try TemporaryFolder()
        let whole = Array(
            try Data(contentsOf: URL(filePath: "\(Self.folder)/ok-metadata.safetensors"))
        )
        for position in whole.indices {
            for bit in 0..<8 {
                var bytes = whole
                bytes[position] ^= 1 << bit
                try folder.write(bytes, to: "flipped.safetensors")
                // Many flips leave a valid file; what matters is that none traps.
                do throws(ZooError) {
                    _ = try Checkpoint(opening: "\(folder.path)/flipped.safetensors")
                } catch {
                    #expect(error.code.rawValue.hasPrefix("checkpoint.safetensors-"))
                }
            }
        }
    }

    @Test func elementsReadBackFromUnalignedPlaces() throws {
        let checkpoint = try Checkpoint(opening: "\(Self.folder)/ok-unaligned.safetensors")
        #expect(checkpoint["b"]?.tensor.values == [1])
        #expect(checkpoint["missing"] == nil)
    }

    @Test func writingIsReproducibleAndAligned() throws {
        let folder = try TemporaryFolder()
        let tensors: [String: Tensor] = [
            "z": Tensor(shape: [3], values: [1, 2, 3]), "a/ü\"": Tensor(zeros: [0, 2]),
            "m": Tensor(shape: [], values: [7]),
        ]
        let metadata = ["format": "pt", "a": "b"]
        for name in ["one", "two"] {
            try SafetensorsWriter.write(
                tensors,
                metadata: metadata,
                to: "\(folder.path)/\(name).safetensors"
            )
        }
        let bytes = try folder.bytes(of: "one.safetensors")
        #expect(bytes == (try folder.bytes(of: "two.safetensors")))
        #expect(bytes[0] % 8 == 0)
        let checkpoint = try Checkpoint(opening: "\(folder.path)/one.safetensors")
        #expect(checkpoint.metadata == metadata)
        #expect(checkpoint["z"]?.tensor.values == [1, 2, 3])
        #expect(checkpoint["m"]?.shape == [])
        #expect(checkpoint.tensors.map(\.name) == ["a/ü\"", "m", "z"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
    }

    @Test func tensorsAreOrderedByElementSizeThenName() throws {
        let folder = try TemporaryFolder()
        let source = try Checkpoint(opening: "\(Self.folder)/ok-all-types.safetensors")
        var tensors: [String: StoredTensor] = [:]
        for tensor in source.tensors { tensors[tensor.name] = source[tensor.name] }
        try SafetensorsWriter.write(tensors, to: "\(folder.path)/all.safetensors")
        let copy = try Checkpoint(opening: "\(folder.path)/all.safetensors")
        #expect(copy.tensors == source.tensors)
        #expect(copy.fingerprint() == source.fingerprint())
        let text = String(decoding: try folder.bytes(of: "all.safetensors"), as: UTF8.self)
        let order = try ["F64", "F32", "BF16", "BOOL"].map {
            try #require(text.range(of: "\"\($0)\"")).lowerBound
        }
        #expect(order == order.sorted())
    }

    @Test func aFailedWriteLeavesNothingBehind() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: ZooError.self) {
            try SafetensorsWriter.write(
                ["a": Tensor(zeros: [1])],
                to: "\(folder.path)/missing/a.safetensors"
            )
        }
        #expect(error?.code.rawValue == "io.not-found")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func npyFilesBeginAtAMultipleOf64() throws {
        let folder = try TemporaryFolder()
        let cases: [(Shape, String)] = [([2, 3], "(2, 3)"), ([6], "(6,)"), ([], "()")]
        for (shape, text) in cases {
            let values = (0..<shape.elementCount).map { Float($0) }
            try NumPyWriter.write(
                Tensor(shape: shape, values: values),
                to: "\(folder.path)/a.npy"
            )
            let bytes = try folder.bytes(of: "a.npy")
            let header = Int(bytes[8]) + Int(bytes[9]) << 8
            #expect((10 + header) % 64 == 0)
            #expect(bytes.count == 10 + header + 4 * values.count)
            let start = String(decoding: bytes[10..<10 + header], as: UTF8.self)
            #expect(
                start.hasPrefix(
                    "{'descr': '<f4', 'fortran_order': False, 'shape': \(text), }"
                )
            )
            #expect(start.hasSuffix("\n"))
        }
    }
}
