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
/// Every error is a ``ZooError`` whose message contains the path.
package enum FileSystem {
    /// The status of `path`, without following a symbolic link; nil if it does not exist.
    package static func status(_ path: String) throws(ZooError) -> FileStatus? {
        var raw = stat()
        guard unsafe lstat(path, &raw) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else { throw .system(errno, "examine", path) }
            return nil
        }
        return FileStatus(raw)
    }

    /// The names in a folder, sorted; empty if the folder does not exist.
    ///
    /// - Throws: ``ZooError`` with code `io.name-not-utf8` for a name that is not UTF-8, or `io.*`;
    ///   a listing is never incomplete.
    package static func names(in folder: String) throws(ZooError) -> [String] {
        guard let stream = unsafe opendir(folder) else {
            guard errno == ENOENT else { throw .system(errno, "list", folder) }
            return []
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            // Only errno distinguishes the end of the folder from an error.
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
    /// - Throws: ``ZooError`` with code `io.not-a-file` if it contains anything else.
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

    /// The paths of all entries below a folder except folders, relative to it, sorted.
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

    /// The disk space of all files below a folder, in bytes; 0 if the folder does not exist.
    package static func allocatedBytes(below folder: String) throws(ZooError) -> Int {
        var sum = 0
        for file in try files(below: folder) {
            sum += try status("\(folder)/\(file)")?.allocated ?? 0
        }
        return sum
    }

    /// Creates a folder and its missing parents, and makes each of them durable.
    package static func createFolder(_ path: String) throws(ZooError) {
        if unsafe mkdir(path, 0o777) == 0 {
            return try keepFolder(path)
        }
        switch errno {
        case EEXIST:
            guard try followedKind(path) == .folder else {
                throw ZooError(.fileExists, "'\(path)' exists, but is not a folder")
            }
        case ENOENT:
            let above = parent(of: path)
            guard above != path else { throw .system(ENOENT, "create", path) }
            try createFolder(above)
            if unsafe mkdir(path, 0o777) == 0 { return try keepFolder(path) }
            guard errno == EEXIST else { throw .system(errno, "create", path) }
            try synchronizeFolder(above)
        default:
            throw .system(errno, "create", path)
        }
    }

    /// Makes a new folder durable, or removes it, so that a later attempt does not take it for one that is.
    private static func keepFolder(_ path: String) throws(ZooError) {
        do throws(ZooError) {
            try synchronizeFolder(parent(of: path))
        } catch {
            _ = unsafe rmdir(path)
            throw error
        }
    }

    /// The kind at `path` with symbolic links followed, because a data folder may be a link.
    private static func followedKind(_ path: String) throws(ZooError) -> FileStatus.Kind {
        try followedStatus(path).kind
    }

    /// The status of `path` with symbolic links followed, for paths that the user gives.
    package static func followedStatus(_ path: String) throws(ZooError) -> FileStatus {
        var raw = stat()
        guard unsafe stat(path, &raw) == 0 else { throw .system(errno, "examine", path) }
        return FileStatus(raw)
    }

    /// Whether `path` is a folder or a symbolic link to a folder.
    package static func isFolder(_ path: String) -> Bool {
        (try? followedStatus(path))?.kind == .folder
    }

    /// Whether two paths refer to the same file or folder.
    package static func isSame(_ path: String, _ other: String) -> Bool {
        var (first, second) = (stat(), stat())
        guard unsafe stat(path, &first) == 0, unsafe stat(other, &second) == 0 else { return false }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }

    /// Checks that files can be created in a folder.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package static func requireWritable(folder: String) throws(ZooError) {
        guard unsafe access(folder, W_OK | X_OK) == 0 else {
            throw .system(errno, "write to", folder)
        }
    }

    /// The folder that holds `path`.
    package static func parent(of path: String) -> String {
        // Compares bytes, because a Character may combine a slash with a combining mark.
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The last component of `path`.
    package static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    /// Waits until the entries of a folder are on disk.
    package static func synchronizeFolder(_ path: String) throws(ZooError) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(errno, "open", path) }
        defer { close(descriptor) }
        // Some file systems cannot sync a folder and return EINVAL; there is nothing to wait for.
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

    /// Removes a file or a folder with its content; does nothing if it does not exist.
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

    /// Reads a whole small file.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - limit: the largest size, in bytes.
    ///   - followingLinks: whether `path` may be a symbolic link, for paths that the user gives.
    /// - Returns: the bytes.
    /// - Throws: ``ZooError`` with code `io.document-too-large` above `limit` bytes, or `io.*`.
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

    /// A unique name from the process identifier and 64 random bits.
    package static func uniqueName() -> String {
        "\(getpid())-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    }

    /// The free space on the file system of `path` in bytes; nil if it is unknown.
    package static func freeSpace(at path: String) -> Int? {
        var raw = statvfs()
        guard unsafe statvfs(path, &raw) == 0 else { return nil }
        let (bytes, overflow) = Int(raw.f_bavail).multipliedReportingOverflow(by: Int(raw.f_frsize))
        return overflow ? nil : bytes
    }

    /// Blocks this thread for a time; for polling a lock.
    package static func pause(milliseconds: UInt32) { usleep(milliseconds * 1000) }

    /// The absolute form of `path`, with `.` and `..` resolved lexically.
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

    /// The absolute form of `path` without symbolic links; names that do not exist stay as they are.
    package static func realPath(_ path: String) -> String {
        let path = absolute(path)
        if let real = unsafe realpath(path, nil) {
            defer { unsafe free(real) }
            return unsafe String(cString: real)
        }
        guard path != "/" else { return path }
        let above = realPath(parent(of: path))
        return (above == "/" ? "" : above) + "/" + name(of: path)
    }

    private static func workingFolder() -> String {
        guard let text = unsafe getcwd(nil, 0) else { return "/" }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }
}
