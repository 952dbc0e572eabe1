// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooTensor

/// An encoder of single frames to latents of an ``ActionConditionedModel``.
public protocol FrameEncoder: Sendable {
    /// The input that the encoder was trained on.
    var input: ModelInput { get }

    /// Encodes each frame separately.
    ///
    /// - Parameters:
    ///   - pixelValues: [batch, frames, channels, height, width], normalised as the model's card
    ///     says.
    ///   - pool: the threads to compute on.
    /// - Returns: the latents, [batch, frames, tokens, width].
    /// - Throws: `ZooError` with code `model.input-shape-invalid`; `CancellationError` when the
    ///   task is cancelled.
    func encodeFrames(_ pixelValues: Tensor, on pool: ComputePool) async throws -> Tensor
}
