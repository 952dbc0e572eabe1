// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles
package import ZooStore

/// The documents of a validation, in a folder of their own: `statement.json`, `report.json`, `report.html`.
package struct EvidenceFolder: Sendable {
    /// The folder.
    package let path: String
    /// Whether it lies in the store, which collection works on.
    private let isStored: Bool

    /// A folder of the user's choice.
    package init(_ path: String) {
        self.path = path
        isStored = false
    }

    /// The folder that the store keeps for a release.
    package init(of digest: ContentDigest, in store: ModelStore) {
        path = "\(store.evidence)/\(digest.hex)"
        isStored = true
    }

    private func file(_ name: String) -> String { "\(path)/\(name)" }

    /// The page for people.
    package var page: String { file("report.html") }

    /// Writes the documents, the statement last.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - report: the report.
    ///   - html: the page for people.
    ///   - cancellation: ends the wait for a collection of the store.
    /// - Throws: ``ZooError`` with an `io.*` code; `CancellationError`.
    package func write(
        _ report: ValidationReport,
        page html: String,
        _ cancellation: Cancellation
    ) throws {
        let lease = try isStored ? FolderLease.hold(path, cancellation) : nil
        // What is written stays, whether the lock can be removed or not.
        defer { try? lease?.end() }
        try FileSystem.createFolder(path)
        // The old statement does not name the new report.
        try FileSystem.writeAtomically(file("report.json"), report.json.canonicalBytes)
        try FileSystem.writeAtomically(page, Array(html.utf8))
        try FileSystem.writeAtomically(
            file("statement.json"),
            EvidenceStatement.testResult(of: report)
        )
    }

    /// Reads the evidence about a release.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - record: the record of the release.
    ///   - digest: the digest of its manifest.
    /// - Returns: the evidence.
    /// - Throws: ``ZooError`` with code `evidence.missing`, or as
    ///   ``ValidationEvidence/init(statement:report:of:_:)``.
    package func evidence(
        of record: ReleaseRecord,
        _ digest: ContentDigest
    ) throws(ZooError) -> ValidationEvidence {
        guard try FileSystem.status(file("statement.json")) != nil else {
            throw ZooError(
                .evidenceMissing,
                "\(record.name):\(record.version) with the digest \(digest.short) was not validated",
                remedy: "run 'ami-zoo validate FOLDER', where FOLDER is what was packed"
            )
        }
        return try ValidationEvidence(
            statement: try FileSystem.document(
                file("statement.json"),
                limit: EvidenceStatement.limit
            ),
            report: try FileSystem.document(file("report.json"), limit: ValidationReport.limit),
            of: record,
            digest
        )
    }
}
