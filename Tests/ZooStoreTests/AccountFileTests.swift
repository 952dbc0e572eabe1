// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooStore
import ZooTesting

/// The files of a state folder: modes, places, damage, concurrent writers.
///
/// Python's sqlite3 writes the foreign ones.
@Suite("Files of accounts")
struct AccountFileTests {
    private static let manager = FileManager.default

    private static func mode(_ path: String) throws -> Int? {
        try manager.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private static func setMode(_ mode: Int, _ path: String) throws {
        try manager.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    private static func admin(_ name: String) throws -> NewToken {
        try NewToken(name, [try TokenScope(parsing: "*:admin")], creator: "user:test")
    }

    private static func python(_ script: String, _ path: String) async throws {
        let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\n\(script)\nc.commit()"
        let run = try await ProgramRun("python3", ["-c", script, path])
        try #require(run.status == 0, "\(run.errors)")
    }

    @Test("The secret is not in the state folder, whose files are the owner's alone")
    func atRest() async throws {
        try await TemporaryFolder.with { folder in
            let state = folder.path(of: "a/state")
            let accounts = try AccountDatabase(state: state)
            let (secret, token) = try accounts.createToken(try Self.admin("a"), at: 1)
            try accounts.recordUse(of: token.id, at: 2)
            #expect(try Self.mode(state) == 0o700)
            let names = try Self.manager.contentsOfDirectory(atPath: state)
            #expect(names.contains("accounts.sqlite") && names.contains("accounts.sqlite-wal"))
            for name in names {
                #expect(try Self.mode("\(state)/\(name)") == 0o600, "\(name)")
                let content = Data(try folder.read("a/state/\(name)"))
                #expect(content.range(of: Data(secret.dropFirst(4).utf8)) == nil, "\(name)")
            }
            withExtendedLifetime(accounts) {}
        }
    }

    @Test("A folder that others can open is refused; modes of restored files are made private")
    func modes() async throws {
        try await TemporaryFolder.with { folder in
            let state = folder.path(of: "state")
            _ = try AccountDatabase(state: state)
            for mode in [0o755, 0o701, 0o710, 0o777] {
                try Self.setMode(mode, state)
                #expect(throws: ZooError(.stateExposed, "")) { try AccountDatabase(state: state) }
                #expect(try Self.mode(state) == mode, "a shared folder is left alone")
            }
            try Self.setMode(0o700, state)
            try Self.setMode(0o644, "\(state)/accounts.sqlite")
            _ = try AccountDatabase(state: state)
            #expect(try Self.mode("\(state)/accounts.sqlite") == 0o600)
        }
    }

    @Test("A link to a folder is followed, a link in place of the database is not")
    func links() async throws {
        try await TemporaryFolder.with { folder in
            let (state, link) = (folder.path(of: "state"), folder.path(of: "link"))
            _ = try AccountDatabase(state: state).createToken(try Self.admin("a"), at: 1)
            try Self.manager.createSymbolicLink(atPath: link, withDestinationPath: state)
            #expect(try AccountDatabase(existingState: link).tokens().count == 1)
            try Self.manager.moveItem(
                atPath: "\(state)/accounts.sqlite",
                toPath: folder.path(of: "elsewhere")
            )
            try Self.manager.createSymbolicLink(
                atPath: "\(state)/accounts.sqlite",
                withDestinationPath: folder.path(of: "elsewhere")
            )
            #expect(throws: ZooError(.stateExposed, "")) { try AccountDatabase(state: state) }
            try folder.write([], to: "file")
            #expect(throws: ZooError(.stateExposed, "")) {
                try AccountDatabase(state: folder.path(of: "file"))
            }
        }
    }

    @Test("A folder of another user is refused, also to root", .enabled(if: geteuid() == 0))
    func owner() async throws {
        try await TemporaryFolder.with { folder in
            let state = folder.path(of: "state")
            try Self.manager.createDirectory(atPath: state, withIntermediateDirectories: false)
            try Self.setMode(0o700, state)
            try Self.manager.setAttributes([.ownerAccountID: 65_534], ofItemAtPath: state)
            #expect(throws: ZooError(.stateOwner, "")) { try AccountDatabase(state: state) }
            #expect(try Self.manager.contentsOfDirectory(atPath: state).isEmpty)
        }
    }

    @Test("A state folder in a registry is refused, however it is reached, and nothing is created")
    func apart() async throws {
        try await TemporaryFolder.with { folder in
            let root = folder.path(of: "root")
            try folder.write(Array("{}".utf8), to: "root/zoo.json")
            try Self.manager.createDirectory(
                atPath: "\(root)/deep/folder",
                withIntermediateDirectories: true
            )
            let before = try Self.manager.subpathsOfDirectory(atPath: root).sorted()
            for (link, target) in [("link", root), ("inner", "\(root)/deep")] {
                try Self.manager.createSymbolicLink(
                    atPath: folder.path(of: link),
                    withDestinationPath: target
                )
            }
            for state in [
                root, "\(root)/state", "\(root)/deep/folder/state", folder.path(of: "link/x/y"),
                folder.path(of: "inner"), folder.path(of: "inner/state"),
                "\(root)/../root/state",
            ] {
                #expect(throws: ZooError(.stateServed, ""), "\(state)") {
                    try AccountDatabase(state: state)
                }
            }
            #expect(try Self.manager.subpathsOfDirectory(atPath: root).sorted() == before)
            // Beside the registry, and around it.
            _ = try AccountDatabase(state: "\(root)-state")
            try Self.setMode(0o700, folder.path)
            _ = try AccountDatabase(state: folder.path)
        }
    }

