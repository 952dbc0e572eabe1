// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooTesting
import ZooTransport

@Suite("Answers that are refused", .timeLimit(.minutes(1)))
struct RefusalTests {
    private static let content = ServedContent.pattern(count: 100_000)

    /// What a server does wrong, the requests it is asked with, and the code of the error.
    struct Fault: Sendable, CustomTestStringConvertible {
        let label: String
        let behaviour: Behaviour
        let code: ZooError.Code
        var testDescription: String { label }

        init(_ label: String, _ behaviour: Behaviour, _ code: ZooError.Code) {
            self.label = label
            self.behaviour = behaviour
            self.code = code
        }
    }

    private static let partFaults = [
        Fault("ranges ignored", .ignoringRanges(content), .rangesIgnored),
        Fault(
            "wrong Content-Range",
            .serving(content).header("Content-Range", "bytes 0-999/100000"),
            .rangeInvalid
        ),
        Fault(
            "206 without Content-Range",
            .serving(content).header("Content-Range", nil),
            .rangeInvalid
        ),
        Fault(
            "other total",
            .serving(content).header("Content-Range", "bytes 1000-1999/5000"),
            .sizeMismatch
        ),
        Fault("longer than its range", .serving(content).lengthened(by: 1), .rangeInvalid),
        Fault(
            "longer, without length",
            .serving(content).lengthened(by: 1).framed(.close),
            .sizeMismatch
        ),
        Fault(
            "longer, chunked",
            .serving(content).lengthened(by: 1).framed(.chunked),
            .sizeMismatch
        ),
        Fault("gzip", .serving(content).header("Content-Encoding", "gzip"), .contentEncoded),
        Fault(
            "416",
            .status(416, headers: ["Content-Range": "bytes */500"]),
            .sizeMismatch
        ),
        Fault("404", .status(404), .resourceNotFound),
        Fault("410", .status(410), .resourceNotFound),
        Fault("401", .status(401), .loginRequired),
        Fault("403", .status(403), .forbidden),
        Fault("400", .status(400), .statusUnexpected),
    ]

    @Test("for a part, at once and without delivering a byte too many", arguments: partFaults)
    func part(fault: Fault) async throws {
        try await HostileServer.with { server in
            server.on("/blob", fault.behaviour)
            let collector = Collector()
            let transport = HTTPTransport(configuration: .impatient())
            let request = StreamRequest(
                url: server.url("/blob"),
                totalSize: 100_000,
                range: 1000..<2000
            )
            let code = try await thrownCode {
                try await transport.stream(request) { collector.take($0) }
            }
            #expect(code == fault.code)
            #expect(Self.content.bytes[1000..<2000].starts(with: collector.bytes))
            #expect(server.requests.count == 1)
        }
    }

    private static let wholeFaults = [
        Fault("too short", .serving(ServedContent.pattern(count: 99_999)), .sizeMismatch),
        Fault("too long", .serving(content).lengthened(by: 1), .sizeMismatch),
        Fault(
            "too long, without length",
            .serving(content).lengthened(by: 1).framed(.close),
            .sizeMismatch
        ),
        Fault("unasked 206", .serving(content).answering(206), .rangeInvalid),
        Fault("gzip", .serving(content).header("Content-Encoding", "gzip"), .contentEncoded),
    ]

    @Test("for a whole resource, at once", arguments: wholeFaults)
    func whole(fault: Fault) async throws {
        try await HostileServer.with { server in
            server.on("/blob", fault.behaviour)
            let transport = HTTPTransport(configuration: .impatient())
            let request = StreamRequest(url: server.url("/blob"), totalSize: 100_000)
            let code = try await thrownCode { _ = try await transport.bytes(request) }
            #expect(code == fault.code)
            #expect(server.requests.count == 1)
        }
    }

    @Test("when the resource changes between two attempts")
    func changedResource() async throws {
        try await HostileServer.with { server in
            let changed = ServedContent(Self.content.bytes, entityTag: "\"other\"")
            server.on("/blob", .serving(Self.content).closing(after: 10_000), .serving(changed))
            let transport = HTTPTransport(configuration: .impatient())
            let request = StreamRequest(url: server.url("/blob"), totalSize: 100_000)
            let code = try await thrownCode { _ = try await transport.bytes(request) }
            #expect(code == .resourceChanged)
        }
    }

    @Test("when a URL or a header cannot be sent, without asking any server")
    func malformedRequests() async throws {
        let transport = HTTPTransport(configuration: .impatient())
        let file = DocumentRequest(url: "file:///etc/passwd", limit: 1000)
        #expect(try await thrownCode { _ = try await transport.document(file) } == .urlInvalid)
        for header in [HeaderField("Authorization", "a\r\nHost: b"), HeaderField("a b", "c")] {
            let request = DocumentRequest(url: "http://127.0.0.1:1/", limit: 9, headers: [header])
            #expect(
                try await thrownCode { _ = try await transport.document(request) } == .headerInvalid
            )
        }
    }

    @Test("when nothing listens, after the attempts that the policy allows")
    func connectionRefused() async throws {
        let url = try await HostileServer.with { $0.url("/blob") }
        let notices = Notices()
        let transport = HTTPTransport(
            configuration: .impatient { $0.onRetry = { notices.take($0) } }
        )
        let error = await #expect(throws: ZooError(.connectionFailed, "")) {
            try await transport.bytes(StreamRequest(url: url, totalSize: 1))
        }
        #expect(error?.message == "\(url): connection refused five times")
        #expect(notices.all.map(\.failures) == [1, 2, 3, 4])
    }

    @Test("when a host does not exist, after as many attempts")
    func unknownHost() async throws {
        let notices = Notices()
        let transport = HTTPTransport(
            configuration: .impatient {
                $0.onRetry = { notices.take($0) }
                $0.policy.connections = 1
            }
        )
        let request = DocumentRequest(url: "http://zoo.invalid/zoo.json", limit: 9)
        // The second transfer uses a handle whose lookup has failed.
        for _ in 1...2 {
            let error = await #expect(throws: ZooError(.hostUnknown, "")) {
                _ = try await transport.document(request)
            }
            #expect(error?.message == "zoo.invalid: no such host five times")
        }
        #expect(Set(notices.all.map(\.reason)) == ["no such host"])
    }

    @Test("when a portal redirects to its login page")
    func portal() async throws {
        try await HostileServer.with { server in
            let page = ServedContent(Array("<!DOCTYPE html><title>Login</title>".utf8))
            server.on("/zoo.json", .redirect(to: "/login?back=zoo.json", status: 302))
            server.on("/blob", .redirect(to: "/login", status: 302))
            server.on("/login", .ignoringRanges(page).header("Content-Type", "text/html"))
            let transport = HTTPTransport(configuration: .impatient())
            let message = "a web page came instead of the file, from \(server.url("/login"))"
            let document = DocumentRequest(url: server.url("/zoo.json"), limit: 1000)
            var error = await #expect(throws: ZooError(.webPage, "")) {
                _ = try await transport.document(document)
            }
            #expect(error?.message == "\(server.url("/zoo.json")): \(message)")
            let blob = StreamRequest(url: server.url("/blob"), totalSize: 1000, range: 5..<50)
            error = await #expect(throws: ZooError(.webPage, "")) {
                _ = try await transport.bytes(blob)
            }
            #expect(error?.message == "\(server.url("/blob")): \(message)")
        }
    }
}
