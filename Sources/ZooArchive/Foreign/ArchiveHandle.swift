// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CArchive
internal import ZooCore

/// An archive that libarchive reads.
///
/// Not thread-safe. A warning of libarchive is an error, because it means that names or content could
/// not be read as the archive states them.
@safe
final class ArchiveHandle {
    /// What the handle reads.
    let input: ArchiveInput
    private let handle: OpaquePointer
    private let names = UTF8Names()
    private let path: String

    /// What the input holds.
    enum Format {
        case tar, zip, sevenZip
        /// The bytes behind a filter, without a format of their own.
        case raw

        fileprivate func enable(_ handle: OpaquePointer) -> Int32 {
            switch self {
            case .tar: unsafe archive_read_support_format_tar(handle)
            // Only with the directory at the end; the local headers alone say less.
            case .zip: unsafe archive_read_support_format_zip_seekable(handle)
            case .sevenZip: unsafe archive_read_support_format_7zip(handle)
            case .raw: unsafe archive_read_support_format_raw(handle)
            }
        }
    }

    /// How the input is compressed as a whole.
    enum Filter {
        case gzip, zstd

        fileprivate func enable(_ handle: OpaquePointer) -> Int32 {
            switch self {
            case .gzip: unsafe archive_read_support_filter_gzip(handle)
            case .zstd: unsafe archive_read_support_filter_zstd(handle)
            }
        }
    }

    /// Opens an archive of a format; no other format and filter is enabled.
    ///
    /// - Throws: ``ZooError`` with code `archive.malformed`, or the error of the input.
    init(
        _ input: ArchiveInput,
        _ format: Format,
        _ filter: Filter?,
        _ path: String
    ) throws {
        guard let handle = unsafe archive_read_new() else {
            preconditionFailure("libarchive cannot allocate a reader")
        }
        unsafe self.handle = handle
        self.input = input
        self.path = path
        let results = unsafe [format.enable(handle), filter?.enable(handle) ?? ARCHIVE_OK]
        // ARCHIVE_WARN would mean that an external program decompresses.
        guard results.allSatisfy({ $0 == ARCHIVE_OK }) else {
            throw ZooError(
                .foreignFormatUnknown,
                "the installed libarchive cannot read the format of '\(path)'",
                remedy: "unpack the archive with its own tool, and give what it holds"
            )
        }
        try check(unsafe input.attach(to: handle))
    }

    deinit { unsafe archive_read_free(handle) }

    /// The number of filters, with the file itself as one.
    var filterCount: Int { Int(unsafe archive_filter_count(handle)) }

    /// The number of bytes of the file that were used.
    var consumed: Int { Int(unsafe archive_filter_bytes(handle, -1)) }

    /// The offset of the last header in the content of the file, or that of the end marker.
    var headerPosition: Int { Int(unsafe archive_read_header_position(handle)) }

    /// The next entry, which is valid until the next call; nil at the end.
    ///
    /// - Throws: ``ZooError`` with code `archive.malformed`, or the error of the input.
    func nextEntry() throws -> OpaquePointer? {
        var entry: OpaquePointer?
        let result = names.whileUsed { unsafe archive_read_next_header(handle, &entry) }
        guard result != ARCHIVE_EOF else {
            if let failure = input.failure { throw failure }
            return nil
        }
        try check(result)
        return unsafe entry
    }

    /// The name of an entry; nil if it is not UTF-8.
    func name(of entry: OpaquePointer) -> String? {
        names.whileUsed {
            guard let text = unsafe archive_entry_pathname(entry) else { return nil }
            return unsafe String(validatingCString: text)
        }
    }

    /// The next bytes of the entry, valid until the next call, and their offset; nil at its end.
    ///
    /// - Throws: ``ZooError`` with code `archive.malformed`, or the error of the input.
    func nextData() throws -> (bytes: UnsafeRawBufferPointer, offset: Int)? {
        var (start, count, offset) = unsafe (UnsafeRawPointer?.none, 0, la_int64_t(0))
        let result = unsafe archive_read_data_block(handle, &start, &count, &offset)
        guard result != ARCHIVE_EOF else {
            if let failure = input.failure { throw failure }
            return nil
        }
        try check(result)
        return unsafe (UnsafeRawBufferPointer(start: start, count: count), Int(offset))
    }

    private func check(_ result: Int32) throws {
        if let failure = input.failure { throw failure }
        guard result != ARCHIVE_OK else { return }
        let reason = unsafe archive_error_string(handle).map { unsafe String(cString: $0) }
        throw ZooError.malformed(path, "cannot be read: \(reason ?? "unknown reason")")
    }
}

/// Makes libarchive convert names from and to UTF-8, whatever the locale of the program is.
@safe
final class UTF8Names {
    /// Nil on a system without such a locale, where names that are not ASCII are refused.
    private let locale = unsafe carchive_new_utf8_locale()

    init() {}

    deinit { if let locale = unsafe locale { unsafe carchive_free_locale(locale) } }

    /// Runs `body` with the locale on this thread.
    func whileUsed<Result>(_ body: () -> Result) -> Result {
        guard let locale = unsafe locale else { return body() }
        let previous = unsafe carchive_use_locale(locale)
        defer { unsafe carchive_use_locale(previous) }
        return body()
    }
}
