// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore

extension ZooError.Code {
    /// A file is neither an image nor a video that is read here.
    public static let mediaUnknown = Self("media.format-unknown", .badData)
    /// A file is of a known kind, and uses a feature of it that is not read.
    public static let mediaUnsupported = Self("media.unsupported", .badData)
    /// A file is truncated, or breaks the rules of its format.
    public static let mediaDamaged = Self("media.damaged", .badData)
    /// A picture, a file or a clip is larger than allowed.
    public static let mediaTooLarge = Self("media.too-large", .badData)
    /// A video or a folder holds no pictures.
    public static let mediaNoFrames = Self("media.no-frames", .badData)
    /// Pictures that belong together have different sizes.
    public static let mediaSizesDiffer = Self("media.sizes-differ", .badData)
    /// A picture was asked for that the file does not have.
    public static let mediaFrameMissing = Self("media.frame-missing", .usage)
    /// A picture is smaller than what is to be cut out of it.
    public static let mediaTooSmall = Self("media.too-small", .badData)
    /// A description of preprocessing is incomplete, absurd, or of a kind that is not done here.
    public static let preprocessingInvalid = Self("media.preprocessing-invalid", .badData)
    /// A model folder does not say how its inputs are made.
    public static let preprocessingMissing = Self("media.preprocessing-missing", .notFound)
    /// A way of choosing pictures makes no sense, or does not fit the video.
    public static let samplingInvalid = Self("media.sampling-invalid", .usage)
}
