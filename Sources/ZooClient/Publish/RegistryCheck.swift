// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
package import ZooCore
internal import ZooFiles
internal import ZooStore

/// Checks a registry folder from end to end: every document, every blob, every block, every file.
package struct RegistryCheck: Sendable {
    private let root: String
    private let blobs: BlobFolder

    /// What a check did.
    package struct Report: Sendable {
        /// Releases examined.
        package var releases = 0
        /// Blobs examined.
        package var blobs = 0
        /// Bytes hashed.
        package var bytes = 0
        /// Everything that is wrong.
        package var findings: [Finding] = []
    }

    /// A check of the registry in a folder.
    package init(root: String) {
        self.root = root
        blobs = BlobFolder(root: root)
    }

    /// Checks everything.
    ///
    /// - Throws: ``ZooError`` with code `registry.not-a-registry` when there is nothing to check.
    package func run() async throws -> Report {
        try await BlockingWork.run { try check($0) }
    }

    private func check(_ cancellation: Cancellation) throws -> Report {
        guard try FileSystem.status("\(root)/\(RegistryLayout.imageIndex)") != nil else {
            throw ZooError(
                .notARegistry,
                "there is no registry at '\(root)'",
                remedy: "make one with 'ami-zoo registry init \(root)'"
            )
        }
        var report = Report()
        var referenced: Set<String> = []
        report.findings += try findings(at: RegistryLayout.description) {
            _ = try RegistryDescription(
                canonical: try document(
                    RegistryLayout.description,
                    FormatLimits.registryDescription
                )
            )
        }
        var entries: [ImageIndex.Entry] = []
        report.findings += try findings(at: RegistryLayout.imageIndex) {
            entries = try ImageIndex(
                parsing: try document(RegistryLayout.imageIndex, FormatLimits.imageIndex)
            ).entries
        }
        for (name, versions) in Dictionary(grouping: entries, by: \.name).sorted(by: {
            $0.key < $1.key
        }) {
            report.findings += try findings(at: RegistryLayout.index(name)) {
                try check(index: name, versions)
            }
        }
        for entry in entries {
            try cancellation.check()
            report.releases += 1
            referenced.insert(entry.digest.hex)
            let found = try findings(at: RegistryLayout.blob(entry.digest)) {
                try check(entry, &report, &referenced, cancellation)
            }
            report.findings += found
        }
        for name in try FileSystem.names(in: "\(root)/\(RegistryLayout.blobs)")
        where !referenced.contains(name) {
            report.findings.append(
                Finding(
                    .blobUnreferenced,
                    .warning,
                    path: "\(RegistryLayout.blobs)/\(name)",
                    message: "no release refers to this blob",
                    remedy: "it is left from an interrupted or withdrawn release; it may be removed"
                )
            )
        }
        return report
    }

    private func document(_ path: String, _ limit: Int) throws(ZooError) -> [UInt8] {
        try FileSystem.document("\(root)/\(path)", limit: limit)
    }

    /// What an error inside `body` means for `path`; nothing when there is none.
    private func findings(at path: String, _ body: () throws -> Void) throws -> [Finding] {
        do {
            try body()
            return []
        } catch let error as ZooError {
            return [Finding(error, path: path)]
        }
    }

    private func check(index name: ModelName, _ versions: [ImageIndex.Entry]) throws(ZooError) {
        let index = try IndexDocument(
            canonical: try document(RegistryLayout.index(name), FormatLimits.indexDocument)
        )
        let listed = Set(index.entries.map { "\($0.version) \($0.digest)" })
        let present = Set(versions.map { "\($0.version) \($0.digest)" })
        guard index.name == name, listed == present else {
            throw ZooError(
                .indexInvalid,
                "the index of '\(name)' and the list of manifests name different releases",
                remedy: "ami-zoo registry index \(root)"
            )
        }
    }

    private func check(
        _ entry: ImageIndex.Entry,
        _ report: inout Report,
        _ referenced: inout Set<String>,
        _ cancellation: Cancellation
    ) throws {
        let manifest = try ReleaseManifest(
            canonical: try blobs.read(entry.digest, limit: FormatLimits.manifest)
        )
        report.blobs += 1
        for blob in manifest.blobs {
            referenced.insert(blob.digest.hex)
            report.findings += try findings(at: RegistryLayout.blob(blob.digest)) {
                try blobs.verify(blob, cancellation)
            }
            report.blobs += 1
            report.bytes += blob.size
        }
        let record = try ReleaseRecord(
            canonical: try blobs.read(manifest.record.digest, limit: FormatLimits.record)
        )
        guard record.name == entry.name, record.version == entry.version else {
            throw ZooError(
                .releaseInconsistent,
                "listed as '\(entry.name):\(entry.version)', and its record says "
                    + "'\(record.name):\(record.version)'"
            )
        }
        for archive in manifest.archives {
            report.findings += try findings(at: RegistryLayout.blob(archive.archive.digest)) {
                let table = try BlockTable(
                    canonical: try blobs.read(
                        archive.blocks.digest,
                        limit: FormatLimits.blockTable
                    )
                )
                try ArchiveCheck(table: table, record: record, archive: archive).run(
                    blobs.path(of: archive.archive.digest),
                    cancellation
                )
            }
        }
    }
}

/// Decodes an archive block by block and holds its files against the record.
private struct ArchiveCheck {
    let table: BlockTable
    let record: ReleaseRecord
    let archive: ReleaseManifest.Archive

    func run(_ path: String, _ cancellation: Cancellation) throws {
        let layout = record.layout(of: archive.name)
        guard table.archiveDigest == archive.archive.digest, table.rawSize == layout.rawSize else {
            throw ZooError(
                .releaseInconsistent,
                "the block table of '\(archive.name)' is of another archive"
            )
        }
        let file = try OpenFile(path, .read)
        var content = ArchiveContentHasher(layout)
        let decoder = BlockDecoder()
        let bytes = BlockBuffer()
        for block in table.blocks {
            try cancellation.check()
            bytes.removeAll()
            let piece = try file.bytes(block.archiveRange)
            unsafe bytes.append(piece.span.bytes)
            try content.update(try decoder.decode(bytes, of: block, table.encoding))
        }
        let digests = Dictionary(uniqueKeysWithValues: record.files.map { ($0.path, $0.digest) })
        for (member, digest) in content.finish() where digests[member] != digest {
            throw ZooError(
                .fileMismatch,
                "'\(member)' has digest \(digest), and the record says otherwise",
                remedy: "withdraw the release and publish it again under a new version"
            )
        }
    }
}
