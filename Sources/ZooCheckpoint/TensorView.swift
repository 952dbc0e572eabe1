// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
package import ZooFiles
package import ZooTensor

/// A tensor as it lies in a checkpoint file: elements in any order.
///
/// Nothing is read until it is asked for, and reading in order takes little memory whatever the
/// size: see ``forEachChunk(of:_:_:)``.
package struct TensorView: Sendable {
    /// What makes two views the same elements.
    package struct Identity: Hashable, Sendable {
        let file: ObjectIdentifier
        let firstByte: Int
        let dtype: DType
        let shape: Shape
        let strides: [Int]
    }

    /// The type of the elements.
    package let dtype: DType
    /// The sizes, outermost first.
    package let shape: Shape
    /// The distance between neighbours along each axis, in elements.
    let strides: [Int]
    /// Where the first element lies in the file.
    let firstByte: Int
    /// Whether the bytes of each element stand in big-endian order.
    let isBigEndian: Bool
    let file: MappedFile

    /// Bytes are handed out in pieces of about this size: small enough for the cache of a processor,
    /// and for work that is cancelled to end at once.
    static let chunk = 1 << 20

    /// Describes elements of a file; the caller has checked that all lie inside it.
    ///
    /// - Parameters:
    ///   - dtype: the type of the elements.
    ///   - shape: the sizes.
    ///   - strides: the distance between neighbours; nil for row-major elements without gaps.
    ///   - firstByte: where the first element lies.
    ///   - isBigEndian: the order of the bytes of each element.
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

    /// The bytes of the file that hold the elements in row-major little-endian order, if they do.
    var mappedRange: Range<Int>? {
        guard !isBigEndian else { return nil }
        let rowMajor = Self.rowMajorStrides(shape.sizes)
        let isContiguous = shape.sizes.indices.allSatisfy {
            shape.sizes[$0] <= 1 || strides[$0] == rowMajor[$0]
        }
        guard isContiguous || byteCount == 0 else { return nil }
        return firstByte..<firstByte + byteCount
    }

    /// The elements in row-major order: the mapped memory itself where it has that order.
    ///
    /// A page that cannot be read holds zeros; ``Checkpoint/requireIntact()`` tells.
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

    /// Lends the row-major little-endian bytes of some elements, piece by piece.
    ///
    /// - Parameters:
    ///   - elements: which, counted in row-major order; nil for all.
    ///   - cancellation: checked before each piece.
    ///   - body: takes a piece.
    /// - Throws: ``ZooError`` with an `io.*` code when the file does not deliver all bytes,
    ///   `CancellationError`, or what `body` throws.
    package func forEachChunk(
        of elements: Range<Int>? = nil,
        _ cancellation: Cancellation,
        _ body: (RawSpan) throws -> Void
    ) throws {
        let elements = elements ?? 0..<shape.elementCount
        if let range = mappedRange {
            // Also element types of less than a byte, whose tensors are whole bytes.
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
            // Gathered from mapped memory, which cannot report an error itself.
            try file.requireIntact()
            try body(
                unsafe UnsafeRawBufferPointer(rebasing: memory.bytes[..<(piece.count * width)])
                    .bytes
            )
        }
    }

    /// Copies elements from where their strides put them, least significant byte first.
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

/// Memory for elements that are put in order.
@safe
final class ElementMemory: @unchecked Sendable {
    // Sendable without a lock: whoever makes it fills it before anybody else sees it.
    @unsafe let bytes: UnsafeMutableRawBufferPointer

    init(byteCount: Int) {
        unsafe bytes = .allocate(byteCount: byteCount, alignment: 64)
    }

    deinit { unsafe bytes.deallocate() }
}
