// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// Files by path: those of the file system, or the members of an archive.
package protocol FileTree: Sendable {
    /// Whether a path refers to a file or a folder; nil if it does not exist.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    func kind(_ path: String) throws(ZooError) -> FileStatus.Kind?

    /// Opens a file.
    ///
    /// - Throws: ``ZooError`` with the code of the tree, or `io.*`.
    func open(_ path: String) throws(ZooError) -> MappedFile
}

extension FileTree {
    /// Reads a whole small file.
    ///
    /// - Throws: ``ZooError`` with code `io.document-too-large` above `limit` bytes, or as
    ///   ``open(_:)``.
    package func document(_ path: String, limit: Int) throws(ZooError) -> [UInt8] {
        let file = try open(path)
        guard file.byteCount <= limit else {
            throw ZooError(
                .documentTooLarge,
                "'\(path)' has \(file.byteCount) bytes; the limit is \(limit)"
            )
        }
        return try file.bytes(0..<file.byteCount)
    }
}

/// The file system; symbolic links are followed, because the Hugging Face cache consists of them.
package struct LocalFiles: FileTree {
    /// Creates the tree.
    package init() {}

    /// Whether a path refers to a file or a folder; nil if it does not exist.
    package func kind(_ path: String) throws(ZooError) -> FileStatus.Kind? {
        guard try FileSystem.status(path) != nil else { return nil }
        return try FileSystem.followedStatus(path).kind
    }

    /// Opens a file.
    package func open(_ path: String) throws(ZooError) -> MappedFile { try MappedFile(path) }
}

/// A file or folder among given files.
package struct FilePlace: Sendable {
    /// The path.
    package let path: String
    /// The files.
    package let files: any FileTree

    /// Creates a place; by default in the file system.
    package init(_ path: String, in files: any FileTree = LocalFiles()) {
        self.path = path
        self.files = files
    }
}
