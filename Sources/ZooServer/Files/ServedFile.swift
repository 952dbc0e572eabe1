// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc
internal import NIOCore
internal import ZooCore

/// A regular file that is open for reading until the last reference is released.
///
/// All members block and are called on the server's thread pool.
final class ServedFile: Sendable {
    private let descriptor: CInt
    /// The same open file, for NIO.
    let handle: NIOFileHandle
    /// The identity of the content when the file was opened.
    let identity: FileIdentity

    /// The size in bytes when it was opened.
    var size: Int { identity.size }

    /// Takes ownership of `descriptor`; closes it and returns nil unless it is a regular file.
    init?(descriptor: CInt) {
        guard let identity = FileIdentity(ofRegularFile: descriptor) else {
            _ = close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
        self.identity = identity
    }

    deinit { try? handle.close() }

    /// Reads `range`, which must be inside the file, into the page cache.
    ///
    /// - Throws: ``ZooError`` with code `server.file-unreadable`, also when the file was truncated
    ///   after it was opened.
    func prefetch(_ range: Range<Int>) throws(ZooError) {
        guard let last = range.last else { return }
        posix_fadvise(descriptor, off_t(range.lowerBound), off_t(range.count), POSIX_FADV_WILLNEED)
        // The advice only starts the reads, in steps of at least the usual read-ahead of 128 KiB.
        for offset in stride(from: range.lowerBound, to: last, by: 128 << 10) {
            _ = try read(offset..<offset + 1)
        }
        _ = try read(last..<last + 1)
    }

    /// Reads `range`, which must be inside the file.
    ///
    /// - Throws: ``ZooError`` with code `server.file-unreadable`, also when the file was truncated
    ///   after it was opened.
    func read(_ range: Range<Int>) throws(ZooError) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: range.count)
        while buffer.readableBytes < range.count {
            let offset = range.lowerBound + buffer.readableBytes
            let wanted = range.upperBound - offset
            var failure: CInt = 0
            // The pointer is used only during the call, which writes at most its capacity.
            let count = unsafe buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) {
                let count = unsafe pread(descriptor, $0.baseAddress, wanted, off_t(offset))
                if count < 0 { failure = errno }
                return max(0, count)
            }
            guard count == 0, failure != EINTR else { continue }
            throw ZooError(
                .fileUnreadable,
                failure == 0
                    ? "a file of \(size) bytes was truncated before byte \(offset)"
                    : "cannot read a file at byte \(offset): \(systemMessage(failure))"
            )
        }
        return buffer
    }
}
