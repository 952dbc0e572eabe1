// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A folder that only this user can enter, for files that are written before they are checked.
///
/// The folder stays open, so that ``requireUnchanged()`` notices a folder that replaced it.
package final class PrivateFolder: Sendable {
    /// The path of the folder.
    package let path: String
    private let descriptor: Int32

    /// Creates a folder with mode 0700, or takes an existing folder that nobody else can write to.
    ///
    /// - Throws: ``ZooError`` with code `io.folder-not-private` if `path` is not a folder, belongs to
    ///   another user, or can be written to by others; or `io.*`.
    package init(_ path: String) throws(ZooError) {
        self.path = path
        try FileSystem.createFolder(FileSystem.parent(of: path))
        if unsafe mkdir(path, 0o700) == 0 {
            try FileSystem.synchronizeFolder(FileSystem.parent(of: path))
        } else if errno != EEXIST {
            throw .system(errno, "create", path)
        }
        // Examined before it is opened, because a folder of another user may not be readable.
        try Self.require(try FileSystem.status(path), path)
        descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(errno, "open", path) }
        try requireUnchanged()
        // Older versions let others read the folder; this also covers the folders in it.
        guard fchmod(descriptor, 0o700) == 0 else {
            throw .system(errno, "change the mode of", path)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Checks that the path still refers to this folder, and that it is still private.
    ///
    /// - Throws: ``ZooError`` with code `io.folder-not-private`.
    package func requireUnchanged() throws(ZooError) {
        var (opened, found) = (stat(), stat())
        guard unsafe fstat(descriptor, &opened) == 0, unsafe lstat(path, &found) == 0,
            opened.st_dev == found.st_dev, opened.st_ino == found.st_ino
        else {
            throw Self.notPrivate(path, "was replaced while it was in use")
        }
        try Self.require(FileStatus(opened), path)
    }

    /// Checks that a folder inside a private folder belongs to this user.
    ///
    /// - Throws: ``ZooError`` with code `io.folder-not-private`.
    package static func requireOwned(_ path: String) throws(ZooError) {
        let status = try FileSystem.status(path)
        guard status?.kind == .folder else { throw notPrivate(path, "is not a folder") }
        guard status?.owner == geteuid() else {
            throw notPrivate(path, "belongs to another user")
        }
    }

    private static func require(_ status: FileStatus?, _ path: String) throws(ZooError) {
        guard let status, status.kind == .folder else {
            throw notPrivate(path, "is not a folder")
        }
        let user = geteuid()
        guard status.owner == user else {
            throw notPrivate(path, "belongs to the user \(status.owner), and you are \(user)")
        }
        guard status.permissions & 0o022 == 0 else {
            let mode = String(status.permissions, radix: 8)
            throw notPrivate(path, "has mode \(mode), so that other users can write to it")
        }
    }

    private static func notPrivate(_ path: String, _ what: String) -> ZooError {
        ZooError(
            .folderNotPrivate,
            "'\(path)' \(what)",
            remedy: "remove '\(path)', or use another folder (AMI_ZOO_HOME, --to); then run the "
                + "command again"
        )
    }
}
