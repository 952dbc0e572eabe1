// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CKernels

/// A tensor as a checkpoint stores it: little-endian elements of any dtype in borrowed memory.
///
/// The memory is usually a mapped file, which is read on demand.
@safe
public struct StoredTensor: @unchecked Sendable {
    // Sendable without a lock: the bytes are never written through this type, and `owner` must keep
    // them in place and unchanged.

    /// The type of the elements.
    public let dtype: DType
    /// The sizes, outermost first.
    public let shape: Shape
    @unsafe private let bytes: UnsafeRawBufferPointer
    private let owner: any AnyObject & Sendable

    /// Creates a tensor over elements in memory of `owner`.
    ///
    /// The owner must keep the elements in place and unchanged. The number of bytes must match
    /// `dtype` and `shape`.
    @unsafe
    public init(
        dtype: DType,
        shape: Shape,
        unsafeBytes bytes: UnsafeRawBufferPointer,
        owner: any AnyObject & Sendable
    ) {
        precondition(
            shape.byteCount(of: dtype) == bytes.count,
            "\(bytes.count) bytes are not a tensor \(dtype.rawValue) \(shape)"
        )
        self.dtype = dtype
        self.shape = shape
        unsafe self.bytes = unsafe bytes
        self.owner = owner
    }

    /// Creates a stored tensor that shares the elements of a computed one.
    public init(_ tensor: Tensor) {
        dtype = .f32
        shape = tensor.shape
        let buffer = tensor.buffer
        unsafe bytes = unsafe UnsafeRawBufferPointer(
            UnsafeBufferPointer(start: buffer.base, count: buffer.count)
        )
        owner = buffer
    }

    /// Creates a stored tensor of integers, as I64.
    ///
    /// - Parameters:
    ///   - shape: the shape, with as many elements as `integers`.
    ///   - integers: the elements, row-major.
    public init(shape: Shape, integers: [Int]) {
        precondition(shape.elementCount == integers.count, "\(integers.count) are not \(shape)")
        dtype = .i64
        self.shape = shape
        let storage = IntegerStorage(integers)
        unsafe bytes = unsafe UnsafeRawBufferPointer(storage.words)
        owner = storage
    }

    /// Some rows along the first axis, in the same memory.
    ///
    /// The elements must take whole bytes.
    public func rows(_ range: Range<Int>) -> StoredTensor {
        precondition(shape.rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0])
        let row = shape[0] == 0 ? 0 : byteCount / shape[0]
        return unsafe StoredTensor(
            dtype: dtype,
            shape: Shape([range.count] + shape.sizes.dropFirst()),
            unsafeBytes: UnsafeRawBufferPointer(
                rebasing: bytes[range.lowerBound * row..<range.upperBound * row]
            ),
            owner: owner
        )
    }

    /// The size of the elements, in bytes.
    public var byteCount: Int { unsafe bytes.count }

    /// Passes the row-major little-endian bytes to `body`.
    public func withBytes<Result>(_ body: (RawSpan) throws -> Result) rethrows -> Result {
        defer { withExtendedLifetime(owner) {} }
        return try body(unsafe bytes.bytes)
    }

    /// The elements as float32: without a copy if possible, otherwise a widened copy.
    ///
    /// The element type must be computable (``DType/isComputable``).
    public var tensor: Tensor {
        precondition(dtype.isComputable, "\(dtype.rawValue) elements are not widened to F32")
        if let buffer = sharedBuffer { return Tensor(shape: shape, buffer: buffer) }
        let buffer = FloatBuffer(count: shape.elementCount)
        unsafe widen(elements: 0..<buffer.count, into: buffer.base)
        return Tensor(shape: shape, buffer: buffer)
    }

    /// The stored memory as float32 elements, if it holds F32 and is aligned to 4 bytes.
    package var sharedBuffer: FloatBuffer? {
        guard dtype == .f32, unsafe Int(bitPattern: bytes.baseAddress) % 4 == 0 else { return nil }
        return unsafe FloatBuffer(
            borrowing: bytes.assumingMemoryBound(to: Float.self),
            from: owner
        )
    }

    /// Widens a range of elements in row-major order into float32 memory of the same length.
    @unsafe
    package func widen(
        elements: Range<Int>,
        into output: UnsafeMutablePointer<Float>,
        path: KernelPath = .fastest
    ) {
        guard !elements.isEmpty, let start = unsafe bytes.baseAddress else { return }
        let width = dtype.bitWidth / 8
        precondition(
            unsafe elements.upperBound * width <= bytes.count,
            "elements \(elements) of \(shape)"
        )
        let input = unsafe start + elements.lowerBound * width
        switch dtype {
        case .bf16: unsafe ami_widen_bf16(path.cpu, input, output, elements.count)
        case .f16: unsafe ami_widen_f16(path.cpu, input, output, elements.count)
        case .f32:
            unsafe UnsafeMutableRawPointer(output).copyMemory(
                from: input,
                byteCount: elements.count * width
            )
        default: preconditionFailure("\(dtype.rawValue) elements are not widened to F32")
        }
        withExtendedLifetime(owner) {}
    }
}

/// Little-endian 64-bit words.
@safe
private final class IntegerStorage: @unchecked Sendable {
    // Sendable without a lock, because nothing is written after initialisation.
    let words: UnsafeMutableBufferPointer<Int64>

    init(_ integers: [Int]) {
        unsafe words = .allocate(capacity: integers.count)
        unsafe _ = words.initialize(from: integers.lazy.map { Int64($0).littleEndian })
    }

    deinit { unsafe words.deallocate() }
}
