// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCheckpoint
import ZooCore
import ZooTensor
import ZooTesting

/// Models on images and videos, from files to what a command prints: small models of the conversion
/// vectors, and for numbers what transformers computes from the same files.
@Suite struct RunModelsTests {
    static let vectors = "\(Program.root)Tests/Vectors"

    /// Converts a case of the conversion vectors.
    static func release(
        _ name: String,
        _ options: [String] = [],
        in folder: TemporaryFolder
    ) async throws -> String {
        let source = "\(vectors)/conversion/\(name)"
        let names = try FileManager.default.contentsOfDirectory(atPath: source)
        let file = try #require(names.first { $0.hasPrefix("upstream") })
        let target = folder.path(of: "release-\(name)")
        let run = try await ProgramRun(
            Program.executable,
            ["convert", "\(source)/\(file)", "--to", target, "--heads", "2"] + options,
            environment: Program(in: folder).environment
        )
        try #require(run.status == 0, "\(run.errors)")
        return target
    }

    /// A folder of images, copied from the media vectors.
    static func images(
        _ names: [String],
        in folder: TemporaryFolder
    ) throws -> String {
        for (index, name) in names.enumerated() {
            let bytes = try Data(contentsOf: URL(filePath: "\(vectors)/media/images/\(name)"))
            try folder.write(Array(bytes), to: "images/f\(index).png")
        }
        return folder.path(of: "images")
    }

    private static func expect(_ found: Tensor, _ expected: Tensor) {
        #expect(found.shape == expected.shape)
        for (one, other) in zip(found.values, expected.values) {
            #expect(abs(one - other) <= 1e-5)
        }
    }

