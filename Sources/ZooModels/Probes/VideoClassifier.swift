// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// A video classifier: an encoder and a probe that was trained on its tokens.
///
/// For one clip it is equivalent to `VJEPA2ForVideoClassification` of transformers 5.23. For
/// several clips it follows `evals/video_classification_frozen` of facebookresearch/vjepa2: the
/// probe reads the tokens of all clips of a view together, and the probabilities of the views are
/// averaged.
public struct VideoClassifier: Sendable {
    /// The encoder.
    public let backbone: any JEPAEncoder
    /// The probe.
    public let probe: AttentiveProbe
    /// The predicted frames that an anticipation probe reads in addition to the clip.
    public var anticipation = Anticipation.epicKitchens

    /// Creates a classifier from an encoder and a probe.
    ///
    /// - Throws: `ZooError` with code `model.probe-mismatch` if their widths differ.
    public init(backbone: any JEPAEncoder, probe: AttentiveProbe) throws(ZooError) {
        guard backbone.width == probe.width else {
            throw ZooError(
                .probeMismatch,
                "the probe reads tokens of \(probe.width) elements, and the backbone has tokens of "
                    + "\(backbone.width)",
                remedy: "use the backbone that the probe was trained on; its card names it"
            )
        }
        self.backbone = backbone
        self.probe = probe
    }

    /// Loads a `VJEPA2ForVideoClassification` from a folder that transformers wrote.
    ///
    /// - Throws: `ZooError` with code `model.unsupported` if the folder has no classifier;
    ///   otherwise a `model.*`, `checkpoint.*` or `io.*` code.
    public init(folder path: String) throws(ZooError) {
        let folder = try ModelFolder(path)
        let parts: (model: VJEPA2Model, probe: AttentiveProbe?)
        parts = try VJEPA2Model.load(folder)
        guard let probe = parts.probe else {
            throw ZooError(
                .modelUnsupported,
                "the model in '\(path)' has no classifier",
                remedy: "pass a probe that was trained on it (--probe)"
            )
        }
        try self.init(backbone: parts.model, probe: probe)
    }

    /// Loads a model of any family and a probe that `ami-zoo convert` wrote.
    ///
    /// - Throws: `ZooError` with code `model.probe-mismatch`, or a `model.*`, `checkpoint.*` or
    ///   `io.*` code.
    public init(folder path: String, probe: String) throws(ZooError) {
        let probe = try AttentiveProbe(folder: probe)
        try self.init(backbone: try ModelFamily.load(folder: path), probe: probe)
    }

    /// Classifies videos.
    ///
    /// Only the clips of one view of one video are encoded at a time, so that memory usage does not
    /// depend on the number of views and videos.
    ///
    /// - Parameters:
    ///   - pixelValues: [videos, views, clips, frames, channels, height, width], where views are
    ///     crops of the image and clips are parts of the video; or [videos, frames, channels,
    ///     height, width] for one clip each. Normalised as the model's card says.
    ///   - options: ``ForwardOptions/progress`` counts the layers of all forward passes of the
    ///     encoder, and ``ForwardOptions/maskIndex`` is used for anticipation.
    ///   - pool: the threads to compute on.
    /// - Returns: the logits of every view, and the probabilities of every video.
    /// - Throws: `ZooError` with code `model.input-shape-invalid`, or `model.level-invalid` if the
    ///   probe reads blocks that the backbone does not have; `CancellationError` when the task is
    ///   cancelled.
    public func classify(
        _ pixelValues: Tensor,
        options: ForwardOptions = ForwardOptions(),
        on pool: ComputePool = .shared
    ) async throws -> Classification {
        let batch = try ClipBatch(pixelValues)
        var logits: [String: [Tensor]] = [:]
        for view in 0..<batch.videos * batch.views {
            var options = options
            options.keepsLayers = false
            options.levels = probe.backboneLevels
            if let progress = options.progress {
                let views = batch.videos * batch.views
                options.progress = { step in
                    let done = view * step.total + step.completed
                    progress(LayerProgress(completed: done, total: views * step.total))
                }
            }
            let tokens = try await tokens(of: batch.clips(ofView: view), options, pool)
            for (head, found) in try await probe.logits(of: tokens, on: pool) {
                logits[head, default: []].append(found)
            }
        }
        return Classification(
            heads: probe.classes.map { classes in
                Classification.Head(
                    classes,
                    logits: logits[classes.name] ?? [],
                    videos: batch.videos,
                    isExclusive: !probe.isAnticipation
                )
            }
        )
    }

