// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTrust

/// The entries that a change of an index document gives.
@Suite("Log: changes of index documents")
struct LogChangeTests {
    private let name: ModelName

    init() throws { name = try ModelName(parsing: "ami/x") }

    private func version(_ text: String) throws -> SemanticVersion {
        try SemanticVersion(parsing: text)
    }

    private func release(_ text: String) throws -> LogEntry.Release {
        LogEntry.Release(try version(text), ContentDigest(of: text.utf8))
    }

    /// A document with versions: `yanked` after `!`, attachments after `+`.
    private func document(
        _ versions: String...,
        channels: [String: [String]],
        logIndex: Int? = nil
    ) throws -> IndexDocument {
        let date = try #require(Timestamp(parsing: "2026-01-31T12:00:00Z"))
        return try IndexDocument(
            name: name,
            entries: try versions.map { text in
                let parts = text.split(separator: " ").map(String.init)
                return IndexDocument.Entry(
                    version: try version(parts[0]),
                    digest: ContentDigest(of: parts[0].utf8),
                    size: 1,
                    created: date,
                    licence: "MIT",
                    yank: parts.first { $0.hasPrefix("!") }.map { .init(reason: $0, date: date) },
                    attachments: parts.filter { $0.hasPrefix("+") }.map {
                        .init(type: "a/b", digest: ContentDigest(of: $0.utf8), size: 1)
                    }
                )
            },
            channels: try Dictionary(
                uniqueKeysWithValues: channels.map {
                    (try ChannelName(parsing: $0.key), Set(try $0.value.map(version)))
                }
            ),
            logIndex: logIndex
        )
    }

    @Test("each change is named, and no more")
    func changes() throws {
        let one = try document("1.0.0", channels: ["stable": ["1.0.0"]])
        let two = try document("1.0.0", "1.1.0", channels: ["stable": ["1.0.0", "1.1.0"]])
        let candidate = try document(
            "1.0.0",
            "2.0.0-rc.1",
            channels: ["stable": ["1.0.0"], "candidate": ["2.0.0-rc.1"]]
        )
        let yanked = try document("1.0.0 !bad", channels: ["stable": ["1.0.0"]])
        let again = try document("1.0.0 !worse", channels: ["stable": ["1.0.0"]])
        let signed = try document("1.0.0 +a +b", channels: ["stable": ["1.0.0"]])
        let moved = try document("1.0.0", channels: ["beta": ["1.0.0"]])
        let attachments = try ["+a", "+b"].map {
            LogEntry.Event.attach(try release("1.0.0"), ContentDigest(of: $0.utf8))
        }
        let (first, second) = (try release("1.0.0"), try release("1.1.0"))
        let cases: [(IndexDocument?, IndexDocument?, [LogEntry.Event])] = [
            (nil, nil, []), (one, one, []), (nil, one, [.publish(first)]),
            (one, two, [.publish(second)]), (two, one, [.delete(second)]),
            (one, nil, [.delete(first)]),
            (one, candidate, [.publish(try release("2.0.0-rc.1"))]),
            (candidate, one, [.delete(try release("2.0.0-rc.1"))]),
            (one, yanked, [.yank(first)]), (yanked, again, [.yank(first)]),
            (again, one, [.unyank(first)]),
            (one, moved, [.channel(try ChannelName(parsing: "beta")), .channel(.stable)]),
            (
                nil, moved,
                [.publish(first), .channel(try ChannelName(parsing: "beta")), .channel(.stable)]
            ),
            (nil, yanked, [.publish(first), .yank(first)]),
            (
                one, try document("1.0.0", channels: ["stable": ["1.0.0"]], logIndex: 7), [.index]
            ),
        ]
        for (old, new, expected) in cases {
            #expect(try LogEntry.Event.changes(from: old, to: new) == expected)
        }
        #expect(try Set(LogEntry.Event.changes(from: one, to: signed)) == Set(attachments))
        #expect(
            try LogEntry.Event.changes(from: signed, to: one).map(\.text) == ["detach", "detach"]
        )
        let all = try LogEntry.Event.changes(from: nil, to: signed)
        #expect(all.first == .publish(first))
        #expect(Set(all.dropFirst()) == Set(attachments))
    }

    @Test("a version never changes")
    func immutable() throws {
        let one = try document("1.0.0", channels: [:])
        let entry = one.entries[0]
        let other = try IndexDocument(
            name: name,
            entries: [
                IndexDocument.Entry(
                    version: entry.version,
                    digest: ContentDigest(of: [7]),
                    size: 1,
                    created: entry.created,
                    licence: "MIT"
                )
            ],
            channels: [:]
        )
        #expect(throws: ZooError(.versionTaken, "")) {
            try LogEntry.Event.changes(from: one, to: other)
        }
    }
}
