// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooTensor

extension LatentShape {
    /// Checks the shapes of the inputs of a prediction.
    ///
    /// - Throws: `ZooError` with code `model.input-shape-invalid`.
    package func requireFit(_ known: LatentSequence, _ actions: Tensor) throws(ZooError) {
        let shape = known.latents.shape
        guard shape[0] > 0, (1...frames).contains(shape[1]), shape[2] == tokens, shape[3] == width
        else {
            throw ZooError(
                .inputShapeInvalid,
                "the latents have the shape \(shape), and must be [batch, frames, \(tokens), "
                    + "\(width)] with 1 to \(frames) frames"
            )
        }
        guard actions.shape == Shape([shape[0], shape[1], actionWidth]) else {
            throw ZooError(
                .inputShapeInvalid,
                "the actions have the shape \(actions.shape), and must be [\(shape[0]), \(shape[1]), "
                    + "\(actionWidth)]"
            )
        }
        guard known.states.map({ $0.shape[2] }) ?? 0 == stateWidth else {
            throw ZooError(
                .inputShapeInvalid,
                stateWidth == 0
                    ? "the model takes no states, and states were passed"
                    : "the model needs a state of \(stateWidth) values with each frame"
            )
        }
    }
}

extension Tensor {
    /// Reshapes frames [batch, frames, channels, height, width] to clips of one frame each.
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
