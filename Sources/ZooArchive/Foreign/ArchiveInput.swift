// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CArchive
internal import CChecksum
internal import ZooCore
internal import ZooFiles

/// The bytes that libarchive reads: a file, or the content of a compressed file.
///
/// libarchive calls it, and cannot pass on a Swift error; ``failure`` keeps the error.
class ArchiveInput {
    /// The first error.
    fileprivate(set) var failure: (any Error)?
    /// The number of bytes before the next block.
    fileprivate(set) var position = 0
    /// The offset after the last byte that is not zero among those that were read.
    fileprivate(set) var contentEnd = 0

    /// Whether offsets can be changed.
    var canSeek: Bool { false }

    /// The next block, which is valid until the next call; empty at the end.
    fileprivate func block() throws -> UnsafeRawBufferPointer {
        preconditionFailure("an input overrides this")
    }

    /// Reads the next block.
    fileprivate func next() -> UnsafeRawBufferPointer? {
        guard failure == nil else { return nil }
        do {
            let block = unsafe try block()
            if let last = unsafe block.lastIndex(where: { $0 != 0 }) {
                contentEnd = position + last + 1
            }
            position += block.count
            return unsafe block
        } catch {
            failure = error
            return nil
        }
    }

    /// Moves to an offset, if possible.
    fileprivate func move(to offset: Int) -> Bool { false }

    /// Reads to the end, so that ``contentEnd`` and ``position`` are final.
    func drain() throws {
        while let block = unsafe next() {
            if unsafe block.isEmpty { return }
        }
        if let failure { throw failure }
    }

    /// Lets libarchive read the input through its callbacks.
    ///
    /// The input must live as long as the handle.
    func attach(to handle: OpaquePointer) -> Int32 {
        unsafe archive_read_set_callback_data(
            handle,
            Unmanaged.passUnretained(self).toOpaque()
        )
        unsafe archive_read_set_read_callback(handle) { _, context, buffer in
            guard let context = unsafe context, let buffer = unsafe buffer,
                let block = unsafe ArchiveInput.of(context).next()
            else { return -1 }
            unsafe buffer.pointee = block.baseAddress
            return block.count
        }
        if canSeek {
            unsafe archive_read_set_skip_callback(handle) { _, context, count in
                guard let context = unsafe context else { return 0 }
                let input = unsafe ArchiveInput.of(context)
                return input.move(to: input.position + Int(count)) ? count : 0
            }
            unsafe archive_read_set_seek_callback(handle) { _, context, offset, origin in
                guard let context = unsafe context else { return -1 }
                return Int64(unsafe ArchiveInput.of(context).seek(Int(offset), origin))
            }
        }
        return unsafe archive_read_open1(handle)
    }

    private static func of(_ context: UnsafeMutableRawPointer) -> ArchiveInput {
        unsafe Unmanaged<ArchiveInput>.fromOpaque(context).takeUnretainedValue()
    }

    fileprivate var size: Int { 0 }

    private func seek(_ offset: Int, _ origin: Int32) -> Int {
        let base =
            switch origin {
            case 0: 0
            case 1: position
            default: size
            }
        let (target, overflow) = base.addingReportingOverflow(offset)
        guard !overflow, target >= 0, move(to: target) else { return -1 }
        return target
    }
}

/// A file, read through one buffer.
@safe
final class FileInput: ArchiveInput {
    private let file: OpenFile
    private let fileSize: Int
    private let cancellation: Cancellation
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    /// The part of the file that the buffer holds.
    private var held = 0..<0

    init(_ file: OpenFile, _ cancellation: Cancellation) throws(ZooError) {
        self.file = file
        self.cancellation = cancellation
        fileSize = try file.status().size
    }

    deinit { unsafe buffer.deallocate() }

    override var canSeek: Bool { true }
    override var size: Int { fileSize }

    override fileprivate func block() throws -> UnsafeRawBufferPointer {
        try cancellation.check()
        let count = unsafe max(0, min(buffer.count, fileSize - position))
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        unsafe try file.read(into: part, at: position)
        held = position..<position + count
        return UnsafeRawBufferPointer(part)
    }

    override fileprivate func move(to offset: Int) -> Bool {
        guard offset <= fileSize else { return false }
        position = offset
        return true
    }

    /// The last bytes of the file.
    func tail(_ count: Int) throws(ZooError) -> [UInt8] {
        try file.bytes(max(0, fileSize - count)..<fileSize)
    }

    /// The offset in the file of bytes that libarchive passes on without a copy; otherwise nil.
    func offset(of bytes: UnsafeRawBufferPointer) -> Int? {
        guard let start = unsafe buffer.baseAddress, let first = bytes.baseAddress else {
            return nil
        }
        let distance = unsafe UnsafeRawPointer(start).distance(to: first)
        guard distance >= 0, distance + bytes.count <= held.count else { return nil }
        return held.lowerBound + distance
    }
}

/// The content of a compressed file.
final class DecompressedInput: ArchiveInput {
    private let handle: ArchiveHandle
    private let file: FileInput
    private let kind: ArchiveKind
    private let limit: Int
    private let path: String
    private var checksum: UInt32 = 0

    /// Opens the content of a compressed file.
    ///
    /// - Parameters:
    ///   - file: the compressed bytes.
    ///   - kind: the compression.
    ///   - limit: the largest size of the content, in bytes.
    ///   - path: the path of the file, for messages.
    /// - Throws: ``ZooError`` with code `archive.malformed`, `archive.format-unknown` or `io.*`.
    init(_ file: FileInput, _ kind: ArchiveKind, limit: Int, _ path: String) throws {
        self.file = file
        self.kind = kind
        self.limit = limit
        self.path = path
        handle = try ArchiveHandle(file, .raw, kind == .tarGzip ? .gzip : .zstd, path)
        _ = unsafe try handle.nextEntry()
        // The filter, and the file below it.
        guard handle.filterCount <= 2 else {
            throw ZooError(
                .foreignFormatUnknown,
                "'\(path)' is compressed twice",
                remedy: "decompress it with the tool of its format, then run the command again"
            )
        }
    }

    override fileprivate func block() throws -> UnsafeRawBufferPointer {
        guard let (bytes, _) = unsafe try handle.nextData() else {
            guard handle.consumed == file.size else {
                throw ZooError.trailing(path, file.size - handle.consumed)
            }
            if kind == .tarGzip { try requireChecksum() }
            return unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        }
        guard position + bytes.count <= limit else {
            throw ZooError.overLimit(
                path,
                "expands to more than \(limit) bytes from \(file.size)"
            )
        }
        if kind == .tarGzip {
            checksum = unsafe ami_crc32(
                checksum,
                bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
                bytes.count
            )
        }
        return unsafe bytes
    }

    /// Compares the content with the checksum and the size at the end of a gzip file (RFC 1952), which
    /// libarchive ignores.
    private func requireChecksum() throws {
        let stated = try file.tail(8)
        func field(_ start: Int) -> UInt32 {
            stated[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        guard field(0) == checksum, field(4) == UInt32(truncatingIfNeeded: position) else {
            throw ZooError.malformed(
                path,
                "is damaged, or consists of several gzip files: its checksum does not match"
            )
        }
    }
}
