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

    private struct Document: Decodable {
        let samples: [Sample]
    }

    private func samples() throws -> [Sample] {
        let url = URL(filePath: "\(vectors)/torch/modules.json")
        return try JSONDecoder().decode(Document.self, from: Data(contentsOf: url)).samples
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
        let samples = try samples()
        #expect(samples.count == 21)
        for sample in samples {
            let tensors = try tensors(Array(sample.bytes), in: folder)
            // A checkpoint lists its tensors by name.
            let expected = sample.tensors.sorted { $0.name < $1.name }
            #expect(tensors.sorted { $0.name < $1.name } == expected, "\(sample.name)")
        }
    }

    /// Every name of a class in a module, replaced by one that runs code, of the same length.
    @Test func aNameThatRunsCodeIsRefusedInPlaceOfAClass() throws {
        let folder = try TemporaryFolder()
        let samples = try samples().filter { $0.name.hasSuffix("/legacy") }
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
