// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels

extension Matrix {
    /// Writes the layer normalisation of `input` to this matrix.
    ///
    /// Each row becomes (row − mean) / √(variance + `epsilon`) · `weight` + `bias`, with the biased
    /// variance. `input` may be this matrix itself. `weight` and `bias` have one element per
    /// column.
    package func layerNorm(
        of input: Matrix,
        weight: Tensor,
        bias: Tensor,
        epsilon: Float,
        path: KernelPath = .fastest
    ) {
        requireColumns(weight)
        requireColumns(bias)
        unsafe layerNorm(of: input, weight.buffer.base, bias.buffer.base, epsilon, path)
    }

    /// Runs the kernel on a weight and a bias of one number for each column.
    func layerNorm(
        of input: Matrix,
        _ weight: UnsafePointer<Float>,
        _ bias: UnsafePointer<Float>,
        _ epsilon: Float,
        _ path: KernelPath
    ) {
        requireSizes(of: input)
        unsafe ami_layer_norm(
            path.cpu,
            input.base,
            input.stride,
            writableBase,
            stride,
            rows,
            columns,
            weight,
            bias,
            epsilon
        )
    }

    /// Replaces every element by GELU(element + bias of its column), GELU(x) = x/2 (1 + erf(x/√2)).
    ///
    /// This matrix may be a range of columns of a wider one, from `first` on; `bias` covers all of
    /// the wider one's columns.
    package func biasGELU(_ bias: Tensor?, from first: Int = 0, path: KernelPath = .fastest) {
        if let bias { requireColumns(bias, from: first) }
        unsafe ami_bias_gelu(
            path.cpu,
            writableBase,
            stride,
            rows,
            columns,
            bias.map { unsafe $0.buffer.base + first }
        )
    }

    /// Adds `bias` to every row.
    ///
    /// This matrix may be a range of columns of a wider one, from `first` on; `bias` covers all of
    /// the wider one's columns.
    package func addBias(_ bias: Tensor, from first: Int = 0, path: KernelPath = .fastest) {
        requireColumns(bias, from: first)
        unsafe ami_add_bias(path.cpu, writableBase, stride, rows, columns, bias.buffer.base + first)
    }

    /// Replaces every element by exp(`scale` · (element − maximum of its row)).
    ///
    /// Writes the sum of each new row to the first column of `sums`: a softmax before its division.
    package func softmaxNumerators(
        scale: Float,
        sums: Matrix,
        path: KernelPath = .fastest
    ) {
        precondition(columns > 0 && sums.columns == rows && sums.rows == 1)
        unsafe ami_softmax_rows(
            path.cpu,
            writableBase,
            stride,
            rows,
            columns,
            scale,
            sums.writableBase
        )
    }

    /// Divides every row by its divisor; `divisors` is [1, rows].
    package func divideRows(by divisors: Matrix, path: KernelPath = .fastest) {
        precondition(divisors.columns == rows && divisors.rows == 1)
        unsafe ami_divide_rows(path.cpu, writableBase, stride, rows, columns, divisors.base)
    }

    private func requireColumns(_ vector: Tensor, from first: Int) {
        precondition(
            first >= 0 && first + columns <= vector.shape.elementCount,
            "a vector \(vector.shape) meets columns \(first) to \(first + columns)"
        )
    }

    func requireColumns(_ vector: Tensor) {
        precondition(
            vector.shape.elementCount == columns,
            "a vector \(vector.shape) meets rows of \(columns) elements"
        )
    }
}
