// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CMappings
internal import Synchronization
package import ZooCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A file that is mapped into memory, read-only: the kernel loads each page when it is touched.
///
/// Mapped bytes cannot report an error. When the file is truncated or the disk fails, they read as
/// zeros and the mapping counts as damaged. So whoever computes with ``bytes`` calls
/// ``requireIntact()`` before it hands out a result. ``read(into:at:)`` does not use the mapping
/// and reports its errors itself.
@safe
package final class MappedFile: ByteSource, @unchecked Sendable {
    // Sendable because the mapping is read-only and lives as long as this object.

    private let file: OpenFile
    private let opened: FileStatus
    private let watch: OpaquePointer?
    /// The bytes, at an address that is a multiple of the page size; valid while this object lives.
    @unsafe package let bytes: UnsafeRawBufferPointer

    /// Maps a regular file.
    ///
    /// Symbolic links are followed, because the cache of Hugging Face is made of them.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package init(_ path: String) throws(ZooError) {
        file = try OpenFile(path, .readFollowing)
        opened = try file.status()
        // An empty mapping does not exist; an empty file has no bytes to lend.
        guard opened.size > 0 else {
            unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            unsafe watch = nil
            return
        }
        let address = try unsafe file.map(opened.size)
        guard let watch = unsafe ami_mapping_watch(address, opened.size) else {
            unsafe munmap(address, opened.size)
            throw .system(ENOMEM, "map", path)
        }
        unsafe self.watch = watch
        unsafe bytes = UnsafeRawBufferPointer(start: address, count: opened.size)
        OpenMappings.add(self)
    }

    deinit {
        if let watch = unsafe watch, let address = unsafe bytes.baseAddress {
            OpenMappings.remove(self)
            unsafe ami_mapping_forget(watch)
            unsafe munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
        }
    }

    /// The path it was opened under, for messages.
    package var path: String { file.path }

    /// The size of the file when it was opened, in bytes.
    package var byteCount: Int { unsafe bytes.count }

    /// Fills `buffer` from the file itself.
    ///
    /// Touching a few mapped bytes in each of many places would map what lies around them, 64 KiB
    /// and more for each.
    ///
    /// - Throws: ``ZooError`` with code `io.truncated` when the file ends first, or `io.*`.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(ZooError) {
        unsafe try file.read(into: buffer, at: offset)
    }

    /// Checks that the mapped bytes were those of the file all the time.
    ///
    /// - Throws: ``ZooError`` with code `io.truncated` when the file lost bytes, `io.changed` when it
    ///   was written to, or `io.failed` when the disk could not deliver some of it.
    package func requireIntact() throws(ZooError) {
        if let failure = try failure() { throw failure }
    }

    /// Checks every file that this process maps, or mapped until it found it damaged.
    ///
    /// For programs that end after one result; a library asks for the files of its own model.
    ///
    /// - Throws: ``ZooError`` as ``requireIntact()``.
    package static func requireAllIntact() throws(ZooError) { try OpenMappings.requireIntact() }

    fileprivate func failure() throws(ZooError) -> ZooError? {
        let now = try file.status()
        let remedy = "restore the file, then run the command again while nothing writes to it"
        guard now.size >= opened.size else {
            return ZooError(
                .fileTruncated,
                "'\(path)' was truncated while it was read: it had \(opened.size) bytes and has "
                    + "\(now.size)",
                remedy: remedy
            )
        }
        if let watch = unsafe watch, unsafe ami_mapping_is_damaged(watch) {
            return ZooError(
                .systemCall,
                "cannot read '\(path)': the system could not deliver part of its \(opened.size) bytes",
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
    private struct Reference {
        weak var file: MappedFile?
    }

    private struct State {
        var files: [ObjectIdentifier: Reference] = [:]
        /// Of a mapping that was damaged and is gone: what was computed with it may still be used.
        var failure: ZooError?
    }

    private static let state = Mutex(State())

    static func add(_ file: MappedFile) {
        state.withLock { $0.files[ObjectIdentifier(file)] = Reference(file: file) }
    }

    static func remove(_ file: MappedFile) {
        // A file that cannot be examined any more has no failure to tell.
        let failure = try? file.failure()
        let identifier = ObjectIdentifier(file)
        state.withLock { state in
            state.files[identifier] = nil
            if let failure { state.failure = state.failure ?? failure }
        }
    }

    static func requireIntact() throws(ZooError) {
        // Taken out of the lock, because the last reference to one may go here.
        let (files, failure) = state.withLock { state in
            (state.files.values.compactMap(\.file), state.failure)
        }
        if let failure { throw failure }
        for file in files { try file.requireIntact() }
    }
}
