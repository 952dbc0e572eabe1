// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor
import ZooTesting

@testable import ZooConvert

/// Conversions of files that the labs' own classes made, `Tests/Vectors/conversion`.
@Suite struct ConversionTests {
    static let cases = [
        "ijepa", "ijepa-legacy", "vjepa", "vjepa-probe", "vjepa2", "orig-mod", "vjepa2-probe",
        "vjepa2-ek100", "vjepa2-ac", "vjepa21", "vjepa21-distilled", "jepa-wm", "jepa-wm-old",
        "jepa-wm-inside", "dino-wm", "lewm", "lewm-v5",
    ]

    @Test(arguments: cases)
    func everyFamilyBecomesWhatItsVectorsSay(name: String) async throws {
        let sample = try ConversionCase(name)
        try await TemporaryFolder.with { folder in
            let report = try await sample.convert(to: folder.path(of: "release"))
            #expect(report.family.rawValue == (try sample.expected.string("family")))
            try expectSame("expected", "model", name, folder)
            try expectSame("expected-predictor", "predictor", name, folder)
            let found = try sample.configuration(of: folder)
            for (field, value) in try sample.expected.object("config").members {
                #expect(found.value(field)?.isClose(to: value) == true, "\(field)")
            }
            if case .string(let taken)? = sample.expected.value("component") {
                #expect(report.taken.values.contains(taken))
            }
        }
    }

    /// The tensors of a written file are those of a vector, bit for bit.
    private func expectSame(
        _ vector: String,
        _ file: String,
        _ name: String,
        _ folder: TemporaryFolder
    ) throws {
        let path = "\(ConversionCase.root)/\(name)/\(vector).safetensors"
        let release = folder.path(of: "release/\(file).safetensors")
        let isExpected = FileManager.default.fileExists(atPath: path)
        #expect(FileManager.default.fileExists(atPath: release) == isExpected, "\(release)")
        // Every case has a model; most have no predictor of its own.
        guard isExpected || file == "model" else { return }
        let expected = try Checkpoint(opening: path)
        let found = try Checkpoint(opening: release)
        #expect(found.tensors == expected.tensors)
        #expect(try found.fingerprint() == expected.fingerprint())
    }

    @Test func aProbeWithItsBackboneIsTheClassifierOfTransformers() async throws {
        let sample = try ConversionCase("vjepa2-probe", backbone: "vjepa2/upstream.pt")
        try await TemporaryFolder.with { folder in
            var options = sample.options
            options.predictorHeads = 1
            options.cropSize = 16
            options.frames = 4
            let report = try await sample.convert(to: folder.path(of: "release"), options)
            #expect(report.family == .vjepa2Classifier)
            try expectSame("expected-full", "model", "vjepa2-probe", folder)
            let path = "\(ConversionCase.root)/vjepa2-probe/expected-config.json"
            let written = try JSONObject(
                JSONValue(parsing: Array(try Data(contentsOf: URL(filePath: path))))
            )
            let found = try sample.configuration(of: folder)
            for (field, value) in found.members {
                #expect(written.value(field)?.isClose(to: value) == true, "\(field)")
            }
        }
    }

