// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooTesting

/// Changes of what is published: yanks, channels, deletions.
@Suite struct RegistryChangeTests {
    private static let date = Timestamp(secondsSince1970: 1_700_000_000)
    private let name: ModelName
    private let sample: (ModelName, SemanticVersion)
    private static let everything = Int.max

    init() throws {
        name = try ModelName(parsing: "ami/sample")
        sample = (name, try SemanticVersion(parsing: "1.0.0"))
    }

    private func version(_ text: String) throws -> SemanticVersion {
        try SemanticVersion(parsing: text)
    }

    private func resolved(_ reference: String, in root: String) async throws -> String {
        let registry = Registry(.folder(root), transport: .unused, cache: nil)
        let reference = try ModelReference(parsing: reference)
        let index = try await registry.index(of: reference.name)
        return index.entry(for: reference.selector)?.version.description ?? "none"
    }

    // MARK: Yanks and channels

    @Test func aYankHidesAVersionFromChannelsUntilItIsTakenBack() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0", seeds: [1])
            try await registry.publish("1.1.0", seeds: [2])
            let root = try RegistryFolder(opening: registry.root)
            let new = try version("1.1.0")
            let yank = IndexChange(name, .yank(new, reason: "wrong"))
            let index = try root.apply(yank, at: Self.date, Cancellation())
            #expect(index.entry(for: .version(new))?.yank?.reason == "wrong")
            #expect(try await resolved("ami/sample", in: registry.root) == "1.0.0")
            #expect(try await resolved("ami/sample:1.1.0", in: registry.root) == "1.1.0")
            let source = Registry(.folder(registry.root), transport: .unused, cache: nil)
            #expect(try await source.catalogue().first?.summary?.versions == [version("1.0.0")])
            // The same reason keeps the date of the yank.
            let later = Timestamp(secondsSince1970: 1_800_000_000)
            let again = try root.apply(yank, at: later, Cancellation())
            #expect(again == index)
            try root.apply(IndexChange(name, .unyank(new)), at: later, Cancellation())
            #expect(try await resolved("ami/sample", in: registry.root) == "1.1.0")
            #expect(try await RegistryCheck(root: registry.root).run().findings == [])
        }
    }

    @Test func channelsMove() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0", seeds: [1])
            try await registry.publish("2.0.0-rc.1", seeds: [2])
            let root = try RegistryFolder(opening: registry.root)
            let pre = try version("2.0.0-rc.1")
            func change(_ kind: IndexChange.Kind) throws -> IndexDocument {
                try root.apply(IndexChange(name, kind), at: Self.date, Cancellation())
            }
            _ = try change(.channel(.stable, adding: [pre], removing: []))
            #expect(try await resolved("ami/sample", in: registry.root) == "2.0.0-rc.1")
            let index = try change(.channel(.candidate, adding: [], removing: [pre]))
            #expect(Set(index.channels.keys) == [.stable])
            #expect(throws: ZooError(.versionUnknown, "")) {
                try change(.channel(.stable, adding: [version("9.0.0")], removing: []))
            }
            #expect(try await RegistryCheck(root: registry.root).run().findings == [])
        }
    }

    @Test(arguments: ["", "two\nlines", String(repeating: "x", count: 1001)])
    func aReasonIsOneLine(reason: String) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0", seeds: [1])
            let before = try folder.read("registry/index/ami/sample.json")
            #expect(throws: ZooError(.fieldInvalid, "")) {
                let yank = IndexChange(sample.0, .yank(sample.1, reason: reason))
                try RegistryFolder(opening: registry.root)
                    .apply(yank, at: Self.date, Cancellation())
            }
            #expect(try folder.read("registry/index/ami/sample.json") == before)
        }
    }

    @Test func whatIsNotThereIsNotChanged() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let root = try RegistryFolder(opening: registry.root)
            #expect(throws: ZooError(.modelUnknown, "")) {
                let unyank = IndexChange(sample.0, .unyank(sample.1))
                try root.apply(unyank, at: Self.date, Cancellation())
            }
            #expect(throws: ZooError(.versionUnknown, "")) {
                try root.delete(sample.0, sample.1, at: Self.date, Cancellation())
            }
        }
    }

    // MARK: Deletion

    @Test func aDeletedVersionIsGoneLoggedAndItsNameStaysTaken() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let first = try await registry.publish("1.0.0", seeds: [1])
            try await registry.publish("1.1.0", seeds: [2])
            let root = try RegistryFolder(opening: registry.root)
            let digest = try root.delete(sample.0, sample.1, at: Self.date, Cancellation())
            #expect(digest == first.digest)
            #expect(try await resolved("ami/sample:1.0.0", in: registry.root) == "none")
            let log = String(
                decoding: try folder.read("registry/deleted/ami/sample.jsonl"),
                as: UTF8.self
            )
            #expect(
                log == """
                    {"date":"2023-11-14T22:13:20Z","digest":"\(first.digest)","name":"ami/sample",\
                    "version":"1.0.0"}

                    """
            )
            // 'registry index' does not bring it back, other content is refused, the same is not.
            #expect(try root.rebuild(Cancellation()) == [])
            await #expect(throws: ZooError(.versionTaken, "")) {
                try await registry.publish("1.0.0", seeds: [3])
            }
            #expect(try await registry.publish("1.0.0", seeds: [1]).digest == first.digest)
            #expect(try await resolved("ami/sample:1.0.0", in: registry.root) == "1.0.0")
        }
    }

    @Test func theLastVersionTakesTheModelWithIt() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0", seeds: [1])
            let root = try RegistryFolder(opening: registry.root)
            _ = try root.delete(sample.0, sample.1, at: Self.date, Cancellation())
            let source = Registry(.folder(registry.root), transport: .unused, cache: nil)
            #expect(try await source.catalogue().isEmpty)
            let collected = try root.collect(
                olderThan: Self.everything,
                dryRun: false,
                Cancellation()
            )
            #expect(collected.blobs > 0)
            let report = try await RegistryCheck(root: registry.root).run()
            #expect(report.findings == [])
            #expect(report.releases == 0)
        }
    }

    @Test func anInterruptedDeletionIsCompleted() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0", seeds: [1])
            try await registry.publish("1.1.0", seeds: [2])
            let view = try folder.read("registry/index.json")
            let catalogue = try folder.read("registry/catalogue.json")
            let root = try RegistryFolder(opening: registry.root)
            _ = try root.delete(sample.0, sample.1, at: Self.date, Cancellation())
            // As a crash after the index document leaves it.
            try folder.write(view, to: "registry/index.json")
            let segment = try RegistryCatalogue(canonical: catalogue).segments.map(\.digest)
            let check = RegistryCheck(root: registry.root)
            #expect(try await check.run().findings.allSatisfy { $0.severity == .warning })
            #expect(!segment.isEmpty)
            _ = try root.rebuild(Cancellation())
            let report = try await check.run()
            #expect(report.findings.allSatisfy { $0.code == .blobUnreferenced })
            #expect(report.releases == 1)
            try folder.write(view, to: "registry/index.json")
            _ = try root.delete(sample.0, sample.1, at: Self.date, Cancellation())
            #expect(try await check.run().findings.allSatisfy { $0.code == .blobUnreferenced })
            let log = try folder.read("registry/deleted/ami/sample.jsonl")
            #expect(log.count { $0 == UInt8(ascii: "\n") } == 1)
        }
    }
}
