// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooMedia
internal import ZooTensor

/// Decodes held files, one at a time.
struct HeldReader: Sendable {
    private let files: any HeldFiles

    /// Reads files of held data.
    init(_ files: any HeldFiles) { self.files = files }

    /// What `read` makes of a file, if the file is the one that was hashed.
    ///
    /// - Throws: what `read` throws; ``ZooError`` with code `io.changed` when the file is not the one that was hashed,
    ///   or an `io.*` or `archive.*` code; `CancellationError`.
    func reading<Result>(
        _ path: String,
        _ digest: ContentDigest,
        _ read: (_ local: String, _ name: String) async throws -> Result
    ) async throws -> Result {
        let name = "\(files.path)/\(path)"
        let copy = try await BlockingWork.run { [files] _ in try files.local(path) }
        let result: Result
        do {
            result = try await read(copy.path, name)
        } catch let error as ZooError {
            // Messages name the copy of a member of an archive, and nobody knows that file.
            throw ZooError(
                error.code,
                error.message.replacing(copy.path, with: name),
                remedy: error.remedy,
                cause: error.cause
            )
        }
        try await BlockingWork.run { [files] cancellation in
            guard try files.bytes(of: path)?.digest(cancellation) == digest else {
                throw ZooError(
                    .fileChanged,
                    "'\(name)' was changed while the suite ran",
                    remedy: "run the command again while nothing writes to the data"
                )
            }
        }
        return result
    }

    /// The image of a frame.
    ///
    /// - Throws: ``ZooError`` with a `media.*` code when it cannot be decoded, or as ``reading(_:_:_:)``.
    func image(_ frame: HeldData.Frame) async throws -> RGBImage {
        try await reading(frame.path, frame.digest) { local, _ in
            try await MediaFile.open(local).firstImage()
        }
    }
}

/// Decodes and preprocesses held samples, one at a time.
struct HeldSampleReader: Sendable {
    private let reader: HeldReader
    private let sampling: FrameRule?
    private let preprocessing: Preprocessing
    private let imageFrames: Int

    /// Describes how samples are read.
    ///
    /// - Parameters:
    ///   - data: the data.
    ///   - preprocessing: the preprocessing of frames.
    ///   - sampling: which frames of a video are read; nil for still images.
    ///   - imageFrames: how often a still image is repeated.
    init(
        _ data: HeldData,
        _ preprocessing: Preprocessing,
        _ sampling: FrameRule?,
        imageFrames: Int
    ) {
        reader = HeldReader(data.files)
        self.preprocessing = preprocessing
        self.sampling = sampling
        self.imageFrames = imageFrames
    }

    /// The input of a model.
    ///
    /// - Parameter sample: the sample.
    /// - Returns: [views, clips, frames, 3, height, width]; a still image is one clip of equal frames.
    /// - Throws: ``ZooError`` with a `media.*` code when the file cannot be decoded,
    ///   `evaluation.data-unsuitable` or `evaluation.clip-too-short`, or as ``HeldReader``; `CancellationError`.
    func pixels(of sample: HeldData.Sample) async throws -> Tensor {
        try await reader.reading(sample.path, sample.digest) { local, name in
            let media = try await MediaFile.open(local, orientation: preprocessing.orientation)
            let clips: [[Int]]
            if let sampling {
                clips = try sampling.clips(frameCount: try await media.countFrames(), of: name)
            } else {
                guard case .image = media.kind else {
                    throw ZooError.dataUnsuitable(
                        "'\(name)' is no image, and the input of the suite is 'images'",
                        remedy: "use a suite whose input is 'frames'"
                    )
                }
                clips = [Array(repeating: 0, count: imageFrames)]
            }
            let views = try await preprocessing.views(of: media, indices: clips.flatMap(\.self))
            let pixels = Tensor(stacking: views)
            return pixels.reshaped(
                Shape([views.count, clips.count, clips[0].count] + pixels.shape.sizes.dropFirst(2))
            )
        }
    }

    /// The frames of a movie whose frames are files.
    ///
    /// - Returns: [1, frames, 3, height, width], of the first view.
    /// - Throws: ``ZooError`` as ``pixels(of:)``; `CancellationError`.
    func pixels(of movie: [HeldData.Frame]) async throws -> Tensor {
        var frames: [Tensor] = []
        for frame in movie {
            frames.append(
                try await reader.reading(frame.path, frame.digest) { local, _ in
                    let media = try await MediaFile.open(
                        local,
                        orientation: preprocessing.orientation
                    )
                    return try await preprocessing.views(of: media, indices: [0])[0]
                }
            )
        }
        let clip = Tensor(joining: frames)
        return clip.reshaped(Shape([1] + clip.shape.sizes))
    }
}
