// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooFiles
import ZooTensor
import ZooTesting

@testable import ZooConvert

/// What a release proves about its upstream file, and what comes back out of it.
@Suite struct RoundTripTests {
    private func compare(
        _ folder: TemporaryFolder,
        _ report: ConversionReport,
        _ source: ConversionSource
    ) throws -> UpstreamComparison.Outcome {
        try UpstreamComparison(
            folder: folder.path(of: "release"),
            record: report.record,
            source: source
        ).compare(Cancellation())
    }

    @Test(arguments: ConversionTests.cases)
    func aReleaseHoldsTheTensorsOfItsUpstreamFile(name: String) async throws {
        let sample = try ConversionCase(name)
        try await TemporaryFolder.with { folder in
            let report = try await sample.convert(to: folder.path(of: "release"))
            let outcome = try compare(folder, report, sample.source)
            #expect(outcome.findings.isEmpty)
            #expect(outcome.tensors == report.components.values.reduce(0) { $0 + $1.tensors })
        }
    }

    @Test func oneChangedBitIsFound() async throws {
        let sample = try ConversionCase("vjepa2")
        try await TemporaryFolder.with { folder in
            let report = try await sample.convert(to: folder.path(of: "release"))
            var bytes = try folder.read("release/model.safetensors")
            bytes[bytes.count - 1] ^= 1
            try folder.write(bytes, to: "release/model.safetensors")
            let outcome = try compare(folder, report, sample.source)
            #expect(outcome.findings.count == 1)
            #expect(outcome.findings.first?.code == .upstreamMismatch)
        }
    }

    @Test func anotherUpstreamFileIsNotTheOne() async throws {
        let sample = try ConversionCase("ijepa")
        let other = try ConversionCase("ijepa-legacy")
        try await TemporaryFolder.with { folder in
            // The files hold the same tensors, and the release the other encoder of them.
            let report = try await other.convert(to: folder.path(of: "release"))
            #expect(try compare(folder, report, sample.source).findings.isEmpty)
            let wrong = try await sample.convert(to: folder.path(of: "wrong"))
            let outcome = try UpstreamComparison(
                folder: folder.path(of: "release"),
                record: wrong.record,
                source: sample.source
            ).compare(Cancellation())
            #expect(!outcome.findings.isEmpty)
        }
    }

    @Test func aConvertedTypeIsComparedAfterConversion() async throws {
        let sample = try ConversionCase("vjepa2")
        try await TemporaryFolder.with { folder in
            let report = try await sample.convert(to: folder.path(of: "release"), dtype: .bf16)
            #expect(try compare(folder, report, sample.source).findings.isEmpty)
        }
    }

    @Test(arguments: ConversionTests.cases)
    func exportingGivesTheUpstreamTensorsBack(name: String) async throws {
        let sample = try ConversionCase(name)
        try await TemporaryFolder.with { folder in
            let report = try await sample.convert(to: folder.path(of: "release"))
            let path = folder.path(of: "export.pt")
            _ = try Exporter(folder: folder.path(of: "release")).write(to: path, Cancellation())
            let exported = try Checkpoint(opening: path)
            #expect(exported.format == .torchZip)
            #expect(try exported.fingerprint() == report.sourceFingerprint)
            try exported.requireChecksums(Cancellation())
            let original = try #require(sample.source.tensors[.main]?.checkpoint)
            for tensor in exported.tensors {
                #expect(original.tensors.contains(tensor), "\(tensor.name)")
            }
        }
    }

    @Test func aConvertedReleaseConvertsToItself() async throws {
        let sample = try ConversionCase("vjepa2")
        try await TemporaryFolder.with { folder in
            let first = try await sample.convert(to: folder.path(of: "release"))
            let source = try ConversionSource(folder.path(of: "release"), backbone: nil)
            #expect(try source.plan(ConversionOptions()).family == .vjepa2)
            let second = try await source.convert(to: folder.path(of: "again"))
            #expect(second.fingerprint == first.fingerprint)
            #expect(
                try folder.read("again/model.safetensors")
                    == folder.read("release/model.safetensors")
            )
        }
    }

    @Test(arguments: [
        ("ijepa", "expected"), ("vjepa2", "expected"), ("vjepa2-probe", "expected-full"),
    ])
    func whatTransformersWroteStaysAsItIs(name: String, vector: String) async throws {
        try await TemporaryFolder.with { folder in
            let root = "\(ConversionCase.root)/\(name)"
            for (from, to) in [
                ("\(vector).safetensors", "model.safetensors"),
                ("expected-config.json", "config.json"),
            ] {
                let bytes = try Data(contentsOf: URL(filePath: "\(root)/\(from)"))
                try folder.write(Array(bytes), to: "repository/\(to)")
            }
            let source = try ConversionSource(folder.path(of: "repository"), backbone: nil)
            let plan = try source.plan(ConversionOptions())
            let released = plan.parts.flatMap(\.rules).flatMap(\.released).map(\.name)
            let tensors = try #require(source.tensors[.main]?.checkpoint.tensors)
            #expect(Set(released) == Set(tensors.map(\.name)))
        }
    }

    /// Before safetensors, transformers wrote the same names with `torch.save`.
    @Test(arguments: ["repository", "repository/pytorch_model.bin"])
    func aPickleOfTransformersIsConverted(argument: String) async throws {
        try await TemporaryFolder.with { folder in
            for (from, to) in [
                ("transformers-bin/pytorch_model.bin", "pytorch_model.bin"),
                ("ijepa/expected-config.json", "config.json"),
            ] {
                let bytes = try Data(
                    contentsOf: URL(filePath: "\(ConversionCase.root)/\(from)")
                )
                try folder.write(Array(bytes), to: "repository/\(to)")
            }
            let source = try ConversionSource(folder.path(of: argument), backbone: nil)
            #expect(source.inputs.count == 2)
            try await source.convert(to: folder.path(of: "new"))
            let released = try Checkpoint(opening: folder.path(of: "new"))
            let expected = try Checkpoint(
                opening: "\(ConversionCase.root)/ijepa/expected.safetensors"
            )
            #expect(released.tensors.map(\.name) == expected.tensors.map(\.name))
            for tensor in expected.tensors {
                #expect(
                    released[tensor.name]?.tensor.values == expected[tensor.name]?.tensor.values
                )
            }
        }
    }

    @Test func aFileOfTransformersThatLacksATensorIsRefused() async throws {
        try await TemporaryFolder.with { folder in
            let root = "\(ConversionCase.root)/vjepa2"
            let whole = try Checkpoint(opening: "\(root)/expected.safetensors")
            var tensors: [String: StoredTensor] = [:]
            for tensor in whole.tensors { tensors[tensor.name] = whole[tensor.name] }
            tensors["encoder.layer.1.norm2.bias"] = nil
            try folder.write([0], to: "repository/x")
            let path = folder.path(of: "repository/model.safetensors")
            try SafetensorsWriter.write(tensors, to: path)
            let configuration = try Data(contentsOf: URL(filePath: "\(root)/expected-config.json"))
            try folder.write(Array(configuration), to: "repository/config.json")
            let source = try ConversionSource(folder.path(of: "repository"), backbone: nil)
            let error = #expect(throws: ZooError(.conversionTensorsMismatch, "")) {
                try source.plan(ConversionOptions())
            }
            #expect(error?.message.contains("'encoder.layer.1.norm2.bias' [24] is missing") == true)
        }
    }
}
