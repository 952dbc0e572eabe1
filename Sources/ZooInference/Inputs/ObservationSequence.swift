// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooFiles
public import ZooMedia
public import ZooModels
public import ZooTensor

/// Observations of one episode for an action-conditioned model: frames, states and actions.
///
/// They are read from two images (start and goal), or from a `.safetensors` or `.npz` file with one
/// sample of `observations` [1, frames, height, width, 3] of bytes, `pixel_values` [1, frames, 3,
/// height, width] or `latents` [1, frames, tokens, width], and `states` or `measurements` [1,
/// frames, width] and `actions` [1, actions, action width].
public struct ObservationSequence: Sendable {
    /// The model that the observations are for.
    public let model: any ActionConditionedModel
    /// Frames for the encoder of the model, [1, frames, 3, height, width].
    private var pixels: Tensor?
    /// Features of an external encoder, instead of pixels, [1, frames, tokens, width].
    private var latents: Tensor?
    /// [1, frames, state width].
    private var states: Tensor?
    /// Measurements that the model encodes to states, [1, frames, measurement width].
    private var measurements: Tensor?
    /// Actions at successive frames, [1, actions, action width].
    private var actions: Tensor?

    /// Reads observations.
    ///
    /// - Parameters:
    ///   - paths: one tensor file, or two images: start and goal.
    ///   - state: the state at both images, for models with states; [state width] numbers.
    ///   - isReversed: whether to reverse the order of the frames, which swaps start and goal.
    ///   - orientation: whether to apply the orientation that an image's metadata states.
    ///   - model: the model that the observations are for.
    ///   - folder: its folder, which holds the preprocessing configuration.
    ///   - onNote: receives notes about images; see ``InputReader``.
    /// - Throws: `ZooError` with code `input.unsuitable`, or a `media.*`, `checkpoint.*` or `io.*`
    ///   code; `CancellationError`.
    public init(
        _ paths: [String],
        state: [Float]? = nil,
        isReversed: Bool = false,
        orientation: Orientation = .upright,
        for model: any ActionConditionedModel,
        folder: String,
        onNote: (@Sendable (String) -> Void)? = nil
    ) async throws {
        precondition((1...2).contains(paths.count), "one tensor file, or two images")
        if paths.count == 2 {
            self.init(model)
            guard let encoder = model.frameEncoder else { throw Self.needsLatents }
            let size = InputSize(encoder.input, onNote: onNote)
            let preprocessing = try await BlockingWork.run { _ in try Preprocessing(folder: folder)
            }
            var frames: [Tensor] = []
            for path in paths {
                let media = try await MediaFile.open(path, orientation: orientation)
                if let turn = media.turn { size.note(turn, of: path) }
                let image = try await media.firstImage()
                try size.requireNear(image, by: preprocessing, of: path)
                frames.append(try preprocessing.views(of: image)[0])
                size.note(frames[frames.count - 1].shape, of: path)
            }
            pixels = Tensor(stacking: [Tensor(stacking: frames)])
            if let state {
                states = Tensor(shape: [1, 2, state.count], values: state + state)
            }
        } else {
            _ = try FileSystem.followedStatus(paths[0])
            guard paths[0].hasSuffix(".safetensors") || paths[0].hasSuffix(".npz") else {
                throw Self.unsuitable(
                    "'\(paths[0])' is neither a .safetensors nor a .npz file",
                    remedy: "pass such a file, or two images: start and goal"
                )
            }
            self = try await BlockingWork.run { [path = paths[0]] _ in
                try ObservationSequence(file: path, model, folder)
            }
        }
        guard isReversed else { return }
        guard actions == nil else {
            throw Self.unsuitable(
                "the file has past actions, so its frames cannot be reversed"
            )
        }
        pixels = pixels?.reversedFrames
        latents = latents?.reversedFrames
        states = states?.reversedFrames
        measurements = measurements?.reversedFrames
    }

    private init(_ model: any ActionConditionedModel) { self.model = model }

    private init(
        file path: String,
        _ model: any ActionConditionedModel,
        _ folder: String
    ) throws(ZooError) {
        self.init(model)
        let checkpoint = try Checkpoint(opening: path)
        func values(_ name: String, rank: Int) throws(ZooError) -> Tensor? {
            guard let stored = checkpoint[name] else { return nil }
            guard stored.dtype.isComputable, stored.shape.rank == rank, stored.shape[0] == 1,
                stored.shape.elementCount > 0
            else {
                throw Self.unsuitable(
                    "'\(name)' in '\(path)' is \(stored.dtype.rawValue) of shape \(stored.shape), "
                        + "and must be one sample of F32, F16 or BF16 with \(rank) dimensions"
                )
            }
            let tensor = stored.tensor
            guard tensor.isFinite else {
                throw Self.unsuitable(
                    "'\(name)' in '\(path)' holds NaN or infinite values",
                    remedy: "correct the file"
                )
            }
            return tensor
        }
        latents = try values("latents", rank: 4)
        if latents == nil { pixels = try values("pixel_values", rank: 5) }
        if latents == nil, pixels == nil {
            pixels = try observations(checkpoint, folder)
        }
        states = try values("states", rank: 3)
        measurements = try values("measurements", rank: 3)
        actions = try values("actions", rank: 3)
        let counts = [pixels, latents, states, measurements].compactMap { $0?.shape[1] }
        guard pixels != nil || latents != nil, let count = counts.first,
            counts.allSatisfy({ $0 == count })
        else {
            throw Self.unsuitable(
                "'\(path)' has no frames ('observations', 'pixel_values' or 'latents'), or a different "
                    + "number of 'states' or 'measurements'"
            )
        }
    }

