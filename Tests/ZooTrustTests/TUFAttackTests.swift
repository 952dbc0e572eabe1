// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTrust

/// What a registry, or somebody between it and the client, does after the client trusted version 1.
struct Attack: Sendable, CustomTestStringConvertible {
    let name: String
    /// The code with which the client refuses; nil when it must accept.
    let code: ZooError.Code?
    /// The time of the second update.
    var now = "2026-06-01T00:00:00Z"
    let change: @Sendable (inout SimulatedRepository) throws -> Void

    var testDescription: String { name }

    static let target = "index/ami/ball-drop.json"

    static let all = [
        Attack(name: "an honest new version", code: nil) { repository in
            repository.raise("targets", "snapshot", "timestamp")
            try repository.publish()
        },
        Attack(name: "nothing new", code: nil) { _ in },
        Attack(name: "an older timestamp", code: .trustRollback) { repository in
            repository.versions["timestamp"] = 4
            try repository.publish()
        },
        Attack(name: "an older snapshot in a newer timestamp", code: .trustRollback) { repository in
            repository.versions["snapshot"] = 4
            repository.raise("timestamp")
            try repository.publish()
        },
        Attack(name: "older targets in a newer snapshot", code: .trustRollback) { repository in
            repository.versions["targets"] = 4
            repository.raise("timestamp", "snapshot")
            try repository.publish()
        },
        Attack(name: "a role that left the snapshot", code: .trustRollback) { repository in
            repository.listed = [:]
            repository.raise("timestamp", "snapshot")
            try repository.publish()
        },
        Attack(
            name: "a frozen timestamp",
            code: .trustExpired,
            now: "2030-01-01T00:00:00Z"
        ) { _ in },
        Attack(
            name: "one second before expiry",
            code: nil,
            now: "2029-12-31T23:59:59Z"
        ) { _ in },
        Attack(name: "an expired root", code: .trustExpired) { repository in
            repository.raise("root")
            repository.expires = "2026-05-31T00:00:00Z"
            try repository.publishRoot()
        },
        Attack(name: "targets of another snapshot", code: .trustVersion) { repository in
            let old = repository.files["5.targets.json"]
            repository.raise("targets", "snapshot", "timestamp")
            try repository.publish()
            repository.files["6.targets.json"] = old
        },
        Attack(name: "a snapshot of another timestamp", code: .trustVersion) { repository in
            let old = repository.files["5.snapshot.json"]
            repository.raise("snapshot", "timestamp")
            try repository.publish()
            repository.files["6.snapshot.json"] = old
        },
        Attack(name: "targets with another SHA-256", code: .trustContent) { repository in
            repository.targetsHashes = ["sha256": .string(String(repeating: "0", count: 64))]
            repository.raise("targets", "snapshot", "timestamp")
            try repository.publish()
        },
        Attack(name: "targets with another SHA-512", code: .trustContent) { repository in
            repository.targetsHashes = ["sha512": .string(String(repeating: "0", count: 128))]
            repository.raise("targets", "snapshot", "timestamp")
            try repository.publish()
        },
        Attack(name: "a timestamp of another key", code: .trustSignatures) { repository in
            repository.signers["timestamp"] = [try .init(9, id: "key-2")]
            repository.raise("timestamp")
            try repository.publish()
        },
        Attack(name: "targets without enough signatures", code: .trustSignatures) { repository in
            repository.thresholds["targets"] = 2
            repository.raise("root", "targets", "snapshot", "timestamp")
            try repository.publishRoot()
            try repository.publish()
        },
        Attack(name: "one key under two identifiers", code: .trustSignatures) { repository in
            repository.signers["targets"] = [try .init(4), try .init(4, id: "other")]
            repository.thresholds["targets"] = 2
            repository.raise("root", "targets", "snapshot", "timestamp")
            try repository.publishRoot()
            try repository.publish()
        },
        Attack(name: "two keys", code: nil) { repository in
            repository.signers["targets"] = [try .init(4), try .init(5)]
            repository.thresholds["targets"] = 2
            repository.raise("root", "targets", "snapshot", "timestamp")
            try repository.publishRoot()
            try repository.publish()
        },
        Attack(name: "a root that the old root did not sign", code: .trustSignatures) {
            repository in
            repository.signers["root"] = [try .init(8)]
            repository.raise("root")
            try repository.publishRoot()
        },
        Attack(name: "a root that both roots signed", code: nil) { repository in
            let old = repository.signers["root"] ?? []
            repository.signers["root"] = [try .init(8)]
            repository.raise("root")
            try repository.publishRoot(with: old)
        },
        Attack(name: "a root that does not sign itself", code: .trustSignatures) { repository in
            repository.thresholds["root"] = 2
            repository.raise("root")
            try repository.publishRoot()
        },
        Attack(name: "a root of another version", code: .trustVersion) { repository in
            repository.versions["root"] = 3
            try repository.publishRoot()
            repository.files["2.root.json"] = repository.files.removeValue(forKey: "3.root.json")
        },
        Attack(name: "recovery: versions restart after a key was revoked", code: nil) {
            repository in
            repository.signers["timestamp"] = [try .init(6)]
            repository.signers["snapshot"] = [try .init(7)]
            repository.versions = ["root": 2, "timestamp": 1, "snapshot": 1, "targets": 1]
            repository.listed = [:]
            try repository.publishRoot()
            try repository.publish()
        },
        Attack(name: "recovery: only the snapshot key was revoked", code: nil) { repository in
            repository.signers["snapshot"] = [try .init(7)]
            repository.versions = ["root": 2, "timestamp": 6, "snapshot": 1, "targets": 1]
            repository.listed = [:]
            try repository.publishRoot()
            try repository.publish()
        },
        Attack(name: "no timestamp", code: .trustMissing) { repository in
            repository.files["timestamp.json"] = nil
        },
        Attack(name: "no snapshot", code: .trustMissing) { repository in
            repository.raise("snapshot", "timestamp")
            try repository.publish()
            repository.files["6.snapshot.json"] = nil
        },
        Attack(name: "a timestamp without an end", code: .trustTooLarge) { repository in
            repository.files["timestamp.json"]? += [UInt8](repeating: 32, count: 16_384)
        },
        Attack(name: "a number with a fraction", code: .trustMalformed) { repository in
            repository.delegations = ["keys": [:], "roles": [], "extra": 17]
            repository.raise("targets", "snapshot", "timestamp")
            try repository.publish()
            let text = String(decoding: repository.files["6.targets.json"] ?? [], as: UTF8.self)
            repository.files["6.targets.json"] = Array(
                text.replacing("\"extra\":17", with: "\"extra\":1.5").utf8
            )
        },
        Attack(name: "a target that nobody lists", code: .trustTargetUnknown) { repository in
            repository.targets = [:]
            repository.raise("targets", "snapshot", "timestamp")
            try repository.publish()
        },
        Attack(name: "another content of the target", code: .trustContent) { repository in
            for name in repository.files.keys where name.hasSuffix("ball-drop.json") {
                repository.files[name] = Array("[]".utf8)
            }
        },
        Attack(name: "a shorter content of the target", code: .trustContent) { repository in
            for name in repository.files.keys where name.hasSuffix("ball-drop.json") {
                repository.files[name] = Array("{".utf8)
            }
        },
    ]
}

