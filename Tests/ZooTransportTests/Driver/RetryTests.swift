// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTesting
import ZooTransport

@Suite("Retries and redirects against a hostile server", .timeLimit(.minutes(1)))
struct RetryTests {
    private let content = ServedContent.pattern(count: 10_000)

    @Test("a server that is busy for a while is asked until it answers")
    func busyServer() async throws {
        try await HostileServer.with { server in
            server.on("/blob", .status(503), .status(502), .status(408), .serving(content))
            let transport = HTTPTransport(configuration: .impatient())
            let request = StreamRequest(url: server.url("/blob"), totalSize: 10_000)
            let received = try await transport.bytes(request)
            #expect(received == content.bytes)
            #expect(server.requests.count == 4)
        }
    }

    @Test("a server that stays busy is given up")
    func givesUp() async throws {
        try await HostileServer.with { server in
            server.on("/blob", .status(503))
            let transport = HTTPTransport(configuration: .impatient())
            let request = StreamRequest(url: server.url("/blob"), totalSize: 10_000)
            let error = await #expect(throws: ZooError(.serverUnavailable, "")) {
                try await transport.bytes(request)
            }
            #expect(
                error?.message == "\(server.url("/blob")): the server answered 503 five times"
            )
            #expect(server.requests.count == 5)
        }
    }

    @Test("a server that asks for patience gets it")
    func retryAfter() async throws {
        try await HostileServer.with { server in
            server.on("/blob", .status(429, headers: ["Retry-After": "17"]), .serving(content))
            let notices = Notices()
            let transport = HTTPTransport(
                configuration: .impatient {
                    $0.clock = InstantClock()
                    $0.onRetry = { notices.take($0) }
                }
            )
            let request = StreamRequest(url: server.url("/blob"), totalSize: 10_000)
            let received = try await transport.bytes(request)
            #expect(received == content.bytes)
            #expect(notices.all.map(\.delay) == [.seconds(17)])
        }
    }

    @Test("a redirect to another host keeps the range and drops the credentials")
    func redirectElsewhere() async throws {
        try await HostileServer.with { server in
            server.on("/blob", .redirect(to: server.url("/moved", host: "localhost")))
            server.on("/moved", .serving(content))
            let transport = HTTPTransport(configuration: .impatient())
            let request = StreamRequest(
                url: server.url("/blob"),
                totalSize: 10_000,
                range: 5..<50,
                headers: [HeaderField("Authorization", "Bearer secret")]
            )
            let received = try await transport.bytes(request)
            #expect(received == Array(content.bytes[5..<50]))
            let requests = server.requests
            #expect(requests.map(\.path) == ["/blob", "/moved"])
            #expect(requests.map(\.range) == [5..<50, 5..<50])
            #expect(requests.map { $0.headers["authorization"] } == ["Bearer secret", nil])
        }
    }

    @Test("a redirect to another port drops the credentials")
    func redirectToOtherPort() async throws {
        try await HostileServer.with { server in
            try await HostileServer.with { other in
                server.on("/blob", .redirect(to: other.url("/moved")))
                other.on("/moved", .serving(content))
                let transport = HTTPTransport(configuration: .impatient())
                let request = StreamRequest(
                    url: server.url("/blob"),
                    totalSize: 10_000,
                    headers: [HeaderField("Authorization", "Bearer secret")]
                )
                let received = try await transport.bytes(request)
                #expect(received == content.bytes)
                #expect(other.requests.map { $0.headers["authorization"] } == [nil])
            }
        }
    }

    @Test("a redirect on the same server keeps the credentials")
    func redirectWithin() async throws {
        try await HostileServer.with { server in
            server.on("/blob", .redirect(to: "/moved", status: 302))
            server.on("/moved", .serving(content))
            let transport = HTTPTransport(configuration: .impatient())
            let request = StreamRequest(
                url: server.url("/blob"),
                totalSize: 10_000,
                headers: [HeaderField("Authorization", "Bearer secret")]
            )
            let received = try await transport.bytes(request)
            #expect(received == content.bytes)
            #expect(server.requests.last?.headers["authorization"] == "Bearer secret")
        }
    }

    @Test("a circle of redirects is refused")
    func redirectLoop() async throws {
        try await HostileServer.with { server in
            server.on("/a", .redirect(to: "/b"))
            server.on("/b", .redirect(to: "/a"))
            let transport = HTTPTransport(configuration: .impatient())
            let request = DocumentRequest(url: server.url("/a"), limit: 100)
            let code = try await thrownCode { _ = try await transport.document(request) }
            #expect(code == .redirectRefused)
            #expect(server.requests.count == 2)
        }
    }
}
