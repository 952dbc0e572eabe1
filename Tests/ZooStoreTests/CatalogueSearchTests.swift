// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooStore

/// Full-text search: matching, filters, order, incremental updates, the block index.
@Suite("Search in a catalogue")
struct CatalogueSearchTests {
    static func line(
        _ name: String,
        _ summary: String,
        family: String = "vjepa2",
        licence: String = "MIT"
    ) -> [UInt8] {
        Array(
            """
            {"created":"2026-01-31T12:00:00Z","current":"1.0.0","family":"\(family)",\
            "kind":"model","licence":"\(licence)","modality":"video","name":"\(name)",\
            "parameters":1,"size":1,"summary":"\(summary)","versions":["1.0.0"]}
            """.utf8
        )
    }

    private static func entries() throws -> [RegistryCatalogue.Entry] {
        [
            line("ami/robot", "Plans the motion of an arm."),
            line("ami/arm", "Predicts video.", family: "vjepa2-ac"),
            line("ami/unrelated", "Features of pictures.", family: "ijepa", licence: "Apache-2.0"),
            line("lab/café", "Ünïcode"),
        ].compactMap { try? RegistryCatalogue.Entry(line: $0) }
    }

    private static func names(
        _ database: MetadataDatabase,
        _ text: String,
        _ change: (inout CatalogueQuery) -> Void = { _ in }
    ) throws -> [String] {
        var query = CatalogueQuery()
        query.text = text
        change(&query)
        let found = try database.search(query)
        #expect(found.total >= found.entries.count)
        return found.entries.map(\.name.description)
    }

    @Test("Words match by their beginning, names count more than summaries, filters apply")
    func matching() throws {
        let database = try MetadataDatabase(opening: nil)
        try database.add(try Self.entries())
        #expect(try Self.names(database, "arm") == ["ami/arm", "ami/robot"])
        #expect(try Self.names(database, "Pred vid") == ["ami/arm"])
        #expect(try Self.names(database, "arm") { $0.family = "vjepa2" } == ["ami/robot"])
        #expect(try Self.names(database, "") { $0.licence = "Apache-2.0" } == ["ami/unrelated"])
        #expect(try Self.names(database, "arm") { $0.limit = 1 } == ["ami/arm"])
        #expect(
            try Self.names(database, "arm") { ($0.limit, $0.offset) = (1, 1) } == ["ami/robot"]
        )
        #expect(try Self.names(database, "nothing").isEmpty)
    }

    /// Of very many matches only the last 5,000 are ranked, but a match in the name is always found.
    @Test func manyMatches() throws {
        let database = try MetadataDatabase(opening: nil)
        var entries = [try RegistryCatalogue.Entry(line: Self.line("lab/robot", "Old."))]
        for number in 0..<5100 {
            let line = Self.line("lab/model-\(number)", "A robot.", licence: "MIT")
            entries.append(try RegistryCatalogue.Entry(line: line))
        }
        try database.add(entries)
        var query = CatalogueQuery()
        query.text = "robot"
        let found = try database.search(query)
        #expect(found.total == 5101)
        #expect(found.entries.map(\.name.description).prefix(1) == ["lab/robot"])
        #expect(found.entries.count == query.limit)
        (query.limit, query.offset) = (2, 4999)
        let last = try database.search(query).entries.map(\.name.description)
        #expect(last == ["lab/model-998", "lab/model-999"])
        // Each match is looked up in the table of the filters, not each row of it in the matches.
        (query.limit, query.offset, query.licence) = (1, 0, "MIT")
        let start = ContinuousClock.now
        let total = try database.search(query).total
        #expect(ContinuousClock.now - start < .milliseconds(500))
        #expect(total == 5101)
    }

    @Test(
        "No text is an operator or an error",
        arguments: [
            "\"", "arm\" OR \"x", "*", "NEAR(", "name:arm", "-", "^arm", "AND", "(",
            "'; DROP TABLE",
            "\u{0}", "arm\u{0}", "😀", String(repeating: "a ", count: 5000),
        ]
    )
    func hostileText(text: String) throws {
        let database = try MetadataDatabase(opening: nil)
        try database.add(try Self.entries())
        _ = try Self.names(database, text)
        #expect(try Self.names(database, "arm").count == 2)
    }

    private static func segment(_ text: String) throws -> RegistryCatalogue.Segment {
        RegistryCatalogue.Segment(
            digest: ContentDigest(of: text.utf8),
            size: 1,
            count: 1,
            first: try ModelName(parsing: "ami/a"),
            last: try ModelName(parsing: "ami/b")
        )
    }

    @Test("Only new segments at the end are read; a rebuilt catalogue is read whole")
    func segments() throws {
        let database = try MetadataDatabase(opening: nil)
        let (one, two, merged) = try (Self.segment("1"), Self.segment("2"), Self.segment("3"))
        var read: [ContentDigest] = []
        let contents: [ContentDigest: RegistryCatalogue.Entry] = [
            one.digest: try .init(line: Self.line("ami/a", "old")),
            two.digest: try .init(line: Self.line("ami/a", "new")),
            merged.digest: try .init(line: Self.line("ami/b", "other")),
        ]
        func synchronize(_ segments: [RegistryCatalogue.Segment]) throws {
            try database.synchronize(with: RegistryCatalogue(segments: segments)) { segment in
                read.append(segment.digest)
                return [try #require(contents[segment.digest])]
            }
        }
        try synchronize([one])
        try synchronize([one, two])
        #expect(read == [one.digest, two.digest])
        #expect(try Self.names(database, "new") == ["ami/a"])
        #expect(try Self.names(database, "old").isEmpty)
        read = []
        try synchronize([one, two])
        #expect(read.isEmpty)
        // `two` is known, but stands behind a segment that is not.
        try synchronize([merged, two])
        #expect(read == [merged.digest, two.digest])
        #expect(try Self.names(database, "") == ["ami/a", "ami/b"])
    }

    @Test("Blocks are found in the archives of the same model alone")
    func blocks() throws {
        let database = try MetadataDatabase(opening: nil)
        let (own, other) = (try ModelName(parsing: "ami/a"), try ModelName(parsing: "lab/secret"))
        let block = ContentDigest(of: "block".utf8)
        let table = BlockTable(
            encoding: .stored,
            archiveDigest: ContentDigest(of: "archive".utf8),
            blocks: [
                BlockTable.Block(
                    archiveRange: 0..<5,
                    archiveDigest: block,
                    rawRange: 0..<5,
                    rawDigest: block
                )
            ]
        )
        try database.add([table], to: other)
        #expect(try database.places(of: [block], in: own).isEmpty)
        try database.add([table], to: own)
        let place = try #require(try database.places(of: [block], in: own)[block])
        #expect(place.archive == table.archiveDigest)
        #expect(place.range == 0..<5)
        try database.addPulls([(own, try SemanticVersion(parsing: "1.0.0"), 3)], at: 0)
        try database.addPulls([(own, try SemanticVersion(parsing: "1.0.0"), 2)], at: 90_000)
        #expect(try database.pulls(of: own).values.map(\.self) == [5])
    }
}
