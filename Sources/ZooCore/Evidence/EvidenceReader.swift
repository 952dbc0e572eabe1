// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// Reads what is attached to a release about its validation, in any order, and decides.
///
/// The newest validation decides, whether it passed or failed; without one, the newest reason for a missing
/// validation does. Newer is what states the later time itself: `created` of the report, `date` of the reason; at
/// equal times, the attachment whose manifest has the greater digest. The order of a list, and what manifests or file
/// systems say about time, count for nothing. What cannot be read decides nothing, and is kept beside the decision.
/// `registry/SPEC.md` section 14.
public struct EvidenceReader: Sendable {
    private let record: ReleaseRecord
    private let digest: ContentDigest
    private var validations: [Dated<ValidationStatement>] = []
    private var waivers: [Dated<ValidationWaiver>] = []
    /// What cannot be read, with its type; nil if the type is unknown.
    private var unreadable: [(type: String?, error: ZooError)] = []

    /// Starts without any attachment.
    ///
    /// - Parameters:
    ///   - record: the record of the release.
    ///   - digest: the digest of its manifest.
    public init(of record: ReleaseRecord, _ digest: ContentDigest) {
        self.record = record
        self.digest = digest
    }

    /// The attachments of a list that say something about a validation: validations first, because reasons count
    /// only without one, and of each kind the last listed first.
    public static func order(
        _ listed: [IndexDocument.Attachment]
    ) -> [IndexDocument.Attachment] {
        let last = Array(listed.reversed())
        return last.filter { $0.type == AttachmentDraft.validation }
            + last.filter { $0.type == AttachmentDraft.waiver }
    }

    /// Whether an attachment of a type could change the result.
    public func wants(_ type: String) -> Bool {
        switch type {
        case AttachmentDraft.validation: true
        case AttachmentDraft.waiver: validations.isEmpty
        default: false
        }
    }

    /// Reads an attachment.
    public mutating func add(_ attachment: ReleaseAttachment) {
        let manifest = attachment.manifest
        guard wants(manifest.type) else { return }
        do throws(ZooError) {
            guard let statement = attachment.blob(EvidenceStatement.mediaType) else {
                throw Self.incomplete(attachment)
            }
            if manifest.type == AttachmentDraft.waiver {
                let waiver = try ValidationWaiver(statement: statement, about: digest)
                waivers.append(Dated(waiver, waiver.date, manifest.digest))
                return
            }
            guard let report = attachment.blob(ValidationReport.mediaType) else {
                throw Self.incomplete(attachment)
            }
            let validation = try ValidationStatement(
                statement: statement,
                report: report,
                signature: attachment.blob(AttachmentDraft.signature),
                of: record,
                digest
            )
            validations.append(Dated(validation, validation.created, manifest.digest))
        } catch {
            add(error, of: manifest.type)
        }
    }

    /// Notes that an attachment cannot be read.
    ///
    /// - Parameters:
    ///   - error: what is wrong with it.
    ///   - type: its artifact type; nil if it is unknown. One that says nothing about a validation is left out.
    public mutating func add(_ error: ZooError, of type: String?) {
        switch type {
        case nil, AttachmentDraft.validation, AttachmentDraft.waiver:
            unreadable.append((type, error))
        default: break
        }
    }

    /// What the attachments say.
    public var result: AttachedEvidence {
        if let newest = validations.max() {
            let others = unreadable.filter { $0.type != AttachmentDraft.waiver }.map(\.error)
            do throws(ZooError) {
                return AttachedEvidence(
                    .validated(try ValidationEvidence(newest.content)),
                    unreadable: others
                )
            } catch {
                return AttachedEvidence(.failed(newest.content, error), unreadable: others)
            }
        }
        let errors = unreadable.map(\.error)
        if let newest = waivers.max() {
            return AttachedEvidence(.unvalidated(newest.content), unreadable: errors)
        }
        guard let first = errors.first else { return .absent }
        return AttachedEvidence(.invalid(first), unreadable: Array(errors.dropFirst()))
    }

    private static func incomplete(_ attachment: ReleaseAttachment) -> ZooError {
        ZooError(
            .attachmentChanged,
            "the attachment \(attachment.manifest.digest) lacks its statement or its report",
            remedy: "validate the release again: 'ami-zoo validate FOLDER'"
        )
    }
}

extension IndexDocument.Attachment {
    /// Whether it says something about a validation.
    public var isEvidence: Bool {
        type == AttachmentDraft.validation || type == AttachmentDraft.waiver
    }
}

/// What an attachment states, in the order of time.
private struct Dated<Content: Sendable>: Sendable, Comparable {
    let content: Content
    private let time: Timestamp
    /// The digest of the attachment's manifest.
    private let digest: ContentDigest

    init(_ content: Content, _ time: Timestamp, _ digest: ContentDigest) {
        self.content = content
        self.time = time
        self.digest = digest
    }

    static func < (left: Self, right: Self) -> Bool {
        (left.time, left.digest) < (right.time, right.digest)
    }

    static func == (left: Self, right: Self) -> Bool {
        (left.time, left.digest) == (right.time, right.digest)
    }
}
