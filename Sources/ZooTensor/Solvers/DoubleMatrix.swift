// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// A row-major matrix of float64 numbers at a fixed address.
///
/// Sendable without a lock: the parts of a computation write disjoint elements, and none reads what another writes.
@safe
final class DoubleMatrix: @unchecked Sendable {
    /// The number of rows.
    let rows: Int
    /// The number of columns.
    let columns: Int
    /// The first element, valid while the matrix is alive.
    @unsafe let base: UnsafeMutablePointer<Double>

    /// Creates a matrix of zeros.
    init(rows: Int, columns: Int) {
        (self.rows, self.columns) = (rows, columns)
        unsafe base = .allocate(capacity: max(rows * columns, 1))
        unsafe base.initialize(repeating: 0, count: max(rows * columns, 1))
    }

    deinit { unsafe base.deallocate() }

    /// One element.
    subscript(row: Int, column: Int) -> Double {
        get {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            return unsafe base[row * columns + column]
        }
        set {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            unsafe base[row * columns + column] = newValue
        }
    }

    /// Adds a float32 matrix to the elements whose first is (row, column).
    func add(_ matrix: Matrix, row: Int, column: Int) {
        precondition(row + matrix.rows <= rows && column + matrix.columns <= columns)
        for index in 0..<matrix.rows {
            let (target, source) = unsafe (
                base + (row + index) * columns + column, matrix.base + index * matrix.stride
            )
            for element in 0..<matrix.columns {
                unsafe target[element] += Double(source[element])
            }
        }
    }
}
