// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCheckpoint
package import ZooCore
package import ZooTensor

/// y = x · weightᵀ + bias, the weight stored as [outputs, inputs].
package struct Linear: Sendable {
    /// The weight, [outputs, inputs].
    package let weight: WeightMatrix
    /// The bias, [outputs].
    package let bias: Tensor?

    /// Writes the map of `input` [rows, inputs] to `output` [rows, outputs].
    package func apply(to input: Matrix, into output: Matrix, scratch: Scratch) {
        weight.multiply(input, into: output, scratch: scratch)
        if let bias { output.addBias(bias) }
    }

    /// Adds the map of `input` [rows, inputs] to `output` [rows, outputs]: a residual connection.
    package func add(of input: Matrix, to output: Matrix, scratch: Scratch) {
        if let bias { output.addBias(bias) }
        weight.multiply(input, into: output, accumulating: true, scratch: scratch)
    }
}

extension WeightScope {
    /// Takes `<name>.weight` [outputs, inputs] and `<name>.bias` [outputs].
    package func linear(
        _ name: String,
        from inputs: Int,
        to outputs: Int,
        bias: Bool = true
    ) throws(ZooError) -> Linear {
        let scope = scope(name)
        return Linear(
            weight: WeightMatrix(try scope.tensor("weight", shape: [outputs, inputs])),
            bias: bias ? try scope.values("bias", shape: [outputs]) : nil
        )
    }
}
