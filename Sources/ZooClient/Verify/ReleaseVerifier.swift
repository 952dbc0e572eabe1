// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
package import ZooCore
package import ZooFiles
package import ZooStore

/// Checks every byte of an installed release against its manifest, without a network.
///
/// The manifest binds the block tables, the tables bind every block, and the blocks cover every
/// byte of every file; blocks are hashed on all processors at once, and a finding names the block
/// and the file.
package struct ReleaseVerifier: Sendable {
    private let release: InstalledRelease
    private let workers: Int

    /// A verifier of one release.
    ///
    /// - Parameters:
    ///   - release: the release.
    ///   - workers: threads to hash with.
    package init(_ release: InstalledRelease, workers: Int) {
        self.release = release
        self.workers = max(1, workers)
    }

    /// Looks at every byte.
    ///
    /// - Parameter deep: also hashes each file whole against the record, which proves that the
    ///   publisher's record and blocks agree.
    /// - Returns: everything that is wrong; empty when every byte is right.
    /// - Throws: `CancellationError`, or ``ZooError`` when the release cannot be examined at all.
    package func findings(deep: Bool = false) async throws -> [Finding] {
        var findings = try await BlockingWork.run { _ in try sizesAndStrays() }
        // Blocks of a file that is missing or short cannot be read; its finding says enough.
        let broken = Set(findings.map(\.path))
        for archive in release.manifest.archives {
            findings += try await blocks(of: archive, skipping: broken)
        }
        if deep { findings += try await BlockingWork.run { try wholeFiles(skipping: broken, $0) } }
        return findings
    }

    private func sizesAndStrays() throws -> [Finding] {
        var findings: [Finding] = []
        let expected = Dictionary(
            uniqueKeysWithValues: release.files.map { ($0.path.text, $0.size) }
        )
        for file in release.files {
            let status = try FileSystem.status("\(release.folder)/\(file.path)")
            guard status?.kind == .file, status?.size == file.size else {
                let found = status.map { "has \($0.size) bytes" } ?? "is missing"
                findings.append(
                    Finding(
                        .fileWrong,
                        path: file.path.text,
                        message: "'\(file.path)' \(found), and the record says \(file.size) bytes",
                        remedy: repair
                    )
                )
                continue
            }
        }
        let receipts = InstalledRelease.receiptFolder + "/"
        for path in try FileSystem.files(below: release.folder)
        where expected[path] == nil && !path.hasPrefix(receipts) {
            findings.append(
                Finding(
                    .fileUnlisted,
                    path: path,
                    message: "'\(path)' is not part of the release",
                    remedy: "remove it, or keep your own files elsewhere"
                )
            )
        }
        return findings
    }

    private var repair: String {
        "remove '\(release.folder)' and run 'ami-zoo pull \(release.reference)' again"
    }

    private func blocks(
        of archive: ReleaseManifest.Archive,
        skipping broken: Set<String>
    ) async throws -> [Finding] {
        let table = try release.blockTable(of: archive)
        let layout = release.record.layout(of: archive.name)
        guard table.rawSize == layout.rawSize else {
            return [
                Finding(
                    .releaseInconsistent,
                    path: archive.name,
                    message: "the block table of archive '\(archive.name)' does not fit its files"
                )
            ]
        }
        let present = Set(release.files.map(\.path)).filter { !broken.contains($0.text) }
        let folder = try ArchiveFolder(
            layout,
            in: release.folder,
            .read,
            including: { present.contains($0) }
        )
        // A block that also holds part of an absent file cannot be made again from what is here.
        let readable = table.blocks.indices.filter { index in
            layout.pieces(of: table.blocks[index].rawRange).allSatisfy { piece in
                guard case .content(let member, _) = piece else { return true }
                return present.contains(layout.members[member].path)
            }
        }
        let queue = WorkQueue(readable)
        return try await withThrowingTaskGroup(of: [Finding].self) { group in
            for _ in 0..<min(workers, max(1, readable.count)) {
                group.addTask {
                    try await BlockingWork.run { cancellation in
                        let raw = BlockBuffer()
                        var findings: [Finding] = []
                        while let index = queue.next() {
                            try cancellation.check()
                            findings += check(table, index, archive.name, folder, raw)
                        }
                        return findings
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    private func check(
        _ table: BlockTable,
        _ index: Int,
        _ archive: String,
        _ folder: ArchiveFolder,
        _ raw: BlockBuffer
    ) -> [Finding] {
        let block = table.blocks[index]
        let paths = folder.paths(in: block.rawRange).map(\.text)
        do throws(ZooError) {
            try folder.read(block.rawRange, into: raw)
            try BlockDecoder.verify(raw, of: block)
            return []
        } catch {
            let files = paths.map { "'\($0)'" }.joined(separator: ", ")
            return [
                Finding(
                    error.code,
                    path: paths.first ?? archive,
                    message: "block \(index) of archive '\(archive)' (bytes "
                        + "\(block.rawRange.lowerBound)–\(block.rawRange.upperBound - 1) of its "
                        + "contents, in \(files)) is damaged: \(error.message)",
                    remedy: repair
                )
            ]
        }
    }

    private func wholeFiles(
        skipping broken: Set<String>,
        _ cancellation: Cancellation
    ) throws -> [Finding] {
        var findings: [Finding] = []
        for file in release.files where !broken.contains(file.path.text) {
            let found = try FileDigest.compute("\(release.folder)/\(file.path)", cancellation)
            guard found != file.digest else { continue }
            findings.append(
                Finding(
                    .fileMismatch,
                    path: file.path.text,
                    message:
                        "'\(file.path)' has digest \(found), and the record says \(file.digest)",
                    remedy: repair
                )
            )
        }
        return findings
    }
}

/// The digest of a file of any size in bounded memory; blocks.
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