    @Test("A folder without accounts is not taken for one with no tokens")
    func missing() async throws {
        try await TemporaryFolder.with { folder in
            let state = folder.path(of: "state")
            #expect(throws: ZooError(.stateMissing, "")) {
                try AccountDatabase(existingState: state)
            }
            #expect(!Self.manager.fileExists(atPath: state))
        }
    }

    @Test("A damaged account database is refused and kept")
    func damage() async throws {
        try await TemporaryFolder.with { folder in
            let state = folder.path(of: "state")
            do {
                let accounts = try AccountDatabase(state: state)
                _ = try accounts.createToken(try Self.admin("one"), at: 1)
            }
            for suffix in ["-wal", "-shm"] {
                try? Self.manager.removeItem(atPath: "\(state)/accounts.sqlite\(suffix)")
            }
            let noise = [UInt8](repeating: 0x5a, count: 4096)
            try folder.write(noise, to: "state/accounts.sqlite")
            #expect(throws: ZooError(.databaseDamaged, "")) { try AccountDatabase(state: state) }
            #expect(try folder.read("state/accounts.sqlite") == noise)
        }
    }

    @Test("A database of another program, or of a newer ami-zoo, is refused as accounts")
    func foreign() async throws {
        try await TemporaryFolder.with { folder in
            let state = folder.path(of: "state")
            try Self.manager.createDirectory(atPath: state, withIntermediateDirectories: false)
            try Self.setMode(0o700, state)
            let path = "\(state)/accounts.sqlite"
            try await Self.python("c.execute('CREATE TABLE songs (name)')", path)
            #expect(throws: ZooError(.databaseForeign, "")) { try AccountDatabase(state: state) }
            try Self.manager.removeItem(atPath: path)
            _ = try AccountDatabase(state: state)
            try await Self.python("c.execute('PRAGMA user_version = 99')", path)
            #expect(throws: ZooError(.databaseTooNew, "")) { try AccountDatabase(state: state) }
        }
    }

    @Test("Python's sqlite3 finds the SHA-256 of a token and nothing else of it")
    func stored() async throws {
        try await TemporaryFolder.with { folder in
            let state = folder.path(of: "state")
            let accounts = try AccountDatabase(state: state)
            let secret = try accounts.createToken(try Self.admin("a"), at: 1).secret
            let script = """
                import hashlib, sqlite3, sys
                dump = '\\n'.join(sqlite3.connect(sys.argv[1]).iterdump())
                print(hashlib.sha256(sys.argv[2].encode()).hexdigest() in dump, sys.argv[2][4:] in dump)
                """
            let run = try await ProgramRun(
                "python3",
                ["-c", script, "\(state)/accounts.sqlite", secret]
            )
            #expect(run.output == "True False\n", "\(run.errors)")
            withExtendedLifetime(accounts) {}
        }
    }

    @Test("Eight writers of one new file lose nothing")
    func concurrentWriters() async throws {
        try await TemporaryFolder.with { folder in
            let state = folder.path(of: "state")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        // A connection of its own, as another process has.
                        let accounts = try AccountDatabase(state: state)
                        for number in 0..<10 {
                            try accounts.charge(1, to: "ci", quota: 1000, at: 1)
                            try accounts.record(
                                AuditRecord(
                                    date: number,
                                    subject: "\(writer)",
                                    action: "publish",
                                    target: "ami/x"
                                )
                            )
                        }
                    }
                }
                try await group.waitForAll()
            }
            let accounts = try AccountDatabase(state: state)
            #expect(try accounts.audit(limit: 1000).count == 80)
            #expect(throws: ZooError(.quotaExceeded, "")) {
                try accounts.charge(921, to: "ci", quota: 1000, at: 1)
            }
            try accounts.charge(920, to: "ci", quota: 1000, at: 1)
        }
    }
}