    @Test func levelsOfTheBackboneAreWrittenDown() async throws {
        let sample = try ConversionCase("vjepa2-probe")
        var options = sample.options
        options.backboneLevels = [0, 1]
        try await TemporaryFolder.with { folder in
            _ = try await sample.convert(to: folder.path(of: "release"), options)
            let found = try sample.configuration(of: folder)
            #expect(try found.integers("backbone_levels", in: 0...9, maximum: 9) == [0, 1])
        }
        #expect(try ConversionOptions(JSONObject(.object(options.json))) == options)
        // transformers' class has no such thing, nor has a probe for anticipation.
        let joined = try ConversionCase("vjepa2-probe", backbone: "vjepa2/upstream.pt")
        for refused in [joined, try ConversionCase("vjepa2-ek100")] {
            #expect {
                try refused.source.plan(options)
            } throws: { error in
                (error as? ZooError)?.code == .conversionOptionInvalid
            }
        }
    }

    @Test func theSameInputGivesTheSameBytes() async throws {
        let sample = try ConversionCase("vjepa2")
        try await TemporaryFolder.with { folder in
            let first = try await sample.convert(to: folder.path(of: "a"))
            let second = try await sample.convert(to: folder.path(of: "b"))
            #expect(first.record.canonicalBytes == second.record.canonicalBytes)
            for file in first.files {
                #expect(try folder.read("a/\(file.path)") == folder.read("b/\(file.path)"))
                #expect(
                    file.digest == ContentDigest(of: try folder.read("a/\(file.path)")),
                    "\(file.path)"
                )
            }
        }
    }

    @Test func containersDoNotMatterForFingerprints() async throws {
        let zip = try ConversionCase("ijepa")
        let legacy = try ConversionCase("ijepa-legacy")
        try await TemporaryFolder.with { folder in
            let first = try await zip.convert(to: folder.path(of: "a"), legacy.options)
            let second = try await legacy.convert(to: folder.path(of: "b"))
            #expect(first.fingerprint == second.fingerprint)
            #expect(first.sourceFingerprint == second.sourceFingerprint)
        }
    }

    @Test func largeSetsAreSplitAsTransformersSplitsThem() async throws {
        let sample = try ConversionCase("vjepa2")
        try await TemporaryFolder.with { folder in
            let whole = try await sample.convert(to: folder.path(of: "whole"))
            let report = try await sample.convert(to: folder.path(of: "shards"), shardSize: 20_000)
            let names = report.files.map(\.path.text)
            #expect(names.contains("model-00001-of-00005.safetensors"))
            #expect(names.contains("model.safetensors.index.json"))
            let checkpoint = try Checkpoint(opening: folder.path(of: "shards"))
            #expect(checkpoint.format == .shardedSafetensors)
            #expect(try checkpoint.fingerprint() == whole.fingerprint)
            #expect(report.fingerprint == whole.fingerprint)
        }
    }

    @Test func theChoiceOfEncoderIsKept() async throws {
        let sample = try ConversionCase("vjepa2")
        try await TemporaryFolder.with { folder in
            var options = sample.options
            options.component = "encoder"
            let other = try await sample.convert(to: folder.path(of: "other"), options)
            let usual = try await sample.convert(to: folder.path(of: "usual"))
            #expect(other.taken["encoder"] == "encoder")
            #expect(usual.taken["encoder"] == "target_encoder")
            #expect(
                other.components["encoder"]?.fingerprint
                    != usual.components["encoder"]?.fingerprint
            )
            let lineage = other.record.lineage.details
            #expect(lineage["options"] == .object(options.json))
        }
    }

    @Test func whatIsMissingOrLeftOverIsListedAllAtOnce() throws {
        let checkpoint = try Checkpoint(opening: "\(ConversionCase.root)/vjepa2/upstream.pt")
        let tensors = try UpstreamTensors(checkpoint)
        var options = try ConversionCase("vjepa2").options
        options.family = "vjepa2.1"
        let error = #expect(throws: ZooError(.conversionTensorsMismatch, "")) {
            try ConvertibleFamily.plan([.main: tensors], options: options)
        }
        for name in ["img_mod_embed", "norms_block.3.weight", "'norm.weight'"] {
            #expect(error?.message.contains(name) == true, "\(name)")
        }
    }

    /// Parts of names that wrappers add go, at any depth, and nothing that only looks like them.
    @Test func onlyWholePartsOfNamesAreWrappers() async throws {
        try await TemporaryFolder.with { folder in
            let names = [
                "ema.module._orig_mod.a.weight", "ema._fsdp_wrapped_module.b.weight",
                "ema.c._checkpoint_wrapped_module.0._fsdp_wrapped_module.weight", "ema.n_averaged",
                "ema.my_module.d.weight", "ema.e.module",
            ]
            let path = folder.path(of: "a.safetensors")
            try SafetensorsWriter.write(
                Dictionary(uniqueKeysWithValues: names.map { ($0, Tensor(zeros: [1])) }),
                to: path
            )
            let upstream = try UpstreamTensors(Checkpoint(opening: path))
            #expect(
                try #require(upstream.groups["ema"]).tensors.keys.sorted()
                    == ["a.weight", "b.weight", "c.0.weight", "e.module", "my_module.d.weight"]
            )
        }
    }

    @Test func whatWeightsCannotTellIsAsked() throws {
        let tensors = try UpstreamTensors(
            Checkpoint(opening: "\(ConversionCase.root)/vjepa2/upstream.pt")
        )
        let error = #expect(throws: ZooError(.conversionOptionNeeded, "")) {
            try ConvertibleFamily.plan([.main: tensors], options: ConversionOptions())
        }
        #expect(error?.remedy?.contains("--heads") == true)
        var options = ConversionOptions()
        options.component = "optimizer"
        #expect(throws: ZooError(.conversionComponentMissing, "")) {
            try ConvertibleFamily.plan([.main: tensors], options: options)
        }
    }

    @Test func nothingIsLeftBehindWhenAConversionFails() async throws {
        let sample = try ConversionCase("vjepa2")
        try await TemporaryFolder.with { folder in
            try folder.write([1], to: "taken/file")
            await #expect(throws: ZooError(.conversionDestinationTaken, "")) {
                try await sample.convert(to: folder.path(of: "taken"))
            }
            #expect(try folder.read("taken/file") == [1])
            // A weight that half precision cannot hold, which ends at 65,504, in the last tensor.
            let root = "\(ConversionCase.root)/vjepa2"
            let whole = try Checkpoint(opening: "\(root)/expected.safetensors")
            let last = try #require(whole.tensors.map(\.name).sorted().last)
            var tensors: [String: Tensor] = [:]
            for tensor in whole.tensors { tensors[tensor.name] = whole[tensor.name]?.tensor }
            tensors[last]?.withMutableValues { $0[0] = 70_000 }
            let configuration = try Data(contentsOf: URL(filePath: "\(root)/expected-config.json"))
            try folder.write(Array(configuration), to: "upstream/config.json")
            let upstream = folder.path(of: "upstream/model.safetensors")
            try SafetensorsWriter.write(tensors, to: upstream)
            let source = try ConversionSource(upstream, backbone: nil)
            func convert(_ dtype: DType) async throws {
                try await source.convert(to: folder.path(of: "new"), dtype: dtype)
            }
            await #expect(throws: ZooError(.conversionOverflow, "")) { try await convert(.f16) }
            var names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(Set(names) == ["taken", "upstream"])
            // It was that weight: bfloat16 holds it.
            try await convert(.bf16)
            names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(Set(names) == ["taken", "upstream", "new"])
        }
    }
}
