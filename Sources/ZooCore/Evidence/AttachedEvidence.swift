// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

/// What is attached to a release about its validation.
public struct AttachedEvidence: Sendable {
    /// What the attachments that can be read decide.
    public enum Decision: Sendable {
        /// The newest validation passed; every claim was compared again with the measurements of its report.
        case validated(ValidationEvidence)
        /// The newest validation failed: a claim, a bound or a check does not hold.
        case failed(ValidationStatement, ZooError)
        /// The release was published without a validation.
        case unvalidated(ValidationWaiver)
        /// There is evidence, and none of it can be read, or it is about another release.
        case invalid(ZooError)
        /// Nothing says whether the release was validated.
        case absent
    }

    /// What decides.
    public let decision: Decision
    /// What is wrong with other attachments about a validation; each of them may be newer than what decides.
    public let unreadable: [ZooError]

    init(_ decision: Decision, unreadable: [ZooError]) {
        self.decision = decision
        self.unreadable = unreadable
    }

    /// No evidence.
    public static let absent = AttachedEvidence(.absent, unreadable: [])

    /// Whether nothing about a validation is attached.
    public var isAbsent: Bool { if case .absent = decision { true } else { false } }

    /// Every claim of a record, with the value that the deciding validation measured again.
    public func claims(of record: ReleaseRecord) -> [ClaimComparison] {
        switch decision {
        case .validated(let evidence): evidence.claims
        case .failed(let statement, _): statement.claims
        case .unvalidated, .invalid, .absent:
            record.evaluation.map { ClaimComparison($0, measured: nil) }
        }
    }
}
