// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooTesting

/// Index documents that are kept under their digest, because something signed names them so.
@Suite struct IndexRevisionTests {
    private let name: ModelName

    init() throws { name = try ModelName(parsing: "ami/tiny") }

    /// The revisions of the model in a registry folder, with their bytes.
    private func revisions(in root: String) throws -> [ContentDigest: [UInt8]] {
        var found: [ContentDigest: [UInt8]] = [:]
        for path in try FileSystem.files(below: "\(root)/index") {
            guard let revision = IndexRevision(path: "index/\(path)") else { continue }
            #expect(revision.name == name)
            found[revision.digest] = try FileSystem.document(
                "\(root)/\(revision.path)",
                limit: 1 << 20
            )
        }
        return found
    }

    private func trusting(_ registry: TinyRegistry) throws {
        let description = RegistryDescription(
            name: "tiny",
            log: RegistryDescription.Log(origin: "example.org/log", key: "example.org/log+key"),
            unknownMembers: ["note": "kept"]
        )
        try FileSystem.writeAtomically(
            "\(registry.root)/\(RegistryLayout.description)",
            description.canonicalBytes
        )
    }

    @Test func aRegistryWithoutSignedNamesKeepsNone() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            try registry.publish("1.0.0")
            #expect(try revisions(in: registry.root).isEmpty)
        }
    }

    @Test func everyChangeKeepsItsDocument() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            try trusting(registry)
            try registry.publish("1.0.0")
            try registry.publish("1.1.0")
            let root = try RegistryFolder(opening: registry.root)
            let version = try SemanticVersion(parsing: "1.0.0")
            let date = try #require(Timestamp(parsing: "2026-01-31T12:00:00Z"))
            try root.apply(
                IndexChange(name, .yank(version, reason: "wrong")),
                at: date,
                Cancellation()
            )
            let kept = try revisions(in: registry.root)
            #expect(kept.count == 3)
            for (digest, bytes) in kept { #expect(ContentDigest(of: bytes) == digest) }
            let current = try #require(try root.documents.indexBytes(of: name))
            #expect(kept[ContentDigest(of: current)] == current)
            // They are neither models nor strangers.
            #expect(try root.documents.names() == [name])
            #expect(try await RegistryCheck(root: registry.root).run().findings == [])
        }
    }

    @Test func collectionKeepsTheCurrentDocumentAndYoungOnes() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            try trusting(registry)
            try registry.publish("1.0.0")
            try registry.publish("1.1.0")
            let root = try RegistryFolder(opening: registry.root)
            let before = try revisions(in: registry.root)
            _ = try root.collect(olderThan: 0, dryRun: false, Cancellation())
            #expect(try revisions(in: registry.root) == before)
            let dry = try root.collect(olderThan: .max, dryRun: true, Cancellation())
            #expect(dry.revisions == 1)
            #expect(try revisions(in: registry.root) == before)
            let done = try root.collect(olderThan: .max, dryRun: false, Cancellation())
            #expect(done == dry)
            let current = try #require(try root.documents.indexBytes(of: name))
            #expect(try revisions(in: registry.root) == [ContentDigest(of: current): current])
        }
    }

    @Test func aDocumentThatDoesNotMatchItsNameIsFound() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            try trusting(registry)
            try registry.publish("1.0.0")
            let digest = try #require(try revisions(in: registry.root).keys.first)
            let path = IndexRevision(of: name, digest).path
            try folder.write([1], to: "registry/\(path)")
            let findings = try await RegistryCheck(root: registry.root).run().findings
            #expect(findings.map(\.code) == [.registryMismatch])
            #expect(findings.map(\.path) == [path])
        }
    }
}
