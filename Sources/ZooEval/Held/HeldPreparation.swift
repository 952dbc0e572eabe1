// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooMedia
internal import ZooModels

/// How held files become the input of a model: parameters of suites on held data.
struct HeldPreparation: Sendable, Equatable {
    /// The preprocessing of frames.
    enum Steps: String, CaseIterable {
        /// What the folder of the model says.
        case model
        /// Meta's image evaluation, ``Preprocessing/metaImage(crop:)``, for the size of the model's input.
        case metaImage = "meta-image"
        /// Meta's video evaluation with one view, ``Preprocessing/metaVideo(crop:)``.
        case metaVideo = "meta-video"
        /// Meta's video evaluation with three views, ``Preprocessing/metaVideoViews(crop:count:)``.
        case metaVideoViews = "meta-video-views"
        /// The whole frame to a square, as floats, without antialias, with the statistics of ImageNet:
        /// ``Preprocessing/jepaWM(side:)``.
        case metaSquare = "meta-square"
        /// `ViTImageProcessor` of transformers 4, with which the values of I-JEPA were published: the whole image to a square
        /// by Pillow's bilinear, mean and std 0.5.
        case vitProcessor = "vit-processor"
    }

    private enum Input: String, CaseIterable { case images, frames }

    private let steps: Steps
    /// Which frames of a video are read; nil for still images.
    private let sampling: FrameRule?

    /// The largest size of the pixels of one sample, in bytes.
    private static let limit = 2 << 30

    /// Reads `input`, `preprocessing`, and for the input `frames` also `sampling`.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    init(_ parameters: JSONObject) throws(ZooError) {
        steps = try parameters.choice("preprocessing", of: Steps.self)
        switch try parameters.choice("input", of: Input.self) {
        case .images: sampling = nil
        case .frames: sampling = try FrameRule(parameters.object("sampling"))
        }
    }

    /// Reads `preprocessing` of movies whose frames are images.
    ///
    /// - Throws: ``ZooError`` with code `format.field-invalid`.
    init(ofMovies parameters: JSONObject) throws(ZooError) {
        steps = try parameters.choice("preprocessing", of: Steps.self)
        sampling = nil
    }

    /// All that determines the input.
    var json: JSONValue {
        var members: [String: JSONValue] = ["preprocessing": .string(steps.rawValue)]
        if let sampling { members["sampling"] = sampling.json }
        return .object(members)
    }

    /// The versions of the libraries that decode the samples, by name.
    var decoders: [String: String] {
        sampling == nil
            ? MediaDecoders.images
            : MediaDecoders.images.merging(MediaDecoders.videos) { image, _ in image }
    }

    /// What reads samples for a model.
    ///
    /// - Parameters:
    ///   - data: the data.
    ///   - model: the model.
    ///   - input: what its encoder takes.
    ///   - movie: the number of frames of a movie; nil for files of images or videos.
    /// - Returns: the reader.
    /// - Throws: ``ZooError`` with code `evaluation.data-unsuitable` when a sample would take too much memory, or
    ///   with a `media.*` or `io.*` code.
    func reader(
        of data: HeldData,
        for model: EvaluatedModel,
        _ input: ModelInput,
        movie: Int? = nil
    ) throws(ZooError) -> HeldSampleReader {
        let preprocessing: Preprocessing =
            switch steps {
            case .model: try model.preprocessing()
            case .metaImage: .metaImage(crop: input.height)
            case .metaVideo: .metaVideo(crop: input.height)
            case .metaVideoViews: .metaVideoViews(crop: input.height)
            case .metaSquare: .jepaWM(side: input.height)
            case .vitProcessor:
                Preprocessing(
                    resize: .exact(width: input.width, height: input.height),
                    resampling: .bytes(.pillowBilinear),
                    crop: .none,
                    mean: [0.5, 0.5, 0.5],
                    std: [0.5, 0.5, 0.5]
                )
            }
        let frames = (movie ?? sampling?.frames ?? input.imageFrames) * preprocessing.viewCount
        let bytes = frames * 3 * input.height * input.width * 4
        guard bytes <= Self.limit else {
            throw .dataUnsuitable(
                "\(frames) frames of \(input.width) x \(input.height) pixels take \(bytes >> 20) MiB; the limit is "
                    + "\(Self.limit >> 20) MiB",
                remedy: "use a suite with fewer frames, clips or views"
            )
        }
        return HeldSampleReader(data, preprocessing, sampling, imageFrames: input.imageFrames)
    }
}
