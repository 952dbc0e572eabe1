// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooStore
import ZooTesting

/// Damaged, truncated, foreign and newer database files; files that Python's sqlite3 writes are the
/// foreign ones.
@Suite("Database files")
struct DatabaseFileTests {
    private static func python(_ script: String, _ path: String) async throws {
        let run = try await ProgramRun("python3", ["-c", script, path])
        try #require(run.status == 0, "\(run.errors)")
    }

    private static func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "ami-zoo-database-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private static func entry(_ name: String) throws -> RegistryCatalogue.Entry {
        try RegistryCatalogue.Entry(line: CatalogueSearchTests.line(name, "a summary"))
    }

    @Test("A damaged or truncated metadata database is replaced")
    func damage() async throws {
        for seed in 0..<24 {
            try await Self.withFolder { folder in
                let path = "\(folder)/registry.sqlite"
                do {
                    let database = try MetadataDatabase(opening: path)
                    try database.add([try Self.entry("ami/one")])
                }
                var bytes = Array(try Data(contentsOf: URL(filePath: path)))
                // The first bytes are the magic number, without which nothing is a database.
                if seed.isMultiple(of: 2) {
                    bytes.removeLast(bytes.count / 2 + seed * 37)
                } else {
                    for index in 0..<min(100, bytes.count) { bytes[index] = UInt8(index ^ seed) }
                }
                try Data(bytes).write(to: URL(filePath: path))
                try? FileManager.default.removeItem(atPath: path + "-wal")
                try? FileManager.default.removeItem(atPath: path + "-shm")
                do {
                    let database = try MetadataDatabase(opening: path)
                    _ = try database.search(CatalogueQuery())
                } catch let error as ZooError {
                    // Damage behind the first page shows at the first use; the owner then replaces it.
                    #expect(error.code == .databaseDamaged)
                }
            }
        }
    }

    @Test("A metadata database of another program is replaced, one of a newer ami-zoo is kept")
    func foreign() async throws {
        try await Self.withFolder { folder in
            let path = "\(folder)/registry.sqlite"
            try await Self.python(
                """
                import sqlite3, sys
                c = sqlite3.connect(sys.argv[1]); c.execute('CREATE TABLE songs (name)'); c.commit()
                """,
                path
            )
            try MetadataDatabase(opening: path).add([try Self.entry("ami/one")])
            #expect(try MetadataDatabase(opening: path).search(CatalogueQuery()).total == 1)
            try await Self.python(
                """
                import sqlite3, sys
                c = sqlite3.connect(sys.argv[1]); c.execute('PRAGMA user_version = 99'); c.commit()
                """,
                path
            )
            #expect(throws: ZooError(.databaseTooNew, "")) { try MetadataDatabase(opening: path) }
        }
    }

    @Test("Eight writers of one file lose nothing")
    func concurrentWriters() async throws {
        let folder = NSTemporaryDirectory() + "ami-zoo-database-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/registry.sqlite"
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    // A connection of its own, as another process has.
                    let database = try MetadataDatabase(opening: path)
                    for number in 0..<10 {
                        try database.add([try Self.entry("ami/m\(writer)x\(number)")])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try MetadataDatabase(opening: path).search(CatalogueQuery()).total == 80)
    }
}
