// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooStore

/// The documents of the releases, and the content of the blobs.
extension RegistryCheck {
    /// Checks the documents of a release.
    ///
    /// - Returns: the problems found, and the archives to read.
    func check(
        _ release: Listed,
        _ entry: IndexDocument.Entry?,
        _ referenced: inout [ContentDigest: Int]
    ) throws -> (findings: [Finding], archives: [ArchiveCheck]) {
        referenced[release.digest] = 0
        let bytes = try blobs.read(release.digest, limit: FormatLimits.manifest)
        referenced[release.digest] = bytes.count
        let manifest = try ReleaseManifest(canonical: bytes)
        for blob in manifest.blobs { referenced[blob.digest] = blob.size }
        let record = try manifest.kind.record(
            canonical: try read(manifest.record, limit: FormatLimits.record)
        )
        guard record.name == release.name, record.version == release.version else {
            throw ZooError(
                .releaseInconsistent,
                "the release is listed as '\(release.name):\(release.version)', but its record has "
                    + "'\(record.name):\(record.version)'",
                remedy: "withdraw the release and publish it again under a new version"
            )
        }
        var found: [Finding] = []
        if let entry,
            (entry.size, entry.created, entry.licence)
                != (record.totalSize, record.created, record.licence)
        {
            let problem = ZooError(
                .releaseInconsistent,
                "the index entry of '\(record.name):\(record.version)' differs from the release "
                    + "record in size, date or licence",
                remedy: "run 'ami-zoo registry index \(root)'"
            )
            found.append(Finding(problem, path: RegistryLayout.index(release.name)))
        }
        var archives: [ArchiveCheck] = []
        for archive in manifest.archives {
            found += try findings(at: RegistryLayout.blob(archive.blocks.digest)) {
                archives.append(
                    ArchiveCheck(
                        table: try BlockTable(
                            canonical: try read(archive.blocks, limit: FormatLimits.blockTable)
                        ),
                        record: record,
                        archive: archive,
                        path: blobs.path(of: archive.archive.digest)
                    )
                )
            }
        }
        return (found, archives)
    }

    private func read(_ blob: Descriptor, limit: Int) throws(ZooError) -> [UInt8] {
        let bytes = try blobs.read(blob.digest, limit: limit)
        guard bytes.count == blob.size else {
            throw ZooError.wrongBlob(blobs.path(of: blob.digest))
        }
        return bytes
    }

    // MARK: Blobs

    func checkBlobNames(
        _ referenced: [ContentDigest: Int],
        _ survey: inout Survey
    ) throws(ZooError) {
        for name in try FileSystem.names(in: "\(root)/\(RegistryLayout.blobs)") {
            let path = "\(RegistryLayout.blobs)/\(name)"
            let kind = try FileSystem.status("\(root)/\(path)")?.kind
            guard kind == .file, let digest = try? ContentDigest(hex: name) else {
                survey.report.findings.append(
                    Finding(
                        .fileUnknown,
                        .warning,
                        path: path,
                        message: "this is not a blob: it is no file, or its name is no digest",
                        remedy: name.hasSuffix(".tmp")
                            ? "remove it when no program writes here; an interrupted write left it"
                            : "remove it"
                    )
                )
                continue
            }
            if referenced[digest] == nil {
                survey.contents.append(.unreferenced(name: name, digest: digest))
            }
        }
    }

    /// Checks the content of blobs, several concurrently.
    func findings(of contents: [Content]) async throws -> [Finding] {
        var found: [Int: [Finding]] = [:]
        try await withThrowingTaskGroup(of: (Int, [Finding]).self) { group in
            for (index, content) in contents.enumerated() {
                if index >= workers, let (index, findings) = try await group.next() {
                    found[index] = findings
                }
                group.addTask {
                    (index, try await BlockingWork.run { try findings(of: content, $0) })
                }
            }
            for try await (index, findings) in group { found[index] = findings }
        }
        return contents.indices.flatMap { found[$0] ?? [] }
    }

    private func findings(
        of content: Content,
        _ cancellation: Cancellation
    ) throws -> [Finding] {
        switch content {
        case .archive(let check):
            return try findings(at: RegistryLayout.blob(check.archive.archive.digest)) {
                try check.run(cancellation)
            }
        case .unreferenced(let name, let digest):
            let path = RegistryLayout.blob(digest)
            let broken = try findings(at: path) {
                let file = try OpenFile("\(root)/\(RegistryLayout.blobs)/\(name)", .read)
                var hasher = ContentDigest.Hasher()
                let size = try file.status().size
                try file.forEachPiece(of: 0..<size, size: 1 << 20, cancellation) {
                    hasher.update($0)
                }
                // A later release with the same blob would reuse this file.
                guard hasher.finish() == digest else { throw ZooError.wrongBlob(file.path) }
            }
            guard broken.isEmpty else { return broken }
            return [
                Finding(
                    .blobUnreferenced,
                    .warning,
                    path: path,
                    message: "no release refers to this blob",
                    remedy: "remove the file unless another program uses it; an interrupted or "
                        + "withdrawn release left it"
                )
            ]
        }
    }
}
