// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

/// The blobs of a registry folder: immutable files named by the digest of their content.
package struct BlobFolder: Sendable {
    /// The registry folder.
    package let root: String

    /// Opens the blobs of a registry folder.
    package init(root: String) { self.root = root }

    /// The path of a blob.
    package func path(of digest: ContentDigest) -> String {
        "\(root)/\(RegistryLayout.blob(digest))"
    }

    /// Stores bytes under their digest; replaces a blob whose content is damaged.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    @discardableResult
    package func write(_ bytes: [UInt8]) throws(ZooError) -> ContentDigest {
        let digest = ContentDigest(of: bytes)
        // A file with the right name proves nothing about its content.
        if let found = try? read(digest, limit: bytes.count), found == bytes {
            // Collection leaves recent blobs alone. Only the owner of the file may change its time;
            // for others, publishing notices when the blob is gone.
            try? OpenFile(path(of: digest), .read).touch()
            // The attempt that wrote it may have failed to make its name durable.
            try FileSystem.synchronizeFolder("\(root)/\(RegistryLayout.blobs)")
            return digest
        }
        let draft = try draft()
        do throws(ZooError) {
            try draft.file.write(bytes, at: 0)
        } catch {
            try? discard(draft)
            throw error
        }
        try commit(draft, as: digest)
        return digest
    }

    /// A blob that is being written.
    package struct Draft: Sendable {
        /// The temporary file to write to.
        package let file: OpenFile
    }

    /// Starts a blob whose digest is not known yet.
    package func draft() throws(ZooError) -> Draft {
        let folder = "\(root)/\(RegistryLayout.blobs)"
        try FileSystem.createFolder(folder)
        while true {
            let file = try OpenFile("\(folder)/.\(FileSystem.uniqueName()).tmp", .createNew)
            // Collection removes drafts that no process holds, and may have found this one before.
            if file.tryLock(.shared), file.isAtPath() { return Draft(file: file) }
        }
    }

    /// Renames a draft to its digest.
    ///
    /// - Parameters:
    ///   - draft: the draft, which is removed when it cannot be renamed.
    ///   - digest: the digest of the content, computed while writing.
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func commit(_ draft: Draft, as digest: ContentDigest) throws(ZooError) {
        do throws(ZooError) {
            try draft.file.synchronize()
            try draft.file.makeImmutable()
            try FileSystem.rename(draft.file.path, to: path(of: digest))
        } catch {
            // A full disk needs the space, and a draft that could not be synchronised is of no use.
            try? discard(draft)
            throw error
        }
    }

    /// Removes a draft.
    package func discard(_ draft: Draft) throws(ZooError) {
        try FileSystem.remove(draft.file.path)
    }

    /// Reads a small blob and checks its digest.
    ///
    /// - Throws: ``ZooError`` with code `store.blob-mismatch`, or `io.*`.
    package func read(_ digest: ContentDigest, limit: Int) throws(ZooError) -> [UInt8] {
        let bytes = try FileSystem.document(path(of: digest), limit: limit)
        guard ContentDigest(of: bytes) == digest else { throw Self.mismatch(path(of: digest)) }
        return bytes
    }

    /// Checks the digest of a blob of any size in bounded memory; blocks the calling thread.
    ///
    /// - Throws: ``ZooError`` with code `store.blob-mismatch`, or `io.*`; `CancellationError`.
    package func verify(_ descriptor: Descriptor, _ cancellation: Cancellation) throws {
        let path = path(of: descriptor.digest)
        let file = try OpenFile(path, .read)
        guard try file.status().size == descriptor.size else { throw Self.mismatch(path) }
        var hasher = ContentDigest.Hasher()
        for start in stride(from: 0, to: descriptor.size, by: 1 << 20) {
            try cancellation.check()
            hasher.update(try file.bytes(start..<min(start + 1 << 20, descriptor.size)))
        }
        guard hasher.finish() == descriptor.digest else { throw Self.mismatch(path) }
    }

    private static func mismatch(_ path: String) -> ZooError {
        ZooError(
            .blobMismatch,
            "the content of the blob '\(path)' does not match the digest in its name",
            remedy: "restore it from a mirror, or pack the release again"
        )
    }
}
