// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The files of a folder, by whether a signature covers them.
///
/// What belongs to version control at the top of the folder, the signature itself, and `.ami-zoo`, in which
/// the store keeps what it knows about a release, is left out.
package struct ModelFolder: Sendable {
    /// A symbolic link or a special file, which no signature covers.
    package struct Irregular: Sendable {
        /// The path relative to the folder.
        package let path: String
        /// Whether it is a symbolic link.
        package let isLink: Bool
    }

    /// The name of a signature beside the files of a model.
    package static let signatureName = AttachmentDraft.signatureName
    /// The paths at the top of a folder that are always left out, and that new signatures record.
    package static let ignored = [".ami-zoo", ".git", ".gitattributes", ".github", ".gitignore"]
    /// The bytes that are hashed between two checks for cancellation.
    private static let piece = 1 << 20

    /// The path of the folder.
    package let path: String
    /// The files that must be signed, as paths relative to the folder, sorted.
    package let files: [String]
    /// The files that are left out, as paths relative to the folder, sorted.
    package let uncovered: [String]
    /// What is neither a file nor a folder, outside `.git`.
    package let irregular: [Irregular]
    /// The size of each file, in bytes.
    let sizes: [ExactName: Int]

    /// Lists a folder; blocks.
    ///
    /// - Parameters:
    ///   - path: the folder.
    ///   - signature: the path of the signature, which may lie in the folder.
    ///   - ignored: paths to leave out, each with everything below it.
    /// - Throws: ``ZooError`` with an `io.*` code.
    package init(
        _ path: String,
        signature: String,
        ignoring ignored: [String]
    ) throws(ZooError) {
        self.path = path
        let ignored = Set((ignored + Self.ignored).map(ExactName.init))
        let (root, own) = (FileSystem.realPath(path) + "/", FileSystem.realPath(signature))
        var (files, uncovered, irregular): ([String], [String], [Irregular]) = ([], [], [])
        var sizes: [ExactName: Int] = [:]
        for file in try FileSystem.entries(below: path) {
            if own.isExactly(root + file) { continue }
            let status = try FileSystem.status("\(path)/\(file)")
            if status?.kind == .file {
                sizes[ExactName(file)] = status?.size
            } else if !file.beginsExactly(with: ".git/") {
                irregular.append(Irregular(path: file, isLink: status?.kind == .link))
                continue
            }
            if Self.isIgnored(file, ignored) { uncovered.append(file) } else { files.append(file) }
        }
        self.files = files
        self.uncovered = uncovered
        self.irregular = irregular
        self.sizes = sizes
    }

    private static func isIgnored(_ file: String, _ ignored: Set<ExactName>) -> Bool {
        var end = file.utf8.startIndex
        while let slash = file.utf8[end...].firstIndex(of: UInt8(ascii: "/")) {
            if ignored.contains(ExactName(String(file[..<slash]))) { return true }
            end = file.utf8.index(after: slash)
        }
        return ignored.contains(ExactName(file))
    }

    /// Whether a file may be left out: it is of version control or the store, or a document or picture for
    /// people.
    ///
    /// A signature may leave out nothing that a program could load as weights, configuration or code.
    static func mayBeLeftOut(_ file: String) -> Bool {
        let parts = file.utf8.split(separator: UInt8(ascii: "/"))
        switch parts.first.flatMap({ String($0) }) {
        case ".git", ".gitattributes", ".github", ".gitignore": return true
        case ".ami-zoo":
            return file.hasSuffix(".json") || file.beginsExactly(with: ".ami-zoo/attachments/")
        default:
            let name = parts.last.flatMap { String($0) }?.lowercased() ?? ""
            return documentEnds.contains { name.hasSuffix($0) }
                || licenceNames.contains { name.hasPrefix($0) && !name.contains(".") }
        }
    }

    private static let documentEnds = [
        ".md", ".txt", ".rst", ".pdf", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp",
    ]
    private static let licenceNames = ["licence", "license", "notice", "copying"]

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
            let found = digests.compactMap(\.self)
            precondition(found.count == parts.count, "a part was not hashed")
            return found
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
