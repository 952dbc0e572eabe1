// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import GRDB
package import ZooCore
internal import ZooFiles

/// Where the installed releases of a store have which blocks, by the digest of the raw bytes.
///
/// It is derived from the block tables of the releases: a place says where to look, and what is found
/// there must be hashed. All members block.
package struct LocalBlockIndex: Sendable {
    /// A place of a block.
    package struct Place: Sendable, Hashable {
        /// The folder of the release.
        package let folder: String
        /// The name of the archive.
        package let archive: String
        /// The bytes of the raw archive.
        package let range: Range<Int>
    }

    private let file: DatabaseFile
    private let models: String

    private static let schema = DatabaseFile.Schema(
        title: "the block index of a store",
        applicationID: 0x414d_5a42,
        migrations: [
            """
            CREATE TABLE release (
                id INTEGER PRIMARY KEY,
                folder TEXT NOT NULL UNIQUE
            ) STRICT;
            CREATE TABLE block (
                digest TEXT NOT NULL,
                release INTEGER NOT NULL REFERENCES release (id) ON DELETE CASCADE,
                archive TEXT NOT NULL,
                start INTEGER NOT NULL,
                size INTEGER NOT NULL,
                PRIMARY KEY (digest, release, archive, start)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX block_release ON block (release);
            """
        ],
        isDerived: true
    )

    /// Opens the index of a store.
    ///
    /// - Parameters:
    ///   - path: the file; nil for an index in memory.
    ///   - models: the folder of the installed releases.
    /// - Throws: ``ZooError`` with a `database.*` code, or `io.*`.
    init(opening path: String?, models: String) throws(ZooError) {
        file = try DatabaseFile(opening: path, Self.schema)
        self.models = models
    }

    /// Adds releases that are new, and forgets those that are gone.
    ///
    /// The name of a folder has the digest of its release, so a known folder is not read again.
    ///
    /// - Parameter folders: the folders of all releases, relative to the models folder.
    /// - Throws: ``ZooError`` with a `database.*` code.
    func update(with folders: Set<String>) throws(ZooError) {
        let known = try file.read { database in
            Set(try String.fetchAll(database, sql: "SELECT folder FROM release"))
        }
        let gone = known.subtracting(folders)
        if !gone.isEmpty {
            try file.write { database in
                for folder in gone {
                    try database.execute(
                        sql: "DELETE FROM release WHERE folder = ?",
                        arguments: [folder]
                    )
                }
            }
        }
        for folder in folders.subtracting(known).sorted() {
            // What cannot be read has no blocks.
            guard let release = try? InstalledRelease(folder: "\(models)/\(folder)") else {
                continue
            }
            try add(release, folder)
        }
    }

    private func add(_ release: InstalledRelease, _ folder: String) throws(ZooError) {
        let present = Set(release.files.map(\.path))
        try file.write { database in
            try database.execute(
                sql: "INSERT OR IGNORE INTO release (folder) VALUES (?)",
                arguments: [folder]
            )
            // Zero where another process was faster.
            guard database.changesCount > 0 else { return }
            let id = database.lastInsertedRowID
            let insertion = try database.cachedStatement(
                sql: "INSERT OR IGNORE INTO block VALUES (?, ?, ?, ?, ?)"
            )
            for archive in release.manifest.archives {
                let layout = release.record.layout(of: archive.name)
                guard let table = try? release.blockTable(of: archive),
                    table.rawSize == layout.rawSize
                else { continue }
                for block in table.blocks
                where layout.contents(in: block.rawRange).allSatisfy({
                    present.contains(layout.members[$0.member].path)
                }) {
                    try insertion.execute(arguments: [
                        block.rawDigest.hex, id, archive.name, block.rawRange.lowerBound,
                        block.rawRange.count,
                    ])
                }
            }
        }
    }

    /// The places of a block, at most four.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code.
    package func places(of digest: ContentDigest) throws(ZooError) -> [Place] {
        try file.read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT folder, archive, start, size FROM block
                    JOIN release ON release.id = block.release WHERE digest = ? LIMIT 4
                    """,
                arguments: [digest.hex]
            )
            return rows.compactMap { row in
                let (start, size): (Int, Int) = (row["start"], row["size"])
                guard start >= 0, size >= 0, size <= FormatLimits.encodedBlock else { return nil }
                return Place(
                    folder: "\(models)/\(row["folder"] as String)",
                    archive: row["archive"],
                    range: start..<start + size
                )
            }
        }
    }
}

extension ModelStore {
    /// Opens the index of the blocks of all installed releases, brought up to date.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code, or `io.*`.
    package func blockIndex() throws(ZooError) -> LocalBlockIndex {
        let folders = try releaseFolders()
        do throws(ZooError) {
            let index = try LocalBlockIndex(opening: "\(root)/blocks.sqlite", models: models)
            try index.update(with: folders)
            return index
        } catch {
            // A store that cannot be written still has blocks.
            let index = try LocalBlockIndex(opening: nil, models: models)
            try index.update(with: folders)
            return index
        }
    }

    /// The folders of all releases, relative to the models folder.
    private func releaseFolders() throws(ZooError) -> Set<String> {
        var folders: Set<String> = []
        for name in try names() {
            for folder in try FileSystem.names(in: "\(models)/\(name)") {
                folders.insert("\(name)/\(folder)")
            }
        }
        return folders
    }
}
