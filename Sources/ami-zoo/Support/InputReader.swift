// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ArgumentParser
internal import ZooCore
internal import ZooFiles
internal import ZooMedia
internal import ZooModels
internal import ZooTensor

/// Options of commands that read images and videos.
struct InputOptions: ParsableArguments {
    /// What an input may be, for the help of commands.
    static let help: ArgumentHelp = """
        An image, a video, a folder of images, or a .safetensors file with 'pixel_values' \
        [batch, frames, channels, rows, columns].
        """

    @Option(help: "Frames to take of a video; otherwise those the model was made for.")
    var frames: Int?

    @Option(
        help: "Take every Nth frame of a video; otherwise the frames are spread over all of it."
    )
    var step: Int?

    func validate() throws {
        if let frames, !(1...65_536).contains(frames) {
            throw ValidationError("--frames must be 1 to 65536")
        }
        if let step, !(1...65_536).contains(step) {
            throw ValidationError("--step must be 1 to 65536")
        }
    }
}

/// Pixels as a model takes them, and what is known about where they came from.
struct InputClip: Sendable {
    /// The file or folder.
    let name: String
    /// [batch, frames, channels, height, width], or images without `frames`, normalised.
    let pixelValues: Tensor
    /// Frames each second, of a video.
    var frameRate: Double?
    /// The file, when it is a .safetensors file.
    var source: Clip?
    /// For each frame, which it was of the video; nil when they are all of them.
    var indices: [Int]?

    /// The frame of the source that a frame of the clip was.
    func frame(_ index: Int) -> Int {
        indices.map { $0[min(index, $0.count - 1)] } ?? index
    }
}

/// Clips and crops of a video, as a classifier takes them.
struct InputViews: Sendable {
    /// [1, views, clips, frames, channels, height, width], or what a tensor file holds.
    let pixelValues: Tensor
    /// For each clip, the frames of the video that it is made of.
    let frames: [[Int]]?
}

/// Reads images, videos and tensors as a model takes them.
struct InputReader: Sendable {
    /// What the pixels of one input may take: 2,700 frames of 256 × 256.
    private static let mostPixelBytes = 2 << 30

    private let folder: String
    private let input: ModelInput
    private let options: InputOptions

    /// - Parameters:
    ///   - folder: the model folder, which says how pictures become pixels.
    ///   - input: what the model was made for.
    ///   - options: what the command line says.
    init(_ folder: String, _ input: ModelInput, _ options: InputOptions) {
        self.folder = folder
        self.input = input
        self.options = options
    }

    /// The inputs that are meant: for a model of images, a folder means the images in it, in natural
    /// order.
    ///
    /// - Throws: ``ZooError`` with code `io.*`, or `media.no-frames` for an empty folder.
    func items(_ paths: [String]) throws(ZooError) -> [String] {
        // Whoever mistypes the last of many paths need not wait for the others.
        for path in paths { _ = try FileSystem.followedStatus(path) }
        guard input.frames == 1 else { return paths }
        var items: [String] = []
        for path in paths {
            guard FileSystem.isFolder(path) else {
                items.append(path)
                continue
            }
            let names = try FileSystem.names(in: path).filter { !$0.hasPrefix(".") }
                .sorted(by: FrameFolder.isOrdered)
            guard !names.isEmpty else {
                throw ZooError(.mediaNoFrames, "there are no images in the folder '\(path)'")
            }
            items += names.map { "\(path)/\($0)" }
        }
        return items
    }

    /// An input as the model was made to take it: an image, or so many frames of a video.
    ///
    /// - Throws: ``ZooError`` with a `media.*`, `model.*`, `checkpoint.*` or `io.*` code, or
    ///   `input.unsuitable`; `CancellationError`.
    func clip(_ path: String) async throws -> InputClip {
        if let clip = try await tensors(path) { return clip }
        let media = try await open(path)
        return try await pixels(of: media, at: indices(of: media), path)
    }

    /// All frames of a video, or every so many.
    ///
    /// - Throws: as ``clip(_:)``.
    func video(_ path: String) async throws -> InputClip {
        if let clip = try await tensors(path) { return clip }
        let media = try await open(path)
        guard !media.isImage else {
            throw ZooError(
                .inputUnsuitable,
                "'\(path)' is a still image, and a video is needed",
                remedy: "give a video file, or a folder of its frames"
            )
        }
        let all = Array(stride(from: 0, to: try await media.countFrames(), by: options.step ?? 1))
        return try await pixels(of: media, at: Array(all.prefix(options.frames ?? .max)), path)
    }

