// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
internal import ZooFiles

/// A file to write, checked before anything is computed for it.
public struct OutputFile: Sendable {
    /// The absolute path.
    public let path: String

    /// Checks that the file can be written and replaces nothing that is read.
    ///
    /// - Parameters:
    ///   - text: the path as it was given.
    ///   - endings: the allowed endings, such as `.npy`.
    ///   - sources: files and folders that are read; files inside these folders must not be written to
    ///     either.
    /// - Throws: `ZooError` with code `output.unsuitable`, `io.not-found` or `io.not-permitted`.
    public init(_ text: String, endings: [String], apartFrom sources: [String]) throws(ZooError) {
        path = FileSystem.absolute(text)
        guard endings.contains(where: path.hasSuffix) else {
            throw ZooError(
                .outputUnsuitable,
                "the path to write to is '\(text)', and must end in \(endings.joined(separator: " or "))"
            )
        }
        let folder = FileSystem.parent(of: path)
        guard FileSystem.isFolder(folder) else {
            throw ZooError(
                .fileMissing,
                "'\(path)' cannot be written: there is no folder '\(folder)'",
                remedy: "make the folder first"
            )
        }
        guard !FileSystem.isFolder(path) else {
            throw ZooError(.outputUnsuitable, "'\(path)' cannot be written: it is a folder")
        }
        for source in sources
        where FileSystem.isSame(path, source) || FileSystem.isSame(folder, source) {
            throw ZooError(
                .outputUnsuitable,
                "'\(path)' cannot be written: the command reads '\(source)'",
                remedy: "write to another file, outside the folders that are read"
            )
        }
        try FileSystem.requireWritable(folder: folder)
    }

    /// Writes the file, or leaves what is there.
    ///
    /// - Throws: `ZooError` with an `io.*` code.
    public func write(_ bytes: [UInt8]) throws(ZooError) {
        try FileSystem.writeAtomically(path, bytes)
    }
}
