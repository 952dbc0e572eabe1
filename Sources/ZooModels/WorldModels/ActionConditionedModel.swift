// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
public import ZooTensor

/// A model that predicts latents from previous latents and actions.
public protocol ActionConditionedModel: Sendable {
    /// The family of the model.
    var family: FamilyID { get }

    /// The shape of the inputs and outputs of ``predict(_:under:on:)``.
    var latentShape: LatentShape { get }

    /// The default planning settings of upstream.
    var planning: PlanningDefaults { get }

    /// The encoder of frames; nil if the model predicts features of an encoder that is not in the
    /// release.
    var frameEncoder: (any FrameEncoder)? { get }

    /// The encoder of measurements to states; nil if states are the measurements, or there are no
    /// states.
    var measurementEncoder: (any MeasurementEncoder)? { get }

    /// Predicts the frame after each known one.
    ///
    /// - Parameters:
    ///   - known: frames in order, at most ``LatentShape/frames``.
    ///   - actions: the action at each frame, [batch, frames, action width], in the units of
    ///     training.
    ///   - pool: the threads to compute on.
    /// - Returns: the same number of frames; frame t is the prediction for frame t + 1 of `known`.
    ///   To predict further, append the last frame and predict again.
    /// - Throws: `ZooError` with code `model.input-shape-invalid`; `CancellationError` when the
    ///   task is cancelled.
    func predict(
        _ known: LatentSequence,
        under actions: Tensor,
        on pool: ComputePool
    ) async throws -> LatentSequence
}

extension ActionConditionedModel {
    /// The default is nil: the release has no encoder.
    public var frameEncoder: (any FrameEncoder)? { nil }

    /// The default is nil: states are the measurements.
    public var measurementEncoder: (any MeasurementEncoder)? { nil }
}

/// The shape of the latents, actions and states of a model.
public struct LatentShape: Hashable, Sendable {
    /// The number of tokens per frame.
    public let tokens: Int
    /// The number of elements per token.
    public let width: Int
    /// The number of values per action.
    public let actionWidth: Int
    /// The number of values per state; 0 for models without states.
    public let stateWidth: Int
    /// The maximum number of context frames of a prediction.
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

/// Latents of successive frames, and optionally the states of the robot.
public struct LatentSequence: Sendable {
    /// The latents, [batch, frames, tokens, width].
    public let latents: Tensor
    /// The states, [batch, frames, state width], for models with states.
    ///
    /// They are poses for V-JEPA 2-AC, and encoded proprioception for JEPA-WM and DINO-WM.
    public let states: Tensor?

    /// Creates a sequence.
    ///
    /// - Throws: `ZooError` with code `model.input-shape-invalid` if the batch or frames of latents
    ///   and states differ.
    public init(latents: Tensor, states: Tensor? = nil) throws(ZooError) {
        guard latents.shape.rank == 4,
            states.map({
                $0.shape.rank == 3 && $0.shape[0] == latents.shape[0]
                    && $0.shape[1] == latents.shape[1]
            }) ?? true
        else {
            throw ZooError(
                .inputShapeInvalid,
                "the latents have the shape \(latents.shape), and must be [batch, frames, tokens, width], "
                    + "with states [batch, frames, state width] of the same frames"
            )
        }
        self.latents = latents
        self.states = states
    }
}
