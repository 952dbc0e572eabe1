// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// A planning problem: known frames, a goal frame, and the model that predicts.
public struct PlanningProblem: Sendable {
    /// The maximum number of latent elements that are predicted at a time: 64 MiB of float32.
    private static let elementsAtOnce = 1 << 24

    /// The model that predicts.
    public let model: any ActionConditionedModel
    /// The known frames, [1, frames, tokens, width]; plans start at the last one.
    public let known: LatentSequence
    /// The action at each known frame but the last, [1, frames − 1, action width].
    public let pastActions: Tensor
    /// The goal frame, [1, 1, tokens, width].
    public let goal: LatentSequence
    /// The distance to the goal.
    public let distance: LatentDistance
    /// The maximum number of context frames of a prediction; nil for the maximum of the model.
    public let window: Int?

    /// Creates a problem.
    ///
    /// - Parameters:
    ///   - model: the model that predicts.
    ///   - known: frames of one sample.
    ///   - pastActions: [1, frames − 1, action width]; nil for a single frame.
    ///   - goal: one frame of one sample.
    ///   - distance: the distance to the goal.
    ///   - window: the maximum number of context frames of a prediction; nil for the maximum of the
    ///     model.
    /// - Throws: `ZooError` with code `model.input-shape-invalid`.
    public init(
        model: any ActionConditionedModel,
        known: LatentSequence,
        pastActions: Tensor? = nil,
        goal: LatentSequence,
        distance: LatentDistance,
        window: Int? = nil
    ) throws(ZooError) {
        let (shape, sizes) = (known.latents.shape, model.latentShape)
        let past = pastActions ?? Tensor(zeros: [1, 0, sizes.actionWidth])
        guard shape[0] == 1, shape[1] >= 1, shape[2] == sizes.tokens, shape[3] == sizes.width,
            past.shape == Shape([1, shape[1] - 1, sizes.actionWidth])
        else {
            throw ZooError(
                .inputShapeInvalid,
                "the known frames have the shape \(shape) and the past actions \(past.shape); they must "
                    + "be [1, frames, \(sizes.tokens), \(sizes.width)] and [1, frames - 1, "
                    + "\(sizes.actionWidth)]"
            )
        }
        guard goal.latents.shape == Shape([1, 1, sizes.tokens, sizes.width]) else {
            throw ZooError(
                .inputShapeInvalid,
                "the goal has the shape \(goal.latents.shape), and must be [1, 1, \(sizes.tokens), "
                    + "\(sizes.width)]"
            )
        }
        let needed = distance.stateWeight == 0 ? [known] : [known, goal]
        guard
            sizes.stateWidth == 0
                || needed.allSatisfy({ $0.states?.shape[2] == sizes.stateWidth })
        else {
            throw ZooError(
                .inputShapeInvalid,
                "the model needs a state of \(sizes.stateWidth) values with each frame"
            )
        }
        guard distance.stateWeight == 0 || sizes.stateWidth > 0, window ?? 1 > 0 else {
            throw ZooError(
                .inputShapeInvalid,
                "the distance compares states, which the model does not have, or the window is less than 1"
            )
        }
        self.model = model
        self.known = known
        self.pastActions = past
        self.goal = goal
        self.distance = distance
        self.window = window
    }

    /// Computes the energies of action sequences: the distances of their last predicted frames to
    /// the goal.
    ///
    /// Candidates are predicted in batches, so that memory usage does not depend on their number.
    ///
    /// - Parameters:
    ///   - actions: [candidates, steps, action width].
    ///   - pool: the threads to compute on.
    ///   - progress: called with the number of completed candidates.
    /// - Returns: one energy per candidate.
    /// - Throws: `ZooError` with code `model.input-shape-invalid`; `CancellationError` when the
    ///   task is cancelled.
    public func energies(
        of actions: Tensor,
        on pool: ComputePool = .shared,
        progress: (@Sendable (_ done: Int) -> Void)? = nil
    ) async throws -> [Float] {
        let sizes = model.latentShape
        guard actions.shape.rank == 3, actions.shape[1] >= 1,
            actions.shape[2] == sizes.actionWidth
        else {
            throw ZooError(
                .inputShapeInvalid,
                "the actions have the shape \(actions.shape), and must be [candidates, steps, "
                    + "\(sizes.actionWidth)]"
            )
        }
        let (count, steps) = (actions.shape[0], actions.shape[1])
        let frames = known.latents.shape[1] + steps
        let atOnce = max(1, Self.elementsAtOnce / (frames * sizes.tokens * sizes.width))
        var result: [Float] = []
        for first in stride(from: 0, to: count, by: atOnce) {
            try Task.checkCancellation()
            let range = first..<min(first + atOnce, count)
            let outcome = try await model.rollOut(
                from: try LatentSequence(
                    latents: known.latents.repeated(range.count),
                    states: sizes.stateWidth == 0 ? nil : known.states?.repeated(range.count)
                ),
                under: whole(actions, range),
                window: window,
                on: pool
            )
            result += distances(of: outcome)
            progress?(range.upperBound)
        }
        return result
    }

    /// Returns the past actions followed by the actions of some candidates.
    private func whole(_ actions: Tensor, _ range: Range<Int>) -> Tensor {
        let (past, steps) = (pastActions.shape[1], actions.shape[1])
        let width = actions.shape[2]
        let result = Matrix(rows: range.count * (past + steps), columns: width)
        for (index, candidate) in range.enumerated() {
            let row = index * (past + steps)
            result.rows(row..<row + past).copy(from: pastActions.matrix)
            result.rows(row + past..<row + past + steps)
                .copy(from: actions.matrix.rows(candidate * steps..<(candidate + 1) * steps))
        }
        return Tensor(shape: [range.count, past + steps, width], buffer: result.buffer)
    }

    /// Returns the distances of the last frames to the goal.
    private func distances(of outcome: LatentSequence) -> [Float] {
        let (count, frames) = (outcome.latents.shape[0], outcome.latents.shape[1])
        let tokens = outcome.latents.shape[2]
        let (latents, aim) = (outcome.latents.matrix, goal.latents.matrix)
        return (0..<count).map { candidate in
            let last = (candidate + 1) * frames - 1
            var energy = distance.between(latents.rows(last * tokens..<(last + 1) * tokens), aim)
            if distance.stateWeight != 0, let found = outcome.states, let wanted = goal.states {
                energy +=
                    distance.stateWeight
                    * LatentDistance.meanSquare(
                        found.matrix.rows(last..<last + 1),
                        wanted.matrix
                    )
            }
            return Float(energy)
        }
    }
}

extension Tensor {
    /// Repeats [1, ..] to [`count`, ..].
    fileprivate func repeated(_ count: Int) -> Tensor {
        let width = shape.elementCount
        let result = Matrix(rows: count, columns: width)
        let source = reshaped([1, width]).matrix
        for row in 0..<count { result.rows(row..<row + 1).copy(from: source) }
        return Tensor(shape: Shape([count] + shape.sizes.dropFirst()), buffer: result.buffer)
    }
}
