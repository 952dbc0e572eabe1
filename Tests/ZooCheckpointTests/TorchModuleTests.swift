// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor

/// Whole modules that `torch.save` wrote, against their `state_dict()` in PyTorch.
@Suite struct TorchModuleTests {
    private struct Tensor: Equatable, Decodable {
        let name: String
        let shape: [Int]
        let sha256: String
    }

    private struct Sample: Decodable {
        let name: String
        let bytes: Data
        let tensors: [Tensor]
    }

    private struct Refusal: Decodable {
        let message: String
        let bytes: Data
    }

    private struct Document: Decodable {
        let samples: [Sample]
        let refused: [Refusal]
    }

    private func document() throws -> Document {
        let url = URL(filePath: "\(vectors)/torch/modules.json")
        return try JSONDecoder().decode(Document.self, from: Data(contentsOf: url))
    }

    private func tensors(_ bytes: [UInt8], in folder: TemporaryFolder) throws -> [Tensor] {
        try folder.write(bytes, to: "file.pt")
        let checkpoint = try Checkpoint(opening: "\(folder.path)/file.pt")
        let summary = try CheckpointSummary(of: checkpoint, fingerprinting: true)
        return checkpoint.tensors.map { tensor in
            Tensor(
                name: tensor.name,
                shape: tensor.shape.sizes,
                sha256: summary.digest(of: tensor.name)?.hex ?? ""
            )
        }
    }

    /// Equal names, shapes and bytes.
    @Test func aModuleHasTheTensorsOfItsStateDictionary() throws {
        let folder = try TemporaryFolder()
        let samples = try document().samples
        #expect(samples.count == 17)
        for sample in samples {
            let tensors = try tensors(Array(sample.bytes), in: folder)
            // A checkpoint lists its tensors by name.
            let expected = sample.tensors.sorted { $0.name < $1.name }
            #expect(tensors.sorted { $0.name < $1.name } == expected, "\(sample.name)")
        }
    }

    /// What a file does not say is not guessed, and no weight is left out without a word.
    @Test func aModuleOfWhichTheNamesOrTensorsCannotBeKnownIsRefused() throws {
        let folder = try TemporaryFolder()
        let refusals = try document().refused
        #expect(refusals.count == 10)
        for refusal in refusals {
            let error = #expect(throws: ZooError.self, "\(refusal.message)") {
                try tensors(Array(refusal.bytes), in: folder)
            }
            let message = error?.message ?? ""
            #expect(message.contains(refusal.message), "\(message)")
            let isCall = refusal.message == "functools.partial"
            #expect(error?.code == (isCall ? .pickleGlobal : .torchTensorInvalid))
        }
    }

    /// Every name of a class in a module, replaced by one that runs code, of the same length.
    @Test func aNameThatRunsCodeIsRefusedInPlaceOfAClass() throws {
        let folder = try TemporaryFolder()
        let samples = try document().samples.filter { $0.name.hasSuffix("/legacy") }
        let honest = Array("torch.nn.modules.linear".utf8)
        let hostile = Array("subprocess.............".utf8.prefix(11)) + Array("modules.line".utf8)
        try #require(honest.count == hostile.count)
        var refusals = 0
        for sample in samples {
            var bytes = sample.bytes
            guard let place = bytes.range(of: Data(honest)) else { continue }
            bytes.replaceSubrange(place, with: hostile)
            let error = #expect(throws: ZooError.self) {
                try self.tensors(Array(bytes), in: folder)
            }
            #expect(error?.code == .pickleGlobal, "\(sample.name)")
            #expect(error?.message.contains("subprocess.modules.line") == true)
            refusals += 1
        }
        #expect(refusals == 2)
    }
}
