// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

extension ModelStore {
    /// A release that was removed from the store.
    package struct Removed: Sendable, Equatable {
        /// The folder of the release.
        package let path: String
        /// The disk space that its files had, in bytes.
        package let bytes: Int
    }

    /// What removal leaves in `staging` when it is interrupted; ``collect(_:now:dryRun:_:)`` ends it.
    static let removedPrefix = "removed-"

    /// Removes an installed version, whole or partial, whatever state its files are in.
    ///
    /// Each folder is renamed before it is removed, so that nobody finds half of it. A pull of the
    /// same release may run at the same time, and installs it again.
    ///
    /// - Parameter reference: the release; the version may be left out when only one is installed.
    /// - Returns: the removed folders.
    /// - Throws: ``ZooError`` with code `store.not-installed`, `store.several-installed`, or `io.*`.
    package func remove(_ reference: ModelReference) throws(ZooError) -> [Removed] {
        let folders = try folders(of: reference)
        guard !folders.isEmpty else {
            throw ZooError(
                .notInstalled,
                "'\(reference)' is not installed",
                remedy: "run 'ami-zoo cache ls' to see what is"
            )
        }
        let versions = Set(folders.map(\.version)).sorted()
        guard versions.count == 1 else {
            let names = versions.map { "'\(reference.name):\($0)'" }
            throw ZooError(
                .severalInstalled,
                "\(versions.count) versions of '\(reference.name)' are installed",
                remedy: "name the one to remove: \(names.joined(separator: ", "))"
            )
        }
        try prepare()
        _ = try PrivateFolder("\(root)/staging")
        var removed: [Removed] = []
        for folder in folders {
            let bytes = try Self.size(of: folder.path).bytes
            let trash = "\(root)/staging/\(Self.removedPrefix)\(FileSystem.uniqueName())"
            try FileSystem.rename(folder.path, to: trash)
            try forget(folder.path)
            try FileSystem.remove(trash)
            removed.append(Removed(path: folder.path, bytes: bytes))
        }
        return removed
    }

    /// The disk space of a file or folder, and the last time that something in it was written.
    static func size(of path: String) throws(ZooError) -> (bytes: Int, modified: Int) {
        guard let status = try FileSystem.status(path) else { return (0, 0) }
        var (bytes, modified) = (status.allocated, status.modified)
        guard status.kind == .folder else { return (bytes, modified) }
        for name in try FileSystem.names(in: path) {
            let inner = try size(of: "\(path)/\(name)")
            bytes += inner.bytes
            modified = max(modified, inner.modified)
        }
        return (bytes, modified)
    }
}
