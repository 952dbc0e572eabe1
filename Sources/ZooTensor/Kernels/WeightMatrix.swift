// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The weights of a linear layer, [outputs, inputs], in their stored dtype.
///
/// They keep their dtype in memory. The weights of some outputs at a time are widened and packed
/// directly before their products, which costs a few percent of the time for hundreds of rows.
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

    /// Creates a matrix from a tensor of a computable dtype; all axes but the first are inputs.
    package init(_ stored: StoredTensor) {
        precondition(stored.shape.rank >= 2, "weights of shape \(stored.shape) are not a matrix")
        outputs = stored.shape[0]
        inputs = stored.shape.sizes.dropFirst().reduce(1, *)
        if stored.dtype == .f32 {
            storage = .full(stored.tensor.reshaped([outputs, inputs]).matrix)
        } else {
            precondition(stored.dtype.isComputable)
            storage = .half(stored)
        }
    }

    /// The number of elements in a widened panel: 2 MiB of float32, which fits in the cache.
    private static let panelElements = 1 << 19

    /// output = input · weightsᵀ, or output + input · weightsᵀ when `accumulating`.
    ///
    /// - Parameters:
    ///   - input: [rows, inputs].
    ///   - output: [rows, outputs].
    ///   - accumulating: whether to add to the content of `output`.
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
        case .half:
            let panel = min(outputs, max(16, Self.panelElements / max(inputs, 1)))
            for first in stride(from: 0, to: outputs, by: panel) {
                let range = first..<min(first + panel, outputs)
                MatrixProduct.multiply(
                    input,
                    transposed: rows(range, scratch: scratch),
                    into: output.columns(range),
                    accumulating: accumulating
                )
            }
        }
    }

    /// Prepares the weights of some outputs for products with packed or unpacked rows.
    ///
    /// - Parameters:
    ///   - range: the outputs.
    ///   - rows: the rows of the products.
    ///   - scratch: the calling worker's memory; holds one set of prepared weights at a time.
    /// - Returns: the prepared weights, valid until the next call with the same `scratch`.
    package func prepare(
        outputs range: Range<Int>,
        for rows: ProductRows,
        scratch: Scratch
    ) -> PreparedWeights {
        precondition(range.lowerBound >= 0 && range.upperBound <= outputs && rows.columns == inputs)
        return scratch.measure(.packing, bytes: range.count * inputs * 8) {
            guard rows.isPacked else {
                return PreparedWeights(form: .plain(self.rows(range, scratch: scratch)))
            }
            return PreparedWeights(
                form: .packed(
                    PackedMatrix(
                        columns: range.count,
                        depth: inputs,
                        in: .packedWeights,
                        of: scratch,
                        path: rows.path
                    ) { part in
                        self.rows(
                            range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound,
                            scratch: scratch
                        )
                    }
                )
            )
        }
    }

    /// The weights of some outputs as float32, without a copy or widened into the worker's memory.
    private func rows(_ range: Range<Int>, scratch: Scratch) -> Matrix {
        switch storage {
        case .full(let weights): return weights.rows(range)
        case .half(let stored):
            let widened = Matrix(
                buffer: scratch.buffer(.weights, count: range.count * inputs),
                rows: range.count,
                columns: inputs
            )
            unsafe stored.widen(
                elements: range.lowerBound * inputs..<range.upperBound * inputs,
                into: widened.writableBase
            )
            return widened
        }
    }
}

/// The prepared weights of some outputs.
package struct PreparedWeights: Sendable {
    enum Form: Sendable {
        case plain(Matrix)
        case packed(PackedMatrix)
    }

    let form: Form

    /// Writes rows · weightsᵀ to `output`, or adds it to its content.
    ///
    /// - Parameters:
    ///   - rows: rows of the kind the weights were prepared for.
    ///   - range: the rows to multiply; they begin at a whole tile.
    ///   - output: [rows in `range`, outputs].
    ///   - accumulating: whether to add to the content of `output`.
    package func multiply(
        _ rows: ProductRows,
        rows range: Range<Int>,
        into output: Matrix,
        accumulating: Bool = false
    ) {
        switch form {
        case .plain(let weights):
            MatrixProduct.multiply(
                rows.plain.rows(range),
                transposed: weights,
                into: output,
                accumulating: accumulating
            )
        case .packed(let weights):
            weights.multiply(rows, rows: range, into: output, accumulating: accumulating)
        }
    }
}
