// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooStore
import ZooTesting
import ZooTransport

/// Pulls from a registry and a mirror: both at once, and what either does wrong.
@Suite struct PullSourcesTests {
    /// Pulls from a registry with a mirror; `behave` says how they serve the weights.
    private func pull(
        streams: Int? = nil,
        _ behave: (
            ServedContent, _ primary: (Behaviour...) -> Void, _ mirror: (Behaviour...) -> Void
        ) -> Void,
        _ check: (_ requests: (primary: Int, mirror: Int), Result<PullReport, any Error>)
            async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            let packed = try await registry.publish("1.0.0", seeds: Array(1...6))
            let path = try registry.weights(of: packed).path
            try await HostileServer.with { mirror in
                mirror.serve(folder: registry.root)
                try FileSystem.writeAtomically(
                    "\(registry.root)/\(RegistryLayout.description)",
                    RegistryDescription(name: "sample", mirrors: [mirror.url("")]).canonicalBytes
                )
                try await HostileServer.with { server in
                    server.serve(folder: registry.root)
                    behave(
                        try ServedContent(file: "\(registry.root)/\(path)"),
                        { server.on("/\(path)", $0) },
                        { mirror.on("/\(path)", $0) }
                    )
                    var request = try PullRequest.of("ami/sample")
                    request.mirroredSize = 0
                    request.streams = streams
                    let puller = registry.puller(
                        from: try RegistryLocation(parsing: server.url(""))
                    )
                    let result: Result<PullReport, any Error>
                    do {
                        result = .success(try await puller.pull(request))
                    } catch {
                        result = .failure(error)
                    }
                    let requests = (
                        server.requests(for: "/\(path)").count,
                        mirror.requests(for: "/\(path)").count
                    )
                    if let report = try? result.get() {
                        let release = try InstalledRelease(folder: report.path)
                        #expect(try await release.findings(deep: true) == [])
                    } else {
                        #expect(try ModelStore(root: folder.path(of: "store")).releases().isEmpty)
                    }
                    try await check(requests, result)
                }
            }
        }
    }

    @Test func theRegistryAndItsMirrorAreUsedAtOnce() async throws {
        try await pull { _, _, _ in
        } _: { requests, result in
            _ = try result.get()
            #expect(requests.primary > 0)
            #expect(requests.mirror > 0)
        }
    }

    @Test(arguments: [true, false])
    func aSourceThatSendsWrongBytesIsReplaced(isPrimary: Bool) async throws {
        try await pull { content, primary, mirror in
            let wrong = Behaviour.serving(content.flippingBit(at: 5_000_000))
            if isPrimary { primary(wrong) } else { mirror(wrong) }
        } _: { _, result in
            _ = try result.get()
        }
    }

    @Test(arguments: [true, false])
    func aSourceThatRefusesIsReplaced(isPrimary: Bool) async throws {
        for status in [401, 404, 503] {
            try await pull { _, primary, mirror in
                if isPrimary { primary(.status(status)) } else { mirror(.status(status)) }
            } _: { _, result in
                _ = try result.get()
            }
        }
    }

    @Test func aSourceThatIsTooSlowDoesNotDelayTheEnd() async throws {
        let start = ContinuousClock.now
        try await pull { content, primary, _ in
            // Fast enough for the stall watch, and hours for the whole.
            primary(.serving(content).dripping(512, every: .milliseconds(100)))
        } _: { requests, result in
            _ = try result.get()
            #expect(requests.mirror > 1)
        }
        #expect(ContinuousClock.now - start < .seconds(60))
    }

    @Test func aSourceWithoutRangesIsTheLastChoice() async throws {
        try await pull { content, primary, mirror in
            primary(.ignoringRanges(content))
        } _: { requests, result in
            _ = try result.get()
            #expect(requests.mirror > 1)
        }
        try await pull { content, primary, mirror in
            primary(.ignoringRanges(content))
            mirror(.status(404))
        } _: { _, result in
            _ = try result.get()
        }
    }

    @Test func whenAllFailTheFailureOfTheRegistryIsReported() async throws {
        try await pull(streams: 1) { _, primary, mirror in
            primary(.status(403))
            mirror(.status(404))
        } _: { _, result in
            #expect(throws: ZooError(.forbidden, "")) { try result.get() }
        }
    }
}
