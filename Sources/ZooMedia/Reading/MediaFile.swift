// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

/// A still image, a video file or a folder of images: frames that are counted from 0.
///
/// The content decides what a file is, not its name. Nothing but the file itself is opened, and nothing
/// of it is kept in memory. Calls can be cancelled between two frames, between the rows of JPEG and PNG files,
/// and between 64 pieces of WebP files.
public struct MediaFile: Sendable {
    /// The kinds of file.
    public enum Kind: Sendable, Equatable {
        /// A still image.
        case image(ImageFormat)
        /// A video in a container with FFmpeg's name for it, such as `matroska,webm`.
        case video(container: String)
        /// A folder whose files are the frames, in natural order.
        case folder
    }

    /// Where it lies.
    public let path: String
    /// What it is.
    public let kind: Kind
    /// Average frames per second; nil when the file does not say, and for images.
    public let frameRate: Double?
    /// What may be read.
    public let limits: MediaLimits
    /// Whether frames are read upright or as stored.
    public let orientation: Orientation
    /// How frames are turned from the way they are stored; nil when they are not, and for a folder,
    /// whose files may differ: ask ``turns(at:)``.
    public let turn: EXIFOrientation?
    /// Names of files and folders in a folder that are no pictures, and are not read.
    public let strays: [String]
    /// The files of a folder.
    private let files: [String]

    private init(
        blocking path: String,
        limits: MediaLimits,
        orientation: Orientation
    ) throws(ZooError) {
        self.path = path
        self.limits = limits
        self.orientation = orientation
        if try FileSystem.followedStatus(path).kind == .folder {
            let folder = try FrameFolder(path, limits: limits)
            (files, strays) = (folder.frames, folder.strays)
            kind = .folder
            frameRate = nil
            turn = nil
            return
        }
        (files, strays) = ([], [])
        let file = try OpenFile(path, .readFollowing)
        let start = try file.bytes(0..<min(file.status().size, 16))
        if let format = ImageFormat(signature: start) {
            kind = .image(format)
            frameRate = nil
            turn =
                orientation == .upright ? try ImageDecoder.turn(of: path, limits: limits) : nil
        } else {
            try ImageFormat.refuseOthers(start, path)
            try ContainerExtent.check(file)
            let decoder = try VideoDecoder(path, limits: limits, orientation: orientation)
            kind = .video(container: decoder.container)
            frameRate = decoder.frameRate
            turn = decoder.turn
        }
    }
}

extension MediaFile {
    /// Finds out what a file or folder is.
    ///
    /// - Parameters:
    ///   - path: an image, a video or a folder of images.
    ///   - limits: what may be read.
    ///   - orientation: whether frames are turned as EXIF or the display matrix says.
    /// - Returns: the opened file; no frame is decoded yet.
    /// - Throws: ``ZooError`` with a `media.*` code when it holds no frames of a supported format, or
    ///   an `io.*` code.
    public static func open(
        _ path: String,
        limits: MediaLimits = MediaLimits(),
        orientation: Orientation = .upright
    ) async throws -> MediaFile {
        try await BlockingWork.run { _ in
            try MediaFile(blocking: path, limits: limits, orientation: orientation)
        }
    }

    /// How the frames at `indices` are turned from the way they are stored; nil for each that is not.
    ///
    /// Reads the files of a folder, and nothing for images and videos.
    ///
    /// - Throws: ``ZooError`` with code `media.frame-missing`, or a `media.*` or `io.*` code for a file
    ///   of a folder; `CancellationError`.
    public func turns(at indices: [Int]) async throws -> [EXIFOrientation?] {
        guard kind == .folder, orientation == .upright else {
            return Array(repeating: turn, count: indices.count)
        }
        if let index = indices.first(where: { !files.indices.contains($0) }) {
            throw missing(index, of: files.count)
        }
        return try await BlockingWork.run { cancellation in
            var turns: [Int: EXIFOrientation] = [:]
            for index in Set(indices) {
                try cancellation.check()
                turns[index] = try ImageDecoder.turn(of: files[index], limits: limits)
            }
            return indices.map { turns[$0] }
        }
    }

    /// The number of frames; of a video, by decoding all of them, since headers and indexes of video
    /// files are often wrong.
    ///
    /// - Throws: ``ZooError`` with code `media.damaged`, `media.no-frames`, `media.sizes-differ` or
    ///   `media.too-large`; `CancellationError`.
    public func countFrames() async throws -> Int {
        switch kind {
        case .image: return 1
        case .folder: return files.count
        case .video:
            return try await BlockingWork.run { cancellation in
                let decoder = try VideoDecoder(path, limits: limits, orientation: .stored)
                var count = 0
                while try decoder.next(index: count) {
                    count += 1
                    try cancellation.check()
                    try checkCount(count)
                }
                guard count > 0 else { throw noFrames }
                return count
            }
        }
    }

