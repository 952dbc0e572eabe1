// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTesting
import ZooTransport

@Suite("Documents against a hostile server", .timeLimit(.minutes(1)))
struct DocumentTests {
    private let content = ServedContent(Array("{\"name\":\"zoo\"}".utf8), entityTag: "\"v1\"")

    @Test("arrive whole with their tag, which revalidates them")
    func revalidates() async throws {
        try await HostileServer.with { server in
            server.on("/zoo.json", .serving(content))
            let transport = HTTPTransport(configuration: .impatient())
            var request = DocumentRequest(url: server.url("/zoo.json"), limit: 100)
            let reply = try await transport.document(request)
            #expect(reply == .fetched(bytes: content.bytes, entityTag: "\"v1\""))
            request.entityTag = "\"v1\""
            #expect(try await transport.document(request) == .notModified)
            request.entityTag = "\"v0\""
            #expect(try await transport.document(request) == reply)
        }
    }

    @Test(
        "start anew when they break off, and nothing is doubled",
        arguments: [
            ScriptedResponse.Framing.length, .chunked,
        ]
    )
    func startsAnew(framing: ScriptedResponse.Framing) async throws {
        try await HostileServer.with { server in
            server.on(
                "/zoo.json",
                .serving(content).framed(framing).closing(after: 5),
                .serving(content).framed(framing).resetting(after: 3),
                .serving(content).framed(framing)
            )
            let transport = HTTPTransport(configuration: .impatient())
            let request = DocumentRequest(url: server.url("/zoo.json"), limit: 100)
            let reply = try await transport.document(request)
            #expect(reply == .fetched(bytes: content.bytes, entityTag: "\"v1\""))
            #expect(server.requests.map(\.range) == [nil, nil, nil])
        }
    }

    @Test(
        "are refused when longer than their limit",
        arguments: [
            ScriptedResponse.Framing.length, .chunked, .close,
        ]
    )
    func limits(framing: ScriptedResponse.Framing) async throws {
        try await HostileServer.with { server in
            server.on("/zoo.json", .serving(content).framed(framing))
            let transport = HTTPTransport(configuration: .impatient())
            let request = DocumentRequest(
                url: server.url("/zoo.json"),
                limit: content.bytes.count - 1
            )
            let code = try await thrownCode { _ = try await transport.document(request) }
            #expect(code == .documentTooLarge)
        }
    }

    @Test("that do not exist are not found, with the address and a remedy")
    func notFound() async throws {
        try await HostileServer.with { server in
            let transport = HTTPTransport(configuration: .impatient())
            let request = DocumentRequest(url: server.url("/missing"), limit: 100)
            let error = await #expect(throws: ZooError(.resourceNotFound, "")) {
                try await transport.document(request)
            }
            #expect(error?.message == "\(server.url("/missing")): the server answered 404")
            #expect(error?.remedy != nil)
        }
    }

    @Test("that want a login hand on the server's challenge")
    func challenge() async throws {
        try await HostileServer.with { server in
            server.on("/zoo.json", .status(401, headers: ["WWW-Authenticate": "Bearer x"]))
            let transport = HTTPTransport(configuration: .impatient())
            let request = DocumentRequest(url: server.url("/zoo.json"), limit: 100)
            let error = await #expect(throws: ZooError(.loginRequired, "")) {
                try await transport.document(request)
            }
            #expect((error?.cause as? AuthenticationChallenge)?.value == "Bearer x")
        }
    }
}
