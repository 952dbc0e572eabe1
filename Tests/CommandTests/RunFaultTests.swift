// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor
import ZooTesting

/// What people get wrong when they run models, and what is wrong with their files.
@Suite struct RunFaultTests {
    private static let small = ["--predictor-heads", "1", "--crop-size", "16", "--frames", "4"]
    private static let image = "\(RunModelsTests.vectors)/media/images/rgb.png"

    /// Runs commands of which each must fail, and returns what was left in the folder.
    private static func expectFailures(
        _ cases: [(arguments: [String], status: Int32, text: String)],
        in folder: TemporaryFolder
    ) async throws {
        let zoo = Program(in: folder)
        for (arguments, status, text) in cases {
            let run = try await ProgramRun(
                Program.executable,
                arguments,
                environment: zoo.environment
            )
            #expect(run.status == status, "\(arguments): \(run.errors)")
            #expect(run.errors.contains(text), "\(arguments): \(run.errors)")
            #expect(run.output.isEmpty)
        }
    }

    /// A clip [1, 4, 3, 16, 16] with `value` in the first place.
    private static func clip(_ value: Float, in folder: TemporaryFolder) throws -> String {
        var values = (0..<3072).map { Float($0 % 89) / 89 - 0.5 }
        values[0] = value
        let path = folder.path(of: "clip.safetensors")
        try SafetensorsWriter.write(
            ["pixel_values": StoredTensor(Tensor(shape: [1, 4, 3, 16, 16], values: values))],
            to: path
        )
        return path
    }

    @Test(arguments: [Float.nan, .infinity])
    func numbersThatAreNoneAreNotShown(value: Float) async throws {
        try await TemporaryFolder.with { folder in
            let model = try await RunModelsTests.release("vjepa2", Self.small, in: folder)
            let clip = try Self.clip(value, in: folder)
            let file = folder.path(of: "out.npy")
            let drawing = folder.path(of: "out.svg")
            try await Self.expectFailures(
                [
                    (["surprise", model, clip], 65, "[model.result-not-finite]"),
                    (["surprise", model, clip, "--svg", drawing], 65, "[model.result-not-finite]"),
                    (["embed", model, clip, "--output", file], 65, "[model.result-not-finite]"),
                    (
                        ["predict", model, clip, "--context-frames", "2", "--output", file], 65,
                        "[model.result-not-finite]"
                    ),
                ],
                in: folder
            )
            #expect(!FileManager.default.fileExists(atPath: file))
            #expect(!FileManager.default.fileExists(atPath: drawing))
        }
    }

    @Test func aProbeDoesNotNameClassesOfNothing() async throws {
        try await TemporaryFolder.with { folder in
            let model = try await RunModelsTests.release(
                "vjepa2-probe",
                ["--backbone", Conversions.file] + Self.small,
                in: folder
            )
            let clip = try Self.clip(.nan, in: folder)
            try await Self.expectFailures(
                [(["classify", model, clip], 65, "[model.result-not-finite]")],
                in: folder
            )
        }
    }

