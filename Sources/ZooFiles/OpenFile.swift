// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CFiles
package import ZooCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// An open file that closes itself when it is released.
///
/// Reads and writes take an offset, so that threads can share a file. All calls block; run them
/// where blocking is allowed (``BlockingWork``).
package final class OpenFile: ByteSource {
    /// How to open a file; anything but a regular file is rejected.
    package enum Mode: Sendable {
        /// An existing file, for reading; a symbolic link is rejected.
        case read
        /// An existing file, for reading; symbolic links are followed.
        case readFollowing
        /// An existing or new file, for reading and writing; a symbolic link is rejected.
        case write
        /// A file that must not exist yet.
        case createNew
        /// A file that must not exist yet, and that only its owner may read.
        case createPrivate
    }

    /// The path that was opened, for messages.
    package let path: String
    private let descriptor: Int32

    /// Opens a file.
    ///
    /// - Throws: ``ZooError`` with code `io.not-a-file` if `path` is not a regular file, or `io.*`.
    package init(_ path: String, _ mode: Mode) throws(ZooError) {
        self.path = path
        let flags: Int32 =
            switch mode {
            case .read: O_RDONLY | O_NOFOLLOW
            case .readFollowing: O_RDONLY
            case .write: O_RDWR | O_CREAT | O_NOFOLLOW
            case .createNew, .createPrivate: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW
            }
        // Without O_NONBLOCK, opening a named pipe would wait for a process at its other end.
        let permissions: mode_t = mode == .createPrivate ? 0o600 : 0o644
        let found = unsafe open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, permissions)
        let number = errno
        descriptor = found
        guard found >= 0 else {
            // Opening a socket fails with ENXIO, a symbolic link with O_NOFOLLOW with ELOOP.
            let status = number == ENXIO || number == ELOOP ? try FileSystem.status(path) : nil
            guard let status, status.kind != .file else { throw .system(number, "open", path) }
            throw .notAFile(path, status.kind)
        }
        let kind = try status().kind
        guard kind == .file else { throw .notAFile(path, kind) }
        guard fcntl(found, F_SETFL, fcntl(found, F_GETFL) & ~O_NONBLOCK) == 0 else {
            throw .system(errno, "open", path)
        }
    }

    deinit { close(descriptor) }

    /// Creates a private file without a name; it disappears when it is released.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package static func temporary(in folder: String) throws(ZooError) -> OpenFile {
        let file = try OpenFile("\(folder)/.\(FileSystem.uniqueName()).tmp", .createPrivate)
        try FileSystem.remove(file.path)
        return file
    }

    /// The current status of the file.
    package func status() throws(ZooError) -> FileStatus {
        var raw = stat()
        guard unsafe fstat(descriptor, &raw) == 0 else { throw .system(errno, "examine", path) }
        return FileStatus(raw)
    }

    /// Fills `buffer` with the bytes that start at `offset`.
    ///
    /// - Throws: ``ZooError`` with code `io.truncated` if the file is too short, or `io.*`.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(ZooError) {
        var done = 0
        while done < buffer.count {
            let base = unsafe buffer.baseAddress?.advanced(by: done)
            let count = unsafe pread(descriptor, base, buffer.count - done, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system(errno, "read", path) }
            guard count > 0 else {
                throw ZooError(
                    .fileTruncated,
                    "'\(path)' is truncated: it ends at byte \(offset + done), but must reach byte "
                        + "\(offset + buffer.count)",
                    remedy: "download or restore the file, then run the command again"
                )
            }
            done += count
        }
    }

    /// Reads from the start to the end, for files of the system whose status states no size.
    ///
    /// - Parameter limit: the largest size, in bytes.
    /// - Returns: the bytes.
    /// - Throws: ``ZooError`` with code `io.document-too-large` above `limit` bytes, or `io.*`.
    package func contents(limit: Int) throws(ZooError) -> [UInt8] {
        var contents: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress, buffer.count, off_t(contents.count))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system(errno, "read", path) }
            guard count > 0 else { return contents }
            contents += piece[..<count]
            guard contents.count <= limit else {
                throw ZooError(
                    .documentTooLarge,
                    "'\(path)' has more than \(limit) bytes, which is the limit"
                )
            }
        }
    }

    /// Writes all of `bytes` at `offset`.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(ZooError) {
        var done = 0
        while done < bytes.count {
            let base = unsafe bytes.baseAddress?.advanced(by: done)
            let count = unsafe pwrite(descriptor, base, bytes.count - done, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system(errno, "write", path) }
            done += count
        }
    }

    /// Writes all of `span` at `offset`.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func write(_ span: RawSpan, at offset: Int) throws(ZooError) {
        let outcome: Result<Void, ZooError> = unsafe span.withUnsafeBytes { bytes in
            do throws(ZooError) {
                return .success(unsafe try write(bytes, at: offset))
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }

    /// Writes all of `bytes` at `offset`.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func write(_ bytes: [UInt8], at offset: Int) throws(ZooError) {
        let outcome: Result<Void, ZooError> = unsafe bytes.withUnsafeBytes { buffer in
            do throws(ZooError) {
                return .success(unsafe try write(buffer, at: offset))
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }

    /// Makes a range share the disk blocks of a range of another file of equal length.
    ///
    /// - Parameters:
    ///   - source: the other file.
    ///   - range: its range; the offsets and the size must be multiples of ``cloneUnit``.
    ///   - offset: where the range starts in this file.
    /// - Returns: whether the file system could.
    package func clone(_ source: OpenFile, _ range: Range<Int>, to offset: Int) -> Bool {
        ami_clone_range(
            descriptor,
            Int64(offset),
            source.descriptor,
            Int64(range.lowerBound),
            Int64(range.count)
        )
    }

    /// The block size of every file system that shares blocks, or a multiple of it, in bytes.
    package static let cloneUnit = 64 << 10

    /// Sets the size in bytes; bytes beyond the old end read as zeros.
    package func resize(to size: Int) throws(ZooError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            throw .system(errno, "resize", path)
        }
    }

    /// Starts to write a range to the disk, so that ``synchronize()`` waits for less.
    package func startWriteback(_ range: Range<Int>) {
        ami_start_writeback(descriptor, Int64(range.lowerBound), Int64(range.count))
    }

    /// Waits until all written bytes are on disk.
    package func synchronize() throws(ZooError) {
        #if canImport(Darwin)
        let result = fcntl(descriptor, F_FULLFSYNC)
        #else
        let result = fsync(descriptor)
        #endif
        guard result == 0 else { throw .system(errno, "write", path) }
    }

    /// Maps `size` bytes from `offset` on, a multiple of the page size; read-only.
    func map(_ size: Int, at offset: Int) throws(ZooError) -> UnsafeMutableRawPointer {
        let address = unsafe mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, off_t(offset))
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw .system(errno, "map", path)
        }
        return unsafe address
    }

    /// Sets the permissions of the file.
    func setPermissions(_ permissions: UInt32) throws(ZooError) {
        guard fchmod(descriptor, mode_t(permissions)) == 0 else {
            throw .system(errno, "change the mode of", path)
        }
    }

    /// Makes the file read-only for everyone.
    package func makeImmutable() throws(ZooError) {
        guard fchmod(descriptor, 0o444) == 0 else {
            throw .system(errno, "change the mode of", path)
        }
    }

    /// Sets the time of the last modification to the current time.
    package func touch() throws(ZooError) {
        guard futimens(descriptor, nil) == 0 else {
            throw .system(errno, "change the time of", path)
        }
    }

    /// Whether the path still refers to this file, and not to a file that replaced it.
    package func isAtPath() -> Bool {
        var (opened, found) = (stat(), stat())
        return unsafe fstat(descriptor, &opened) == 0 && lstat(path, &found) == 0
            && opened.st_dev == found.st_dev && opened.st_ino == found.st_ino
    }

    /// How an advisory lock excludes others.
    package enum Lock: Sendable {
        /// No other holder.
        case exclusive
        /// Other holders that share it, and no exclusive one.
        case shared
    }

    /// Tries to take the advisory lock of the file, without waiting.
    ///
    /// - Parameter lock: how the lock excludes others.
    /// - Returns: whether this file now holds the lock; also true if the file system has no locks.
    package func tryLock(_ lock: Lock = .exclusive) -> Bool {
        let operation = lock == .exclusive ? LOCK_EX : LOCK_SH
        return flock(descriptor, operation | LOCK_NB) == 0 || errno != EWOULDBLOCK
    }

    /// Releases the advisory lock, which otherwise ends with the last reference to this file.
    package func unlock() { _ = flock(descriptor, LOCK_UN) }
}

