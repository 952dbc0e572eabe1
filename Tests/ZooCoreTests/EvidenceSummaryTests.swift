// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

/// What index documents and catalogues say about evidence, and what a reader makes of it.
@Suite struct EvidenceSummaryTests {
    private static let validation = attachment(AttachmentDraft.validation)
    private static let waiver = attachment(AttachmentDraft.waiver)

    private static func attachment(_ type: String) -> IndexDocument.Attachment {
        .init(type: type, digest: ContentDigest(of: type.utf8), size: 5)
    }

    private func document(
        _ evidence: JSONValue?,
        _ attachments: [IndexDocument.Attachment]
    ) throws -> [UInt8] {
        let version = try SemanticVersion(parsing: "1.0.0")
        let index = try IndexDocument(
            name: ModelName(parsing: "ami/tiny"),
            entries: [
                .init(
                    version: version,
                    digest: ContentDigest(of: [1]),
                    size: 5,
                    created: Timestamp(secondsSince1970: 0),
                    licence: "MIT",
                    attachments: attachments
                )
            ],
            channels: [.stable: [version]]
        )
        guard let evidence else { return index.canonicalBytes }
        guard case .object(var members) = try JSONValue(parsing: index.canonicalBytes),
            case .array(let entries)? = members["versions"], case .object(var entry) = entries[0]
        else { throw CancellationError() }
        entry["evidence"] = evidence
        members["versions"] = .array([.object(entry)])
        return JSONValue.object(members).canonicalBytes
    }

    private func read(
        _ evidence: JSONValue?,
        _ attachments: [IndexDocument.Attachment]
    ) throws -> EvidenceSummary? {
        try IndexDocument(canonical: try document(evidence, attachments)).entries[0].evidence
    }

    @Test func aSummaryIsReadAsItWasWritten() throws {
        let claims: JSONValue = ["stated": 5, "reproduced": 3, "upstream": 1]
        for (state, attachment) in [
            ("validated", Self.validation), ("unvalidated", Self.waiver),
            ("failed", Self.validation), ("failed", Self.waiver),
        ] {
            let found = try read(
                ["state": .string(state), "reason": "so", "claims": claims],
                [attachment]
            )
            #expect(found?.state.rawValue == state)
            #expect(found?.reason == "so")
            #expect(
                found?.claims?.text
                    == "reproduced 3 of 5 claims, 1 claimed upstream and not measured again"
            )
            let bytes = try document(["state": .string(state), "claims": claims], [attachment])
            #expect(try IndexDocument(canonical: bytes).canonicalBytes == bytes)
        }
    }

    /// A program that does not know the field attaches and detaches without it.
    @Test func aStatementThatTheAttachmentsDoNotBearOutIsIgnored() throws {
        #expect(try read(["state": "validated"], []) == nil)
        #expect(try read(["state": "failed"], []) == nil)
        #expect(try read(["state": "validated"], [Self.waiver])?.state == .unvalidated)
        #expect(try read(["state": "unvalidated"], [Self.validation])?.state == .unread)
        #expect(try read(["state": "validated"], [Self.attachment("x/y")]) == nil)
        #expect(try read(nil, [Self.validation])?.state == .unread)
        #expect(try read(["state": "doubted"], [Self.waiver])?.state == .unvalidated)
    }

    /// It is derived, so that it must not make a model unusable; it is kept as it is.
    @Test func aSummaryThatCannotBeReadIsIgnored() throws {
        for evidence in [
            "validated", [:], ["state": 1], ["state": "failed", "reason": ""],
            ["state": "failed", "reason": "two\nlines"],
            ["state": "failed", "reason": .string(String(repeating: "x", count: 1001))],
            ["state": "validated", "claims": ["stated": 1, "reproduced": 2, "upstream": 0]],
            ["state": "validated", "claims": ["stated": 2, "reproduced": 1, "upstream": 2]],
            ["state": "validated", "claims": ["stated": -1, "reproduced": 0, "upstream": 0]],
            ["state": "validated", "claims": ["stated": 1, "reproduced": 1]],
        ] as [JSONValue] {
            #expect(try read(evidence, [Self.validation])?.state == .unread, "\(evidence)")
            let bytes = try document(evidence, [Self.validation])
            #expect(try IndexDocument(canonical: bytes).canonicalBytes == bytes, "\(evidence)")
        }
    }

    /// A message of any kind becomes a text that a document may hold.
    @Test func aReasonIsOneLineWithinTheLimit() throws {
        for message in [
            "a\nb\u{0}c\u{7F}", String(repeating: "ä", count: 700),
            String(repeating: "x", count: 999) + "👩‍👩‍👧",
        ] {
            let reason = try #require(EvidenceSummary(.failed, reason: message).reason)
            #expect(
                try read(["state": "failed", "reason": .string(reason)], [Self.waiver])?.reason
                    == reason
            )
        }
        #expect(EvidenceSummary(.failed, reason: "a\nb").reason == "a b")
    }
}
