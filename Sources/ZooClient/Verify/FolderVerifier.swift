// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooArchive
package import ZooCore
internal import ZooFiles

/// Verifies the files of a converted model folder against the record in the folder.
package struct FolderVerifier: Sendable {
    private let folder: String
    private let record: ReleaseRecord

    /// Creates a verifier of one folder.
    package init(folder: String, record: ReleaseRecord) {
        self.folder = folder
        self.record = record
    }

    /// Verifies every byte.
    ///
    /// - Parameter requested: the expected digests of the record; all must hold.
    /// - Returns: the result, which passes only when every byte of every file was verified.
    /// - Throws: `CancellationError`, or ``ZooError`` when the folder cannot be read.
    package func verify(requested: [VerificationAnchor] = []) async throws -> Verification {
        try await BlockingWork.run { cancellation in
            var coverage = VerifiedCoverage()
            var findings: [Finding] = []
            for file in record.files {
                do {
                    coverage.add(try VerifiedFile(file, in: folder, cancellation))
                } catch let error as ZooError {
                    let isMissing = error.code == .fileMissing
                    findings.append(
                        Finding(
                            isMissing ? .fileWrong : error.code,
                            path: file.path.text,
                            message: isMissing ? "'\(file.path)' is missing" : error.message,
                            remedy: "convert the upstream file again"
                        )
                    )
                }
            }
            findings += try FolderListing.strays(
                in: folder,
                besides: Set(
                    record.files.map(\.path.text)
                        + [RecordDraft.fileName, ConversionProvenance.fileName]
                ),
                replacement: "replace it by a folder with the files that it leads to"
            )
            let anchor = VerificationAnchor(
                .folder,
                record.digest,
                source: "\(folder)/\(RecordDraft.fileName)"
            )
            for requested in requested where requested.digest != record.digest {
                findings.append(
                    Finding(
                        .anchorMismatch,
                        path: RecordDraft.fileName,
                        message: "the record has digest \(record.digest), and you asked for "
                            + "\(requested.digest)"
                    )
                )
            }
            return Verification(requested.first ?? anchor, findings, coverage, of: record.files)
        }
    }
}