/// The status of a file.
package struct FileStatus: Sendable, Equatable {
    /// The kind of a file.
    package enum Kind: Sendable {
        /// A regular file.
        case file
        /// A folder.
        case folder
        /// A symbolic link.
        case link
        /// A device, socket or pipe.
        case other

        /// The text in messages.
        var text: String {
            switch self {
            case .file: "a file"
            case .folder: "a folder"
            case .link: "a symbolic link"
            case .other: "a device, a pipe or a socket"
            }
        }
    }

    /// The kind of the file.
    package let kind: Kind
    /// The size in bytes.
    package let size: Int
    /// The allocated disk space in bytes.
    package let allocated: Int
    /// The time of the last modification, in nanoseconds since 1970.
    package let modified: Int
    /// The permissions: the lower 12 bits of the mode.
    package let permissions: UInt32
    /// The number of names (hard links).
    package let links: Int
    /// The identifier of the user who owns the file.
    package let owner: UInt32

    init(_ raw: stat) {
        switch raw.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .folder
        case S_IFLNK: kind = .link
        default: kind = .other
        }
        size = Int(raw.st_size)
        allocated = Int(raw.st_blocks) * 512
        #if canImport(Darwin)
        let time = raw.st_mtimespec
        #else
        let time = raw.st_mtim
        #endif
        modified = Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
        permissions = UInt32(raw.st_mode) & 0o7777
        links = Int(raw.st_nlink)
        owner = raw.st_uid
    }
}
