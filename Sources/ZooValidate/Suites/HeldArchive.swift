// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCore
internal import ZooEval
internal import ZooFiles

/// Data that a user holds as an archive, or as a folder in one.
struct HeldArchive: HeldFiles {
    /// The path of the archive; below it, that of the folder in it.
    let path: String
    private let contents: ArchiveContents
    private let spool: String
    /// The folder in the archive that holds the data, with a slash; empty for all of it.
    private let start: String

    /// Held data are large, and an archive that a user chooses is not that of a stranger.
    private static var limits: ArchiveLimits {
        var limits = ArchiveLimits()
        limits.members = 20_000_000
        limits.totalBytes = .max
        return limits
    }

    /// Opens an archive; nil if no part of the path is a file with an archive.
    ///
    /// - Parameters:
    ///   - path: the archive, or the archive, a slash and a folder in it.
    ///   - spool: the folder for temporary files.
    ///   - cancellation: stops the reading.
    /// - Throws: ``ZooError`` with an `archive.*` or `io.*` code; `CancellationError`.
    init?(_ path: String, spool: String, _ cancellation: Cancellation) throws {
        guard let file = try Self.file(in: path),
            let contents = try ArchiveContents(
                file,
                spool: spool,
                limits: Self.limits,
                cancellation
            )
        else { return nil }
        self.path = path
        self.contents = contents
        self.spool = spool
        let rest = path.utf8.dropFirst(file.utf8.count + 1)
        start = rest.isEmpty ? "" : "\(Substring(rest))/"
    }

    /// The first part of a path that is a regular file.
    private static func file(in path: String) throws(ZooError) -> String? {
        var part = path
        while part != "/", part != "." {
            if try FileSystem.status(part) != nil {
                return try FileSystem.followedStatus(part).kind == .file ? part : nil
            }
            part = FileSystem.parent(of: part)
        }
        return nil
    }

    func paths(below folder: ReleasePath?, _ cancellation: Cancellation) throws -> [String] {
        visible(contents.names, below: folder.map { "\($0)/" } ?? "")
    }

    func folders(in folder: ReleasePath?) throws(ZooError) -> [String] {
        let prefix = folder.map { "\($0)/" } ?? ""
        let below =
            visible(contents.folders, below: prefix)
            + visible(contents.names, below: prefix).filter {
                $0.utf8.dropFirst(prefix.utf8.count).contains(UInt8(ascii: "/"))
            }
        let names = below.compactMap { path in
            path.utf8.dropFirst(prefix.utf8.count).split(separator: UInt8(ascii: "/")).first
                .map { ExactName(String(Substring($0))) }
        }
        return Set(names).map(\.text)
    }

    /// The names below a folder of the data, relative to the data, without hidden ones.
    private func visible(_ names: [String], below folder: String) -> [String] {
        let prefix = start + folder
        return names.compactMap { name in
            guard name.beginsExactly(with: prefix) else { return nil }
            let path = String(Substring(name.utf8.dropFirst(start.utf8.count)))
            let parts = path.utf8.split(separator: UInt8(ascii: "/"))
            return parts.contains { $0.first == UInt8(ascii: ".") } ? nil : path
        }
    }

    func bytes(of file: String) throws(ZooError) -> HeldBytes? {
        contents[start + file].map { HeldBytes($0.file, $0.range) }
    }

    func local(_ file: String) throws(ZooError) -> LocalCopy {
        guard let place = contents[start + file] else {
            throw ZooError(
                .fileMissing,
                "'\(path)' has no file '\(file)'",
                remedy: "run the command again while nothing writes to the archive"
            )
        }
        let copy = LocalCopy("\(spool)/.\(FileSystem.uniqueName()).tmp", isTemporary: true)
        let target = try OpenFile(copy.path, .createPrivate)
        var start = place.range.lowerBound
        while start < place.range.upperBound {
            let end = min(start + 1 << 20, place.range.upperBound)
            try target.write(try place.file.bytes(start..<end), at: start - place.range.lowerBound)
            start = end
        }
        return copy
    }
}
