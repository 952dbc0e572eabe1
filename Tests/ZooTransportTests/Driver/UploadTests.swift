// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Synchronization
import Testing
import ZooCore
import ZooTesting
import ZooTransport

@Suite("Requests with bodies", .timeLimit(.minutes(2)))
struct UploadTests {
    private let content = ServedContent.pattern(count: 300_000)
    private let methods = [HTTPRequest.Method.post, .put, .patch]

    /// A body that counts how many of its bytes have been read.
    private final class Reading: Sendable {
        private let total = Mutex(0)
        var count: Int { total.withLock { $0 } }

        func body(_ bytes: [UInt8]) -> RequestBody {
            RequestBody(size: bytes.count) { range in
                self.total.withLock { $0 += range.count }
                return Array(bytes[range])
            }
        }
    }

    @Test("arrive whole, with their method, size and headers, and no header that nobody asked for")
    func arrives() async throws {
        try await HostileServer.with { server in
            server.on("/upload", .status(201, headers: ["Location": "/stored?id=1", "X-Id": "7"]))
            let transport = HTTPTransport(configuration: .impatient())
            for method in methods {
                let request = HTTPRequest(
                    method,
                    server.url("/upload"),
                    headers: [HeaderField("Authorization", "Bearer secret")],
                    body: Reading().body(content.bytes)
                )
                let response = try await transport.send(request)
                #expect(response.status == 201)
                #expect(response.location == server.url("/stored?id=1"))
                #expect(response["x-id"] == "7")
                #expect(response.body == Array("status 201\n".utf8))
                try response.requireSuccess()
                let received = try #require(server.requests.last)
                #expect(received.method == method.rawValue)
                #expect(received.body == content.bytes)
                #expect(received.headers["content-length"] == "300000")
                #expect(received.headers["authorization"] == "Bearer secret")
                #expect(received.headers["content-type"] == nil)
                #expect(received.headers["transfer-encoding"] == nil)
            }
        }
    }

