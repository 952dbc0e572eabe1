// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Synchronization
import Testing
import ZooCore
import ZooTesting
import ZooTransport

@Suite("Streams against a hostile server", .timeLimit(.minutes(1)))
struct StreamTests {
    private let content = ServedContent.pattern(count: 300_000)

    private func blob(_ server: HostileServer, _ range: Range<Int>? = nil) -> StreamRequest {
        StreamRequest(url: server.url("/blob"), totalSize: content.bytes.count, range: range)
    }

    @Test("a whole resource and parts of it arrive exactly")
    func delivers() async throws {
        try await HostileServer.with { server in
            server.on("/blob", .serving(content))
            let transport = HTTPTransport(configuration: .impatient())
            let received = try await transport.bytes(blob(server))
            #expect(received == content.bytes)
            for range in [0..<1, 5..<70_000, 299_999..<300_000, 7..<7] {
                let bytes = try await transport.bytes(blob(server, range))
                #expect(bytes == Array(content.bytes[range]))
            }
            #expect(
                server.requests.map(\.range)
                    == [nil, 0..<1, 5..<70_000, 299_999..<300_000]
            )
        }
    }

    @Test("requests name the program and exclude compression")
    func requestHeaders() async throws {
        try await HostileServer.with { server in
            server.on("/blob", .serving(content))
            var request = blob(server)
            request.headers = [HeaderField("Authorization", "Bearer secret")]
            _ = try await HTTPTransport(configuration: .impatient()).bytes(request)
            let headers = server.requests.first?.headers
            #expect(headers?["user-agent"] == "ami-zoo/test")
            #expect(headers?["accept-encoding"] == "identity")
            #expect(headers?["authorization"] == "Bearer secret")
        }
    }

    @Test("a connection is used again for the next transfer")
    func keepsConnections() async throws {
        try await HostileServer.with { server in
            server.on("/blob", .status(503), .serving(content))
            let transport = HTTPTransport(
                configuration: .impatient { $0.policy.connections = 1 }
            )
            for _ in 1...3 { _ = try await transport.bytes(blob(server)) }
            #expect(server.requests.map(\.connection) == [0, 0, 0, 0])
        }
    }

    @Test("no more transfers run at once than the policy allows")
    func boundedWidth() async throws {
        try await HostileServer.with { server in
            server.on("/blob", .serving(content).stalling(after: 10, for: .milliseconds(30)))
            let transport = HTTPTransport(
                configuration: .impatient { $0.policy.connections = 2 }
            )
            try await withThrowingTaskGroup { group in
                for _ in 1...6 {
                    group.addTask { try await transport.bytes(blob(server, 0..<1000)) }
                }
                for try await bytes in group { #expect(bytes == Array(content.bytes[0..<1000])) }
            }
            #expect(Set(server.requests.map(\.connection)) == [0, 1])
        }
    }

    @Test("a body cut short is resumed, and no byte comes twice")
    func resumesShortBody() async throws {
        try await HostileServer.with { server in
            server.on(
                "/blob",
                .serving(content).closing(after: 100_000),
                .serving(content).closing(after: 50_000),
                .serving(content)
            )
            let transport = HTTPTransport(configuration: .impatient())
            let received = try await transport.bytes(blob(server))
            #expect(received == content.bytes)
            #expect(server.requests.map(\.range) == [nil, 100_000..<300_000, 150_000..<300_000])
            #expect(server.requests.last?.headers["if-range"] == content.entityTag)
        }
    }

    @Test(
        "a chunked body and one without length that end early are resumed",
        arguments: [
            ScriptedResponse.Framing.chunked, .close,
        ]
    )
    func resumesUnframed(framing: ScriptedResponse.Framing) async throws {
        try await HostileServer.with { server in
            server.on(
                "/blob",
                .serving(content).framed(framing).closing(after: 1000),
                .serving(content)
            )
            let transport = HTTPTransport(configuration: .impatient())
            let received = try await transport.bytes(blob(server))
            #expect(received == content.bytes)
            #expect(server.requests.count == 2)
        }
    }

    @Test("a reset connection is resumed, and the wait is announced")
    func resumesReset() async throws {
        try await HostileServer.with { server in
            server.on("/blob", .serving(content).resetting(after: 1000), .serving(content))
            let notices = Notices()
            let transport = HTTPTransport(
                configuration: .impatient { $0.onRetry = { notices.take($0) } }
            )
            let received = try await transport.bytes(blob(server, 10..<20_000))
            #expect(received == Array(content.bytes[10..<20_000]))
            #expect(notices.all.map(\.reason) == ["connection reset by peer"])
            #expect(notices.all.first?.address == server.url("/blob"))
        }
    }

    @Test("a stalled connection is given up and resumed")
    func resumesStall() async throws {
        try await HostileServer.with { server in
            server.on(
                "/blob",
                .serving(content).stalling(after: 1000, for: .seconds(20)),
                .serving(content)
            )
            let transport = HTTPTransport(configuration: .impatient())
            let received = try await transport.bytes(blob(server))
            #expect(received == content.bytes)
            #expect(server.requests.map(\.range) == [nil, 1000..<300_000])
        }
    }

    @Test("a drip below the floor speed counts as stalled")
    func stopsDrip() async throws {
        try await HostileServer.with { server in
            server.on(
                "/blob",
                .serving(content).dripping(10, every: .milliseconds(10)),
                .serving(content)
            )
            let notices = Notices()
            let transport = HTTPTransport(
                configuration: .impatient {
                    $0.policy.stallWindow = .milliseconds(200)
                    $0.policy.floorSpeed = 50_000
                    $0.onRetry = { notices.take($0) }
                }
            )
            let received = try await transport.bytes(blob(server))
            #expect(received == content.bytes)
            #expect(notices.all.first?.reason.hasPrefix("only ") == true)
        }
    }

    @Test("a server without ranges can still resume a whole resource")
    func resumesWithoutRanges() async throws {
        try await HostileServer.with { server in
            server.on(
                "/blob",
                .ignoringRanges(content).closing(after: 100_000),
                .ignoringRanges(content)
            )
            let transport = HTTPTransport(configuration: .impatient())
            let received = try await transport.bytes(blob(server))
            #expect(received == content.bytes)
        }
    }

    @Test("delivers what the server sent, right or wrong: verifying is the caller's")
    func doesNotVerify() async throws {
        try await HostileServer.with { server in
            let damaged = content.flippingBit(at: 1234)
            server.on("/blob", .serving(damaged))
            let transport = HTTPTransport(configuration: .impatient())
            let received = try await transport.bytes(blob(server))
            #expect(received == damaged.bytes)
        }
    }

    @Test("an error of the sink ends the transfer, and the sink is not called again")
    func sinkError() async throws {
        struct DiskFull: Error {}
        try await HostileServer.with { server in
            server.on("/blob", .serving(content).dripping(1000, every: .milliseconds(1)))
            let calls = Atomic(0)
            let transport = HTTPTransport(configuration: .impatient())
            await #expect(throws: DiskFull.self) {
                try await transport.stream(blob(server)) { _ in
                    calls.add(1, ordering: .relaxed)
                    throw DiskFull()
                }
            }
            #expect(calls.load(ordering: .relaxed) == 1)
            #expect(server.requests.count == 1)
        }
    }

    @Test(
        "a connection that breaks after the last byte took none of them away",
        arguments: [
            Behaviour.serving(.pattern(count: 300_000)).framed(.chunked).closing(after: 300_000),
            .serving(.pattern(count: 300_000)).framed(.chunked).resetting(after: 300_000),
            .serving(.pattern(count: 300_000)).framed(.close).resetting(after: 300_000),
            .serving(.pattern(count: 300_000)).framed(.chunked)
                .stalling(after: 300_000, for: .seconds(20)),
        ]
    )
    func breaksAfterTheEnd(behaviour: Behaviour) async throws {
        try await HostileServer.with { server in
            server.on("/blob", behaviour)
            let transport = HTTPTransport(configuration: .impatient())
            #expect(try await transport.bytes(blob(server)) == content.bytes)
            let part = try await transport.bytes(blob(server, 299_000..<300_000))
            #expect(part == Array(content.bytes[299_000...]))
            #expect(server.requests.map(\.range) == [nil, 299_000..<300_000])
        }
    }

    @Test("all connections together keep to the speed limit")
    func speedLimit() async throws {
        try await HostileServer.with { server in
            server.on("/blob", .serving(content))
            let transport = HTTPTransport(
                configuration: .impatient { $0.policy.maximumRate = 200_000 }
            )
            let duration = try await ContinuousClock().measure {
                try await withThrowingTaskGroup { group in
                    for _ in 1...3 {
                        group.addTask { try await transport.bytes(blob(server, 0..<100_000)) }
                    }
                    for try await bytes in group { #expect(bytes.count == 100_000) }
                }
            }
            // 300,000 bytes at 200,000 bytes per second.
            #expect(duration > .seconds(1.4))
            #expect(duration < .seconds(4))
        }
    }

    @Test("a server that falls silent is given up when the timeout of the transfer has passed")
    func timeout() async throws {
        try await HostileServer.with { server in
            server.on("/blob", .serving(content).stalling(after: 0, for: .seconds(60)))
            let transport = HTTPTransport(
                configuration: .impatient {
                    $0.policy = TransferPolicy(timeout: .seconds(2))
                    $0.policy.stallWindow = .milliseconds(800)
                }
            )
            let clock = ContinuousClock()
            let start = clock.now
            let code = try await thrownCode { _ = try await transport.bytes(blob(server)) }
            #expect(code == .stalled)
            #expect(clock.now - start > .seconds(1.9))
            #expect(clock.now - start < .seconds(4))
            #expect(server.requests.count == 3)
        }
    }
}
