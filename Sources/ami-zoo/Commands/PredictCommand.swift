// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooModels
internal import ZooTensor

/// What the encoder sees when it makes the context of a prediction.
enum ContextView: String, ExpressibleByArgument, CaseIterable {
    /// The context alone: a prediction in the sense of the word.
    case context
    /// The whole clip, of which the context's tokens are then taken: what
    /// `VJEPA2Model.forward` of transformers computes.
    case clip
}

/// What a model's prediction can be read out as.
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
    var encode = ContextView.context

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
            throw ValidationError("--horizon needs --context-frames")
        }
        if destination == nil, readOut == nil {
            throw ValidationError("say what to make: --output FILE, --read-out trajectory, or both")
        }
        if svg != nil, readOut == nil { throw ValidationError("--svg needs --read-out trajectory") }
    }

    func report() async throws -> PredictOutcome {
        let location = try ModelLocation(model, in: Surroundings().store)
        let pool = compute.pool
        let clock = ContinuousClock()
        let start = clock.now
        let sources = [input, location.folder]
        let path = try destination.map { try TensorOutput.file($0, apartFrom: sources).path }
        let picture = try svg.map {
            try OutputFile($0, endings: [".svg"], apartFrom: sources).path
        }
        if try ModelFamily.detect(folder: location.folder).predictsUnderActions {
            return try await rollOut(location, to: path, on: pool, since: start)
        }
        let readOut = try await BlockingWork.run { [readOut] _ in
            try readOut.map { _ in try TrajectoryReadOut(folder: location.folder) }
        }
        let view = ComputeProgress(output, stage: "predict", total: 2)
        defer { view.close() }
        let (contextFrames, encode) = (contextFrames ?? readOut?.contextFrames, encode)
        let (predicted, clip) = try await Interruption.cancelling { [self] in
            let model = try await BlockingWork.run(whenCancelled: .abandoned) { _ in
                try ModelFamily.load(folder: location.folder)
            }
            let clip = try await InputReader(location.folder, model.input, reading).clip(input)
            let selection = try MaskSelection(
                clip: clip,
                contextFrames: contextFrames,
                horizon: horizon,
                model: model
            )
            let options = view.forward(ForwardOptions(maskIndex: maskIndex))
            let encoding = try await model.encode(
                clip.pixelValues,
                visible: encode == .context ? selection.context : nil,
                options: options,
                on: pool
            )
            view.advance()
            let predicted = try await model.predict(
                selection.targets,
                from: try encoding.context.selecting(selection.context),
                options: options,
                on: pool
            )
            return (predicted, clip)
        }
        let trajectory = try readOut.map {
            try TrajectoryReading(of: predicted, by: $0, clip: clip, model: location.name)
        }
        if let path {
            try await BlockingWork.run { _ in
                try TensorOutput.write(
                    predicted.values,
                    named: "predicted",
                    with: ["target_mask": predicted.selection.storedTensor],
                    to: path
                )
            }
        }
        if let picture, let trajectory {
            let drawing = TrajectoryDrawing(reading: trajectory, clip: clip).svg
            try await BlockingWork.run { _ in
                try FileSystem.replace(picture, with: Array(drawing.utf8))
            }
        }
        return PredictOutcome(
            path: path,
            shape: predicted.values.shape,
            reading: trajectory,
            picture: picture,
            time: clock.now - start
        )
    }
}

extension PredictCommand {
    /// Predicts frame after frame under the actions of the input.
    private func rollOut(
        _ location: ModelLocation,
        to path: String?,
        on pool: ComputePool,
        since start: ContinuousClock.Instant
    ) async throws -> PredictOutcome {
        guard let path, readOut == nil else {
            throw ZooError(
                .inputUnsuitable,
                "what a model predicts under actions has no read-out",
                remedy: "say where to write it with --output"
            )
        }
        let predicted = try await Interruption.cancelling { [self] in
            let model = try await BlockingWork.run(whenCancelled: .abandoned) { _ in
                try ModelFamily.loadWorldModel(folder: location.folder)
            }
            let found = try await ActingInput(
                [input],
                state: nil,
                isReversed: false,
                folder: model is any FrameEncoder ? location.folder : nil
            ).rollOut(model, on: pool)
            try found.latents.requireFinite("predictions")
            return found
        }
        try await BlockingWork.run { _ in
            try TensorOutput.write(
                predicted.latents,
                named: "predicted",
                with: predicted.states.map { ["states": StoredTensor($0)] } ?? [:],
                to: path
            )
        }
        return PredictOutcome(
            path: path,
            shape: predicted.latents.shape,
            reading: nil,
            picture: nil,
            time: ContinuousClock.now - start
        )
    }
}

/// Which tokens are given and which are to be predicted.
private struct MaskSelection {
    let context: TokenSelection
    let targets: TokenSelection

    init(
        clip: InputClip,
        contextFrames: Int?,
        horizon: Int?,
        model: any JEPAModel
    ) throws(ZooError) {
        let shape = clip.pixelValues.shape
        if let contextFrames {
            try model.requireTrainedSize(shape)
            let end = horizon.map { contextFrames.addingReportingOverflow($0).partialValue }
            guard contextFrames >= 1, contextFrames <= shape[1], (end ?? shape[1]) > contextFrames
            else {
                throw ZooError(
                    .tokenSelectionInvalid,
                    "\(contextFrames) context frames of a clip of \(shape[1]) leave nothing to do",
                    remedy: "choose 1 to \(shape[1] - 1) frames, or a horizon of at least 1"
                )
            }
            context = try model.tokens(ofFrames: 0..<contextFrames, batch: shape[0])
            targets = try model.tokens(
                ofFrames: contextFrames..<(end ?? shape[1]),
                batch: shape[0]
            )
            return
        }
        guard let context = try clip.source?.tokens("context_mask"),
            let targets = try clip.source?.tokens("target_mask")
        else {
            throw ZooError(
                .tokenSelectionInvalid,
                "nothing says what is given and what is to be predicted",
                remedy:
                    "give --context-frames N, or put 'context_mask' and 'target_mask' into the input"
            )
        }
        self.context = context
        self.targets = targets
    }
}

struct PredictOutcome: Report {
    let path: String?
    let shape: Shape
    let reading: TrajectoryReading?
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