    @Test func featuresOfAFolderOfImagesAreThoseOfTransformers() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await Self.release(
                "ijepa",
                ["--predictor-heads", "1", "--component", "target_encoder"],
                in: folder
            )
            let images = try Self.images(["rgb.png", "palette.png"], in: folder)
            let output = folder.path(of: "features.safetensors")
            let run = try await zoo("embed", model, images, "--output", output, "--json")
            #expect(run.status == 0, "\(run.errors)")
            #expect(
                try run.document.value("inputs")
                    == .array([.string("\(images)/f0.png"), .string("\(images)/f1.png")])
            )
            let found = try #require(Checkpoint(opening: output)["last_hidden_state"]).tensor
            #expect(found.shape == [2, 16, 24])
            let file = try Checkpoint(opening: "\(Self.vectors)/analysis/pictures.safetensors")
            for (index, name) in ["rgb", "palette"].enumerated() {
                let values = found.values[index * 384..<(index + 1) * 384]
                Self.expect(
                    Tensor(shape: [1, 16, 24], values: Array(values)),
                    try #require(file["ijepa.\(name)"]).tensor
                )
            }
        }
    }

    @Test func aFolderOfFramesIsClassifiedAsTransformersDoes() async throws {
        try await TemporaryFolder.with { folder in
            let source = "\(Self.vectors)/conversion/vjepa2-probe"
            for (from, to) in [
                ("expected-full.safetensors", "model.safetensors"),
                ("expected-config.json", "config.json"),
            ] {
                let bytes = try Data(contentsOf: URL(filePath: "\(source)/\(from)"))
                try folder.write(Array(bytes), to: "model/\(to)")
            }
            let processor = """
                {"video_processor_type": "VJEPA2VideoProcessor", "do_resize": true, "resample": 2,
                 "size": {"shortest_edge": 18}, "do_center_crop": true,
                 "crop_size": {"height": 16, "width": 16}, "do_rescale": true, "do_normalize": true,
                 "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
                """
            try folder.write(Array(processor.utf8), to: "model/preprocessor_config.json")
            let frames = try Self.images(
                ["rgb.png", "rgba.png", "rgb-key.png", "palette.png"],
                in: folder
            )
            let run = try await Program(in: folder)(
                "classify",
                folder.path(of: "model"),
                frames,
                "--json"
            )
            #expect(run.status == 0, "\(run.errors)")
            let file = try Checkpoint(opening: "\(Self.vectors)/analysis/pictures.safetensors")
            let expected = try #require(file["vjepa2.probabilities"]).tensor.values
            guard case .array(let videos) = try run.document.value("videos"),
                case .object(let video)? = videos.first, case .object(let heads)? = video["heads"],
                case .array(let scores)? = heads["logits"]
            else { throw ZooError(.fieldInvalid, run.output) }
            #expect(scores.count == 5)
            var last = Double.infinity
            for score in scores {
                guard case .object(let score) = score, case .integer(let index)? = score["index"],
                    case .number(let probability)? = score["probability"]
                else { throw ZooError(.fieldInvalid, run.output) }
                #expect(abs(probability - Double(expected[index])) <= 1e-5)
                #expect(probability <= last)
                last = probability
            }
        }
    }

    @Test func aVideoBecomesAPictureAndACurve() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await Self.release(
                "vjepa2",
                ["--predictor-heads", "1", "--crop-size", "16", "--frames", "4"],
                in: folder
            )
            let video = "\(Self.vectors)/media/videos/h264.mp4"
            let picture = folder.path(of: "features.png")
            let drawn = try await zoo("features", model, video, "--output", picture, "--json")
            #expect(drawn.status == 0, "\(drawn.errors)")
            #expect(try drawn.integer("tokens") == 32)
            let bytes = try folder.read("features.png")
            #expect(bytes.starts(with: [0x89] + Array("PNG\r\n".utf8)))
            // Two tubelets of 16 pixels, seven times as large, and 4 pixels between them.
            #expect(bytes[16..<24].elementsEqual([0, 0, 0, 228, 0, 0, 0, 228]))

            let curve = folder.path(of: "surprise.svg")
            let run = try await zoo(
                "surprise",
                model,
                video,
                "--frames",
                "12",
                "--svg",
                curve,
                "--json"
            )
            #expect(run.status == 0, "\(run.errors)")
            guard case .array(let videos) = try run.document.value("videos"),
                case .object(let found)? = videos.first,
                case .array(let windows)? = found["windows"]
            else { throw ZooError(.fieldInvalid, run.output) }
            #expect(windows.count == 5)
            let drawing = String(decoding: try folder.read("surprise.svg"), as: UTF8.self)
            #expect(drawing.contains("seconds") && drawing.contains("2 frames seen"))
        }
    }

    @Test func onlyVideosNeedFFmpeg() async throws {
        try await TemporaryFolder.with { folder in
            let model = try await Self.release(
                "vjepa2",
                ["--predictor-heads", "1", "--crop-size", "16", "--frames", "4"],
                in: folder
            )
            // Found before the library of the machine, and not libraries.
            for version in 50..<90 { try folder.write([], to: "broken/libavutil.so.\(version)") }
            var environment = Program(in: folder).environment
            environment["LD_LIBRARY_PATH"] = folder.path(of: "broken")
            let video = "\(Self.vectors)/media/videos/h264.mp4"
            let output = folder.path(of: "f.npy")
            let refused = try await ProgramRun(
                Program.executable,
                ["embed", model, video, "--output", output],
                environment: environment
            )
            #expect(refused.status == 66)
            #expect(refused.errors.contains("media.ffmpeg-missing"))
            #expect(refused.errors.contains("libavutil.so."))
            #expect(refused.errors.contains("apt-get install libavformat"))
            #expect(!FileManager.default.fileExists(atPath: output))

            let images = try Self.images(Array(repeating: "rgb.png", count: 4), in: folder)
            let read = try await ProgramRun(
                Program.executable,
                ["embed", model, images, "--output", output],
                environment: environment
            )
            #expect(read.status == 0, "\(read.errors)")
        }
    }

    @Test func movesOfAnArmAreSearchedFromATrajectory() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await Self.release(
                "vjepa2-ac",
                ["--predictor-heads", "2", "--crop-size", "16", "--frames", "16"],
                in: folder
            )
            let input = folder.path(of: "input.safetensors")
            try Conversions.writeTrajectory(to: input)
            let picture = folder.path(of: "energies.svg")
            let arguments = ["plan", model, input, "--samples", "12", "--svg", picture, "--json"]
            var runs: [ProgramRun] = []
            for seed in ["0", "0", "1"] {
                let run = try await ProgramRun(
                    Program.executable,
                    arguments + ["--seed", seed],
                    environment: zoo.environment
                )
                try #require(run.status == 0, "\(run.errors)")
                runs.append(run)
            }
            let actions = try runs.map { try $0.document.value("actions") }
            #expect(actions[0] == actions[1] && actions[0] != actions[2])
            guard case .array(let steps) = actions[0] else {
                throw ZooError(.fieldInvalid, runs[0].output)
            }
            #expect(steps.count == 2)
            for case .array(let numbers) in steps { #expect(numbers.count == 7) }
            guard case .object(let landscape) = try runs[0].document.value("landscape"),
                case .array(let energies)? = landscape["energies"]
            else { throw ZooError(.fieldInvalid, runs[0].output) }
            #expect(energies.count == 125)
            #expect(
                String(decoding: try folder.read("energies.svg"), as: UTF8.self)
                    .contains("true move")
            )
        }
    }

    @Test func framesFollowFromActionsAsInLeWM() async throws {
        try await TemporaryFolder.with { folder in
            let model = try await Self.release("lewm", ["--predictor-heads", "2"], in: folder)
            let file = try Checkpoint(
                opening: "\(Self.vectors)/conversion/lewm/forward.safetensors"
            )
            func values(_ name: String, first count: Int) throws -> [Float] {
                Array(try #require(file[name]).tensor.values.prefix(count))
            }
            // Sample 0 and plan 0: two actions led to the last known frame, two are to come.
            let pixels = try values("pixel_values", first: 3 * 3 * 16 * 16)
            let actions = try values("action_history", first: 20) + values("plans", first: 20)
            let (input, output) = (
                folder.path(of: "input.safetensors"), folder.path(of: "output.safetensors")
            )
            let tensors: [String: StoredTensor] = [
                "pixel_values": StoredTensor(Tensor(shape: [1, 3, 3, 16, 16], values: pixels)),
                "actions": StoredTensor(Tensor(shape: [1, 4, 10], values: actions)),
            ]
            try SafetensorsWriter.write(tensors, to: input)
            let run = try await Program(in: folder)("predict", model, input, "--output", output)
            #expect(run.status == 0, "\(run.errors)")
            let expected = try values("rollout", first: 5 * 24).suffix(2 * 24)
            Self.expect(
                try #require(Checkpoint(opening: output)["predicted"]).tensor,
                Tensor(shape: [1, 2, 1, 24], values: Array(expected))
            )
        }
    }

    @Test func inputsThatCannotBeUsedSayWhy() async throws {
        try await TemporaryFolder.with { folder in
            let zoo = Program(in: folder)
            let model = try await Self.release(
                "ijepa",
                ["--predictor-heads", "1", "--component", "target_encoder"],
                in: folder
            )
            try folder.write(Array("not a picture".utf8), to: "text.png")
            let (output, media) = (folder.path(of: "x.npy"), "\(Self.vectors)/media")
            let ballDrop = "\(Program.root)models/ami/ball-drop/release"
            let cases: [([String], Int32, String)] = [
                (["embed", model, folder.path(of: "text.png")], 65, "media.format-unknown"),
                (["embed", model, "\(media)/videos/h264.mp4"], 65, "input.unsuitable"),
                (["embed", model, folder.path(of: "nothing.png")], 66, "io.not-found"),
                (
                    ["embed", model, "\(media)/images/rgb.png", Program.clip], 65,
                    "model.input-shape-invalid"
                ),
                (["surprise", ballDrop, "\(media)/images/rgb.png"], 65, "input.unsuitable"),
                (["embed", ballDrop, "\(media)/images/rgb-16-bit.png"], 65, "input.unsuitable"),
                (
                    ["surprise", ballDrop, Program.clip, "--window", "40"], 65,
                    "model.surprise-protocol-invalid"
                ),
                (["classify", ballDrop, Program.clip], 65, "model.unsupported"),
                (["plan", ballDrop, Program.clip], 65, "model.unsupported"),
            ]
            for (arguments, status, code) in cases {
                let extra = arguments[0] == "embed" ? ["--output", output] : []
                let run = try await ProgramRun(
                    Program.executable,
                    arguments + extra,
                    environment: zoo.environment
                )
                #expect(run.status == status, "\(arguments): \(run.errors)")
                #expect(run.errors.contains("[\(code)]"), "\(arguments): \(run.errors)")
            }
            #expect(!FileManager.default.fileExists(atPath: output))
        }
    }
}
