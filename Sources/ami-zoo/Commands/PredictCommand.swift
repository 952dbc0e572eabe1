// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ArgumentParser
internal import ZooCore
internal import ZooDrawing
internal import ZooFiles
internal import ZooInference
internal import ZooModels
internal import ZooTensor

extension MaskedPredictionRun.EncoderView: ExpressibleByArgument {}

/// The quantities that can be read from a prediction.
enum ReadOutKind: String, ExpressibleByArgument, CaseIterable {
    case trajectory
}

/// `ami-zoo predict`.
struct PredictCommand: ReportingCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Predict the features of masked or future parts of a clip.",
        discussion: """
            The context is the first frames of the clip (--context-frames), or the token ids in the \
            input's tensors 'context_mask' and 'target_mask'. The command predicts the other frames of \
            the clip, or the next --horizon frames, which may lie beyond its end. It writes \
            'predicted' [batch, targets, width] and the token ids 'target_mask'.

            An action-conditioned model takes a file as 'ami-zoo plan --help' describes, with \
            'actions' [1, known frames - 1 + steps, numbers]. The command then writes 'predicted' \
            [1, steps, tokens, width], and 'states' if the model has them.
            """
    )

    @Argument(help: "An installed model or a model folder.")
    var model: String

    @Argument(help: InputOptions.help)
    var input: String

    @Option(help: "The number of frames that the model sees before it predicts.")
    var contextFrames: Int?

    @Option(
        help: "The number of frames to predict after the context. Default: the rest of the clip."
    )
    var horizon: Int?

    @Option(help: "The index of the mask token that the predictor uses.")
    var maskIndex = 1

    @Option(
        help:
            "What the encoder attends to: only the 'context', or the whole 'clip' as in transformers."
    )
    var encode = MaskedPredictionRun.EncoderView.context

    @Option(
        name: .customLong("output"),
        help: "The file to write the predicted features to: .safetensors or .npy."
    )
    var destination: String?

    @Option(help: "The read-out to apply to the prediction: 'trajectory', the path of a ball.")
    var readOut: ReadOutKind?

    @Option(
        help: "The .svg file to draw the predicted path to, with the true path where it is known."
    )
    var svg: String?

    @OptionGroup var reading: InputOptions
    @OptionGroup var compute: ComputeOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if maskIndex < 0 { throw ValidationError("--mask-index must not be negative") }
        if let horizon, !(1...4096).contains(horizon) {
            throw ValidationError("--horizon must be 1 to 4096")
        }
        if horizon != nil, contextFrames == nil {
            throw ValidationError("--horizon requires --context-frames")
        }
        if destination == nil, readOut == nil {
            throw ValidationError("give --output FILE, --read-out trajectory, or both")
        }
        if svg != nil, readOut == nil {
            throw ValidationError("--svg requires --read-out trajectory")
        }
    }

    func report() async throws -> PredictOutcome {
        let computation = try ModelComputation(model, compute, output, stage: "predict")
        let location = computation.location
        let writer = try destination.map {
            try FeatureWriter($0, apartFrom: [input, location.folder])
        }
        let picture = try computation.picture(svg, of: [input])
        if try ModelFamily.detect(folder: location.folder).predictsUnderActions {
            return try await rollOut(computation, to: writer)
        }
        let readOut = try await BlockingWork.run { [readOut] _ in
            try readOut.map { _ in try TrajectoryReadOut(folder: location.folder) }
        }
        let settings = MaskedPredictionRun.Settings(
            contextFrames: contextFrames ?? readOut?.contextFrames,
            horizon: horizon,
            maskIndex: maskIndex,
            encoderView: encode
        )
        let found = try await computation.run { [self] in
            let view = computation.progress
            return try await MaskedPredictionRun(
                folder: location.folder,
                selection: reading.selection,
                onNote: { view.note($0) }
            ).predict(input, settings, on: computation.pool) { view.show($0) }
        }
        let (predicted, clip) = (found.predicted, found.input)
        let trajectory = try readOut.map {
            try TrajectoryReading(of: predicted, by: $0, clip: clip)
        }
        if let writer {
            try await computation.write {
                try writer.write(
                    predicted.values,
                    named: "predicted",
                    with: ["target_mask": predicted.selection.storedTensor]
                )
            }
        }
        if let picture, let trajectory {
            let drawing = TrajectoryDrawing(
                model: location.name,
                reading: trajectory,
                clip: clip
            ).svg
            try await computation.write { try picture.write(Array(drawing.utf8)) }
        }
        return PredictOutcome(
            path: writer?.path,
            shape: predicted.values.shape,
            reading: trajectory.map { TrajectoryReport(model: location.name, reading: $0) },
            picture: picture?.path,
            time: computation.time
        )
    }
}

extension PredictCommand {
    /// Predicts one frame after another from the actions in the input.
    private func rollOut(
        _ computation: ModelComputation,
        to writer: FeatureWriter?
    ) async throws -> PredictOutcome {
        guard let writer, readOut == nil else {
            throw ZooError(
                .inputUnsuitable,
                "read-outs do not support action-conditioned models",
                remedy: "write them to a file with --output"
            )
        }
        let predicted = try await computation.run { [input] in
            try await WorldModelRun(folder: computation.location.folder)
                .rollOut(input, on: computation.pool)
        }
        try await computation.write {
            try writer.write(
                predicted.latents,
                named: "predicted",
                with: predicted.states.map { ["states": StoredTensor($0)] } ?? [:]
            )
        }
        return PredictOutcome(
            path: writer.path,
            shape: predicted.latents.shape,
            reading: nil,
            picture: nil,
            time: computation.time
        )
    }
}

struct PredictOutcome: Report {
    let path: String?
    let shape: Shape
    let reading: TrajectoryReport?
    let picture: String?
    let time: Duration

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "shape": .array(shape.sizes.map(JSONValue.integer)),
            "seconds": .number(time.secondsToMilliseconds),
        ]
        if let path { members["output"] = .string(path) }
        if let reading { members["trajectory"] = reading.json }
        if let picture { members["svg"] = .string(picture) }
        return .object(members)
    }

    var text: String {
        var lines: [String] = []
        if let reading { lines.append(reading.text) }
        if let path { lines.append("predicted \(shape) in \(time.shortText)\n\(path)") }
        if let picture { lines.append("drawn in \(picture)") }
        return lines.joined(separator: "\n")
    }
}
