// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
public import ZooModels
public import ZooTensor

/// Classifies videos with a transformers classifier, or with an encoder and a probe.
public struct ClassificationRun: Sendable {
    /// The clips and views of each video that are classified and averaged.
    public struct Sampling: Hashable, Sendable {
        /// Clips over the length of the video.
        public var clips: Int
        /// Crops along the longer side of the image.
        public var views: Int
        /// The seed of the start frames of the clips; nil for the first possible frames.
        public var seed: UInt64?

        /// Creates a sampling; `clips` and `views` must be at least 1.
        public init(clips: Int = 1, views: Int = 1, seed: UInt64? = nil) {
            precondition(clips >= 1 && views >= 1, "\(clips) clips and \(views) views")
            self.clips = clips
            self.views = views
            self.seed = seed
        }
    }

    /// The result for one input.
    public struct Result: Sendable {
        /// The path of the input.
        public let name: String
        /// The scores of each video of the input: one, or the samples of a tensor file.
        public let classification: Classification
        /// The number of videos.
        public let videos: Int
        /// The indices in the video of the frames of each clip; nil for images and tensor files.
        public let frameIndices: [[Int]]?
    }

    /// The model and its probe.
    public let classifier: VideoClassifier
    /// Reads the inputs.
    public let reader: InputReader

    /// Loads a model, and optionally a probe.
    ///
    /// - Parameters:
    ///   - folder: the model folder.
    ///   - probe: the folder of a probe for the model; nil for a model with a classifier.
    ///   - selection: the frames of a video to read.
    ///   - onNote: receives warnings about inputs; see ``InputReader``.
    /// - Throws: `ZooError` with a `model.*`, `checkpoint.*` or `io.*` code; `CancellationError`.
    public init(
        folder: String,
        probe: String? = nil,
        selection: FrameSelection = FrameSelection(),
        onNote: (@Sendable (String) -> Void)? = nil
    ) async throws {
        classifier = try await BlockingWork.run(whenCancelled: .abandoned) {
            (_) throws(ZooError) in
            guard let probe else { return try VideoClassifier(folder: folder) }
            return try VideoClassifier(folder: folder, probe: probe)
        }
        reader = InputReader(
            folder: folder,
            input: classifier.backbone.input,
            selection: selection,
            onNote: onNote
        )
    }

    /// Classifies inputs one after the other.
    ///
    /// - Parameters:
    ///   - paths: images, videos, folders of frames, or `.safetensors` files.
    ///   - sampling: the clips and views of each video.
    ///   - pool: the threads to compute on.
    ///   - progress: called from any thread; one step per input.
    /// - Returns: one result per input, in order.
    /// - Throws: `ZooError` with a code of ``InputReader/views(_:clips:views:seed:)`` or of
    ///   `VideoClassifier.classify(_:options:on:)`; `CancellationError`.
    public func results(
        of paths: [String],
        sampling: Sampling = Sampling(),
        on pool: ComputePool = .shared,
        progress: (@Sendable (RunProgress) -> Void)? = nil
    ) async throws -> [Result] {
        let reader = reader
        let items = try await BlockingWork.run { _ in try reader.expand(paths) }
        let counter = StepCounter(total: items.count, progress)
        var results: [Result] = []
        for item in items {
            let input = try await reader.views(
                item,
                clips: sampling.clips,
                views: sampling.views,
                seed: sampling.seed
            )
            results.append(
                Result(
                    name: item,
                    classification: try await classifier.classify(
                        input.pixelValues,
                        options: counter.forward(),
                        on: pool
                    ),
                    videos: input.pixelValues.shape[0],
                    frameIndices: input.frameIndices
                )
            )
            counter.advance()
        }
        return results
    }
}
