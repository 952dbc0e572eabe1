// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooFiles
package import ZooStore

/// The documents of a validation, in a folder of their own: `statement.json`, `report.json`, `report.html`, and
/// `statement.sig` if the statement is signed.
///
/// What the store keeps for a release also holds what is to be published with it: `model.sig`, the signature over its
/// files, and `provenance.intoto.json`, what a conversion states about them.
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

    /// Writes the documents, first the report, then the statement, then its signature.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - report: the report.
    ///   - html: the page for people.
    ///   - signature: a Sigstore bundle over the statement of the report; nil if it is not signed.
    ///   - cancellation: ends the wait for a collection of the store.
    /// - Throws: ``ZooError`` with an `io.*` code; `CancellationError`.
    package func write(
        _ report: ValidationReport,
        page html: String,
        signature: [UInt8]? = nil,
        _ cancellation: Cancellation
    ) throws {
        let lease = try isStored ? FolderLease.hold(path, cancellation) : nil
        // What is written stays, whether the lock can be removed or not.
        defer { try? lease?.end() }
        try FileSystem.createFolder(path)
        if try FileSystem.status(file("statement.sig")) != nil {
            try FileSystem.remove(file("statement.sig"))
        }
        // The old statement does not name the new report.
        try FileSystem.writeAtomically(file("report.json"), report.json.canonicalBytes)
        try FileSystem.writeAtomically(page, Array(html.utf8))
        try FileSystem.writeAtomically(
            file("statement.json"),
            EvidenceStatement.testResult(of: report)
        )
        if let signature { try FileSystem.writeAtomically(file("statement.sig"), signature) }
    }

    /// The signature over the files that is to be published, with the time at which it was written; nil if there is
    /// none.
    ///
    /// Blocking.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func signature() throws(ZooError) -> (bundle: [UInt8], created: Timestamp)? {
        try kept(AttachmentDraft.signatureName).map { (bundle: $0, created: $1) }
    }

    /// The provenance that is to be published, with the time at which it was written; nil if there is none.
    ///
    /// Blocking.
    ///
    /// - Throws: ``ZooError`` with a `json.*`, `format.*` or `io.*` code.
    package func provenance() throws(ZooError) -> (
        statement: ConversionProvenance, created: Timestamp
    )? {
        guard let (bytes, created) = try kept(ConversionProvenance.fileName) else { return nil }
        return (try ConversionProvenance(statement: bytes), created)
    }

    private func kept(_ name: String) throws(ZooError) -> ([UInt8], Timestamp)? {
        guard let status = try FileSystem.status(file(name)) else { return nil }
        return (
            try FileSystem.document(file(name), limit: AttachmentLimits.blob),
            Timestamp(secondsSince1970: status.modified / 1_000_000_000)
        )
    }

    private func keep(_ bytes: [UInt8], _ name: String) throws(ZooError) {
        // Its time is that of its attachment, which is attached once.
        guard try kept(name)?.0 != bytes else { return }
        try FileSystem.createFolder(path)
        try FileSystem.writeAtomically(file(name), bytes)
    }

    /// Keeps a statement about the files.
    ///
    /// Blocking.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code.
    package func keep(provenance: ConversionProvenance) throws(ZooError) {
        try keep(provenance.statement, ConversionProvenance.fileName)
    }

    /// Keeps a signature over the files, in place of another one.
    ///
    /// Blocking.
    ///
    /// - Throws: ``ZooError`` with code `evidence.attachment-too-large` or `io.*`.
    package func keep(signature: [UInt8]) throws(ZooError) {
        guard signature.count <= AttachmentLimits.blob else {
            throw ZooError(
                .attachmentTooLarge,
                "the signature has \(signature.count) bytes, and at most \(AttachmentLimits.blob) are "
                    + "attached to a release",
                remedy: "publish the model with fewer files, or with shorter paths"
            )
        }
        try keep(signature, AttachmentDraft.signatureName)
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
    ///   ``ValidationEvidence/init(statement:report:signature:of:_:)``.
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
        let signature = file("statement.sig")
        return try ValidationEvidence(
            statement: try FileSystem.document(
                file("statement.json"),
                limit: EvidenceStatement.limit
            ),
            report: try FileSystem.document(file("report.json"), limit: ValidationReport.limit),
            signature: try FileSystem.status(signature) == nil
                ? nil : try FileSystem.document(signature, limit: AttachmentLimits.blob),
            of: record,
            digest
        )
    }
}
