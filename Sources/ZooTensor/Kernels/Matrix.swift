// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels

/// A window of rows and columns over a buffer.
///
/// Windows share memory: writing through one shows in all the others. This is what kernels take. The buffer stays alive as long as a window does, and every window
/// lies inside its buffer; that no two threads write one element is the caller's duty.
package struct Matrix: Sendable {
    /// The memory.
    package let buffer: FloatBuffer
    /// The number of rows.
    package let rows: Int
    /// The number of columns.
    package let columns: Int
    /// The distance between the starts of two rows, in elements.
    package let stride: Int
    private let offset: Int

    private init(buffer: FloatBuffer, offset: Int, rows: Int, columns: Int, stride: Int) {
        self.buffer = buffer
        self.offset = offset
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }

    /// The first `rows` · `columns` elements of a buffer.
    package init(buffer: FloatBuffer, rows: Int, columns: Int) {
        precondition(
            rows >= 0 && columns >= 0 && rows * columns <= buffer.count,
            "a buffer of \(buffer.count) elements does not hold [\(rows), \(columns)]"
        )
        self.init(buffer: buffer, offset: 0, rows: rows, columns: columns, stride: columns)
    }

    /// A matrix of zeros with memory of its own.
    package init(rows: Int, columns: Int) {
        self.init(
            buffer: FloatBuffer(count: rows * columns),
            rows: rows,
            columns: columns
        )
    }

    /// The window of some rows.
    package func rows(_ range: Range<Int>) -> Matrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        return Matrix(
            buffer: buffer,
            offset: offset + range.lowerBound * stride,
            rows: range.count,
            columns: columns,
            stride: stride
        )
    }

    /// The window of some columns.
    package func columns(_ range: Range<Int>) -> Matrix {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= columns,
            "columns \(range) of \(columns)"
        )
        return Matrix(
            buffer: buffer,
            offset: offset + range.lowerBound,
            rows: rows,
            columns: range.count,
            stride: stride
        )
    }

    /// One element.
    package subscript(row: Int, column: Int) -> Float {
        get {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            return unsafe base[row * stride + column]
        }
        nonmutating set {
            precondition(row >= 0 && row < rows && column >= 0 && column < columns)
            unsafe writableBase[row * stride + column] = newValue
        }
    }

    /// Copies all elements of `source`, which must have the same sizes.
    package func copy(from source: Matrix) {
        requireSizes(of: source)
        for row in 0..<rows {
            unsafe (writableBase + row * stride).update(
                from: source.base + row * source.stride,
                count: columns
            )
        }
    }

    /// Adds all elements of `source`, which must have the same sizes.
    package func add(_ source: Matrix) {
        requireSizes(of: source)
        for row in 0..<rows {
            unsafe ami_add_bias(
                KernelPath.fastest.cpu,
                writableBase + row * stride,
                stride,
                1,
                columns,
                source.base + row * source.stride
            )
        }
    }

    /// The first element, for reading; valid while the buffer is alive.
    @unsafe var base: UnsafePointer<Float> { unsafe UnsafePointer(buffer.base + offset) }

    /// The first element, for writing; valid while the buffer is alive.
    @unsafe var writableBase: UnsafeMutablePointer<Float> {
        precondition(buffer.isWritable, "the memory of a checkpoint is only read")
        return unsafe buffer.base + offset
    }

    func requireSizes(of other: Matrix) {
        precondition(
            rows == other.rows && columns == other.columns,
            "[\(rows), \(columns)] meets [\(other.rows), \(other.columns)]"
        )
    }
}
