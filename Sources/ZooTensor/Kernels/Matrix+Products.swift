// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

extension Matrix {
    /// Adds `source` with its columns multiplied by the elements of a row [1, columns].
    ///
    /// This is a gated residual connection.
    package func add(_ source: Matrix, timesRow gate: Matrix) {
        requireSizes(of: source)
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

    /// Adds `source` multiplied by `gates`, element by element.
    package func add(_ source: Matrix, times gates: Matrix) {
        requireSizes(of: source)
        requireSizes(of: gates)
        for row in 0..<rows {
            rows(row..<row + 1).add(source.rows(row..<row + 1), timesRow: gates.rows(row..<row + 1))
        }
    }

    /// Replaces every element x by x · (1 + scale) + shift, with one scale and shift per element.
    package func modulate(scales: Matrix, shifts: Matrix) {
        requireSizes(of: scales)
        requireSizes(of: shifts)
        for row in 0..<rows {
            let (target, scale, shift) = unsafe (
                writableBase + row * stride, scales.base + row * scales.stride,
                shifts.base + row * shifts.stride
            )
            for column in 0..<columns {
                unsafe target[column] = target[column] * (1 + scale[column]) + shift[column]
            }
        }
    }
}
