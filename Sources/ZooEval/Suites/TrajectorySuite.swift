// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooMedia
internal import ZooModels
internal import ZooTensor

/// Where a thing will be, and when and where it will land, read from predicted latents.
///
/// Samples: clips `frames` (U8, [samples, frames, height, width, 3]), `positions` (F32, [samples, frames, 2],
/// x and y in pixels) and `landing` (F32, [samples, 2], x in pixels and the time in frames). The encoder sees
/// the first `context` frames; the read-out of the model (``TrajectoryReadOut``) reads the others. A position
/// error is the distance in pixels, the mean over the frames of a group and over the clips; landing errors are
/// means over the clips that land after the last frame of the context and within the clip.
///
/// Baselines, from the true positions of the context: the last position; the straight line through the last
/// two; the parabola through the last three (ballistic).
struct TrajectorySuite: SingleStageSuite {
    static let id = SuiteID(name: "trajectory", version: 1)

    /// How a position is guessed without a model.
    enum Baseline: String, CaseIterable {
        case lastPosition = "last-position"
        case straightLine = "straight-line"
        case ballistic = "ballistic"

        /// The position some frames after the last of those seen.
        func position(_ seen: [(x: Double, y: Double)], _ ahead: Double) -> (x: Double, y: Double) {
            let (last, previous, first) = (
                seen[seen.count - 1], seen[seen.count - 2], seen[seen.count - 3]
            )
            let (vx, vy) = (last.x - previous.x, last.y - previous.y)
            let bend = ahead * (ahead + 1) / 2
            switch self {
            case .lastPosition: return last
            case .straightLine: return (last.x + vx * ahead, last.y + vy * ahead)
            case .ballistic:
                return (
                    last.x + vx * ahead + (vx - (previous.x - first.x)) * bend,
                    last.y + vy * ahead + (vy - (previous.y - first.y)) * bend
                )
            }
        }
    }

    let context: Int
    let frames: Int
    private let group: Int
    private let split: String

    init(_ definition: SuiteDefinition) throws(ZooError) {
        let parameters = definition.parameters
        context = try parameters.integer("context", in: 3...4096)
        frames = try parameters.integer("frames", in: 4...4096)
        group = try parameters.integer("group", in: 1...4096)
        split = try definition.dataSet().split
        guard frames > context, (frames - context).isMultiple(of: group) else {
            throw parameters.invalid("group", "must divide the frames after the context")
        }
    }

    private var groups: [Range<Int>] {
        stride(from: context, to: frames, by: group).map { $0..<$0 + group }
    }

    private static func title(_ frames: Range<Int>) -> String {
        switch frames.count {
        case 1: "frame \(frames.lowerBound)"
        case 2: "frames \(frames.lowerBound) and \(frames.lowerBound + 1)"
        default: "frames \(frames.lowerBound) to \(frames.upperBound - 1)"
        }
    }

    var metrics: [MetricDefinition] {
        groups.map {
            MetricDefinition("position error, \(Self.title($0))", unit: "px", better: .lower)
        }
            + groups.flatMap { frames in
                Baseline.allCases.map {
                    MetricDefinition(
                        "position error over \($0.rawValue) error, \(Self.title(frames))",
                        unit: "ratio",
                        better: .lower
                    )
                }
            }
            + [
                MetricDefinition("landing place error", unit: "px", better: .lower),
                MetricDefinition("landing time error", unit: "frames", better: .lower),
            ]
    }

    func stage(of model: EvaluatedModel, on data: EvaluationData) async throws -> any SampleStage {
        // Before anything is computed.
        _ = try await BlockingWork.run { _ in try truth(data) }
        return try Stage(
            suite: self,
            model: model,
            encoder: try await model.encoder(),
            split: samples(data)
        )
    }

    func samples(_ data: EvaluationData) throws(ZooError) -> TensorSplit {
        let set = try data.dataSet()
        return try TensorSplit(try set.split(split), of: set, counting: "frames")
    }

    /// The true positions [samples · frames · 2] and landings [samples · 2].
    func truth(
        _ data: EvaluationData
    ) throws(ZooError) -> (positions: [Float], landings: [Float], all: Range<Int>) {
        let samples = try samples(data)
        let all = 0..<samples.count
        return (
            try samples.numbers("positions", [frames, 2], all).values,
            try samples.numbers("landing", [2], all).values, all
        )
    }

