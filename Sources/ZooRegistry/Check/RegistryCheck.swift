// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// Checks every document, blob, block and file of a registry folder.
package struct RegistryCheck: Sendable {
    let root: String
    private let workers: Int
    /// The time with which the expiry dates of signed metadata are compared.
    let now: Timestamp
    let documents: RegistryDocuments
    var blobs: BlobFolder { documents.blobs }

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
    ///   - now: the time with which the expiry dates of signed metadata are compared.
    package init(
        root: String,
        workers: Int = 2,
        now: Timestamp = Timestamp(secondsSince1970: Clock.seconds())
    ) {
        self.root = root
        self.now = now
        self.workers = workers
        documents = RegistryDocuments(root: root)
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

    // MARK: Blobs

    func checkBlobNames(
        _ referenced: [ContentDigest: Int],
        _ artifacts: Set<ContentDigest>,
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
                            ? "an interrupted write left it; 'ami-zoo registry gc \(root)' removes it"
                            : "remove it"
                    )
                )
                continue
            }
            if referenced[digest] == nil {
                survey.contents.append(
                    .other(digest: digest, isReferenced: artifacts.contains(digest))
                )
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
        case .other(let digest, let isReferenced):
            let path = RegistryLayout.blob(digest)
            let broken = try findings(at: path) {
                let file = try OpenFile(blobs.path(of: digest), .read)
                var hasher = ContentDigest.Hasher()
                let size = try file.status().size
                try file.forEachPiece(of: 0..<size, size: 1 << 20, cancellation) {
                    hasher.update($0)
                }
                // A later release with the same blob would reuse this file.
                guard hasher.finish() == digest else { throw ZooError.wrongBlob(file.path) }
            }
            guard broken.isEmpty, !isReferenced else { return broken }
            return [
                Finding(
                    .blobUnreferenced,
                    .warning,
                    path: path,
                    message: "no release refers to this blob",
                    remedy: "none needed: an interrupted or deleted release left it; "
                        + "'ami-zoo registry gc \(root)' removes it"
                )
            ]
        }
    }
}
