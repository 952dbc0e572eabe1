// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The weights of a linear map, [outputs, inputs], in the type they are stored in.
///
/// They stay as they are in memory, and are widened and packed for some outputs at a time, just before
/// the products that use them: for hundreds of rows that costs a few percent of the products' time, in
/// every type.
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
        inputs = stored.shape.sizes.dropFirst().reduce(1, *)
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

    /// Makes the weights of some outputs ready for products with rows of a certain kind.
    ///
    /// - Parameters:
    ///   - range: the outputs.
    ///   - rows: what they will be multiplied with.
    ///   - scratch: the calling worker's memory; holds one set of prepared weights at a time.
    /// - Returns: the weights, valid until the next ones are prepared.
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

    /// The weights of some outputs as float32: where they lie, or widened into the worker's memory.
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

/// The weights of some outputs, ready to meet rows.
package struct PreparedWeights: Sendable {
    enum Form: Sendable {
        case plain(Matrix)
        case packed(PackedMatrix)
    }

    let form: Form

    /// Writes rows · weightsᵀ to `output`, or adds it to what is there.
    ///
    /// - Parameters:
    ///   - rows: rows of the kind the weights were prepared for.
    ///   - range: the rows to multiply; they begin at a whole tile.
    ///   - output: [rows in `range`, outputs].
    ///   - accumulating: whether to add.
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
