// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore
internal import ZooFiles
internal import ZooStore

/// Finds files in a model folder that its record does not list.
enum FolderListing {
    /// Unlisted names that are allowed at the top of a folder: a detached signature of the model
    /// (OpenSSF Model Signing).
    private static let tolerated: Set<ExactName> = [
        ExactName(InstalledRelease.signatureName)
    ]

    /// Signatures, evidence and provenance that were fetched with a release; ``KeptAttachments`` checks them.
    private static let attachments = "\(InstalledRelease.attachmentsFolder)/"

    /// Finds unlisted files, links and special files.
    ///
    /// - Parameters:
    ///   - folder: the model folder.
    ///   - listed: the expected paths.
    ///   - replacement: what to do about a link at the place of a folder that has expected files: removing it
    ///     would lose them.
    /// - Returns: a finding for each unexpected path.
    /// - Throws: ``ZooError`` with an `io.*` code.
    static func strays(
        in folder: String,
        besides listed: Set<String>,
        replacement: String
    ) throws(ZooError) -> [Finding] {
        var findings: [Finding] = []
        let folders = Set(listed.flatMap(parents).map(ExactName.init))
        let listed = Set(listed.map(ExactName.init))
        try walk(folder, "") { path, kind in
            let name = ExactName(path)
            guard !listed.contains(name), !tolerated.contains(name),
                !path.beginsExactly(with: attachments)
            else { return }
            if kind != .file, folders.contains(name) {
                let found = kind == .link ? "a symbolic link" : "neither a file nor a folder"
                findings.append(
                    Finding(
                        .fileWrong,
                        path: path,
                        message: "'\(path)' is \(found), and the release has a folder there",
                        remedy: replacement
                    )
                )
                return
            }
            let what = kind == .file ? "is" : "is neither a file nor a folder, and is"
            findings.append(
                Finding(
                    .fileUnlisted,
                    path: path,
                    message: "'\(path)' \(what) not part of the release",
                    remedy: "remove it or move it to another folder"
                )
            )
        }
        return findings
    }

    /// The paths of the folders that a file is in.
    private static func parents(of path: String) -> [String] {
        path.utf8.indices.filter { path.utf8[$0] == UInt8(ascii: "/") }
            .map { String(path[..<$0]) }
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
