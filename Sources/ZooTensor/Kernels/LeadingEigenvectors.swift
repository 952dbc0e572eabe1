// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import COpenBLAS

/// The largest eigenvalues of a symmetric matrix, with their eigenvectors.
package struct LeadingEigenvectors: Sendable {
    /// The eigenvalues, largest first.
    package let values: [Float]
    /// The unit eigenvectors as rows: [count, order].
    package let vectors: Matrix

    /// Computes the `count` largest eigenvalues with LAPACK's `ssyevr`.
    ///
    /// Returns nil if LAPACK finds none, for example because of NaN elements.
    ///
    /// - Parameters:
    ///   - matrix: symmetric, [order, order]; its elements are overwritten.
    ///   - count: the number of eigenvalues, 1 to the order inclusive.
    package init?(ofSymmetric matrix: Matrix, count: Int) {
        let order = matrix.rows
        precondition(matrix.columns == order && (1...order).contains(count))
        var (size, stride) = (Int32(order), Int32(matrix.stride))
        var (first, last) = (Int32(order - count + 1), Int32(order))
        var (unused, found, info): (Float, Int32, Int32) = (0, 0, 0)
        // The minimum workspace sizes that LAPACK documents: 26 n and 10 n.
        var (realSize, integerSize) = (Int32(26 * order), Int32(10 * order))
        var work = [Float](repeating: 0, count: 26 * order)
        var integers = [Int32](repeating: 0, count: 10 * order)
        var support = [Int32](repeating: 0, count: 2 * count)
        var eigenvalues = [Float](repeating: 0, count: order)
        let ascending = Matrix(rows: count, columns: order)
        var (job, range, triangle) = (
            CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "I")), CChar(UInt8(ascii: "L"))
        )
        // LAPACK's column-major vectors are rows here; a symmetric matrix is equal to its
        // transpose.
        unsafe ssyevr_(
            &job,
            &range,
            &triangle,
            &size,
            matrix.writableBase,
            &stride,
            &unused,
            &unused,
            &first,
            &last,
            &unused,
            &found,
            &eigenvalues,
            ascending.writableBase,
            &size,
            &support,
            &work,
            &realSize,
            &integers,
            &integerSize,
            &info
        )
        guard info == 0, found == Int32(count), eigenvalues.allSatisfy(\.isFinite) else {
            return nil
        }
        values = eigenvalues.prefix(count).reversed()
        vectors = Matrix(rows: count, columns: order)
        for row in 0..<count {
            vectors.rows(row..<row + 1).copy(from: ascending.rows(count - 1 - row..<count - row))
        }
    }
}
