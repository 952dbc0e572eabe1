// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The files of a folder that a signature covers.
///
/// Paths that belong to version control at the top of the folder, the signature itself, and
/// `.ami-zoo`, in which the store keeps what it knows about a release, are left out.
package struct ModelFolder: Sendable {
    /// The name of a signature beside the files of a model.
    package static let signatureName = "model.sig"
    /// The paths that every signature leaves out, of those that exist at the top of a folder.
    private static let alwaysIgnored = [".git", ".gitattributes", ".github", ".gitignore"]
    /// The paths that signatures of this program leave out and record.
    package static let ignored = [".ami-zoo"] + alwaysIgnored
    /// The bytes that are hashed between two checks for cancellation.
    private static let piece = 1 << 20

    /// The path of the folder.
    package let path: String
    /// The files that must be signed, as paths relative to the folder, sorted.
    package let files: [String]
    /// The files that are left out, as paths relative to the folder, sorted.
    package let uncovered: [String]

    /// Lists a folder; blocks.
    ///
    /// - Parameters:
    ///   - path: the folder.
    ///   - signature: the path of the signature, which may lie in the folder.
    ///   - ignored: paths to leave out, each with everything below it.
    /// - Throws: ``ZooError`` with code `io.not-a-file` when it holds a symbolic link or a special
    ///   file that is not left out, or `io.*`.
    package init(
        _ path: String,
        signature: String,
        ignoring ignored: [String]
    ) throws(ZooError) {
        self.path = path
        let ignored = Set((ignored + Self.alwaysIgnored).map(ExactName.init))
        let own = FileSystem.parent(of: FileSystem.absolute(signature))
        let signature = FileSystem.isSame(own, path) ? FileSystem.name(of: signature) : nil
        var (files, uncovered): ([String], [String]) = ([], [])
        for file in try FileSystem.entries(below: path) {
            if let signature, file.isExactly(signature) { continue }
            if Self.isIgnored(file, ignored) {
                uncovered.append(file)
                continue
            }
            let kind = try FileSystem.status("\(path)/\(file)")?.kind
            guard kind == .file else {
                throw ZooError(
                    .notAFile,
                    "'\(path)/\(file)' is \(kind == .link ? "a symbolic link" : "not a regular file"), "
                        + "and a signature covers regular files only",
                    remedy: "replace it with a regular file, or remove it"
                )
            }
            files.append(file)
        }
        self.files = files
        self.uncovered = uncovered
    }

    private static func isIgnored(_ file: String, _ ignored: Set<ExactName>) -> Bool {
        var end = file.utf8.startIndex
        while let slash = file.utf8[end...].firstIndex(of: UInt8(ascii: "/")) {
            if ignored.contains(ExactName(String(file[..<slash]))) { return true }
            end = file.utf8.index(after: slash)
        }
        return ignored.contains(ExactName(file))
    }

    /// Hashes files, or parts of files, on all processors.
    ///
    /// - Parameter parts: paths with a range of bytes; nil for the whole file.
    /// - Returns: the digest of each part with the number of its bytes, in the same order.
    /// - Throws: ``ZooError`` with an `io.*` code, also for a part that reaches past the end of its
    ///   file; `CancellationError`.
    package func digests(
        of parts: [(path: String, range: Range<Int>?)]
    ) async throws -> [(digest: ContentDigest, bytes: Int)] {
        try await withThrowingTaskGroup(
            of: (Int, (digest: ContentDigest, bytes: Int)).self
        ) { group in
            var digests = [(digest: ContentDigest, bytes: Int)?](repeating: nil, count: parts.count)
            var next = 0
            func start() {
                guard next < parts.count else { return }
                let (index, part) = (next, parts[next])
                next += 1
                group.addTask {
                    let digest = try await BlockingWork.run { cancellation in
                        try hash(part.path, part.range, cancellation)
                    }
                    return (index, digest)
                }
            }
            for _ in 0..<BlockingWork.processors { start() }
            while let (index, digest) = try await group.next() {
                digests[index] = digest
                start()
            }
            return digests.compactMap(\.self)
        }
    }

    private func hash(
        _ name: String,
        _ range: Range<Int>?,
        _ cancellation: Cancellation
    ) throws -> (digest: ContentDigest, bytes: Int) {
        let file = try OpenFile("\(path)/\(name)", .read)
        let range = try range ?? 0..<file.status().size
        var hasher = ContentDigest.Hasher()
        try file.forEachPiece(of: range, size: Self.piece, cancellation) { hasher.update($0) }
        return (hasher.finish(), range.count)
    }
}
