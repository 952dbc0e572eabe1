// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
package import ZooStore

/// The attachments that an installed folder keeps: files below `.ami-zoo/attachments/`, each named by the digest of
/// its bytes.
///
/// Nothing outside the folder vouches for them. What binds them to the release is the digest of its manifest, which
/// they name; who wrote them is a matter of signatures.
package struct KeptAttachments: Sendable {
    /// The attachments that are whole, newest first by the dates that they state.
    package let attachments: [ReleaseAttachment]
    /// What is wrong with the others.
    package let findings: [Finding]
    /// The paths in the folder of what belongs to no whole attachment.
    package let strays: [String]

    /// No attachments.
    static let none = KeptAttachments(attachments: [], findings: [], strays: [])

    fileprivate init(attachments: [ReleaseAttachment], findings: [Finding], strays: [String]) {
        self.attachments = attachments
        self.findings = findings
        self.strays = strays
    }

    /// Reads the attachments of a folder.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - folder: the model folder.
    ///   - release: the digest of its manifest.
    ///   - repair: the command that fetches them again, for remedies.
    /// - Throws: ``ZooError`` with an `io.*` code when the folder cannot be read.
    package init(in folder: String, of release: ContentDigest, repair: String) throws(ZooError) {
        let place = InstalledRelease.attachmentsFolder
        switch try FileSystem.status("\(folder)/\(place)")?.kind {
        case nil:
            self = .none
            return
        case .folder: break
        default:
            let finding = Finding(
                .attachmentChanged,
                path: place,
                message: "'\(place)' is not a folder",
                remedy: repair
            )
            self.init(attachments: [], findings: [finding], strays: [place])
            return
        }
        let names = try FileSystem.names(in: "\(folder)/\(place)")
        guard names.count <= AttachmentLimits.files else {
            let finding = Finding(
                .attachmentTooLarge,
                path: place,
                message:
                    "'\(place)' has \(names.count) files, and at most \(AttachmentLimits.files) are "
                    + "read; none of them was",
                remedy: repair
            )
            self.init(attachments: [], findings: [finding], strays: names.map { "\(place)/\($0)" })
            return
        }
        var files = KeptFiles(in: folder, repair: repair)
        for name in names { try files.read(name) }
        self = files.attachments(of: release)
    }

    /// The paths in the folder of the files that only other attachments than the given ones need.
    func paths(besides wanted: [ReleaseAttachment]) -> [String] {
        func files(_ attachments: [ReleaseAttachment]) -> Set<ContentDigest> {
            Set(attachments.flatMap { [$0.manifest.digest] + $0.manifest.blobs.map(\.digest) })
        }
        return files(attachments).subtracting(files(wanted)).sorted().map { KeptFiles.path($0.hex) }
    }

    /// What the attachments say about the validation of a model.
    ///
    /// - Parameters:
    ///   - record: the record of the model, which the manifest names.
    ///   - digest: the digest of the manifest.
    /// - Returns: the evidence; `invalid` if there is none that can be read, and something that cannot.
    package func evidence(of record: ReleaseRecord, _ digest: ContentDigest) -> AttachedEvidence {
        var reader = EvidenceReader(of: record, digest)
        for attachment in attachments { reader.add(attachment) }
        // Evidence that cannot be read is not the same as no evidence.
        if let finding = findings.first(where: { $0.severity == .error }) {
            reader.add(ZooError(finding.code, finding.message, remedy: finding.remedy))
        }
        return reader.result
    }
}

extension InstalledRelease {
    /// What the folder keeps about the validation of the model; absent for a data set.
    ///
    /// Blocking.
    ///
    /// - Throws: ``ZooError`` with an `io.*` code when the folder cannot be read.
    package func keptEvidence() throws(ZooError) -> AttachedEvidence {
        guard let model = record as? ReleaseRecord else { return .absent }
        let kept = try KeptAttachments(
            in: folder,
            of: digest,
            repair: RepairAdvice(folder).description
        )
        return kept.evidence(of: model, digest)
    }
}

