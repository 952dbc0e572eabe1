// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
package import ZooCore
package import ZooFiles

/// An archive that others made, as a tree of files; its members are never written under their names.
///
/// The path of a member is the path of the archive, a slash, and the name of the member. A member is
/// copied to a private file without a name, unless the archive is an uncompressed tar file, which
/// stores it in one piece. All calls block.
package final class ForeignArchive: FileTree {
    /// The path of the archive.
    package let path: String
    /// The format of the archive.
    package let kind: ArchiveKind
    /// The members in the order of the archive, without folders.
    package let members: [ArchiveMember]

    private let file: OpenFile
    private let limits: ArchiveLimits
    private let spool: String
    private let cancellation: Cancellation
    /// The size of each file, and nil for each folder.
    private let sizes: [String: Int?]
    private let reading = Mutex(Reading())

    private struct Reading {
        var cursor: ArchiveCursor?
        var opened: [String: MappedFile] = [:]
    }

    /// Opens an archive and checks all of its members; nil if the file is not an archive.
    ///
    /// - Parameters:
    ///   - path: the file; symbolic links are followed.
    ///   - spool: the folder for copies of members.
    ///   - limits: the limits on members and sizes.
    ///   - cancellation: stops the reading, now and in later calls.
    /// - Throws: ``ZooError`` with an `archive.*` or `io.*` code; `CancellationError`.
    package init?(
        _ path: String,
        spool: String,
        limits: ArchiveLimits = ArchiveLimits(),
        _ cancellation: Cancellation
    ) throws {
        let file = try OpenFile(path, .readFollowing)
        guard let kind = try ArchiveKind(of: file) else { return nil }
        let cursor = try ArchiveCursor(file, kind, for: .reading, limits, cancellation)
        var members: [ArchiveMember] = []
        var sizes: [String: Int?] = [:]
        sizes.updateValue(nil, forKey: "")
        while let member = try cursor.next() {
            guard !member.name.isEmpty else { continue }
            if !member.isFolder { members.append(member) }
            sizes.updateValue(member.isFolder ? nil : member.size, forKey: member.name)
            var folder = FileSystem.parent(of: member.name)
            while folder != ".", sizes.updateValue(nil, forKey: folder) == nil {
                folder = FileSystem.parent(of: folder)
            }
        }
        self.path = path
        self.kind = kind
        self.file = file
        self.members = members
        self.sizes = sizes
        self.spool = spool
        self.limits = limits
        self.cancellation = cancellation
    }

    /// Whether a path refers to a member or a folder in the archive; nil if it does not exist.
    package func kind(_ path: String) throws(ZooError) -> FileStatus.Kind? {
        guard let name = name(of: path), let size = sizes[name] else { return nil }
        return size == nil ? .folder : .file
    }

    /// Opens a member.
    ///
    /// - Throws: ``ZooError`` with code `archive.member-not-found`, `io.disk-full`, or another
    ///   `archive.*` or `io.*` code.
    package func open(_ path: String) throws(ZooError) -> MappedFile {
        guard let name = name(of: path), let entry = sizes[name], let size = entry else {
            throw ZooError(
                .memberMissing,
                "the archive '\(self.path)' has no file '\(name(of: path) ?? path)'",
                remedy: "list the members with the tool of the format, such as 'tar -tf'"
            )
        }
        let result = reading.withLock { reading in
            Result { () throws -> MappedFile in
                if let file = reading.opened[name] { return file }
                let file = try open(name, size, &reading.cursor)
                reading.opened[name] = file
                return file
            }
        }
        do {
            return try result.get()
        } catch let error as ZooError {
            throw error
        } catch {
            // Nobody waits for the result of cancelled work.
            throw ZooError(.systemCall, "the reading of '\(path)' was cancelled", cause: error)
        }
    }

    private func name(of path: String) -> String? {
        if path == self.path { return "" }
        let prefix = "\(self.path)/"
        guard path.utf8.starts(with: prefix.utf8) else { return nil }
        return String(Substring(path.utf8.dropFirst(prefix.utf8.count)))
    }

    /// Opens a member with a cursor that continues where it is, if the member is behind that place.
    private func open(_ name: String, _ size: Int, _ cursor: inout ArchiveCursor?) throws
        -> MappedFile
    {
        for attempt in 0..<2 {
            let current: ArchiveCursor
            if attempt == 0, let cursor {
                current = cursor
            } else {
                current = try ArchiveCursor(file, kind, for: .reading, limits, cancellation)
            }
            cursor = nil
            while let member = try current.next() {
                guard member.name == name else { continue }
                guard member.size == size else { break }
                let opened = try copy(member, current)
                cursor = current
                return opened
            }
        }
        throw ZooError(
            .fileChanged,
            "the archive '\(path)' was written to while it was read",
            remedy: "run the command again while nothing writes to it"
        )
    }

    private func copy(_ member: ArchiveMember, _ cursor: ArchiveCursor) throws -> MappedFile {
        let memberPath = "\(path)/\(member.name)"
        var copy: OpenFile?
        var start: Int?
        var position = 0
        unsafe try cursor.read { bytes, offset in
            if let offset {
                start = offset - position
                return false
            }
            let file = try copy ?? self.temporaryFile(for: member)
            copy = file
            do throws(ZooError) {
                unsafe try file.write(bytes, at: position)
            } catch {
                throw error.code == .diskFull ? noSpace(for: member, error) : error
            }
            position += bytes.count
            return true
        }
        if let start { return try MappedFile(file, start..<start + member.size, path: memberPath) }
        return try MappedFile(copy ?? temporaryFile(for: member), path: memberPath)
    }

    private func temporaryFile(for member: ArchiveMember) throws(ZooError) -> OpenFile {
        if let free = FileSystem.freeSpace(at: spool), free < member.size {
            throw noSpace(for: member, nil)
        }
        return try OpenFile.temporary(in: spool)
    }

    private func noSpace(for member: ArchiveMember, _ cause: ZooError?) -> ZooError {
        ZooError(
            .diskFull,
            "'\(member.name)' in the archive '\(path)' needs \(member.size) bytes in '\(spool)' while "
                + "it is read, and there is not enough space",
            remedy: "set TMPDIR to a folder with more space, then run the command again",
            cause: cause
        )
    }
}
