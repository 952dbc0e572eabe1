// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCheckpoint
internal import ZooCore
package import ZooFiles

/// A checkpoint argument: a path in the file system or inside an archive.
///
/// The path inside an archive is that of the archive, a slash, and the path of the member. A file has
/// no other files below it, so no path has two meanings.
package struct CheckpointInput: Sendable {
    /// The path of the archive and the member that was taken.
    package struct Member: Sendable {
        /// The archive.
        package let archive: String
        /// The path in the archive; empty for the archive as a whole.
        package let name: String
    }

    /// The checkpoint.
    package let place: FilePlace
    /// Nil outside archives.
    package let member: Member?

    /// The number of candidates that an error lists.
    private static let listed = 20

    /// Finds the checkpoint that an argument means; blocks.
    ///
    /// - Parameters:
    ///   - text: the argument.
    ///   - name: the name of the file to prefer among several in an archive.
    ///   - spool: the folder for temporary files, which may be large.
    ///   - cancellation: stops the reading of an archive.
    /// - Throws: ``ZooError`` as ``inArchive(_:preferring:spool:_:)``.
    package init(
        _ text: String,
        preferring name: String? = nil,
        spool: String,
        _ cancellation: Cancellation
    ) throws {
        self =
            try Self.inArchive(text, preferring: name, spool: spool, cancellation)
            ?? CheckpointInput(place: FilePlace(text), member: nil)
    }

    private init(place: FilePlace, member: Member?) {
        self.place = place
        self.member = member
    }

    /// Finds the checkpoint inside an archive; blocks.
    ///
    /// - Parameters:
    ///   - text: the argument.
    ///   - name: the name of the file to prefer among several.
    ///   - spool: the folder for temporary files, which may be large.
    ///   - cancellation: stops the reading of the archive.
    /// - Returns: the checkpoint; nil if the argument is not in an archive.
    /// - Throws: ``ZooError`` with code `checkpoint.not-found`, `checkpoint.ambiguous`, or an
    ///   `archive.*` or `io.*` code; `CancellationError`.
    package static func inArchive(
        _ text: String,
        preferring name: String? = nil,
        spool: String,
        _ cancellation: Cancellation
    ) throws -> CheckpointInput? {
        guard let (path, inner) = try split(text) else { return nil }
        guard let kind = try ArchiveKind(of: OpenFile(path, .readFollowing)) else { return nil }
        if kind == .zip, inner.isEmpty, try CheckpointSearch.isCheckpoint(zip: path) { return nil }
        guard let archive = try ForeignArchive(path, spool: spool, cancellation)
        else { return nil }
        let names = archive.members.map(\.name)
        if kind == .tar, inner.isEmpty, CheckpointSearch.isTorchTar(names) { return nil }
        let member = try choose(inner, among: archive, preferring: name)
        return CheckpointInput(
            place: FilePlace(member.isEmpty ? path : "\(path)/\(member)", in: archive),
            member: Member(archive: path, name: member)
        )
    }

    /// The file at or above a path, and the rest of the path; nil if it is a folder or does not exist.
    private static func split(_ text: String) throws(ZooError) -> (file: String, inner: String)? {
        var path = text
        var inner: [Substring] = []
        while try FileSystem.status(path) == nil {
            guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex
            else { return nil }
            inner.insert(path[path.utf8.index(after: slash)...], at: 0)
            path = String(path[..<slash])
        }
        guard try LocalFiles().kind(path) == .file else { return nil }
        return (path, inner.filter { !$0.isEmpty }.joined(separator: "/"))
    }

    private static func choose(
        _ inner: String,
        among archive: ForeignArchive,
        preferring preferred: String?
    ) throws(ZooError) -> String {
        let root = inner.isEmpty ? archive.path : "\(archive.path)/\(inner)"
        switch try archive.kind(root) {
        case .file: return inner
        case .folder: break
        default:
            throw ZooError(
                .memberMissing,
                "the archive '\(archive.path)' has no '\(inner)'",
                remedy: "pass '\(archive.path)' alone to find the checkpoints in it"
            )
        }
        let prefix = inner.isEmpty ? "" : "\(inner)/"
        let names = archive.members.map(\.name).filter { $0.hasPrefix(prefix) }
        let found = CheckpointSearch.candidates(
            among: names.map { String($0.dropFirst(prefix.count)) }
        )
        .map { $0.isEmpty ? inner : prefix + $0 }
        let named = found.filter { FileSystem.name(of: $0) == preferred }
        if named.count == 1 { return named[0] }
        guard let first = found.first else {
            throw ZooError(
                .checkpointMissing,
                "none of the \(names.count) files in '\(root)' has the name of a checkpoint",
                remedy: "name the file: '\(archive.path)/\(names.first ?? "PATH")'"
            )
        }
        guard found.count == 1 else {
            let rest = found.count - listed
            throw ZooError(
                .checkpointAmbiguous,
                "'\(root)' holds \(found.count) checkpoints: "
                    + found.prefix(listed).map { "'\($0)'" }.joined(separator: ", ")
                    + (rest > 0 ? " and \(rest) others" : ""),
                remedy: "name one of them: '\(archive.path)/\(first)'"
            )
        }
        return first
    }

    /// The sentence that says which member was taken.
    package var note: String? {
        member.map { member in
            let what = member.name.isEmpty ? "the model" : "'\(member.name)'"
            return "reading \(what) in '\(member.archive)'"
        }
    }
}