    @Test func nothingThatIsReadIsWrittenOver() async throws {
        try await TemporaryFolder.with { folder in
            let model = try await RunModelsTests.release("vjepa2", Self.small, in: folder)
            let images = try RunModelsTests.images(["rgb.png", "rgba.png"], in: folder)
            let image = "\(images)/f0.png"
            let before = try folder.read("images/f0.png")
            let features = ["features", model]
            func path(_ name: String) -> String { folder.path(of: name) }
            try await Self.expectFailures(
                [
                    (features + [image, "--output", image], 64, "[output.unsuitable]"),
                    (
                        features + [images, "--output", "\(images)/new.png"], 64,
                        "[output.unsuitable]"
                    ),
                    (
                        ["embed", model, image, "--output", "\(model)/model.safetensors"], 64,
                        "[output.unsuitable]"
                    ),
                    (features + [image, "--output", path("x.jpg")], 64, "must end in .png"),
                    (["embed", model, image, "--output", path("x.npz")], 64, "must end in"),
                    (
                        ["embed", model, image, "--output", path("none/x.npy")], 66,
                        "there is no folder"
                    ),
                    (["surprise", model, images, "--svg", path("x.txt")], 64, "must end in .svg"),
                ],
                in: folder
            )
            #expect(try folder.read("images/f0.png") == before)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: images).sorted()
                    == ["f0.png", "f1.png"]
            )
        }
    }

    @Test func aLinkToAFolderIsThatFolder() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await RunModelsTests.release(
                "ijepa",
                ["--predictor-heads", "1", "--component", "target_encoder"],
                in: folder
            )
            let names = Array(repeating: "rgb.png", count: 11)
            let images = try RunModelsTests.images(names, in: folder)
            let (frames, other) = (folder.path(of: "frames"), folder.path(of: "model"))
            for (link, target) in [(frames, images), (other, model)] {
                try FileManager.default.createSymbolicLink(
                    atPath: link,
                    withDestinationPath: target
                )
            }
            let output = folder.path(of: "x.npy")
            let run = try await zoo("embed", other, frames, "--output", output, "--json")
            #expect(run.status == 0, "\(run.errors)")
            // Natural order: f10 is the last.
            let inputs = (0...10).map { JSONValue.string("\(frames)/f\($0).png") }
            #expect(try run.document.value("inputs") == .array(inputs))
        }
    }

    @Test func aPictureOfAnotherSizeIsNoted() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = "\(Program.root)models/ami/ball-drop/release"
            let arguments = ["embed", model, Self.image, "--output", folder.path(of: "x.npy")]
            for extra in [[], ["--progress", "json"]] {
                let run = try await ProgramRun(
                    Program.executable,
                    arguments + extra,
                    environment: zoo.environment
                )
                #expect(run.status == 0, "\(run.errors)")
                #expect(run.errors.contains("is 35 x 29 pixels"), "\(run.errors)")
                #expect(run.errors.contains("trained on 32 x 32"), "\(run.errors)")
                #expect(run.errors.contains(#""event":"note""#) == !extra.isEmpty)
            }
        }
    }

    @Test func threadsOutOfRangeAreRefusedAndTheMostWork() async throws {
        try await TemporaryFolder.with { folder in
            let model = "\(Program.root)models/ami/ball-drop/release"
            let arguments = ["embed", model, Program.clip, "--output", folder.path(of: "x.npy")]
            try await Self.expectFailures(
                ["0", "-1", "1025", "9223372036854775807"].map {
                    (arguments + ["--threads=\($0)"], 64, "--threads must be 1 to 1024")
                },
                in: folder
            )
            let run = try await ProgramRun(
                Program.executable,
                arguments + ["--threads", "1024"],
                environment: Program(in: folder).environment
            )
            #expect(run.status == 0, "\(run.errors)")
        }
    }

    @Test func optionsThatMeanNothingAreRefused() async throws {
        try await TemporaryFolder.with { folder in
            let model = try await RunModelsTests.release("vjepa2", Self.small, in: folder)
            let arm = try await RunModelsTests.release(
                "vjepa2-ac",
                ["--predictor-heads", "2", "--crop-size", "16", "--frames", "4"],
                in: folder
            )
            let clip = try Self.clip(0, in: folder)
            let output = ["--output", folder.path(of: "x.npy")]
            let plan = ["plan", arm, Self.image, Self.image, "--samples", "4", "--elites", "2"]
            try await Self.expectFailures(
                [
                    (["embed", model, clip, "--frames", "2"] + output, 65, "[input.unsuitable]"),
                    (
                        ["embed", model, Self.image, "--frames", "65536", "--threads", "0"]
                            + output,
                        64, "Usage: ami-zoo embed"
                    ),
                    (
                        plan + [
                            "--svg", folder.path(of: "x.svg"), "--grid", "9223372036854775807",
                        ],
                        64, "--grid must be 2 to 100"
                    ),
                    (plan + ["--preset", "tea"], 64, "'tea' is invalid"),
                    (plan + ["--grid", "3"], 64, "--grid requires --svg"),
                    (plan + ["--state", "0.4", "0.1"], 64, "as in 0.4,-0.1,0.3"),
                    (plan + ["--state", "0.4,nan"], 64, "'0.4,nan' is invalid"),
                    (["plan", arm, clip, "--state", "1,2"], 64, "--state is for images"),
                    (["plan", arm, Self.image], 65, "[input.unsuitable]"),
                ],
                in: folder
            )
            let lewm = try await RunModelsTests.release(
                "lewm",
                ["--predictor-heads", "2"],
                in: folder
            )
            let preset = try await ProgramRun(
                Program.executable,
                ["plan", lewm, Self.image, Self.image, "--preset", "notebook"],
                environment: Program(in: folder).environment
            )
            #expect(preset.status == 64)
            #expect(preset.errors.contains("models of LeWM have no preset 'notebook'"))
            // Negative numbers are no options.
            let run = try await ProgramRun(
                Program.executable,
                plan + ["--state", "-0.4,-0.1,0.3,0,0,0,0"],
                environment: Program(in: folder).environment
            )
            #expect(run.status == 0, "\(run.errors)")
        }
    }

    @Test func statesThatAreNoNumbersAreRefused() async throws {
        try await TemporaryFolder.with { folder in
            let arm = try await RunModelsTests.release(
                "vjepa2-ac",
                ["--predictor-heads", "2", "--crop-size", "16", "--frames", "4"],
                in: folder
            )
            let input = folder.path(of: "input.safetensors")
            let zoo = Program(in: folder)
            // Infinite states have no change to show, and large ones one that no Int holds.
            for (state, status) in [(Float.infinity, Int32(65)), (1e30, 0)] {
                let poses =
                    Array(repeating: Float(0), count: 7)
                    + Array(repeating: state, count: 7)
                try SafetensorsWriter.write(
                    [
                        "pixel_values": StoredTensor(Tensor(zeros: [1, 2, 3, 16, 16])),
                        "states": StoredTensor(Tensor(shape: [1, 2, 7], values: poses)),
                    ],
                    to: input
                )
                let run = try await zoo("plan", arm, input, "--samples", "12")
                #expect(run.status == status, "\(run.errors)")
            }
        }
    }

    /// A shell is the reader that goes away at once.
    @Test func aClosedPipeDoesNotEndAComputation() async throws {
        try await TemporaryFolder.with { folder in
            let model = try await RunModelsTests.release("vjepa2", Self.small, in: folder)
            let clip = try Self.clip(0, in: folder)
            let output = folder.path(of: "x.npy")
            let command =
                "{ sleep 0.2; \"$@\" 3>&-; echo $? >&3; } 3>\(folder.path(of: "status")) | true"
            let run = try await ProgramRun(
                "/bin/sh",
                ["-c", command, "sh", Program.executable, "embed", model, clip]
                    + ["--output", output],
                environment: Program(in: folder).environment.merging(["PATH": "/usr/bin:/bin"]) {
                    $1
                }
            )
            #expect(run.status == 0)
            #expect(String(decoding: try folder.read("status"), as: UTF8.self) == "0\n")
            #expect(FileManager.default.fileExists(atPath: output))
        }
    }

    @Test func aFineGridHasLabelsThatCanBeRead() async throws {
        try await TemporaryFolder.with { folder in
            let arm = try await RunModelsTests.release(
                "vjepa2-ac",
                ["--predictor-heads", "2", "--crop-size", "16", "--frames", "4"],
                in: folder
            )
            let drawing = folder.path(of: "x.svg")
            let run = try await ProgramRun(
                Program.executable,
                ["plan", arm, Self.image, Self.image, "--state", "0,0,0,0,0,0,0"]
                    + ["--landscape-only", "--svg", drawing, "--grid", "13"],
                environment: Program(in: folder).environment
            )
            #expect(run.status == 0, "\(run.errors)")
            let text = String(decoding: try folder.read("x.svg"), as: UTF8.self)
            let labels = text.split(separator: "\n").filter {
                $0.contains("text-anchor=\"middle\"") && !$0.contains("title")
            }
            // Every second of 13 moves, 1.25 cm apart.
            #expect(
                labels.map { $0.split(separator: ">")[1].prefix { $0 != "<" } }
                    == ["-7.5", "-5.0", "-2.5", "0.0", "2.5", "5.0", "7.5"]
            )
        }
    }

    @Test func anInterruptedComputationEndsSoonAndWritesNothing() async throws {
        try await TemporaryFolder.with { folder in
            let model = try await RunModelsTests.release("vjepa2", Self.small, in: folder)
            let clip = try Self.clip(0, in: folder)
            let output = folder.path(of: "x.npy")
            let process = try Program(in: folder).start(
                ["predict", model, clip, "--context-frames", "2", "--horizon", "2048"]
                    + ["--output", output]
            )
            try await Task.sleep(for: .seconds(2))
            try #require(process.isRunning)
            let start = ContinuousClock.now
            process.signal(SIGINT)
            #expect(await process.status() == 130)
            #expect(ContinuousClock.now - start < .seconds(2))
            #expect(!FileManager.default.fileExists(atPath: output))
        }
    }
}
