// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Float32 elements at a fixed address.
///
/// The memory is either owned, aligned to a cache line and writable, or borrowed from an owner that
/// the buffer keeps alive, and read-only.
///
/// Sendable without a lock: elements of a buffer that several values share are never written,
/// because ``Tensor`` copies on write. While a computation fills a buffer, its parts are assigned
/// so that no element has two writers.
@safe
package final class FloatBuffer: @unchecked Sendable {
    /// The first element.
    @unsafe package let base: UnsafeMutablePointer<Float>
    /// The number of elements.
    package let count: Int
    /// The owner of borrowed memory; nil if this buffer owns it.
    private let owner: (any AnyObject & Sendable)?

    /// Whether the elements may be changed.
    package var isWritable: Bool { owner == nil }

    /// Owned elements, all zero.
    package init(count: Int) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        unsafe base = memory.bindMemory(to: Float.self, capacity: max(count, 1))
        unsafe base.initialize(repeating: 0, count: max(count, 1))
        self.count = count
        owner = nil
    }

    /// Borrows elements in memory of `owner`, which must keep them in place and unchanged.
    @unsafe
    package init(
        borrowing elements: UnsafeBufferPointer<Float>,
        from owner: any AnyObject & Sendable
    ) {
        // An empty tensor has no address; any aligned address works, because nothing is read.
        let address = unsafe elements.baseAddress ?? UnsafePointer(bitPattern: 64)
        guard let address = unsafe address else { preconditionFailure("64 is not an address") }
        unsafe base = UnsafeMutablePointer(mutating: address)
        count = elements.count
        self.owner = owner
    }

    deinit {
        if owner == nil { unsafe base.deallocate() }
    }
}
