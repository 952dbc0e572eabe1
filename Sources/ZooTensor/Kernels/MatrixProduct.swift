// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import COpenBLAS

/// Matrix products with BLAS.
///
/// OpenBLAS runs each product on the calling thread. Callers divide the work into panels of rows,
/// so that the passes before and after a product find their data in the cache.
package enum MatrixProduct {
    /// Whether OpenBLAS was told to use the calling thread alone.
    static let isSingleThreaded: Bool = {
        openblas_set_num_threads(1)
        return true
    }()

    /// output = left · rightᵀ, or output + left · rightᵀ when `accumulating`.
    ///
    /// - Parameters:
    ///   - left: [rows, depth].
    ///   - right: [columns, depth], the layout of linear layer weights.
    ///   - output: [rows, columns].
    ///   - accumulating: whether to add to the content of `output`.
    package static func multiply(
        _ left: Matrix,
        transposed right: Matrix,
        into output: Matrix,
        accumulating: Bool = false
    ) {
        precondition(left.columns == right.columns && output.columns == right.rows)
        precondition(left.rows == output.rows)
        multiply(left, CblasNoTrans, right, CblasTrans, left.columns, into: output, accumulating)
    }

    /// output = leftᵀ · right, or output + leftᵀ · right when `accumulating`.
    ///
    /// - Parameters:
    ///   - left: [depth, rows].
    ///   - right: [depth, columns].
    ///   - output: [rows, columns].
    ///   - accumulating: whether to add to the content of `output`.
    package static func multiply(
        transposing left: Matrix,
        _ right: Matrix,
        into output: Matrix,
        accumulating: Bool
    ) {
        precondition(left.rows == right.rows && output.columns == right.columns)
        precondition(left.columns == output.rows)
        multiply(left, CblasTrans, right, CblasNoTrans, left.rows, into: output, accumulating)
    }

    /// output = left · right, or output + left · right when `accumulating`.
    ///
    /// - Parameters:
    ///   - left: [rows, depth].
    ///   - right: [depth, columns].
    ///   - output: [rows, columns].
    ///   - accumulating: whether to add to the content of `output`.
    package static func multiply(
        _ left: Matrix,
        _ right: Matrix,
        into output: Matrix,
        accumulating: Bool = false
    ) {
        precondition(left.columns == right.rows && output.columns == right.columns)
        precondition(left.rows == output.rows)
        multiply(left, CblasNoTrans, right, CblasNoTrans, left.columns, into: output, accumulating)
    }

    private static func multiply(
        _ left: Matrix,
        _ leftOrder: CBLAS_TRANSPOSE,
        _ right: Matrix,
        _ rightOrder: CBLAS_TRANSPOSE,
        _ depth: Int,
        into output: Matrix,
        _ accumulating: Bool
    ) {
        precondition(isSingleThreaded)
        guard output.rows > 0, output.columns > 0 else { return }
        unsafe cblas_sgemm(
            CblasRowMajor,
            leftOrder,
            rightOrder,
            Int32(output.rows),
            Int32(output.columns),
            Int32(depth),
            1,
            left.base,
            Int32(left.stride),
            right.base,
            Int32(right.stride),
            accumulating ? 1 : 0,
            output.writableBase,
            Int32(output.stride)
        )
    }
}
