// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels

/// The left factor of products with weights, shared by all threads.
///
/// Many rows are packed into tiles of a few rows, in the order in which the kernel reads them. Few
/// rows are not packed, because packing weights for them would cost more than the product.
package struct ProductRows: Sendable {
    /// The minimum number of rows for packing, which costs as much as multiplying a dozen rows.
    static let leastPacked = 48

    /// The number of rows.
    package let rows: Int
    /// The number of elements in a row.
    package let columns: Int
    /// The rows, packed or not as ``isPacked`` states.
    private let buffer: FloatBuffer
    let path: KernelPath

    /// Whether rows are packed.
    var isPacked: Bool { rows >= Self.leastPacked }

    /// Creates uninitialised rows.
    ///
    /// - Parameters:
    ///   - rows: the number of rows.
    ///   - columns: the number of elements in a row.
    ///   - slot: the slot of `scratch`, whose content is replaced.
    ///   - scratch: memory that no other code uses at the same time.
    ///   - path: the copy of the kernel that will multiply.
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
    ///   - row: the first row to store, a multiple of 12.
    ///   - column: the first column to store.
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

    /// The rows as a matrix, if they are not packed.
    var plain: Matrix {
        precondition(!isPacked)
        return Matrix(buffer: buffer, rows: rows, columns: columns)
    }

    /// The tile that starts at `row`, if rows are packed.
    @unsafe
    func tile(at row: Int) -> UnsafePointer<Float> {
        precondition(isPacked && row.isMultiple(of: ami_tile_height(path.cpu)) && row < rows)
        return unsafe UnsafePointer(buffer.base + row * columns)
    }
}
