// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import Synchronization
internal import ZooCore
internal import ZooFiles
package import ZooStore

/// The metadata database of a registry folder: `.metadata/registry.sqlite`, opened on first use.
///
/// It is derived from the documents: searches, the block index and pull counts need it, publishing and
/// reading do not. All members block.
package final class RegistryMetadata: Sendable {
    private let documents: RegistryDocuments
    private let opened = Mutex<MetadataDatabase?>(nil)

    /// The database of a registry folder.
    package init(root: String) { documents = RegistryDocuments(root: root) }

    private var folder: String { "\(documents.root)/.metadata" }

    /// Calls `body` with the database; once more with an empty one where the file is damaged.
    ///
    /// - Throws: ``ZooError`` with a `database.*` code, `io.*`, or what `body` throws.
    package func use<Result>(_ body: (MetadataDatabase) throws -> Result) throws -> Result {
        try use(isBrief: false, body)
    }

    private func use<Result>(
        isBrief: Bool,
        _ body: (MetadataDatabase) throws -> Result
    ) throws -> Result {
        do {
            return try body(try database(isBrief))
        } catch let error as ZooError where error.code == .databaseDamaged {
            opened.withLock { $0 = nil }
            try FileSystem.remove("\(folder)/registry.sqlite")
            for suffix in ["-wal", "-shm"] {
                try? FileSystem.remove("\(folder)/registry.sqlite\(suffix)")
            }
            return try body(try database(isBrief))
        }
    }

    private func database(_ isBrief: Bool) throws -> MetadataDatabase {
        try opened.withLock { opened in
            if let opened { return opened }
            try FileSystem.createFolder(folder)
            let path = "\(folder)/registry.sqlite"
            let database = try MetadataDatabase(opening: path, isBrief: isBrief)
            opened = database
            return database
        }
    }

    // MARK: Searching

    /// Searches the catalogue of the registry folder.
    ///
    /// A folder that cannot be written is searched in memory.
    ///
    /// - Parameters:
    ///   - query: the search.
    ///   - creating: whether to create a missing database, as its owner does; a reader leaves the folder
    ///     as it is, and searches once.
    /// - Returns: the matches, best first.
    /// - Throws: ``ZooError`` with a code of the documents, `database.*` or `io.*`.
    package func search(
        _ query: CatalogueQuery,
        creating: Bool
    ) throws -> CatalogueMatches {
        guard try creating || FileSystem.status("\(folder)/registry.sqlite") != nil else {
            return try search(query, in: try MetadataDatabase(opening: nil))
        }
        var attempt = 0
        while true {
            attempt += 1
            do {
                return try use(isBrief: !creating) { try search(query, in: $0) }
            } catch let error as ZooError
                where error.code == .fileMissing && attempt < Self.headAttempts
            {
                // A publication replaced the head and removed a segment of the old one.
            } catch let error as ZooError where error.code.category == .inputOutput {
                return try search(query, in: try MetadataDatabase(opening: nil))
            }
        }
    }

    /// The number of times that the head is read while publications replace it.
    private static let headAttempts = 4

    private func search(
        _ query: CatalogueQuery,
        in database: MetadataDatabase
    ) throws -> CatalogueMatches {
        guard let head = try documents.catalogue() else {
            throw ZooError(
                .notARegistry,
                "'\(documents.root)' has no 'catalogue.json'",
                remedy: "run 'ami-zoo registry index \(documents.root)'"
            )
        }
        try database.synchronize(with: head, reading: documents.entries)
        return try database.search(query)
    }

    // MARK: Changes

    /// Records a change of the catalogue that was just written.
    ///
    /// A failure is ignored: the next search reads the segments that the database does not have.
    func record(
        _ entries: [RegistryCatalogue.Entry],
        from old: [RegistryCatalogue.Segment],
        to new: [RegistryCatalogue.Segment]
    ) {
        try? use { database in
            try database.synchronize(
                with: RegistryCatalogue(segments: new),
                changed: (before: old, entries: entries),
                reading: documents.entries
            )
        }
    }

    /// Records the blocks of a release.
    ///
    /// A failure is ignored: a later upload sends blocks again that the registry has.
    func record(_ manifest: ReleaseManifest, of name: ModelName) {
        try? use { try add(manifest, of: name, to: $0) }
    }

    private func add(
        _ manifest: ReleaseManifest,
        of name: ModelName,
        to database: MetadataDatabase
    ) throws {
        var tables: [BlockTable] = []
        for archive in manifest.archives
        where try !database.knows(archive.archive.digest, of: name) {
            tables.append(
                try BlockTable(
                    canonical: try documents.blobs.read(
                        archive.blocks.digest,
                        limit: FormatLimits.blockTable
                    )
                )
            )
        }
        if !tables.isEmpty { try database.add(tables, to: name) }
    }

    // MARK: Blocks

    /// Looks for blocks in the archives of a model.
    ///
    /// The block index answers; where it has no archive of the model, or cannot be opened, the block
    /// tables of the published versions do.
    ///
    /// - Parameters:
    ///   - digests: the digests of blocks as they are in an archive.
    ///   - name: the model. Other models are not searched.
    ///   - isHeld: whether the model has an archive now; others are forgotten.
    /// - Returns: a place for each block that was found; the caller checks the bytes.
    /// - Throws: ``ZooError`` with a code of the documents, `database.*` or `io.*`, or what `isHeld`
    ///   throws.
    func places(
        of digests: Set<ContentDigest>,
        in name: ModelName,
        isHeld: (ContentDigest) throws -> Bool
    ) throws -> [ContentDigest: MetadataDatabase.BlockPlace] {
        guard let index = try documents.index(of: name), !digests.isEmpty else { return [:] }
        func find(
            in database: MetadataDatabase
        ) throws -> [ContentDigest: MetadataDatabase.BlockPlace] {
            if try database.archives(of: name).isEmpty {
                for entry in index.entries {
                    // A damaged release must not keep the blocks of the others from being found.
                    guard let manifest = try? documents.release(entry.digest).manifest else {
                        continue
                    }
                    try? add(manifest, of: name, to: database)
                }
            }
            let gone = try database.archives(of: name).filter { try !isHeld($0) }
            if !gone.isEmpty { try database.remove(gone, from: name) }
            return try database.places(of: digests, in: name)
        }
        do {
            return try use(find)
        } catch is ZooError {
            return try find(in: try MetadataDatabase(opening: nil))
        }
    }

    /// Makes the block index again from the index documents, and the catalogue from its segments.
    ///
    /// - Throws: ``ZooError`` with a code of the documents, `database.*` or `io.*`;
    ///   `CancellationError`.
    func rebuild(_ cancellation: Cancellation) throws {
        try use { database in
            try database.removeBlocks()
            for name in try documents.names() {
                try cancellation.check()
                for entry in try documents.index(of: name)?.entries ?? [] {
                    try add(try documents.release(entry.digest).manifest, of: name, to: database)
                }
            }
            if let head = try documents.catalogue() {
                try database.synchronize(with: head, reading: documents.entries)
            }
        }
    }
}
