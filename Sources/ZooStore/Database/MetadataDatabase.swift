// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import GRDB
package import ZooCore
internal import ZooFiles

/// The metadata of a registry for searches: full-text catalogue, block index, pull counts.
///
/// Everything but the pull counts is derived from the documents of the registry. A damaged file is
/// replaced by an empty one, which ``synchronize(with:changed:reading:)`` fills again. All members
/// block.
package struct MetadataDatabase: Sendable {
    let file: DatabaseFile

    private static let schema = DatabaseFile.Schema(
        title: "the metadata of a registry",
        applicationID: 0x414d_5a4d,
        migrations: [
            """
            CREATE TABLE model (
                id INTEGER PRIMARY KEY,
                name TEXT NOT NULL UNIQUE,
                kind TEXT NOT NULL,
                family TEXT NOT NULL,
                licence TEXT NOT NULL,
                modality TEXT NOT NULL,
                line TEXT NOT NULL
            ) STRICT;
            CREATE INDEX model_family ON model (family, name);
            CREATE INDEX model_licence ON model (licence, name);
            CREATE INDEX model_modality ON model (modality, name);
            CREATE VIRTUAL TABLE words USING fts5 (
                name, summary, family, licence, modality,
                tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3 4'
            );
            CREATE TABLE segment (
                position INTEGER PRIMARY KEY,
                digest TEXT NOT NULL
            ) STRICT;
            CREATE TABLE archive (
                id INTEGER PRIMARY KEY,
                digest TEXT NOT NULL UNIQUE
            ) STRICT;
            CREATE TABLE block (
                archive INTEGER NOT NULL REFERENCES archive (id) ON DELETE CASCADE,
                digest TEXT NOT NULL,
                start INTEGER NOT NULL,
                size INTEGER NOT NULL,
                PRIMARY KEY (archive, digest)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX block_digest ON block (digest);
            CREATE TABLE holding (
                name TEXT NOT NULL,
                archive INTEGER NOT NULL REFERENCES archive (id) ON DELETE CASCADE,
                PRIMARY KEY (name, archive)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE pull (
                name TEXT NOT NULL,
                version TEXT NOT NULL,
                day INTEGER NOT NULL,
                count INTEGER NOT NULL,
                PRIMARY KEY (name, version, day)
            ) STRICT, WITHOUT ROWID;
            """
        ],
        isDerived: true
    )

    /// Opens the database; a missing or damaged file is created anew.
    ///
    /// - Parameters:
    ///   - path: the file, in a folder that exists; nil for a database in memory.
    ///   - isBrief: whether one task uses it for one search.
    /// - Throws: ``ZooError`` with a `database.*` code, or `io.*`.
    package init(opening path: String?, isBrief: Bool = false) throws(ZooError) {
        file = try DatabaseFile(opening: path, Self.schema, isBrief: isBrief)
    }

    // MARK: Catalogue

    /// Brings the full-text catalogue to the state of a catalogue's head.
    ///
    /// Where only segments at the end are new, only these are read.
    ///
    /// - Parameters:
    ///   - head: the head.
    ///   - change: a change that the caller knows: the segments before it, and the entries that it
    ///     changed. Then no segment is read if the database has the state before.
    ///   - read: reads the entries of a segment.
    /// - Throws: ``ZooError`` with a `database.*` code, or what `read` throws.
    package func synchronize(
        with head: RegistryCatalogue,
        changed change: (
            before: [RegistryCatalogue.Segment], entries: [RegistryCatalogue.Entry]
        )? = nil,
        reading read: (RegistryCatalogue.Segment) throws -> [RegistryCatalogue.Entry]
    ) throws {
        let wanted = head.segments.map(\.digest.hex)
        guard try file.read(Self.segments) != wanted else { return }
        // Errors of `read` pass through unchanged: they are of the registry.
        var failure: (any Error)?
        do {
            try file.write { database in
                let known = try Self.segments(database)
                if let change, change.before.map(\.digest.hex) == known {
                    for entry in change.entries { try Self.set(entry, database) }
                } else {
                    let start = Self.start(of: wanted, after: known)
                    if start == 0 {
                        try database.execute(sql: "DELETE FROM words")
                        try database.execute(sql: "DELETE FROM model")
                    }
                    for segment in head.segments[start...] {
                        let entries: [RegistryCatalogue.Entry]
                        do { entries = try read(segment) } catch {
                            failure = error
                            throw error
                        }
                        for entry in entries { try Self.set(entry, database) }
                    }
                }
                try database.execute(sql: "DELETE FROM segment")
                for (position, digest) in wanted.enumerated() {
                    try database.execute(
                        sql: "INSERT INTO segment VALUES (?, ?)",
                        arguments: [position, digest]
                    )
                }
            }
        } catch {
            throw failure ?? error
        }
    }

    /// The segments that ``synchronize(with:changed:reading:)`` would read.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func missing(
        of head: RegistryCatalogue
    ) throws(ZooError) -> [RegistryCatalogue.Segment] {
        let known = try file.read(Self.segments)
        return Array(
            head.segments[Self.start(of: head.segments.map(\.digest.hex), after: known)...]
        )
    }

    /// The first of the wanted segments to read.
    private static func start(of wanted: [String], after known: [String]) -> Int {
        let old = Set(known)
        let shared = wanted.prefix { old.contains($0) }.count
        // A known segment behind an unknown one: the order of changes is not known.
        return wanted[shared...].contains { old.contains($0) } ? 0 : shared
    }

    /// Adds entries to a database that has no segments.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func add(_ entries: [RegistryCatalogue.Entry]) throws(ZooError) {
        try file.write { database in
            for entry in entries { try Self.set(entry, database) }
        }
    }

    private static func segments(_ database: Database) throws -> [String] {
        try String.fetchAll(database, sql: "SELECT digest FROM segment ORDER BY position")
    }

    private static func set(_ entry: RegistryCatalogue.Entry, _ database: Database) throws {
        let name = entry.name.description
        if let old = try Int64.fetchOne(
            database,
            sql: "SELECT id FROM model WHERE name = ?",
            arguments: [name]
        ) {
            try database.execute(sql: "DELETE FROM words WHERE rowid = ?", arguments: [old])
            try database.execute(sql: "DELETE FROM model WHERE id = ?", arguments: [old])
        }
        guard let summary = entry.summary else { return }
        let insertion = try database.cachedStatement(
            sql: """
                INSERT INTO model (name, kind, family, licence, modality, line)
                VALUES (?, ?, ?, ?, ?, ?)
                """
        )
        try insertion.execute(arguments: [
            name, summary.kind.rawValue, summary.family, summary.licence, summary.modality,
            String(decoding: entry.line, as: UTF8.self),
        ])
        let words = try database.cachedStatement(
            sql: """
                INSERT INTO words (rowid, name, summary, family, licence, modality)
                VALUES (?, ?, ?, ?, ?, ?)
                """
        )
        try words.execute(arguments: [
            database.lastInsertedRowID, name, summary.text, summary.family, summary.licence,
            summary.modality,
        ])
    }

    // MARK: Block index

    /// The place of a block in an archive.
    package struct BlockPlace: Sendable, Equatable {
        /// The digest of the archive.
        package let archive: ContentDigest
        /// The bytes of the archive.
        package let range: Range<Int>
    }

    /// Records that a model has archives with these blocks.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func add(_ tables: [BlockTable], to name: ModelName) throws(ZooError) {
        try file.write { database in
            for table in tables {
                let digest = table.archiveDigest.hex
                if let known = try Self.archive(digest, database) {
                    try Self.hold(known, name, database)
                    continue
                }
                try database.execute(
                    sql: "INSERT INTO archive (digest) VALUES (?)",
                    arguments: [digest]
                )
                let id = database.lastInsertedRowID
                let insertion = try database.cachedStatement(
                    // Equal blocks of one archive: any of them will do.
                    sql: "INSERT OR IGNORE INTO block VALUES (?, ?, ?, ?)"
                )
                for block in table.blocks {
                    try insertion.execute(arguments: [
                        id, block.archiveDigest.hex, block.archiveRange.lowerBound,
                        block.archiveRange.count,
                    ])
                }
                try Self.hold(id, name, database)
            }
        }
    }

    private static func archive(_ digest: String, _ database: Database) throws -> Int64? {
        try Int64.fetchOne(
            database,
            sql: "SELECT id FROM archive WHERE digest = ?",
            arguments: [digest]
        )
    }

    private static func hold(
        _ archive: Int64,
        _ name: ModelName,
        _ database: Database
    ) throws {
        try database.execute(
            sql: "INSERT OR IGNORE INTO holding VALUES (?, ?)",
            arguments: [name.description, archive]
        )
    }

    /// Whether the blocks of an archive of a model are recorded.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func knows(_ archive: ContentDigest, of name: ModelName) throws(ZooError) -> Bool {
        try file.read { database in
            try Bool.fetchOne(
                database,
                sql: """
                    SELECT count(*) > 0 FROM holding JOIN archive ON archive.id = holding.archive
                    WHERE holding.name = ? AND archive.digest = ?
                    """,
                arguments: [name.description, archive.hex]
            ) ?? false
        }
    }

    /// The archives whose blocks are recorded for a model.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func archives(of name: ModelName) throws(ZooError) -> [ContentDigest] {
        try file.read { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT archive.digest FROM holding JOIN archive ON archive.id = holding.archive
                    WHERE holding.name = ?
                    """,
                arguments: [name.description]
            ).compactMap { try? ContentDigest(hex: $0) }
        }
    }

    /// Forgets that a model has archives; blocks of archives that no model has are removed.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func remove(
        _ archives: [ContentDigest],
        from name: ModelName
    ) throws(ZooError) {
        try file.write { database in
            for digest in archives {
                guard let id = try Self.archive(digest.hex, database) else { continue }
                try database.execute(
                    sql: "DELETE FROM holding WHERE name = ? AND archive = ?",
                    arguments: [name.description, id]
                )
                try database.execute(
                    sql: """
                        DELETE FROM archive WHERE id = ? AND NOT EXISTS
                            (SELECT 1 FROM holding WHERE archive = archive.id)
                        """,
                    arguments: [id]
                )
            }
        }
    }

    /// Looks for blocks in the archives of a model.
    ///
    /// The caller checks the bytes: the database may be older than the folder.
    ///
    /// - Parameters:
    ///   - digests: the digests of blocks as they are in an archive.
    ///   - name: the model. Other models are not searched, so that nothing of them shows.
    /// - Returns: a place for each block that was found.
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func places(
        of digests: Set<ContentDigest>,
        in name: ModelName
    ) throws(ZooError) -> [ContentDigest: BlockPlace] {
        try file.read { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT archive.digest, block.start, block.size
                    FROM holding CROSS JOIN block ON block.archive = holding.archive
                        JOIN archive ON archive.id = holding.archive
                    WHERE holding.name = ? AND block.digest = ? LIMIT 1
                    """
            )
            var found: [ContentDigest: BlockPlace] = [:]
            for digest in digests {
                guard
                    let row = try Row.fetchOne(
                        statement,
                        arguments: [name.description, digest.hex]
                    )
                else { continue }
                let (start, size): (Int, Int) = (row[1], row[2])
                guard let archive = try? ContentDigest(hex: row[0]), start >= 0, size >= 0,
                    let end = start.addingExact(size)
                else { continue }
                found[digest] = BlockPlace(archive: archive, range: start..<end)
            }
            return found
        }
    }

    /// Removes the block index, before it is made again.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func removeBlocks() throws(ZooError) {
        try file.write { database in
            try database.execute(sql: "DELETE FROM holding")
            try database.execute(sql: "DELETE FROM block")
            try database.execute(sql: "DELETE FROM archive")
        }
    }

    // MARK: Pull counts

    /// Adds pulls of releases; a caller collects them, so that a pull is not a write.
    ///
    /// - Parameters:
    ///   - pulls: the number of pulls of each release.
    ///   - date: the time in seconds since 1970.
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func addPulls(
        _ pulls: [(name: ModelName, version: SemanticVersion, count: Int)],
        at date: Int
    ) throws(ZooError) {
        try file.write { database in
            for pull in pulls {
                try database.execute(
                    sql: """
                        INSERT INTO pull VALUES (?, ?, ?, ?)
                        ON CONFLICT DO UPDATE SET count = count + excluded.count
                        """,
                    arguments: [
                        pull.name.description, pull.version.description, date / 86_400,
                        pull.count,
                    ]
                )
            }
        }
    }

    /// The number of pulls of each version of a model.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func pulls(of name: ModelName) throws(ZooError) -> [SemanticVersion: Int] {
        try file.read { database in
            var found: [SemanticVersion: Int] = [:]
            for row in try Row.fetchAll(
                database,
                sql: "SELECT version, sum(count) FROM pull WHERE name = ? GROUP BY version",
                arguments: [name.description]
            ) {
                guard let version = try? SemanticVersion(parsing: row[0]) else { continue }
                found[version] = row[1]
            }
            return found
        }
    }
}

extension Int {
    /// The sum; nil when it is too large.
    fileprivate func addingExact(_ other: Int) -> Int? {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? nil : sum
    }
}
