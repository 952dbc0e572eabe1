// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// Checks the files of a model folder that is not a release yet against the record beside them.
package struct FolderVerifier: Sendable {
    private let folder: String
    private let record: ReleaseRecord

    /// A verifier of one folder.
    package init(folder: String, record: ReleaseRecord) {
        self.folder = folder
        self.record = record
    }

    /// Looks at every byte.
    ///
    /// - Returns: everything that is wrong; empty when every byte is right.
    /// - Throws: ``ZooError`` when the folder cannot be examined at all.
    package func findings() async throws -> [Finding] {
        var findings: [Finding] = []
        for file in record.files {
            try Task.checkCancellation()
            let path = "\(folder)/\(file.path)"
            let found = try await BlockingWork.run { cancellation -> ContentDigest? in
                try FileSystem.status(path)?.kind == .file
                    ? try FileDigest.compute(path, cancellation) : nil
            }
            guard found != file.digest else { continue }
            findings.append(
                Finding(
                    found == nil ? .fileWrong : .fileMismatch,
                    path: file.path.text,
                    message: "'\(file.path)' \(found == nil ? "is missing" : "was changed")",
                    remedy: "convert the upstream file again"
                )
            )
        }
        let known = Set(record.files.map(\.path.text) + [RecordDraft.fileName])
        for path in try FileSystem.files(below: folder) where !known.contains(path) {
            findings.append(
                Finding(
                    .fileUnlisted,
                    path: path,
                    message: "'\(path)' is not part of the record",
                    remedy: "remove it, or keep your own files elsewhere"
                )
            )
        }
        return findings
    }
}
