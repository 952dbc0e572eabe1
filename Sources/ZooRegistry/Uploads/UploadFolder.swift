// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
package import ZooCore
internal import ZooFiles

/// The uploads of a registry folder that are not complete.
///
/// ```
/// .uploads/<id>/session.json   the repository; the archive and its block table
/// .uploads/<id>/data           the bytes so far; its size is where a resumed upload continues
/// ```
/// A block-wise upload has two more files, see ``BlockUpload``, and its `data` has the size of the archive.
/// Everything that a resumed upload needs is in these files, so a restart loses nothing. All members
/// block; call them where blocking is allowed.
package final class UploadFolder: Sendable {
    /// Limits on uploads that are not complete.
    package struct Limits: Sendable {
        /// The maximum number of uploads.
        package var uploads = 100_000
        /// The number of seconds without progress after which an upload is removed.
        package var idle = 86_400
        /// The number of seconds for which a repository keeps an uploaded blob without a manifest.
        package var unreferenced = 7 * 86_400

        /// The standard limits.
        package init() {}
    }

    /// The blobs.
    package let blobs: BlobFolder
    /// The blobs that were uploaded to a repository and may not have a manifest yet.
    package let links: RepositoryLinks
    /// The limits.
    package let limits: Limits
    let path: String
    private let state: Mutex<State>
    /// Held while a block-wise upload starts, so that nobody takes half of one for a leftover.
    let starting = Mutex(())

    /// What is kept in memory; all of it can be computed from the files.
    private struct State {
        var count: Int
        var hashes: [UploadID: PartialHash] = [:]
    }

    /// The hash of the first `size` bytes of an upload.
    struct PartialHash: Sendable {
        var size: Int
        var hasher: ContentDigest.Hasher
    }

    /// The number of uploads whose hash is kept between requests; others are hashed again at the end.
    private static let keptHashes = 1024

    /// Opens the uploads of a registry folder.
    ///
    /// - Parameters:
    ///   - root: the registry folder.
    ///   - limits: limits on uploads.
    /// - Throws: ``ZooError`` with an `io.*` code.
    package init(root: String, limits: Limits = Limits()) throws(ZooError) {
        self.limits = limits
        blobs = BlobFolder(root: root)
        links = RepositoryLinks(root: root)
        path = "\(root)/.uploads"
        // Created with the first upload: serving alone leaves the folder as it is.
        state = Mutex(State(count: try FileSystem.names(in: path).count))
    }

    /// The number of uploads that are not complete.
    package var count: Int { state.withLock { $0.count } }

    /// Starts an upload.
    ///
    /// - Parameter repository: the repository that gets the blob.
    /// - Returns: the open upload.
    /// - Throws: ``ZooError`` with code `upload.too-many` or `io.*`.
    package func start(in repository: RepositoryName) throws(ZooError) -> Upload {
        let id = UploadID()
        try admit(id)
        do throws(ZooError) {
            let session = UploadSession(repository: repository)
            // Not synchronised: after a power failure the client starts again.
            let file = try OpenFile("\(path)/\(id)/session.json", .createNew)
            try file.write(session.canonicalBytes, at: 0)
            let data = try OpenFile("\(path)/\(id)/data", .createNew)
            guard data.tryLock() else { throw busy(id) }
            return Upload(id, session, data, self, PartialHash(size: 0, hasher: .init()))
        } catch {
            remove(id)
            throw error
        }
    }

    /// Creates the folder of an upload, which counts from then on.
    func admit(_ id: UploadID) throws(ZooError) {
        let admitted = try state.withLock { state throws(ZooError) in
            guard state.count < limits.uploads else { return false }
            try FileSystem.createFolder("\(path)/\(id)")
            state.count += 1
            return true
        }
        guard admitted else {
            throw ZooError(
                .uploadsFull,
                "the registry has \(limits.uploads) uploads that are not complete",
                remedy: "try again later; uploads without progress are removed"
            )
        }
    }

    func busy(_ id: UploadID) -> ZooError {
        ZooError(
            .uploadBusy,
            "another request writes to the upload \(id)",
            remedy: "wait for it, or start another upload"
        )
    }

    /// Opens an upload for one request.
    ///
    /// - Throws: ``ZooError`` with code `upload.not-found`, also for an upload of another repository,
    ///   `upload.busy` while another request has it open, or `io.*`.
    package func open(
        _ id: UploadID,
        in repository: RepositoryName
    ) throws(ZooError) -> Upload {
        let session = try session(of: id, in: repository)
        guard session.blocks == nil else { throw unknown(id) }
        let data = try openData(id, .exclusive)
        let size = try data.status().size
        let kept = state.withLock { $0.hashes.removeValue(forKey: id) }
        let empty = PartialHash(size: 0, hasher: .init())
        return Upload(id, session, data, self, size == 0 ? empty : kept)
    }

    /// What an upload is for.
    ///
    /// - Throws: ``ZooError`` with code `upload.not-found`, also for an upload of another repository, or
    ///   `io.*`.
    package func session(
        of id: UploadID,
        in repository: RepositoryName
    ) throws(ZooError) -> UploadSession {
        let session: UploadSession
        do throws(ZooError) {
            session = try UploadSession(
                canonical: try FileSystem.document("\(path)/\(id)/session.json", limit: 4096)
            )
        } catch {
            throw error.code == .fileMissing ? unknown(id) : error
        }
        guard session.repository == repository else { throw unknown(id) }
        return session
    }

    /// Opens and locks the bytes of an upload.
    func openData(_ id: UploadID, _ lock: OpenFile.Lock) throws(ZooError) -> OpenFile {
        let path = "\(path)/\(id)/data"
        // `.write` would create the file of an upload that just ended.
        guard try FileSystem.status(path) != nil else { throw unknown(id) }
        let data: OpenFile
        do throws(ZooError) {
            data = try OpenFile(path, .write)
        } catch  where error.code == .notWritable {
            // Completing it failed after the file was made read-only.
            try FileSystem.makeWritable(path)
            data = try OpenFile(path, .write)
        } catch {
            throw error.code == .fileMissing ? unknown(id) : error
        }
        guard data.tryLock(lock) else { throw busy(id) }
        // Another request may have completed it since it was opened.
        guard data.isAtPath() else { throw unknown(id) }
        return data
    }

    func unknown(_ id: UploadID) -> ZooError {
        ZooError(
            .uploadUnknown,
            "there is no upload \(id) in this repository",
            remedy: "start the upload again; uploads without progress expire"
        )
    }

    /// Keeps the hash of an upload until its next request.
    func keep(_ hash: PartialHash, of id: UploadID) {
        state.withLock { state in
            if state.hashes.count >= Self.keptHashes, let other = state.hashes.keys.first {
                state.hashes[other] = nil
            }
            state.hashes[id] = hash
        }
    }

    /// Ends an upload: its file, whose digest was checked, becomes a blob of the repository.
    func commit(
        _ data: OpenFile,
        as digest: BlobDigest,
        _ id: UploadID,
        in repository: RepositoryName
    ) throws(ZooError) {
        // First: a link without a blob is harmless, a blob that nobody may read is not.
        try links.add(digest, to: repository)
        try blobs.adopt(data, as: digest)
        remove(id)
    }

    /// Removes an upload and its files.
    func remove(_ id: UploadID) {
        state.withLock { state in
            state.hashes[id] = nil
            do throws(ZooError) {
                guard try FileSystem.status("\(path)/\(id)") != nil else { return }
                try FileSystem.remove("\(path)/\(id)")
                state.count -= 1
            } catch {
                // It still counts, and is removed when it has expired.
            }
        }
    }

    /// Removes uploads without progress, and links of blobs that never got a manifest.
    ///
    /// - Parameter now: the current time in seconds since 1970.
    /// - Returns: the number of uploads removed.
    /// - Throws: ``ZooError`` with an `io.*` code.
    @discardableResult
    package func removeExpired(now: Int = Clock.seconds()) throws(ZooError) -> Int {
        var removed = 0
        for name in try FileSystem.names(in: path) {
            guard let id = UploadID(parsing: name), try isExpired(id, now) else { continue }
            // Held until the files are gone, so that no request continues an upload that ends. A request
            // that has it open keeps it.
            let data = try? OpenFile("\(path)/\(id)/data", .read)
            if let data, !data.tryLock() { continue }
            guard try isExpired(id, now) else { continue }
            remove(id)
            withExtendedLifetime(data) { removed += 1 }
        }
        try links.removeExpired(before: now - limits.unreferenced)
        // Other programs, such as the collection of 'registry gc', remove uploads as well.
        try state.withLock { state throws(ZooError) in
            state.count = try FileSystem.names(in: path).count
        }
        return removed
    }

    private func isExpired(_ id: UploadID, _ now: Int) throws(ZooError) -> Bool {
        var found = try FileSystem.status("\(path)/\(id)/data")
        if found == nil { found = try FileSystem.status("\(path)/\(id)") }
        guard let found else { return false }
        return now - found.modified / 1_000_000_000 > limits.idle
    }
}
