// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles

/// The files that a user holds: those of a folder, or the members of an archive.
///
/// All calls block.
package protocol HeldFiles: Sendable {
    /// What the user gave.
    var path: String { get }

    /// The paths of all files below a folder, hidden ones aside, in no particular order.
    ///
    /// - Parameters:
    ///   - folder: the folder, relative to ``path``; nil for all.
    ///   - cancellation: stops the listing.
    /// - Returns: paths relative to ``path``; empty when there is no such folder.
    /// - Throws: ``ZooError`` with an `io.*` or `archive.*` code; `CancellationError`.
    func paths(below folder: ReleasePath?, _ cancellation: Cancellation) throws -> [String]

    /// The names of the folders in a folder, hidden ones aside, in no particular order.
    ///
    /// - Throws: ``ZooError`` with an `io.*` or `archive.*` code.
    func folders(in folder: ReleasePath?) throws(ZooError) -> [String]

    /// The bytes of a file; nil when there is no such file.
    ///
    /// - Throws: ``ZooError`` with an `io.*` or `archive.*` code.
    func bytes(of file: String) throws(ZooError) -> HeldBytes?

    /// A file of the file system with the bytes of a file, for readers that need one.
    ///
    /// - Throws: ``ZooError`` with an `io.*` or `archive.*` code.
    func local(_ file: String) throws(ZooError) -> LocalCopy
}

/// The bytes of a held file.
package struct HeldBytes: Sendable {
    /// Where they are.
    package let source: any ByteSource
    /// Which bytes of the source.
    package let range: Range<Int>

    /// Names bytes.
    package init(_ source: any ByteSource, _ range: Range<Int>) {
        self.source = source
        self.range = range
    }

    /// The digest, with memory for one chunk.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code; `CancellationError`.
    func digest(_ cancellation: Cancellation) throws -> ContentDigest {
        var hasher = ContentDigest.Hasher()
        try source.forEachPiece(of: range, size: 1 << 20, cancellation) { hasher.update($0) }
        return hasher.finish()
    }
}

/// A file of the file system that holds the bytes of a held file.
package final class LocalCopy: Sendable {
    /// Its path.
    package let path: String
    private let isTemporary: Bool

    /// Names a file.
    ///
    /// - Parameters:
    ///   - path: the path.
    ///   - isTemporary: whether the file is removed with this value.
    package init(_ path: String, isTemporary: Bool) {
        self.path = path
        self.isTemporary = isTemporary
    }

    deinit {
        // Nobody can be told; the folder of temporary files is removed as a whole.
        if isTemporary { try? FileSystem.remove(path) }
    }
}

/// A folder that the user holds; symbolic links are followed, because large data often lie on another disk.
package struct HeldFolder: HeldFiles {
    /// The path of the folder.
    package let path: String

    /// The number of folders below each other, which stops at links that lead back.
    private static let depth = 32

    /// Names a folder.
    ///
    /// - Throws: ``ZooError`` with code `io.not-found` or `io.*` when there is none.
    package init(_ path: String) throws(ZooError) {
        self.path = path
        guard try FileSystem.followedStatus(path).kind == .folder else {
            throw ZooError(
                .notAFile,
                "'\(path)' is neither a folder nor an archive",
                remedy: "give the folder of the data, or a .tar or .zip file of it"
            )
        }
    }

    package func paths(
        below folder: ReleasePath?,
        _ cancellation: Cancellation
    ) throws -> [String] {
        var (found, visited): ([String], Int) = ([], 0)
        try list(folder?.text ?? "", depth: 0, into: &found, &visited, cancellation)
        return found
    }

    private func list(
        _ folder: String,
        depth: Int,
        into found: inout [String],
        _ visited: inout Int,
        _ cancellation: Cancellation
    ) throws {
        try cancellation.check()
        guard depth <= Self.depth else {
            throw ZooError.fileUnexpected(
                "'\(path)/\(folder)' is deeper than \(Self.depth) folders",
                remedy: "remove the symbolic link that leads back to a folder above it"
            )
        }
        for name in try FileSystem.names(in: folder.isEmpty ? path : "\(path)/\(folder)") {
            guard !name.hasPrefix(".") else { continue }
            let relative = folder.isEmpty ? name : "\(folder)/\(name)"
            guard
                !relative.unicodeScalars.contains(where: {
                    $0.properties.generalCategory == .control
                })
            else {
                // The digest of a split has a line for each file.
                throw ZooError.fileUnexpected(
                    "a name in '\(path)/\(folder)' contains a control character",
                    remedy: "rename that file; 'ls -b' shows its name"
                )
            }
            visited += 1
            guard visited <= HeldLayout.fileLimit else {
                throw ZooError.fileUnexpected(
                    "'\(path)' has more than \(HeldLayout.fileLimit) files and folders, counted through links",
                    remedy: "remove symbolic links that lead to the same folder"
                )
            }
            switch try kind(of: relative) {
            case .file: found.append(relative)
            case .folder:
                try list(relative, depth: depth + 1, into: &found, &visited, cancellation)
            case .link, .other:
                throw ZooError.fileUnexpected("'\(path)/\(relative)' is no regular file")
            }
        }
    }

    private func kind(of file: String) throws(ZooError) -> FileStatus.Kind {
        do {
            return try FileSystem.followedStatus("\(path)/\(file)").kind
        } catch  where error.code == .fileMissing {
            throw ZooError(
                .heldFileMissing,
                "the link '\(path)/\(file)' leads to a file that is not there",
                remedy: "restore the file that the link leads to",
                cause: error
            )
        }
    }

    package func folders(in folder: ReleasePath?) throws(ZooError) -> [String] {
        let path = folder.map { "\(self.path)/\($0)" } ?? self.path
        return try FileSystem.names(in: path).filter {
            !$0.hasPrefix(".") && FileSystem.isFolder("\(path)/\($0)")
        }
    }

    package func bytes(of file: String) throws(ZooError) -> HeldBytes? {
        let path = "\(self.path)/\(file)"
        guard try FileSystem.status(path) != nil else { return nil }
        let opened = try OpenFile(path, .readFollowing)
        return HeldBytes(opened, 0..<(try opened.status().size))
    }

    package func local(_ file: String) throws(ZooError) -> LocalCopy {
        LocalCopy("\(path)/\(file)", isTemporary: false)
    }
}
