// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The weights of a linear map, [outputs, inputs], in the type they are stored in.
///
/// Float32 weights are used where they lie. bfloat16 and half precision stay as they are in memory
/// and are widened a panel of outputs at a time, just before the product that uses it: that costs a
/// few percent of the product's time and saves half of the memory.
package struct WeightMatrix: Sendable {
    private enum Storage {
        case full(Matrix)
        case half(StoredTensor)
    }

    private let storage: Storage
    /// The number of outputs.
    package let outputs: Int
    /// The number of inputs.
    package let inputs: Int

    /// Takes a tensor of a computable type; all axes but the first are inputs.
    package init(_ stored: StoredTensor) {
        precondition(stored.shape.rank >= 2, "weights of shape \(stored.shape) are not a matrix")
        outputs = stored.shape[0]
        inputs = stored.shape.extents.dropFirst().reduce(1, *)
        if stored.dtype == .f32 {
            storage = .full(stored.tensor.reshaped([outputs, inputs]).matrix)
        } else {
            precondition(stored.dtype.isComputable)
            storage = .half(stored)
        }
    }

    /// The elements of one widened panel: 2 MiB of float32, which leaves room for it in the cache.
    private static let panelElements = 1 << 19

    /// output = input · weightsᵀ, or output + input · weightsᵀ when `accumulating`.
    ///
    /// - Parameters:
    ///   - input: [rows, inputs].
    ///   - output: [rows, outputs].
    ///   - accumulating: whether to add to what `output` holds.
    ///   - scratch: the calling worker's memory.
    package func multiply(
        _ input: Matrix,
        into output: Matrix,
        accumulating: Bool = false,
        scratch: Scratch
    ) {
        precondition(input.columns == inputs && output.columns == outputs)
        switch storage {
        case .full(let weights):
            MatrixProduct.multiply(
                input,
                transposed: weights,
                into: output,
                accumulating: accumulating
            )
        case .half(let stored):
            let panel = min(outputs, max(16, Self.panelElements / max(inputs, 1)))
            for first in stride(from: 0, to: outputs, by: panel) {
                let range = first..<min(first + panel, outputs)
                let widened = Matrix(
                    buffer: scratch.buffer(.weights, count: range.count * inputs),
                    rows: range.count,
                    columns: inputs
                )
                unsafe stored.widen(
                    elements: range.lowerBound * inputs..<range.upperBound * inputs,
                    into: widened.writableBase
                )
                MatrixProduct.multiply(
                    input,
                    transposed: widened,
                    into: output.columns(range),
                    accumulating: accumulating
                )
            }
        }
    }
}
