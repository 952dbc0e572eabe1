// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooFiles
import ZooTensor

/// Files that change while tensors are read, and readers that are cancelled.
@Suite struct ReadingTests {
    private static let size = 3 << 20

    /// A checkpoint of one tensor of 12 MiB.
    private func large(in folder: TemporaryFolder) throws -> (checkpoint: Checkpoint, path: String)
    {
        let path = "\(folder.path)/model.safetensors"
        try SafetensorsWriter.write(["a": Tensor(zeros: [Self.size])], to: path)
        return (try Checkpoint(opening: path), path)
    }

    private func truncate(_ path: String, to size: Int) throws {
        let handle = try FileHandle(forUpdating: URL(filePath: path))
        try handle.truncate(atOffset: UInt64(size))
        try handle.close()
    }

    /// The sizes are those of a file that loses its last byte, its last page, and nearly all.
    @Test(arguments: [(4 * size) + 87, 4 * size - 4096, 4096])
    func truncatedElementsAreAnErrorAndNotZeros(left: Int) throws {
        let folder = try TemporaryFolder()
        let (checkpoint, path) = try large(in: folder)
        try truncate(path, to: min(left, try folder.bytes(of: "model.safetensors").count - 1))
        #expect(throws: ZooError(.fileTruncated, "")) { try checkpoint.fingerprint() }
        #expect(throws: ZooError(.fileTruncated, "")) {
            try CheckpointSummary(of: checkpoint, fingerprinting: true)
        }
        // A mapped tensor is zeros, and whoever computed with it is told.
        #expect(checkpoint["a"]?.tensor.values.last == 0)
        #expect(throws: ZooError(.fileTruncated, "")) { try checkpoint.requireIntact() }
        let weights = WeightScope(checkpoint)
        _ = try weights.tensor("a", shape: [Self.size])
        #expect(throws: ZooError(.fileTruncated, "")) { try weights.requireComplete() }
    }

    @Test func elementsInAnotherOrderAreAnErrorToo() throws {
        // Transposed views and big-endian elements are gathered from mapped memory.
        let folder = try TemporaryFolder()
        let name = "upstream-big-endian.pt"
        let file = URL(filePath: "\(vectors)/conversion/oddities/\(name)")
        try folder.write(Array(try Data(contentsOf: file)), to: name)
        let checkpoint = try Checkpoint(opening: "\(folder.path)/\(name)")
        _ = try checkpoint.fingerprint()
        try truncate("\(folder.path)/\(name)", to: 1)
        #expect(throws: ZooError(.fileTruncated, "")) { try checkpoint.fingerprint() }
    }

    @Test func aFileThatIsWrittenToHasNoFingerprint() throws {
        let folder = try TemporaryFolder()
        let (checkpoint, path) = try large(in: folder)
        let handle = try FileHandle(forUpdating: URL(filePath: path))
        try handle.seek(toOffset: 1000)
        try handle.write(contentsOf: [1])
        try handle.close()
        #expect(throws: ZooError(.fileChanged, "")) { try checkpoint.fingerprint() }
    }

    @Test func readingEndsBetweenTwoPieces() throws {
        let folder = try TemporaryFolder()
        let (checkpoint, _) = try large(in: folder)
        let cancellation = Cancellation()
        var pieces = 0
        #expect(throws: CancellationError.self) {
            try checkpoint.view("a")?.forEachChunk(cancellation) { _ in
                pieces += 1
                if pieces == 2 { cancellation.cancel() }
            }
        }
        #expect(pieces == 2)
    }

    @Test func everyReaderOfWholeFilesCanBeCancelled() throws {
        let folder = try TemporaryFolder()
        let (checkpoint, _) = try large(in: folder)
        let cancellation = Cancellation()
        cancellation.cancel()
        #expect(throws: CancellationError.self) {
            try TensorDigests(of: checkpoint, names: ["a"], cancellation)
        }
        #expect(throws: CancellationError.self) {
            try CheckpointSummary(of: checkpoint, fingerprinting: true, cancellation)
        }
        #expect(throws: CancellationError.self) {
            try ModelWeights(folder: folder.path, cancellation)
        }
        let weights = try ModelWeights(folder: folder.path, Cancellation())
        #expect(throws: CancellationError.self) {
            try weights.facts(ofFiles: ["model.safetensors"], prefix: "", cancellation)
        }
        let zip = try Checkpoint(opening: "\(vectors)/conversion/vjepa2/upstream.pt")
        #expect(throws: CancellationError.self) { try zip.requireChecksums(cancellation) }
    }

    @Test func aWriterThatIsCancelledLeavesTheOldFile() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/a.safetensors"
        try folder.write([1, 2, 3], to: "a.safetensors")
        let entry = SafetensorsWriter.Entry(name: "a", dtype: .u8, shape: [4]) { _ in
            throw CancellationError()
        }
        #expect(throws: CancellationError.self) { try SafetensorsWriter.write([entry], to: path) }
        #expect(throws: CancellationError.self) {
            try TorchWriter.write(.dictionary([("a", .tensor(entry))]), to: path)
        }
        #expect(try folder.bytes(of: "a.safetensors") == [1, 2, 3])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
    }
}
