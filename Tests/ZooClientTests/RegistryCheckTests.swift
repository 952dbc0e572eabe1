// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooStore
import ZooTesting

/// What `registry check` finds in folders that were changed by hand.
@Suite struct RegistryCheckTests {
    private let index = "registry/index/ami/sample.json"

    /// Checks a registry of two versions after a change.
    private func findings(
        _ change: (TemporaryFolder, SampleRegistry) throws -> Void
    ) async throws -> [Finding] {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0", seeds: [1])
            try await registry.publish("1.1.0", seeds: [2])
            #expect(try await RegistryCheck(root: registry.root).run().findings == [])
            try change(folder, registry)
            return try await RegistryCheck(root: registry.root).run().findings
        }
    }

    private func codes(
        _ change: (TemporaryFolder, SampleRegistry) throws -> Void
    ) async throws -> [ZooError.Code] {
        try await findings(change).map(\.code)
    }

    private func remove(_ name: String, _ folder: TemporaryFolder) throws {
        try FileSystem.remove(folder.path(of: name))
    }

    @Test(arguments: ["zoo.json", "oci-layout"])
    func aMissingDocumentIsFound(name: String) async throws {
        let found = try await findings { folder, _ in try remove("registry/\(name)", folder) }
        #expect(found.map(\.code.rawValue) == ["registry.document-missing"])
        #expect(found.map(\.path) == [name])
    }

    @Test func theListOfManifestsMayBeLeftOutAndItsReleasesAreCheckedStill() async throws {
        let found = try await codes { folder, registry in
            try remove("registry/index.json", folder)
            let entry = try #require(
                try RegistryDocuments(root: registry.root).index(
                    of: ModelName(parsing: "ami/sample")
                )?.current
            )
            let path = "registry/\(RegistryLayout.blob(entry.digest))"
            let bytes = try folder.read(path)
            try remove(path, folder)
            try folder.write(bytes + [0x20], to: path)
        }
        #expect(found.first?.rawValue == "store.blob-mismatch")
    }

    @Test(arguments: ["catalogue.json", "segment"])
    func aMissingCatalogueIsFound(part: String) async throws {
        let found = try await findings { folder, registry in
            let head = try #require(try RegistryDocuments(root: registry.root).catalogue())
            let digest = try #require(head.segments.last?.digest)
            try remove(
                "registry/\(part == "segment" ? RegistryLayout.blob(digest) : part)",
                folder
            )
        }
        #expect(found.contains { $0.path == "catalogue.json" })
        #expect(found.contains { $0.remedy?.contains("registry index") == true })
    }

    @Test func anImageLayoutOfAnotherVersionIsFound() async throws {
        let found = try await codes { folder, _ in
            try folder.write(
                Array(#"{"imageLayoutVersion":"2.0.0"}"#.utf8),
                to: "registry/oci-layout"
            )
        }
        #expect(found.map(\.rawValue) == ["registry.document-invalid"])
    }

    @Test func aModelThatTheListOfManifestsLacksIsFound() async throws {
        let found = try await findings { folder, registry in
            try folder.write(ImageIndex(entries: []).canonicalBytes, to: "registry/index.json")
        }
        #expect(
            found.map(\.code.rawValue) == Array(repeating: "registry.manifest-unlisted", count: 2)
        )
    }

    @Test func releasesOfTheIndexAloneAreReadToo() async throws {
        let found = try await findings { folder, registry in
            try folder.write(ImageIndex(entries: []).canonicalBytes, to: "registry/index.json")
            let blobs = "registry/blobs/sha256"
            let sizes = try FileSystem.names(in: folder.path(of: blobs)).map { name in
                (name, try folder.read("\(blobs)/\(name)").count)
            }
            let largest = try #require(sizes.max { $0.1 < $1.1 }).0
            var bytes = try folder.read("\(blobs)/\(largest)")
            bytes[bytes.count / 2] ^= 1
            try FileSystem.writeAtomically(folder.path(of: "\(blobs)/\(largest)"), bytes)
        }
        #expect(found.contains { $0.code.rawValue == "archive.block-mismatch" })
    }

    @Test func aReleaseThatNoIndexListsIsFound() async throws {
        let found = try await codes { folder, _ in try remove(index, folder) }
        let unindexed = "registry.version-unindexed"
        #expect(found.map(\.rawValue) == [unindexed, unindexed, "registry.catalogue-stale"])
    }

    @Test func anIndexDocumentThatCannotBeReadIsFoundOnce() async throws {
        let found = try await codes { folder, _ in try folder.write([0x7B], to: index) }
        #expect(found.map(\.rawValue) == ["json.malformed"])
    }

    @Test func aDocumentUnderAnotherNameIsFound() async throws {
        let found = try await findings { folder, _ in
            try folder.write(folder.read(index), to: "registry/index/ami/other.json")
        }
        #expect(found.map(\.code) == [.indexInvalid])
        #expect(found.map(\.path) == ["index/ami/other.json"])
    }

    @Test(arguments: [
        ("index/ami/Bad Name.json", Finding.Severity.error),
        ("index/ami/notes.txt", .error), ("index/stray.json", .error),
        ("index/ami/.1-2.tmp", .warning), ("blobs/sha256/.1-2.tmp", .warning),
        ("blobs/sha256/README", .warning),
    ])
    func aFileThatIsNoPartOfTheRegistryIsFound(
        path: String,
        severity: Finding.Severity
    ) async throws {
        let found = try await findings { folder, _ in try folder.write([1], to: "registry/\(path)")
        }
        #expect(found.map(\.code.rawValue) == ["registry.file-unknown"])
        #expect(found.map(\.severity) == [severity])
        #expect(found.map(\.path) == [path])
    }

    @Test func anUnreferencedBlobWithOtherContentIsAnError() async throws {
        // The next release with that blob would take the file as it is.
        let found = try await findings { folder, _ in
            let name = ContentDigest(of: [1, 2, 3]).hex
            try folder.write([4], to: "registry/blobs/sha256/\(name)")
        }
        #expect(found.map(\.code) == [.blobMismatch])
        #expect(found.map(\.severity) == [.error])
    }

    @Test func aMissingBlobIsFound() async throws {
        let found = try await findings { folder, registry in
            let manifest = try ImageIndex(parsing: folder.read("registry/index.json")).entries[0]
            try remove("registry/\(RegistryLayout.blob(manifest.digest))", folder)
        }
        #expect(found.contains { $0.code.rawValue == "registry.blob-missing" })
    }

    @Test func anIndexEntryThatContradictsTheRecordIsFound() async throws {
        let found = try await findings { folder, _ in
            let text = String(decoding: try folder.read(index), as: UTF8.self)
            try folder.write(Array(text.replacing("Apache-2.0", with: "MIT").utf8), to: index)
        }
        #expect(
            found.map(\.code.rawValue)
                == Array(repeating: "registry.release-inconsistent", count: 2)
        )
    }

    @Test func aFolderThatIsNoRegistryIsRefused() async throws {
        _ = try await TemporaryFolder.with { folder in
            await #expect(throws: ZooError(.notARegistry, "")) {
                try await RegistryCheck(root: folder.path).run()
            }
        }
    }

    @Test func aCancelledCheckEnds() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0")
            let task = Task { try await RegistryCheck(root: registry.root).run() }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }
}
