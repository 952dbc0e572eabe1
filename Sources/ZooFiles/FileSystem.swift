// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Operations on paths; all calls block.
///
/// Every failure is a ``ZooError`` with the path in it.
package enum FileSystem {
    /// What is at `path`, without following a symbolic link; nil when nothing is.
    package static func status(_ path: String) throws(ZooError) -> FileStatus? {
        var raw = stat()
        guard unsafe lstat(path, &raw) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else { throw .system(errno, "examine", path) }
            return nil
        }
        return FileStatus(raw)
    }

    /// The names in a folder, sorted; empty when the folder does not exist.
    ///
    /// - Throws: ``ZooError`` with code `io.name-not-utf8` for a name that is not UTF-8, or `io.*`;
    ///   a listing is never shorter than the folder.
    package static func names(in folder: String) throws(ZooError) -> [String] {
        guard let stream = unsafe opendir(folder) else {
            guard errno == ENOENT else { throw .system(errno, "list", folder) }
            return []
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            // The end of a folder and a failure differ in nothing but this.
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(validatingCString: $0)
                }
            }
            guard let name else {
                throw ZooError(
                    .nameNotUTF8,
                    "a name in the folder '\(folder)' is not UTF-8",
                    remedy: "rename that file; 'ls -b' shows the bytes of its name"
                )
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw .system(errno, "list", folder) }
        return names.sorted()
    }

    /// Every regular file below a folder, as paths relative to it, sorted.
    ///
    /// - Throws: ``ZooError`` with code `io.not-a-file` when anything but files and folders is there.
    package static func files(below folder: String) throws(ZooError) -> [String] {
        var found: [String] = []
        for name in try names(in: folder) {
            switch try status("\(folder)/\(name)")?.kind {
            case .file: found.append(name)
            case .folder: found += try files(below: "\(folder)/\(name)").map { "\(name)/\($0)" }
            case .link, .other:
                throw ZooError(
                    .notAFile,
                    "'\(folder)/\(name)' is neither a file nor a folder",
                    remedy: "replace links and special files with regular files"
                )
            case nil: continue
            }
        }
        return found.sorted()
    }

    /// The paths of everything but folders below a folder, relative to it, sorted; whatever it is.
    package static func entries(below folder: String) throws(ZooError) -> [String] {
        var found: [String] = []
        for name in try names(in: folder) {
            switch try status("\(folder)/\(name)")?.kind {
            case .folder: found += try entries(below: "\(folder)/\(name)").map { "\(name)/\($0)" }
            case .file, .link, .other: found.append(name)
            case nil: continue
            }
        }
        return found.sorted()
    }

    /// Bytes on the disk of every file below a folder; none when it does not exist.
    package static func allocatedBytes(below folder: String) throws(ZooError) -> Int {
        var sum = 0
        for file in try files(below: folder) {
            sum += try status("\(folder)/\(file)")?.allocated ?? 0
        }
        return sum
    }

    /// Makes a folder and those above it, each durable in its parent.
    package static func createFolder(_ path: String) throws(ZooError) {
        if unsafe mkdir(path, 0o777) == 0 {
            return try synchronizeFolder(parent(of: path))
        }
        switch errno {
        case EEXIST:
            guard try followedKind(path) == .folder else {
                throw ZooError(.fileExists, "'\(path)' is there, and is not a folder")
            }
        case ENOENT:
            let above = parent(of: path)
            guard above != path else { throw .system(ENOENT, "create", path) }
            try createFolder(above)
            guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else {
                throw .system(errno, "create", path)
            }
            try synchronizeFolder(above)
        default:
            throw .system(errno, "create", path)
        }
    }

    /// People do put their data folder behind a symbolic link; only what lies inside is ours.
    private static func followedKind(_ path: String) throws(ZooError) -> FileStatus.Kind {
        try followedStatus(path).kind
    }

    /// What is at `path`, with symbolic links followed: for files that people name themselves.
    package static func followedStatus(_ path: String) throws(ZooError) -> FileStatus {
        var raw = stat()
        guard unsafe stat(path, &raw) == 0 else { throw .system(errno, "examine", path) }
        return FileStatus(raw)
    }

    /// Whether a folder, or a symbolic link to one, is at `path`.
    package static func isFolder(_ path: String) -> Bool {
        (try? followedStatus(path))?.kind == .folder
    }

    /// Whether two paths lead to the same file or folder.
    package static func isSame(_ path: String, _ other: String) -> Bool {
        var (first, second) = (stat(), stat())
        guard unsafe stat(path, &first) == 0, unsafe stat(other, &second) == 0 else { return false }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }

    /// Checks that files can be made in a folder.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package static func requireWritable(folder: String) throws(ZooError) {
        guard unsafe access(folder, W_OK | X_OK) == 0 else {
            throw .system(errno, "write to", folder)
        }
    }

    /// The folder that holds `path`.
    package static func parent(of path: String) -> String {
        // By bytes: a character may be a slash and a combining mark.
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The last component of `path`.
    package static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    /// Waits until the names in a folder are on the disk.
    package static func synchronizeFolder(_ path: String) throws(ZooError) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(errno, "open", path) }
        defer { close(descriptor) }
        // Some file systems cannot sync a folder and say EINVAL; then there is nothing to wait for.
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw .system(errno, "write", path)
        }
    }

    /// Renames, replacing a file at `new`, and makes the new name durable.
    package static func rename(_ old: String, to new: String) throws(ZooError) {
        guard Self.renameCall(old, new) == 0 else { throw .system(errno, "rename", old) }
        try synchronizeFolder(parent(of: new))
    }

    private static func renameCall(_ old: String, _ new: String) -> Int32 {
        #if canImport(Glibc)
        unsafe Glibc.rename(old, new)
        #else
        unsafe Darwin.rename(old, new)
        #endif
    }

    /// Makes a file of ours writable again that ``OpenFile/makeImmutable()`` made read-only.
    package static func makeWritable(_ path: String) throws(ZooError) {
        guard unsafe chmod(path, 0o644) == 0 else {
            throw .system(errno, "change the mode of", path)
        }
    }

    /// Removes a file or a folder with everything in it; does nothing when it is not there.
    package static func remove(_ path: String) throws(ZooError) {
        guard let status = try status(path) else { return }
        guard status.kind == .folder else {
            guard unsafe unlink(path) == 0 || errno == ENOENT else {
                throw .system(errno, "remove", path)
            }
            return
        }
        for name in try names(in: path) { try remove("\(path)/\(name)") }
        guard unsafe rmdir(path) == 0 || errno == ENOENT else {
            throw .system(errno, "remove", path)
        }
    }

    /// Reads a small file whole.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - limit: the largest size, in bytes.
    ///   - followingLinks: whether `path` may be a symbolic link: for files that people name.
    /// - Returns: the bytes.
    /// - Throws: ``ZooError`` with code `io.document-too-large` past `limit` bytes, or `io.*`.
    package static func document(
        _ path: String,
        limit: Int,
        followingLinks: Bool = false
    ) throws(ZooError) -> [UInt8] {
        let file = try OpenFile(path, followingLinks ? .readFollowing : .read)
        let size = try file.status().size
        guard size <= limit else {
            throw ZooError(
                .documentTooLarge,
                "'\(path)' has \(size) bytes; the limit is \(limit)"
            )
        }
        return try file.bytes(0..<size)
    }

    /// A name nobody else uses: the process and 64 random bits.
    package static func uniqueName() -> String {
        "\(getpid())-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    }

    /// Bytes that may still be written to the file system of `path`; nil when it does not say.
    package static func freeSpace(at path: String) -> Int? {
        var raw = statvfs()
        guard unsafe statvfs(path, &raw) == 0 else { return nil }
        let (bytes, overflow) = Int(raw.f_bavail).multipliedReportingOverflow(by: Int(raw.f_frsize))
        return overflow ? nil : bytes
    }

    /// Waits, blocking this thread; for polling a lock.
    package static func pause(milliseconds: UInt32) { usleep(milliseconds * 1000) }

    /// `path` made absolute against the working folder, with `.` and `..` resolved as text.
    package static func absolute(_ path: String) -> String {
        var components: [String] = []
        let full = path.utf8.first == UInt8(ascii: "/") ? path : workingFolder() + "/" + path
        for component in full.utf8.split(separator: UInt8(ascii: "/")) {
            let name = String(decoding: component, as: UTF8.self)
            if name == ".." {
                _ = components.popLast()
            } else if name != "." {
                components.append(name)
            }
        }
        return "/" + components.joined(separator: "/")
    }

    private static func workingFolder() -> String {
        guard let text = unsafe getcwd(nil, 0) else { return "/" }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }
}
