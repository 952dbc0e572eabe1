// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooCore

extension TrustPolicy {
    /// Evaluates the policy: a pure function of the policy, the facts and the time.
    ///
    /// - Parameters:
    ///   - facts: what checks found out.
    ///   - now: the time that ages are measured at, in seconds since 1970.
    /// - Returns: the verdicts.
    package func evaluate(_ facts: ReleaseFacts, at now: Int) -> PolicyReport {
        let match = rules.enumerated().first { $0.element.mayBeAbout(facts) }
        let evaluation = PolicyEvaluation(facts, now, signers)
        var rows: [PolicyReport.Row] = []
        if match == nil {
            var origin = ""
            if case .established(let registry) = facts.registry { origin = " from \(registry)" }
            rows.append(
                .init(
                    subject: .rule,
                    required: "a rule about every release",
                    saw: "none of the \(rules.count) rules is about '\(facts.name)'\(origin)",
                    verdict: .unmet
                )
            )
        }
        rows += evaluation.rows(of: match?.element)
        return PolicyReport(rule: match.map { $0.offset + 1 }, rows: rows)
    }
}

extension TrustPolicy.Rule {
    /// Whether the rule is about a release, as far as is known: a release of an unknown registry may be of any.
    fileprivate func mayBeAbout(_ facts: ReleaseFacts) -> Bool {
        if let name, name != facts.name { return false }
        if let namespace, namespace != facts.name.namespace { return false }
        guard let registry, case .established(let found) = facts.registry else { return true }
        return Self.isSame(registry, found)
    }

    /// Whether two addresses are equal but for slashes at their ends.
    fileprivate static func isSame(_ left: String, _ right: String) -> Bool {
        func core(_ text: String) -> Substring {
            var text = text[...]
            while text.hasSuffix("/") { text.removeLast() }
            return text
        }
        return core(left) == core(right)
    }
}

/// The verdicts about each subject.
private struct PolicyEvaluation {
    private typealias Row = PolicyReport.Row
    private typealias Verdict = PolicyReport.Verdict
    private static let day = 86_400

    private let facts: ReleaseFacts
    private let now: Int
    private let signers: [String: Set<ReleaseFacts.Signer>]

    init(
        _ facts: ReleaseFacts,
        _ now: Int,
        _ signers: [String: Set<ReleaseFacts.Signer>]
    ) {
        self.facts = facts
        self.now = now
        self.signers = signers
    }

    /// The rows; nothing but integrity is required without a rule.
    func rows(of rule: TrustPolicy.Rule?) -> [PolicyReport.Row] {
        var rows = [integrity, registry(rule?.registry), anchor(rule?.anchors)]
        rows.append(
            row(
                .signatures,
                rule?.signatures.map { "files that are signed by \(text($0))" },
                facts.signatures,
                saw: { "signed by \(self.names($0))" },
                holds: { found in rule?.signatures.map { self.meets($0, found) } ?? true }
            )
        )
        rows.append(
            row(
                .currency,
                rule?.isCurrent == true ? "that signed metadata calls it current" : nil,
                facts.currency,
                saw: { "current at \($0)" }
            )
        )
        rows.append(
            row(
                .log,
                rule?.isLogged == true ? "that the registry's log has its publication" : nil,
                facts.log,
                saw: { "in the log \($0)" }
            )
        )
        rows += evidence(rule?.evidence)
        rows += [licence(rule?.licences), age(rule?.maximumAge)]
        return rows
    }

    /// A row about a fact that is required or not; a fact that nobody checked is never taken for one that holds.
    private func row<Value>(
        _ subject: PolicyReport.Subject,
        _ required: String?,
        _ fact: Fact<Value>,
        saw: (Value) -> String,
        holds: (Value) -> Bool = { _ in true }
    ) -> PolicyReport.Row {
        let (text, verdict): (String, Verdict) =
            switch fact {
            case .established(let value): (saw(value), holds(value) ? .met : .unmet)
            case .refuted(let what): (what, .unmet)
            case .notChecked(let why): (why, .notChecked)
            }
        return Row(
            subject: subject,
            required: required,
            saw: text,
            verdict: required == nil ? .notRequired : verdict
        )
    }

    private var integrity: PolicyReport.Row {
        row(
            .integrity,
            "that every byte is that of the manifest",
            facts.integrity,
            saw: { "\($0.files) files, \(ByteCount($0.bytes)), every byte" }
        )
    }

    private func registry(_ required: String?) -> PolicyReport.Row {
        // A rule about another registry was passed over; what is left is a registry that nothing confirms.
        row(
            .registry,
            required.map { "a release of \($0)" },
            facts.registry,
            saw: { $0 }
        )
    }

