// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc
internal import NIOCore
internal import ZooCore

/// The served folder, held open so that the folder checked at startup is the one that is served.
///
/// Symbolic links below the root are not followed, in any path component. All members block and are
/// called on the server's thread pool.
final class ServedFolder: Sendable {
    private let descriptor: CInt

    /// Opens a registry folder and reads its description.
    ///
    /// - Throws: ``ZooError`` with code `server.root-invalid` when `path` is not a folder, or its
    ///   `zoo.json` is missing or invalid.
    init(path: String) throws(ZooError) {
        // The path is null-terminated and read only during the call.
        descriptor = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ZooError(
                .rootInvalid,
                "cannot open the folder '\(path)': \(systemMessage(errno))",
                remedy: "pass a registry folder; 'ami-zoo registry init' creates one"
            )
        }
        do throws(ZooError) {
            guard let file = try open(.description) else {
                throw ZooError(.rootInvalid, "it has no \(RegistryLayout.description)")
            }
            guard file.size <= FormatLimits.registryDescription else {
                throw ZooError(.rootInvalid, "its \(RegistryLayout.description) is too large")
            }
            let bytes = try file.read(0..<file.size)
            _ = try RegistryDescription(canonical: Array(bytes.readableBytesView))
        } catch {
            throw ZooError(
                .rootInvalid,
                "'\(path)' is not a registry: \(error.message)",
                remedy:
                    "pass a registry folder; 'ami-zoo registry init' creates one from an empty or "
                    + "new folder",
                cause: error
            )
        }
    }

    deinit { _ = close(descriptor) }

    /// Opens the file of a resource; nil when it is missing or not a regular file.
    ///
    /// - Throws: ``ZooError`` with code `server.file-unreadable` or `server.overloaded`.
    func open(_ resource: RegistryResource) throws(ZooError) -> ServedFile? {
        try open(path: resource.path)
    }

    /// Opens a file by a path that was built from parsed values, never from text of a request.
    ///
    /// - Throws: ``ZooError`` with code `server.file-unreadable` or `server.overloaded`.
    func open(path: String) throws(ZooError) -> ServedFile? {
        var components = path.split(separator: "/").map(String.init)
        let last = components.removeLast()
        var folder: Folder?
        for component in components {
            let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
            guard
                let next = try openEntry(
                    component,
                    of: folder?.descriptor ?? descriptor,
                    flags: flags
                )
            else { return nil }
            folder = Folder(descriptor: next)
        }
        // O_NONBLOCK: opening a FIFO must not wait for a writer.
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY
        guard let file = try openEntry(last, of: folder?.descriptor ?? descriptor, flags: flags)
        else { return nil }
        return ServedFile(descriptor: file)
    }

    private func openEntry(
        _ name: String,
        of folder: CInt,
        flags: CInt
    ) throws(ZooError) -> CInt? {
        while true {
            // The name is null-terminated and read only during the call.
            let result = unsafe openat(folder, name, flags)
            if result >= 0 { return result }
            switch errno {
            case EINTR: continue
            case ENOENT, ENOTDIR, ELOOP, ENXIO: return nil
            case EMFILE, ENFILE, ENOMEM:
                throw ZooError(.overloaded, "cannot open '\(name)': \(systemMessage(errno))")
            case let number:
                throw ZooError(.fileUnreadable, "cannot open '\(name)': \(systemMessage(number))")
            }
        }
    }
}

/// An open folder in the path of a file.
private final class Folder {
    let descriptor: CInt

    init(descriptor: CInt) { self.descriptor = descriptor }

    deinit { _ = close(descriptor) }
}
