// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

extension ModelStore {
    /// A release that was removed from the store.
    package struct Removed: Sendable, Equatable {
        /// The folder of the release.
        package let path: String
        /// The disk space that its files had, in bytes.
        package let bytes: Int
    }

    /// What removal leaves in `staging` when it is interrupted; ``collect(olderThan:now:dryRun:_:)`` ends it.
    private static let removedPrefix = "removed-"

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

    // MARK: Collection

    /// What collection removed from the store, or would remove.
    package struct Collected: Sendable, Equatable {
        /// The number of interrupted pulls, removals and imports.
        package var staging = 0
        /// The number of cached documents of registries.
        package var documents = 0
        /// The number of temporary files that interrupted programs left.
        package var temporaryFiles = 0
        /// The disk space of all of them in bytes.
        package var bytes = 0

        /// Creates a result.
        package init() {}
    }

    /// Removes interrupted transfers, cached documents and temporary files; never an installed model.
    ///
    /// Transfers that another process is working on remain.
    ///
    /// - Parameters:
    ///   - cutoff: what was written to after this time remains, in nanoseconds since 1970.
    ///   - now: the current time, likewise. Files without a lock remain for a minute in any case,
    ///     because a running program may be about to rename them.
    ///   - dryRun: whether to remove nothing.
    ///   - cancellation: stops the work.
    /// - Returns: what was removed.
    /// - Throws: ``ZooError`` with an `io.*` code; `CancellationError`.
    package func collect(
        olderThan cutoff: Int,
        now: Int,
        dryRun: Bool,
        _ cancellation: Cancellation
    ) throws -> Collected {
        var collected = Collected()
        let settled = min(cutoff, now - 60_000_000_000)
        func remove(_ path: String, _ bytes: Int, _ count: WritableKeyPath<Collected, Int>) throws {
            if !dryRun { try FileSystem.remove(path) }
            collected[keyPath: count] += 1
            collected.bytes += bytes
        }
        let names = try FileSystem.names(in: "\(root)/staging")
        let areas = Set(names.map { $0.hasSuffix(".lock") ? String($0.dropLast(5)) : $0 })
        for name in areas.sorted() {
            try cancellation.check()
            let path = "\(root)/staging/\(name)"
            if name.hasPrefix(Self.removedPrefix) {
                try remove(path, try Self.size(of: path).bytes, \.staging)
                continue
            }
            // Whoever continues the transfer in the meantime waits for the lock.
            let lock = try OpenFile("\(path).lock", .write)
            guard lock.tryLock(), lock.isAtPath() else { continue }
            let size = try Self.size(of: path)
            let lockTime = names.contains("\(name).lock") ? try lock.status().modified : 0
            guard max(size.modified, lockTime) < cutoff else {
                if lockTime == 0 { try FileSystem.remove("\(path).lock") }
                continue
            }
            try remove(path, size.bytes, \.staging)
            if !dryRun || lockTime == 0 { try FileSystem.remove("\(path).lock") }
        }
        for namespace in try FileSystem.names(in: "\(root)/imports") {
            for name in try FileSystem.names(in: "\(root)/imports/\(namespace)") {
                try cancellation.check()
                let path = "\(root)/imports/\(namespace)/\(name)"
                let size = try Self.size(of: path)
                if size.modified < settled { try remove(path, size.bytes, \.staging) }
            }
        }
        for folder in ["registries", "receipts"] {
            for file in try FileSystem.entries(below: "\(root)/\(folder)") {
                try cancellation.check()
                let path = "\(root)/\(folder)/\(file)"
                guard let status = try FileSystem.status(path), status.modified < cutoff else {
                    continue
                }
                let name = FileSystem.name(of: file)
                if name.hasPrefix("."), name.hasSuffix(".tmp") {
                    guard status.modified < settled else { continue }
                    try remove(path, status.allocated, \.temporaryFiles)
                } else if folder == "registries" {
                    try remove(path, status.allocated, \.documents)
                }
            }
        }
        return collected
    }

    /// The disk space of a file or folder, and the last time that something in it was written.
    private static func size(of path: String) throws(ZooError) -> (bytes: Int, modified: Int) {
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
