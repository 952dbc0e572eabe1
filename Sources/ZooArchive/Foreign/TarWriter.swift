// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CArchive
internal import ZooCore
internal import ZooFiles

/// Writes a deterministic tar file with libarchive.
///
/// Not thread-safe.
@safe
final class TarWriter {
    private let handle: OpaquePointer
    private let names = UTF8Names()
    private let output: OpenFile
    private var position = 0
    private var failure: ZooError?

    /// Begins a tar file.
    ///
    /// - Throws: ``ZooError`` with code `io.*`.
    init(_ output: OpenFile) throws(ZooError) {
        guard let handle = unsafe archive_write_new() else {
            preconditionFailure("libarchive cannot allocate a writer")
        }
        unsafe self.handle = handle
        self.output = output
        // Pax headers only for what the older format cannot express, such as 8 GiB and more.
        try check(unsafe archive_write_set_format_pax_restricted(handle))
        try check(
            unsafe archive_write_open(
                handle,
                Unmanaged.passUnretained(self).toOpaque(),
                nil,
                { _, context, bytes, count in
                    guard let context = unsafe context else { return -1 }
                    let writer = unsafe Unmanaged<TarWriter>.fromOpaque(context)
                        .takeUnretainedValue()
                    return unsafe writer.write(
                        UnsafeRawBufferPointer(start: bytes, count: count)
                    )
                },
                nil
            )
        )
    }

    deinit {
        // Freeing would write the end of an incomplete archive.
        unsafe archive_write_fail(handle)
        unsafe archive_write_free(handle)
    }

    /// Begins a file.
    func begin(_ name: String, size: Int) throws(ZooError) {
        guard let entry = unsafe archive_entry_new() else {
            preconditionFailure("libarchive cannot allocate an entry")
        }
        defer { unsafe archive_entry_free(entry) }
        let result = names.whileUsed {
            unsafe archive_entry_set_pathname(entry, name)
            unsafe archive_entry_set_size(entry, Int64(size))
            unsafe archive_entry_set_perm(entry, 0o644)
            unsafe archive_entry_set_mtime(entry, 0, 0)
            unsafe carchive_set_file(entry)
            return unsafe archive_write_header(handle, entry)
        }
        try check(result)
    }

    /// Appends bytes to the file.
    func append(_ bytes: RawSpan) throws(ZooError) {
        let written = unsafe bytes.withUnsafeBytes {
            unsafe archive_write_data(handle, $0.baseAddress, $0.count)
        }
        guard written == bytes.byteCount else { throw error() }
    }

    /// Writes the end of the archive.
    func finish() throws(ZooError) { try check(unsafe archive_write_close(handle)) }

    private func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard failure == nil else { return -1 }
        do throws(ZooError) {
            unsafe try output.write(bytes, at: position)
            position += bytes.count
            return bytes.count
        } catch {
            failure = error
            return -1
        }
    }

    private func check(_ result: Int32) throws(ZooError) {
        guard result == ARCHIVE_OK else { throw error() }
    }

    private func error() -> ZooError {
        if let failure { return failure }
        let reason = unsafe archive_error_string(handle).map { unsafe String(cString: $0) }
        return ZooError(
            .systemCall,
            "cannot write '\(output.path)': \(reason ?? "libarchive gives no reason")"
        )
    }
}