    /// The frames at `indices`, in that order; an index may come more than once.
    ///
    /// - Throws: ``ZooError`` with code `media.frame-missing` for an index outside the file,
    ///   `media.too-large`, `media.sizes-differ` or `media.damaged`; `CancellationError`.
    public func read(indices: [Int]) async throws -> RGBClip {
        guard !indices.isEmpty else { throw nothingWanted }
        let wanted = Set(indices)
        let images = try await frames(at: wanted) { image in
            let (bytes, overflow) = image.pixels.count.multipliedReportingOverflow(by: wanted.count)
            guard !overflow, bytes <= limits.clipBytes else {
                throw ZooError(
                    .mediaTooLarge,
                    "\(wanted.count) frames of '\(path)' take more than \(limits.clipBytes) bytes",
                    remedy: "read fewer frames at a time"
                )
            }
            return image
        }
        return RGBClip(
            frames: indices.compactMap { images[$0] },
            indices: indices,
            frameRate: frameRate
        )
    }

    /// What `transform` makes of the frames at `indices`; only one frame is in memory at a time.
    ///
    /// - Throws: as ``read(indices:)``, and what `transform` throws.
    public func map<Output: Sendable>(
        indices: [Int],
        _ transform: @escaping @Sendable (RGBImage) throws -> Output
    ) async throws -> [Output] {
        guard !indices.isEmpty else { throw nothingWanted }
        let outputs = try await frames(at: Set(indices), transform)
        return indices.compactMap { outputs[$0] }
    }

    /// The only, or first, frame.
    ///
    /// - Throws: as ``read(indices:)``.
    public func firstImage() async throws -> RGBImage {
        try await read(indices: [0]).frames[0]
    }
}

extension MediaFile {
    /// Decodes up to the last wanted frame and transforms the wanted ones.
    private func frames<Output: Sendable>(
        at wanted: Set<Int>,
        _ transform: @escaping @Sendable (RGBImage) throws -> Output
    ) async throws -> [Int: Output] {
        if let index = wanted.min(), index < 0 { throw missing(index) }
        return try await BlockingWork.run { cancellation in
            var outputs: [Int: Output] = [:]
            switch kind {
            case .image:
                if let index = wanted.max(), index > 0 { throw missing(index) }
                outputs[0] = try transform(readImage(path, cancellation))
            case .folder:
                var size: (width: Int, height: Int)?
                for index in wanted.sorted() {
                    try cancellation.check()
                    guard index < files.count else { throw missing(index) }
                    let image = try readImage(files[index], cancellation)
                    let expected = size ?? (image.width, image.height)
                    guard expected == (image.width, image.height) else {
                        throw ZooError(
                            .mediaSizesDiffer,
                            "'\(files[index])' has \(image.width) x \(image.height) pixels; frames "
                                + "before it have \(expected.width) x \(expected.height)"
                        )
                    }
                    size = expected
                    outputs[index] = try transform(image)
                }
            case .video:
                let decoder = try VideoDecoder(path, limits: limits, orientation: orientation)
                let last = wanted.max() ?? 0
                for index in 0...last {
                    try cancellation.check()
                    try checkCount(index)
                    guard try decoder.next(index: index) else {
                        throw index == 0 ? noFrames : missing(last, of: index)
                    }
                    if wanted.contains(index) {
                        outputs[index] = try transform(decoder.image(index: index))
                    }
                }
            }
            return outputs
        }
    }

    private func readImage(_ path: String, _ cancellation: Cancellation) throws -> RGBImage {
        try ImageDecoder.read(path, limits: limits, orientation: orientation, cancellation)
    }

    private func checkCount(_ count: Int) throws(ZooError) {
        guard count <= limits.frames else {
            throw ZooError(
                .mediaTooLarge,
                "'\(path)' holds more than \(limits.frames) frames",
                remedy: "cut the video into parts"
            )
        }
    }

    private var nothingWanted: ZooError {
        ZooError(
            .mediaFrameMissing,
            "no frame of '\(path)' was asked for",
            remedy: "ask for at least one frame; frames are counted from 0"
        )
    }

    private var noFrames: ZooError {
        ZooError(.mediaNoFrames, "'\(path)' holds no frames", remedy: "get the file again")
    }

    private func missing(_ index: Int, of count: Int? = nil) -> ZooError {
        let has = count.map { "; it has \($0)" } ?? ""
        return ZooError(
            .mediaFrameMissing,
            "'\(path)' has no frame \(index)\(has)",
            remedy: "frames are counted from 0"
        )
    }
}
