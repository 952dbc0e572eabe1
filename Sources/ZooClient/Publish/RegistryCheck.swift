// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
internal import ZooStore

/// Checks a registry folder from end to end: every document, every blob, every block, every file.
package struct RegistryCheck: Sendable {
    private let root: String
    private let workers: Int
    private let blobs: BlobFolder

    /// What a check did.
    package struct Report: Sendable {
        /// Releases examined: those of `index.json` and those of index documents.
        package var releases = 0
        /// Blobs examined.
        package var blobs = 0
        /// Bytes hashed.
        package var bytes = 0
        /// Everything that is wrong.
        package var findings: [Finding] = []
    }

    /// A check of the registry in a folder.
    ///
    /// - Parameters:
    ///   - root: the folder.
    ///   - workers: how many archives are read at a time.
    package init(root: String, workers: Int = 2) {
        self.root = root
        self.workers = workers
        blobs = BlobFolder(root: root)
    }

    /// Checks everything.
    ///
    /// - Throws: ``ZooError`` with code `registry.not-a-registry` when there is nothing to check;
    ///   `CancellationError`.
    package func run() async throws -> Report {
        let survey: Survey = try await BlockingWork.run { try examineDocuments($0) }
        var report = survey.report
        report.findings += try await findings(of: survey.contents)
        return report
    }

    // MARK: Documents

    /// What the documents say, and what is to be read yet.
    private struct Survey: Sendable {
        var report = Report()
        var contents: [Content] = []
    }

    /// A blob that is read whole.
    private enum Content: Sendable {
        case archive(ArchiveCheck)
        case unreferenced(name: String, digest: ContentDigest)
    }

    /// A release, as a list names it.
    private struct Listed: Hashable {
        let name: ModelName
        let version: SemanticVersion
        let digest: ContentDigest
    }

    private func examineDocuments(_ cancellation: Cancellation) throws -> Survey {
        try requireRegistry()
        var survey = Survey()
        func examine(_ path: String, _ body: () throws -> Void) throws {
            survey.report.findings += try findings(at: path, body)
        }
        try examine(RegistryLayout.description) {
            _ = try RegistryDescription(
                canonical: try document(
                    RegistryLayout.description,
                    FormatLimits.registryDescription
                )
            )
        }
        try examine(RegistryLayout.imageLayout) { try checkImageLayout() }
        var manifests: [ImageIndex.Entry] = []
        try examine(RegistryLayout.imageIndex) {
            manifests = try ImageIndex(
                parsing: try document(RegistryLayout.imageIndex, FormatLimits.imageIndex)
            ).entries
        }
        var documents = IndexDocuments()
        for path in try FileSystem.entries(below: "\(root)/index") {
            try cancellation.check()
            try examine("index/\(path)") { try read("index/\(path)", into: &documents) }
        }
        survey.report.findings += compare(manifests, documents)
        var listed = Set(
            manifests.map { Listed(name: $0.name, version: $0.version, digest: $0.digest) }
        )
        for (name, document) in documents.read {
            for entry in document.entries {
                listed.insert(Listed(name: name, version: entry.version, digest: entry.digest))
            }
        }
        survey.report.releases = listed.count
        var referenced: [ContentDigest: Int] = [:]
        let order = listed.sorted {
            ($0.name, $0.version, $0.digest) < ($1.name, $1.version, $1.digest)
        }
        for release in order {
            try cancellation.check()
            let entry = documents.read[release.name]?.entries.first {
                $0.version == release.version && $0.digest == release.digest
            }
            try examine(RegistryLayout.blob(release.digest)) {
                let (found, archives) = try check(release, entry, &referenced)
                survey.contents += archives.map { .archive($0) }
                survey.report.findings += found
            }
        }
        survey.report.blobs = referenced.count
        survey.report.bytes = referenced.values.reduce(0, +)
        try checkBlobNames(referenced, &survey)
        return survey
    }

    private func requireRegistry() throws(ZooError) {
        for name in [RegistryLayout.description, RegistryLayout.imageIndex] {
            if try FileSystem.status("\(root)/\(name)") != nil { return }
        }
        throw ZooError(
            .notARegistry,
            "there is no registry at '\(root)'",
            remedy: "make one with 'ami-zoo registry init \(root)'"
        )
    }

    private func document(_ path: String, _ limit: Int) throws(ZooError) -> [UInt8] {
        guard try FileSystem.status("\(root)/\(path)") != nil else {
            throw ZooError(
                .documentMissing,
                "'\(path)' is missing, which every registry has",
                remedy: "restore it from a backup, or make a registry with 'ami-zoo registry init' "
                    + "and pack the releases into it"
            )
        }
        return try FileSystem.document("\(root)/\(path)", limit: limit)
    }

    /// What an error inside `body` means for `path`; nothing when there is none.
    private func findings(at path: String, _ body: () throws -> Void) throws -> [Finding] {
        do {
            try body()
            return []
        } catch let error as ZooError where error.code == .fileMissing {
            let missing = ZooError(
                .blobMissing,
                "the file '\(path)' is missing",
                remedy: "restore it from a mirror, or pack the release again",
                cause: error
            )
            return [Finding(missing, path: path)]
        } catch let error as ZooError {
            let finding = Finding(error, path: path)
            // Readers ignore hidden files, and one of a write that is under way is no fault.
            guard error.code == .fileUnknown, path.split(separator: "/").last?.first == "." else {
                return [finding]
            }
            return [
                Finding(
                    finding.code,
                    .warning,
                    path: path,
                    message: finding.message,
                    remedy: finding.remedy
                )
            ]
        }
    }

    private func checkImageLayout() throws(ZooError) {
        let object = try JSONObject(
            try JSONValue(parsing: try document(RegistryLayout.imageLayout, 4096))
        )
        let expected = try JSONValue(parsing: Array(RegistryLayout.imageLayoutContent.utf8))
        guard case .object(let members) = expected,
            members.allSatisfy({ object.value($0.key) == $0.value })
        else {
            throw ZooError(
                .documentInvalid,
                "'\(RegistryLayout.imageLayout)' does not say "
                    + RegistryLayout.imageLayoutContent,
                remedy: "write that text to the file"
            )
        }
    }

    // MARK: Index documents

    private struct IndexDocuments {
        var read: [ModelName: IndexDocument] = [:]
        /// Models whose document is there and cannot be read.
        var broken: Set<ModelName> = []
    }

    private func read(_ path: String, into documents: inout IndexDocuments) throws(ZooError) {
        let text = path.dropFirst("index/".count)
        guard text.hasSuffix(".json"),
            let name = try? ModelName(parsing: String(text.dropLast(".json".count)))
        else {
            throw ZooError(
                .fileUnknown,
                "'\(path)' is not the index document of a model",
                remedy:
                    "remove it; a name that begins with a dot may be left by an interrupted write"
            )
        }
        do throws(ZooError) {
            let document = try IndexDocument(
                canonical: try FileSystem.document(
                    "\(root)/\(path)",
                    limit: FormatLimits.indexDocument
                )
            )
            guard document.name == name else {
                throw ZooError(
                    .indexInvalid,
                    "'\(path)' is the index document of '\(document.name)'",
                    remedy: "remove it, then run 'ami-zoo registry index \(root)'"
                )
            }
            documents.read[name] = document
        } catch {
            documents.broken.insert(name)
            throw error
        }
    }

    /// What `index.json` and the index documents do not agree on.
    private func compare(
        _ manifests: [ImageIndex.Entry],
        _ documents: IndexDocuments
    ) -> [Finding] {
        var findings: [Finding] = []
        for manifest in manifests where !documents.broken.contains(manifest.name) {
            let entry = documents.read[manifest.name]?.entry(for: .version(manifest.version))
            guard entry?.digest != manifest.digest else { continue }
            let release = "'\(manifest.name):\(manifest.version)'"
            findings.append(
                Finding(
                    entry == nil ? .versionUnindexed : .indexInvalid,
                    path: RegistryLayout.index(manifest.name),
                    message: entry.map {
                        "the index gives \(release) the digest \($0.digest), and "
                            + "'\(RegistryLayout.imageIndex)' gives it \(manifest.digest)"
                    } ?? "the index does not list \(release), so nobody can pull it",
                    remedy: entry == nil
                        ? "run 'ami-zoo registry index \(root)'"
                        : "a version never changes: restore the document that is older"
                )
            )
        }
        let listed = Set(manifests.map { "\($0.name):\($0.version)" })
        for (name, document) in documents.read.sorted(by: { $0.key < $1.key }) {
            for entry in document.entries where !listed.contains("\(name):\(entry.version)") {
                findings.append(
                    Finding(
                        .manifestUnlisted,
                        path: RegistryLayout.index(name),
                        message: "the index lists '\(name):\(entry.version)', and "
                            + "'\(RegistryLayout.imageIndex)' does not",
                        remedy: "restore '\(RegistryLayout.imageIndex)' from a backup; or remove "
                            + "the version from the index when it was never published"
                    )
                )
            }
        }
        return findings
    }

    // MARK: Releases

    /// Checks the documents of a release.
    ///
    /// - Returns: what is wrong with them, and the archives that are to be read.
    private func check(
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
                "the release is listed as '\(release.name):\(release.version)', and its record says "
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
                "the index entry of '\(record.name):\(record.version)' states another size, date or "
                    + "licence than the release record",
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

    private func checkBlobNames(
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
                        message: "this is not a blob: its name is not a digest, or it is no file",
                        remedy: name.hasSuffix(".tmp")
                            ? "an interrupted write left it; remove it when nothing writes here"
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

    /// What is wrong with the content of blobs; several are read at a time.
    private func findings(of contents: [Content]) async throws -> [Finding] {
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
                // The next release that has such a blob would take this file for it.
                guard hasher.finish() == digest else { throw ZooError.wrongBlob(file.path) }
            }
            guard broken.isEmpty else { return broken }
            return [
                Finding(
                    .blobUnreferenced,
                    .warning,
                    path: path,
                    message: "no release refers to this blob",
                    remedy: "remove the file, if no other program lists it: an interrupted or "
                        + "withdrawn release left it"
                )
            ]
        }
    }
}
