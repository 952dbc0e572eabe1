// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCheckpoint
package import ZooCore
package import ZooTensor

/// Layer normalisation over the last axis, with a learned gain and shift.
package struct LayerNorm: Sendable {
    /// What normalised elements are multiplied by, [width].
    package let gain: Tensor
    /// What is added last, [width].
    package let shift: Tensor
    /// What is added to the variance.
    package let epsilon: Float

    /// A norm without weights: gain 1 and shift 0.
    package static func withoutWeights(width: Int, epsilon: Float) -> LayerNorm {
        LayerNorm(
            gain: Tensor(shape: [width], values: Array(repeating: 1, count: width)),
            shift: Tensor(zeros: [width]),
            epsilon: epsilon
        )
    }

    /// Writes the normalised rows of `input` to `output`, which may be `input`.
    package func apply(to input: Matrix, into output: Matrix) {
        output.layerNorm(of: input, gain: gain, shift: shift, epsilon: epsilon)
    }
}

extension WeightScope {
    /// Takes `<name>.weight` and `<name>.bias`, each [width].
    package func layerNorm(
        _ name: String,
        width: Int,
        epsilon: Double
    ) throws(ZooError) -> LayerNorm {
        let scope = scope(name)
        return LayerNorm(
            gain: try scope.values("weight", shape: [width]),
            shift: try scope.values("bias", shape: [width]),
            epsilon: Float(epsilon)
        )
    }
}