@Suite("TUF client: attacks")
struct TUFAttackTests {
    @Test("after a trusted update, the client refuses or accepts", arguments: Attack.all)
    func attack(_ attack: Attack) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "trust-\(UUID().uuidString)"
        )
        defer { try? FileManager.default.removeItem(at: folder) }
        let metadata = MetadataFolder(folder.path)

        var repository = try SimulatedRepository()
        let anchor = try #require(repository.files["1.root.json"])
        for role in ["timestamp", "snapshot", "targets"] { repository.versions[role] = 5 }
        repository.listed = ["role": 1]
        try repository.publish()
        let start = try #require(Timestamp(parsing: "2026-01-01T00:00:00Z"))
        try metadata.initialize(anchor: anchor, now: start)
        let first = MetadataUpdater(folder: metadata, files: ServedFiles(repository), now: start)
        #expect(try await first.target(Attack.target).length == 2)

        try attack.change(&repository)
        let files = ServedFiles(repository)
        let now = try #require(Timestamp(parsing: attack.now))
        let updater = MetadataUpdater(folder: metadata, files: files, now: now)
        do {
            let target = try await updater.target(Attack.target)
            let content = try await updater.content(of: target, from: files)
            #expect(attack.code == nil, "accepted")
            #expect(content == Array("{}".utf8))
        } catch let error as ZooError {
            #expect(error.code == attack.code, "\(error)")
        }
    }

    @Test("a current repository costs two requests")
    func requests() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "trust-\(UUID().uuidString)"
        )
        defer { try? FileManager.default.removeItem(at: folder) }
        let repository = try SimulatedRepository()
        let now = try #require(Timestamp(parsing: "2026-01-01T00:00:00Z"))
        let metadata = MetadataFolder(folder.path)
        try metadata.initialize(anchor: try #require(repository.files["1.root.json"]), now: now)
        let first = ServedFiles(repository)
        try await MetadataUpdater(folder: metadata, files: first, now: now).refresh()
        #expect(
            first.asked == ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]
        )
        let second = ServedFiles(repository)
        try await MetadataUpdater(folder: metadata, files: second, now: now).refresh()
        #expect(second.asked == ["2.root.json", "timestamp.json"])
    }

    @Test("every changed byte of the timestamp is refused or has the same meaning")
    func mutation() throws {
        let repository = try SimulatedRepository()
        let now = try #require(Timestamp(parsing: "2026-01-01T00:00:00Z"))
        let anchor = try #require(repository.files["1.root.json"])
        let root = try TrustedRoot(anchor: anchor, now: now).concluded()
        let bytes = try #require(repository.files["timestamp.json"])
        let original = try root.timestamp(bytes, after: nil).file
        for position in bytes.indices {
            for mask in [UInt8(1), 0x20, 0x80] {
                var changed = bytes
                changed[position] ^= mask
                guard let accepted = try? root.timestamp(changed, after: nil) else { continue }
                // Hexadecimal digits of a signature may be of either case.
                #expect(accepted.file == original, "byte \(position)")
                #expect(mask == 0x20, "byte \(position)")
            }
        }
    }
}