    private func anchor(_ required: [ReleaseFacts.Anchor]?) -> PolicyReport.Row {
        func text(_ anchors: some Sequence<ReleaseFacts.Anchor>) -> String {
            let all = Set(anchors)
            return ReleaseFacts.Anchor.allCases.filter(all.contains).map(\.rawValue)
                .joined(separator: ", ")
        }
        return row(
            .anchor,
            required.map { "an anchor of \(text($0))" },
            facts.anchors,
            saw: { "anchored by \(text($0))" },
            holds: { found in required.map { !found.isDisjoint(with: $0) } ?? true }
        )
    }

    private func evidence(_ required: TrustPolicy.Evidence?) -> [PolicyReport.Row] {
        var demand = required.map { _ in "a validation that passed" }
        if let days = required?.maximumAge { demand? += ", at most \(days) days old" }
        var first = row(
            .evidence,
            demand,
            facts.evidence,
            saw: { "passed \($0.created): \($0.claims)" },
            holds: { found in
                required?.maximumAge.map { self.isWithin($0, since: found.created) } ?? true
            }
        )
        var signers: Fact<Set<ReleaseFacts.Signer>> = .notChecked("no evidence was read")
        switch facts.evidence {
        case .established(let found):
            signers = found.signers
            if found.unreadable > 0 {
                // What cannot be read may be a newer validation that failed.
                first = Row(
                    subject: first.subject,
                    required: first.required,
                    saw: "\(first.saw); other attachments that cannot be read: \(found.unreadable)",
                    verdict: first.verdict == .met ? .notChecked : first.verdict
                )
            }
        case .refuted: signers = .refuted("there is no validation that passed")
        case .notChecked: break
        }
        guard let signatures = required?.signatures else { return [first] }
        let second = row(
            .evidenceSignatures,
            "evidence that is signed by \(text(signatures))",
            signers,
            saw: { "signed by \(self.names($0))" },
            holds: { self.meets(signatures, $0) }
        )
        return [first, second]
    }

    private func licence(_ required: [LicenceExpression]?) -> PolicyReport.Row {
        row(
            .licence,
            required.map { "one of the licences \($0.map(\.text).joined(separator: ", "))" },
            facts.licence,
            saw: { $0 },
            holds: { found in
                guard let required else { return true }
                return (try? LicenceExpression(parsing: found))?.isSatisfied(by: required) ?? false
            }
        )
    }

    private func age(_ required: Int?) -> PolicyReport.Row {
        row(
            .age,
            required.map { "an age of at most \($0) days" },
            facts.created,
            saw: { "created \($0)" },
            holds: { created in required.map { self.isWithin($0, since: created) } ?? true }
        )
    }

    // MARK: Parts

    /// Whether a time is not longer ago than so many days, and not in the future, but for clocks a day apart.
    private func isWithin(_ days: Int, since time: Timestamp) -> Bool {
        let range =
            Timestamp(
                secondsSince1970: now - days * Self.day
            )...Timestamp(
                secondsSince1970: now + Self.day
            )
        return range.contains(time)
    }

    /// Whether enough different signers signed.
    private func meets(
        _ required: TrustPolicy.Signatures,
        _ found: Set<ReleaseFacts.Signer>
    ) -> Bool {
        required.signers.count { !(signers[$0] ?? []).isDisjoint(with: found) }
            >= required.threshold
    }

    private func text(_ required: TrustPolicy.Signatures) -> String {
        "at least \(required.threshold) of \(required.signers.joined(separator: ", "))"
    }

    /// Signers by the names that the policy gives them, others by key or certificate.
    private func names(_ found: Set<ReleaseFacts.Signer>) -> String {
        let texts = found.map { signer in
            if let name = signers.first(where: { $0.value.contains(signer) })?.key { return name }
            switch signer {
            case .key(let hint): return "the key \(hint.prefix(12))"
            case .certificate(let identity, let issuer): return "\(identity) (\(issuer))"
            }
        }
        return texts.isEmpty ? "nobody" : texts.sorted().joined(separator: ", ")
    }
}

extension LicenceExpression {
    /// Whether a user who accepts some licences may use what has this expression as its licence.
    ///
    /// Identifiers are compared without regard to case: SPDX specification 2.3, annex D.2.
    fileprivate func isSatisfied(by allowed: [LicenceExpression]) -> Bool {
        switch self {
        case .licence: allowed.contains { $0.text.lowercased() == text.lowercased() }
        case .all(let parts): parts.allSatisfy { $0.isSatisfied(by: allowed) }
        case .any(let parts): parts.contains { $0.isSatisfied(by: allowed) }
        }
    }

    /// A single licence as text.
    fileprivate var text: String {
        guard case .licence(let identifier, let exception) = self else { return "" }
        return identifier + (exception.map { " WITH \($0)" } ?? "")
    }
}
