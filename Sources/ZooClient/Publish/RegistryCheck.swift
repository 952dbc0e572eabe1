// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
internal import ZooStore

/// Checks every document, blob, block and file of a registry folder.
package struct RegistryCheck: Sendable {
    private let root: String
    private let workers: Int
    private let blobs: BlobFolder

    /// The result of a check.
    package struct Report: Sendable {
        /// The number of releases checked, from `index.json` and from index documents.
        package var releases = 0
        /// The number of blobs checked.
        package var blobs = 0
        /// The number of bytes hashed.
        package var bytes = 0
        /// The problems found.
        package var findings: [Finding] = []
    }

    /// Creates a check of a registry folder.
    ///
    /// - Parameters:
    ///   - root: the registry folder.
    ///   - workers: the number of archives to read concurrently.
    package init(root: String, workers: Int = 2) {
        self.root = root
        self.workers = workers
        blobs = BlobFolder(root: root)
    }

    /// Checks the registry.
    ///
    /// - Throws: ``ZooError`` with code `registry.not-a-registry` when the folder is not a registry;
    ///   `CancellationError`.
    package func run() async throws -> Report {
        let survey: Survey = try await BlockingWork.run { try examineDocuments($0) }
        var report = survey.report
        report.findings += try await findings(of: survey.contents)
        return report
    }

    // MARK: Documents

    /// The content of the documents, and the blobs that remain to be read.
    private struct Survey: Sendable {
        var report = Report()
        var contents: [Content] = []
    }

    /// A blob to check as a whole.
    private enum Content: Sendable {
        case archive(ArchiveCheck)
        case unreferenced(name: String, digest: ContentDigest)
    }

    /// A release listed in `index.json` or in an index document.
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
            remedy: "create one with 'ami-zoo registry init \(root)'"
        )
    }

    private func document(_ path: String, _ limit: Int) throws(ZooError) -> [UInt8] {
        guard try FileSystem.status("\(root)/\(path)") != nil else {
            throw ZooError(
                .documentMissing,
                "the registry has no '\(path)'",
                remedy: "restore it from a backup, or create a registry with "
                    + "'ami-zoo registry init' and pack the releases again"
            )
        }
        return try FileSystem.document("\(root)/\(path)", limit: limit)
    }

    /// Converts an error of `body` into a finding for `path`.
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
            // Readers ignore hidden files, which may belong to a write in progress.
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
        /// The models whose document exists but cannot be read.
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
                    "remove it; an interrupted write may leave a file whose name starts with a dot"
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

    /// The differences between `index.json` and the index documents.
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
                        "\(release) has digest \($0.digest) in the index document and "
                            + "\(manifest.digest) in '\(RegistryLayout.imageIndex)'"
                    } ?? "the index document does not list \(release), so it cannot be pulled",
                    remedy: entry == nil
                        ? "run 'ami-zoo registry index \(root)'"
                        : "versions are immutable: restore the older of the two documents"
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
                        message: "the index document lists '\(name):\(entry.version)', but "
                            + "'\(RegistryLayout.imageIndex)' does not",
                        remedy: "restore '\(RegistryLayout.imageIndex)' from a backup, or remove "
                            + "the version from the index document if it was never published"
                    )
                )
            }
        }
        return findings
    }

    // MARK: Releases

    /// Checks the documents of a release.
    ///
    /// - Returns: the problems found, and the archives to read.
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
