// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

extension FileSystem {
    /// Writes a small file atomically: readers see the old or the new content, never a mix.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code; the old content remains in this case.
    package static func writeAtomically(_ path: String, _ bytes: [UInt8]) throws(ZooError) {
        let draft = try FileDraft(of: path)
        do throws(ZooError) {
            try draft.file.write(bytes, at: 0)
            try draft.commit()
        } catch {
            draft.discard()
            throw error
        }
    }

    /// Writes a small file atomically so that only its owner can read it (mode 0600).
    ///
    /// - Throws: ``ZooError`` with an `io.*` code; the old content remains in this case.
    package static func writePrivately(_ path: String, _ bytes: [UInt8]) throws(ZooError) {
        let draft = try FileDraft(of: path)
        do throws(ZooError) {
            // Before the first byte is written.
            try draft.file.setPermissions(0o600)
            try draft.file.write(bytes, at: 0)
            try draft.commit()
        } catch {
            draft.discard()
            throw error
        }
    }

    /// Writes a file incrementally and atomically: readers see the old or the new content.
    ///
    /// When the call returns, the file is on disk. It keeps the permissions of the file that it
    /// replaces.
    ///
    /// - Parameters:
    ///   - path: the file to write; a symbolic link is replaced, a folder or device is rejected.
    ///   - body: writes to the given file.
    /// - Returns: what `body` returns.
    /// - Throws: ``ZooError`` with an `io.*` code, or what `body` throws; the old content remains,
    ///   and no temporary file.
    @discardableResult
    package static func writeAtomically<Result>(
        _ path: String,
        _ body: (OpenFile) throws -> Result
    ) throws -> Result {
        let draft = try FileDraft(of: path)
        do {
            let result = try body(draft.file)
            try draft.commit()
            return result
        } catch {
            draft.discard()
            throw error
        }
    }
}

extension FileSystem {
    /// Lets the owner write to a file, and to no other file.
    ///
    /// A file with other names (hard links) is replaced by a private copy first, so that the other
    /// names keep their bytes and their mode.
    ///
    /// - Throws: ``ZooError`` with code `io.not-a-file` if `path` is not a regular file, or `io.*`.
    package static func makeWritable(_ path: String) throws(ZooError) {
        try makeReadable(path)
        let file = try OpenFile(path, .read)
        let status = try file.status()
        // The mode belongs to the file and not to its name, so the descriptor is changed: the name
        // may refer to another file by now.
        guard status.links > 1 else { return try file.setPermissions(0o644) }
        let draft = try FileDraft(of: path)
        do throws(ZooError) {
            for start in stride(from: 0, to: status.size, by: copiedPiece) {
                let end = min(start + copiedPiece, status.size)
                try draft.file.write(try file.bytes(start..<end), at: start)
            }
            try draft.file.setPermissions(0o644)
            try draft.commit()
        } catch {
            draft.discard()
            throw error
        }
    }

    /// Lets the owner read a file that has no other name and a mode that denies it.
    private static func makeReadable(_ path: String) throws(ZooError) {
        guard let status = try status(path), status.kind == .file, status.links == 1,
            status.permissions & 0o400 == 0
        else { return }
        guard unsafe fchmodat(AT_FDCWD, path, 0o644, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw .system(errno, "change the mode of", path)
        }
    }

    /// The bytes that are copied at a time.
    private static let copiedPiece = 1 << 20
}

/// A temporary file in the folder of the file that it will replace.
private struct FileDraft {
    let file: OpenFile
    private let path: String

    init(of path: String) throws(ZooError) {
        let old = try FileSystem.status(path)
        // A rename would replace a device with a file.
        if let kind = old?.kind, kind == .folder || kind == .other { throw .notAFile(path, kind) }
        self.path = path
        file = try OpenFile(
            "\(FileSystem.parent(of: path))/.\(FileSystem.uniqueName()).tmp",
            .createNew
        )
        guard let old, old.kind == .file else { return }
        do throws(ZooError) {
            try file.setPermissions(old.permissions)
        } catch {
            discard()
            throw error
        }
    }

    func commit() throws(ZooError) {
        try file.synchronize()
        try FileSystem.rename(file.path, to: path)
    }

    func discard() {
        // Report the first error; the name of a file that remains identifies it as temporary.
        try? FileSystem.remove(file.path)
    }
}
