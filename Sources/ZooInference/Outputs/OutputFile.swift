// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

public import ZooCore
internal import ZooFiles

/// An output file, checked before the computation.
public struct OutputFile: Sendable {
    /// The absolute path.
    public let path: String

    /// Checks that the file can be written and is not an input.
    ///
    /// - Parameters:
    ///   - text: the path.
    ///   - endings: the allowed file extensions, such as `.npy`.
    ///   - sources: input files and folders; the output must be neither one of them nor inside one
    ///     of the folders.
    /// - Throws: `ZooError` with code `output.unsuitable`, `io.not-found` or `io.not-permitted`.
    public init(_ text: String, endings: [String], apartFrom sources: [String]) throws(ZooError) {
        path = FileSystem.absolute(text)
        guard endings.contains(where: path.hasSuffix) else {
            throw ZooError(
                .outputUnsuitable,
                "the output path '\(text)' must end in \(endings.joined(separator: " or "))"
            )
        }
        let folder = FileSystem.parent(of: path)
        guard FileSystem.isFolder(folder) else {
            throw ZooError(
                .fileMissing,
                "'\(path)' cannot be written: there is no folder '\(folder)'",
                remedy: "create the folder first"
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
                remedy: "choose another output file, outside the input folders"
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
