// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCore
internal import ZooFiles
internal import ZooRegistry

/// Releases in one file, for machines without a network: a tar of a registry folder, which is also an
/// OCI image layout.
package enum RegistryArchive {
    /// Copies releases into a file.
    ///
    /// - Parameters:
    ///   - selections: the releases; empty for all that the source lists.
    ///   - source: the registry.
    ///   - path: the file, which is replaced when all of it is on disk.
    ///   - progress: receives the progress of the copy.
    /// - Returns: what was copied.
    /// - Throws: ``ZooError`` as ``RegistryMirror/copy(_:)``, or `io.*`; `CancellationError`.
    package static func export(
        _ selections: [RegistryMirror.Selection],
        from source: Registry,
        to path: String,
        progress: @escaping @Sendable (PullEvent) -> Void
    ) async throws -> RegistryMirror.Report {
        try await BlockingWork.run { _ in try requireFolder(of: path) }
        return try await withFolder(beside: path) { folder in
            try await BlockingWork.run { _ in
                try RegistryFolder.create(folder, RegistryDescription(name: "export"))
            }
            let target = try await FolderTarget(registry: folder)
            let mirror = RegistryMirror(from: source, to: target, progress: progress)
            let report = try await mirror.copy(selections)
            try await BlockingWork.run { cancellation in
                // Locks and databases belong to the folder on this machine.
                for name in try FileSystem.names(in: folder) where name.hasPrefix(".") {
                    try FileSystem.remove("\(folder)/\(name)")
                }
                try LayoutTar.write(folder, to: path, cancellation)
            }
            return report
        }
    }

    /// Copies all releases in a file to a registry.
    ///
    /// Every blob and every release is checked before it is published.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - open: opens the registry in a folder.
    ///   - target: the registry that gets the releases.
    ///   - spool: a folder for the content of the file, on a disk with room for it.
    ///   - progress: receives the progress of the copy.
    /// - Returns: what was copied.
    /// - Throws: ``ZooError`` with an `archive.*` code when the file is damaged, as
    ///   ``RegistryMirror/copy(_:)``, or `io.*`; `CancellationError`.
    package static func `import`(
        _ path: String,
        opening open: @escaping @Sendable (String) throws -> Registry,
        to target: any RegistryTarget,
        spool: String,
        progress: @escaping @Sendable (PullEvent) -> Void
    ) async throws -> RegistryMirror.Report {
        try await withFolder(beside: "\(spool)/import") { folder in
            try await BlockingWork.run { cancellation in
                try FileSystem.createFolder(spool)
                try LayoutTar.read(path, into: folder, cancellation)
            }
            let mirror = RegistryMirror(from: try open(folder), to: target, progress: progress)
            return try await mirror.copy([])
        }
    }

    /// Checks that the folder of a file exists: a mistyped path must not become a folder.
    private static func requireFolder(of path: String) throws(ZooError) {
        let parent = FileSystem.parent(of: path)
        guard try FileSystem.status(parent) == nil else { return }
        throw ZooError(
            .fileMissing,
            "the folder '\(parent)' does not exist",
            remedy: "create it, or choose another path for the file"
        )
    }

    /// Calls `body` with the path of a folder that does not exist, and removes the folder.
    private static func withFolder<Result: Sendable>(
        beside path: String,
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        let parent = FileSystem.parent(of: path)
        let folder = "\(parent)/.\(FileSystem.uniqueName()).tmp"
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(folder))
        } catch {
            result = .failure(error)
        }
        // Also after a cancellation, which would stop blocking work; the first error is reported.
        await Task {
            try? await BlockingWork.run { _ in try FileSystem.remove(folder) }
        }.value
        return try result.get()
    }
}
