// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Float32 elements in row-major order, with a shape.
///
/// A value type with copy on write.
public struct Tensor: Sendable {
    /// The sizes, outermost first.
    public let shape: Shape
    /// The elements.
    package private(set) var buffer: FloatBuffer

    /// Creates a tensor of zeros.
    public init(zeros shape: Shape) {
        self.init(shape: shape, buffer: FloatBuffer(count: shape.elementCount))
    }

    /// Creates a tensor from `values`, whose count must match the shape.
    public init(shape: Shape, values: [Float]) {
        self.init(zeros: shape)
        precondition(
            values.count == shape.elementCount,
            "\(values.count) values do not fill a tensor of shape \(shape)"
        )
        unsafe buffer.base.update(from: values, count: values.count)
    }

    /// Creates a tensor over a buffer that holds exactly its elements.
    package init(shape: Shape, buffer: FloatBuffer) {
        precondition(
            buffer.count == shape.elementCount,
            "a buffer of \(buffer.count) elements is not a tensor of shape \(shape)"
        )
        self.shape = shape
        self.buffer = buffer
    }

    /// A copy of the elements, in row-major order.
    public var values: [Float] {
        withValues { elements in
            unsafe Array(elements.withUnsafeBufferPointer { unsafe $0 })
        }
    }

    /// The element at `indices`, one index per axis.
    public subscript(indices: Int...) -> Float {
        precondition(
            indices.count == shape.rank,
            "\(indices.count) indices for a tensor of shape \(shape)"
        )
        var offset = 0
        for (axis, index) in indices.enumerated() {
            precondition(
                index >= 0 && index < shape[axis],
                "index \(indices) is outside a tensor of shape \(shape)"
            )
            offset = offset * shape[axis] + index
        }
        return unsafe buffer.base[offset]
    }

    /// Passes the elements in row-major order to `body`, for reading.
    public func withValues<Result>(
        _ body: (Span<Float>) throws -> Result
    ) rethrows -> Result {
        let elements = unsafe UnsafeBufferPointer(start: buffer.base, count: buffer.count)
        defer { withExtendedLifetime(buffer) {} }
        return try body(unsafe elements.span)
    }

    /// Passes the elements in row-major order to `body`, for writing.
    public mutating func withMutableValues<Result>(
        _ body: (inout MutableSpan<Float>) throws -> Result
    ) rethrows -> Result {
        if !buffer.isWritable || !isKnownUniquelyReferenced(&buffer) {
            let copy = FloatBuffer(count: buffer.count)
            unsafe copy.base.update(from: buffer.base, count: buffer.count)
            buffer = copy
        }
        let elements = unsafe UnsafeMutableBufferPointer(start: buffer.base, count: buffer.count)
        defer { withExtendedLifetime(buffer) {} }
        var span = unsafe elements.mutableSpan
        return try body(&span)
    }

    /// The same elements with another shape of the same element count.
    public func reshaped(_ shape: Shape) -> Tensor { Tensor(shape: shape, buffer: buffer) }

    /// The tensor as a matrix whose rows run along the last axis.
    package var matrix: Matrix {
        precondition(shape.rank > 0, "a single number is not a matrix")
        let columns = shape[shape.rank - 1]
        return Matrix(
            buffer: buffer,
            rows: columns == 0 ? 0 : buffer.count / columns,
            columns: columns
        )
    }
}
