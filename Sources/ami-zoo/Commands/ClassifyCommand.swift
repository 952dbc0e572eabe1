// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooDrawing
internal import ZooInference
internal import ZooModels

/// `ami-zoo classify`.
struct ClassifyCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "classify",
        abstract: "Classify a video with a model and a probe that was trained on it.",
        discussion: """
            The model is a classifier that transformers wrote, or an encoder with '--probe'. \
            Published scores average several clips and several crops, such as '--clips 2 --views 3' \
            for Something-Something v2.
            """
    )

    @Argument(help: "An installed model or a model folder.")
    var model: String

    @Argument(help: InputOptions.help)
    var inputs: [String]

    @Option(help: "The probe: an installed probe, or a folder that 'ami-zoo convert' wrote.")
    var probe: String?

    @Option(help: "The number of classes to show, 1 to 1000.")
    var top = 5

    @Option(help: "The number of clips, spread over the video, 1 to 100.")
    var clips = 1

    @Option(help: "The number of crops along the longer side of a frame: 1 or 3.")
    var views = 1

    @Option(
        help: "The seed for random clip starts. Default: the earliest starts."
    )
    var seed: UInt64?

    @OptionGroup var reading: InputOptions
    @OptionGroup var compute: ComputeOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if !(1...1000).contains(top) { throw ValidationError("--top must be 1 to 1000") }
        if !(1...100).contains(clips) { throw ValidationError("--clips must be 1 to 100") }
        if ![1, 3].contains(views) { throw ValidationError("--views must be 1 or 3") }
    }

    func report() async throws -> ClassifyOutcome {
        let computation = try ModelComputation(model, compute, output, stage: "classify")
        let probe = try probe.map { try ModelLocation($0, in: Surroundings().store).folder }
        let found = try await computation.run { [self] in
            let view = computation.progress
            let run = try await ClassificationRun(
                folder: computation.location.folder,
                probe: probe,
                selection: reading.selection,
                onNote: { view.note($0) }
            )
            return try await run.results(
                of: inputs,
                sampling: ClassificationRun.Sampling(clips: clips, views: views, seed: seed),
                on: computation.pool
            ) { view.show($0) }
        }
        return ClassifyOutcome(
            videos: found.flatMap { result in
                (0..<result.videos).map { ClassifiedVideo(result, $0, top: top) }
            },
            clips: clips,
            views: views,
            time: computation.time
        )
    }
}

/// The most probable classes of one video.
struct ClassifiedVideo: Sendable {
    let input: String
    let heads: [(name: String, scores: [ClassScore])]
    /// For each clip, the indices of its frames in the video.
    let frames: [[Int]]?

    init(_ result: ClassificationRun.Result, _ index: Int, top: Int) {
        input = result.name
        frames = result.frameIndices
        heads = result.classification.heads.map {
            ($0.classes.name, $0.top(top, ofVideo: index))
        }
    }
}

struct ClassifyOutcome: Report {
    let videos: [ClassifiedVideo]
    let clips: Int
    let views: Int
    let time: Duration

    var json: JSONValue {
        func score(_ score: ClassScore) -> JSONValue {
            var members: [String: JSONValue] = [
                "index": .integer(score.index), "probability": .float(score.probability),
            ]
            if let label = score.label { members["label"] = .string(label) }
            return .object(members)
        }
        func described(_ video: ClassifiedVideo) -> JSONValue {
            let heads = video.heads.map { ($0.name, JSONValue.array($0.scores.map(score))) }
            var members: [String: JSONValue] = [
                "input": .string(video.input),
                "heads": .object(Dictionary(uniqueKeysWithValues: heads)),
            ]
            if let frames = video.frames {
                members["frames"] = .array(frames.map { .array($0.map(JSONValue.integer)) })
            }
            return .object(members)
        }
        return [
            "videos": .array(videos.map(described)),
            "clips": .integer(clips), "views": .integer(views),
            "seconds": .number(time.secondsToMilliseconds),
        ]
    }

    var text: String {
        videos.flatMap { video in
            video.heads.flatMap { head in
                let title = video.heads.count > 1 ? "\(video.input): \(head.name)" : video.input
                let rows = head.scores.map { score in
                    [score.probability.fixed4, "\(score.index)", score.label ?? ""]
                }
                return [title, Table.text(["PROBABILITY", "CLASS", "LABEL"], rows)]
            }
        }.joined(separator: "\n")
    }
}
