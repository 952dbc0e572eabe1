// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
internal import ZooFiles
internal import ZooMedia
public import ZooModels
internal import ZooTensor

/// Reads images, videos, folders of frames, and `.safetensors` files with `pixel_values` for a
/// model.
///
/// Images and videos are decoded, and preprocessed as `preprocessor_config.json` of the model
/// folder specifies. Tensor files hold preprocessed pixels, which are not changed.
public struct InputReader: Sendable {
    /// The maximum size of the pixels of one input in bytes: 2,700 frames of 256 × 256 pixels.
    private static let pixelByteLimit = 2 << 30

    private let folder: String
    private let input: ModelInput
    private let selection: FrameSelection
    private let size: InputSize

    /// Creates a reader without reading any files.
    ///
    /// - Parameters:
    ///   - folder: the model folder, which holds the preprocessing configuration.
    ///   - input: the input that the model was trained on.
    ///   - selection: the frames of a video to read.
    ///   - onNote: called with a warning once per input size that differs from the training size.
    public init(
        folder: String,
        input: ModelInput,
        selection: FrameSelection = FrameSelection(),
        onNote: (@Sendable (String) -> Void)? = nil
    ) {
        self.folder = folder
        self.input = input
        self.selection = selection
        size = InputSize(input, onNote: onNote)
    }

    /// Replaces folders by the images in them, in natural order, for an image model.
    ///
    /// A video model takes a folder as one clip. All paths are checked first, so that a mistyped
    /// path is reported before any computation.
    ///
    /// - Throws: `ZooError` with code `io.*`, or `media.no-frames` for an empty folder.
    public func expand(_ paths: [String]) throws(ZooError) -> [String] {
        for path in paths { _ = try FileSystem.followedStatus(path) }
        guard input.frames == 1 else { return paths }
        var items: [String] = []
        for path in paths {
            guard FileSystem.isFolder(path) else {
                items.append(path)
                continue
            }
            let folder = try FrameFolder(path, also: "safetensors")
            size.noteStrays(folder.strays, of: path)
            items += folder.frames
        }
        return items
    }

    /// Reads an image, or one clip of a video.
    ///
    /// For a video model an image is repeated `ModelInput.imageFrames` times, and a video that is
    /// too short is padded with its last frame.
    ///
    /// - Parameter path: an image, a video, a folder of frames, or a `.safetensors` file.
    /// - Returns: one sample, or the samples of a tensor file.
    /// - Throws: `ZooError` with code `input.unsuitable`, or a `media.*`, `model.*`, `checkpoint.*`
    ///   or `io.*` code; `CancellationError`.
    public func clip(_ path: String) async throws -> InferenceInput {
        if let clip = try await tensors(path) { return clip }
        let media = try await open(path)
        return try await pixels(of: media, at: indices(of: media), path)
    }

    /// Reads all frames of a video, or every ``FrameSelection/step``th.
    ///
    /// - Parameter path: a video, a folder of frames, or a `.safetensors` file.
    /// - Returns: one sample, or the samples of a tensor file.
    /// - Throws: as ``clip(_:)``; `input.unsuitable` for an image.
    public func video(_ path: String) async throws -> InferenceInput {
        if let clip = try await tensors(path) { return clip }
        let media = try await open(path)
        guard !media.isImage else {
            throw ZooError(
                .inputUnsuitable,
                "'\(path)' is an image, and this command needs a video",
                remedy: "pass a video file, or a folder of frames"
            )
        }
        let all = Array(stride(from: 0, to: try await media.countFrames(), by: selection.step ?? 1))
        return try await pixels(of: media, at: Array(all.prefix(selection.count ?? .max)), path)
    }

    /// Reads several clips of a video and several crops of each.
    ///
    /// Samples several clips, or one clip with a step, as facebookresearch/vjepa2 does.
    ///
    /// - Parameters:
    ///   - path: an image, a video, a folder of frames, or a `.safetensors` file.
    ///   - clips: clips over the length of the video, at least 1.
    ///   - views: crops along the longer side of the image, at least 1.
    ///   - seed: the seed of the start frames of the clips, which upstream samples at random; nil
    ///     for the first possible frames.
    /// - Returns: the crops of all clips.
    /// - Throws: as ``clip(_:)``, and `media.sampling-invalid`.
    public func views(
        _ path: String,
        clips: Int,
        views: Int,
        seed: UInt64?
    ) async throws -> InferenceViews {
        if let clip = try await tensors(path) {
            guard clips == 1, views == 1 else {
                throw ZooError(
                    .inputUnsuitable,
                    "'\(path)' holds preprocessed pixels, which cannot be split into clips and views",
                    remedy: "omit --clips and --views, or pass the video"
                )
            }
            return InferenceViews(pixelValues: clip.pixelValues, frameIndices: nil)
        }
        let media = try await open(path)
        let indices: [[Int]]
        if media.isImage || (clips == 1 && selection.step == nil) {
            indices = [try await self.indices(of: media)]
        } else {
            let (count, frames) = (try await media.countFrames(), selection.count ?? input.frames)
            let step = selection.step ?? max(1, count / (frames * clips))
            indices = try ClipSampling(
                frames: frames,
                step: .frames(step),
                clips: clips,
                start: seed.map { .random(seed: $0) } ?? .first
            ).clips(frameCount: count, frameRate: media.frameRate).clips
        }
        try check(indices.reduce(0) { $0 + $1.count }, views: views, of: path)
        var preprocessing = try await preprocessing()
        if views > 1 {
            // Evaluation with several crops follows upstream, which resizes with OpenCV; mean and
            // std are those of the model.
            let (mean, std) = (preprocessing.mean, preprocessing.std)
            preprocessing = .metaVideoViews(crop: input.height, count: views)
            (preprocessing.mean, preprocessing.std) = (mean, std)
        }
        let chosen = preprocessing
        try await checkSize(of: media, chosen)
        // [views, frames of all clips, 3, height, width].
        let views = Tensor(
            stacking: try await chosen.views(of: media, indices: indices.flatMap(\.self))
        )
        size.note(views.shape, of: path)
        let shape = Shape(
            [1, chosen.viewCount, indices.count, indices[0].count] + views.shape.sizes.dropFirst(2)
        )
        return InferenceViews(
            pixelValues: views.reshaped(shape),
            frameIndices: media.isImage ? nil : indices
        )
    }

