// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The state folder of a server and its files, which only their owner can open.
enum PrivateFiles {
    /// Creates a folder with mode 0700, or checks that an existing one has no more rights.
    ///
    /// The mode of an existing folder is not changed: it may be shared on purpose, such as `/var/lib`.
    static func createFolder(_ path: String) throws(ZooError) {
        try FileSystem.createFolder(FileSystem.parent(of: path))
        if unsafe mkdir(path, 0o700) == 0 {
            try FileSystem.synchronizeFolder(FileSystem.parent(of: path))
        } else if errno != EEXIST {
            throw .system(errno, "create", path)
        }
        // Links are followed: a service manager may make the folder one.
        let status = try FileSystem.followedStatus(path)
        guard status.kind == .folder else {
            throw ZooError(
                .stateExposed,
                "the state folder '\(path)' is not a folder",
                remedy: "choose another state folder"
            )
        }
        // Also for root, whose files the user of the server could not open.
        guard status.owner == geteuid() else {
            throw ZooError(
                .stateOwner,
                "the state folder '\(path)' belongs to user \(status.owner), and you are user "
                    + "\(geteuid())",
                remedy: "run the command as that user: 'sudo -u \\#\(status.owner) ami-zoo …'"
            )
        }
        guard status.permissions & 0o077 == 0 else {
            throw ZooError(
                .stateExposed,
                "the state folder '\(path)' holds secrets, and its mode "
                    + "\(String(status.permissions, radix: 8)) lets other users open it",
                remedy: "run 'chmod 700 \(path)', or choose a folder for the state alone"
            )
        }
    }

    /// Creates an empty database file with mode 0600.
    ///
    /// SQLite gives its other files the mode of the database. Existing files, such as those of a
    /// restored backup, get mode 0600.
    static func secureDatabase(_ path: String) throws(ZooError) {
        let flags = O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW
        let descriptor = unsafe open(path, flags, 0o600)
        if descriptor >= 0 {
            close(descriptor)
            return
        }
        guard errno == EEXIST else { throw .system(errno, "create", path) }
        // An existing file is not opened: closing it would drop SQLite's locks of this process.
        for path in ["", "-wal", "-shm", "-journal"].map({ path + $0 }) {
            guard let status = try FileSystem.status(path) else { continue }
            guard status.kind == .file else {
                throw ZooError(
                    .stateExposed,
                    "'\(path)' is not a regular file",
                    remedy: "remove '\(path)', and restore the file from a backup"
                )
            }
            // Another process may have removed the file meanwhile.
            if status.permissions & 0o077 != 0, unsafe chmod(path, 0o600) != 0, errno != ENOENT {
                throw .system(errno, "change the mode of", path)
            }
        }
    }

    /// Checks that a folder is not inside a registry folder.
    static func requireNotServed(_ path: String) throws(ZooError) {
        let real = FileSystem.realPath(path)
        var folder = real
        while true {
            if try FileSystem.status("\(folder)/\(RegistryLayout.description)") != nil {
                throw ZooError(
                    .stateServed,
                    "the state folder '\(path)' is inside the registry folder '\(folder)', which a "
                        + "web server may serve",
                    remedy: "choose a state folder outside the registry, such as "
                        + "'\(folder == "/" ? "" : folder)-state'"
                )
            }
            guard folder != "/" else { return }
            folder = FileSystem.parent(of: folder)
        }
    }
}
