// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
internal import ZooCore
internal import ZooFiles
package import ZooStore

/// Verifies an installed release against its manifest, and the manifest against its anchors.
///
/// The manifest contains the digests of the block tables and the record, the tables contain the digest
/// of every block, and the blocks cover every byte of every file. Blocks are hashed in parallel, and a
/// finding states the block and the file. A file that shares a block with a file that was not fetched
/// is hashed as a whole against the record. The verifier uses no network.
package struct ReleaseVerifier: Sendable {
    private let release: InstalledRelease
    private let anchors: [VerificationAnchor]
    private let workers: Int
    private let repair: String

    /// Creates a verifier of one release.
    ///
    /// - Parameters:
    ///   - release: the release.
    ///   - anchors: the expected digests of the manifest, strongest first; at least one.
    ///   - workers: the number of hashing threads.
    ///   - repair: the command that repairs the release, for remedies; nil for the usual one.
    package init(
        _ release: InstalledRelease,
        anchors: [VerificationAnchor],
        workers: Int,
        repair: String? = nil
    ) {
        precondition(!anchors.isEmpty, "a verification needs at least one anchor")
        self.release = release
        self.anchors = anchors
        self.workers = max(1, workers)
        self.repair = repair ?? RepairAdvice(release.folder).description
    }

    /// Verifies every byte.
    ///
    /// - Parameter deep: also hashes each file as a whole, which proves that the publisher's record
    ///   and blocks are consistent.
    /// - Returns: the result, which passes only when every byte of every file was verified.
    /// - Throws: `CancellationError`, or ``ZooError`` when the folder cannot be read.
    package func verify(deep: Bool = false) async throws -> Verification {
        var findings = anchors.flatMap(mismatches)
        var tasks: [VerificationTask] = []
        let damaged = try await BlockingWork.run { _ in try wrongFiles() }
        findings += damaged
        findings += try await BlockingWork.run { _ in
            try FolderListing.strays(in: release.folder, besides: listed, replacement: repair)
        }
        let broken = Set(damaged.map(\.path))
        let present = Set(release.files.map(\.path)).filter { !broken.contains($0.text) }
        // Files with blocks that cannot be rebuilt from the fetched files.
        var whole = deep ? present : []
        for archive in release.manifest.archives {
            do {
                let blocks = try await BlockingWork.run { _ in
                    try ArchiveBlocks(archive, of: release, present: present)
                }
                whole.formUnion(blocks.incomplete)
                tasks += blocks.tasks(besides: deep ? [] : blocks.incomplete)
            } catch let error as ZooError {
                // A table that the manifest lists is the publisher's, and no repair changes it.
                let isDamaged =
                    error.code == .receiptMismatch || error.code == .fileMissing
                    || error.code.category == .inputOutput
                findings.append(
                    Finding(
                        error.code,
                        path: archive.name,
                        message: error.message,
                        remedy: isDamaged ? repair : error.remedy
                    )
                )
            }
        }
        let files = release.files.filter { whole.contains($0.path) }
        tasks = files.map { VerificationTask.file($0) } + tasks
        let (found, coverage) = try await run(tasks)
        return Verification(
            anchors[0],
            findings + found,
            coverage,
            of: release.files,
            also: Array(anchors.dropFirst())
        )
    }

    private func mismatches(_ anchor: VerificationAnchor) -> [Finding] {
        if let receipt = anchor.receipt, receipt.digest == release.digest,
            receipt != StoreReceipt(of: release)
        {
            return [
                Finding(
                    .anchorMismatch,
                    path: InstalledRelease.installName,
                    message: "the folder states \(Self.text(release.components)) from "
                        + "\(release.registry), and the store recorded \(Self.text(receipt.components)) "
                        + "from \(receipt.registry)",
                    remedy: repair
                )
            ]
        }
        guard anchor.digest != release.digest else { return [] }
        let origin =
            switch anchor.kind {
            case .requested: "you asked for"
            case .registry: "\(anchor.source) lists"
            case .tuf: "the signed metadata of \(anchor.source) lists"
            case .store: "the store recorded"
            case .folder: "the folder has"
            }
        return [
            Finding(
                .anchorMismatch,
                path: InstalledRelease.manifestName,
                message:
                    "the manifest has digest \(release.digest), and \(origin) \(anchor.digest)",
                remedy: "do not use this folder before you know why the digests differ"
            )
        ]
    }

    private static func text(_ components: Set<String>?) -> String {
        components.map { "only \($0.sorted().joined(separator: ", "))" } ?? "the whole release"
    }

    /// The paths of all files of the release, including its documents.
    private var listed: Set<String> {
        Set(release.files.map(\.path.text)).union(release.documentNames)
    }

    private func wrongFiles() throws(ZooError) -> [Finding] {
        var findings: [Finding] = []
        for file in release.files {
            let status = try FileSystem.status("\(release.folder)/\(file.path)")
            guard status?.kind == .file, status?.size == file.size else {
                let found =
                    switch status?.kind {
                    case nil: "is missing"
                    case .file: "has \(status?.size ?? 0) bytes"
                    case .folder: "is a folder"
                    case .link: "is a symbolic link"
                    case .other: "is not a regular file"
                    }
                findings.append(
                    Finding(
                        .fileWrong,
                        path: file.path.text,
                        message: "'\(file.path)' \(found); the record expects \(file.size) bytes",
                        remedy: obstacle(to: file.path).map {
                            "move '\($0)' away, then run \(repair)"
                        }
                            ?? repair
                    )
                )
                continue
            }
        }
        return findings
    }

    /// The folder at the path of a file, or the file at the path of a folder, that a repair would have to
    /// remove.
    private func obstacle(to path: ReleasePath) -> String? {
        var place = release.folder
        for component in path.components.dropLast() {
            place += "/\(component)"
            if (try? FileSystem.status(place))??.kind == .file { return place }
        }
        place = "\(release.folder)/\(path)"
        return (try? FileSystem.status(place))??.kind == .folder ? place : nil
    }

    private func run(
        _ tasks: [VerificationTask]
    ) async throws -> (findings: [Finding], coverage: VerifiedCoverage) {
        let queue = WorkQueue(tasks)
        return try await withThrowingTaskGroup(
            of: (findings: [Finding], coverage: VerifiedCoverage).self
        ) { group in
            for _ in 0..<min(workers, tasks.count) {
                group.addTask {
                    try await BlockingWork.run { cancellation in
                        let raw = BlockBuffer()
                        var coverage = VerifiedCoverage()
                        var findings: [Finding] = []
                        while let task = queue.next() {
                            try cancellation.check()
                            do {
                                try check(task, raw, &coverage, cancellation)
                            } catch let error as ZooError {
                                findings.append(finding(error, task))
                            }
                        }
                        return (findings, coverage)
                    }
                }
            }
            return try await group.reduce(into: ([], VerifiedCoverage())) { sum, part in
                sum.findings += part.findings
                sum.coverage.merge(part.coverage)
            }
        }
    }

    private func check(
        _ task: VerificationTask,
        _ raw: BlockBuffer,
        _ coverage: inout VerifiedCoverage,
        _ cancellation: Cancellation
    ) throws {
        switch task {
        case .file(let file):
            coverage.add(try VerifiedFile(file, in: release.folder, cancellation))
        case .block(let number, let blocks):
            let block = blocks.table.blocks[number]
            try blocks.folder.read(block.rawRange, into: raw)
            coverage.add(
                try BlockDecoder.verify(raw, of: block),
                of: blocks.name,
                blocks.folder.layout
            )
        }
    }

    private func finding(_ error: ZooError, _ task: VerificationTask) -> Finding {
        switch task {
        case .file(let file):
            return Finding(error.code, path: file.path.text, message: error.message, remedy: repair)
        case .block(let number, let blocks):
            let range = blocks.table.blocks[number].rawRange
            let paths = blocks.folder.paths(in: range).map(\.text)
            let files = paths.map { "'\($0)'" }.joined(separator: ", ")
            return Finding(
                error.code,
                path: paths.first ?? blocks.name,
                message: "block \(number) of archive '\(blocks.name)' (bytes "
                    + "\(range.lowerBound)–\(range.upperBound - 1) of the raw stream, in \(files)) is "
                    + "damaged: \(error.message)",
                remedy: repair
            )
        }
    }
}

