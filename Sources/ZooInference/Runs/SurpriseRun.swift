// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
public import ZooModels
public import ZooTensor

/// Measures how surprising a video is to a model, window by window.
public struct SurpriseRun: Sendable {
    /// Windows and contexts; nil values are derived from the model and the video.
    public struct Settings: Sendable {
        /// Frames of a window; nil for the frames of a training clip, at most 16.
        public var window: Int?
        /// Frames between the starts of two windows.
        public var stride: Int
        /// The numbers of context frames, with one measurement for each; empty for half of the
        /// window.
        public var contextFrames: [Int]
        /// The index of the predictor's mask token; see `ForwardOptions.maskIndex`.
        public var maskIndex: Int

        /// Creates settings.
        public init(
            window: Int? = nil,
            stride: Int = SurpriseProtocol.usualStride,
            contextFrames: [Int] = [],
            maskIndex: Int = 1
        ) {
            self.window = window
            self.stride = stride
            self.contextFrames = contextFrames
            self.maskIndex = maskIndex
        }
    }

    /// The measurement and the video.
    public struct Result: Sendable {
        /// The surprise in every window.
        public let surprise: Surprise
        /// The video.
        public let input: InferenceInput
    }

    /// The model.
    public let model: any JEPAEncoder
    /// Reads the inputs.
    public let reader: InputReader

    /// Loads the model of a folder.
    ///
    /// - Parameters:
    ///   - folder: a model folder with `config.json` and weights.
    ///   - selection: the frames of the video to read.
    ///   - onNote: receives warnings about inputs; see ``InputReader``.
    /// - Throws: `ZooError` with code `model.unsupported` for an image model or a model without a
    ///   predictor of masked tokens, or another `model.*`, `checkpoint.*` or `io.*` code;
    ///   `CancellationError`.
    public init(
        folder: String,
        selection: FrameSelection = FrameSelection(),
        onNote: (@Sendable (String) -> Void)? = nil
    ) async throws {
        let loaded = try await LoadedEncoder(folder: folder, selection: selection, onNote: onNote)
        model = loaded.model
        reader = loaded.reader
        guard model.input.frames > 1 else {
            throw ZooError(
                .modelUnsupported,
                "the model is an image model, and surprise needs a video model",
                remedy: "use a video model, such as V-JEPA or V-JEPA 2"
            )
        }
        // Checked here, before a whole video is read.
        _ = try model.requirePredictor()
    }

    /// Measures the surprise of a whole video.
    ///
    /// - Parameters:
    ///   - path: a video, a folder of frames, or a `.safetensors` file.
    ///   - settings: windows and contexts.
    ///   - pool: the threads to compute on.
    ///   - progress: called from any thread; one step per forward pass.
    /// - Returns: the surprise of every window, and the video.
    /// - Throws: `ZooError` with a code of ``InputReader/video(_:)`` or of
    ///   `Surprise.measure(_:with:by:on:progress:)`; `CancellationError`.
    public func measure(
        _ path: String,
        _ settings: Settings = Settings(),
        on pool: ComputePool = .shared,
        progress: (@Sendable (RunProgress) -> Void)? = nil
    ) async throws -> Result {
        let input = try await reader.video(path)
        let surprise = try await Surprise.measure(
            input.pixelValues,
            with: model,
            by: try method(settings, frames: input.pixelValues.shape[1]),
            on: pool
        ) { completed, total in
            progress?(RunProgress(completed: completed, total: total))
        }
        return Result(surprise: surprise, input: input)
    }

    private func method(
        _ settings: Settings,
        frames: Int
    ) throws(ZooError) -> SurpriseProtocol {
        let tubelet = model.input.tubelet
        let usual = min(model.input.frames, 16, frames) / tubelet * tubelet
        let window = settings.window ?? max(usual, 2 * tubelet)
        let half = max(tubelet, window / 2 / tubelet * tubelet)
        return try SurpriseProtocol(
            window: window,
            stride: settings.stride,
            contexts: settings.contextFrames.isEmpty ? [half] : settings.contextFrames,
            maskIndex: settings.maskIndex
        )
    }
}
