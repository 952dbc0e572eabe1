// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooTensor

extension LatentShape {
    /// Checks what a prediction is to be made from.
    ///
    /// - Throws: `ZooError` with code `model.input-shape-invalid`.
    package func requireFit(_ known: LatentSequence, _ actions: Tensor) throws(ZooError) {
        let shape = known.latents.shape
        guard shape[0] > 0, (1...frames).contains(shape[1]), shape[2] == tokens, shape[3] == width
        else {
            throw ZooError(
                .inputShapeInvalid,
                "latents of shape \(shape) must be [batch, frames, \(tokens), \(width)] with 1 to "
                    + "\(frames) frames"
            )
        }
        guard actions.shape == Shape([shape[0], shape[1], actionWidth]) else {
            throw ZooError(
                .inputShapeInvalid,
                "actions of shape \(actions.shape) must be [\(shape[0]), \(shape[1]), \(actionWidth)]"
            )
        }
        guard known.states.map({ $0.shape[2] }) ?? 0 == stateWidth else {
            throw ZooError(
                .inputShapeInvalid,
                stateWidth == 0
                    ? "this model has no states, and some are given"
                    : "this model needs a state of \(stateWidth) numbers with each frame"
            )
        }
    }
}

extension Tensor {
    /// Frames [batch, frames, channels, height, width] as clips of one frame each.
    ///
    /// - Throws: `ZooError` with code `model.input-shape-invalid`.
    package func framesAsClips() throws(ZooError) -> Tensor {
        guard shape.rank == 5 else {
            throw ZooError(
                .inputShapeInvalid,
                "the input has the shape \(shape), and must be [batch, frames, channels, height, "
                    + "width]"
            )
        }
        return reshaped([shape[0] * shape[1], 1, shape[2], shape[3], shape[4]])
    }
}
