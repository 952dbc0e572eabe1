// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTensor
import ZooTesting

/// Faults that `validate` must catch in the released models, each named by the suite, and the stage or claim, that is
/// there for it.
@Suite struct NegativeControlTests {
    /// A conversion that takes the online encoder for the target encoder gives a model that runs.
    @Test func theOtherEncoderOfATrainingCheckpointIsCaught() async throws {
        try await TemporaryFolder.with { folder in
            let vectors = "\(Program.root)Tests/Vectors/evaluation/golden"
            let models = "\(Program.root)models/ami/ball-drop"
            func release(_ component: String) async throws -> String {
                let path = folder.path(of: component)
                let run = try await ProgramRun(
                    Program.executable,
                    ["convert"] + Conversions.vjepa2 + ["--component", component, "--to", path],
                    environment: Program(in: folder).environment
                )
                try #require(run.status == 0, "\(run.errors)")
                for file in ["release.json", "conversion.json"] {
                    try FileManager.default.removeItem(atPath: "\(path)/\(file)")
                }
                // transformers normalises with these mean and std in the vector.
                let steps = try Data(
                    contentsOf: URL(filePath: "\(models)/release/preprocessor_config.json")
                )
                try folder.write(
                    Array(
                        String(decoding: steps, as: UTF8.self).replacing("32", with: "16").utf8
                    ),
                    to: "\(component)/preprocessor_config.json"
                )
                try FileManager.default.createDirectory(
                    atPath: "\(path)/goldens",
                    withIntermediateDirectories: true
                )
                try FileManager.default.copyItem(
                    atPath: "\(vectors)/reference.safetensors",
                    toPath: "\(path)/goldens/reference.safetensors"
                )
                let stages = [
                    "pixel_values", "encoder.layer.0", "encoder.layer.1", "encoder.layer.2",
                    "encoder.last_hidden_state",
                ]
                let parameters = stages.map {
                    #"{"name": "\#($0)", "tolerance": 1e-4, "reason": "float32"}"#
                }
                let metrics = stages.map {
                    #"{"name": "difference, \#($0)", "unit": "relative", "direction": "lower"}"#
                }
                let definition = """
                    {"format": "ami-zoo.suite/1", "name": "golden", "suite": "golden",
                     "suiteVersion": 1, "data": {"kind": "release"}, "seed": 0,
                     "parameters": {"file": "goldens/reference.safetensors",
                                    "stages": [\(parameters.joined(separator: ", "))]},
                     "metrics": [\(metrics.joined(separator: ", "))]}
                    """
                try folder.write(Array(definition.utf8), to: "\(component)/suites/golden.json")
                return path
            }
            let yaml = try String(contentsOfFile: "\(models)/model.yaml", encoding: .utf8)
            let description =
                yaml.components(separatedBy: "  - name: trajectory")[0]
                .replacing("ami/ball-drop", with: "test/tiny").replacing(
                    "frames: 16",
                    with: "frames: 4"
                )
                .replacing("32", with: "16") + "lineage: {kind: converted}\n"
            for (component, first) in [("target_encoder", nil), ("encoder", "encoder.layer.0")] {
                try await TemporaryFolder.with { own in
                    let control = try ControlModel(
                        copying: try await release(component),
                        description: description,
                        in: own
                    )
                    let verdict = try await control.validated()
                    if let first {
                        verdict.expectGolden(component, first: first)
                    } else {
                        #expect(verdict.passed, "\(component): \(verdict.messages)")
                    }
                }
            }
        }
    }

