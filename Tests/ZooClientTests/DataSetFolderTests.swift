// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooStore
import ZooTesting

/// Opening a data set for an evaluation.
@Suite struct DataSetFolderTests {
    /// Packs a data set into a registry.
    private func publish(_ version: String, to registry: SampleRegistry) async throws -> PackReport
    {
        let folder = registry.folder
        try folder.write(Array("path,class\na.bin,x\nb.bin,y\n".utf8), to: "data/labels.csv")
        try folder.write(Array("first \(version)".utf8), to: "data/a.bin")
        try folder.write(Array("second".utf8), to: "data/b.bin")
        let description = """
            name: test/data
            version: "\(version)"
            summary: Two files.
            authors: [somebody]
            licence: CC0-1.0
            created: 2026-01-31T12:00:00Z
            modality: vector
            splits: [{name: all, count: 2, files: [a.bin, b.bin]}]
            labels: {kind: csv, path: labels.csv, classes: 2}
            lineage: {kind: collected}
            """
        let request = PackRequest(
            kind: .dataset,
            source: folder.path(of: "data"),
            description: try ModelDescription.parse(Array(description.utf8), path: "dataset.yaml"),
            tensorStarts: [:],
            components: [:],
            encoding: .stored
        )
        return try await Packer(request).pack(to: try await FolderTarget(root: registry.root))
    }

    @Test func aDataSetIsPulledOnceAndThenOpened() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let packed = try await publish("1.0.0", to: registry)
            let puller = registry.puller(from: .folder(registry.root))
            let opened = try await puller.dataSet(.of("test/data"))
            #expect(opened.digest == packed.digest)
            #expect(opened.record.splits.map(\.count) == [2])
            let bytes = try FileSystem.document("\(opened.folder)/labels.csv", limit: 1 << 10)
            #expect(try LabelTable(parsing: bytes).classes == ["x", "y"])

            // A version or a digest that is installed needs no registry.
            let nowhere = registry.puller(from: .folder(folder.path(of: "missing")))
            for text in ["test/data:1.0.0", "test/data@\(packed.digest)"] {
                let again = try await nowhere.dataSet(try .of(text))
                #expect(again.folder == opened.folder)
                #expect(again.digest == packed.digest)
            }
            var offline = try PullRequest.of("test/data")
            offline.offline = true
            #expect(try await nowhere.dataSet(offline).digest == packed.digest)

            // A channel is asked for, so the newest version is opened.
            let next = try await publish("1.1.0", to: registry)
            #expect(try await puller.dataSet(.of("test/data")).digest == next.digest)
        }
    }

    /// Every byte of the data and of the documents, except the one that only tells the registry.
    @Test func everyByteOfAnInstalledDataSetCounts() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            _ = try await publish("1.0.0", to: registry)
            let puller = registry.puller(from: .folder(registry.root))
            let path = try await puller.dataSet(.of("test/data")).folder
            let store = ModelStore(root: folder.path(of: "store"))
            func passes(deep: Bool) async throws -> Bool {
                let subject = try VerificationSubject("test/data", in: store)
                return try await subject.verify(AnchorSearch(store: store), deep: deep).passed
            }
            #expect(try await passes(deep: false))
            #expect(try await passes(deep: true))
            var flips = 0
            for name in try FileSystem.files(below: path)
            where name != InstalledRelease.installName {
                let place = "\(path)/\(name)"
                let bytes = try FileSystem.document(place, limit: 1 << 20)
                try FileSystem.makeWritable(place)
                let file = try OpenFile(place, .write)
                for index in bytes.indices {
                    try file.write([bytes[index] ^ 1 << UInt8(index % 8)], at: index)
                    let isPassed = try await passes(deep: index % 2 == 0)
                    #expect(!isPassed, "\(name), byte \(index)")
                    try file.write([bytes[index]], at: index)
                    flips += 1
                }
            }
            #expect(flips > 1000)
            #expect(try await passes(deep: true))
        }
    }

    @Test func aModelIsRefusedBeforeItIsFetched() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0")
            let puller = registry.puller(from: .folder(registry.root))
            for isInstalled in [false, true] {
                for text in ["ami/sample", "ami/sample:1.0.0"] {
                    await #expect(throws: ZooError(.notADataSet, "")) {
                        try await puller.dataSet(.of(text))
                    }
                }
                let installed = try ModelStore(root: folder.path(of: "store")).releases().count
                #expect(installed == (isInstalled ? 1 : 0))
                if !isInstalled { _ = try await puller.pull(.of("ami/sample")) }
            }
        }
    }
}
