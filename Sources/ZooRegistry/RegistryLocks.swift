// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

/// The advisory locks of the writers of a registry folder, in `.locks/`.
///
/// A lock is held until its value is released, or its process ends. A writer takes locks in the order
/// of ``Subject``, so that two writers never wait for each other.
struct RegistryLocks: Sendable {
    /// What a lock protects.
    enum Subject: Sendable {
        /// The set of blobs: writers that refer to blobs share it, collection excludes them.
        case blobs
        /// The index documents of the models whose names fall into one of 256 groups.
        case index(ModelName)
        /// The signed metadata: `tuf/`.
        case trust
        /// The other artifacts of the repositories whose names fall into one of 256 groups.
        case artifacts(RepositoryName)
        /// `index.json`.
        case imageIndex
        /// `catalogue.json`.
        case catalogue

        fileprivate var fileName: String {
            switch self {
            case .blobs: "blobs"
            // Groups bound the number of lock files, which are never removed.
            case .index(let name):
                "index-\(ContentDigest(of: name.description.utf8).hex.prefix(2))"
            case .trust: "trust"
            case .artifacts(let name):
                "oci-\(ContentDigest(of: name.description.utf8).hex.prefix(2))"
            case .imageIndex: "image-index"
            case .catalogue: "catalogue"
            }
        }
    }

    private let folder: String

    /// How often the test is repeated when a collection interferes.
    private static let attempts = 100

    /// Opens the locks of a registry folder and tests that they work.
    ///
    /// - Parameter root: the registry folder.
    /// - Throws: ``ZooError`` with code `registry.locks-unavailable` when the file system does not
    ///   support locks, or `io.*`.
    init(root: String) throws(ZooError) {
        folder = "\(root)/.locks"
        try FileSystem.createFolder(folder)
        var works = false
        for _ in 0..<Self.attempts where !works {
            // Some network file systems grant every lock. A second lock on the same file shows it.
            let probe = "\(folder)/.\(FileSystem.uniqueName()).tmp"
            let (first, second) = (try OpenFile(probe, .write), try OpenFile(probe, .write))
            works = first.tryLock(.exclusive) && !second.tryLock(.exclusive)
            // A collection may have removed the file between the two calls, which then opened two files.
            let wasOneFile = first.isAtPath()
            try FileSystem.remove(probe)
            if wasOneFile { break }
        }
        guard works else {
            throw ZooError(
                .locksUnavailable,
                "the file system of '\(root)' does not support file locks, so writers could lose "
                    + "each other's changes",
                remedy: "move the registry to a local file system, or mount it with locks "
                    + "(for NFS: without 'nolock')"
            )
        }
    }

    /// Waits for a lock.
    ///
    /// - Parameters:
    ///   - subject: what to protect.
    ///   - sharing: whether other holders may share the lock.
    ///   - cancellation: ends the wait.
    /// - Returns: the lock, which is held until it is released.
    /// - Throws: ``ZooError`` with an `io.*` code; `CancellationError`.
    func lock(
        _ subject: Subject,
        _ sharing: OpenFile.Lock = .exclusive,
        _ cancellation: Cancellation
    ) throws -> OpenFile {
        let file = try OpenFile("\(folder)/\(subject.fileName)", .write)
        var pause: UInt32 = 1
        while !file.tryLock(sharing) {
            try cancellation.check()
            FileSystem.pause(milliseconds: pause)
            pause = min(50, pause * 2)
        }
        return file
    }
}
