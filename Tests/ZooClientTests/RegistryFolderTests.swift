// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooArchive
import ZooClient
import ZooCore
import ZooFiles
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
                guard case .array(let manifests)? = members["manifests"] else { return }
                members["manifests"] = .array([foreign] + manifests)
                members["annotations"] = ["made-by": "another program"]
            }
            let index = "index/ami/sample.json"
            try change(index) { members in
                guard case .array(let versions)? = members["versions"],
                    case .object(var version)? = versions.first
                else { return }
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
                try RegistryFolder.openForWriting(registry.root, Cancellation()).rebuildIndex()
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
}
