// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels

/// The left factor of products with weights, which all threads read.
///
/// Enough rows are packed: tiles of a few rows, element by element of the depth, as the kernel reads
/// them. A few rows stay as they are, because packing weights for them would cost more than the
/// product.
package struct ProductRows: Sendable {
    /// The fewest rows for which weights are packed; packing costs as much as multiplying a dozen.
    static let leastPacked = 48

    /// The number of rows.
    package let rows: Int
    /// The elements of a row.
    package let columns: Int
    /// Packed or not, by ``isPacked``.
    private let buffer: FloatBuffer
    let path: KernelPath

    /// Whether rows are packed.
    var isPacked: Bool { rows >= Self.leastPacked }

    /// Rows whose elements are to be stored.
    ///
    /// - Parameters:
    ///   - rows: the number of rows.
    ///   - columns: the elements of a row.
    ///   - slot: where in `scratch` they go; they replace what the slot held before.
    ///   - scratch: memory that nobody else uses meanwhile.
    ///   - path: which copy of the kernel will multiply.
    package init(
        rows: Int,
        columns: Int,
        in slot: Scratch.Slot,
        of scratch: Scratch,
        path: KernelPath = .fastest
    ) {
        self.rows = rows
        self.columns = columns
        self.path = path
        let height = ami_tile_height(path.cpu)
        buffer = scratch.buffer(slot, count: (rows + height - 1) / height * height * columns)
    }

    /// Stores a part of the rows.
    ///
    /// - Parameters:
    ///   - source: the elements.
    ///   - row: the row that the first of them belong to, a multiple of 12.
    ///   - column: the column that the first of them belong to.
    package func store(_ source: Matrix, row: Int, column: Int = 0) {
        precondition(
            row >= 0 && row + source.rows <= rows && column >= 0
                && column + source.columns <= columns,
            "[\(source.rows), \(source.columns)] at [\(row), \(column)] of [\(rows), \(columns)]"
        )
        guard isPacked else {
            plain.rows(row..<row + source.rows).columns(column..<column + source.columns)
                .copy(from: source)
            return
        }
        let height = ami_tile_height(path.cpu)
        precondition(
            row.isMultiple(of: height)
                && (source.rows.isMultiple(of: height) || row + source.rows == rows),
            "rows \(row) and \(source.rows) more are not whole tiles"
        )
        unsafe ami_pack_transposed(
            source.base,
            source.stride,
            source.rows,
            source.columns,
            height,
            height * columns,
            buffer.base + row * columns + column * height
        )
    }

    /// The rows as they are, when they are not packed.
    var plain: Matrix {
        precondition(!isPacked)
        return Matrix(buffer: buffer, rows: rows, columns: columns)
    }

    /// The tile that `row` begins, when rows are packed.
    @unsafe
    func tile(at row: Int) -> UnsafePointer<Float> {
        precondition(isPacked && row.isMultiple(of: ami_tile_height(path.cpu)) && row < rows)
        return unsafe UnsafePointer(buffer.base + row * columns)
    }
}
