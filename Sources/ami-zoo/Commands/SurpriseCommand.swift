// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooModels
internal import ZooTensor

/// `ami-zoo surprise`.
struct SurpriseCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "surprise",
        abstract: "Measure how far a video departs from a model's predictions, window by window.",
        discussion: """
            The model sees the first frames of each window and predicts the features of the other \
            frames. The surprise is the mean absolute difference between predicted and encoded \
            features.
            """
    )

    @Argument(help: "An installed model or a model folder.")
    var model: String

    @Argument(help: InputOptions.help)
    var input: String

    @Option(help: "The number of frames in a window. Default: that of the model, at most 16.")
    var window: Int?

    @Option(help: "The number of frames between the starts of two windows.")
    var stride = SurpriseProtocol.usualStride

    @Option(
        parsing: .upToNextOption,
        help:
            "The number of frames in a window that the model sees; each number gives one curve. Default: half."
    )
    var contextFrames: [Int] = []

    @Option(help: "The index of the mask token that the predictor uses.")
    var maskIndex = 1

    @Option(help: "The .svg file to draw the surprise over time to.")
    var svg: String?

    @OptionGroup var reading: InputOptions
    @OptionGroup var compute: ComputeOptions
    @OptionGroup var output: OutputOptions

    func report() async throws -> SurpriseOutcome {
        let location = try ModelLocation(model, in: Surroundings().store)
        let pool = compute.pool
        let view = ComputeProgress(output, stage: "surprise", total: 1)
        defer { view.close() }
        let (clock, start) = (ContinuousClock(), ContinuousClock.now)
        let picture = try svg.map {
            try OutputFile($0, endings: [".svg"], apartFrom: [input, location.folder]).path
        }
        let outcome = try await Interruption.cancelling { [self] in
            let model = try await BlockingWork.run(whenCancelled: .abandoned) { _ in
                try ModelFamily.load(folder: location.folder)
            }
            guard model.input.frames > 1 else {
                throw ZooError(
                    .modelUnsupported,
                    "the model sees single images, and surprise is about time",
                    remedy: "use a model of videos, such as V-JEPA or V-JEPA 2"
                )
            }
            // A surprise is about time, so the whole video is read, not a clip of the model's length.
            let clip = try await InputReader(location.folder, model.input, reading).video(input)
            let surprise = try await Surprise.measure(
                clip.pixelValues,
                with: model,
                by: try method(for: model.input, frames: clip.pixelValues.shape[1]),
                on: pool
            ) { view.update($0, of: $1) }
            return SurpriseOutcome(
                surprise: surprise,
                clip: clip,
                picture: picture,
                time: clock.now - start
            )
        }
        if let picture {
            let drawing = SurpriseDrawing(outcome).svg
            try await BlockingWork.run { _ in
                try FileSystem.replace(picture, with: Array(drawing.utf8))
            }
        }
        return outcome
    }

    private func method(
        for input: ModelInput,
        frames: Int
    ) throws(ZooError) -> SurpriseProtocol {
        let tubelet = input.tubelet
        let usual = min(input.frames, 16, frames) / tubelet * tubelet
        let window = window ?? max(usual, 2 * tubelet)
        let half = max(tubelet, window / 2 / tubelet * tubelet)
        return try SurpriseProtocol(
            window: window,
            stride: stride,
            contexts: contextFrames.isEmpty ? [half] : contextFrames,
            maskIndex: maskIndex
        )
    }
}

struct SurpriseOutcome: Report {
    let surprise: Surprise
    let clip: InputClip
    let picture: String?
    let time: Duration

    var json: JSONValue {
        let method = surprise.method
        func numbers(_ values: [Float]) -> JSONValue {
            .array(values.map(JSONValue.float))
        }
        let videos = surprise.videos.indices.map { video -> JSONValue in
            [
                "mean": numbers(surprise.means(of: video)),
                "maximum": numbers(surprise.maxima(of: video)),
                "windows": .array(
                    surprise.videos[video].map { window in
                        [
                            "firstFrame": .integer(clip.frame(window.start)),
                            "values": numbers(window.values),
                        ]
                    }
                ),
            ]
        }
        var members: [String: JSONValue] = [
            "window": .integer(method.window), "stride": .integer(method.stride),
            "contextFrames": .array(method.contexts.map(JSONValue.integer)),
            "maskIndex": .integer(method.maskIndex), "videos": .array(videos),
            "seconds": .number(time.secondsToMilliseconds),
        ]
        if let picture { members["svg"] = .string(picture) }
        return .object(members)
    }

    var text: String {
        let contexts = surprise.method.contexts
        var lines: [String] = []
        for (video, windows) in surprise.videos.enumerated() {
            if surprise.videos.count > 1 { lines.append("video \(video)") }
            var rows = windows.map { window in
                ["\(clip.frame(window.start))"] + window.values.map(\.fixed4)
            }
            rows.append(["mean"] + surprise.means(of: video).map(\.fixed4))
            rows.append(["maximum"] + surprise.maxima(of: video).map(\.fixed4))
            lines.append(Table.text(["FIRST FRAME"] + contexts.map { "SEEN \($0)" }, rows))
        }
        if let picture { lines.append("drawn in \(picture)") }
        return lines.joined(separator: "\n")
    }
}

extension Float {
    /// Four digits after the point, for people.
    var fixed4: String {
        // Beyond this a Float has no digits after the point.
        guard abs(self) < 1e9 else { return "\(self)" }
        let digits = "\(Int((abs(self) * 10_000).rounded()))"
        let padded = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
        return "\(self < 0 ? "-" : "")\(padded.dropLast(4)).\(padded.suffix(4))"
    }
}
