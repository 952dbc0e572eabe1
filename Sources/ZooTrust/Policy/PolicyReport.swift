// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore

/// What a policy says about a release: for each subject what is required, what was seen, and the verdict.
package struct PolicyReport: Sendable, Equatable {
    /// What a row is about.
    package enum Subject: String, Sendable, CaseIterable {
        /// Whether a rule of the policy is about the release.
        case rule
        case integrity, registry, anchor, signatures, currency, log, evidence
        case evidenceSignatures = "evidence-signatures"
        case licence, age
    }

    /// What the policy says about a subject.
    package enum Verdict: String, Sendable, CaseIterable {
        /// What is required holds.
        case met
        /// What is required does not hold.
        case unmet
        /// Something is required, and nobody checked it.
        case notChecked = "not-checked"
        /// Nothing is required.
        case notRequired = "not-required"

        /// Whether the release is acceptable as far as this goes.
        package var isAcceptable: Bool { self == .met || self == .notRequired }

        /// The verdict in words.
        package var words: String { rawValue.replacing("-", with: " ") }
    }

    /// One line.
    package struct Row: Sendable, Equatable {
        /// What it is about.
        package let subject: Subject
        /// What the policy requires; nil for nothing.
        package let required: String?
        /// What was seen.
        package let saw: String
        /// The verdict.
        package let verdict: Verdict
    }

    /// The number of the rule that decides, from 1; nil if no rule is about the release.
    package let rule: Int?
    /// The rows, one for each subject that was looked at, in the order of ``Subject``.
    package let rows: [Row]

    /// Whether everything that is required holds.
    package var passed: Bool { rows.allSatisfy(\.verdict.isAcceptable) }

    /// The rows that are not acceptable, as findings with code `policy.unmet`; integrity has findings of its own.
    package var findings: [Finding] {
        rows.filter { !$0.verdict.isAcceptable && $0.subject != .integrity }.map { row in
            Finding(
                .policyUnmet,
                path: row.subject.rawValue,
                message: "the policy requires \(row.required ?? "a rule"); \(row.verdict.words): "
                    + row.saw,
                remedy: "do not use the release before you know why; 'ami-zoo verify --explain' "
                    + "prints every rule"
            )
        }
    }

    /// The fields of `policy` of `verify`.
    package var json: JSONValue {
        [
            "status": .string(passed ? "passed" : "failed"),
            "rule": rule.map { .integer($0) } ?? .null,
            "rows": .array(
                rows.map { row in
                    [
                        "subject": .string(row.subject.rawValue),
                        "required": row.required.map { .string($0) } ?? .null,
                        "saw": .string(row.saw), "verdict": .string(row.verdict.rawValue),
                    ]
                }
            ),
        ]
    }
}
