// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooDrawing
internal import ZooInference
internal import ZooModels

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
        let computation = try ModelComputation(model, compute, output, stage: "surprise")
        let picture = try computation.picture(svg, of: [input])
        let outcome = try await computation.run { [self] in
            let view = computation.progress
            let found = try await SurpriseRun(
                folder: computation.location.folder,
                selection: reading.selection,
                onNote: { view.note($0) }
            ).measure(
                input,
                SurpriseRun.Settings(
                    window: window,
                    stride: stride,
                    contextFrames: contextFrames,
                    maskIndex: maskIndex
                ),
                on: computation.pool
            ) { view.show($0) }
            return SurpriseOutcome(
                surprise: found.surprise,
                clip: found.input,
                picture: picture?.path,
                time: computation.time
            )
        }
        if let picture {
            let drawing = SurpriseDrawing(outcome.surprise, of: outcome.clip).svg
            try await computation.write { try picture.write(Array(drawing.utf8)) }
        }
        return outcome
    }
}

struct SurpriseOutcome: Report {
    let surprise: Surprise
    let clip: InferenceInput
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
                            "firstFrame": .integer(clip.sourceFrame(window.start)),
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
                ["\(clip.sourceFrame(window.start))"] + window.values.map(\.fixed4)
            }
            rows.append(["mean"] + surprise.means(of: video).map(\.fixed4))
            rows.append(["maximum"] + surprise.maxima(of: video).map(\.fixed4))
            lines.append(Table.text(["FIRST FRAME"] + contexts.map { "SEEN \($0)" }, rows))
        }
        if let picture { lines.append("drawn in \(picture)") }
        return lines.joined(separator: "\n")
    }
}
