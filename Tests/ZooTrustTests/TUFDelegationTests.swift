// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTrust

@Suite("TUF client: delegations")
struct TUFDelegationTests {
    static func role(
        _ name: String,
        _ key: String,
        _ paths: [String],
        terminating: Bool = false
    ) -> JSONValue {
        [
            "name": .string(name), "keyids": [.string(key)], "threshold": 1,
            "terminating": .bool(terminating), "paths": .array(paths.map { .string($0) }),
        ]
    }

    static func delegations(
        _ signers: [SimulatedRepository.Signer],
        _ roles: [JSONValue]
    ) -> JSONValue {
        let keys = Dictionary(uniqueKeysWithValues: signers.map { ($0.id, $0.json) })
        return ["keys": .object(keys), "roles": .array(roles)]
    }

    /// An updater of a repository, at a time before all expiry dates.
    static func updater(
        _ repository: SimulatedRepository,
        _ folder: URL
    ) throws -> (MetadataUpdater, ServedFiles) {
        let now = try #require(Timestamp(parsing: "2026-01-01T00:00:00Z"))
        let metadata = MetadataFolder(folder.path)
        try metadata.initialize(anchor: try #require(repository.files["1.root.json"]), now: now)
        let files = ServedFiles(repository)
        return (MetadataUpdater(folder: metadata, files: files, now: now), files)
    }

    static func temporaryFolder() -> URL {
        FileManager.default.temporaryDirectory.appending(path: "trust-\(UUID().uuidString)")
    }

    @Test("a cached role is verified again for the delegation through which it is reached")
    func diamond() async throws {
        let folder = Self.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let (a, b) = (try SimulatedRepository.Signer(10), try SimulatedRepository.Signer(11))
        var repository = try SimulatedRepository()
        repository.delegations = Self.delegations(
            [a, b],
            [Self.role("a", a.id, ["a/*"]), Self.role("b", b.id, ["b/*"])]
        )
        repository.listed = ["a": 1, "b": 1, "shared": 1]
        try repository.publish()
        // Both delegate to one role, and only the key of the first signs it.
        for (name, signer) in [("a", a), ("b", b)] {
            repository.files["1.\(name).json"] = try repository.targetsFile(
                version: 1,
                [:],
                Self.delegations([signer], [Self.role("shared", signer.id, ["\(name)/*"])]),
                [signer]
            )
        }
        repository.files["1.shared.json"] = try repository.targetsFile(
            version: 1,
            ["a/file": [1], "b/file": [2]],
            nil,
            [a]
        )
        let (updater, _) = try Self.updater(repository, folder)
        #expect(try await updater.target("a/file").length == 1)
        await #expect(throws: ZooError(.trustSignatures, "")) {
            try await updater.target("b/file")
        }
    }

    @Test("a terminating role ends the search, and a role is asked only for its paths")
    func terminating() async throws {
        let folder = Self.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let signer = try SimulatedRepository.Signer(10)
        var repository = try SimulatedRepository()
        repository.delegations = Self.delegations(
            [signer],
            [
                Self.role("other", signer.id, ["other/*"]),
                Self.role("first", signer.id, ["a/*"], terminating: true),
                Self.role("second", signer.id, ["*/*"]),
            ]
        )
        repository.listed = ["other": 1, "first": 1, "second": 1]
        try repository.publish()
        for name in ["other", "first"] {
            repository.files["1.\(name).json"] = try repository.targetsFile(
                version: 1,
                ["z/file": [1]],
                nil,
                [signer]
            )
        }
        repository.files["1.second.json"] = try repository.targetsFile(
            version: 1,
            ["a/file": [1], "b/file": [1]],
            nil,
            [signer]
        )
        let (updater, files) = try Self.updater(repository, folder)
        await #expect(throws: ZooError(.trustTargetUnknown, "")) {
            try await updater.target("a/file")
        }
        #expect(files.asked.suffix(1) == ["1.first.json"])
        #expect(try await updater.target("b/file").length == 1)
        #expect(files.asked.suffix(1) == ["1.second.json"])
    }

    @Test("a delegated role that the snapshot does not list is refused")
    func unlisted() async throws {
        let folder = Self.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let signer = try SimulatedRepository.Signer(10)
        var repository = try SimulatedRepository()
        repository.delegations = Self.delegations([signer], [Self.role("a", signer.id, ["a/*"])])
        try repository.publish()
        let (updater, _) = try Self.updater(repository, folder)
        await #expect(throws: ZooError(.trustUnlisted, "")) { try await updater.target("a/file") }
    }

    @Test("a chain without an end stops at the limit")
    func chain() async throws {
        let folder = Self.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let signer = try SimulatedRepository.Signer(10)
        var repository = try SimulatedRepository()
        func next(_ number: Int) -> JSONValue {
            Self.delegations([signer], [Self.role("role\(number)", signer.id, ["a/*"])])
        }
        repository.delegations = next(1)
        for number in 1...40 {
            repository.listed["role\(number)"] = 1
            repository.files["1.role\(number).json"] = try repository.targetsFile(
                version: 1,
                [:],
                next(number + 1),
                [signer]
            )
        }
        try repository.publish()
        let (updater, files) = try Self.updater(repository, folder)
        await #expect(throws: ZooError(.trustTooManySteps, "")) {
            try await updater.target("a/file")
        }
        #expect(files.asked.last == "1.role32.json")
    }

    @Test("the name of a top-level role cannot be delegated", arguments: ["snapshot", "Root", ""])
    func reserved(name: String) throws {
        #expect(throws: ZooError(.trustMalformed, "")) { try RoleName(delegated: name) }
    }

    @Test("the file of a role stays one component of a path")
    func fileNames() throws {
        #expect(
            try RoleName(delegated: "../é?#").fileName(version: 3) == "3...%2F%C3%A9%3F%23.json"
        )
    }

    @Test("a role is trusted for the paths whose hash begins with one of its prefixes")
    func hashPrefixes() async throws {
        let folder = Self.temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let a = try SimulatedRepository.Signer(10)
        let (inside, outside) = ("index/a", "index/b")
        let prefix = String(ContentDigest(of: inside.utf8).hex.prefix(3))
        #expect(!ContentDigest(of: outside.utf8).hex.hasPrefix(prefix))
        var repository = try SimulatedRepository()
        repository.delegations = [
            "keys": .object([a.id: a.json]),
            "roles": [
                [
                    "name": "a", "keyids": [.string(a.id)], "threshold": 1, "terminating": false,
                    "path_hash_prefixes": ["000000", .string(prefix)],
                ]
            ],
        ]
        repository.listed = ["a": 1]
        try repository.publish()
        repository.files["1.a.json"] = try repository.targetsFile(
            version: 1,
            [inside: [1], outside: [2]],
            nil,
            [a]
        )
        let (updater, _) = try Self.updater(repository, folder)
        #expect(try await updater.target(inside).length == 1)
        await #expect(throws: ZooError(.trustTargetUnknown, "")) {
            try await updater.target(outside)
        }
    }
}
