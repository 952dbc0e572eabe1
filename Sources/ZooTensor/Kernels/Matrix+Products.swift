// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension Matrix {
    /// Adds `source`, whose columns are multiplied by the elements of a row [1, columns]: a gated
    /// residual connection.
    package func add(_ source: Matrix, timesRow gate: Matrix) {
        requireExtents(of: source)
        precondition(gate.rows == 1 && gate.columns == columns)
        for row in 0..<rows {
            let (target, from) = unsafe (
                writableBase + row * stride, source.base + row * source.stride
            )
            for column in 0..<columns {
                unsafe target[column] += from[column] * gate.base[column]
            }
        }
    }
}
