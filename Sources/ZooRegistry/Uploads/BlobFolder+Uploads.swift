// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

extension BlobFolder {
    /// The path of a blob of any algorithm.
    package func path(of digest: BlobDigest) -> String { "\(root)/\(digest.path)" }

    /// Moves a file on the file system of the registry to its place; its digest must have been checked, and
    /// its bytes must be on disk.
    func adopt(_ file: OpenFile, as digest: BlobDigest) throws(ZooError) {
        let path = path(of: digest)
        try FileSystem.createFolder(FileSystem.parent(of: path))
        try file.makeImmutable()
        try FileSystem.rename(file.path, to: path)
    }

    /// Protects a blob from collection for a while, as if it had been written now.
    ///
    /// - Returns: false when the folder does not have it.
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func keep(_ digest: BlobDigest) throws(ZooError) -> Bool {
        guard try size(of: digest) != nil else { return false }
        // Only the owner of the file may change its time; publishing notices when the blob is gone.
        try? OpenFile(path(of: digest), .read).touch()
        return true
    }

    /// The size of a blob; nil when the folder does not have it.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func size(of digest: BlobDigest) throws(ZooError) -> Int? {
        guard let status = try FileSystem.status(path(of: digest)), status.kind == .file else {
            return nil
        }
        return status.size
    }
}

extension BlobDigest {
    /// Hashes a part of a file.
    init(
        of file: OpenFile,
        _ range: Range<Int>,
        _ algorithm: Algorithm,
        _ cancellation: Cancellation
    ) throws {
        var hasher = Hasher(algorithm)
        try file.forEachPiece(of: range, size: 1 << 20, cancellation) { hasher.update($0) }
        self = hasher.finish()
    }
}
