// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Room for the bytes of one block, allocated once and used again for every block a worker meets:
/// fresh memory costs more than hashing it.
///
/// Not thread-safe; each worker owns its buffers.
@safe
package final class BlockBuffer {
    private let storage: UnsafeMutableRawBufferPointer
    /// Bytes held.
    package private(set) var count = 0
    /// Counts the changes, so that a ``VerifiedBlock`` knows whether it still holds what was verified.
    private(set) var generation = 0

    /// An empty buffer for one block in either form.
    package init() {
        unsafe storage = .allocate(byteCount: FormatLimits.encodedBlock, alignment: 64)
    }

    deinit { unsafe storage.deallocate() }

    /// Forgets what is held.
    package func removeAll() {
        count = 0
        generation += 1
    }

    /// Adds bytes; more than a block holds is a bug of the caller.
    package func append(_ bytes: RawSpan) {
        precondition(count + bytes.byteCount <= FormatLimits.encodedBlock, "a block overflows")
        generation += 1
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(rebasing: storage[count...]).copyMemory(
                from: source
            )
        }
        count += bytes.byteCount
    }

    /// Adds `length` bytes that `body` writes.
    func append(
        _ length: Int,
        _ body: (UnsafeMutableRawBufferPointer) throws(ZooError) -> Void
    ) throws(ZooError) {
        precondition(count + length <= FormatLimits.encodedBlock, "a block overflows")
        generation += 1
        unsafe try body(UnsafeMutableRawBufferPointer(rebasing: storage[count..<count + length]))
        count += length
    }

    /// Replaces what is held by what `body` writes into all the room there is.
    ///
    /// - Parameter body: returns how many bytes it wrote.
    /// - Throws: what `body` throws.
    func replace(
        _ body: (UnsafeMutableRawBufferPointer) throws(ZooError) -> Int
    ) throws(ZooError) {
        removeAll()
        count = unsafe try body(storage)
    }

    /// The bytes held, for the length of the call.
    func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(ZooError) -> Result
    ) throws(ZooError) -> Result {
        unsafe try body(UnsafeRawBufferPointer(rebasing: storage[..<count]))
    }

    /// The digest of the bytes held.
    package var digest: ContentDigest {
        var hasher = ContentDigest.Hasher()
        unsafe hasher.update(UnsafeRawBufferPointer(rebasing: storage[..<count]))
        return hasher.finish()
    }
}