    @Test("without a body have an empty one where the method has a body, and none elsewhere")
    func empty() async throws {
        try await HostileServer.with { server in
            server.on("/x", .status(204))
            let transport = HTTPTransport(configuration: .impatient())
            for method in methods + [.get, .head, .delete] {
                let response = try await transport.send(HTTPRequest(method, server.url("/x")))
                #expect(response.status == 204)
                let received = try #require(server.requests.last)
                #expect(received.method == method.rawValue)
                #expect(
                    received.headers["content-length"] == (methods.contains(method) ? "0" : nil)
                )
            }
            // HEAD: the declared length is that of a body that does not come.
            server.on("/x", .serving(content))
            let head = try await transport.send(HTTPRequest(.head, server.url("/x"), limit: 10))
            #expect(head["content-length"] == "300000")
            #expect(head.body.isEmpty)
        }
    }

    @Test("that break off are sent again whole when the method is idempotent")
    func retriesPut() async throws {
        try await HostileServer.with { server in
            server.on(
                "/upload",
                .status(201).taking(.close(after: 100_000)),
                .status(503),
                .status(201).taking(.close(after: 0)),
                .status(201)
            )
            let notices = Notices()
            let transport = HTTPTransport(
                configuration: .impatient { $0.onRetry = { notices.take($0) } }
            )
            let request = HTTPRequest(
                .put,
                server.url("/upload"),
                body: RequestBody(content.bytes)
            )
            let response = try await transport.send(request)
            #expect(response.status == 201)
            #expect(server.requests.count == 4)
            #expect(server.requests.last?.body == content.bytes)
            // The third failure meets a kept connection, on which libcurl may repeat by itself.
            #expect(notices.all.map(\.failures).starts(with: [1, 2]))
        }
    }

    @Test("that break off are not sent again when the server may have acted on them")
    func doesNotRepeatPost() async throws {
        try await HostileServer.with { server in
            server.on("/upload", .status(201).taking(.close(after: 100_000)), .status(201))
            let transport = HTTPTransport(configuration: .impatient())
            let request = HTTPRequest(
                .post,
                server.url("/upload"),
                body: RequestBody(content.bytes)
            )
            let error = await #expect(throws: ZooError(.interrupted, "")) {
                _ = try await transport.send(request)
            }
            #expect(error?.message.contains("the server may have carried out the POST") == true)
            #expect(server.requests.count == 1)
        }
    }

    @Test("over a kept connection that the server has closed are not doubled by libcurl")
    func closedConnection() async throws {
        try await HostileServer.with { server in
            // The second request meets a server that reads it and closes without an answer.
            server.on("/upload", .status(201), .status(201).taking(.close(after: 300_000)))
            let transport = HTTPTransport(
                configuration: .impatient { $0.policy.connections = 1 }
            )
            let request = HTTPRequest(
                .post,
                server.url("/upload"),
                body: RequestBody(content.bytes)
            )
            let response = try await transport.send(request)
            #expect(response.status == 201)
            let code = try await thrownCode { _ = try await transport.send(request) }
            #expect(code == .interrupted)
            #expect(server.requests.count == 2)
        }
    }

    @Test("that the server declines for now are sent again when it says")
    func declined() async throws {
        try await HostileServer.with { server in
            server.on("/upload", .status(429, headers: ["Retry-After": "7"]), .status(201))
            let notices = Notices()
            let transport = HTTPTransport(
                configuration: .impatient {
                    $0.clock = InstantClock()
                    $0.onRetry = { notices.take($0) }
                }
            )
            let request = HTTPRequest(
                .post,
                server.url("/upload"),
                body: RequestBody(content.bytes)
            )
            let response = try await transport.send(request)
            #expect(response.status == 201)
            #expect(notices.all.map(\.delay) == [.seconds(7)])
            #expect(server.requests.map(\.body) == [content.bytes, content.bytes])
        }
    }

    @Test("wait for 100 Continue, and go on without it")
    func interimResponse() async throws {
        let large = ServedContent.pattern(count: 3_000_000)
        try await HostileServer.with { server in
            server.on("/with", .status(201).taking(.afterContinue))
            server.on("/without", .status(201))
            let transport = HTTPTransport(
                configuration: .impatient { $0.policy.stallWindow = .seconds(5) }
            )
            for path in ["/with", "/without"] {
                let request = HTTPRequest(
                    .put,
                    server.url(path),
                    body: RequestBody(large.bytes)
                )
                let response = try await transport.send(request)
                #expect(response.status == 201)
                #expect(server.requests.last?.headers["expect"] == "100-continue")
                #expect(server.requests.last?.body == large.bytes)
            }
        }
    }

    @Test("are cut short by an answer that refuses them", arguments: [401, 413])
    func refusedEarly(status: Int) async throws {
        let large = ServedContent.pattern(count: 3_000_000)
        try await HostileServer.with { server in
            server.on(
                "/upload",
                .status(status, headers: ["WWW-Authenticate": "Bearer realm=\"r\""])
                    .taking(.afterResponse)
            )
            let reading = Reading()
            let transport = HTTPTransport(configuration: .impatient())
            let request = HTTPRequest(
                .post,
                server.url("/upload"),
                body: reading.body(large.bytes)
            )
            let response = try await transport.send(request)
            #expect(response.status == status)
            #expect(response.body == Array("status \(status)\n".utf8))
            #expect(reading.count < large.bytes.count)
            let code: ZooError.Code = status == 401 ? .loginRequired : .bodyTooLarge
            let error = #expect(throws: ZooError(code, "")) { try response.requireSuccess() }
            if status == 401 {
                let challenge = error?.cause as? AuthenticationChallenge
                #expect(challenge?.value == "Bearer realm=\"r\"")
            }
            #expect(server.requests.count == 1)
        }
    }

    @Test("follow 307 with their body, and leave credentials behind")
    func redirect() async throws {
        try await HostileServer.with { server in
            try await HostileServer.with { storage in
                server.on("/upload", .redirect(to: storage.url("/store")))
                storage.on("/store", .status(201))
                let transport = HTTPTransport(configuration: .impatient())
                let request = HTTPRequest(
                    .put,
                    server.url("/upload"),
                    headers: [HeaderField("Authorization", "Bearer secret")],
                    body: RequestBody(content.bytes)
                )
                let response = try await transport.send(request)
                #expect(response.status == 201)
                let received = try #require(storage.requests.last)
                #expect(received.method == "PUT")
                #expect(received.body == content.bytes)
                #expect(received.headers["authorization"] == nil)
            }
        }
    }

    @Test("end with the error of their body, and are not sent again")
    func failingBody() async throws {
        struct Unreadable: Error {}
        try await HostileServer.with { server in
            server.on("/upload", .status(201))
            let transport = HTTPTransport(configuration: .impatient())
            let unreadable = RequestBody(size: 300_000) { range in
                guard range.lowerBound < 100_000 else { throw Unreadable() }
                return [UInt8](repeating: 1, count: range.count)
            }
            let request = HTTPRequest(.put, server.url("/upload"), body: unreadable)
            await #expect(throws: Unreadable.self) { _ = try await transport.send(request) }
            let short = RequestBody(size: 300_000) { range in
                [UInt8](repeating: 1, count: min(range.count, max(0, 100_000 - range.lowerBound)))
            }
            let other = HTTPRequest(.put, server.url("/upload"), body: short)
            let error = await #expect(throws: ZooError(.bodyChanged, "")) {
                _ = try await transport.send(other)
            }
            #expect(error?.message.contains("ends after 100000 of 300000 bytes") == true)
            // One each at most; a body that fails at its start may end a request before it is sent.
            #expect(server.requests.count <= 2)
        }
    }

    @Test("end at once when they are cancelled, before and after the body has been sent")
    func cancellation() async throws {
        try await HostileServer.with { server in
            server.on("/slow", .status(201))
            server.on("/silent", .status(201).stalling(after: 0, for: .seconds(60)))
            for path in ["/slow", "/silent"] {
                let transport = HTTPTransport(
                    configuration: .impatient {
                        $0.policy.stallWindow = .seconds(60)
                        if path == "/slow" { $0.policy.maximumRate = 10_000 }
                    }
                )
                let request = HTTPRequest(
                    .put,
                    server.url(path),
                    body: RequestBody(content.bytes)
                )
                let task = Task { try await transport.send(request) }
                while server.requests(for: path).isEmpty {
                    try await Task.sleep(for: .milliseconds(1))
                }
                try await Task.sleep(for: .milliseconds(100))
                let start = ContinuousClock.now
                task.cancel()
                await #expect(throws: CancellationError.self) { _ = try await task.value }
                #expect(ContinuousClock.now - start < .milliseconds(500))
            }
        }
    }

    @Test("may take longer for their response than a stall, once they have been sent")
    func slowResponse() async throws {
        try await HostileServer.with { server in
            server.on(
                "/upload",
                Behaviour { _ in
                    usleep(900_000)
                    return ScriptedResponse(status: 201)
                }
            )
            // The behaviour is asked before the body is read, so that the silence comes after the
            // client has handed its small body to the system.
            let transport = HTTPTransport(configuration: .impatient())
            let request = HTTPRequest(.post, server.url("/upload"), body: RequestBody([1, 2, 3]))
            let response = try await transport.send(request)
            #expect(response.status == 201)
        }
    }

    @Test("the body of an error is cut at the limit, and that of a success refused")
    func limits() async throws {
        try await HostileServer.with { server in
            server.on("/x", .ignoringRanges(content).answering(422), .ignoringRanges(content))
            let transport = HTTPTransport(configuration: .impatient())
            let request = HTTPRequest(.get, server.url("/x"), limit: 1000)
            let response = try await transport.send(request)
            #expect(response.status == 422)
            #expect(response.body == Array(content.bytes[..<1000]))
            let code = try await thrownCode { _ = try await transport.send(request) }
            #expect(code == .documentTooLarge)
        }
    }

    #if os(Linux)
    /// The largest resident size of this process so far, in bytes.
    private func peakMemory() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let number = line?.split(whereSeparator: { !$0.isNumber }).first
        return 1024 * (try #require(number.flatMap { Int($0) }))
    }

    @Test("reach nginx whole, and memory does not grow with them")
    func nginx() async throws {
        let size = 256 << 20
        try await TemporaryFolder.with { folder in
            let directives = """
                dav_methods PUT DELETE;
                location /small/ { client_max_body_size 1m; dav_methods PUT; }
                client_max_body_size 0;
                """
            try await NginxServer.with(folder: folder.path, directives: directives) { nginx in
                let transport = HTTPTransport(
                    configuration: .impatient { $0.policy.stallWindow = .seconds(20) }
                )
                // Byte n is n modulo 251, cut from a pattern that is longer than any piece.
                let pattern = (0..<1 << 17).map { UInt8($0 % 251) }
                let body = RequestBody(size: size) { range in
                    Array(pattern[(range.lowerBound % 251)...].prefix(range.count))
                }
                let before = try peakMemory()
                let url = nginx.url("/large")
                let stored = try await transport.send(HTTPRequest(.put, url, body: body))
                #expect(stored.status == 201)
                #expect(try peakMemory() - before < 32 << 20)

                let file = try FileHandle(forReadingFrom: folder.url.appending(path: "large"))
                #expect(try file.seekToEnd() == UInt64(size))
                for place in [0, 4095, 4096, 100_000_000, size - 1] {
                    try file.seek(toOffset: UInt64(place))
                    let byte = try file.read(upToCount: 1)?.first
                    #expect(byte == UInt8(place % 251))
                }
                #expect(try await transport.send(HTTPRequest(.delete, url)).status == 204)
                #expect(try await transport.send(HTTPRequest(.head, url)).status == 404)

                let refused = try await transport.send(
                    HTTPRequest(.put, nginx.url("/small/one"), body: body)
                )
                #expect(refused.status == 413)
            }
        }
    }
    #endif
}
