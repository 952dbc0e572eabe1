// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
package import ZooCore
package import ZooFiles

/// An upload that one request has open; others are refused until it is released.
package final class Upload: Sendable {
    /// The name.
    package let id: UploadID
    /// What the upload is for.
    package let session: UploadSession
    /// The bytes so far.
    let data: OpenFile
    let folder: UploadFolder
    private let state: Mutex<State>

    private struct State {
        var hash: UploadFolder.PartialHash?
        var ended = false
    }

    init(
        _ id: UploadID,
        _ session: UploadSession,
        _ data: OpenFile,
        _ folder: UploadFolder,
        _ hash: UploadFolder.PartialHash?
    ) {
        self.id = id
        self.session = session
        self.data = data
        self.folder = folder
        state = Mutex(State(hash: hash))
    }

    deinit { release() }

    /// Lets other requests open the upload; nothing may be called afterwards.
    ///
    /// A request calls it before it answers: threads may hold references a little longer, and a client
    /// may send its next request at once.
    package func release() {
        let kept = state.withLock { state in
            defer { state.ended = true }
            return state.ended ? nil : state.hash
        }
        if let kept { folder.keep(kept, of: id) }
        data.unlock()
    }

    /// The number of bytes so far.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func size() throws(ZooError) -> Int { try data.status().size }

    /// Adds bytes at the end.
    ///
    /// - Throws: ``ZooError`` with code `upload.too-large`, or `io.*`; the upload then ends where it
    ///   did before.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(ZooError) {
        let size = try size()
        guard size + bytes.count <= FormatLimits.largestFile else {
            throw ZooError(
                .uploadTooLarge,
                "the upload would have more than \(FormatLimits.largestFile) bytes"
            )
        }
        do throws(ZooError) {
            unsafe try data.write(bytes, at: size)
        } catch {
            // Part of it may be there; a resumed upload continues where the size says.
            try? data.resize(to: size)
            throw error
        }
        state.withLock { state in
            // The hash is of no use when it was not made from the first byte.
            guard var hash = state.hash, hash.size == size else { return state.hash = nil }
            unsafe hash.hasher.update(bytes)
            hash.size += bytes.count
            state.hash = hash
        }
    }

    /// Removes the bytes after the first `size`.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func truncate(to size: Int) throws(ZooError) {
        try data.resize(to: size)
        state.withLock { $0.hash = nil }
    }

    /// Ends the upload: the bytes become a blob of the repository.
    ///
    /// - Parameters:
    ///   - digest: the digest that the client states.
    ///   - cancellation: stops hashing.
    /// - Throws: ``ZooError`` with code `upload.digest-mismatch`, which also ends the upload, or `io.*`;
    ///   `CancellationError`.
    package func finish(as digest: BlobDigest, _ cancellation: Cancellation) throws {
        let size = try size()
        let kept = state.withLock { $0.hash }
        let found: BlobDigest
        if let kept, kept.size == size, digest.algorithm == .sha256 {
            found = BlobDigest(kept.hasher.finish())
        } else {
            found = try BlobDigest(of: data, 0..<size, digest.algorithm, cancellation)
        }
        guard found == digest else {
            discard()
            throw ZooError(
                .uploadMismatch,
                "the \(size) uploaded bytes have digest \(found), not \(digest)",
                remedy: "upload the blob again from its first byte"
            )
        }
        do throws(ZooError) {
            try data.synchronize()
        } catch {
            // The system reports lost bytes once: a second attempt would succeed without them.
            discard()
            throw error
        }
        try folder.commit(data, as: digest, id, in: session.repository)
        state.withLock { $0.ended = true }
    }

    /// Ends the upload and forgets its bytes.
    package func discard() {
        state.withLock { $0.ended = true }
        folder.remove(id)
    }
}
