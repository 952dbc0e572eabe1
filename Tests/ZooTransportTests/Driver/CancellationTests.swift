// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTesting
import ZooTransport

@Suite("Cancellation", .timeLimit(.minutes(1)))
struct CancellationTests {
    private let content = ServedContent.pattern(count: 10_000)

    /// A transport that would wait for minutes on its own.
    private func patient(connections: Int = 8) -> HTTPTransport {
        HTTPTransport(
            configuration: .impatient {
                $0.policy.stallWindow = .seconds(120)
                $0.policy.backoffBase = .seconds(60)
                $0.policy.connections = connections
                $0.jitter = { 1 }
            }
        )
    }

    /// Cancels a stream once `isReady` holds, and expects it to end at once.
    private func expectPromptEnd(
        of request: StreamRequest,
        on transport: HTTPTransport,
        when isReady: () -> Bool
    ) async throws {
        let task = Task { try await transport.bytes(request) }
        while !isReady() { try await Task.sleep(for: .milliseconds(1)) }
        // Long enough for the transfer to come to rest where it will stay.
        try await Task.sleep(for: .milliseconds(50))
        let start = ContinuousClock.now
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(ContinuousClock.now - start < .milliseconds(500))
    }

    @Test("ends a transfer that hears nothing, at once")
    func silentServer() async throws {
        try await HostileServer.with { server in
            server.on("/blob", .serving(content).stalling(after: 10, for: .seconds(60)))
            let request = StreamRequest(url: server.url("/blob"), totalSize: 10_000)
            try await expectPromptEnd(of: request, on: patient()) { !server.requests.isEmpty }
        }
    }

    @Test("ends a transfer in the middle of its bytes")
    func amidBytes() async throws {
        try await HostileServer.with { server in
            server.on("/blob", .serving(content).dripping(10, every: .milliseconds(5)))
            let request = StreamRequest(url: server.url("/blob"), totalSize: 10_000)
            try await expectPromptEnd(of: request, on: patient()) { !server.requests.isEmpty }
        }
    }

    @Test("ends the wait before another attempt")
    func waiting() async throws {
        try await HostileServer.with { server in
            server.on("/blob", .status(503))
            let request = StreamRequest(url: server.url("/blob"), totalSize: 10_000)
            try await expectPromptEnd(of: request, on: patient()) { !server.requests.isEmpty }
        }
    }

    @Test("ends a transfer that is still queued, and leaves the others alone")
    func queued() async throws {
        try await HostileServer.with { server in
            server.on("/first", .serving(content).stalling(after: 10, for: .seconds(2)))
            let transport = patient(connections: 1)
            let first = StreamRequest(url: server.url("/first"), totalSize: 10_000)
            let running = Task { try await transport.bytes(first) }
            // Tasks start in any order; the one connection must be taken by this one.
            while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
            let second = StreamRequest(url: server.url("/second"), totalSize: 10_000)
            try await expectPromptEnd(of: second, on: transport) { !server.requests.isEmpty }
            #expect(try await running.value == content.bytes)
            #expect(server.requests.map(\.path) == ["/first"])
        }
    }

    @Test("that came before the start asks no server")
    func beforehand() async throws {
        try await HostileServer.with { server in
            let transport = patient()
            let request = StreamRequest(url: server.url("/blob"), totalSize: 10_000)
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                return try await transport.bytes(request)
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(server.requests.isEmpty)
        }
    }
}
