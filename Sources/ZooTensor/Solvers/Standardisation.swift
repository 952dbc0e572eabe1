// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels

/// How columns are brought to mean 0 and std 1.
package struct Standardisation: Sendable {
    /// The mean of each column.
    package let mean: [Double]
    /// The std of each column, with the divisor n; 1 for a column whose numbers are all equal.
    package let scale: [Double]

    /// Measures rows, in two passes.
    ///
    /// - Parameters:
    ///   - rows: the rows.
    ///   - included: which rows count; at least one does.
    ///   - session: the computation.
    /// - Throws: what reading throws; `CancellationError`.
    package init(_ rows: RowBlocks, included: [Bool], in session: ComputeSession) throws {
        let count = Double(included.count { $0 })
        let mean = try Self.sums(rows, included, centre: nil, session).map { $0 / count }
        self.mean = mean
        let squares = try Self.sums(rows, included, centre: mean, session)
        // The mean of equal numbers is rounded, so that their variance is not quite 0.
        scale = zip(squares, mean).map { sum, mean in
            let variance = sum / count
            return variance > 1e-14 * mean * mean ? variance.squareRoot() : 1
        }
    }

    private static func sums(
        _ rows: RowBlocks,
        _ included: [Bool],
        centre: [Double]?,
        _ session: ComputeSession
    ) throws -> [Double] {
        let sums = DoubleMatrix(rows: 1, columns: rows.columns)
        try rows.forEachGroup { _, parts in
            try session.checkCancellation()
            session.forEachColumns(rows.columns) { columns, _ in
                for part in parts {
                    let matrix = part.matrix.columns(columns)
                    unsafe ami_column_sums(
                        matrix.base,
                        matrix.stride,
                        matrix.rows,
                        columns.count,
                        Array(included[part.rows]),
                        centre.map { Array($0[columns]) },
                        sums.base + columns.lowerBound
                    )
                }
            }
        }
        return (0..<rows.columns).map { sums[0, $0] }
    }

    /// Standardised rows, 0 where they are not included.
    func apply(to matrix: Matrix, included: [Bool], into output: Matrix) {
        unsafe ami_standardise_rows(
            matrix.base,
            matrix.stride,
            matrix.rows,
            matrix.columns,
            included,
            mean,
            scale,
            output.writableBase,
            output.stride
        )
    }
}

extension Matrix {
    /// The mean of each column, summed in float64.
    package func columnMeans() -> [Double] {
        var sums = [Double](repeating: 0, count: columns)
        unsafe ami_column_sums(
            base,
            stride,
            rows,
            columns,
            [Bool](repeating: true, count: rows),
            nil,
            &sums
        )
        return sums.map { $0 / Double(rows) }
    }
}
