// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooTrust

extension RegistryCheck {
    /// The content of the documents, and the blobs that remain to be read.
    struct Survey: Sendable {
        var report = Report()
        var contents: [Content] = []
    }

    /// A blob to check as a whole.
    enum Content: Sendable {
        case archive(ArchiveCheck)
        case other(digest: ContentDigest, isReferenced: Bool)
    }

    /// A release listed in `index.json` or in an index document.
    struct Listed: Hashable {
        let name: ModelName
        let version: SemanticVersion
        let digest: ContentDigest
    }

    func examineDocuments(_ cancellation: Cancellation) throws -> Survey {
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
        // A view that a registry may leave out.
        var view: [ImageIndex.Entry]?
        try examine(RegistryLayout.imageIndex) { view = try documents.imageIndex()?.entries }
        var indexes = IndexDocuments()
        for path in try FileSystem.entries(below: "\(root)/index") {
            try cancellation.check()
            try examine("index/\(path)") { try read("index/\(path)", into: &indexes) }
        }
        if let view { survey.report.findings += try compare(view, indexes) }
        var listed = Set(
            (view ?? []).map { Listed(name: $0.name, version: $0.version, digest: $0.digest) }
        )
        for (name, document) in indexes.read {
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
            let entry = indexes.read[release.name]?.entries.first {
                $0.version == release.version && $0.digest == release.digest
            }
            try examine(RegistryLayout.blob(release.digest)) {
                let (found, archives) = try check(release, entry, &referenced)
                survey.contents += archives.map { .archive($0) }
                survey.report.findings += found
            }
        }
        try examine(RegistryLayout.catalogue) {
            survey.report.findings += try checkCatalogue(indexes, &referenced)
        }
        try examine(MetadataRepository.folder) {
            survey.report.findings += try checkMetadata(indexes)
        }
        survey.report.blobs = referenced.count
        survey.report.bytes = referenced.values.reduce(0, +)
        var artifacts = BlobReferences(documents)
        try examine("oci") { try artifacts.addArtifacts(cancellation) }
        try checkBlobNames(referenced, artifacts.digests, &survey)
        return survey
    }

    func requireRegistry() throws(ZooError) {
        for name in [RegistryLayout.description, RegistryLayout.imageIndex] {
            if try FileSystem.status("\(root)/\(name)") != nil { return }
        }
        throw ZooError(
            .notARegistry,
            "there is no registry at '\(root)'",
            remedy: "pass a registry folder; 'ami-zoo registry init' creates one from an empty or "
                + "new folder"
        )
    }

    func document(_ path: String, _ limit: Int) throws(ZooError) -> [UInt8] {
        guard try FileSystem.status("\(root)/\(path)") != nil else {
            throw ZooError(
                .documentMissing,
                "the registry has no '\(path)'",
                remedy: path == RegistryLayout.description
                    ? "create it with 'ami-zoo registry init \(root)'" : "restore it from a backup"
            )
        }
        return try FileSystem.document("\(root)/\(path)", limit: limit)
    }

    /// Converts an error of `body` into a finding for `path`.
    func findings(at path: String, _ body: () throws -> Void) throws -> [Finding] {
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

    func checkImageLayout() throws(ZooError) {
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

    struct IndexDocuments {
        var read: [ModelName: IndexDocument] = [:]
        /// The models whose document exists but cannot be read.
        var broken: Set<ModelName> = []
    }

    func read(_ path: String, into documents: inout IndexDocuments) throws(ZooError) {
        if let revision = IndexRevision(path: path) { return try check(revision) }
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

    /// Checks the digest of an index document that is kept under it.
    private func check(_ revision: IndexRevision) throws(ZooError) {
        let bytes = try FileSystem.document(
            "\(root)/\(revision.path)",
            limit: FormatLimits.indexDocument
        )
        guard ContentDigest(of: bytes) != revision.digest else { return }
        throw ZooError(
            .registryMismatch,
            "the content of '\(revision.path)' does not match the digest in its name",
            remedy: "remove it, or restore it from a backup if it is the current document of "
                + "'\(revision.name)'"
        )
    }

    /// The differences between `index.json` and the index documents.
    func compare(
        _ manifests: [ImageIndex.Entry],
        _ documents: IndexDocuments
    ) throws(ZooError) -> [Finding] {
        var findings: [Finding] = []
        for manifest in manifests where !documents.broken.contains(manifest.name) {
            let entry = documents.read[manifest.name]?.entry(for: .version(manifest.version))
            guard entry?.digest != manifest.digest else { continue }
            let release = "'\(manifest.name):\(manifest.version)'"
            if entry == nil, try self.documents.isDeleted(manifest) {
                findings.append(
                    Finding(
                        .versionUnindexed,
                        .warning,
                        path: RegistryLayout.imageIndex,
                        message: "\(release) was deleted, and the deletion did not end",
                        remedy: "run 'ami-zoo registry index \(root)'"
                    )
                )
                continue
            }
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
                        .warning,
                        path: RegistryLayout.imageIndex,
                        message: "the index document lists '\(name):\(entry.version)', but "
                            + "'\(RegistryLayout.imageIndex)' does not",
                        remedy: "run 'ami-zoo registry index \(root)'"
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
        if let entry, let stated = entry.statedEvidence, try stated != documents.evidence(of: entry)
        {
            let problem = ZooError(
                .releaseInconsistent,
                "the index entry of '\(record.name):\(record.version)' says '\(stated.state.rawValue)' "
                    + "about its evidence, which is not what is attached",
                remedy: "run 'ami-zoo registry index \(root)'"
            )
            found.append(Finding(problem, path: RegistryLayout.index(release.name)))
        }
        for attachment in entry?.attachments ?? [] {
            found += try findings(at: RegistryLayout.blob(attachment.digest)) {
                try check(attachment, of: release.digest, &referenced)
            }
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

    func read(_ blob: Descriptor, limit: Int) throws(ZooError) -> [UInt8] {
        let bytes = try blobs.read(blob.digest, limit: limit)
        guard bytes.count == blob.size else {
            throw ZooError.wrongBlob(blobs.path(of: blob.digest))
        }
        return bytes
    }

    /// Checks that an attachment is complete and belongs to the release.
    func check(
        _ attachment: IndexDocument.Attachment,
        of release: ContentDigest,
        _ referenced: inout [ContentDigest: Int]
    ) throws(ZooError) {
        let bytes = try blobs.read(attachment.digest, limit: FormatLimits.artifactManifest)
        referenced[attachment.digest] = bytes.count
        let manifest = try ArtifactManifest(parsing: bytes)
        guard manifest.subject?.digest == BlobDigest(release),
            manifest.artifactType == attachment.type, bytes.count == attachment.size
        else {
            throw ZooError(
                .releaseInconsistent,
                "the attachment \(attachment.digest) has another type, size or subject than the "
                    + "index document states",
                remedy: "attach it again, or remove it from the index document"
            )
        }
        for blob in manifest.blobs {
            guard let digest = blob.digest.contentDigest else { continue }
            referenced[digest] = blob.size
            guard try FileSystem.status(blobs.path(of: digest))?.size == blob.size else {
                throw ZooError.wrongBlob(blobs.path(of: digest))
            }
        }
    }
}
