// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor

/// Files of `Tests/Vectors/torch`, about which `torch.load(weights_only=True)` was asked.
@Suite struct TorchCorpusTests {
    /// A tensor as PyTorch sees it.
    private struct Listing: Hashable, Decodable {
        let name: String
        let dtype: String
        let shape: [Int]
        let sha256: String?
    }

    /// A file, and what is known of it.
    private struct Sample: Decodable {
        let name: String
        let bytes: Data
        let tensors: [Listing]?
        /// What `torch.load` did.
        let torch: String
        /// Why it refused.
        let reason: String?
        /// The class of refusal, and others that are right as well.
        let refusal: String?
        let alsoFine: [String?]?
        /// Whether the names of its tensors are a matter of taste.
        let namesOpen: Bool?
        /// What was done to an honest file.
        let mutation: String?
    }

    private struct Differential: Decodable {
        let files: [Sample]
    }

    private struct Oddities: Decodable {
        let listing: [Listing]
    }

    private func document<Value: Decodable>(_ path: String, as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: URL(filePath: "\(vectors)/\(path)")))
    }

    /// What this reader makes of a file: its tensors, or the refusal.
    private func read(
        _ sample: Sample,
        in folder: TemporaryFolder
    ) throws -> Result<Set<Listing>, ZooError> {
        try folder.write(Array(sample.bytes), to: "file.pt")
        let path = "\(folder.path)/file.pt"
        return Result { () throws(ZooError) in try listings(path) }
    }

    private func listings(_ path: String) throws(ZooError) -> Set<Listing> {
        let checkpoint = try Checkpoint(opening: path)
        let summary = try CheckpointSummary(of: checkpoint, fingerprinting: true)
        return Set(
            checkpoint.tensors.map { tensor in
                Listing(
                    name: tensor.name,
                    dtype: tensor.dtype.rawValue,
                    shape: tensor.shape.sizes,
                    sha256: summary.digest(of: tensor.name)?.hex ?? ""
                )
            }
        )
    }

    /// Verdicts that differ from the corpus's reading, each for a reason.
    private static let differences: [String: (code: String?, reason: String)] = [
        "raw/safetensors": (nil, "other formats are read too"),
        "raw/npy": ("numpy-malformed", "other formats are read too"),
        "zip/member-npz": ("numpy-malformed", "other formats are read too"),
        "zip/prefix-corrected": ("format-unknown", "a ZIP file begins with its first record"),
        "zip/prefix-shifted": ("format-unknown", "a ZIP file begins with its first record"),
        "zip/spanned": ("format-unknown", "a ZIP file begins with its first record"),
        "zip/truncated-one": ("format-unknown", "one byte is no format"),
        "legacy/magic": ("format-unknown", "the magic number is what tells the format"),
        "legacy/magic-text": ("format-unknown", "the magic number is what tells the format"),
        "text/names-collide": ("pickle-malformed", "two tensors would have one name"),
        "text/int-and-text-collide": ("pickle-malformed", "two tensors would have one name"),
        "tensor/metadata-false": ("tensor-invalid", "PyTorch reads its elements differently"),
        "global/near/long-name": ("pickle-malformed", "the name is longer than a line may be"),
        "newobj/tensor-class": ("tensor-invalid", "an object of any class is inert data"),
        "pickle/deep-key": ("pickle-malformed", "keys are plain values"),
    ]

    /// What a file that is not of any format may be called.
    private static let unknown: Set<String> = ["format-unknown", "torch-layout"]

    @Test func hostileFilesAreRefusedAndHonestOnesRead() throws {
        let folder = try TemporaryFolder()
        let samples = try document("torch/hostile.json", as: [Sample].self)
        #expect(samples.count > 1000)
        for sample in samples {
            let outcome = try read(sample, in: folder)
            var found: String?
            if case .failure(let error) = outcome {
                found = String(error.code.rawValue.dropFirst("checkpoint.".count))
                #expect(error.code.category == .badData, "\(sample.name)")
                #expect(error.remedy != nil, "\(sample.name): \(error.message)")
            }
            if let difference = Self.differences[sample.name] {
                #expect(found == difference.code, "\(sample.name)")
                continue
            }
            var accepted = [sample.refusal] + (sample.alsoFine ?? [])
            if accepted.contains("torch-layout"), sample.name.hasPrefix("raw/") {
                accepted.append("format-unknown")
            }
            #expect(accepted.contains(found), "\(sample.name): \(found ?? "accepted")")
            if case .success(let tensors) = outcome, let expected = sample.tensors,
                // Nobody names a tensor by a number of 70 bits.
                sample.namesOpen != true, sample.name != "text/tensor-under-long-key"
            {
                #expect(tensors == Set(expected), "\(sample.name)")
            }
        }
    }

    @Test func whatPyTorchLoadsIsReadAlikeAndWhatItRefusesForSafetyIsRefused() throws {
        let folder = try TemporaryFolder()
        var agreements = 0
        for sample in try document("torch/differential.json", as: Differential.self).files {
            switch try read(sample, in: folder) {
            case .failure(let error):
                // Refusing more than PyTorch does is allowed for mutants, not for honest files.
                #expect(sample.mutation != nil, "\(sample.name) is honest: \(error.message)")
            case .success(let tensors) where sample.torch == "loads":
                #expect(tensors == Set(sample.tensors ?? []), "\(sample.name)")
                agreements += 1
            case .success: #expect(sample.reason != "safety", "\(sample.name)")
            }
        }
        #expect(agreements > 50)
    }

    @Test(arguments: ["upstream.pt", "upstream-legacy.pt", "upstream-big-endian.pt"])
    func everyOddityIsReadAsPyTorchReadsIt(file: String) throws {
        let folder = "conversion/oddities"
        let expected = try document("\(folder)/expected.json", as: Oddities.self)
        let path = "\(vectors)/\(folder)/\(file)"
        #expect(try listings(path) == Set(expected.listing))
        #expect(try !Checkpoint(opening: path).ties.isEmpty)
    }
}
