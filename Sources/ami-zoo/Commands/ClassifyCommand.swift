// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooModels
internal import ZooTensor

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
        let store = try Surroundings().store
        let location = try ModelLocation(model, in: store)
        let probe = try probe.map { try ModelLocation($0, in: store).folder }
        let pool = compute.pool
        let clock = ContinuousClock()
        let start = clock.now
        let found = try await Interruption.cancelling { [self] in
            let classifier = try await BlockingWork.run(whenCancelled: .abandoned) {
                (_) throws(ZooError) in
                guard let probe else { return try VideoClassifier(folder: location.folder) }
                return try VideoClassifier(folder: location.folder, probe: probe)
            }
            let reader = InputReader(location.folder, classifier.backbone.input, reading)
            let items = try await BlockingWork.run { _ in try reader.items(inputs) }
            let view = ComputeProgress(output, stage: "classify", total: items.count)
            defer { view.close() }
            var found: [ClassifiedVideo] = []
            for item in items {
                let input = try await reader.views(item, clips: clips, views: views, seed: seed)
                let result = try await classifier.classify(
                    input.pixelValues,
                    options: view.forward(),
                    on: pool
                )
                for video in 0..<input.pixelValues.shape[0] {
                    found.append(
                        ClassifiedVideo(item, video, result, frames: input.frames, top: top)
                    )
                }
                view.advance()
            }
            return found
        }
        return ClassifyOutcome(
            videos: found,
            clips: clips,
            views: views,
            time: clock.now - start
        )
    }
}

/// The most probable classes of one video.
struct ClassifiedVideo: Sendable {
    let input: String
    let heads: [(name: String, scores: [ClassScore])]
    /// For each clip, the frames of the video that it was made of.
    let frames: [[Int]]?

    init(
        _ input: String,
        _ index: Int,
        _ result: Classification,
        frames: [[Int]]?,
        top: Int
    ) {
        self.input = input
        self.frames = frames
        heads = result.heads.map { ($0.classes.name, $0.top(top, ofVideo: index)) }
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
