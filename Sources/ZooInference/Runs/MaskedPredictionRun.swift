// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
public import ZooModels
public import ZooTensor

/// Predicts the features of masked tokens of a clip.
public struct MaskedPredictionRun: Sendable {
    /// The tokens that the encoder sees when it encodes the context.
    public enum EncoderView: String, CaseIterable, Sendable {
        /// Only the context, so that the targets have no influence.
        case context
        /// The whole clip, from which the context tokens are selected afterwards, as in
        /// `VJEPA2Model.forward` of transformers.
        case clip
    }

    /// Context and targets of a prediction.
    public struct Settings: Sendable {
        /// The number of first frames that form the context; nil reads token ids from the tensors
        /// `context_mask` and `target_mask` of the input.
        public var contextFrames: Int?
        /// Frames to predict after the context; nil for the rest of the clip.
        public var horizon: Int?
        /// The index of the predictor's mask token; see `ForwardOptions.maskIndex`.
        public var maskIndex: Int
        /// The tokens that the encoder sees.
        public var encoderView: EncoderView

        /// Creates settings.
        public init(
            contextFrames: Int? = nil,
            horizon: Int? = nil,
            maskIndex: Int = 1,
            encoderView: EncoderView = .context
        ) {
            self.contextFrames = contextFrames
            self.horizon = horizon
            self.maskIndex = maskIndex
            self.encoderView = encoderView
        }
    }

    /// The predicted features and the input.
    public struct Result: Sendable {
        /// The features of the targets, [batch, targets, width].
        public let predicted: TokenFeatures
        /// The clip.
        public let input: InferenceInput
    }

    /// The encoder.
    public let model: any JEPAEncoder
    /// The predictor.
    public let predictor: any MaskedPredictor
    /// Reads the inputs.
    public let reader: InputReader

    /// Loads the model of a folder.
    ///
    /// - Parameters:
    ///   - folder: a model folder with `config.json` and weights.
    ///   - selection: the frames of a video to read.
    ///   - onNote: receives warnings about inputs; see ``InputReader``.
    /// - Throws: `ZooError` with code `model.unsupported` for a model without a predictor of masked
    ///   tokens, or another `model.*`, `checkpoint.*` or `io.*` code; `CancellationError`.
    public init(
        folder: String,
        selection: FrameSelection = FrameSelection(),
        onNote: (@Sendable (String) -> Void)? = nil
    ) async throws {
        let loaded = try await LoadedEncoder(folder: folder, selection: selection, onNote: onNote)
        model = loaded.model
        reader = loaded.reader
        predictor = try model.requirePredictor()
    }

    /// Encodes the context of a clip and predicts its targets.
    ///
    /// - Parameters:
    ///   - path: an image, a video, a folder of frames, or a `.safetensors` file.
    ///   - settings: context and targets.
    ///   - pool: the threads to compute on.
    ///   - progress: called from any thread; one step for the encoder and one for the predictor.
    /// - Returns: the predicted features, and the clip.
    /// - Throws: `ZooError` with code `model.token-selection-invalid`, `model.input-shape-invalid`
    ///   or `model.result-not-finite`, or a code of ``InputReader/clip(_:)``; `CancellationError`.
    public func predict(
        _ path: String,
        _ settings: Settings,
        on pool: ComputePool = .shared,
        progress: (@Sendable (RunProgress) -> Void)? = nil
    ) async throws -> Result {
        let input = try await reader.clip(path)
        let masks = try MaskSelection(settings, input: input, model: model)
        let counter = StepCounter(total: 2, progress)
        let options = counter.forward(ForwardOptions(maskIndex: settings.maskIndex))
        let encoding = try await model.encode(
            input.pixelValues,
            visible: settings.encoderView == .context ? masks.context : nil,
            options: options,
            on: pool
        )
        counter.advance()
        let predicted = try await predictor.predict(
            masks.targets,
            from: try encoding.context.selecting(masks.context),
            options: options,
            on: pool
        )
        counter.advance()
        return Result(predicted: predicted, input: input)
    }
}

/// The context tokens and the target tokens.
private struct MaskSelection {
    let context: TokenSelection
    let targets: TokenSelection

    init(
        _ settings: MaskedPredictionRun.Settings,
        input: InferenceInput,
        model: any JEPAEncoder
    ) throws(ZooError) {
        let shape = input.pixelValues.shape
        if let contextFrames = settings.contextFrames {
            try model.requireTrainedSize(shape)
            let end = settings.horizon.map {
                contextFrames.addingReportingOverflow($0).partialValue
            }
            guard contextFrames >= 1, contextFrames <= shape[1], (end ?? shape[1]) > contextFrames
            else {
                throw ZooError(
                    .tokenSelectionInvalid,
                    "there are no frames to predict after \(contextFrames) context frames of a clip of "
                        + "\(shape[1])",
                    remedy: "use 1 to \(shape[1] - 1) context frames, or a horizon of at least 1"
                )
            }
            context = try model.tokens(ofFrames: 0..<contextFrames, batch: shape[0])
            targets = try model.tokens(
                ofFrames: contextFrames..<(end ?? shape[1]),
                batch: shape[0]
            )
            return
        }
        guard let context = try input.tensors?.tokens("context_mask"),
            let targets = try input.tensors?.tokens("target_mask")
        else {
            throw ZooError(
                .tokenSelectionInvalid,
                "neither a number of context frames nor masks were given",
                remedy:
                    "pass --context-frames N, or put 'context_mask' and 'target_mask' into the input"
            )
        }
        self.context = context
        self.targets = targets
    }
}
