// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc
internal import NIOCore
internal import ZooCore

/// The folder that is served, held open, so that what was checked at start is what is served.
///
/// No symbolic link below the root is followed, neither in the last component nor before it.
/// All members block; they are called on the server's thread pool.
final class ServedFolder: Sendable {
    private let descriptor: CInt

    /// Opens a registry folder and reads its description.
    ///
    /// - Throws: ``ZooError`` with code `server.root-invalid` when there is no folder at `path`, it
    ///   has no `zoo.json`, or that is not the description of a registry.
    init(path: String) throws(ZooError) {
        // The path is terminated and only read during the call.
        descriptor = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ZooError(
                .rootInvalid,
                "cannot open the folder '\(path)': \(systemMessage(errno))"
            )
        }
        do throws(ZooError) {
            guard let file = try open(.description) else {
                throw ZooError(.rootInvalid, "there is no \(RegistryLayout.description) in it")
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
                remedy: "name a registry folder, or make one with 'ami-zoo registry init \(path)'",
                cause: error
            )
        }
    }

    deinit { _ = close(descriptor) }

    /// Opens what a request asks for; nil when it does not exist as a regular file.
    ///
    /// - Throws: ``ZooError`` with code `server.file-unreadable` or `server.overloaded`.
    func open(_ resource: RegistryResource) throws(ZooError) -> ServedFile? {
        var components = resource.path.split(separator: "/").map(String.init)
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
        // O_NONBLOCK: opening a FIFO that someone put there must not wait for a writer.
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
            // The name is terminated and only read during the call.
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

/// A folder on the way to a file.
private final class Folder {
    let descriptor: CInt

    init(descriptor: CInt) { self.descriptor = descriptor }

    deinit { _ = close(descriptor) }
}
