// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc
internal import NIOCore
internal import Synchronization
internal import ZooCore

/// The digests of documents, so that each content is hashed once and not once per request.
///
/// All members block; they are called on the server's thread pool.
final class EntityTagCache: Sendable {
    /// How many documents are remembered; beyond it all are forgotten, which costs a hash each.
    static let capacity = 16_384
    /// How old a file must be to be remembered: a younger one could change again without changing
    /// its time stamp, whose steps are a few milliseconds on Linux and two seconds on FAT.
    private static let settlingTime = 3_000_000_000

    private let known = Mutex<[FileIdentity: EntityTag]>([:])

    /// The tag of a file: a blob's is its name, a document's is the digest of its content.
    ///
    /// - Throws: ``ZooError`` with code `server.file-unreadable`.
    func tag(of file: ServedFile, as resource: RegistryResource) throws(ZooError) -> EntityTag {
        if case .blob(let digest) = resource { return EntityTag(digest) }
        if let tag = known.withLock({ $0[file.identity] }) { return tag }
        let tag = EntityTag(try Self.digest(of: file))
        if Self.now() - file.identity.changed > Self.settlingTime {
            known.withLock { known in
                if known.count >= Self.capacity { known.removeAll() }
                known[file.identity] = tag
            }
        }
        return tag
    }

    private static func digest(of file: ServedFile) throws(ZooError) -> ContentDigest {
        var hasher = ContentDigest.Hasher()
        var offset = 0
        while offset < file.size {
            let end = min(offset + FileBody.pieceSize, file.size)
            let piece = try file.read(offset..<end)
            // The bytes are only read during the call.
            unsafe piece.withUnsafeReadableBytes { unsafe hasher.update($0) }
            offset = end
        }
        return hasher.finish()
    }

    /// The clock that file systems stamp with, in nanoseconds since 1970.
    private static func now() -> Int {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
