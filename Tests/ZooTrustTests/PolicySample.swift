// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTrust

/// A policy with every requirement, and facts that meet it.
struct PolicySample {
    static let lab = String(repeating: "a", count: 64)
    static let spare = String(repeating: "b", count: 64)
    static let registry = "https://models.example.org"
    /// 2027-01-15T08:00:00Z.
    static let now = 1_800_000_000
    static let ci = ReleaseFacts.Signer.certificate(identity: "ci@example.org", issuer: "https://i")

    /// Every requirement of a rule.
    static let everything: [String: JSONValue] = [
        "anchor": ["requested", "tuf"],
        "signatures": ["signers": ["lab", "ci"], "threshold": 2],
        "current": true, "logged": true,
        "evidence": [
            "passed": true, "signatures": ["signers": ["ci"]], "maximumAgeDays": 30,
        ],
        "licences": ["Apache-2.0"], "maximumAgeDays": 365,
    ]

    static func document(
        _ rule: [String: JSONValue] = everything,
        before rules: [JSONValue] = []
    ) -> JSONValue {
        [
            "format": "ami-zoo.policy/1",
            "signers": [
                "lab": ["keys": [.string(lab), .string(spare)]],
                "ci": ["certificates": [["identity": "ci@example.org", "issuer": "https://i"]]],
            ],
            "rules": .array(rules + [.object(rule)]),
        ]
    }

    static func policy(_ document: JSONValue) throws -> TrustPolicy {
        try TrustPolicy(try JSONObject(document), path: "policy.yaml")
    }

    /// Facts that meet every requirement.
    static func facts() throws -> ReleaseFacts {
        let url = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Vectors/releases").standardized
        func bytes(_ path: String) throws -> [UInt8] {
            Array(try Data(contentsOf: url.appending(path: path)))
        }
        let index = try IndexDocument(canonical: try bytes("index/ami/ball-drop.json"))
        let digest = try #require(index.entries.last).digest
        let manifest = try ReleaseManifest(canonical: try bytes("blobs/sha256/\(digest.hex)"))
        let record = try ReleaseRecord(
            canonical: try bytes("blobs/sha256/\(manifest.record.digest.hex)")
        )
        var facts = ReleaseFacts(
            record,
            integrity: .established(ReleaseFacts.Integrity(files: 3, bytes: 5))
        )
        facts.registry = .established(registry)
        facts.anchors = .established([.tuf, .folder])
        facts.signatures = .established([.key(lab), ci])
        facts.currency = .established(Timestamp(secondsSince1970: now))
        facts.log = .established("example.org/log")
        facts.evidence = .established(evidence(.established([ci])))
        facts.licence = .established("Apache-2.0")
        facts.created = .established(Timestamp(secondsSince1970: now - 86_400))
        return facts
    }

    static func evidence(
        _ signers: Fact<Set<ReleaseFacts.Signer>>,
        at time: Int = now,
        unreadable: Int = 0
    ) -> ReleaseFacts.Evidence {
        ReleaseFacts.Evidence(
            created: Timestamp(secondsSince1970: time),
            claims: "no claims",
            unreadable: unreadable,
            signers: signers
        )
    }
}

extension PolicyReport {
    /// The subjects that are not acceptable, with their verdicts.
    var refused: [Subject: Verdict] {
        let refused = rows.filter { !$0.verdict.isAcceptable }.map { ($0.subject, $0.verdict) }
        return Dictionary(uniqueKeysWithValues: refused)
    }
}
