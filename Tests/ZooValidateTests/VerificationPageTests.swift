// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTrust

@testable import ZooValidate

/// The page of a verification, read by an XML parser.
@Suite struct VerificationPageTests {
    private func page(_ text: (String) -> String = { $0 }, count: Int = 2) throws -> String {
        let record = try SampleValidation().record()
        var facts = ReleaseFacts(
            record,
            integrity: .established(ReleaseFacts.Integrity(files: 3, bytes: 5))
        )
        facts.anchors = .established([.folder])
        facts.log = .refuted(text("a fork"))
        let document: JSONValue = [
            "format": "ami-zoo.policy/1", "rules": [["licences": ["Zlib"], "logged": true]],
        ]
        let policy = try TrustPolicy(try JSONObject(document), path: "p")
        let subject = VerificationPage.Subject(
            title: text("ami/ball-drop:1.0.0"),
            passed: false,
            digest: ContentDigest(of: [1]),
            path: text("/models/x"),
            statements: [text("3 files, every byte is as released")],
            policy: policy.evaluate(facts, at: 0),
            findings: [
                Finding(
                    .fieldInvalid,
                    path: text("a.bin"),
                    message: text("it differs"),
                    remedy: "x"
                )
            ],
            claims: record.evaluation.map { ClaimComparison($0, measured: 0.5) },
            files: Array(record.files.prefix(2))
        )
        return VerificationPage(
            Array(repeating: subject, count: count),
            policy: text("/home/me/policy.yaml"),
            created: Timestamp(secondsSince1970: 0),
            program: "9.8.7"
        ).html
    }

    @Test func thePageSaysWhatWasRequiredAndSeen() throws {
        let html = try page(count: 1)
        let page = try PageDocument(html)
        for text in [
            "failed", "one of the licences Zlib", "Apache-2.0", "a fork", "not required", "unmet",
            "that every byte is that of the manifest", "3 files, 5 B, every byte",
            "/home/me/policy.yaml, rule 1", "verified 1970-01-01T00:00:00Z by ami-zoo 9.8.7",
            ContentDigest(of: [1]).description, "it differs", "worse than claimed",
        ] {
            #expect(page.texts.contains { $0.contains(text) }, "\(text)")
        }
        #expect(page.named("h1").count == 1 && page.named("main").count == 1)
        // Browsers do not decode entities in a style sheet.
        #expect(!ValidationPage.style.contains { "<>&\"".contains($0) })
        #expect(!html.contains("url(") && !html.contains("@import") && !html.contains("<script"))
        #expect(
            page.elements.allSatisfy { $0.attributes["href"] == nil && $0.attributes["src"] == nil }
        )
        #expect(html == (try self.page(count: 1)))
        #expect(try PageDocument(self.page(count: 2)).named("h1").count == 1)
    }

    @Test func textsCannotBecomeMarkup() throws {
        let plain = try PageDocument(try page()).structure
        for hostile in [
            "<script>alert(1)</script>", "</style>", "</td></table>", "\" onload=\"x", "]]>",
            "<!--",
            "&amp;", "\u{202E}", "\u{0}", "\u{FFFE}",
        ] {
            #expect(try PageDocument(try page { $0 + hostile }).structure == plain, "\(hostile)")
        }
    }
}
