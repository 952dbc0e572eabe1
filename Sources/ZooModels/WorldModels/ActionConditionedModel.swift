// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// A model that predicts how latents change under actions.
public protocol ActionConditionedModel: Sendable {
    /// The family it belongs to.
    var family: FamilyID { get }

    /// The sizes of what ``predict(_:under:on:)`` takes and returns.
    var latentShape: LatentShape { get }

    /// The planning settings of upstream.
    var planning: PlanningDefaults { get }

    /// The encoder of frames; nil when the model predicts features of an encoder that the release does
    /// not hold.
    var frameEncoder: (any FrameEncoder)? { get }

    /// The encoder of measured states; nil when states are the measurements themselves, or the model
    /// has none.
    var measurementEncoder: (any MeasurementEncoder)? { get }

    /// Predicts the frame after each known one.
    ///
    /// - Parameters:
    ///   - known: frames in order; no more than ``LatentShape/frames``.
    ///   - actions: the action at each frame, [batch, frames, action width], in the units of training.
    ///   - pool: the threads to compute on.
    /// - Returns: as many frames; frame t is what follows frame t of `known`. To look further ahead,
    ///   append the last of them and predict again.
    /// - Throws: `ZooError` with code `model.input-shape-invalid`; `CancellationError` when the task
    ///   is cancelled.
    func predict(
        _ known: LatentSequence,
        under actions: Tensor,
        on pool: ComputePool
    ) async throws -> LatentSequence
}

extension ActionConditionedModel {
    /// None: the release holds no encoder.
    public var frameEncoder: (any FrameEncoder)? { nil }

    /// None: states are the measurements themselves.
    public var measurementEncoder: (any MeasurementEncoder)? { nil }
}

/// The sizes of the latents a model predicts.
public struct LatentShape: Hashable, Sendable {
    /// Tokens of a frame.
    public let tokens: Int
    /// Elements of a token.
    public let width: Int
    /// Numbers of an action.
    public let actionWidth: Int
    /// Numbers of a state; 0 for models without.
    public let stateWidth: Int
    /// The most frames that a prediction can be made from.
    public let frames: Int

    /// Creates a shape.
    public init(tokens: Int, width: Int, actionWidth: Int, stateWidth: Int, frames: Int) {
        self.tokens = tokens
        self.width = width
        self.actionWidth = actionWidth
        self.stateWidth = stateWidth
        self.frames = frames
    }
}

/// Latents of successive frames, and the states of the body that acts.
public struct LatentSequence: Sendable {
    /// [batch, frames, tokens, width].
    public let latents: Tensor
    /// [batch, frames, state width], for models that have states: poses of V-JEPA 2-AC, encoded
    /// proprioception of JEPA-WM and DINO-WM.
    public let states: Tensor?

    /// Joins latents and states.
    ///
    /// - Throws: `ZooError` with code `model.input-shape-invalid` when their batch or frames differ.
    public init(latents: Tensor, states: Tensor? = nil) throws(ZooError) {
        guard latents.shape.rank == 4,
            states.map({
                $0.shape.rank == 3 && $0.shape[0] == latents.shape[0]
                    && $0.shape[1] == latents.shape[1]
            }) ?? true
        else {
            throw ZooError(
                .inputShapeInvalid,
                "latents of shape \(latents.shape) must be [batch, frames, tokens, width], with states "
                    + "[batch, frames, state width] of the same frames"
            )
        }
        self.latents = latents
        self.states = states
    }
}
