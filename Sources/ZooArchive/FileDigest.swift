// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

/// Computes the digest of a file of any size in bounded memory; blocks the calling thread.
package enum FileDigest {
    private static let piece = 1 << 20

    /// Hashes a file.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code, or `CancellationError`.
    package static func compute(
        _ path: String,
        _ cancellation: Cancellation
    ) throws -> ContentDigest {
        let file = try OpenFile(path, .read)
        let size = try file.status().size
        var hasher = ContentDigest.Hasher()
        for start in stride(from: 0, to: size, by: piece) {
            try cancellation.check()
            hasher.update(try file.bytes(start..<min(start + piece, size)))
        }
        return hasher.finish()
    }
}

/// A file of a release that matches the size and digest in the release record.
package struct VerifiedFile: Sendable {
    /// The file's entry in the record.
    package let file: ReleaseRecord.File

    /// Hashes a file and compares it with the record.
    ///
    /// - Parameters:
    ///   - file: the file's entry in the record.
    ///   - folder: the model folder.
    ///   - cancellation: stops the hashing.
    /// - Throws: ``ZooError`` with code `release.file-mismatch` or an `io.*` code;
    ///   `CancellationError`.
    package init(
        _ file: ReleaseRecord.File,
        in folder: String,
        _ cancellation: Cancellation
    ) throws {
        let found = try FileDigest.compute("\(folder)/\(file.path)", cancellation)
        guard found == file.digest else {
            throw ZooError(
                .fileMismatch,
                "'\(file.path)' has digest \(found), and the record expects \(file.digest)"
            )
        }
        self.file = file
    }
}
