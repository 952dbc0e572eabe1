// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
package import ZooFiles
package import ZooTensor

/// A strided tensor in a checkpoint file.
///
/// Elements are read on demand, and sequential reading takes constant memory: see
/// ``forEachChunk(of:_:_:)``.
package struct TensorView: Sendable {
    /// The identity of the elements of a view.
    package struct Identity: Hashable, Sendable {
        let file: ObjectIdentifier
        let firstByte: Int
        let dtype: DType
        let shape: Shape
        let strides: [Int]
    }

    /// The type of the elements.
    package let dtype: DType
    /// The shape, outermost size first.
    package let shape: Shape
    /// The strides, in elements.
    let strides: [Int]
    /// The offset of the first element in the file, in bytes.
    let firstByte: Int
    /// Whether the bytes of each element are in big-endian order.
    let isBigEndian: Bool
    let file: MappedFile

    /// The approximate size of a chunk in bytes.
    ///
    /// It is small enough for the processor cache and for prompt cancellation.
    static let chunk = 1 << 20

    /// Creates a view of elements of a file; the caller has checked that all are inside it.
    ///
    /// - Parameters:
    ///   - dtype: the type of the elements.
    ///   - shape: the shape.
    ///   - strides: the strides in elements; nil for contiguous row-major elements.
    ///   - firstByte: the offset of the first element, in bytes.
    ///   - isBigEndian: whether the bytes of each element are in big-endian order.
    ///   - file: the file.
    init(
        dtype: DType,
        shape: Shape,
        strides: [Int]? = nil,
        firstByte: Int,
        isBigEndian: Bool = false,
        of file: MappedFile
    ) {
        self.dtype = dtype
        self.shape = shape
        self.strides = strides ?? Self.rowMajorStrides(shape.sizes)
        self.firstByte = firstByte
        self.isBigEndian = isBigEndian && dtype.bitWidth > 8
        self.file = file
    }

    static func rowMajorStrides(_ sizes: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: sizes.count)
        for axis in strides.indices.dropLast().reversed() {
            strides[axis] = strides[axis + 1] * max(sizes[axis + 1], 1)
        }
        return strides
    }

    /// The size of the elements in row-major order, in bytes.
    package var byteCount: Int { shape.byteCount(of: dtype) ?? 0 }

    /// Equal for views of the same elements in the same order.
    package var identity: Identity {
        Identity(
            file: ObjectIdentifier(file),
            firstByte: firstByte,
            dtype: dtype,
            shape: shape,
            strides: strides
        )
    }

    /// The byte range of the file, if it stores the elements in row-major little-endian order.
    var mappedRange: Range<Int>? {
        guard !isBigEndian else { return nil }
        let rowMajor = Self.rowMajorStrides(shape.sizes)
        let isContiguous = shape.sizes.indices.allSatisfy {
            shape.sizes[$0] <= 1 || strides[$0] == rowMajor[$0]
        }
        guard isContiguous || byteCount == 0 else { return nil }
        return firstByte..<firstByte + byteCount
    }

    /// The elements in row-major order, without a copy if the mapped memory has that order.
    ///
    /// A page that cannot be read appears as zeros; ``Checkpoint/requireIntact()`` detects that.
    package var stored: StoredTensor {
        if let range = mappedRange {
            return unsafe StoredTensor(
                dtype: dtype,
                shape: shape,
                unsafeBytes: UnsafeRawBufferPointer(rebasing: file.bytes[range]),
                owner: file
            )
        }
        let memory = ElementMemory(byteCount: byteCount)
        gather(elements: 0..<shape.elementCount, into: memory)
        return unsafe StoredTensor(
            dtype: dtype,
            shape: shape,
            unsafeBytes: UnsafeRawBufferPointer(memory.bytes),
            owner: memory
        )
    }

    /// Passes the row-major little-endian bytes of some elements to `body`, chunk by chunk.
    ///
    /// - Parameters:
    ///   - elements: the indices of the elements in row-major order; nil for all.
    ///   - cancellation: checked before each chunk.
    ///   - body: receives a chunk.
    /// - Throws: ``ZooError`` with an `io.*` code if some bytes cannot be read,
    ///   `CancellationError`, or what `body` throws.
    package func forEachChunk(
        of elements: Range<Int>? = nil,
        _ cancellation: Cancellation,
        _ body: (RawSpan) throws -> Void
    ) throws {
        let elements = elements ?? 0..<shape.elementCount
        if let range = mappedRange {
            // Also correct for dtypes of less than a byte, whose tensors take whole bytes.
            let start = firstByte + elements.lowerBound * dtype.bitWidth / 8
            let end = firstByte + elements.upperBound * dtype.bitWidth / 8
            precondition(range.contains(start) && end <= range.upperBound || start == end)
            try file.forEachPiece(of: start..<end, size: Self.chunk, cancellation, body)
            return
        }
        let width = dtype.bitWidth / 8
        let count = min(Self.chunk / width, elements.count)
        let memory = ElementMemory(byteCount: count * width)
        for first in stride(from: elements.lowerBound, to: elements.upperBound, by: max(count, 1)) {
            try cancellation.check()
            let piece = first..<min(first + count, elements.upperBound)
            gather(elements: piece, into: memory)
            // The elements come from mapped memory, which cannot report an error itself.
            try file.requireIntact()
            try body(
                unsafe UnsafeRawBufferPointer(rebasing: memory.bytes[..<(piece.count * width)])
                    .bytes
            )
        }
    }

    /// Copies strided elements to contiguous memory in little-endian order.
    private func gather(elements: Range<Int>, into memory: ElementMemory) {
        let width = dtype.bitWidth / 8
        let swapped = dtype == .c64 || dtype == .c128 ? width / 2 : width
        let sizes = shape.sizes
        guard !elements.isEmpty else { return }
        var index = [Int](repeating: 0, count: sizes.count)
        var rest = elements.lowerBound
        for axis in sizes.indices.reversed() {
            index[axis] = rest % sizes[axis]
            rest /= sizes[axis]
        }
        var offset = zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }
        for element in 0..<elements.count {
            let source = firstByte + offset * width
            let target = element * width
            for byte in 0..<width {
                let from =
                    isBigEndian ? byte / swapped * swapped + swapped - 1 - byte % swapped : byte
                unsafe memory.bytes[target + byte] = file.bytes[source + from]
            }
            var axis = sizes.count - 1
            while axis >= 0 {
                index[axis] += 1
                offset += strides[axis]
                if index[axis] < sizes[axis] { break }
                offset -= index[axis] * strides[axis]
                index[axis] = 0
                axis -= 1
            }
        }
    }
}

/// Memory for elements that are copied in row-major order.
@safe
final class ElementMemory: @unchecked Sendable {
    // Sendable without a lock, because its creator fills it before sharing it.
    @unsafe let bytes: UnsafeMutableRawBufferPointer

    init(byteCount: Int) {
        unsafe bytes = .allocate(byteCount: byteCount, alignment: 64)
    }

    deinit { unsafe bytes.deallocate() }
}
