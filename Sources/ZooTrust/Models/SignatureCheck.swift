// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles

/// The result of a comparison of a folder with the statement of its signature.
package struct SignatureCheck: Sendable {
    /// The verified statement.
    package let model: SignedModel
    /// What differs; empty when every file is as signed and nothing else is there.
    package let findings: [Finding]
    /// The number of files whose every byte is as signed.
    package let files: Int
    /// The number of their bytes.
    package let bytes: Int
    /// Files in the folder that the signature leaves out, and that nobody vouches for.
    package let uncovered: [String]

    /// Whether the folder is what was signed.
    package var passed: Bool { findings.isEmpty }

    /// Compares every byte of a folder with a statement.
    ///
    /// - Parameters:
    ///   - model: the verified statement.
    ///   - folder: the folder.
    ///   - signature: the path of the signature, which may lie in the folder.
    /// - Throws: ``ZooError`` with an `io.*` code when the folder cannot be read;
    ///   `CancellationError`.
    package init(_ model: SignedModel, _ folder: String, signature: String) async throws {
        let folder = FileSystem.absolute(folder)
        let found = try await BlockingWork.run { _ in
            try ModelFolder(folder, signature: signature, ignoring: model.ignored)
        }
        let signed = Dictionary(grouping: model.resources) { ExactName($0.path) }
        var uncovered = found.uncovered.filter { signed[ExactName($0)] == nil }
        var findings = found.irregular.map(Self.irregular)
        findings += uncovered.filter { !ModelFolder.mayBeLeftOut($0) }.map(Self.leftOut)
        for file in found.files where signed[ExactName(file)] == nil {
            // Statements about parts of files cannot hold empty files.
            if model.isSharded, found.sizes[ExactName(file)] == 0 {
                uncovered.append(file)
            } else {
                findings.append(Self.unsigned(file))
            }
        }

        let irregular = Set(found.irregular.map { ExactName($0.path) })
        var complete: [SignedModel.Resource] = []
        for (name, parts) in signed.sorted(by: { $0.key < $1.key }) {
            guard let size = found.sizes[name] else {
                if !irregular.contains(name) { findings.append(Self.missing(name.text)) }
                continue
            }
            guard !model.isSharded || Self.cover(parts, size) else {
                findings.append(Self.different(name.text, "its size is not the signed one"))
                continue
            }
            complete += parts
        }
        let digests = try await found.digests(of: complete.map { ($0.path, $0.range) })
        var (names, wrong, bytes): (Set<ExactName>, Set<ExactName>, Int) = ([], [], 0)
        for (part, digest) in zip(complete, digests) {
            names.insert(ExactName(part.path))
            if digest.digest == part.digest {
                bytes += digest.bytes
            } else if wrong.insert(ExactName(part.path)).inserted {
                findings.append(
                    Self.different(
                        part.path,
                        "its digest is \(digest.digest), and \(part.digest) was signed"
                    )
                )
            }
        }
        self.model = model
        self.findings = findings
        self.bytes = bytes
        files = names.subtracting(wrong).count
        self.uncovered = uncovered
    }

    /// Whether the parts of a file are its whole content, each byte once.
    private static func cover(_ parts: [SignedModel.Resource], _ size: Int) -> Bool {
        var end = 0
        for range in parts.compactMap(\.range).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            guard range.lowerBound == end else { return false }
            end = range.upperBound
        }
        return end == size
    }

    private static func irregular(_ found: ModelFolder.Irregular) -> Finding {
        Finding(
            .signatureFileUnsigned,
            path: found.path,
            message:
                "'\(found.path)' is \(found.isLink ? "a symbolic link" : "not a regular file"), and a "
                + "signature covers regular files only",
            remedy: "replace it with the file that was signed, or remove it"
        )
    }

    private static func unsigned(_ path: String) -> Finding {
        Finding(
            .signatureFileUnsigned,
            path: path,
            message: "'\(path)' is not signed",
            remedy: "remove it, or move it to another folder"
        )
    }

    private static func leftOut(_ path: String) -> Finding {
        Finding(
            .signatureFileUnsigned,
            path: path,
            message:
                "the signature leaves out '\(path)', which is neither a document nor of version control",
            remedy: "remove it, or ask the publisher to sign it"
        )
    }

    private static func missing(_ path: String) -> Finding {
        Finding(
            .signatureFileMismatch,
            path: path,
            message: "'\(path)' was signed and is missing",
            remedy: "get the whole model again; if it was pulled with --only, pull it without"
        )
    }

    private static func different(_ path: String, _ how: String) -> Finding {
        Finding(
            .signatureFileMismatch,
            path: path,
            message: "'\(path)' is not the signed file: \(how)",
            remedy: "get the model again"
        )
    }
}
