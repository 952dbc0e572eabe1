// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore

@Suite("Index documents")
struct IndexDocumentTests {
    private let name: ModelName
    private let entries: [IndexDocument.Entry]

    init() throws {
        name = try ModelName(parsing: "ami/ball-drop")
        entries = try ["1.10.0", "1.9.0"].map { version in
            IndexDocument.Entry(
                version: try SemanticVersion(parsing: version),
                digest: ContentDigest(of: Array(version.utf8)),
                size: 5,
                created: Timestamp(secondsSince1970: 0),
                licence: "MIT",
                yank: version == "1.9.0"
                    ? .init(reason: "broken", date: Timestamp(secondsSince1970: 60)) : nil
            )
        }
    }

    @Test("a document that was assembled reads back as the same document")
    func roundTrip() throws {
        let index = try IndexDocument(
            name: name,
            entries: entries,
            channels: [.stable: Set(entries.map(\.version))]
        )
        #expect(try IndexDocument(canonical: index.canonicalBytes) == index)
        #expect(index.entries.map(\.version.description) == ["1.9.0", "1.10.0"])
    }

    @Test("assembling refuses what reading refuses")
    func refuses() throws {
        let stray = try SemanticVersion(parsing: "2.0.0")
        #expect(throws: ZooError(.indexInvalid, "")) {
            try IndexDocument(name: name, entries: entries + [entries[0]], channels: [:])
        }
        #expect(throws: ZooError(.indexInvalid, "")) {
            try IndexDocument(name: name, entries: entries, channels: [.candidate: [stray]])
        }
    }

    @Test("an exact version resolves although it is yanked, and says why")
    func yanked() throws {
        let index = try IndexDocument(
            name: name,
            entries: entries,
            channels: [.stable: [entries[1].version]]
        )
        #expect(index.entry(for: .version(entries[1].version))?.yank?.reason == "broken")
        #expect(index.entry(for: .channel(.stable)) == nil)
    }
}