/// One unit of hashing work.
private enum VerificationTask: Sendable {
    case file(ReleaseRecord.File)
    case block(Int, ArchiveBlocks)
}

/// The blocks of one archive that can be rebuilt from the fetched files.
private struct ArchiveBlocks: Sendable {
    let name: String
    let table: BlockTable
    let folder: ArchiveFolder
    /// The fetched files that share a block with a file that was not fetched.
    let incomplete: Set<ReleasePath>

    /// Reads the block table of an archive.
    ///
    /// Blocking.
    ///
    /// - Throws: ``ZooError`` with code `store.receipt-mismatch`, `registry.release-inconsistent` or
    ///   the code of an invalid table.
    init(
        _ archive: ReleaseManifest.Archive,
        of release: InstalledRelease,
        present: Set<ReleasePath>
    ) throws(ZooError) {
        let table = try release.blockTable(of: archive)
        let layout = release.record.layout(of: archive.name)
        guard table.rawSize == layout.rawSize else {
            throw ZooError(
                .releaseInconsistent,
                "the block table of archive '\(archive.name)' does not match its files"
            )
        }
        let folder = try ArchiveFolder(
            layout,
            in: release.folder,
            .read,
            including: { present.contains($0) }
        )
        let torn = table.blocks.filter { !folder.holds($0.rawRange) }
        incomplete = Set(torn.flatMap { folder.paths(in: $0.rawRange) })
        name = archive.name
        self.table = table
        self.folder = folder
    }

    /// The blocks that can be rebuilt and contain a file that is not hashed as a whole.
    func tasks(besides whole: Set<ReleasePath>) -> [VerificationTask] {
        table.blocks.indices.filter { number in
            let range = table.blocks[number].rawRange
            return folder.holds(range)
                && folder.paths(in: range).contains { !whole.contains($0) }
        }
        .map { .block($0, self) }
    }
}