    @Test func faultsOfBallDropAreCaughtByTheStageTheyAreIn() async throws {
        try await TemporaryFolder.with { folder in
            let control = try ControlModel("ball-drop", suites: ["golden"], in: folder)
            #expect(try await control.validated().passed)
            // Rows of queries and keys in the order of a rotary embedding that pairs halves: what a conversion for the
            // other variant leaves. Attention without rotary embeddings does not notice.
            func rotate(_ part: String, _ width: Int) throws {
                try control.editWeights { tensors in
                    let layers = tensors.keys.filter {
                        $0.hasPrefix("\(part).layer.") && $0.contains(#/attention\.(query|key)\./#)
                    }
                    try #require(layers.count == 16)
                    for name in layers { try tensors.edit(name) { Self.halves($0, width: width) } }
                }
            }
            try await control.validated { try rotate("encoder", 128) }
                .expectGolden("rotary variant of the encoder", first: "encoder.layer.1")
            try await control.validated { try rotate("predictor", 96) }
                .expectGolden("rotary variant of the predictor", first: "predictor.output")
            try await control.validated {
                try control.replace("0.25", with: "0.5", in: "preprocessor_config.json")
            }.expectGolden("normalisation of pixels", first: "pixel_values")
            try await control.validated {
                try control.editWeights { tensors in
                    try tensors.edit("encoder.layernorm.weight") { $0.map { _ in 1 } }
                    try tensors.edit("encoder.layernorm.bias") { $0.map { _ in 0 } }
                }
            }.expectGolden("the final norm without its weights", first: "encoder.last_hidden_state")
            try await control.validated {
                try control.replace("1e-06", with: "0.001", in: "config.json")
            }.expectGolden("the epsilon of norms", first: "encoder.last_hidden_state")
        }
    }

    @Test func faultsOfTurbofanAreCaughtByTheStageTheyAreIn() async throws {
        try await TemporaryFolder.with { folder in
            let control = try ControlModel("turbofan", suites: ["golden"], in: folder)
            #expect(try await control.validated().passed)
            try await control.validated {
                try control.replace("39.22149257428913", with: "78.4", in: "config.json")
            }.expectGolden("the std of a channel", first: "encoder.layer.0")
            try await control.validated {
                try control.editWeights { tensors in
                    try tensors.swap("encoder.norm.weight", "encoder.blocks.0.norm1.weight")
                }
            }.expectGolden("two norms swapped", first: "encoder.layer.1")
            try await control.validated {
                try control.editWeights { tensors in
                    try tensors.edit("predictor.mask_token") { $0.map { _ in 0 } }
                }
            }.expectGolden("no mask token", first: "predictor.output")
        }
    }

    @Test func faultsOfTwoRoomsAreCaughtByTheStageTheyAreIn() async throws {
        try await TemporaryFolder.with { folder in
            let control = try ControlModel("two-rooms", suites: ["golden"], in: folder)
            #expect(try await control.validated().passed)
            try await control.validated {
                try control.replace("0.25", with: "0.5", in: "preprocessor_config.json")
            }.expectGolden("normalisation of pixels", first: "pixel_values")
            try await control.validated {
                try control.editWeights { tensors in
                    try tensors.edit("projector.net.1.running_mean") { $0.map { _ in 0 } }
                }
            }.expectGolden("statistics of a batch norm", first: "encoder.last_hidden_state")
            try await control.validated {
                try control.editWeights { tensors in
                    for name in tensors.keys where name.hasPrefix("projector.") {
                        try tensors.swap(name, name.replacing("projector.", with: "pred_proj."))
                    }
                }
            }.expectGolden("the projectors swapped", first: "encoder.last_hidden_state")
            try await control.validated {
                try control.editWeights { tensors in
                    var random = SeededBits(state: 3)
                    try tensors.edit("predictor.transformer.layers.1.mlp.net.1.weight") { values in
                        values.enumerated().map {
                            $0.offset < 1024 ? $0.element + 0.1 * random.uniform() : $0.element
                        }
                    }
                }
            }.expectGolden("a block of noise in the predictor", first: "predictor.roll_out")
            // Of another step of the training: the stages before it still agree.
            let stale = try await control.validated {
                try control.editWeights(in: "goldens/reference.safetensors") { tensors in
                    try tensors.edit("encoder.layer.2") { $0.map { 1.001 * $0 } }
                }
            }
            stale.expectGolden("a stale golden", first: "encoder.layer.2")
            #expect(stale.stages == ["encoder.layer.2"])
            try control.replace("0.25", with: "0.5", in: "preprocessor_config.json")
            let text = try await control.run("validate")
            #expect(text.status == 1)
            #expect(text.output.contains("the suite 'golden' found 'difference, pixel_values' of"))
        }
    }

    /// Claims have tolerances that are wider than what a small fault changes; only the stages see it.
    @Test func aFaultThatNoClaimSeesIsCaughtByAStage() async throws {
        try await TemporaryFolder.with { folder in
            let control = try ControlModel(
                "turbofan",
                suites: ["golden", "remaining-life"],
                in: folder
            )
            let verdict = try await control.validated {
                try control.editWeights { tensors in
                    var random = SeededBits(state: 5)
                    try tensors.edit("encoder.blocks.2.mlp.fc2.weight") { values in
                        values.enumerated().map {
                            $0.offset < 256 ? $0.element + 0.004 * random.uniform() : $0.element
                        }
                    }
                }
            }
            verdict.expectGolden("noise of a size that no claim sees", first: "encoder.layer.3")
            #expect(verdict.checks["claims"] == "passed" && verdict.checks["suites"] == "passed")
            #expect(verdict.outcomes.count == 4)
            #expect(verdict.outcomes.values.allSatisfy { $0 == "reproduced" })
        }
    }

    @Test func aClaimThatIsRaisedByMoreThanItsToleranceFails() async throws {
        try await TemporaryFolder.with { folder in
            let control = try ControlModel("turbofan", suites: ["remaining-life"], in: folder)
            // Measured: 22.25218 flights, with a tolerance of 0.1.
            let within = try await control.validated {
                try control.replace("value: 22.2522", with: "value: 22.1523", in: "model.yaml")
            }
            #expect(within.passed && within.outcomes["remaining-life: RMSE"] == "reproduced")
            #expect(within.checks["parity"] == "skipped")
            let report = folder.path(of: "report")
            let beyond = try await control.validated(["--report", report]) {
                try control.replace("value: 22.2522", with: "value: 22.1520", in: "model.yaml")
            }
            #expect(!beyond.passed && beyond.outcomes["remaining-life: RMSE"] == "worse")
            let message = try #require(beyond.messages["claims"]?.first)
            #expect(
                message.hasPrefix(
                    "the claim 'RMSE' of the suite 'remaining-life' is 22.152, and 22.25"
                )
            )
            #expect(beyond.messages["claims"]?.count == 1)
            let page = String(decoding: try folder.read("report/report.html"), as: UTF8.self)
            #expect(
                page.contains("of the suite 'remaining-life'")
                    || page.contains("of the suite &#39;remaining-life")
            )
            try control.replace("value: 22.2522", with: "value: 22.1520", in: "model.yaml")
            let text = try await control.run("validate")
            #expect(text.status == 1)
            #expect(text.output.contains(message) && text.output.contains("FAILED"))
        }
    }

    /// An untrained model fails what a trained one claims of itself, whatever its baselines reach.
    @Test func anUntrainedModelFailsTheClaimsOfATrainedOne() async throws {
        try await TemporaryFolder.with { folder in
            let control = try ControlModel(
                "turbofan",
                suites: ["golden", "anomaly", "wear-retrieval", "remaining-life"],
                in: folder
            )
            let verdict = try await control.validated { try control.forgetTraining() }
            verdict.expectGolden("an untrained model", first: "encoder.layer.0")
            #expect(verdict.checks["claims"] == "failed" && verdict.outcomes.count == 31)
            let kept = verdict.outcomes.filter { $0.value != "worse" }.map(\.key).sorted()
            #expect(kept == [], "\(verdict.outcomes)")
        }
    }

    @Test func anUntrainedModelDoesNotPlan() async throws {
        try await TemporaryFolder.with { folder in
            let control = try ControlModel("two-rooms", suites: ["golden", "planning"], in: folder)
            // Three of the hundred episodes and half of the search, and claims of what the trained model reaches so.
            try control.keep {
                try control.replace("100", with: "3", in: "suites/planning.json")
                try control.replace("64", with: "32", in: "suites/planning.json")
            }
            let measured = try await control.run("evaluate", ["--suite", "planning", "--json"])
            let report = try #require(try measured.document.objects("reports", maximum: 1).first)
            try control.keep { try control.claim(report, of: "planning", tolerance: 0.03) }
            #expect(try await control.validated().passed)
            let verdict = try await control.validated { try control.forgetTraining() }
            verdict.expectGolden("an untrained model", first: "encoder.layer.0")
            let worse = verdict.outcomes.filter { $0.value == "worse" }.map(\.key).sorted()
            #expect(
                worse == ["planning: steps of successful episodes", "planning: success rate"],
                "\(verdict.outcomes)"
            )
        }
    }

    /// [rows of heads of 32, …] with the rows of each part of 10 that a rotary embedding turns in another order.
    private static func halves(_ values: [Float], width: Int) -> [Float] {
        // A bias has one number a row.
        let columns = values.count / width
        let head = width / 4
        let part = 2 * (head / 3 / 2)
        return (0..<width).flatMap { row in
            let (start, place) = (row / head * head, row % head)
            let within = place % part
            let source =
                place < 3 * part
                ? start + place / part * part + within / 2 + within % 2 * (part / 2) : row
            return values[source * columns..<(source + 1) * columns]
        }
    }
}
