// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
internal import ZooStore

/// Checks every document, blob, block and file of a registry folder.
package struct RegistryCheck: Sendable {
    let root: String
    let workers: Int
    let blobs: BlobFolder

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
    struct Survey: Sendable {
        var report = Report()
        var contents: [Content] = []
    }

    /// A blob to check as a whole.
    enum Content: Sendable {
        case archive(ArchiveCheck)
        case unreferenced(name: String, digest: ContentDigest)
    }

    /// A release listed in `index.json` or in an index document.
    struct Listed: Hashable {
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
            remedy: "pass a registry folder; 'ami-zoo registry init' creates one from an empty or "
                + "new folder"
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
}