/// The files of a folder of attachments while they are read.
private struct KeptFiles {
    private let folder: String
    private let repair: String
    private var contents: [ContentDigest: [UInt8]] = [:]
    private var findings: [Finding] = []
    private var wrong: Set<String> = []
    private var total = 0

    init(in folder: String, repair: String) {
        self.folder = folder
        self.repair = repair
    }

    static func path(_ name: String) -> String {
        "\(InstalledRelease.attachmentsFolder)/\(name)"
    }

    private mutating func refuse(_ name: String, _ code: ZooError.Code, _ message: String) {
        findings.append(Finding(code, path: Self.path(name), message: message, remedy: repair))
        wrong.insert(name)
    }

    /// Reads a file and compares its bytes with its name.
    mutating func read(_ name: String) throws(ZooError) {
        let path = "\(folder)/\(Self.path(name))"
        // Another program may have removed it.
        guard let status = try FileSystem.status(path) else { return }
        let title = "'\(Self.path(name))'"
        guard status.kind == .file else {
            return refuse(name, .attachmentChanged, "\(title) is not a regular file")
        }
        guard status.size <= AttachmentLimits.blob else {
            return refuse(
                name,
                .attachmentTooLarge,
                "\(title) has \(status.size) bytes, and at most \(AttachmentLimits.blob) are read"
            )
        }
        guard total + status.size <= AttachmentLimits.total else {
            return refuse(
                name,
                .attachmentTooLarge,
                "with \(title) the attachments have more than \(ByteCount(AttachmentLimits.total))"
            )
        }
        let bytes = try FileSystem.document(path, limit: AttachmentLimits.blob)
        let digest = ContentDigest(of: bytes)
        guard digest.hex == name else {
            return refuse(
                name,
                .attachmentChanged,
                "the bytes of \(title) have the digest \(digest), which is not its name"
            )
        }
        total += bytes.count
        contents[digest] = bytes
    }

    /// Joins the files to attachments of a release.
    mutating func attachments(of release: ContentDigest) -> KeptAttachments {
        var manifests: [AttachmentManifest] = []
        var others: [(name: String, error: ZooError)] = []
        for (digest, bytes) in contents {
            guard let manifest = try? ArtifactManifest(parsing: bytes), manifest.subject != nil
            else {
                continue
            }
            do throws(ZooError) {
                manifests.append(try AttachmentManifest(manifest, bytes, of: release))
            } catch {
                others.append((digest.hex, error))
            }
        }
        let named = Set(manifests.flatMap(\.blobs).map(\.digest.hex))
        // A layer may be a manifest itself; of something else only a file that no attachment names is refused.
        for (name, error) in others.sorted(by: { $0.name < $1.name }) where !named.contains(name) {
            refuse(name, error.code, error.message)
        }
        var kept: [ReleaseAttachment] = []
        for manifest in manifests.sorted(by: Self.isNewer) {
            do throws(ZooError) {
                kept.append(try ReleaseAttachment(manifest, contents))
            } catch {
                let isExplained = manifest.blobs.contains { wrong.contains($0.digest.hex) }
                if isExplained {
                    wrong.insert(manifest.digest.hex)
                } else {
                    refuse(manifest.digest.hex, error.code, error.message)
                }
            }
        }
        let used = Set(kept.flatMap { $0.files.map(\.name) })
        for name in contents.keys.map(\.hex).sorted()
        where !used.contains(name) && !wrong.contains(name) {
            wrong.insert(name)
            findings.append(
                Finding(
                    .fileUnlisted,
                    .warning,
                    path: Self.path(name),
                    message: "'\(Self.path(name))' belongs to no attachment of the release",
                    remedy: repair
                )
            )
        }
        return KeptAttachments(
            attachments: kept,
            findings: findings,
            strays: wrong.sorted().map(Self.path)
        )
    }

    private static func isNewer(_ left: AttachmentManifest, _ right: AttachmentManifest) -> Bool {
        (left.created, left.digest.hex) > (right.created, right.digest.hex)
    }
}
