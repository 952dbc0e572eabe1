// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooStore

/// What lies in a model folder besides the files that a record lists.
enum FolderListing {
    /// Names at the top of a folder that belong to no release and do no harm: a detached signature of
    /// the model (OpenSSF Model Signing).
    private static let tolerated: Set<String> = ["model.sig"]

    /// Signatures, evidence and provenance that were fetched with a release.
    private static let attachments = "\(InstalledRelease.receiptFolder)/attachments/"

    /// Files, links and special files that are not listed.
    ///
    /// - Parameters:
    ///   - folder: the model folder.
    ///   - listed: the paths that belong to it.
    /// - Returns: a finding for each path that does not.
    /// - Throws: ``ZooError`` with an `io.*` code.
    static func strays(
        in folder: String,
        besides listed: Set<String>
    ) throws(ZooError) -> [Finding] {
        var findings: [Finding] = []
        try walk(folder, "") { path, kind in
            guard !listed.contains(path), !tolerated.contains(path),
                !path.hasPrefix(attachments)
            else { return }
            let what = kind == .file ? "is" : "is neither a file nor a folder, and is"
            findings.append(
                Finding(
                    .fileUnlisted,
                    path: path,
                    message: "'\(path)' \(what) not part of the release",
                    remedy: "remove it, or keep your own files elsewhere"
                )
            )
        }
        return findings
    }

    private static func walk(
        _ folder: String,
        _ prefix: String,
        _ visit: (String, FileStatus.Kind) -> Void
    ) throws(ZooError) {
        for name in try FileSystem.names(in: folder) {
            let path = "\(folder)/\(name)"
            switch try FileSystem.status(path)?.kind {
            case .folder: try walk(path, "\(prefix)\(name)/", visit)
            case let kind?: visit(prefix + name, kind)
            case nil: continue
            }
        }
    }
}
