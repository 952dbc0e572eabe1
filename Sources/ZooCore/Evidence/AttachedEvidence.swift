// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What is attached to a release about its validation.
public enum AttachedEvidence: Sendable {
    /// It was validated and passed; every claim was compared again with the measurements of the report.
    case validated(ValidationEvidence)
    /// It was validated, and a claim, a bound or a check does not hold.
    case failed(ZooError)
    /// It was published without a validation.
    case unvalidated(ValidationWaiver)
    /// There is evidence that cannot be read, or that is about another release.
    case invalid(ZooError)
    /// Nothing says whether it was validated.
    case absent

    /// Every claim of a record, with the value that the evidence measured again.
    public func claims(of record: ReleaseRecord) -> [ClaimComparison] {
        if case .validated(let evidence) = self { return evidence.claims }
        return record.evaluation.map { ClaimComparison($0, measured: nil) }
    }
}

/// Reads the attachments of a release, newest first, until one decides.
///
/// The newest validation of the release decides, whether it passed or failed. Without one, the newest reason for a
/// missing validation does. Evidence that cannot be read, or that is about another release, decides nothing.
public struct EvidenceReader: Sendable {
    private let record: ReleaseRecord
    private let digest: ContentDigest
    private var decision: AttachedEvidence?
    private var waiver: ValidationWaiver?
    private var failure: ZooError?

    /// Starts without any attachment.
    ///
    /// - Parameters:
    ///   - record: the record of the release.
    ///   - digest: the digest of its manifest.
    public init(of record: ReleaseRecord, _ digest: ContentDigest) {
        self.record = record
        self.digest = digest
    }

    /// Whether an attachment of a type could change the result.
    public func wants(_ type: String) -> Bool {
        switch type {
        case AttachmentDraft.validation: decision == nil
        case AttachmentDraft.waiver: decision == nil && waiver == nil
        default: false
        }
    }

    /// Reads the next older attachment.
    public mutating func add(_ attachment: ReleaseAttachment) {
        guard wants(attachment.manifest.type) else { return }
        do throws(ZooError) {
            guard let statement = attachment.blob(EvidenceStatement.mediaType) else {
                throw Self.incomplete(attachment)
            }
            if attachment.manifest.type == AttachmentDraft.waiver {
                waiver = try ValidationWaiver(statement: statement, about: digest)
                return
            }
            guard let report = attachment.blob(ValidationReport.mediaType) else {
                throw Self.incomplete(attachment)
            }
            decision = .validated(
                try ValidationEvidence(statement: statement, report: report, of: record, digest)
            )
        } catch {
            if error.code == .evidenceNotPassed { decision = .failed(error) } else { add(error) }
        }
    }

    /// Notes that the next older attachment cannot be read.
    public mutating func add(_ error: ZooError) { failure = failure ?? error }

    /// What the attachments say.
    public var result: AttachedEvidence {
        decision ?? waiver.map(AttachedEvidence.unvalidated)
            ?? failure.map(AttachedEvidence.invalid) ?? .absent
    }

    private static func incomplete(_ attachment: ReleaseAttachment) -> ZooError {
        ZooError(
            .attachmentChanged,
            "the attachment \(attachment.manifest.digest) lacks its statement or its report",
            remedy: "validate the release again: 'ami-zoo validate FOLDER'"
        )
    }
}
