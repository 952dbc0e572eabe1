// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels

/// The kernels of training. Vectors are matrices of one row, [1, columns].
extension Matrix {
    /// Writes the layer normalisation of `input` to this matrix, as the method that takes tensors.
    func layerNorm(
        of input: Matrix,
        weight: Matrix,
        bias: Matrix,
        epsilon: Float,
        path: KernelPath = .fastest
    ) {
        requireRow(weight)
        requireRow(bias)
        unsafe layerNorm(of: input, weight.base, bias.base, epsilon, path)
    }

    /// Replaces the gradient of the output of a layer normalisation by that of its input.
    ///
    /// - Parameters:
    ///   - input: the input of the layer, of the sizes of this matrix.
    ///   - weight: the weight of the layer.
    ///   - epsilon: the epsilon of the layer.
    ///   - weightGradient: the gradient of the weight is added to it.
    ///   - biasGradient: the gradient of the bias is added to it.
    ///   - path: the copy of the kernel to run.
    package func layerNormGradient(
        input: Matrix,
        weight: Matrix,
        epsilon: Float,
        weightGradient: Matrix,
        biasGradient: Matrix,
        path: KernelPath = .fastest
    ) {
        requireSizes(of: input)
        for row in [weight, weightGradient, biasGradient] { requireRow(row) }
        unsafe ami_layer_norm_gradient(
            path.cpu,
            input.base,
            input.stride,
            base,
            stride,
            writableBase,
            stride,
            rows,
            columns,
            weight.base,
            epsilon,
            weightGradient.writableBase,
            biasGradient.writableBase
        )
    }

    /// Replaces the gradient of GELU(`input`) by that of `input`.
    package func geluGradient(input: Matrix, path: KernelPath = .fastest) {
        requireSizes(of: input)
        unsafe ami_gelu_gradient(
            path.cpu,
            input.base,
            input.stride,
            writableBase,
            stride,
            rows,
            columns
        )
    }

    /// Replaces the gradient of `weights` = softmax(`scale` · scores), row by row, by that of the scores.
    package func softmaxGradient(weights: Matrix, scale: Float, path: KernelPath = .fastest) {
        requireSizes(of: weights)
        unsafe ami_softmax_gradient(
            path.cpu,
            weights.base,
            weights.stride,
            writableBase,
            stride,
            rows,
            columns,
            scale
        )
    }

    /// Writes the mean and 1 / √(variance + `epsilon`) of each row, with the biased variance.
    ///
    /// - Parameters:
    ///   - means: [1, rows].
    ///   - inverses: [1, rows].
    ///   - epsilon: what is added to the variance.
    ///   - path: the copy of the kernel to run.
    func statistics(
        means: Matrix,
        inverses: Matrix,
        epsilon: Float,
        path: KernelPath = .fastest
    ) {
        precondition(means.rows == 1 && means.columns == rows)
        precondition(inverses.rows == 1 && inverses.columns == rows)
        unsafe ami_row_statistics(
            path.cpu,
            base,
            stride,
            rows,
            columns,
            epsilon,
            means.writableBase,
            inverses.writableBase
        )
    }

    /// Multiplies every row by `factors`, element by element.
    func scaleColumns(by factors: Matrix, path: KernelPath = .fastest) {
        requireRow(factors)
        unsafe ami_scale_columns(path.cpu, writableBase, stride, rows, columns, factors.base)
    }

    /// Subtracts the mean of every row from the row.
    func centreRows(path: KernelPath = .fastest) {
        unsafe ami_centre_rows(path.cpu, writableBase, stride, rows, columns)
    }

    /// Subtracts left · rightᵀ from every row; `left` is [rows, depth] and `right` [1, depth].
    func subtractProducts(_ left: Matrix, _ right: Matrix, path: KernelPath = .fastest) {
        precondition(left.rows == rows)
        left.requireRow(right)
        unsafe ami_subtract_products(
            path.cpu,
            writableBase,
            stride,
            rows,
            columns,
            left.base,
            left.stride,
            right.base,
            left.columns
        )
    }

    /// Adds to this row the sums of each column of the products of the elements of two matrices.
    func addProducts(_ left: Matrix, _ right: Matrix, path: KernelPath = .fastest) {
        left.requireSizes(of: right)
        left.requireRow(self)
        unsafe ami_add_products(
            path.cpu,
            left.base,
            left.stride,
            right.base,
            right.stride,
            left.rows,
            left.columns,
            writableBase
        )
    }

    /// Adds `row` to every row.
    func add(row: Matrix, path: KernelPath = .fastest) {
        requireRow(row)
        unsafe ami_add_bias(path.cpu, writableBase, stride, rows, columns, row.base)
    }

    private func requireRow(_ row: Matrix) {
        precondition(
            row.rows == 1 && row.columns == columns,
            "a vector [\(row.rows), \(row.columns)] meets rows of \(columns) elements"
        )
    }
}
