// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// How images and frames become the input of a model: resize, crop, rescale, normalise.
///
/// The result of every protocol is `[frames, 3, height, width]`, red, green, blue.
public struct Preprocessing: Sendable, Equatable {
    /// The size that images are resized to.
    public enum Resize: Sendable, Equatable {
        /// None.
        case none
        /// The shorter side to `side`, the longer one to `Int(side * long / short)`.
        case shortSide(Int)
        /// Both sides, ignoring the aspect ratio.
        case exact(width: Int, height: Int)
    }

    /// The part of the resized image that is kept.
    public enum Crop: Sendable, Equatable {
        /// All of it.
        case none
        /// The middle; half a pixel too many goes where `rounding` says.
        case centre(width: Int, height: Int, rounding: Rounding)
        /// Squares of `side` along the longer side, the first at its beginning, `count` in all; one
        /// every `(long - side) / (count - 1)` pixels, rounded down.
        ///
        /// Source: facebookresearch/vjepa2 `evals/video_classification_frozen/utils.py`
        /// (`EvalVideoTransform`).
        case views(side: Int, count: Int)
    }

    /// Where a centre crop begins when half a pixel is left over.
    public enum Rounding: Sendable, Equatable {
        /// At the even one of the two pixels, as Python's `round` in torchvision and Meta's code.
        case halfToEven
        /// At the lower pixel, as transformers.
        case down
    }

    /// What is resampled, and when.
    public enum Resampling: Sendable, Equatable {
        /// The 8-bit image, before anything else.
        case bytes(Resampler)
        /// Floats, before they are normalised: PyTorch's bilinear, corners not aligned.
        case floats(antialias: Bool)
        /// Floats that are already normalised.
        case normalisedFloats(antialias: Bool)
    }

    /// The size that images are resized to.
    public var resize: Resize
    /// How they are resampled.
    public var resampling: Resampling
    /// The part that is kept.
    public var crop: Crop
    /// The factor for levels of 0 to 255; nil leaves them as they are.
    public var rescale: Double?
    /// The mean of red, green and blue, which is subtracted after rescaling.
    public var mean: [Double]
    /// The std of red, green and blue, by which the difference is divided.
    public var std: [Double]
    /// Whether the protocol reads images and videos upright or as stored.
    ///
    /// Pass it to ``MediaFile/open(_:limits:orientation:)``; the presets state the reading of the code
    /// that they follow.
    public var orientation: Orientation

    /// Preprocessing by these steps, in this order.
    public init(
        resize: Resize,
        resampling: Resampling,
        crop: Crop,
        rescale: Double? = 1.0 / 255,
        mean: [Double] = Self.imageNetMean,
        std: [Double] = Self.imageNetStd,
        orientation: Orientation = .upright
    ) {
        precondition(mean.count == 3 && std.count == 3, "there are three channels")
        self.resize = resize
        self.resampling = resampling
        self.crop = crop
        self.rescale = rescale
        self.mean = mean
        self.std = std
        self.orientation = orientation
    }

    /// The mean of ImageNet, of levels from 0 to 1.
    public static let imageNetMean = [0.485, 0.456, 0.406]
    /// The standard deviation of ImageNet, of levels from 0 to 1.
    public static let imageNetStd = [0.229, 0.224, 0.225]

    /// The number of tensors that one clip becomes.
    public var viewCount: Int {
        if case .views(_, let count) = crop { count } else { 1 }
    }
}