    /// Clips over the time of a video and crops of its images, or what a tensor file holds.
    ///
    /// Several clips, or one with a given step, are chosen as facebookresearch/vjepa2 chooses them.
    ///
    /// - Parameters:
    ///   - path: the input.
    ///   - clips: how many over the time.
    ///   - views: how many over the longer side of the image.
    ///   - seed: what is drawn at random upstream is drawn from it; nil for the first frames.
    /// - Returns: the pixels, and which frames they are.
    /// - Throws: as ``clip(_:)``, and `media.sampling-invalid`.
    func views(
        _ path: String,
        clips: Int,
        views: Int,
        seed: UInt64?
    ) async throws -> InputViews {
        if let clip = try await tensors(path) {
            guard clips == 1, views == 1 else {
                throw ZooError(
                    .inputUnsuitable,
                    "'\(path)' holds pixels that are cropped already",
                    remedy: "leave out --clips and --views, or give the video"
                )
            }
            return InputViews(pixelValues: clip.pixelValues, frames: nil)
        }
        let media = try await open(path)
        let indices: [[Int]]
        if media.isImage || (clips == 1 && options.step == nil) {
            indices = [try await self.indices(of: media)]
        } else {
            let (count, frames) = (try await media.countFrames(), options.frames ?? input.frames)
            let step = options.step ?? max(1, count / (frames * clips))
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
            // Several crops are a protocol of the lab's, which scales with OpenCV; the colours are
            // those of the model.
            let (mean, std) = (preprocessing.mean, preprocessing.std)
            preprocessing = .metaVideoViews(crop: input.height, count: views)
            (preprocessing.mean, preprocessing.std) = (mean, std)
        }
        let way = preprocessing
        // [views, frames of all clips, 3, height, width].
        let views = Tensor(
            stacking: try await way.views(of: media, indices: indices.flatMap(\.self))
        )
        let shape = Shape(
            [1, way.viewCount, indices.count, indices[0].count] + views.shape.sizes.dropFirst(2)
        )
        return InputViews(
            pixelValues: views.reshaped(shape),
            frames: media.isImage ? nil : indices
        )
    }

    // MARK: Parts

    private func tensors(_ path: String) async throws -> InputClip? {
        guard path.hasSuffix(".safetensors") else { return nil }
        guard options.frames == nil, options.step == nil else {
            throw ZooError(
                .inputUnsuitable,
                "'\(path)' holds frames that are chosen already",
                remedy: "leave out --frames and --step, or give the video"
            )
        }
        let clip = try await BlockingWork.run(whenCancelled: .abandoned) { _ in try Clip(file: path)
        }
        return InputClip(name: path, pixelValues: clip.pixelValues, source: clip)
    }

    private func open(_ path: String) async throws -> MediaFile {
        guard input.channels == 3 else {
            throw ZooError(
                .inputUnsuitable,
                "the model takes \(input.channels) channels, and '\(path)' has three colours",
                remedy: "give a .safetensors file with 'pixel_values'"
            )
        }
        return try await MediaFile.open(path)
    }

    private func preprocessing() async throws -> Preprocessing {
        try await BlockingWork.run { [folder] _ in try Preprocessing(folder: folder) }
    }

    /// The frames of a clip: spread over the whole, or every so many from the start.
    private func indices(of media: MediaFile) async throws -> [Int] {
        if media.isImage {
            return Array(repeating: 0, count: options.frames ?? input.imageFrames)
        }
        guard input.frames > 1 || options.frames != nil else {
            throw ZooError(
                .inputUnsuitable,
                "'\(media.path)' is a \(media.kind == .folder ? "folder" : "video"), and the model takes "
                    + "single images",
                remedy: "give images, or a folder of them"
            )
        }
        let (count, frames) = (try await media.countFrames(), options.frames ?? input.frames)
        if let step = options.step {
            return (0..<frames).map { min($0 * step, count - 1) }
        }
        // A video that is too short ends with its last frame again and again.
        return (0..<frames).map { count < frames ? min($0, count - 1) : $0 * count / frames }
    }

    /// Refuses what would not fit into memory, before it is read.
    private func check(_ frames: Int, views: Int = 1, of path: String) throws(ZooError) {
        let bytes = frames * views * input.channels * input.height * input.width * 4
        guard bytes > Self.mostPixelBytes else { return }
        throw ZooError(
            .mediaTooLarge,
            "\(frames * views) pictures of \(input.width) x \(input.height) pixels from '\(path)' take "
                + "\(bytes >> 20) MiB; the limit is \(Self.mostPixelBytes >> 20) MiB",
            remedy: "take fewer: give --frames, --step, or a part of the video"
        )
    }

    private func pixels(
        of media: MediaFile,
        at indices: [Int],
        _ path: String
    ) async throws -> InputClip {
        try check(indices.count, of: path)
        let way = try await preprocessing()
        let frames = try await way.views(of: media, indices: indices)[0]
        return InputClip(
            name: path,
            pixelValues: Tensor(stacking: [frames]),
            frameRate: media.frameRate,
            indices: indices
        )
    }
}

extension MediaFile {
    fileprivate var isImage: Bool {
        if case .image = kind { true } else { false }
    }
}
