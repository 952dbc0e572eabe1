// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import COpenBLAS

/// The one place that calls BLAS.
///
/// OpenBLAS runs each product on the calling thread: work is divided above it, into panels of rows
/// and into heads, where the passes around a product find their data still in the cache.
package enum MatrixProduct {
    private static let isSingleThreaded: Bool = {
        openblas_set_num_threads(1)
        return true
    }()

    /// output = left · right, or output + left · right when `accumulating`.
    package static func multiply(
        _ left: Matrix,
        _ right: Matrix,
        into output: Matrix,
        accumulating: Bool = false
    ) {
        precondition(left.columns == right.rows && output.columns == right.columns)
        run(left, right, transposed: false, into: output, accumulating: accumulating)
    }

    /// output = left · rightᵀ, or output + left · rightᵀ when `accumulating`.
    package static func multiply(
        _ left: Matrix,
        transposed right: Matrix,
        into output: Matrix,
        accumulating: Bool = false
    ) {
        precondition(left.columns == right.columns && output.columns == right.rows)
        run(left, right, transposed: true, into: output, accumulating: accumulating)
    }

    private static func run(
        _ left: Matrix,
        _ right: Matrix,
        transposed: Bool,
        into output: Matrix,
        accumulating: Bool
    ) {
        precondition(isSingleThreaded && left.rows == output.rows)
        guard output.rows > 0, output.columns > 0 else { return }
        unsafe cblas_sgemm(
            CblasRowMajor,
            CblasNoTrans,
            transposed ? CblasTrans : CblasNoTrans,
            Int32(output.rows),
            Int32(output.columns),
            Int32(left.columns),
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
