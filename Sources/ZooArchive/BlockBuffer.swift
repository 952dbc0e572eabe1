// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// A reusable buffer for one block; allocating a buffer per block costs more than hashing it.
///
/// Not thread-safe; each worker owns its buffers.
@safe
package final class BlockBuffer {
    private let storage: UnsafeMutableRawBufferPointer
    /// The number of bytes in the buffer.
    package private(set) var count = 0
    /// The number of modifications, by which a ``VerifiedBlock`` detects that its buffer was reused.
    private(set) var generation = 0
    /// The hash of the first ``hashed`` bytes.
    private var hasher = ContentDigest.Hasher()
    private var hashed = 0

    /// Creates an empty buffer for one raw or encoded block.
    package init() {
        unsafe storage = .allocate(byteCount: FormatLimits.encodedBlock, alignment: 64)
    }

    deinit { unsafe storage.deallocate() }

    /// Empties the buffer.
    package func removeAll() {
        count = 0
        generation += 1
        hasher = ContentDigest.Hasher()
        hashed = 0
    }

    /// Appends bytes; traps when they exceed the size of an encoded block.
    package func append(_ bytes: RawSpan) {
        precondition(count + bytes.byteCount <= FormatLimits.encodedBlock, "a block overflows")
        generation += 1
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(rebasing: storage[count...]).copyMemory(
                from: source
            )
        }
        count += bytes.byteCount
        // While the bytes are in the cache of the processor; a whole block does not fit into it.
        hash()
    }

    /// Appends `length` bytes written by `body`.
    func append(
        _ length: Int,
        _ body: (UnsafeMutableRawBufferPointer) throws(ZooError) -> Void
    ) throws(ZooError) {
        precondition(count + length <= FormatLimits.encodedBlock, "a block overflows")
        generation += 1
        unsafe try body(UnsafeMutableRawBufferPointer(rebasing: storage[count..<count + length]))
        count += length
    }

    /// Replaces the content with the bytes written by `body`.
    ///
    /// - Parameter body: writes into the whole buffer and returns the number of bytes written.
    /// - Throws: the error of `body`.
    func replace(
        _ body: (UnsafeMutableRawBufferPointer) throws(ZooError) -> Int
    ) throws(ZooError) {
        removeAll()
        count = unsafe try body(storage)
    }

    /// Calls `body` with the content, which is valid only during the call.
    func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(ZooError) -> Result
    ) throws(ZooError) -> Result {
        unsafe try body(UnsafeRawBufferPointer(rebasing: storage[..<count]))
    }

    /// The digest of the content.
    package var digest: ContentDigest {
        hash()
        return hasher.finish()
    }

    private func hash() {
        unsafe hasher.update(UnsafeRawBufferPointer(rebasing: storage[hashed..<count]))
        hashed = count
    }
}
