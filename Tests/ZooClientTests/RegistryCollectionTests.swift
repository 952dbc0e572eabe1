// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooTesting

/// Collection of what nothing refers to, alone and beside publications.
@Suite struct RegistryCollectionTests {
    private let name: ModelName
    private static let everything = Int.max

    init() throws {
        name = try ModelName(parsing: "ami/sample")
    }

    @Test func collectionRemovesWhatNothingRefersTo() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0", seeds: [1])
            let root = try RegistryFolder(opening: registry.root)
            let before = try FileSystem.names(in: "\(registry.root)/blobs/sha256")
            let garbage = try root.blobs.write([1, 2, 3])
            let held = try root.blobs.draft()
            try folder.write([1], to: "registry/blobs/sha256/.77-abc.tmp")
            try folder.write([1], to: "registry/index/ami/.77-abc.tmp")
            try folder.write([1], to: "registry/blobs/sha256/README")
            try folder.write([1], to: "registry/.uploads/one/data")
            let dry = try root.collect(olderThan: Self.everything, dryRun: true, Cancellation())
            #expect(dry.blobs == 1)
            #expect(dry.temporaryFiles == 2)
            #expect(dry.uploads == 1)
            #expect(dry.bytes == 6)
            #expect(dry.kept == before.count)
            #expect(try FileSystem.status(root.blobs.path(of: garbage)) != nil)
            // Within the grace period nothing is removed.
            let young = try root.collect(olderThan: 0, dryRun: false, Cancellation())
            #expect(young == RegistryFolder.Collected(kept: before.count + 1))
            let done = try root.collect(olderThan: Self.everything, dryRun: false, Cancellation())
            #expect(done == dry)
            let left = Set(try FileSystem.names(in: "\(registry.root)/blobs/sha256"))
            #expect(left == Set(before + ["README", FileSystem.name(of: held.file.path)]))
            #expect(try FileSystem.names(in: "\(registry.root)/.uploads").isEmpty)
        }
    }

    /// A manifest of another kind, written as other OCI tools write it.
    private func artifact(
        of blob: ContentDigest,
        subject: ContentDigest? = nil
    ) -> [UInt8] {
        let subject = subject.map {
            """
            ,"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json",\
            "digest":"\($0)","size":7}
            """
        }
        return Array(
            """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",\
            "config":{"mediaType":"text/plain","digest":"\(blob)","size":3},"layers":[]\
            \(subject ?? "")}
            """.utf8
        )
    }

    @Test func collectionKeepsAttachmentsForeignArtifactsAndPendingUploads() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let release = try await registry.publish("1.0.0", seeds: [1])
            let root = try RegistryFolder(opening: registry.root)
            let signature = try root.blobs.write([1])
            let attachment = try root.blobs.write(artifact(of: signature, subject: release.digest))
            try root.changeIndex(of: name, Cancellation()) { index in
                let entry = try #require(index.entries.first)
                return try IndexDocument(
                    name: index.name,
                    entries: [
                        IndexDocument.Entry(
                            version: entry.version,
                            digest: entry.digest,
                            size: entry.size,
                            created: entry.created,
                            licence: entry.licence,
                            attachments: [
                                IndexDocument.Attachment(
                                    type: "text/plain",
                                    digest: attachment,
                                    size: 7
                                )
                            ]
                        )
                    ],
                    channels: index.channels
                )
            }
            let foreign = try root.blobs.write([2])
            let manifest = artifact(of: foreign)
            let hex = ContentDigest(of: manifest).hex
            try folder.write(manifest, to: "registry/oci/lab/image/_manifests/sha256/\(hex)")
            let listed = try root.blobs.write([3])
            let inLayout = try root.blobs.write(artifact(of: listed))
            var view = try JSONObject(
                JSONValue(parsing: folder.read("registry/index.json"))
            ).members
            guard case .array(let manifests)? = view["manifests"] else { return }
            view["manifests"] = .array(
                manifests + [["mediaType": "a/b", "digest": .string("\(inLayout)"), "size": 1]]
            )
            try folder.write(
                JSONValue.object(view).canonicalBytes,
                to: "registry/index.json"
            )
            let table = try root.blobs.write([4])
            try folder.write([1], to: "registry/.uploads/one/data")
            try folder.write(
                Array(#"{"target":{"blocks":"\#(table)"}}"#.utf8),
                to: "registry/.uploads/one/session.json"
            )
            // Every blob is old, and the upload is not.
            let data = try OpenFile("\(registry.root)/.uploads/one/data", .read)
            let cutoff = try data.status().modified
            while try data.status().modified <= cutoff { try data.touch() }
            let kept = [signature, attachment, foreign, listed, inLayout, table]
            let garbage = try root.blobs.write([5])
            let collected = try root.collect(
                olderThan: try data.status().modified,
                dryRun: false,
                Cancellation()
            )
            #expect(collected.uploads == 0)
            for digest in kept {
                #expect(try FileSystem.status(root.blobs.path(of: digest)) != nil)
            }
            let all = try root.collect(olderThan: Self.everything, dryRun: false, Cancellation())
            #expect(all.uploads == 1)
            #expect(try FileSystem.status(root.blobs.path(of: garbage)) == nil)
            for digest in kept.dropLast() {
                #expect(try FileSystem.status(root.blobs.path(of: digest)) != nil)
            }
        }
    }

    @Test func collectionRefusesWhatItCannotRead() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let release = try await registry.publish("1.0.0", seeds: [1])
            let root = try RegistryFolder(opening: registry.root)
            let garbage = try root.blobs.write([1, 2, 3])
            let manifest = RegistryLayout.blob(release.digest)
            let good = try folder.read("registry/\(manifest)")
            try FileSystem.writeAtomically("\(registry.root)/\(manifest)", Array("{}".utf8))
            #expect(throws: ZooError(.blobMismatch, "")) {
                try root.collect(olderThan: Self.everything, dryRun: false, Cancellation())
            }
            try FileSystem.remove("\(registry.root)/\(manifest)")
            #expect(throws: ZooError(.blobMissing, "")) {
                try root.collect(olderThan: Self.everything, dryRun: false, Cancellation())
            }
            try folder.write(good, to: "registry/\(manifest)")
            try folder.write(Array("{".utf8), to: "registry/index/ami/other.json")
            #expect(throws: ZooError.self) {
                try root.collect(olderThan: Self.everything, dryRun: false, Cancellation())
            }
            #expect(try FileSystem.status(root.blobs.path(of: garbage)) != nil)
        }
    }

    /// Publishes versions while collection runs without a pause.
    ///
    /// - Returns: the versions that were refused because a blob was collected.
    private func publishWhileCollecting(
        _ registry: SampleRegistry,
        _ versions: [String],
        grace nanoseconds: Int
    ) async throws -> [String] {
        let root = try RegistryFolder(opening: registry.root)
        let cancellation = Cancellation()
        let collecting = Task {
            var runs = 0
            while !cancellation.isCancelled {
                _ = try await BlockingWork.run {
                    try root.collect(
                        olderThan: Clock.nanoseconds() - nanoseconds,
                        dryRun: false,
                        $0
                    )
                }
                runs += 1
                try await Task.sleep(for: .milliseconds(2))
            }
            return runs
        }
        let refused = try await withThrowingTaskGroup(of: String?.self) { group in
            for (seed, version) in versions.enumerated() {
                group.addTask {
                    do {
                        try await registry.publish(version, seeds: [UInt64(seed + 1)])
                        return nil
                    } catch let error as ZooError where error.code == .blobMissing {
                        return version
                    }
                }
            }
            return try await group.reduce(into: [String]()) { if let one = $1 { $0.append(one) } }
        }
        cancellation.cancel()
        #expect(try await collecting.value > 0)
        return refused
    }

    /// A collection without a grace period removes the file on which locks are tested.
    @Test func locksAreFoundWhileTheirTestIsCollected() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let locks = "\(registry.root)/.locks"
            _ = try RegistryFolder(opening: registry.root)
            let cancellation = Cancellation()
            let removing = Task {
                try await BlockingWork.run { _ in
                    while !cancellation.isCancelled {
                        for name in try FileSystem.names(in: locks) where name.hasSuffix(".tmp") {
                            try FileSystem.remove("\(locks)/\(name)")
                        }
                    }
                }
            }
            defer { cancellation.cancel() }
            try await BlockingWork.run { _ in
                for _ in 0..<500 { _ = try RegistryFolder(opening: registry.root) }
            }
            cancellation.cancel()
            try await removing.value
        }
    }

    @Test func publicationsAndCollectionRunTogether() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let first = (0..<8).map { "1.\($0).0" }
            // Without a grace period a publication may be refused, and nothing else.
            let refused = Set(try await publishWhileCollecting(registry, first, grace: 0))
            // With one, all succeed.
            let second = (0..<8).map { "2.\($0).0" }
            #expect(
                try await publishWhileCollecting(registry, second, grace: 60 * 1_000_000_000) == []
            )
            let index = try RegistryDocuments(root: registry.root).index(of: name)
            let expected = Set(first).subtracting(refused).union(second)
            #expect(Set(index?.entries.map(\.version.description) ?? []) == expected)
            let report = try await RegistryCheck(root: registry.root).run()
            #expect(report.findings.allSatisfy { $0.code == .blobUnreferenced })
        }
    }
}
