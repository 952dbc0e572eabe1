// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CFiles
internal import Synchronization
package import ZooCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A file that is mapped into memory, read-only; the kernel loads each page on first access.
///
/// Mapped bytes cannot report an error. If the file is truncated or the disk fails, they read as
/// zeros and the mapping is marked as damaged. Code that computes with ``bytes`` must therefore
/// call ``requireIntact()`` before it returns a result. ``read(into:at:)`` does not use the
/// mapping and reports its errors itself.
@safe
// @unchecked Sendable: the pointers are set once in the initialiser; the mapping is read-only and lives
// as long as this object. Only the compiler cannot see that, because raw pointers are not Sendable.
package final class MappedFile: ByteSource, @unchecked Sendable {
    private let mapping: Mapping
    /// The mapped pages, which begin up to one page before ``bytes``.
    @unsafe private let pages: UnsafeRawBufferPointer
    /// The offset of the first byte in the file.
    private let start: Int
    /// The path, for messages.
    package let path: String
    /// The bytes, which begin at a page unless they are a part of a file; valid while this object
    /// exists.
    @unsafe package let bytes: UnsafeRawBufferPointer

    /// Maps a regular file.
    ///
    /// Symbolic links are followed, because the Hugging Face cache consists of them.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package convenience init(_ path: String) throws(ZooError) {
        let file = try OpenFile(path, .readFollowing)
        try self.init(file, path: path)
    }

    /// Maps an open file, or a part of it: a member of an archive that stores it uncompressed.
    ///
    /// - Parameters:
    ///   - file: the file.
    ///   - range: the part to map; nil for the whole file.
    ///   - path: the path of the content, for messages.
    /// - Throws: ``ZooError`` with code `io.truncated` if the file is shorter, or `io.*`.
    package init(
        _ file: OpenFile,
        _ range: Range<Int>? = nil,
        path: String
    ) throws(ZooError) {
        self.path = path
        let opened = try file.status()
        let range = range ?? 0..<opened.size
        start = range.lowerBound
        guard range.upperBound <= opened.size else {
            throw ZooError(
                .fileTruncated,
                "'\(path)' is truncated: it must reach byte \(range.upperBound) of '\(file.path)', "
                    + "which has \(opened.size)"
            )
        }
        // The system cannot map 0 bytes, and an empty file needs no mapping.
        guard !range.isEmpty else {
            unsafe pages = UnsafeRawBufferPointer(start: nil, count: 0)
            unsafe bytes = unsafe pages
            mapping = unsafe Mapping(of: file, opened, watch: nil, path: path)
            return
        }
        let lead = range.lowerBound % Self.pageSize
        let size = lead + range.count
        let address = try unsafe file.map(size, at: range.lowerBound - lead)
        guard let watch = unsafe ami_mapping_watch(address, size) else {
            unsafe munmap(address, size)
            throw .system(ENOMEM, "map", path)
        }
        mapping = unsafe Mapping(of: file, opened, watch: watch, path: path)
        unsafe pages = UnsafeRawBufferPointer(start: address, count: size)
        unsafe bytes = unsafe UnsafeRawBufferPointer(rebasing: pages[lead...])
        OpenMappings.add(mapping)
    }

    deinit {
        if let watch = unsafe mapping.watch, let address = unsafe pages.baseAddress {
            OpenMappings.remove(mapping)
            unsafe ami_mapping_forget(watch)
            unsafe munmap(UnsafeMutableRawPointer(mutating: address), pages.count)
        }
    }

    private static let pageSize = max(1, sysconf(Int32(_SC_PAGESIZE)))

    /// The number of bytes when the file was opened.
    package var byteCount: Int { unsafe bytes.count }

    /// Fills `buffer` from the file itself.
    ///
    /// Sparse access to mapped bytes would also load the pages around them, 64 KiB or more for each
    /// access.
    ///
    /// - Throws: ``ZooError`` with code `io.truncated` if the file is too short, or `io.*`.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(ZooError) {
        guard offset + buffer.count <= byteCount else {
            throw ZooError(
                .fileTruncated,
                "'\(path)' is truncated: it has \(byteCount) bytes, but must reach byte "
                    + "\(offset + buffer.count)",
                remedy: "download or restore the file, then run the command again"
            )
        }
        unsafe try mapping.file.read(into: buffer, at: start + offset)
    }

    /// Checks that the mapped bytes were always those of the file.
    ///
    /// - Throws: ``ZooError`` with code `io.truncated` if the file became shorter, `io.changed` if
    ///   it was written to, or `io.failed` if part of it could not be read.
    package func requireIntact() throws(ZooError) {
        if let failure = try mapping.failure() { throw failure }
    }

    /// Checks all files that this process maps, and the damaged ones that it has unmapped.
    ///
    /// This is for programs that end after one result; a library checks the files of its own model.
    ///
    /// - Throws: ``ZooError`` as ``requireIntact()``.
    package static func requireAllIntact() throws(ZooError) { try OpenMappings.requireIntact() }
}

/// What shows whether mapped bytes were always those of the file.
///
/// It outlives the ``MappedFile`` while its failure is recorded: a file that another thread is just
/// releasing must not escape a check.
@safe
// @unchecked Sendable: the pointer is set once, and the flag behind it is atomic.
private final class Mapping: @unchecked Sendable {
    let file: OpenFile
    private let opened: FileStatus
    let watch: OpaquePointer?
    private let path: String

    init(of file: OpenFile, _ opened: FileStatus, watch: OpaquePointer?, path: String) {
        self.file = file
        self.opened = opened
        unsafe self.watch = watch
        self.path = path
    }

    func failure() throws(ZooError) -> ZooError? {
        let now = try file.status()
        let remedy = "restore the file, then run the command again while nothing writes to it"
        guard now.size >= opened.size else {
            return ZooError(
                .fileTruncated,
                "'\(path)' was truncated while it was read: it had \(opened.size) bytes and now has "
                    + "\(now.size)",
                remedy: remedy
            )
        }
        if let watch = unsafe watch, unsafe ami_mapping_is_damaged(watch) {
            return ZooError(
                .systemCall,
                "cannot read '\(path)': the system failed to read part of its \(opened.size) bytes",
                remedy: "check the disk that holds the file, then run the command again"
            )
        }
        guard now.size == opened.size, now.modified == opened.modified else {
            return ZooError(
                .fileChanged,
                "'\(path)' was written to while it was read",
                remedy: remedy
            )
        }
        return nil
    }
}

/// The mapped files of this process.
private enum OpenMappings {
    private struct State {
        var mappings: [ObjectIdentifier: Mapping] = [:]
        /// The error of a damaged mapping that was released; its results may still be in use.
        var failure: ZooError?
    }

    private static let state = Mutex(State())

    static func add(_ mapping: Mapping) {
        state.withLock { $0.mappings[ObjectIdentifier(mapping)] = mapping }
    }

    /// Removes a mapping and records its failure in one step, before it is unmapped.
    static func remove(_ mapping: Mapping) {
        state.withLock { state in
            // A file whose status cannot be read has no failure to report.
            if let failure = try? mapping.failure() { state.failure = state.failure ?? failure }
            state.mappings[ObjectIdentifier(mapping)] = nil
        }
    }

    static func requireIntact() throws(ZooError) {
        // Within the lock, because a mapping that is removed forgets its flag.
        try state.withLock { state throws(ZooError) in
            if let failure = state.failure { throw failure }
            for mapping in state.mappings.values {
                if let failure = try mapping.failure() { throw failure }
            }
        }
    }
}
