// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTesting
import ZooTransport

@Suite("The length of a resource", .timeLimit(.minutes(1)))
struct LengthTests {
    private let content = ServedContent([UInt8](repeating: 7, count: 100_000), entityTag: "\"v1\"")

    @Test("comes from a server with ranges and from one without")
    func lengths() async throws {
        try await HostileServer.with { server in
            server.on("/a", .serving(content))
            server.on("/b", .ignoringRanges(content))
            let transport = HTTPTransport(configuration: .impatient())
            for path in ["/a", "/b"] {
                let found = try await transport.length(of: server.url(path))
                #expect(found.bytes == 100_000)
                #expect(found.entityTag == "\"v1\"")
            }
            let code = try await thrownCode {
                _ = try await transport.length(of: server.url("/nothing"))
            }
            #expect(code == .resourceNotFound)
        }
    }

    @Test("a rest is only taken from the version that its beginning came from")
    func tagOfTheBeginning() async throws {
        try await HostileServer.with { server in
            server.on("/a", .serving(content))
            let transport = HTTPTransport(configuration: .impatient())
            var request = StreamRequest(
                url: server.url("/a"),
                totalSize: 100_000,
                range: 50_000..<100_000
            )
            request.entityTag = "\"v0\""
            let stale = request
            let code = try await thrownCode { try await transport.stream(stale) { _ in } }
            #expect(code == .resourceChanged)
            request.entityTag = "\"v1\""
            try await transport.stream(request) { _ in }
        }
    }
}
