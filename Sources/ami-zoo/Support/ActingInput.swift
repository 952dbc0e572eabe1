// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCheckpoint
internal import ZooCore
internal import ZooFiles
internal import ZooMedia
internal import ZooModels
internal import ZooTensor

/// Frames with states and actions, as a file or two images carry them: what a plan begins with and is to
/// reach, or what is to be predicted from.
struct ActingInput: Sendable {
    /// Frames of one sample as the model's encoder takes them, [1, frames, 3, height, width]; the last
    /// is the goal.
    private var pixels: Tensor?
    /// Instead of pixels: features of an encoder of another project, [1, frames, tokens, width].
    private var latents: Tensor?
    /// [1, frames, state width].
    private var states: Tensor?
    /// Measurements that the model makes states of, [1, frames, numbers].
    private var measurements: Tensor?
    /// What was done, or is to be done, at successive frames, [1, actions, action width].
    private var actions: Tensor?

    /// Reads a tensor file (`.safetensors` or `.npz`), or two images: where to begin and what to reach.
    ///
    /// - Parameters:
    ///   - paths: one file, or two images.
    ///   - state: the state at both images; for models that have states.
    ///   - isReversed: whether to go from the last frame to the first.
    ///   - folder: the model folder, which says how pictures become pixels; nil for a model that has no
    ///     encoder and takes features.
    /// - Throws: ``ZooError`` with code `input.unsuitable`, or a `media.*`, `checkpoint.*` or `io.*`
    ///   code; `CancellationError`.
    init(_ paths: [String], state: [Float]?, isReversed: Bool, folder: String?) async throws {
        if paths.count == 2 {
            guard let folder else { throw Self.needsLatents }
            let way = try await BlockingWork.run { _ in try Preprocessing(folder: folder) }
            var frames: [Tensor] = []
            for path in paths {
                frames.append(try way.views(of: try await MediaFile.open(path).firstImage())[0])
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
                    remedy: "give one of them, or two images: where to begin, and what to reach"
                )
            }
            self = try await BlockingWork.run { [path = paths[0]] _ in
                try ActingInput(file: path, folder: folder)
            }
        }
        guard isReversed else { return }
        guard actions == nil else {
            throw Self.unsuitable("past actions do not lead backwards")
        }
        pixels = pixels?.reversedFrames
        latents = latents?.reversedFrames
        states = states?.reversedFrames
        measurements = measurements?.reversedFrames
    }

    private init(file path: String, folder: String?) throws(ZooError) {
        let checkpoint = try Checkpoint(opening: path)
        func values(_ name: String, rank: Int) throws(ZooError) -> Tensor? {
            guard let stored = checkpoint[name] else { return nil }
            guard stored.dtype.isComputable, stored.shape.rank == rank, stored.shape[0] == 1,
                stored.shape.elementCount > 0
            else {
                throw Self.unsuitable(
                    "'\(name)' in '\(path)' is \(stored.dtype.rawValue) of shape \(stored.shape), "
                        + "and must be one sample of F32, F16 or BF16 numbers with \(rank) axes"
                )
            }
            let tensor = stored.tensor
            guard tensor.isFinite else {
                throw Self.unsuitable(
                    "'\(name)' in '\(path)' holds numbers that are infinite or not numbers",
                    remedy: "correct the file"
                )
            }
            return tensor
        }
        latents = try values("latents", rank: 4)
        if latents == nil { pixels = try values("pixel_values", rank: 5) }
        if latents == nil, pixels == nil {
            pixels = try Self.observations(checkpoint, folder)
        }
        states = try values("states", rank: 3)
        measurements = try values("measurements", rank: 3)
        actions = try values("actions", rank: 3)
        let counts = [pixels, latents, states, measurements].compactMap { $0?.shape[1] }
        guard pixels != nil || latents != nil, let count = counts.first,
            counts.allSatisfy({ $0 == count })
        else {
            throw Self.unsuitable(
                "'\(path)' does not hold frames ('observations', 'pixel_values' or 'latents'), with as "
                    + "many 'states' or 'measurements'"
            )
        }
    }

    /// Pictures of bytes, [1, frames, height, width, 3], as upstream's demonstration has them.
    private static func observations(
        _ checkpoint: Checkpoint,
        _ folder: String?
    ) throws(ZooError) -> Tensor? {
        guard let stored = checkpoint["observations"] else { return nil }
        let sizes = stored.shape.sizes
        guard stored.dtype == .u8, sizes.count == 5, sizes[0] == 1, sizes[4] == 3,
            stored.shape.elementCount > 0
        else {
            throw unsuitable(
                "'observations' is \(stored.dtype.rawValue) of shape \(stored.shape), and must be "
                    + "U8 of shape [1, frames, height, width, 3]"
            )
        }
        guard let folder else { throw needsLatents }
        let way = try Preprocessing(folder: folder)
        let size = sizes[2] * sizes[3] * 3
        var frames: [Tensor] = []
        for frame in 0..<sizes[1] {
            let bytes = stored.withBytes { span in
                (frame * size..<(frame + 1) * size).map {
                    unsafe span.unsafeLoad(fromByteOffset: $0, as: UInt8.self)
                }
            }
            let image = RGBImage(width: sizes[3], height: sizes[2], pixels: bytes)
            frames.append(try way.views(of: image)[0])
        }
        return Tensor(stacking: [Tensor(stacking: frames)])
    }

    /// The problem: known are the first frame or, with past actions, all but the last, which is the goal.
    ///
    /// - Throws: ``ZooError`` with code `input.unsuitable` or a `model.*` code; `CancellationError`.
    func problem(
        _ model: any ActionConditionedModel,
        window: Int?,
        on pool: ComputePool
    ) async throws -> PlanningProblem {
        let (latents, states) = try await sequence(model, on: pool)
        let frames = latents.shape[1]
        let known = actions == nil ? 1 : frames - 1
        guard frames >= 2, known == 1 || actions?.shape[1] == known - 1 else {
            throw Self.unsuitable(
                "\(frames) frames with \(actions?.shape[1] ?? 0) actions are not known frames, what was "
                    + "done at all but the last of them, and a goal"
            )
        }
        func part(_ range: Range<Int>) throws(ZooError) -> LatentSequence {
            try LatentSequence(
                latents: latents.frames(range),
                states: model.sizes.stateWidth == 0 ? nil : states?.frames(range)
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

    /// What follows the frames under the actions of the file, one for each known frame but the last and
    /// then one for each frame to come.
    ///
    /// - Returns: the predicted frames, without the known ones.
    /// - Throws: ``ZooError`` with code `input.unsuitable` or a `model.*` code; `CancellationError`.
    func rollOut(
        _ model: any ActionConditionedModel,
        on pool: ComputePool
    ) async throws -> LatentSequence {
        let (latents, states) = try await sequence(model, on: pool)
        let known = latents.shape[1]
        guard let actions, actions.shape[1] >= known else {
            throw Self.unsuitable(
                "there are \(known) frames, and \(actions?.shape[1] ?? 0) 'actions' say nothing of what "
                    + "comes after them"
            )
        }
        let all = try await model.rollOut(
            from: try LatentSequence(
                latents: latents,
                states: model.sizes.stateWidth == 0 ? nil : states
            ),
            under: actions,
            window: model.planning.window,
            on: pool
        )
        let range = known..<all.latents.shape[1]
        return try LatentSequence(
            latents: all.latents.frames(range),
            states: all.states?.frames(range)
        )
    }

    /// The latents and states of all frames.
    private func sequence(
        _ model: any ActionConditionedModel,
        on pool: ComputePool
    ) async throws -> (latents: Tensor, states: Tensor?) {
        var states = states
        if let measurements {
            guard let encoder = model as? any MeasurementEncoder else {
                throw Self.unsuitable("this model has no use for 'measurements'")
            }
            states = try encoder.states(of: measurements)
        }
        return (try await latents(by: model, on: pool), states)
    }

    /// What led from the first to the last frame, when there are poses.
    var trueAction: Pose? {
        guard let states, states.shape[2] == Pose.width else { return nil }
        let values = states.values
        return Pose(values.prefix(Pose.width)).change(to: Pose(values.suffix(Pose.width)))
    }

    private func latents(
        by model: any ActionConditionedModel,
        on pool: ComputePool
    ) async throws -> Tensor {
        if let latents { return latents }
        guard let encoder = model as? any FrameEncoder, let pixels else {
            throw Self.needsLatents
        }
        return try await encoder.encodeFrames(pixels, on: pool)
    }

    private static var needsLatents: ZooError {
        unsuitable(
            "this model predicts features of an encoder that is a project of its own",
            remedy: "give a file with 'latents' [1, frames, tokens, width]"
        )
    }

    private static func unsuitable(_ what: String, remedy: String? = nil) -> ZooError {
        ZooError(
            .inputUnsuitable,
            what,
            remedy: remedy
                ?? "'ami-zoo plan --help' says what such a file holds"
        )
    }
}

extension Tensor {
    /// [1, frames, …] with the last frame first.
    fileprivate var reversedFrames: Tensor {
        Tensor(joining: (0..<shape[1]).reversed().map { frames($0..<$0 + 1) }).reshaped(shape)
    }
}
