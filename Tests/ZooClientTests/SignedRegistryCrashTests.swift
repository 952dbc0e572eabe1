// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooTesting
import ZooTrust

/// Writers of signed registries that are killed between two files.
@Suite struct SignedRegistryCrashTests {
    private let name: ModelName
    private let date = Timestamp(secondsSince1970: OwnedRegistry.start)

    init() throws { name = try ModelName(parsing: "ami/tiny") }

    /// The files that changed between two states, in the order in which they were written.
    private func changes(
        _ registry: OwnedRegistry,
        since before: [String: [UInt8]]
    ) throws -> [(path: String, bytes: [UInt8]?)] {
        let after = try registry.files()
        var times: [(path: String, time: Int)] = []
        for (path, bytes) in after where before[path] != bytes {
            let status = try #require(try FileSystem.status(registry.path(path)))
            times.append((path, status.modified))
        }
        // Blobs come first, but a later step sets the times of those that it relies on.
        func order(_ file: (path: String, time: Int)) -> (Int, Int, String) {
            (file.path.hasPrefix("blobs/") ? 0 : 1, file.time, file.path)
        }
        let written = times.sorted { order($0) < order($1) }
            .map { (path: $0.path, bytes: after[$0.path]) }
        // What a writer removes goes last: an index document, a segment of the catalogue.
        return written
            + before.keys.filter { after[$0] == nil }.sorted().map { (path: $0, bytes: nil) }
    }

