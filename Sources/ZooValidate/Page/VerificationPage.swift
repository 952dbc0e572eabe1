// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

package import ZooCore
package import ZooTrust

/// A verification as one HTML file to keep: what was checked, what it is anchored to, and what the policy says.
///
/// The file loads nothing and runs nothing, and it is well-formed XML. Equal verifications give equal bytes.
package struct VerificationPage {
    /// What was verified, and what was found.
    package struct Subject {
        /// The name and version, or the folder.
        package var title: String
        /// Whether everything that was required holds.
        package var passed: Bool
        /// The digest of the manifest; nil if it is unknown.
        package var digest: ContentDigest?
        /// The folder.
        package var path: String
        /// What was found, each in a sentence: scope, anchor, evidence, signature.
        package var statements: [String]
        /// What the policy says; nil when the record cannot be read.
        package var policy: PolicyReport?
        /// Problems.
        package var findings: [Finding]
        /// The claims of the record, with what its evidence measured.
        package var claims: [ClaimComparison]
        /// The files whose every byte was verified.
        package var files: [ReleaseRecord.File]

        /// Creates a subject.
        package init(
            title: String,
            passed: Bool,
            digest: ContentDigest?,
            path: String,
            statements: [String],
            policy: PolicyReport?,
            findings: [Finding],
            claims: [ClaimComparison],
            files: [ReleaseRecord.File]
        ) {
            self.title = title
            self.passed = passed
            self.digest = digest
            self.path = path
            self.statements = statements
            self.policy = policy
            self.findings = findings
            self.claims = claims
            self.files = files
        }
    }

    private let subjects: [Subject]
    private let policy: String?
    private let created: Timestamp
    private let program: String

    /// A page of one or more folders of a release.
    ///
    /// - Parameters:
    ///   - subjects: the folders; at least one.
    ///   - policy: the file with the policy; nil without one.
    ///   - created: when they were verified.
    ///   - program: the version of the program.
    package init(_ subjects: [Subject], policy: String?, created: Timestamp, program: String) {
        precondition(!subjects.isEmpty, "a page is about something")
        self.subjects = subjects
        self.policy = policy
        self.created = created
        self.program = program
    }

    /// The page.
    package var html: String {
        PageFrame.html(
            "\(subjects[0].title): verification",
            subjects.enumerated().flatMap(sections)
        )
    }

    private func sections(_ index: Int, _ subject: Subject) -> [Markup] {
        summary(subject, heading: index == 0 ? "h1" : "h2") + rules(subject)
            + FindingsSection.markup(subject.findings.map { (nil, $0) })
            + ClaimsTable.markup(
                subject.claims,
                none: "The release claims nothing, or its record cannot be read."
            )
            + files(subject)
    }

    private func summary(_ subject: Subject, heading: String) -> [Markup] {
        var facts = [subject.digest?.description, subject.path].compactMap(\.self)
        facts.append("verified \(created) by ami-zoo \(program)")
        return [
            .element(heading, [:], subject.title),
            .element(
                "p",
                ["class": "verdict \(subject.passed ? "passed" : "failed")"],
                subject.passed ? "passed" : "failed"
            ),
        ] + subject.statements.map { .element("p", [:], $0) }
            + facts.map { .element("p", ["class": "soft"], $0) }
    }

    private func rules(_ subject: Subject) -> [Markup] {
        let head = Markup.element("h2", [:], "Policy")
        guard let report = subject.policy else {
            let why = "The record cannot be read, so that no rule applies."
            return [head, .element("p", [:], why)]
        }
        let origin =
            policy.map { path in
                "\(path), " + (report.rule.map { "rule \($0)" } ?? "no rule is about the release")
            } ?? "No policy was given: intact bytes are required, and nothing else."
        let titles = ["subject", "required", "seen", "verdict"].map {
            Markup.element("th", ["scope": "col"], $0)
        }
        let rows = report.rows.map { row in
            Markup.element(
                "tr",
                [:],
                [
                    .element("td", [:], row.subject.rawValue),
                    .element("td", [:], row.required ?? "–"),
                    .element("td", [:], row.saw),
                    .element("td", ["class": Self.style(of: row.verdict)], row.verdict.words),
                ]
            )
        }
        return [
            head, .element("p", ["class": "soft"], origin),
            .element("table", ["class": "rules"], [.element("tr", [:], titles)] + rows),
        ]
    }

    private static func style(of verdict: PolicyReport.Verdict) -> String {
        switch verdict {
        case .met: "passed"
        case .unmet, .notChecked: "failed"
        case .notRequired: "skipped"
        }
    }

    private func files(_ subject: Subject) -> [Markup] {
        let head = Markup.element("h2", [:], "Files")
        guard !subject.files.isEmpty else {
            return [head, .element("p", [:], "Not every byte of every file was verified.")]
        }
        let rows = subject.files.map { file in
            Markup.element(
                "tr",
                [:],
                [
                    .element("td", [:], file.path.text),
                    .element("td", ["class": "number"], "\(file.size)"),
                    .element("td", ["class": "soft"], file.digest.description),
                ]
            )
        }
        let titles = ["path", "bytes", "digest"].map { Markup.element("th", ["scope": "col"], $0) }
        return [
            head,
            .element("table", ["class": "files"], [.element("tr", [:], titles)] + rows),
        ]
    }
}
