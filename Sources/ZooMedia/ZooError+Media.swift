// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

extension ZooError.Code {
    /// A file is neither an image nor a video of a supported format.
    public static let mediaUnknown = Self("media.format-unknown", .badData)
    /// A file of a known format uses a feature that is not read.
    public static let mediaUnsupported = Self("media.unsupported", .badData)
    /// A file is truncated, or breaks the rules of its format.
    public static let mediaDamaged = Self("media.damaged", .badData)
    /// An image, a file or a clip is larger than allowed.
    public static let mediaTooLarge = Self("media.too-large", .badData)
    /// FFmpeg's libraries are not installed, or lack a function.
    public static let mediaLibraryMissing = Self("media.ffmpeg-missing", .notFound)
    /// A video or a folder holds no frames.
    public static let mediaNoFrames = Self("media.no-frames", .badData)
    /// Frames of one video or folder have different sizes.
    public static let mediaSizesDiffer = Self("media.sizes-differ", .badData)
    /// A frame was asked for that the file does not have.
    public static let mediaFrameMissing = Self("media.frame-missing", .usage)
    /// An image is smaller than the crop.
    public static let mediaTooSmall = Self("media.too-small", .badData)
    /// A description of preprocessing is incomplete, out of range, or of an unsupported kind.
    public static let preprocessingInvalid = Self("media.preprocessing-invalid", .badData)
    /// A model folder does not describe its preprocessing.
    public static let preprocessingMissing = Self("media.preprocessing-missing", .notFound)
    /// Frame sampling is contradictory, or does not fit the video.
    public static let samplingInvalid = Self("media.sampling-invalid", .usage)
}

extension ZooError {
    static func mediaUnknown(_ path: String) -> ZooError {
        ZooError(
            .mediaUnknown,
            "'\(path)' is neither a PNG, JPEG or WebP image nor a video file",
            remedy: "give an image, a video file, or a folder of images; playlists are not read"
        )
    }
}
