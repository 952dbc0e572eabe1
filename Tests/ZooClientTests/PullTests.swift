// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Synchronization
import Testing
import ZooArchive
import ZooClient
import ZooCore
import ZooFiles
import ZooStore
import ZooTesting
import ZooTransport

@Suite struct PullTests {
    /// The places a registry can be pulled from, by the same code path above the source.
    enum Place: String, CaseIterable, CustomTestStringConvertible {
        case folder, nginx, scriptedServer
        var testDescription: String { rawValue }
    }

    private func withPlace(
        _ place: Place,
        _ registry: SampleRegistry,
        _ body: (RegistryLocation) async throws -> Void
    ) async throws {
        switch place {
        case .folder: try await body(.folder(registry.root))
        case .nginx:
            try await NginxServer.with(folder: registry.root) { server in
                try await body(try RegistryLocation(parsing: server.url("")))
            }
        case .scriptedServer:
            try await HostileServer.with { server in
                server.serve(folder: registry.root)
                try await body(try RegistryLocation(parsing: server.url("")))
            }
        }
    }

    @Test(arguments: Place.allCases, ArchiveEncoding.allCases)
    func installsExactlyTheReleasedBytes(place: Place, encoding: ArchiveEncoding) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let packed = try await registry.publish("1.0.0", encoding: encoding)
            try await withPlace(place, registry) { location in
                let report = try await registry.puller(from: location).pull(.of("ami/sample"))
                #expect(report.digest == packed.digest)
                #expect(!report.alreadyInstalled)
                for name in ["model.safetensors", "config.json", "README.md"] {
                    let expected = try folder.read("model-1.0.0/\(name)")
                    #expect(
                        try FileSystem.document("\(report.path)/\(name)", limit: 1 << 30)
                            == expected
                    )
                }
                let release = try InstalledRelease(folder: report.path)
                #expect(try await release.findings(deep: true) == [])
            }
        }
    }

    @Test func aSecondPullDoesNothingAndSaysSo() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0")
            try await HostileServer.with { server in
                server.serve(folder: registry.root)
                let puller = registry.puller(from: try RegistryLocation(parsing: server.url("")))
                let first = try await puller.pull(.of("ami/sample"))
                server.forgetRequests()
                let second = try await puller.pull(.of("ami/sample"))
                #expect(second.alreadyInstalled)
                #expect(second.path == first.path)
                #expect(second.bytesDownloaded == 0)
                // The index document says that nothing has changed.
                #expect(server.requests.map(\.path) == ["/index/ami/sample.json"])
            }
        }
    }

    @Test func verifiedBlocksAreNotDownloadedAgainAfterAnInterruption() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let packed = try await registry.publish("1.0.0")
            let weights = try registry.weights(of: packed)
            try await HostileServer.with { server in
                server.serve(folder: registry.root)
                let location = try RegistryLocation(parsing: server.url(""))
                let content = ServedContent(try folder.read("registry/\(weights.path)"))
                let cut = weights.table.blocks[2].archiveRange.lowerBound + 1000
                server.on(
                    "/\(weights.path)",
                    .serving(content).closing(after: cut),
                    .status(503)
                )
                var request = try PullRequest.of("ami/sample")
                request.streams = 1
                await #expect(throws: ZooError.self) {
                    try await registry.puller(from: location).pull(request)
                }
                #expect(try ModelStore(root: folder.path(of: "store")).releases().isEmpty)

                server.on("/\(weights.path)", .serving(content))
                server.forgetRequests()
                let report = try await registry.puller(from: location).pull(request)
                let verified = weights.table.blocks[1].archiveRange.upperBound
                #expect(report.bytesReused >= verified)
                let asked = server.requests(for: "/\(weights.path)").compactMap(\.range)
                #expect(asked.allSatisfy { $0.lowerBound >= verified })
                let release = try InstalledRelease(folder: report.path)
                #expect(try await release.findings() == [])
            }
        }
    }

    @Test func aStagedBlockThatChangedIsFetchedAgain() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let packed = try await registry.publish("1.0.0")
            let weights = try registry.weights(of: packed)
            try await HostileServer.with { server in
                server.serve(folder: registry.root)
                let location = try RegistryLocation(parsing: server.url(""))
                let content = ServedContent(try folder.read("registry/\(weights.path)"))
                server.on(
                    "/\(weights.path)",
                    .serving(content).closing(
                        after: weights.table.blocks[3].archiveRange.lowerBound + 9
                    ),
                    .status(503)
                )
                var request = try PullRequest.of("ami/sample")
                request.streams = 1
                _ = try? await registry.puller(from: location).pull(request)
                let staged = try #require(
                    try FileSystem.files(below: folder.path(of: "store/staging"))
                        .first { $0.hasSuffix("model.safetensors") }
                )
                let file = try OpenFile(folder.path(of: "store/staging/\(staged)"), .write)
                try file.write([1, 2, 3], at: 5000)
                server.on("/\(weights.path)", .serving(content))
                let report = try await registry.puller(from: location).pull(request)
                let release = try InstalledRelease(folder: report.path)
                #expect(try await release.findings() == [])
            }
        }
    }

    @Test func twoPullsOfTheSameModelAtOnceBothSucceed() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0")
            try await NginxServer.with(folder: registry.root) { server in
                let location = try RegistryLocation(parsing: server.url(""))
                let reports = try await withThrowingTaskGroup(of: PullReport.self) { group in
                    for _ in 0..<2 {
                        group.addTask {
                            try await registry.puller(from: location).pull(.of("ami/sample"))
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(Set(reports.map(\.path)).count == 1)
                let release = try InstalledRelease(folder: reports[0].path)
                #expect(try await release.findings() == [])
                #expect(try FileSystem.names(in: folder.path(of: "store/staging")).isEmpty)
            }
        }
    }

    @Test func manyPullsIntoNeighbouringFoldersAllSucceed() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            try registry.publish("1.0.0")
            let store = ModelStore(root: folder.path(of: "store"))
            for round in 0..<20 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    // Each folder twice: neighbours must not share anything, twins must wait.
                    for index in 0..<16 {
                        group.addTask {
                            var request = try PullRequest.of("ami/tiny")
                            request.destination = folder.path(of: "plant/\(round)-\(index / 2)")
                            let report = try await Puller(
                                registry: Registry(
                                    .folder(registry.root),
                                    transport: .unused,
                                    cache: nil
                                ),
                                store: store
                            ).pull(request)
                            #expect(report.path == request.destination)
                        }
                    }
                    try await group.waitForAll()
                }
            }
            for name in try FileSystem.names(in: folder.path(of: "plant")) {
                let release = try InstalledRelease(folder: folder.path(of: "plant/\(name)"))
                #expect(try await release.verification().passed)
            }
            #expect(try FileSystem.names(in: folder.path(of: "plant")).count == 160)
        }
    }

    @Test func aPullThatWasKilledAfterSealingItsFilesIsContinued() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            let digest = try registry.publish("1.0.0")
            let store = ModelStore(root: folder.path(of: "store"))
            let destination = folder.path(of: "model")
            // What a process leaves that dies between making the files read-only and the rename.
            func stage() throws {
                let staging = try #require(
                    try store.staging(for: digest, destination: destination)
                )
                for (path, size) in TinyRegistry.files {
                    let bytes = TinyRegistry.content(path, size, of: "1.0.0")
                    let target = "\(staging.files)/\(path)"
                    try FileSystem.createFolder(FileSystem.parent(of: target))
                    let file = try OpenFile(target, .write)
                    try file.write(bytes, at: 0)
                    try file.makeImmutable()
                }
            }
            try stage()
            var request = try PullRequest.of("ami/tiny")
            request.destination = destination
            let report = try await Puller(
                registry: Registry(.folder(registry.root), transport: .unused, cache: nil),
                store: store
            ).pull(request)
            let release = try InstalledRelease(folder: report.path)
            #expect(try await release.verification().passed)
        }
    }

    @Test func aReleaseOfThousandsOfFilesNeedsFewDescriptors() async throws {
        try await TemporaryFolder.with { folder in
            let files = try (0..<3000).map { index in
                (path: try ReleasePath(parsing: "parts/\(index % 50)/\(index).bin"), size: 3)
            }
            let layout = ArchiveLayout(files: files)
            let before = try FileSystem.names(in: "/proc/self/fd").count
            let target = try ArchiveFolder(layout, in: folder.path(of: "out"), .write)
            let buffer = BlockBuffer()
            for start in stride(from: 0, to: layout.rawSize, by: 1 << 20) {
                let range = start..<min(start + 1 << 20, layout.rawSize)
                try target.read(range, into: buffer)
                let digest = buffer.digest
                try target.write(
                    try BlockDecoder.verify(
                        buffer,
                        of: BlockTable.Block(
                            archiveRange: range,
                            archiveDigest: digest,
                            rawRange: range,
                            rawDigest: digest
                        )
                    )
                )
            }
            #expect(try FileSystem.names(in: "/proc/self/fd").count < before + 100)
            try target.seal()
        }
    }

    @Test func aNewVersionFetchesOnlyTheTensorsThatChanged() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0", seeds: [1, 2, 3, 4, 5])
            try await registry.publish("1.1.0", seeds: [1, 2, 9, 4, 5])
            let puller = registry.puller(from: .folder(registry.root))
            _ = try await puller.pull(.of("ami/sample:1.0.0"))
            let second = try await puller.pull(.of("ami/sample:1.1.0"))
            #expect(second.bytesReused >= 4 * SampleRegistry.tensorSize)
            #expect(second.bytesDownloaded < 2 * SampleRegistry.tensorSize)
            let release = try InstalledRelease(folder: second.path)
            #expect(try await release.findings(deep: true) == [])
        }
    }

    @Test func putsTheModelFolderWhereTheCallerWants() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0")
            let puller = registry.puller(from: .folder(registry.root))
            var request = try PullRequest.of("ami/sample")
            request.destination = folder.path(of: "plant/model")
            #expect(try await puller.pull(request).path == request.destination)
            #expect(try await puller.pull(request).alreadyInstalled)
            request.destination = folder.path(of: "model-1.0.0")
            await #expect(throws: ZooError(.destinationTaken, "")) {
                try await puller.pull(request)
            }
        }
    }

    @Test func offlineServesWhatIsInstalledAndNothingElse() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0")
            let puller = registry.puller(from: .folder(registry.root))
            var request = try PullRequest.of("ami/sample")
            request.offline = true
            await #expect(throws: ZooError(.offline, "")) { try await puller.pull(request) }
            _ = try await puller.pull(.of("ami/sample"))
            #expect(try await puller.pull(request).alreadyInstalled)
        }
    }

    @Test func reportsProgressThatEndsAtTheTotal() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0")
            let seen = Mutex<[PullEvent.Progress]>([])
            let puller = registry.puller(from: .folder(registry.root)) { event in
                if case .progress(let progress) = event { seen.withLock { $0.append(progress) } }
            }
            _ = try await puller.pull(.of("ami/sample"))
            let last = try #require(seen.withLock { $0.max { $0.done < $1.done } })
            #expect(last.done == last.total)
        }
    }

    @Test func aCancelledPullStopsAndLeavesNothingVisible() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let packed = try await registry.publish("1.0.0")
            let weights = try registry.weights(of: packed)
            try await HostileServer.with { server in
                server.serve(folder: registry.root)
                let content = ServedContent(try folder.read("registry/\(weights.path)"))
                server.on(
                    "/\(weights.path)",
                    .serving(content).stalling(after: 4096, for: .seconds(20))
                )
                let location = try RegistryLocation(parsing: server.url(""))
                var policy = TransferPolicy.impatient
                policy.stallWindow = .seconds(30)
                let puller = registry.puller(from: location, policy: policy)
                let task = Task { try await puller.pull(.of("ami/sample")) }
                while server.requests(for: "/\(weights.path)").isEmpty {
                    try await Task.sleep(for: .milliseconds(10))
                }
                let start = ContinuousClock.now
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(ContinuousClock.now - start < .seconds(5))
                #expect(try ModelStore(root: folder.path(of: "store")).releases().isEmpty)
            }
        }
    }
}
