// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// The grid of tokens in a video; token ids count columns first, then rows, then frames.
package struct TokenGrid: Hashable, Sendable {
    /// The number of rows.
    package let rows: Int
    /// The number of columns.
    package let columns: Int

    package init(rows: Int, columns: Int) {
        precondition(rows > 0 && columns > 0, "a grid of \(rows) by \(columns)")
        self.rows = rows
        self.columns = columns
    }

    /// Returns the position of a token along time, height and width.
    package func position(of id: Int) -> (frame: Int, row: Int, column: Int) {
        let inFrame = id % (rows * columns)
        return (id / (rows * columns), inFrame / columns, inFrame % columns)
    }
}
