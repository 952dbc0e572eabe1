// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// How pictures become what a model sees: resize, crop, scale, normalise.
///
/// The result of every protocol is `[frames, 3, height, width]`, red, green, blue.
public struct Preprocessing: Sendable, Equatable {
    /// The size that pictures are scaled to.
    public enum Resize: Sendable, Equatable {
        /// None.
        case none
        /// The shorter side to `side`, the longer one to `Int(side * long / short)`.
        case shortSide(Int)
        /// Both sides, whatever the aspect.
        case exact(width: Int, height: Int)
    }

    /// The part of the scaled picture that is kept.
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
        /// The 8-bit picture, before anything else.
        case bytes(Resampler)
        /// Floats, before they are normalised: PyTorch's bilinear, corners not aligned.
        case floats(antialias: Bool)
        /// Floats that are already normalised.
        case normalisedFloats(antialias: Bool)
    }

    /// The size that pictures are scaled to.
    public var resize: Resize
    /// How they are scaled.
    public var resampling: Resampling
    /// The part that is kept.
    public var crop: Crop
    /// What levels of 0 to 255 are multiplied with; nil leaves them as they are.
    public var rescale: Double?
    /// What is then subtracted from red, green and blue.
    public var mean: [Double]
    /// What they are then divided by.
    public var std: [Double]

    /// A way of preparing pictures.
    public init(
        resize: Resize,
        resampling: Resampling,
        crop: Crop,
        rescale: Double? = 1.0 / 255,
        mean: [Double] = Self.imageNetMean,
        std: [Double] = Self.imageNetStd
    ) {
        precondition(mean.count == 3 && std.count == 3, "there are three channels")
        self.resize = resize
        self.resampling = resampling
        self.crop = crop
        self.rescale = rescale
        self.mean = mean
        self.std = std
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