    /// Reads images of bytes [1, frames, height, width, 3], the format of the upstream demo.
    private func observations(
        _ checkpoint: Checkpoint,
        _ folder: String
    ) throws(ZooError) -> Tensor? {
        guard let stored = checkpoint["observations"] else { return nil }
        let sizes = stored.shape.sizes
        guard stored.dtype == .u8, sizes.count == 5, sizes[0] == 1, sizes[4] == 3,
            stored.shape.elementCount > 0
        else {
            throw Self.unsuitable(
                "'observations' is \(stored.dtype.rawValue) of shape \(stored.shape), and must be "
                    + "U8 of shape [1, frames, height, width, 3]"
            )
        }
        guard model.frameEncoder != nil else { throw Self.needsLatents }
        let preprocessing = try Preprocessing(folder: folder)
        let size = sizes[2] * sizes[3] * 3
        var frames: [Tensor] = []
        for frame in 0..<sizes[1] {
            let bytes = stored.withBytes { span in
                (frame * size..<(frame + 1) * size).map {
                    unsafe span.unsafeLoad(fromByteOffset: $0, as: UInt8.self)
                }
            }
            let image = RGBImage(width: sizes[3], height: sizes[2], pixels: bytes)
            frames.append(try preprocessing.views(of: image)[0])
        }
        return Tensor(stacking: [Tensor(stacking: frames)])
    }

    /// Creates the planning problem, whose goal is the last frame.
    ///
    /// The first frame is known, or with past actions all frames but the last.
    ///
    /// - Parameters:
    ///   - window: the maximum number of context frames of a prediction; nil for the model's
    ///     default.
    ///   - pool: the threads to encode on.
    /// - Returns: the problem, of one sample.
    /// - Throws: `ZooError` with code `input.unsuitable` or a `model.*` code; `CancellationError`.
    public func problem(
        window: Int? = nil,
        on pool: ComputePool = .shared
    ) async throws -> PlanningProblem {
        let (latents, states) = try await sequence(on: pool)
        let frames = latents.shape[1]
        let known = actions == nil ? 1 : frames - 1
        guard frames >= 2, known == 1 || actions?.shape[1] == known - 1 else {
            throw Self.unsuitable(
                "the input has \(frames) frames and \(actions?.shape[1] ?? 0) actions; planning needs "
                    + "known frames, one action for each but the last of them, and a goal frame"
            )
        }
        func part(_ range: Range<Int>) throws(ZooError) -> LatentSequence {
            try LatentSequence(
                latents: latents.frames(range),
                states: model.latentShape.stateWidth == 0 ? nil : states?.frames(range)
            )
        }
        return try PlanningProblem(
            model: model,
            known: try part(0..<known),
            pastActions: known == 1 ? nil : actions,
            goal: try part(frames - 1..<frames),
            distance: model.planning.distance,
            window: window ?? model.planning.window
        )
    }

    /// Predicts the frames after the known ones for the actions.
    ///
    /// There is one action for each known frame but the last, then one for each predicted frame.
    ///
    /// - Parameter pool: the threads to compute on.
    /// - Returns: the predicted frames, without the known ones.
    /// - Throws: `ZooError` with code `input.unsuitable`, `model.result-not-finite` or another
    ///   `model.*` code; `CancellationError`.
    public func rollOut(on pool: ComputePool = .shared) async throws -> LatentSequence {
        let (latents, states) = try await sequence(on: pool)
        let known = latents.shape[1]
        guard let actions, actions.shape[1] >= known else {
            throw Self.unsuitable(
                "the input has \(known) frames and \(actions?.shape[1] ?? 0) 'actions'; prediction needs "
                    + "at least as many actions as frames"
            )
        }
        let all = try await model.rollOut(
            from: try LatentSequence(
                latents: latents,
                states: model.latentShape.stateWidth == 0 ? nil : states
            ),
            under: actions,
            window: model.planning.window,
            on: pool
        )
        let range = known..<all.latents.shape[1]
        let predicted = try LatentSequence(
            latents: all.latents.frames(range),
            states: all.states?.frames(range)
        )
        try predicted.latents.requireFinite("predictions")
        return predicted
    }

    /// The latents and states of all frames.
    private func sequence(
        on pool: ComputePool
    ) async throws -> (latents: Tensor, states: Tensor?) {
        var states = states
        if let measurements {
            guard let encoder = model.measurementEncoder else {
                throw Self.unsuitable("this model does not take 'measurements'")
            }
            states = try encoder.states(of: measurements)
        }
        return (try await latents(on: pool), states)
    }

    /// The change of pose from the first to the last frame, for states that are poses.
    public var trueAction: Pose? {
        guard let states, states.shape[2] == Pose.width else { return nil }
        let values = states.values
        return Pose(values.prefix(Pose.width)).change(to: Pose(values.suffix(Pose.width)))
    }

    private func latents(on pool: ComputePool) async throws -> Tensor {
        if let latents { return latents }
        guard let encoder = model.frameEncoder, let pixels else {
            throw Self.needsLatents
        }
        return try await encoder.encodeFrames(pixels, on: pool)
    }

    private static var needsLatents: ZooError {
        unsuitable(
            "this model predicts features of an encoder that is not in the release",
            remedy: "pass a file with 'latents' [1, frames, tokens, width]"
        )
    }

    private static func unsuitable(_ what: String, remedy: String? = nil) -> ZooError {
        ZooError(
            .inputUnsuitable,
            what,
            remedy: remedy
                ?? "'ami-zoo plan --help' describes the contents of the file"
        )
    }
}

extension Tensor {
    /// [1, frames, …] in reverse order of the frames.
    fileprivate var reversedFrames: Tensor {
        Tensor(joining: (0..<shape[1]).reversed().map { frames($0..<$0 + 1) }).reshaped(shape)
    }
}
