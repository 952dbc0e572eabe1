// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
internal import ZooFiles
package import ZooStore

/// The attachments that an installed folder keeps: files below `.ami-zoo/attachments/`, each named by the digest of
/// its bytes, and the list of what the registry called attachments.
///
/// Nothing outside the folder vouches for them. What binds them to the release is the digest of its manifest, which
/// they name; who wrote them is a matter of signatures.
package struct KeptAttachments: Sendable {
    /// Something that cannot be read.
    struct Unreadable: Sendable {
        /// The artifact type of the attachment that needs it; nil if it is unknown.
        let type: String?
        let error: ZooError
    }

    /// The attachments that are whole, in the order of the folder's list, newest first; without a list by digest.
    package let attachments: [ReleaseAttachment]
    /// What is wrong with the others.
    package let findings: [Finding]
    private let unreadable: [Unreadable]

    init(
        attachments: [ReleaseAttachment] = [],
        findings: [Finding] = [],
        unreadable: [Unreadable] = []
    ) {
        self.attachments = attachments
        self.findings = findings
        self.unreadable = unreadable
    }

    /// Reads the attachments of a folder; what cannot be read is a finding, and keeps nothing else from being read.
    ///
    /// Blocking.
    ///
    /// - Parameters:
    ///   - folder: the model folder.
    ///   - release: the digest of its manifest.
    ///   - repair: the command that fetches them again, for remedies.
    package init(in folder: String, of release: ContentDigest, repair: String) {
        let place = InstalledRelease.attachmentsFolder
        let names: [String]
        do throws(ZooError) {
            switch try FileSystem.status("\(folder)/\(place)")?.kind {
            case nil:
                self.init()
                return
            case .folder: names = try FileSystem.names(in: "\(folder)/\(place)")
            default: throw ZooError(.attachmentChanged, "'\(place)' is not a folder")
            }
            guard names.count <= AttachmentLimits.files else {
                throw ZooError(
                    .attachmentTooLarge,
                    "'\(place)' has \(names.count) files, and at most \(AttachmentLimits.files) are "
                        + "read; none of them was"
                )
            }
        } catch {
            self.init(
                findings: [
                    Finding(error.code, path: place, message: error.message, remedy: repair)
                ],
                unreadable: [Unreadable(type: nil, error: error)]
            )
            return
        }
        var files = KeptFiles(in: folder, repair: repair)
        for name in names { files.read(name) }
        self = files.attachments(of: release)
    }

    /// What the attachments say about the validation of a model.
    ///
    /// - Parameters:
    ///   - record: the record of the model, which the manifest names.
    ///   - digest: the digest of the manifest.
    /// - Returns: the evidence; evidence that cannot be read is not the same as no evidence.
    package func evidence(of record: ReleaseRecord, _ digest: ContentDigest) -> AttachedEvidence {
        var reader = EvidenceReader(of: record, digest)
        for attachment in attachments { reader.add(attachment) }
        for item in unreadable { reader.add(item.error, of: item.type) }
        return reader.result
    }
}

extension InstalledRelease {
    /// What the folder keeps about the validation of the model; absent for a data set.
    ///
    /// Blocking.
    package func keptEvidence() -> AttachedEvidence {
        guard let model = record as? ReleaseRecord else { return .absent }
        let kept = KeptAttachments(
            in: folder,
            of: digest,
            repair: RepairAdvice(folder).description
        )
        return kept.evidence(of: model, digest)
    }
}
