// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc
package import ZooCore
internal import ZooFiles

/// A file in memory, read-only, loaded by the kernel page by page as it is touched.
///
/// The bytes are those of the file while it is mapped: whoever shortens the file meanwhile makes
/// this process fail, so files are replaced by renaming and never rewritten in place.
@safe
package final class MappedFile: @unchecked Sendable {
    // Sendable because the mapping is read-only and lives as long as this object.

    /// The path it was opened under, for messages.
    package let path: String
    /// Kept open for ``copy(_:)``.
    private let descriptor: Int32
    /// The bytes, at an address that is a multiple of the page size; valid while this object lives.
    @unsafe package let bytes: UnsafeRawBufferPointer

    /// Maps a regular file.
    ///
    /// Symbolic links are followed, because the cache of Hugging Face is made of them.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package init(_ path: String) throws(ZooError) {
        self.path = path
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system(errno, "open", path) }
        do throws(ZooError) {
            unsafe bytes = try Self.map(descriptor, path)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    private static func map(
        _ descriptor: Int32,
        _ path: String
    ) throws(ZooError) -> UnsafeRawBufferPointer {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .system(errno, "examine", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ZooError(.systemCall, "cannot read '\(path)': it is not a regular file")
        }
        let size = Int(status.st_size)
        // An empty mapping does not exist; an empty file has no bytes to lend.
        guard size > 0 else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        let address = unsafe mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw .system(errno, "map", path)
        }
        return unsafe UnsafeRawBufferPointer(start: address, count: size)
    }

    deinit {
        close(descriptor)
        if let address = unsafe bytes.baseAddress {
            unsafe munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
        }
    }

    /// The size of the file, in bytes.
    package var byteCount: Int { unsafe bytes.count }

    /// Lends some of the bytes.
    package func withBytes<Result>(
        _ range: Range<Int>,
        _ body: (RawSpan) throws -> Result
    ) rethrows -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount)
        defer { withExtendedLifetime(self) {} }
        return try body(unsafe UnsafeRawBufferPointer(rebasing: bytes[range]).bytes)
    }

    /// Lets the kernel take back the memory of bytes that were read and are not needed soon; they
    /// are read again when they are touched again.
    package func forget(_ range: Range<Int>) {
        guard let address = unsafe bytes.baseAddress else { return }
        let page = Int(getpagesize())
        // Whole pages only: the neighbours of the first and the last may be in use.
        let start = (range.lowerBound + page - 1) / page * page
        let end = range.upperBound / page * page
        guard start < end else { return }
        unsafe madvise(
            UnsafeMutableRawPointer(mutating: address + start),
            end - start,
            MADV_DONTNEED
        )
    }

    /// A copy of some of the bytes.
    ///
    /// Read, not mapped: touching a few bytes in each of many places would map what lies around
    /// them, 64 KiB and more for each. Bytes beyond the end of a file that was cut meanwhile are
    /// zeros.
    package func copy(_ range: Range<Int>) -> [UInt8] {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount)
        return unsafe [UInt8](unsafeUninitializedCapacity: range.count) { buffer, filled in
            var done = 0
            while done < range.count {
                let start = unsafe buffer.baseAddress.map { unsafe $0 + done }
                let offset = off_t(range.lowerBound + done)
                let count = unsafe pread(descriptor, start, range.count - done, offset)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                done += count
            }
            for index in done..<range.count { unsafe buffer[index] = 0 }
            filled = range.count
        }
    }
}
