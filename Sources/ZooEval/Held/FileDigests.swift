// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles

/// The digests and sizes of held files.
struct FileDigests: Sendable {
    private var known: [ExactName: (digest: ContentDigest, size: Int)] = [:]

    /// Adds a file whose bytes were read.
    mutating func add(_ path: String, _ bytes: [UInt8]) {
        known[ExactName(path)] = (ContentDigest(of: bytes), bytes.count)
    }

    /// Hashes the files that are not known yet.
    ///
    /// - Throws: ``ZooError`` with code `evaluation.file-missing`, or an `io.*` or `archive.*` code;
    ///   `CancellationError`.
    mutating func add(
        _ paths: [String],
        in files: any HeldFiles,
        _ cancellation: Cancellation
    ) throws {
        for path in paths where known[ExactName(path)] == nil {
            guard let bytes = try files.bytes(of: path) else {
                throw HeldListing.missing(path, in: files)
            }
            known[ExactName(path)] = (try bytes.digest(cancellation), bytes.range.count)
        }
    }

    /// The digest of a file that was added.
    subscript(path: String) -> ContentDigest {
        guard let found = known[ExactName(path)] else {
            preconditionFailure("'\(path)' was not hashed")
        }
        return found.digest
    }

    /// The digest of the list of all files.
    ///
    /// That of the lines `DIGEST SIZE PATH`, with the hexadecimal SHA-256 of the file and its size in bytes, each ended
    /// by a line feed, ascending by the bytes of the path.
    var list: ContentDigest {
        var hasher = ContentDigest.Hasher()
        for (path, found) in known.sorted(by: { $0.key < $1.key }) {
            hasher.update(Array("\(found.digest.hex) \(found.size) \(path)\n".utf8))
        }
        return hasher.finish()
    }
}