    func measure(
        _ table: SampleTable,
        on data: EvaluationData,
        in session: ComputeSession
    ) throws -> [Measurement] {
        let (positions, landings, all) = try truth(data)
        let predicted = try table.rows("positions")
        let predictedLandings = try table.rows("landing")
        // The mean distance in each group, for each clip.
        var errors: [[Double]] = Array(repeating: [], count: groups.count)
        var baselines: [[[Double]]] = Array(
            repeating: Array(repeating: [], count: Baseline.allCases.count),
            count: groups.count
        )
        var (places, times): ([Double], [Double]) = ([], [])
        for sample in all {
            let path = (0..<frames).map { frame in
                let start = (sample * frames + frame) * 2
                return (x: Double(positions[start]), y: Double(positions[start + 1]))
            }
            let seen = Array(path.prefix(context))
            for (index, frames) in groups.enumerated() {
                func mean(_ guess: (Int) -> (x: Double, y: Double)) -> Double {
                    frames.reduce(0) { sum, frame in
                        let (dx, dy) = (
                            guess(frame).x - path[frame].x, guess(frame).y - path[frame].y
                        )
                        return sum + (dx * dx + dy * dy).squareRoot()
                    } / Double(frames.count)
                }
                errors[index].append(
                    mean { frame in
                        let start = (frame - context) * 2
                        return (predicted[sample][start], predicted[sample][start + 1])
                    }
                )
                for (number, baseline) in Baseline.allCases.enumerated() {
                    baselines[index][number].append(
                        mean { baseline.position(seen, Double($0 - context + 1)) }
                    )
                }
            }
            let (x, time) = (Double(landings[sample * 2]), Double(landings[sample * 2 + 1]))
            guard time > Double(context - 1), time <= Double(frames - 1) else { continue }
            places.append(abs(predictedLandings[sample][0] - x))
            times.append(abs(predictedLandings[sample][1] - time))
        }
        guard !places.isEmpty else {
            throw ZooError.dataUnsuitable("no clip of the split '\(split)' lands after its context")
        }
        var (result, definitions) = ([Measurement](), metrics[...])
        for values in errors {
            result.append(Measurement(definitions.removeFirst(), meanOf: values))
        }
        for (values, others) in zip(errors, baselines) {
            for other in others {
                result.append(Measurement(definitions.removeFirst(), ratioOfMeans: values, other))
            }
        }
        result.append(Measurement(definitions.removeFirst(), meanOf: places))
        result.append(Measurement(definitions.removeFirst(), meanOf: times))
        return result
    }

    /// Reads the trajectory from the predicted latents of each clip.
    private struct Stage: SampleStage {
        private let suite: TrajectorySuite
        private let split: TensorSplit
        private let encoder: any JEPAEncoder
        private let predictor: any MaskedPredictor
        private let readOut: TrajectoryReadOut
        private let preprocessing: Preprocessing

        init(
            suite: TrajectorySuite,
            model: EvaluatedModel,
            encoder: any JEPAEncoder,
            split: TensorSplit
        ) throws(ZooError) {
            self.suite = suite
            self.split = split
            self.encoder = encoder
            predictor = try encoder.requirePredictor()
            readOut = try TrajectoryReadOut(folder: model.folder)
            preprocessing = try model.preprocessing()
            let size = try split.clipSize("frames")
            guard size.frames == suite.frames else {
                throw .dataUnsuitable(
                    "the clips have \(size.frames) frames, and the suite measures \(suite.frames)"
                )
            }
            guard readOut.contextFrames == suite.context,
                readOut.tubelets * readOut.framesPerTubelet == suite.frames - suite.context
            else {
                throw .dataUnsuitable(
                    "the read-out of the model reads \(readOut.tubelets * readOut.framesPerTubelet) frames after "
                        + "\(readOut.contextFrames), and the suite measures \(suite.frames - suite.context) after "
                        + "\(suite.context)"
                )
            }
        }

        var definition: JSONValue {
            ["suite": .string(TrajectorySuite.id.description), "context": .integer(suite.context)]
        }
        var columns: [String: Int] {
            ["positions": (suite.frames - suite.context) * 2, "landing": 2]
        }
        var samples: Int { split.count }
        var chunk: Int { 64 }

        func compute(_ samples: Range<Int>, on pool: ComputePool) async throws -> [String: Tensor] {
            let clips = try await BlockingWork.run { _ in
                try split.clips("frames", samples, preprocessing)
            }
            try encoder.requireTrainedSize(clips.shape)
            let seen = try encoder.tokens(ofFrames: 0..<suite.context, batch: samples.count)
            let hidden = try encoder.tokens(
                ofFrames: suite.context..<suite.frames,
                batch: samples.count
            )
            let known = try await encoder.encode(
                clips,
                visible: seen,
                options: ForwardOptions(),
                on: pool
            )
            let predicted = try await predictor.predict(
                hidden,
                from: known.context,
                options: ForwardOptions(),
                on: pool
            ).values
            var (positions, landings): ([Float], [Float]) = ([], [])
            let (size, values) = (predicted.shape.elementCount / samples.count, predicted.values)
            for clip in 0..<samples.count {
                let latents = Tensor(
                    shape: Shape([predicted.shape[1], predicted.shape[2]]),
                    values: Array(values[clip * size..<(clip + 1) * size])
                )
                let trajectory = try readOut.trajectory(of: latents)
                positions += trajectory.positions.flatMap { [Float($0.x), Float($0.y)] }
                landings += [Float(trajectory.landing.x), Float(trajectory.landing.frame)]
            }
            return [
                "positions": Tensor(
                    shape: Shape([samples.count, positions.count / samples.count]),
                    values: positions
                ),
                "landing": Tensor(shape: Shape([samples.count, 2]), values: landings),
            ]
        }
    }
}
