// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Glibc
internal import NIOCore
internal import Synchronization
internal import ZooCore

/// A cache of document digests, so that a document is not hashed for each request.
///
/// All members block and are called on the server's thread pool.
final class EntityTagCache: Sendable {
    /// The maximum number of cached documents; the cache is emptied when it is full.
    static let capacity = 16_384
    /// The minimum age of a cached file.
    ///
    /// A newer file may change again with the same timestamp, whose resolution is a few milliseconds
    /// on Linux and two seconds on FAT.
    private static let settlingTime = 3_000_000_000

    private let known = Mutex<[FileIdentity: EntityTag]>([:])

    /// Returns the entity tag of a file: the digest in its name, or that of a document.
    ///
    /// - Throws: ``ZooError`` with code `server.file-unreadable`.
    func tag(of file: ServedFile, as resource: RegistryResource) throws(ZooError) -> EntityTag {
        if let digest = resource.digest { return EntityTag(digest) }
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
            // The bytes are read only during the call.
            unsafe piece.withUnsafeReadableBytes { unsafe hasher.update($0) }
            offset = end
        }
        return hasher.finish()
    }

    /// The time of the clock used for file timestamps, in nanoseconds since 1970.
    private static func now() -> Int {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
