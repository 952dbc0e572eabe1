// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
package import ZooFiles
internal import ZooTrust

extension RegistryFolder {
    /// What collection removed, or would remove.
    package struct Collected: Sendable, Equatable {
        /// The number of blobs.
        package var blobs = 0
        /// The number of temporary files that interrupted programs left.
        package var temporaryFiles = 0
        /// The number of index documents under their digest that are no longer current.
        package var revisions = 0
        /// The number of files of signed metadata that are no longer current.
        package var metadata = 0
        /// The number of uploads without progress.
        package var uploads = 0
        /// The bytes of all of them.
        package var bytes = 0
        /// The number of blobs that remain.
        package var kept = 0

        /// Creates a result.
        package init(kept: Int = 0) { self.kept = kept }
    }

    /// Removes blobs that no document refers to, and what interrupted programs left.
    ///
    /// Publications wait meanwhile. One that relied on a removed blob fails with
    /// `registry.blob-missing`, and succeeds when it is repeated.
    ///
    /// - Parameters:
    ///   - cutoff: files that were written after this time remain, in nanoseconds since 1970: somebody
    ///     may be about to publish them.
    ///   - dryRun: whether to remove nothing.
    ///   - cancellation: stops the work.
    /// - Returns: what was removed.
    /// - Throws: ``ZooError`` with code `registry.blob-missing`, a code of the documents, or `io.*` when
    ///   a document cannot be read, before anything is removed; `CancellationError`.
    package func collect(
        olderThan cutoff: Int,
        dryRun: Bool,
        _ cancellation: Cancellation
    ) throws -> Collected {
        let excluding = try locks.lock(.blobs, .exclusive, cancellation)
        defer { withExtendedLifetime(excluding) {} }
        // What a killed writer left incomplete is still needed.
        let signed = try signedState(cancellation)
        var references = BlobReferences(documents)
        try references.addDocuments(cancellation)
        var sweep = Sweep(root: root, cutoff: cutoff, dryRun: dryRun)
        try sweep.uploads(&references, cancellation)
        for algorithm in BlobDigest.Algorithm.allCases {
            try sweep.blobs(algorithm, references, cancellation)
        }
        try sweep.revisions(documents, signed, cancellation)
        if let signed { try sweep.metadata(signed, cancellation) }
        try sweep.temporaryFiles(cancellation)
        return sweep.collected
    }
}

/// Removes what is not needed and old enough.
private struct Sweep {
    let root: String
    let cutoff: Int
    let dryRun: Bool
    var collected = RegistryFolder.Collected()

    /// Removes uploads without progress, and protects the blobs that the others need.
    mutating func uploads(
        _ references: inout BlobReferences,
        _ cancellation: Cancellation
    ) throws {
        for name in try FileSystem.names(in: "\(root)/.uploads") {
            try cancellation.check()
            let path = "\(root)/.uploads/\(name)"
            let data = try FileSystem.status("\(path)/data")
            let isOld: Bool
            if let data {
                isOld = try data.modified < cutoff && isFree("\(path)/data")
            } else {
                isOld = try FileSystem.status(path).map { $0.modified < cutoff } ?? false
            }
            if isOld {
                // The file of a block-wise upload has holes.
                try remove(path, bytes: data.map { min($0.size, $0.allocated) } ?? 0)
                collected.uploads += 1
            } else if let bytes = try? FileSystem.document("\(path)/session.json", limit: 1 << 16),
                let session = try? JSONValue(parsing: bytes)
            {
                references.addDigests(in: session)
            }
        }
    }

    mutating func blobs(
        _ algorithm: BlobDigest.Algorithm,
        _ references: BlobReferences,
        _ cancellation: Cancellation
    ) throws {
        let folder = "\(root)/blobs/\(algorithm.rawValue)"
        var removed = 0
        for name in try FileSystem.names(in: folder) {
            try cancellation.check()
            let path = "\(folder)/\(name)"
            guard let status = try FileSystem.status(path), status.kind == .file else { continue }
            if let digest = try? BlobDigest(parsing: "\(algorithm.rawValue):\(name)") {
                guard !references.contains(digest), status.modified < cutoff else {
                    collected.kept += 1
                    continue
                }
                try remove(path, bytes: status.size)
                collected.blobs += 1
                removed += 1
            } else if isTemporary(name), status.modified < cutoff, try isFree(path) {
                try remove(path, bytes: status.size)
                collected.temporaryFiles += 1
                removed += 1
            }
        }
        if removed > 0, !dryRun { try FileSystem.synchronizeFolder(folder) }
    }

    /// Removes the index documents under their digest that are neither the current nor the signed ones.
    mutating func revisions(
        _ documents: RegistryDocuments,
        _ signed: SignedIndex?,
        _ cancellation: Cancellation
    ) throws {
        for path in try FileSystem.entries(below: "\(root)/index") {
            try cancellation.check()
            guard let revision = IndexRevision(path: "index/\(path)"),
                let status = try FileSystem.status("\(root)/\(revision.path)"),
                status.kind == .file, status.modified < cutoff,
                try documents.indexBytes(of: revision.name).map({ ContentDigest(of: $0) })
                    != revision.digest,
                // The document under its name may have been changed; the signed one restores it.
                try signed?.digest(of: revision.name) != revision.digest
            else { continue }
            try remove("\(root)/\(revision.path)", bytes: status.size)
            collected.revisions += 1
        }
    }

    /// Removes signed metadata that neither the current snapshot nor the one before it names; roots stay, because
    /// clients follow them from the one that they have.
    mutating func metadata(_ signed: SignedIndex, _ cancellation: Cancellation) throws {
        let needed = try signed.repository.neededFiles(in: signed.state)
        for name in try FileSystem.names(in: signed.repository.path) {
            try cancellation.check()
            let path = "\(signed.repository.path)/\(name)"
            guard name.hasSuffix(".json"), !name.hasSuffix(".root.json"), !needed.contains(name),
                let status = try FileSystem.status(path), status.kind == .file,
                status.modified < cutoff
            else { continue }
            try remove(path, bytes: status.size)
            collected.metadata += 1
        }
    }

    /// Removes what interrupted writes of documents left.
    mutating func temporaryFiles(_ cancellation: Cancellation) throws {
        var paths = try FileSystem.names(in: root)
        for folder in ["index", "deleted", "oci", "tuf", ".locks", ".metadata"] {
            paths += try FileSystem.entries(below: "\(root)/\(folder)").map { "\(folder)/\($0)" }
        }
        for path in paths where isTemporary(FileSystem.name(of: path)) {
            try cancellation.check()
            let path = "\(root)/\(path)"
            guard let status = try FileSystem.status(path), status.kind == .file,
                status.modified < cutoff
            else { continue }
            try remove(path, bytes: status.size)
            collected.temporaryFiles += 1
        }
    }

    /// Whether a name is that of an unfinished file of ours; other files are not ours to remove.
    private func isTemporary(_ name: String) -> Bool {
        name.hasPrefix(".") && name.hasSuffix(".tmp")
    }

    /// Whether no process has the file open for writing; a file that was renamed meanwhile was not free.
    private func isFree(_ path: String) throws(ZooError) -> Bool {
        do {
            return try OpenFile(path, .read).tryLock(.exclusive)
        } catch  where error.code == .fileMissing {
            return false
        }
    }

    private mutating func remove(_ path: String, bytes: Int) throws(ZooError) {
        if !dryRun { try FileSystem.remove(path) }
        collected.bytes += bytes
    }
}
