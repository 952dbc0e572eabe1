// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

/// The commands that open and run models, on the released ami/ball-drop.
@Suite struct UseModelsTests {
    private static let release = "\(Program.root)models/ami/ball-drop/release"

    @Test func inspectListsTensorsAndExecutesNothing() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let run = try await zoo("inspect", "\(Self.release)/model.safetensors", "--json")
            #expect(run.status == 0)
            #expect(try run.text("format") == "safetensors")
            #expect(try run.text("fingerprint").hasPrefix("sha256:"))
            #expect(
                try run.document.value("topLevelKeys") == .array(["encoder", "predictor"])
            )
            guard case .array(let tensors)? = try run.document.value("tensors"),
                case .object(let first)? = tensors.first
            else { throw ZooError(.fieldInvalid, "no tensors in \(run.output)") }
            #expect(tensors.count == 139)
            #expect(Set(first.keys).isSuperset(of: ["name", "dtype", "shape", "bytes"]))
            let text = try await zoo("inspect", Self.release).output
            #expect(text.contains("tensors      139, "))
        }
    }

    @Test func embedWritesTheHiddenStateInBothFormats() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let features = folder.path(of: "features.safetensors")
            let run = try await zoo(
                "embed",
                Self.release,
                Program.clip,
                "--output",
                features,
                "--json"
            )
            #expect(run.status == 0)
            #expect(try run.text("tensor") == "last_hidden_state")
            #expect(try run.document.value("shape") == .array([1, 128, 128]))
            let listed = try await zoo("inspect", features, "--json")
            #expect(try listed.document.value("topLevelKeys") == .array(["last_hidden_state"]))

            let array = folder.path(of: "mean.npy")
            let pooled = try await zoo(
                "embed",
                Self.release,
                Program.clip,
                "--output",
                array,
                "--pool",
                "mean"
            )
            #expect(pooled.status == 0)
            let bytes = try folder.read("mean.npy")
            #expect(bytes.starts(with: [0x93] + Array("NUMPY".utf8)))
            #expect(String(decoding: bytes.prefix(128), as: UTF8.self).contains("(1, 128)"))
        }
    }

    @Test func embedShowsWhatTimeWasSpentOn() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let path = folder.path(of: "x.npy")
            let run = try await zoo(
                "embed",
                Self.release,
                Program.clip,
                "--output",
                path,
                "--profile",
                "--json"
            )
            guard case .object(let profile)? = try run.document.value("profile"),
                case .array(let kinds)? = profile["kinds"]
            else {
                Issue.record("there is no profile: \(run.output)")
                return
            }
            let names = kinds.compactMap { kind -> JSONValue? in
                guard case .object(let fields) = kind else { return nil }
                return fields["kind"]
            }
            #expect(names.contains("mlp-linear") && names.contains("softmax"))
            #expect(names.last == "other")

            let table = try await zoo(
                "embed",
                Self.release,
                Program.clip,
                "--output",
                path,
                "--profile"
            )
            #expect(table.errors.contains("outside matrix products"))
            #expect(!table.output.contains("softmax"))
        }
    }

    @Test func predictReadsTheTrajectoryAndDrawsIt() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            _ = try await zoo("pull", "ami/ball-drop")
            let picture = folder.path(of: "path.svg")
            let run = try await zoo(
                "predict",
                "ami/ball-drop",
                Program.clip,
                "--read-out",
                "trajectory",
                "--svg",
                picture,
                "--json"
            )
            #expect(run.status == 0, "\(run.errors)")
            guard case .object(let reading)? = try run.document.value("trajectory"),
                case .array(let positions)? = reading["positions"],
                case .object(let error)? = reading["landingError"],
                case .number(let pixels)? = error["x"]
            else { throw ZooError(.fieldInvalid, "no trajectory in \(run.output)") }
            #expect(positions.count == 8)
            #expect(pixels < 1)
            let drawing = String(decoding: try folder.read("path.svg"), as: UTF8.self)
            #expect(drawing.hasPrefix("<svg "))
            #expect(drawing.hasSuffix("</svg>\n"))
            let text = try await zoo(
                "predict",
                "ami/ball-drop",
                Program.clip,
                "--read-out",
                "trajectory"
            )
            #expect(text.output.contains("lands at x = 14.4 px, frame 13.4  (truth: x = 14.9 px"))
        }
    }

    @Test func predictWritesTheLatents() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let path = folder.path(of: "predicted.safetensors")
            let run = try await zoo(
                "predict",
                Self.release,
                Program.clip,
                "--context-frames",
                "12",
                "--output",
                path,
                "--json"
            )
            #expect(run.status == 0)
            #expect(try run.document.value("shape") == .array([1, 32, 128]))
            let listed = try await zoo("inspect", path, "--json")
            #expect(
                try listed.document.value("topLevelKeys") == .array(["predicted", "target_mask"])
            )
            #expect(try await zoo("inspect", path).output.contains("target_mask  I64"))
        }
    }

    private static let refusals: [([String], Int32)] = [
        (["--context-frames", "8"], 64),
        (["--svg", "x.svg", "--output", "x.npy"], 64),
        (["--context-frames", "16", "--output", "x.npy"], 65),
        (["--context-frames", "7", "--output", "x.npy"], 65),
        (["--output", "x.npy"], 65),
        (["--threads", "0", "--context-frames", "8", "--output", "x.npy"], 64),
    ]

    @Test(arguments: refusals)
    func predictRefusesWhatMakesNoSense(options: [String], status: Int32) async throws {
        try await TemporaryFolder.with { folder in
            let run = try await ProgramRun(
                Program.executable,
                ["predict", Self.release, Program.clip] + options,
                environment: Program(in: folder).environment
            )
            #expect(run.status == status, "\(run.errors)")
        }
    }

    @Test func picturesAreTurnedAsTheySayAndTheResultSaysSo() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = folder.path(of: "model")
            let conversion = try await ProgramRun(
                Program.executable,
                ["convert"] + Conversions.vjepa2 + ["--to", model],
                environment: zoo.environment
            )
            #expect(conversion.status == 0, "\(conversion.errors)")
            let picture = "\(Program.root)Tests/Vectors/media/oriented/6.png"
            func embed(_ output: String, _ more: String...) async throws -> ProgramRun {
                try await ProgramRun(
                    Program.executable,
                    ["embed", model, picture, "--output", folder.path(of: output), "--json"] + more,
                    environment: zoo.environment
                )
            }
            let upright = try await embed("upright.npy")
            #expect(upright.status == 0, "\(upright.output)")
            let notes = try upright.document.strings("notes", maximum: 9, each: 1000)
            #expect(notes.contains { $0.contains("rotated by 90° clockwise") })
            let stored = try await embed("stored.npy", "--orientation", "stored")
            #expect(stored.status == 0)
            #expect(!stored.output.contains("rotated"))
            #expect(try folder.read("upright.npy") != folder.read("stored.npy"))
            #expect(try await embed("x.npy", "--orientation", "sideways").status == 64)
        }
    }
}
