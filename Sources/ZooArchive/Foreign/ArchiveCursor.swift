// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import CArchive
internal import ZooCore
internal import ZooFiles

/// A file or folder in an archive.
package struct ArchiveMember: Sendable, Equatable {
    /// The name, without a slash at its end.
    package let name: String
    /// The size in bytes; 0 for a folder.
    package let size: Int
    /// Whether it is a folder.
    package let isFolder: Bool
}

/// Reads the members of an archive one after the other, and checks each.
///
/// Only regular files and folders are allowed, with safe and distinct names; the archive must end
/// where its format says. Not thread-safe.
final class ArchiveCursor {
    private let file: FileInput
    private let content: ArchiveInput
    private let handle: ArchiveHandle
    private let kind: ArchiveKind
    private let path: String
    private let purpose: MemberName.Purpose
    private let limits: ArchiveLimits
    /// Whether each name that occurred is a folder, by collision key.
    private var isFolder: [String: Bool] = [:]
    private var total = 0
    private var current: ArchiveMember?
    /// The number of members that were read.
    private(set) var count = 0

    /// Opens an archive before its first member.
    ///
    /// - Throws: ``ZooError`` with an `archive.*` or `io.*` code.
    init(
        _ opened: OpenFile,
        _ kind: ArchiveKind,
        for purpose: MemberName.Purpose,
        _ limits: ArchiveLimits,
        _ cancellation: Cancellation
    ) throws {
        path = opened.path
        self.kind = kind
        self.purpose = purpose
        self.limits = limits
        try kind.requireEnd(of: opened, path)
        file = try FileInput(opened, cancellation)
        switch kind {
        case .tar, .zip, .sevenZip: content = file
        case .tarGzip, .tarZstd:
            content = try DecompressedInput(
                file,
                kind,
                limit: limits.expandedBytes(of: file.size),
                path
            )
        }
        let format: ArchiveHandle.Format =
            switch kind {
            case .tar, .tarGzip, .tarZstd: .tar
            case .zip: .zip
            case .sevenZip: .sevenZip
            }
        do {
            handle = try ArchiveHandle(content, format, nil, path)
        } catch let error as ZooError where content !== file && content.failure == nil {
            throw ZooError(
                .foreignFormatUnknown,
                "'\(path)' is compressed, but does not hold a tar archive",
                remedy: "decompress it with gunzip or zstd -d, then run the command again",
                cause: error
            )
        }
    }

    /// The next member; nil at the end of the archive.
    ///
    /// - Throws: ``ZooError`` with an `archive.*` or `io.*` code; `CancellationError`.
    func next() throws -> ArchiveMember? {
        guard let entry = unsafe try handle.nextEntry() else {
            try requireEnd()
            return nil
        }
        guard count < limits.members else {
            throw ZooError.overLimit(path, "has more than \(limits.members) members")
        }
        count += 1
        guard let text = unsafe handle.name(of: entry) else {
            throw MemberName.unsafe(path, "a name that is not UTF-8")
        }
        let name = try MemberName.checked(text, for: purpose, in: path)
        let member = unsafe try self.member(name, entry)
        if !member.name.isEmpty { try insert(member) }
        (total, _) = total.addingReportingOverflow(member.size)
        guard total >= 0, total <= limits.expandedBytes(of: file.size) else {
            throw ZooError.overLimit(
                path,
                "of \(file.size) bytes has members of \(total) bytes or more; the limit is "
                    + "\(limits.expandedBytes(of: file.size))"
            )
        }
        current = member
        return member
    }

    private func member(_ name: String, _ entry: OpaquePointer) throws(ZooError) -> ArchiveMember {
        let problem: String
        if unsafe carchive_is_link(entry) != 0 {
            problem = "a link"
        } else if unsafe archive_entry_sparse_count(entry) > 0 {
            problem = "a sparse file"
        } else if unsafe carchive_is_folder(entry) != 0 {
            return ArchiveMember(name: name, size: 0, isFolder: true)
        } else if unsafe carchive_is_file(entry) == 0 {
            problem = "neither a file nor a folder"
        } else if name.isEmpty {
            throw MemberName.unsafe(path, "a file without a name")
        } else {
            guard unsafe archive_entry_is_encrypted(entry) == 0 else {
                throw ZooError(
                    .memberEncrypted,
                    "'\(name)' in the archive '\(path)' is encrypted",
                    remedy: "unpack the archive with its own tool, and give what it holds"
                )
            }
            let size = unsafe archive_entry_size(entry)
            guard unsafe archive_entry_size_is_set(entry) != 0, size >= 0 else {
                throw .malformed(path, "does not state the size of '\(name)'")
            }
            return ArchiveMember(name: name, size: Int(size), isFolder: false)
        }
        throw ZooError(
            .memberKindUnsupported,
            "'\(name)' in the archive '\(path)' is \(problem)",
            remedy: "unpack the archive with its own tool, and give what it holds"
        )
    }

    /// Records a name and the folders above it.
    private func insert(_ member: ArchiveMember) throws(ZooError) {
        let key = MemberName.collisionKey(member.name)
        var end = key.utf8.startIndex
        while let slash = key.utf8[end...].firstIndex(of: UInt8(ascii: "/")) {
            try insert(String(key[..<slash]), folder: true, member.name)
            end = key.utf8.index(after: slash)
        }
        try insert(key, folder: member.isFolder, member.name)
    }

    private func insert(_ key: String, folder: Bool, _ name: String) throws(ZooError) {
        guard let known = isFolder.updateValue(folder, forKey: key), !(known && folder) else {
            return
        }
        throw ZooError(
            .memberNameDuplicate,
            "the archive '\(path)' has '\(name)' twice, or two names that differ only in case",
            remedy: "programs differ in which of them they read; tell the publisher"
        )
    }

    /// Passes the bytes of the current member to `body`.
    ///
    /// - Parameter body: receives bytes, which are valid during the call, and the offset at which an
    ///   uncompressed archive stores them, if it is known; returns whether it needs more.
    /// - Throws: ``ZooError`` with code `archive.malformed` when the bytes do not have the stated size
    ///   or checksum, or `io.*`; `CancellationError`; or what `body` throws.
    func read(_ body: (UnsafeRawBufferPointer, Int?) throws -> Bool) throws {
        guard let current else { preconditionFailure("the cursor is not at a member") }
        var position = 0
        while let (bytes, offset) = unsafe try handle.nextData() {
            guard offset == position, bytes.count <= current.size - position else {
                throw ZooError.malformed(
                    path,
                    "holds other bytes of '\(current.name)' than its \(current.size)"
                )
            }
            position += bytes.count
            if !(unsafe try body(bytes, kind == .tar ? file.offset(of: bytes) : nil)) { return }
        }
        guard position == current.size else {
            throw ZooError.malformed(
                path,
                "is truncated: it holds \(position) of the \(current.size) bytes of "
                    + "'\(current.name)'"
            )
        }
    }

    /// Checks that a tar stream ends with its marker and nothing else.
    private func requireEnd() throws {
        guard kind != .zip, kind != .sevenZip else { return }
        let marker = handle.headerPosition
        try content.drain()
        guard content.contentEnd <= marker else {
            throw ZooError.trailing(path, content.position - marker)
        }
        // Two empty blocks (POSIX.1-2017, pax, "ustar Interchange Format").
        guard content.position - marker >= 1024 else {
            throw ZooError.malformed(path, "is truncated: it lacks the end-of-archive marker")
        }
    }
}
