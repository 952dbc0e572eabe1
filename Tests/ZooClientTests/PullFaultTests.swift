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
import ZooTransport

/// Faulty servers and disks: a stable error code, no visible folder, and the next pull resumes.
@Suite struct PullFaultTests {
    /// Runs a pull against a server whose weights behave as a test says.
    private func pull(
        _ behaviours: (ServedContent) -> [Behaviour],
        _ check: (SampleRegistry, RegistryLocation, HostileServer, String) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let packed = try await registry.publish("1.0.0")
            let path = try registry.weights(of: packed).path
            let content = ServedContent(try folder.read("registry/\(path)"))
            try await HostileServer.with { server in
                server.serve(folder: registry.root)
                server.on("/\(path)", behaviours(content))
                try await check(
                    registry,
                    try RegistryLocation(parsing: server.url("")),
                    server,
                    path
                )
            }
        }
    }

    private func expectFailure(
        _ code: ZooError.Code,
        _ behaviours: (ServedContent) -> [Behaviour]
    ) async throws {
        try await pull(behaviours) { registry, location, server, path in
            await #expect(throws: ZooError(code, "")) {
                try await registry.puller(from: location).pull(.of("ami/sample"))
            }
            #expect(try ModelStore(root: registry.folder.path(of: "store")).releases().isEmpty)
            // With the same store and a correct server, the pull resumes and succeeds.
            let report = try await registry.puller(from: .folder(registry.root))
                .pull(.of("ami/sample"))
            let release = try InstalledRelease(folder: report.path)
            #expect(try await release.findings(deep: true) == [])
        }
    }

    private func expectSuccess(
        _ behaviours: (ServedContent) -> [Behaviour],
        _ check: (HostileServer, String) throws -> Void = { _, _ in }
    ) async throws {
        try await pull(behaviours) { registry, location, server, path in
            var request = try PullRequest.of("ami/sample")
            request.streams = 1
            let report = try await registry.puller(from: location).pull(request)
            let release = try InstalledRelease(folder: report.path)
            #expect(try await release.findings(deep: true) == [])
            try check(server, path)
        }
    }

    @Test func aFlippedBitIsFetchedAgainAndOnlyItsBlockOn() async throws {
        try await expectSuccess({ [.serving($0.flippingBit(at: 4_000_000)), .serving($0)] }) {
            server,
            path in
            let requests = server.requests(for: "/\(path)")
            #expect(requests.count == 2)
            let resumed = try #require(requests.last?.range)
            #expect(resumed.lowerBound > 0)
        }
    }

    @Test func aBitThatStaysFlippedIsRefusedByName() async throws {
        try await expectFailure(.blockMismatch) { [.serving($0.flippingBit(at: 4_000_000))] }
    }

    @Test func aServerThatIgnoresRangesIsReadWhole() async throws {
        try await expectSuccess {
            [.ignoringRanges($0).closing(after: 3_000_000), .ignoringRanges($0)]
        }
    }

    @Test func aWrongContentRangeIsRefused() async throws {
        try await expectFailure(.sizeMismatch) {
            [
                .serving($0).closing(after: 3_000_000),
                .serving($0).header("Content-Range", "bytes 7-8/9"),
            ]
        }
    }

    @Test func aShortBodyIsResumed() async throws {
        try await expectSuccess { [.serving($0).closing(after: 3_000_000), .serving($0)] }
    }

    @Test func aStallIsGivenUpAndResumed() async throws {
        try await expectSuccess {
            [.serving($0).stalling(after: 100_000, for: .seconds(30)), .serving($0)]
        }
    }

    @Test func tooManyRequestsIsWaitedOut() async throws {
        try await expectSuccess { [.status(429, headers: ["Retry-After": "0"]), .serving($0)] }
    }

    @Test func aServerErrorIsTriedAgain() async throws {
        try await expectSuccess { [.status(503), .status(502), .serving($0)] }
    }

    @Test func aServerThatStaysBrokenIsReported() async throws {
        try await expectFailure(.serverUnavailable) { _ in [.status(503)] }
    }

    @Test func aRedirectLoopIsRefused() async throws {
        try await pull({ _ in [] }) { registry, location, server, path in
            server.on("/\(path)", .redirect(to: server.url("/\(path)")))
            await #expect(throws: ZooError(.redirectRefused, "")) {
                try await registry.puller(from: location).pull(.of("ami/sample"))
            }
        }
    }

    @Test func aRedirectToAnotherServerIsFollowed() async throws {
        try await pull({ _ in [] }) { registry, location, server, path in
            server.on("/elsewhere", .serving(try ServedContent(file: "\(registry.root)/\(path)")))
            server.on("/\(path)", .redirect(to: server.url("/elsewhere", host: "localhost")))
            let report = try await registry.puller(from: location).pull(.of("ami/sample"))
            #expect(!report.alreadyInstalled)
        }
    }

    @Test func aMissingBlobIsReported() async throws {
        try await expectFailure(.resourceNotFound) { _ in [.status(404)] }
    }

    @Test func noServerAtAllIsReported() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let location = try RegistryLocation(parsing: "http://127.0.0.1:9")
            await #expect(throws: ZooError(.connectionFailed, "")) {
                try await registry.puller(from: location).pull(.of("ami/sample"))
            }
        }
    }

    /// The documents that bind a release, each with one bit wrong.
    enum Document: String, CaseIterable, CustomTestStringConvertible {
        case index, manifest, record, table
        var testDescription: String { rawValue }
    }

    @Test(arguments: Document.allCases)
    func aFlippedBitInADocumentIsRefused(document: Document) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let packed = try await registry.publish("1.0.0")
            let manifest = try ReleaseManifest(
                canonical: try BlobFolder(root: registry.root).read(
                    packed.digest,
                    limit: FormatLimits.manifest
                )
            )
            let name = try ModelName(parsing: "ami/sample")
            let path =
                switch document {
                case .index: RegistryLayout.index(name)
                case .manifest: RegistryLayout.blob(packed.digest)
                case .record: RegistryLayout.blob(manifest.record.digest)
                case .table: RegistryLayout.blob(manifest.archives[0].blocks.digest)
                }
            try await HostileServer.with { server in
                server.serve(folder: registry.root)
                let content = try ServedContent(file: "\(registry.root)/\(path)")
                server.on("/\(path)", .serving(content.flippingBit(at: content.bytes.count / 2)))
                let puller = registry.puller(from: try RegistryLocation(parsing: server.url("")))
                let error = try #require(
                    await #expect(throws: ZooError.self) {
                        try await puller.pull(.of("ami/sample"))
                    }
                )
                #expect([.integrity, .badData].contains(error.code.category), "\(error)")
                #expect(try ModelStore(root: folder.path(of: "store")).releases().isEmpty)
            }
        }
    }

    @Test(arguments: [(-100, "truncated"), (100, "over-long")])
    func aBlobOfAnotherLengthIsRefused(change: Int, label: String) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let packed = try await registry.publish("1.0.0")
            let path = try registry.weights(of: packed).path
            var bytes = try folder.read("registry/\(path)")
            if change < 0 {
                bytes.removeLast(-change)
            } else {
                bytes += Array(repeating: 0, count: change)
            }
            try await HostileServer.with { server in
                server.serve(folder: registry.root)
                server.on("/\(path)", .serving(ServedContent(bytes)))
                let puller = registry.puller(from: try RegistryLocation(parsing: server.url("")))
                let error = try #require(
                    await #expect(throws: ZooError.self) {
                        try await puller.pull(.of("ami/sample"))
                    }
                )
                #expect([.integrity, .unreachable].contains(error.code.category), "\(error)")
            }
        }
    }

    /// A release whose weights an attacker with write access changed, all digests made right again.
    private func pullOfATrick(
        _ change: (inout [UInt8]) -> Void,
        _ check: (Puller, ModelStore) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let packed = try await registry.publish("1.0.0")
            try registry.replaceWeights(of: packed, change)
            try await NginxServer.with(folder: registry.root) { server in
                let location = try RegistryLocation(parsing: server.url(""))
                let store = ModelStore(root: folder.path(of: "store"))
                try await check(registry.puller(from: location), store)
            }
        }
    }

    @Test(arguments: ["1", "2", "3", "5", "L", "g"] as [Character])
    func anArchiveWithAnythingButFilesIsNotInstalled(type: Character) async throws {
        try await pullOfATrick({ $0[156] = type.asciiValue ?? 0 }) { puller, store in
            await #expect(throws: ZooError(.memberMismatch, "")) {
                try await puller.pull(.of("ami/sample"))
            }
            let installed = try store.releases()
            #expect(installed.isEmpty)
        }
    }

    @Test func blocksThatContradictTheRecordAreFoundByADeepVerify() async throws {
        try await pullOfATrick({ $0[600_000] ^= 1 }) { puller, _ in
            let release = try InstalledRelease(
                folder: try await puller.pull(.of("ami/sample")).path
            )
            let verifier = release
            let (shallow, deep) = (
                try await verifier.findings(), try await verifier.findings(deep: true)
            )
            #expect(shallow == [])
            #expect(deep.map(\.code) == [.fileMismatch])
        }
    }

    @Test func aMirrorHelpsOutWhenTheRegistryIsDamaged() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let packed = try await registry.publish("1.0.0")
            let path = try registry.weights(of: packed).path
            try await HostileServer.with { mirror in
                mirror.serve(folder: registry.root)
                try FileSystem.writeAtomically(
                    "\(registry.root)/\(RegistryLayout.description)",
                    RegistryDescription(name: "sample", mirrors: [mirror.url("")])
                        .canonicalBytes
                )
                try await HostileServer.with { server in
                    server.serve(folder: registry.root)
                    let content = try ServedContent(file: "\(registry.root)/\(path)")
                    server.on("/\(path)", .serving(content.flippingBit(at: 5_000_000)))
                    let puller = registry.puller(
                        from: try RegistryLocation(parsing: server.url(""))
                    )
                    let report = try await puller.pull(.of("ami/sample"))
                    let release = try InstalledRelease(folder: report.path)
                    #expect(try await release.findings() == [])
                    #expect(!mirror.requests(for: "/\(path)").isEmpty)
                }
            }
        }
    }

    @Test func theMirrorsAreAskedForOnceWhateverNumberOfDocumentsIsMissing() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0")
            try await HostileServer.with { mirror in
                mirror.serve(folder: registry.root)
                try FileSystem.writeAtomically(
                    "\(registry.root)/\(RegistryLayout.description)",
                    RegistryDescription(name: "sample", mirrors: [mirror.url("")]).canonicalBytes
                )
                try await HostileServer.with { server in
                    server.serve(folder: registry.root)
                    let blobs = try FileSystem.names(in: "\(registry.root)/\(RegistryLayout.blobs)")
                    try #require(blobs.count > 4)
                    for blob in blobs {
                        server.on("/\(RegistryLayout.blobs)/\(blob)", .status(404))
                    }
                    let puller = registry.puller(
                        from: try RegistryLocation(parsing: server.url(""))
                    )
                    let report = try await puller.pull(.of("ami/sample"))
                    let release = try InstalledRelease(folder: report.path)
                    #expect(try await release.findings() == [])
                    #expect(server.requests(for: "/\(RegistryLayout.description)").count == 1)
                }
            }
        }
    }

    @Test func aVersionThatDoesNotExistIsReported() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0")
            let puller = registry.puller(from: .folder(registry.root))
            await #expect(throws: ZooError(.versionUnknown, "")) {
                try await puller.pull(.of("ami/sample:2.0.0"))
            }
            await #expect(throws: ZooError(.modelUnknown, "")) {
                try await puller.pull(.of("ami/other"))
            }
            let other = ContentDigest(of: [1, 2, 3])
            await #expect(throws: ZooError(.registryMismatch, "")) {
                try await puller.pull(.of("ami/sample:1.0.0@\(other)"))
            }
        }
    }
}
