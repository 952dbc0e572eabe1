// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
public import ZooTensor

extension ActionConditionedModel {
    /// Predicts frames autoregressively from known and previously predicted frames.
    ///
    /// - Parameters:
    ///   - known: at least one frame, in order.
    ///   - actions: the action at each frame, [batch, known frames − 1 + steps, action width]; the
    ///     first step is the action at the last known frame.
    ///   - window: the maximum number of latest frames that are the context of a prediction; nil
    ///     for the maximum of the model.
    ///   - pool: the threads to compute on.
    /// - Returns: the known frames, followed by one frame for each step.
    /// - Throws: `ZooError` with code `model.input-shape-invalid`; `CancellationError` when the
    ///   task is cancelled.
    public func rollOut(
        from known: LatentSequence,
        under actions: Tensor,
        window: Int? = nil,
        on pool: ComputePool = .shared
    ) async throws -> LatentSequence {
        let (batch, first) = (known.latents.shape[0], known.latents.shape[1])
        guard actions.shape.rank == 3, actions.shape[0] == batch, first > 0,
            actions.shape[1] >= first, window ?? 1 > 0
        else {
            throw ZooError(
                .inputShapeInvalid,
                "the actions have the shape \(actions.shape), and must be [\(batch), frames, "
                    + "\(latentShape.actionWidth)] with at least one for each of \(first) known frames"
            )
        }
        let limit = min(window ?? latentShape.frames, latentShape.frames)
        let total = actions.shape[1] + 1
        let latents = FrameBuffer(known.latents, frames: total)
        let states = known.states.map { FrameBuffer($0, frames: total) }
        for count in first..<total {
            try Task.checkCancellation()
            let frames = max(0, count - limit)..<count
            let isWhole = frames == 0..<first
            let context =
                isWhole
                ? known
                : try LatentSequence(
                    latents: latents.tensor.frames(frames),
                    states: states?.tensor.frames(frames)
                )
            let found = try await predict(
                context,
                under: isWhole && count + 1 == total
                    ? actions : actions.frames(frames),
                on: pool
            )
            latents.setFrame(count, toLastOf: found.latents)
            if let states {
                guard let moved = found.states else { break }
                states.setFrame(count, toLastOf: moved)
            }
        }
        return try LatentSequence(latents: latents.tensor, states: states?.tensor)
    }
}

/// A buffer [batch, frames, ..] with space for predicted frames.
private struct FrameBuffer {
    private let rows: Matrix
    private let shape: Shape

    /// Creates a buffer of `frames` frames that starts with those of `known`.
    init(_ known: Tensor, frames: Int) {
        shape = Shape([known.shape[0], frames] + known.shape.sizes.dropFirst(2))
        rows = Matrix(
            rows: shape[0] * frames,
            columns: shape.sizes.dropFirst(2).reduce(1, *)
        )
        let count = known.shape[1]
        let source = known.reshaped([shape[0] * count, rows.columns]).matrix
        for sample in 0..<shape[0] {
            rows.rows(sample * frames..<sample * frames + count)
                .copy(from: source.rows(sample * count..<(sample + 1) * count))
        }
    }

    var tensor: Tensor { Tensor(shape: shape, buffer: rows.buffer) }

    /// Sets a frame to the last frame of a prediction.
    func setFrame(_ frame: Int, toLastOf found: Tensor) {
        let count = found.shape[1]
        let source = found.reshaped([found.shape[0] * count, rows.columns]).matrix
        for sample in 0..<shape[0] {
            let (to, from) = (sample * shape[1] + frame, (sample + 1) * count - 1)
            rows.rows(to..<to + 1).copy(from: source.rows(from..<from + 1))
        }
    }
}