    /// Returns the tokens that the probe reads for one view, [1, tokens, width].
    ///
    /// They are ordered by clip, then by level.
    private func tokens(
        of clips: Tensor,
        _ options: ForwardOptions,
        _ pool: ComputePool
    ) async throws -> Tensor {
        let encoding = try await backbone.encode(clips, visible: nil, options: options, on: pool)
        var parts =
            encoding.levels.isEmpty ? [encoding.tokens.values] : encoding.levels.map(\.values)
        if probe.isAnticipation {
            let predictor = try backbone.requirePredictor()
            try backbone.requireTrainedSize(clips.shape)
            let first = clips.shape[1] + anticipation.framesAhead
            var quiet = options
            quiet.progress = nil
            let predicted = try await predictor.predict(
                try backbone.tokens(
                    ofFrames: first..<first + anticipation.frames,
                    batch: clips.shape[0]
                ),
                from: encoding.context,
                options: quiet,
                on: pool
            ).values
            guard predicted.shape[2] == probe.width else {
                throw ZooError(
                    .probeMismatch,
                    "the probe reads tokens of \(probe.width) elements, and the predictor of the "
                        + "backbone predicts tokens of \(predicted.shape[2])",
                    remedy: "use the backbone that the probe was trained on; its card names it"
                )
            }
            parts.append(predicted)
        }
        let width = probe.width
        let counts = parts.map { $0.shape[1] }
        let perClip = counts.reduce(0, +)
        guard parts.count > 1 else {
            return parts[0].reshaped([1, clips.shape[0] * perClip, width])
        }
        let joined = Matrix(rows: clips.shape[0] * perClip, columns: width)
        for clip in 0..<clips.shape[0] {
            var row = clip * perClip
            for (part, count) in zip(parts, counts) {
                joined.rows(row..<row + count).copy(
                    from: part.matrix.rows(clip * count..<(clip + 1) * count)
                )
                row += count
            }
        }
        return Tensor(shape: [1, joined.rows, width], buffer: joined.buffer)
    }
}

/// The frames after a clip whose predicted tokens an anticipation probe reads.
public struct Anticipation: Hashable, Sendable {
    /// Frames between the clip and the predicted frames.
    public let framesAhead: Int
    /// The number of predicted frames.
    public let frames: Int

    /// Creates a range of frames; `framesAhead` is at least 0 and `frames` at least 1.
    public init(framesAhead: Int, frames: Int) {
        precondition(framesAhead >= 0 && frames > 0)
        self.framesAhead = framesAhead
        self.frames = frames
    }

    /// EPIC-KITCHENS-100: two frames, one second after clips of 8 frames per second.
    ///
    /// Source: facebookresearch/vjepa2 `configs/eval/vitl/ek100.yaml`,
    /// `evals/action_anticipation_frozen/modelcustom/vit_encoder_predictor_concat_ar.py`.
    public static let epicKitchens = Anticipation(framesAhead: 8, frames: 2)
}

/// Clips, indexed by video and view.
private struct ClipBatch {
    let videos: Int
    let views: Int
    private let clips: Int
    /// [videos · views · clips, elements of a clip].
    private let pixels: Tensor
    private let clipShape: [Int]

    init(_ pixelValues: Tensor) throws(ZooError) {
        let shape = pixelValues.shape
        guard [5, 7].contains(shape.rank), shape.elementCount > 0 else {
            throw ZooError(
                .inputShapeInvalid,
                "the input has the shape \(shape), and must be [videos, frames, channels, height, "
                    + "width] or [videos, views, clips, frames, channels, height, width]"
            )
        }
        let isSplit = shape.rank == 7
        videos = shape[0]
        views = isSplit ? shape[1] : 1
        clips = isSplit ? shape[2] : 1
        clipShape = (shape.rank - 4..<shape.rank).map { shape[$0] }
        let all = videos * views * clips
        pixels = pixelValues.reshaped([all, shape.elementCount / all])
    }

    /// Returns the clips [clips, frames, channels, height, width] of a view, counted over all
    /// videos.
    func clips(ofView view: Int) -> Tensor {
        let copy = Matrix(rows: clips, columns: pixels.shape[1])
        copy.copy(from: pixels.matrix.rows(view * clips..<(view + 1) * clips))
        return Tensor(shape: Shape([clips] + clipShape), buffer: copy.buffer)
    }
}
