// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooArchive
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooStore
import ZooTesting

@Suite struct RegistryFolderTests {
    @Test(arguments: ArchiveEncoding.allCases)
    func packingTwiceGivesTheSameBytes(encoding: ArchiveEncoding) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let first = try await registry.publish("1.0.0", encoding: encoding)
            let blobs = try FileSystem.names(in: "\(registry.root)/blobs/sha256")
            let second = try await registry.publish("1.0.0", encoding: encoding)
            #expect(second.digest == first.digest)
            #expect(second.alreadyThere)
            #expect(try FileSystem.names(in: "\(registry.root)/blobs/sha256") == blobs)
        }
    }

    @Test func packingAgainRestoresDamagedBlobs() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0", seeds: [1])
            let blobs = "\(registry.root)/blobs/sha256"
            for name in try FileSystem.names(in: blobs) {
                var bytes = try FileSystem.document("\(blobs)/\(name)", limit: 1 << 30)
                bytes[bytes.count / 2] ^= 1
                try FileSystem.writeAtomically("\(blobs)/\(name)", bytes)
            }
            let check = RegistryCheck(root: registry.root, workers: 1)
            #expect(try await !check.run().findings.isEmpty)
            #expect(try await registry.publish("1.0.0", seeds: [1]).alreadyThere)
            #expect(try await check.run().findings == [])
        }
    }

    @Test func anImageLayoutBecomesARegistry() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0", seeds: [1])
            // What is left without these is the image layout that 'pack' writes.
            for name in ["zoo.json", "index", "catalogue.json", ".locks"] {
                try FileSystem.remove("\(registry.root)/\(name)")
            }
            #expect(throws: ZooError(.notARegistry, "")) {
                try RegistryFolder(opening: registry.root).rebuild(Cancellation())
            }
            try RegistryFolder.create(registry.root, RegistryDescription(name: "sample"))
            let changed = try RegistryFolder(opening: registry.root).rebuild(Cancellation())
            #expect(changed.map(\.name.description) == ["ami/sample"])
            #expect(try await RegistryCheck(root: registry.root).run().findings == [])
        }
    }

    @Test func aFolderThatDoesNotExistIsNotIndexed() async throws {
        try await TemporaryFolder.with { folder in
            let path = folder.path(of: "nothing")
            #expect(throws: ZooError(.notARegistry, "")) {
                try RegistryFolder(opening: path)
            }
            let found = try FileSystem.status(path)
            #expect(found == nil)
        }
    }

    @Test func publishingManyVersionsAtOnceLosesNone() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let versions = (0..<20).map { "1.\($0).0" }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for version in versions {
                    group.addTask { _ = try await registry.publish(version, seeds: [1]) }
                }
                try await group.waitForAll()
            }
            let documents = RegistryDocuments(root: registry.root)
            let index = try #require(try documents.index(of: ModelName(parsing: "ami/sample")))
            #expect(index.entries.count == versions.count)
            #expect(try documents.imageIndex()?.entries.count == versions.count)
            #expect(try await RegistryCheck(root: registry.root).run().findings == [])
        }
    }

    @Test func aVersionNeverChanges() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0", seeds: [1, 2])
            await #expect(throws: ZooError(.versionTaken, "")) {
                try await registry.publish("1.0.0", seeds: [1, 3])
            }
        }
    }

    @Test func whatOtherProgramsWroteIsKept() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let first = try await registry.publish("1.0.0", seeds: [1])
            func change(_ path: String, _ body: (inout [String: JSONValue]) -> Void) throws {
                let bytes = try folder.read("registry/\(path)")
                var members = try JSONObject(JSONValue(parsing: bytes)).members
                body(&members)
                try folder.write(JSONValue.object(members).canonicalBytes, to: "registry/\(path)")
            }
            func value(_ path: String, _ name: String) throws -> JSONValue? {
                try JSONObject(JSONValue(parsing: folder.read("registry/\(path)"))).value(name)
            }
            let foreign: JSONValue = [
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": .string(first.digest.description), "size": 2,
                "annotations": ["org.opencontainers.image.ref.name": "latest"],
            ]
            try change("index.json") { members in
                guard case .array(let manifests)? = members["manifests"] else {
                    Issue.record("index.json has no manifests")
                    return
                }
                members["manifests"] = .array([foreign] + manifests)
                members["annotations"] = ["made-by": "another program"]
            }
            let index = "index/ami/sample.json"
            try change(index) { members in
                guard case .array(let versions)? = members["versions"],
                    case .object(var version)? = versions.first
                else {
                    Issue.record("the index has no versions")
                    return
                }
                version["downloads"] = 7
                members["versions"] = [.object(version)]
                members["homepage"] = "https://example.org"
            }
            try await registry.publish("1.1.0", seeds: [2])
            guard case .array(let manifests)? = try value("index.json", "manifests"),
                case .array(let versions)? = try value(index, "versions"),
                case .object(let version)? = versions.first
            else {
                Issue.record("the documents have another form")
                return
            }
            #expect(manifests.count == 3)
            #expect(manifests.contains(foreign))
            #expect(try value("index.json", "annotations") != nil)
            #expect(versions.count == 2)
            #expect(version["downloads"] == 7)
            #expect(try value(index, "homepage") == "https://example.org")
        }
    }

    @Test func aListedVersionKeepsItsDigest() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let packed = try await registry.publish("1.0.0", seeds: [1])
            try registry.replaceWeights(of: packed) { $0[5000] ^= 1 }
            #expect(throws: ZooError(.versionTaken, "")) {
                try RegistryFolder(opening: registry.root).rebuild(Cancellation())
            }
        }
    }

    @Test func prereleasesStayOutOfStable() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0", seeds: [1])
            try await registry.publish("2.0.0-rc.1", seeds: [2])
            let puller = registry.puller(from: .folder(registry.root))
            let stable = try await puller.pull(.of("ami/sample"))
            #expect(stable.reference.description == "ami/sample:1.0.0")
            let candidate = try await puller.pull(.of("ami/sample:candidate"))
            #expect(candidate.reference.description == "ami/sample:2.0.0-rc.1")
        }
    }

    @Test func theCheckAcceptsWhatPackMade() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0", encoding: .zstd)
            try await registry.publish("1.1.0", seeds: [7])
            let report = try await RegistryCheck(root: registry.root).run()
            #expect(report.findings == [])
            #expect(report.releases == 2)
        }
    }

    @Test func theCheckFindsEveryBlobThatChanged() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0", encoding: .zstd)
            let blobs = "\(registry.root)/blobs/sha256"
            for name in try FileSystem.names(in: blobs) {
                let good = try FileSystem.document("\(blobs)/\(name)", limit: 1 << 30)
                var bad = good
                bad[bad.count / 2] ^= 1
                try FileSystem.writeAtomically("\(blobs)/\(name)", bad)
                let report = try await RegistryCheck(root: registry.root).run()
                #expect(report.findings.contains { $0.severity == .error }, "\(name)")
                try FileSystem.writeAtomically("\(blobs)/\(name)", good)
            }
            #expect(try await RegistryCheck(root: registry.root).run().findings == [])
        }
    }

    @Test func theCheckPointsOutBlobsThatNothingUses() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0")
            try BlobFolder(root: registry.root).write([1, 2, 3])
            let report = try await RegistryCheck(root: registry.root).run()
            #expect(report.findings.map(\.code) == [.blobUnreferenced])
            #expect(report.findings.map(\.severity) == [.warning])
        }
    }

    /// A data set of one file, published as any release is.
    private func publishDataSet(to root: String, in folder: TemporaryFolder) async throws {
        let content = Array("a,b\n".utf8)
        try folder.write(content, to: "data/labels.csv")
        let path = try ReleasePath(parsing: "labels.csv")
        let layout = ArchiveLayout(files: [(path, content.count)])
        let record: JSONValue = [
            "format": "ami-zoo.dataset/1", "requires": [], "compatibility": ["reader": "0.1.0"],
            "name": "ami/drops", "version": "1.0.0", "created": "2026-01-31T12:00:00Z",
            "summary": "Falling balls.", "authors": ["somebody"], "licence": "Apache-2.0",
            "modality": "video", "lineage": ["kind": "generated", "seed": 7],
            "splits": [["name": "test", "count": 1, "files": ["labels.csv"]]],
            "files": [
                [
                    "path": "labels.csv", "size": .integer(content.count), "archive": "documents",
                    "digest": .string(ContentDigest(of: content).description),
                    "offset": .integer(layout.members[0].contentOffset),
                ]
            ],
        ]
        let read = try DataSetRecord(canonical: record.canonicalBytes)
        let target = try await FolderTarget(root: root)
        let draft = try await target.draft()
        let table = try ArchiveWriter(
            layout: layout,
            plan: BlockPlan(layout: layout, tensorStarts: [:]),
            encoding: .stored
        ).write(
            from: folder.path(of: "data"),
            digests: [path: read.files[0].digest],
            to: draft.file,
            Cancellation()
        ).table
        try await target.put(draft, as: table.archiveDigest, of: read.name)
        let annotations = [ReleaseManifest.MediaType.archiveName: "documents"]
        let manifest = ReleaseManifest(
            kind: .dataset,
            record: Descriptor(
                mediaType: ArtifactKind.dataset.recordType,
                digest: try await target.put(read.canonicalBytes, of: read.name),
                size: read.canonicalBytes.count
            ),
            archives: [
                ReleaseManifest.Archive(
                    name: "documents",
                    archive: Descriptor(
                        mediaType: ReleaseManifest.MediaType.archive(.stored),
                        digest: table.archiveDigest,
                        size: table.archiveSize,
                        annotations: annotations
                    ),
                    blocks: Descriptor(
                        mediaType: ReleaseManifest.MediaType.blocks,
                        digest: try await target.put(table.canonicalBytes, of: read.name),
                        size: table.canonicalBytes.count,
                        annotations: annotations
                    )
                )
            ]
        )
        #expect(
            try await target.publish(
                manifest.canonicalBytes,
                as: RegistryFolder.Identity(name: read.name, version: read.version),
                written: []
            )
        )
    }

    @Test func aDataSetIsAReleaseOfItsOwnKind() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await publishDataSet(to: registry.root, in: folder)
            try await registry.publish("1.0.0", seeds: [1])
            let source = Registry(.folder(registry.root), transport: .unused, cache: nil)
            let drops = try ModelName(parsing: "ami/drops")
            #expect(try await source.index(of: drops).kind == .dataset)
            #expect(try await source.catalogue().compactMap(\.summary?.kind) == [.dataset, .model])
            let report = try await RegistryCheck(root: registry.root, workers: 1).run()
            #expect(report.findings == [])
            #expect(report.releases == 2)
        }
    }
}
