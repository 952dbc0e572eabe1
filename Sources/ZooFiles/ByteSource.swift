// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Bytes that are read by offset: an open file or a mapped file.
///
/// A byte that cannot be read is an error, never a zero. All calls block.
package protocol ByteSource: Sendable {
    /// The path, for messages.
    var path: String { get }

    /// Fills `buffer` with the bytes that start at `offset`.
    ///
    /// - Throws: ``ZooError`` with code `io.truncated` if there are too few bytes, or `io.*`.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(ZooError)
}

extension ByteSource {
    /// Reads a range into memory.
    ///
    /// - Throws: ``ZooError`` with code `io.truncated` if there are too few bytes, or `io.*`.
    package func bytes(_ range: Range<Int>) throws(ZooError) -> [UInt8] {
        var failure: ZooError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            let target = unsafe UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(buffer)[..<range.count]
            )
            do throws(ZooError) {
                unsafe try read(into: target, at: range.lowerBound)
                count = range.count
            } catch {
                failure = error
                count = 0
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads a range chunk by chunk, with memory for one chunk.
    ///
    /// - Parameters:
    ///   - range: the bytes to read.
    ///   - size: the size of a chunk, in bytes.
    ///   - cancellation: checked before each chunk.
    ///   - body: receives a chunk, which is valid during the call.
    /// - Throws: ``ZooError`` as ``bytes(_:)``, `CancellationError`, or what `body` throws.
    package func forEachPiece(
        of range: Range<Int>,
        size: Int,
        _ cancellation: Cancellation,
        _ body: (RawSpan) throws -> Void
    ) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(size, range.count),
            alignment: 64
        )
        defer { unsafe buffer.deallocate() }
        for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
            try cancellation.check()
            let count = min(size, range.upperBound - start)
            let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            unsafe try read(into: piece, at: start)
            try body(unsafe UnsafeRawBufferPointer(piece).bytes)
        }
    }
}
