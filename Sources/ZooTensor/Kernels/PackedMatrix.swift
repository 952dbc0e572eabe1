// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels

/// The right factor of a matrix product, packed so that the product reads it sequentially.
///
/// Packing costs about as much as multiplying a dozen rows, so use a packed matrix for hundreds
/// of rows.
package struct PackedMatrix: Sendable {
    /// The number of rows, equal to the number of columns of a left factor.
    package let depth: Int
    /// The number of columns.
    package let columns: Int
    private let buffer: FloatBuffer
    private let path: KernelPath

    /// Packs the transpose of `matrix`, which is [columns, depth].
    ///
    /// - Parameters:
    ///   - matrix: the matrix to transpose and pack.
    ///   - slot: the slot of `scratch` to pack into; it must not hold `matrix` itself.
    ///   - scratch: the calling worker's memory.
    ///   - path: the copy of the kernel that will multiply.
    package init(
        transposing matrix: Matrix,
        in slot: Scratch.Slot,
        of scratch: Scratch,
        path: KernelPath = .fastest
    ) {
        self.init(depth: matrix.columns, columns: matrix.rows, slot, scratch, path)
        unsafe ami_pack_transposed(
            matrix.base,
            matrix.stride,
            columns,
            depth,
            ami_panel_width(path.cpu),
            ami_panel_width(path.cpu) * depth,
            buffer.base
        )
    }

    /// Packs the transpose of matrices that together are [columns, depth].
    ///
    /// Requests the rows of one panel at a time.
    ///
    /// - Parameters:
    ///   - columns: the total number of rows.
    ///   - depth: the number of columns of each.
    ///   - slot: the slot of `scratch` to pack into.
    ///   - scratch: the calling worker's memory.
    ///   - path: the copy of the kernel that will multiply.
    ///   - rows: returns a range of the rows.
    init(
        columns: Int,
        depth: Int,
        in slot: Scratch.Slot,
        of scratch: Scratch,
        path: KernelPath,
        rows: (Range<Int>) -> Matrix
    ) {
        self.init(depth: depth, columns: columns, slot, scratch, path)
        let width = ami_panel_width(path.cpu)
        for first in stride(from: 0, to: columns, by: width) {
            let panel = rows(first..<min(first + width, columns))
            unsafe ami_pack_transposed(
                panel.base,
                panel.stride,
                panel.rows,
                depth,
                width,
                width * depth,
                buffer.base + first * depth
            )
        }
    }

    /// Packs `matrix`, which is [depth, columns].
    ///
    /// - Parameters:
    ///   - matrix: the matrix to pack.
    ///   - slot: the slot of `scratch` to pack into; it must not hold `matrix` itself.
    ///   - scratch: the calling worker's memory.
    ///   - path: the copy of the kernel that will multiply.
    package init(
        _ matrix: Matrix,
        in slot: Scratch.Slot,
        of scratch: Scratch,
        path: KernelPath = .fastest
    ) {
        self.init(depth: matrix.rows, columns: matrix.columns, slot, scratch, path)
        unsafe ami_pack_columns(
            matrix.base,
            matrix.stride,
            columns,
            depth,
            ami_panel_width(path.cpu),
            buffer.base
        )
    }

    private init(
        depth: Int,
        columns: Int,
        _ slot: Scratch.Slot,
        _ scratch: Scratch,
        _ path: KernelPath
    ) {
        self.depth = depth
        self.columns = columns
        self.path = path
        let width = ami_panel_width(path.cpu)
        buffer = scratch.buffer(slot, count: (columns + width - 1) / width * width * depth)
    }

    /// Writes some rows of `left` · this matrix to `output`, or adds them to its content.
    ///
    /// - Parameters:
    ///   - left: packed rows of `depth` elements.
    ///   - range: the rows to multiply; they begin at a whole tile.
    ///   - output: [rows in `range`, columns].
    ///   - accumulating: whether to add to the content of `output`.
    func multiply(
        _ left: ProductRows,
        rows range: Range<Int>,
        into output: Matrix,
        accumulating: Bool
    ) {
        precondition(
            left.columns == depth && output.columns == columns && range.count == output.rows
                && range.upperBound <= left.rows && left.path == path,
            "[\(range.count), \(left.columns)] · [\(depth), \(columns)] is not "
                + "[\(output.rows), \(output.columns)]"
        )
        guard !range.isEmpty else { return }
        unsafe ami_multiply_both_packed(
            path.cpu,
            left.tile(at: range.lowerBound),
            ami_tile_height(path.cpu) * depth,
            buffer.base,
            output.writableBase,
            output.stride,
            range.count,
            columns,
            depth,
            accumulating
        )
    }

    /// Writes `left` · this matrix to `output`, or adds it to its content.
    ///
    /// - Parameters:
    ///   - left: [rows, depth].
    ///   - output: [rows, columns].
    ///   - accumulating: whether to add to the content of `output`.
    package func multiply(_ left: Matrix, into output: Matrix, accumulating: Bool = false) {
        precondition(
            left.columns == depth && output.columns == columns && left.rows == output.rows,
            "[\(left.rows), \(left.columns)] · [\(depth), \(columns)] is not "
                + "[\(output.rows), \(output.columns)]"
        )
        unsafe ami_multiply_packed(
            path.cpu,
            left.base,
            left.stride,
            buffer.base,
            output.writableBase,
            output.stride,
            left.rows,
            columns,
            depth,
            accumulating
        )
    }

    /// Writes `left` · the upper left corner of this matrix to `output`.
    ///
    /// Elements outside the corner are not read and cost no time.
    ///
    /// - Parameters:
    ///   - left: [rows, depth of the corner].
    ///   - output: [rows, columns of the corner].
    package func multiplyCorner(_ left: Matrix, into output: Matrix) {
        precondition(
            left.columns <= depth && output.columns <= columns && left.rows == output.rows,
            "[\(left.rows), \(left.columns)] · a corner of [\(depth), \(columns)] is not "
                + "[\(output.rows), \(output.columns)]"
        )
        // Panels have the depth of the whole matrix, so a shallower product takes them one by one.
        let width = left.columns == depth ? max(columns, 1) : ami_panel_width(path.cpu)
        for first in stride(from: 0, to: output.columns, by: width) {
            let panel = output.columns(first..<min(first + width, output.columns))
            unsafe ami_multiply_packed(
                path.cpu,
                left.base,
                left.stride,
                UnsafePointer(buffer.base + first * depth),
                panel.writableBase,
                panel.stride,
                left.rows,
                panel.columns,
                left.columns,
                false
            )
        }
    }
}