    // MARK: Parts

    private func tensors(_ path: String) async throws -> InferenceInput? {
        guard path.hasSuffix(".safetensors") else { return nil }
        guard selection.count == nil, selection.step == nil else {
            throw ZooError(
                .inputUnsuitable,
                "'\(path)' holds preprocessed frames, from which none can be selected",
                remedy: "omit --frames and --step, or pass the video"
            )
        }
        let clip = try await BlockingWork.run(whenCancelled: .abandoned) { _ in
            try Clip(file: path)
        }
        size.note(clip.pixelValues.shape, of: path)
        return InferenceInput(name: path, pixelValues: clip.pixelValues, tensors: clip)
    }

    private func open(_ path: String) async throws -> MediaFile {
        guard input.channels == 3 else {
            throw ZooError(
                .inputUnsuitable,
                "the model takes \(input.channels) channels, and '\(path)' has three (RGB)",
                remedy: "pass a .safetensors file with 'pixel_values'"
            )
        }
        let media = try await MediaFile.open(path, orientation: selection.orientation)
        size.noteStrays(media.strays, of: path)
        if let turn = media.turn { size.note(turn, of: path) }
        return media
    }

    private func preprocessing() async throws -> Preprocessing {
        try await BlockingWork.run { [folder] _ in try Preprocessing(folder: folder) }
    }

    /// The frames of a clip: spread over the video, or every `step`th from the start.
    private func indices(of media: MediaFile) async throws -> [Int] {
        if media.isImage {
            return Array(repeating: 0, count: selection.count ?? input.imageFrames)
        }
        guard input.frames > 1 || selection.count != nil else {
            throw ZooError(
                .inputUnsuitable,
                "'\(media.path)' is a \(media.kind == .folder ? "folder" : "video"), and the model takes "
                    + "single images",
                remedy: "pass images, or a folder of images"
            )
        }
        let (count, frames) = (try await media.countFrames(), selection.count ?? input.frames)
        if let step = selection.step {
            return (0..<frames).map { min($0 * step, count - 1) }
        }
        return (0..<frames).map { count < frames ? min($0, count - 1) : $0 * count / frames }
    }

    /// Checks the size of the pixels in memory before they are read.
    private func check(_ frames: Int, views: Int = 1, of path: String) throws(ZooError) {
        let bytes = frames * views * input.channels * input.height * input.width * 4
        guard bytes > Self.pixelByteLimit else { return }
        throw ZooError(
            .mediaTooLarge,
            "\(frames * views) images of \(input.width) x \(input.height) pixels from '\(path)' take "
                + "\(bytes >> 20) MiB; the limit is \(Self.pixelByteLimit >> 20) MiB",
            remedy: "read fewer frames with --frames or --step, or pass a part of the video"
        )
    }

    /// Checks the size of the first image before all images are decoded.
    private func checkSize(of media: MediaFile, _ preprocessing: Preprocessing) async throws {
        guard preprocessing.resize == .none, preprocessing.crop == .none else { return }
        let image = try await media.firstImage()
        try size.requireNear(image, by: preprocessing, of: media.path)
    }

    private func pixels(
        of media: MediaFile,
        at indices: [Int],
        _ path: String
    ) async throws -> InferenceInput {
        try check(indices.count, of: path)
        let preprocessing = try await preprocessing()
        try await checkSize(of: media, preprocessing)
        let frames = try await preprocessing.views(of: media, indices: indices)[0]
        size.note(frames.shape, of: path)
        if media.kind == .folder,
            let turn = try await media.turns(at: indices).lazy.compactMap(\.self).first
        {
            size.note(turn, of: path)
        }
        return InferenceInput(
            name: path,
            pixelValues: Tensor(stacking: [frames]),
            frameRate: media.frameRate,
            frameIndices: indices
        )
    }
}

extension MediaFile {
    fileprivate var isImage: Bool {
        if case .image = kind { true } else { false }
    }
}