    /// Publishes, then kills the writer after each file in turn, and checks what is left.
    private func killed(
        _ change: (OwnedRegistry) throws -> Void,
        _ check: (OwnedRegistry, _ isCurrent: Bool) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            try registry.tiny.publish("1.0.0")
            let before = try registry.files()
            try change(registry)
            let steps = try changes(registry, since: before)
            let commit = try #require(steps.firstIndex { $0.path == "tuf/timestamp.json" })
            #expect(commit > 2)
            for count in 0...steps.count {
                var files = before
                for step in steps.prefix(count) { files[step.path] = step.bytes }
                try registry.restore(files)
                try await check(registry, count > commit)
            }
        }
    }

    @Test func aPublicationThatWasKilledIsThereAsAWholeOrNotAtAll() async throws {
        try await killed { registry in
            try registry.tiny.publish("1.1.0")
        } _: { registry, isCurrent in
            let store = try registry.store(named: FileSystem.uniqueName())
            let expected = isCurrent ? ["1.0.0", "1.1.0"] : ["1.0.0"]
            #expect(try await registry.versions(store) == expected)
            // The next writer completes it, and loses nothing.
            let index = try registry.open().apply(
                IndexChange(name, .yank(SemanticVersion(parsing: "1.0.0"), reason: "a test")),
                at: date,
                Cancellation()
            )
            #expect(index.entries.map(\.version.description).sorted() == expected)
            #expect(try await registry.versions(store) == expected)
            // So does the same publication.
            try registry.tiny.publish("1.1.0")
            #expect(try await registry.versions(store) == ["1.0.0", "1.1.0"])
            let report = try await RegistryCheck(root: registry.tiny.root, now: date).run()
            #expect(report.findings.filter { $0.severity == .error }.isEmpty, "\(report.findings)")
        }
    }

    @Test func aDeletionThatWasKilledIsCompleted() async throws {
        try await killed { registry in
            _ = try registry.open()
                .delete(name, SemanticVersion(parsing: "1.0.0"), at: date, Cancellation())
        } _: { registry, isCurrent in
            let store = try registry.store(named: FileSystem.uniqueName())
            let found = try? await registry.versions(store)
            #expect(found == (isCurrent ? nil : ["1.0.0"]))
            _ = try registry.open()
                .delete(name, SemanticVersion(parsing: "1.0.0"), at: date, Cancellation())
            #expect(try FileSystem.status(registry.path("index/ami/tiny.json")) == nil)
            #expect((try? await registry.versions(store)) == nil)
        }
    }

    @Test func collectionKeepsWhatTheMetadataNames() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            try registry.tiny.publish("1.0.0")
            let old = try FileSystem.document(registry.path("index/ami/tiny.json"), limit: 1 << 20)
            try registry.tiny.publish("1.1.0")
            // As if the writer had been killed before its last step.
            try FileSystem.writeAtomically(registry.path("index/ami/tiny.json"), old)
            _ = try RegistryFolder(opening: registry.tiny.root)
                .collect(olderThan: .max, dryRun: false, Cancellation())
            let store = try registry.store()
            #expect(try await registry.versions(store) == ["1.0.0", "1.1.0"])
            let metadata = try FileSystem.names(in: registry.path("tuf")).sorted()
            #expect(
                metadata == [
                    "1.root.json", "2.snapshot.json", "2.targets.json", "3.snapshot.json",
                    "3.targets.json", "timestamp.json",
                ]
            )
        }
    }

    @Test func aCollectionKeepsTheSignedDocumentOfAChangedOne() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            try registry.tiny.publish("1.0.0")
            let path = registry.path("index/ami/tiny.json")
            let old = try FileSystem.document(path, limit: 1 << 20)
            try registry.tiny.publish("1.1.0")
            // Nothing of the last change is incomplete.
            _ = try registry.open().renewMetadata(
                in: registry.state,
                with: [],
                at: OwnedRegistry.start,
                Cancellation()
            )
            try FileSystem.writeAtomically(path, old)
            _ = try registry.open().collect(olderThan: .max, dryRun: false, Cancellation())
            try registry.tiny.publish("1.2.0")
            let store = try registry.store()
            #expect(try await registry.versions(store) == ["1.0.0", "1.1.0", "1.2.0"])
        }
    }

    /// Keys are replaced, with the old ones of the registry or after they were lost; every state between two files
    /// is brought to an end by the next writer.
    @Test(arguments: [false, true])
    func aChangeOfTheRootThatWasKilledIsMadeOrGivenUp(areKeysLost: Bool) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            try registry.tiny.publish("1.0.0")
            let before = try registry.files()
            if areKeysLost { try FileSystem.remove(registry.state.keys) }
            let owner = try PrivateKey.generate()
            let outcome = try RegistryFolder(opening: registry.tiny.root).rotate(
                root: RolePlan(keys: [owner.publicKey], threshold: 1),
                targets: nil,
                online: true,
                in: registry.state,
                with: registry.keys + [owner],
                at: OwnedRegistry.start,
                Cancellation()
            )
            #expect(outcome.missing.isEmpty)
            let root = try #require(try registry.files()["tuf/2.root.json"])
            var steps = try changes(registry, since: before)
            let last = try #require(steps.firstIndex { $0.path == "tuf/2.root.json" })
            #expect(steps[last - 1].path == "tuf/timestamp.json")
            steps.insert(("tuf/next.root.json", root), at: 0)
            steps.append(("tuf/next.root.json", nil))
            for count in 0...steps.count {
                var files = before
                for step in steps.prefix(count) { files[step.path] = step.bytes }
                try registry.restore(files)
                // The old keys of the registry are gone, so only what was made can be continued.
                let isMade =
                    try FileSystem.document(
                        registry.path("tuf/timestamp.json"),
                        limit: 1 << 20
                    ) != before["tuf/timestamp.json"]
                guard isMade || !areKeysLost else { continue }
                let writer = try registry.open()
                try writer.apply(
                    IndexChange(name, .yank(SemanticVersion(parsing: "1.0.0"), reason: "a test")),
                    at: date,
                    Cancellation()
                )
                let store = try registry.store(named: FileSystem.uniqueName())
                #expect(try await registry.versions(store) == ["1.0.0"], "\(count)")
                let roots = try FileSystem.names(in: registry.path("tuf"))
                    .filter { $0.hasSuffix("root.json") }
                #expect(
                    roots.sorted() == (isMade ? ["1.root.json", "2.root.json"] : ["1.root.json"])
                )
            }
        }
    }

    @Test func aRebuildSignsNothingThatOnlyTheImageIndexLists() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try OwnedRegistry(in: folder)
            try registry.tiny.publish("1.0.0")
            var files = try registry.files()
            try registry.tiny.publish("1.1.0")
            // Blobs and list of a release that nobody signed.
            for (path, bytes) in try registry.files()
            where path.hasPrefix("blobs/") || path == "index.json" { files[path] = bytes }
            try registry.restore(files)
            do {
                _ = try registry.open().rebuild(Cancellation())
                Issue.record("a release was signed that nobody published")
            } catch let error as ZooError {
                #expect(error.code == .indexUnsigned)
            }
            #expect(try await registry.versions(try registry.store()) == ["1.0.0"])
        }
    }
}
