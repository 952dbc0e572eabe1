// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooFiles
internal import ZooMedia
internal import ZooModels
internal import ZooTensor

/// The prediction error of each window and context of both clips of a pair.
struct SurpriseStage: SampleStage {
    private let parameters: SurpriseParameters
    private let pairs: SurprisePairs
    private let encoder: any JEPAEncoder
    private let source: Source
    private let starts: [Int]
    private let normalisation: TargetNormalisation?

    /// What reads the clips.
    private enum Source: Sendable {
        case stored(TensorSplit, Preprocessing)
        case held([HeldData.Pair], HeldSampleReader)
    }

    init(
        parameters: SurpriseParameters,
        model: EvaluatedModel,
        encoder: any JEPAEncoder,
        pairs: SurprisePairs,
        of data: EvaluationData
    ) throws(ZooError) {
        self.parameters = parameters
        self.pairs = pairs
        self.encoder = encoder
        _ = try encoder.requirePredictor()
        let frames = try pairs.frames()
        switch pairs {
        case .stored(let split): source = .stored(split, try model.preprocessing())
        case .held(let pairs):
            guard let preparation = parameters.preparation else {
                preconditionFailure("held pairs come from held data")
            }
            let reader = try preparation.reader(
                of: try data.held(),
                for: model,
                encoder.input,
                movie: frames
            )
            source = .held(pairs, reader)
        }
        starts = try parameters.method.starts(frames: frames)
        normalisation =
            parameters.targets == .readOut ? try TargetNormalisation(folder: model.folder) : nil
    }

    var definition: JSONValue {
        var members: [String: JSONValue] = [
            "suite": .string(SurpriseSuite.id.description),
            "window": .integer(parameters.method.window),
            "stride": .integer(parameters.method.stride),
            "contexts": .array(parameters.method.contexts.map { .integer($0) }),
            "maskIndex": .integer(parameters.method.maskIndex),
            "error": .string(parameters.error.rawValue),
            "horizon": .string(parameters.horizon.rawValue),
            "targets": .string(parameters.targets.rawValue),
        ]
        if let preparation = parameters.preparation { members["preparation"] = preparation.json }
        return .object(members)
    }
    var decoders: [String: String] { parameters.preparation?.decoders ?? [:] }
    private var width: Int { starts.count * parameters.method.contexts.count }
    var columns: [String: Int] { ["possible": width, "impossible": width] }
    var samples: Int { pairs.count }
    var chunk: Int {
        switch source {
        case .stored: 32
        case .held: 4
        }
    }

    func compute(_ samples: Range<Int>, on pool: ComputePool) async throws -> [String: Tensor] {
        var result: [String: Tensor] = [:]
        for name in columns.keys.sorted() {
            switch source {
            case .stored(let split, let preprocessing):
                let clips = try await BlockingWork.run { _ in
                    try split.clips(name, samples, preprocessing)
                }
                result[name] = try await errors(of: clips, on: pool)
            case .held(let pairs, let reader):
                var rows: [Tensor] = []
                for pair in pairs[samples] {
                    let movie = name == "possible" ? pair.possible : pair.impossible
                    rows.append(
                        try await errors(of: try await reader.pixels(of: movie), on: pool)
                    )
                }
                result[name] = Tensor(joining: rows)
            }
        }
        return result
    }

    private func errors(of clips: Tensor, on pool: ComputePool) async throws -> Tensor {
        let (batch, method) = (clips.shape[0], parameters.method)
        var rows: [[Float]] = Array(repeating: [], count: batch)
        try await Surprise.forEachPrediction(of: clips, with: encoder, by: method, on: pool) {
            found in
            let start = method.contexts[found.context]
            let compared =
                parameters.horizon == .rest
                ? found.predicted.selection
                : try encoder.tokens(
                    ofFrames: start..<start + encoder.input.tubelet,
                    batch: batch
                )
            let predicted = try found.predicted.selecting(compared)
            let actual = try found.targets.selecting(compared)
            for sample in 0..<batch {
                rows[sample].append(Float(try distance(predicted, actual, sample)))
            }
        }
        let values = rows.flatMap { $0 }
        guard values.allSatisfy(\.isFinite) else {
            throw ZooError(.evaluationNotFinite, "the model predicts numbers that are not finite")
        }
        return Tensor(shape: Shape([batch, width]), values: values)
    }

    /// The mean error over tokens and elements of one sample, in double precision.
    private func distance(
        _ predicted: TokenFeatures,
        _ actual: TokenFeatures,
        _ sample: Int
    ) throws(ZooError) -> Double {
        let ids = actual.selection.ids[sample]
        let width = actual.values.shape[2]
        let (found, goal) = (predicted.values.values, actual.values.values)
        var sum = 0.0
        for (token, id) in ids.enumerated() {
            let start = (sample * ids.count + token) * width
            for element in 0..<width {
                var target = goal[start + element]
                if let normalisation {
                    target = try normalisation.normalised(target, token: id, element: element)
                }
                let difference = Double(found[start + element] - target)
                sum += parameters.error == .absolute ? abs(difference) : difference * difference
            }
        }
        return sum / Double(ids.count * width)
    }
}

/// The statistics of a model's targets, `target.mean` and `target.scale` [tokens, width], in
/// `read_outs/trajectory.safetensors`.
private struct TargetNormalisation: Sendable {
    private let mean: [Float]
    private let scale: [Float]
    private let shape: Shape

    init(folder: String) throws(ZooError) {
        let file = try Checkpoint(opening: "\(folder)/\(TrajectoryReadOut.path)")
        guard let mean = file["target.mean"], let scale = file["target.scale"], mean.dtype == .f32,
            scale.dtype == .f32, mean.shape == scale.shape, mean.shape.rank == 2
        else {
            throw .dataUnsuitable(
                "'\(TrajectoryReadOut.path)' of the model has no F32 'target.mean' and 'target.scale' "
                    + "[tokens, width]",
                remedy: "use \"targets\": \"layer-norm\""
            )
        }
        (self.mean, self.scale, shape) = (mean.tensor.values, scale.tensor.values, mean.shape)
        guard self.scale.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw .dataUnsuitable("'target.scale' of the model is not positive")
        }
    }

    func normalised(_ value: Float, token: Int, element: Int) throws(ZooError) -> Float {
        guard token < shape[0], element < shape[1] else {
            throw .dataUnsuitable(
                "'target.mean' of the model has the shape \(shape), too small for its tokens"
            )
        }
        return (value - mean[token * shape[1] + element]) / scale[token * shape[1] + element]
    }
}
