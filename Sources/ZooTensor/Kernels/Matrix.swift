// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels

/// A view of rows and columns of a buffer, which kernels take as arguments.
///
/// Views share memory: a write through one is visible in all others. A view keeps its buffer alive
/// and is always inside it. The caller must ensure that no two threads write the same element.
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

    /// Creates a matrix of zeros with its own memory.
    package init(rows: Int, columns: Int) {
        self.init(
            buffer: FloatBuffer(count: rows * columns),
            rows: rows,
            columns: columns
        )
    }

    /// A view of some rows.
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

    /// A view of some columns.
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

    /// The same elements with other sizes; the rows must follow one another without gaps.
    package func reshaped(rows: Int, columns: Int) -> Matrix {
        precondition(
            rows * columns == self.rows * self.columns && (self.rows < 2 || stride == self.columns),
            "[\(self.rows), \(self.columns)] with the stride \(stride) as [\(rows), \(columns)]"
        )
        return Matrix(buffer: buffer, offset: offset, rows: rows, columns: columns, stride: columns)
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

    /// Copies all elements of `source`, which must have the same shape.
    package func copy(from source: Matrix) {
        requireSizes(of: source)
        for row in 0..<rows {
            unsafe (writableBase + row * stride).update(
                from: source.base + row * source.stride,
                count: columns
            )
        }
    }

    /// Adds all elements of `source`, which must have the same shape.
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
