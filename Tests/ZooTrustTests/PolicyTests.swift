// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTrust

/// What a policy says about facts: a table, and the rule that nothing unchecked passes.
@Suite struct PolicyTests {
    private typealias Change = (inout ReleaseFacts) -> Void

    private func report(
        _ rule: [String: JSONValue] = PolicySample.everything,
        _ change: Change = { _ in }
    ) throws -> PolicyReport {
        var facts = try PolicySample.facts()
        change(&facts)
        return try PolicySample.policy(PolicySample.document(rule))
            .evaluate(facts, at: PolicySample.now)
    }

    @Test func whatMeetsEverythingPasses() throws {
        let report = try report()
        #expect(report.passed, "\(report.refused)")
        #expect(report.rule == 1)
        #expect(report.findings == [])
        // The registry is asked for by no rule here; everything else is.
        let open = report.rows.filter { $0.verdict == .notRequired }.map(\.subject)
        #expect(open == [.registry])
        #expect(report.rows.map(\.subject) == PolicyReport.Subject.allCases.filter { $0 != .rule })
    }

    /// Each fact in each state that is not "established": the verdict is its own, and nothing passes.
    @Test func noFactThatIsRefutedOrNotCheckedPasses() throws {
        let changes: [(PolicyReport.Subject, (Bool, inout ReleaseFacts) -> Void)] = [
            (.integrity, { $1.integrity = $0 ? .refuted("x") : .notChecked("x") }),
            (.anchor, { $1.anchors = $0 ? .refuted("x") : .notChecked("x") }),
            (.signatures, { $1.signatures = $0 ? .refuted("x") : .notChecked("x") }),
            (.currency, { $1.currency = $0 ? .refuted("x") : .notChecked("x") }),
            (.log, { $1.log = $0 ? .refuted("x") : .notChecked("x") }),
            (.evidence, { $1.evidence = $0 ? .refuted("x") : .notChecked("x") }),
            (
                .evidenceSignatures,
                {
                    let fact: Fact<Set<ReleaseFacts.Signer>> = $0 ? .refuted("x") : .notChecked("x")
                    $1.evidence = .established(PolicySample.evidence(fact))
                }
            ),
            (.licence, { $1.licence = $0 ? .refuted("x") : .notChecked("x") }),
            (.age, { $1.created = $0 ? .refuted("x") : .notChecked("x") }),
        ]
        #expect(
            Set(changes.map(\.0))
                == Set(PolicyReport.Subject.allCases).subtracting([.rule, .registry])
        )
        for (subject, change) in changes {
            for isRefuted in [true, false] {
                let report = try report { change(isRefuted, &$0) }
                #expect(!report.passed)
                #expect(report.refused[subject] == (isRefuted ? .unmet : .notChecked), "\(subject)")
                let others = Set(report.refused.keys).subtracting([subject])
                #expect(others == (subject == .evidence ? [.evidenceSignatures] : []), "\(subject)")
                #expect(report.findings.isEmpty == (subject == .integrity))
                // Where nothing is required, the same facts pass, but never damaged bytes.
                #expect(
                    try self.report([:]) { change(isRefuted, &$0) }.passed
                        == (subject != .integrity)
                )
            }
        }
    }

    /// Facts of which nobody checked anything meet nothing.
    @Test func emptyFactsMeetNothing() throws {
        let report = try report {
            let (licence, created) = ($0.licence, $0.created)
            $0.integrity = .notChecked("x")
            $0.anchors = .notChecked("x")
            $0.signatures = .notChecked("x")
            $0.currency = .notChecked("x")
            $0.log = .notChecked("x")
            $0.evidence = .notChecked("x")
            ($0.licence, $0.created) = (licence, created)
        }
        #expect(Set(report.refused.values) == [.notChecked])
        #expect(report.refused.count == 7)
    }

    // MARK: Signatures

    @Test func signersCountAndNotKeys() throws {
        let (lab, spare) = (
            ReleaseFacts.Signer.key(PolicySample.lab), ReleaseFacts.Signer.key(PolicySample.spare)
        )
        let stranger = ReleaseFacts.Signer.key(String(repeating: "c", count: 64))
        let impostor = ReleaseFacts.Signer.certificate(
            identity: "ci@example.org",
            issuer: "https://x"
        )
        let cases: [(Set<ReleaseFacts.Signer>, threshold: Int, Bool)] = [
            ([lab, PolicySample.ci], 2, true), ([spare, PolicySample.ci], 2, true),
            ([lab, spare], 2, false), ([lab, stranger], 2, false), ([lab, impostor], 2, false),
            ([lab], 1, true), ([spare], 1, true), ([stranger], 1, false), ([], 1, false),
            ([impostor, stranger], 1, false),
        ]
        for (found, threshold, isMet) in cases {
            let rule: [String: JSONValue] = [
                "signatures": ["signers": ["lab", "ci"], "threshold": .integer(threshold)]
            ]
            let report = try report(rule) { $0.signatures = .established(found) }
            #expect(report.passed == isMet, "\(found)")
        }
        let row = try report().rows.first { $0.subject == .signatures }
        #expect(row?.required == "files that are signed by at least 2 of lab, ci")
        #expect(row?.saw == "signed by ci, lab")
    }

    // MARK: Licences and times

    /// Expressions as annex D of the SPDX specification defines them.
    @Test(
        arguments: [
            ("MIT", true), ("mit", true), ("MIT OR GPL-3.0-only", true),
            ("GPL-3.0-only OR MIT", true), ("MIT AND GPL-3.0-only", false),
            ("MIT AND Apache-2.0 WITH LLVM-exception", true), ("Apache-2.0", false),
            ("Apache-2.0 WITH LLVM-exception", true), ("MIT+", false),
            ("GPL-3.0-only OR MIT AND Zlib", false), ("(GPL-3.0-only OR MIT) AND MIT", true),
            ("LicenseRef-MIT", false), ("MIT, of course", false), ("MIT OR", false),
        ] as [(String, Bool)]
    )
    func aLicenceIsPermittedOrNot(licence: String, isMet: Bool) throws {
        let rule: [String: JSONValue] = ["licences": ["MIT", "Apache-2.0 WITH LLVM-exception"]]
        #expect(try report(rule) { $0.licence = .established(licence) }.passed == isMet)
    }

    @Test func anAgeEndsAtTheSecond() throws {
        let day = 86_400
        for (age, isMet) in [
            (0, true), (10 * day, true), (10 * day + 1, false), (-day, true), (-day - 1, false),
        ] {
            let time = PolicySample.now - age
            let created = try report(["maximumAgeDays": 10]) {
                $0.created = .established(Timestamp(secondsSince1970: time))
            }
            #expect(created.passed == isMet, "\(age)")
            let evidence = try report(["evidence": ["passed": true, "maximumAgeDays": 10]]) {
                $0.evidence = .established(PolicySample.evidence(.notChecked("x"), at: time))
            }
            #expect(evidence.passed == isMet, "\(age)")
        }
    }

    /// A validation that passed is no evidence while something newer may be unreadable beside it.
    @Test func unreadableEvidenceIsNotPassedOver() throws {
        let report = try report(["evidence": ["passed": true]]) {
            $0.evidence = .established(PolicySample.evidence(.notChecked("x"), unreadable: 1))
        }
        #expect(report.refused == [.evidence: .notChecked])
    }

    @Test func oneAnchorOfThoseThatAreListedIsEnough() throws {
        for (found, isMet) in [
            ([.folder], false), ([.store, .folder], false), ([.requested, .folder], true),
            ([.tuf], true), ([], false),
        ] as [(Set<ReleaseFacts.Anchor>, Bool)] {
            let report = try report(["anchor": ["requested", "tuf"]]) {
                $0.anchors = .established(found)
            }
            #expect(report.passed == isMet, "\(found)")
        }
    }

    // MARK: Rules

    @Test func theFirstRuleAboutAReleaseDecides() throws {
        let strict: JSONValue = ["registry": "https://models.example.org/", "logged": true]
        let cases: [([JSONValue], rule: Int?)] = [
            ([["namespace": "ami"], strict], 1), ([["namespace": "other"], strict], 2),
            ([["name": "ami/ball-drop"], strict], 1), ([["name": "ami/ball"], strict], 2),
            ([["registry": "https://elsewhere.example.org"], strict], 2),
            ([["registry": "https://elsewhere.example.org"]], nil),
            ([["namespace": "am"], ["namespace": "amiable"]], nil),
        ]
        for (rules, expected) in cases {
            let document: JSONValue = ["format": "ami-zoo.policy/1", "rules": .array(rules)]
            let report = try PolicySample.policy(document)
                .evaluate(try PolicySample.facts(), at: PolicySample.now)
            #expect(report.rule == expected, "\(rules)")
            #expect(report.passed == (expected != nil))
            if expected == nil { #expect(report.refused == [.rule: .unmet]) }
        }
    }

    /// Where nothing says where a release comes from, a rule about a registry is not passed over for a milder one.
    @Test func anUnknownRegistryDoesNotReachTheMilderRule() throws {
        let document = PolicySample.document(
            [:],
            before: [["registry": .string(PolicySample.registry), "namespace": "ami"]]
        )
        for fact in [Fact<String>.notChecked("x"), .refuted("x")] {
            var facts = try PolicySample.facts()
            facts.registry = fact
            let report = try PolicySample.policy(document).evaluate(facts, at: PolicySample.now)
            #expect(report.rule == 1)
            #expect(!report.passed && report.refused.keys.contains(.registry))
        }
    }

    @Test func withoutAPolicyBytesCountAndNothingElse() throws {
        var facts = try PolicySample.facts()
        facts.evidence = .refuted("x")
        #expect(TrustPolicy.digests.evaluate(facts, at: 0).passed)
        facts.integrity = .refuted("x")
        #expect(!TrustPolicy.digests.evaluate(facts, at: 0).passed)
    }
}
