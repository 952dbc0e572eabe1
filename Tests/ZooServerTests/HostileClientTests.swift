// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Glibc
import Testing
import ZooCore
import ZooServer

private let zeros = String(repeating: "0", count: 64)

@Suite("A hostile client")
struct HostileClientTests {
    @Test(
        "cannot leave the registry folder",
        arguments: [
            "/../secret", "/blobs/../../secret", "/blobs/sha256/../../../secret",
            "/%2e%2e/secret", "/blobs/sha256/%2e%2e%2f%2e%2e%2f%2e%2e%2fsecret", "//zoo.json",
            "/index/../zoo.json", "/index/ami/..%2f..%2fzoo.json", "/index/ami/ball-drop.json%00",
            "/..%5csecret", "/.hidden", "/secret", "/index/ami/", "/index", "/blobs/sha256", "/",
        ]
    )
    func cannotTraverse(_ path: String) async throws {
        try await RunningServer.with { server in
            try server.registry.write([1], at: "secret")
            try server.registry.write([1], at: ".hidden")
            let reply = try await curl(server.url + path)
            #expect(reply.status == 404)
            #expect(reply.text.contains("server.path-not-found"))
        }
    }

    @Test("gets nothing through a symbolic link, a folder or a FIFO")
    func cannotFollowLinks() async throws {
        try await RunningServer.with { server in
            let root = server.registry.root
            let files = FileManager.default
            try server.registry.write([1], at: "secret")
            try server.registry.write([1], at: "elsewhere/x.json")
            let digits = (1...3).map { zeros.dropLast() + "\($0)" }
            try files.createSymbolicLink(
                atPath: "\(root)/blobs/sha256/\(digits[0])",
                withDestinationPath: "\(root)/secret"
            )
            try files.createDirectory(
                atPath: "\(root)/blobs/sha256/\(digits[1])",
                withIntermediateDirectories: false
            )
            #expect(unsafe mkfifo("\(root)/blobs/sha256/\(digits[2])", 0o600) == 0)
            try files.createSymbolicLink(
                atPath: "\(root)/index/linked",
                withDestinationPath: "../elsewhere"
            )
            for path in digits.map({ "blobs/sha256/\($0)" }) + ["index/linked/x.json"] {
                #expect(try await curl("\(server.url)/\(path)").status == 404, "\(path)")
            }
            #expect(try server.registry.openFiles() == 0)
        }
    }

    @Test(
        "that does not speak HTTP is told so, and the server lives on",
        arguments: [
            ("no HTTP", "hello\r\n\r\n"),
            ("no version", "GET /zoo.json\r\n\r\n"),
            ("a NUL in the path", "GET /zoo.json\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("a field without a colon", "GET /zoo.json HTTP/1.1\r\nHost\r\n\r\n"),
            (
                "two lengths",
                "GET /zoo.json HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"
            ),
            (
                "fields that are too large",
                "GET /zoo.json HTTP/1.1\r\nX: \(String(repeating: "a", count: 70_000))\r\n\r\n"
            ),
            ("an impossible method", "G@T /zoo.json HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("two hosts", "GET /zoo.json HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
            ("a folded field", "GET /zoo.json HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
            (
                "a length and an encoding",
                "POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /zoo.json HTTP/1.1\r\n\r\n"
            ),
            (
                "an encoding and a length",
                "POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                    + "Content-Length: 5\r\n\r\n0\r\n\r\nGET /zoo.json HTTP/1.1\r\n\r\n"
            ),
            (
                "the same length twice",
                "POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"
            ),
            (
                "a list of lengths",
                "POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\nhello"
            ),
            (
                "a signed length",
                "POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello"
            ),
            (
                "a length of 24 digits",
                "POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n"
            ),
            (
                "a space before the colon",
                "POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nContent-Length : 5\r\n\r\nhello"
            ),
            ("lines that end with LF alone", "GET /zoo.json HTTP/1.1\nHost: a\n\n"),
            ("a greeting of TLS", "\u{16}\u{3}\u{1}\u{0}\u{40}\u{1}\u{0}\u{0}\u{3c}"),
            ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ]
    )
    func refusesMalformed(_ what: String, _ request: String) async throws {
        try await RunningServer.with { server in
            let result = try await raw(request, to: server.url)
            #expect(result.status == 0, "the connection stays open")
            // A request that is still being sent when the server closes may lose its answer.
            if request.utf8.count < 60_000 || !result.output.isEmpty {
                #expect(Reply(result.output)?.status == 400)
            }
            #expect(try await curl("\(server.url)/zoo.json").status == 200)
        }
    }

    @Test(
        "may write odd targets: each is answered, none is served, and the server lives on",
        arguments: [
            ("http://", 404), ("http://a", 404), ("http://a:", 404), ("http://a:?", 404),
            ("http://?", 404), ("*", 404), ("/?", 404), ("//", 404), ("x", 400), ("?", 400),
            ("/\u{e9}", 400),
        ]
    )
    func survivesOddTargets(_ target: String, _ status: Int) async throws {
        try await RunningServer.with { server in
            let result = try await raw(
                "GET \(target) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                to: server.url
            )
            #expect(result.status == 0, "the connection stays open")
            let reply = try #require(Reply(result.output))
            #expect(reply.status == status)
            #expect(reply.fields["connection"] == "close")
            #expect(try await curl("\(server.url)/zoo.json").status == 200)
        }
    }

    @Test("that does not keep the connection alive is answered and the connection closed")
    func closesOldConnections() async throws {
        try await RunningServer.with { server in
            for request in [
                "GET /zoo.json HTTP/1.0\r\n\r\n",
                "GET /zoo.json HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n",
                "GET http://a/zoo.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            ] {
                let result = try await raw(request, to: server.url)
                #expect(result.status == 0)
                let reply = try #require(Reply(result.output))
                #expect(reply.status == 200)
                #expect(reply.fields["connection"] == "close")
            }
        }
    }

    @Test("may send requests without waiting; the answers keep their order")
    func answersPipelinedRequests() async throws {
        try await RunningServer.with { server in
            let result = try await raw(
                "HEAD /zoo.json HTTP/1.1\r\nHost: a\r\n\r\n"
                    + "GET /none HTTP/1.1\r\nHost: a\r\n\r\n"
                    + "GET /oci-layout HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                to: server.url
            )
            let statuses = result.text.components(separatedBy: "HTTP/1.1 ").map { $0.prefix(3) }
            #expect(statuses == ["", "200", "404", "200"])
            #expect(result.text.hasSuffix(RegistryLayout.imageLayoutContent))
        }
    }

    @Test(
        "that states an absurd length is answered at once",
        arguments: ["manifests/1.0.0", "blobs/uploads/?digest=sha256:\(zeros)"]
    )
    func refusesAbsurdLengths(_ path: String) async throws {
        try await RunningServer.with(policy: OpenPolicy.everything) { server in
            for length in ["9223372036854775807", "70368744177664"] {
                let reply = try await raw(
                    "\(path.hasPrefix("m") ? "PUT" : "POST") /v2/ami/x/\(path) HTTP/1.1\r\n"
                        + "Host: 127.0.0.1\r\nConnection: close\r\nContent-Length: \(length)\r\n\r\nhello",
                    to: server.url
                )
                #expect(Reply(reply.output)?.status == 413, "\(reply.text)")
                #expect(reply.text.contains("upload.too-large"))
            }
            #expect(try await curl("\(server.url)/zoo.json").status == 200)
        }
    }

    @Test("that disappears in the middle leaves nothing open")
    func forgetsLostClients() async throws {
        try await RunningServer.with { server in
            let path = try server.registry.add(zeros: 64 << 20)
            let script = #"""
                exec 3<>"/dev/tcp/127.0.0.1/$0"
                printf 'GET /%s HTTP/1.1\r\nHost: a\r\n\r\n' "$1" >&3
                head -c 1000 <&3
                """#
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await command("bash", "-c", script, port(of: server.url), path)
                            .output.count
                    }
                }
                for try await received in group { #expect(received == 1000) }
            }
            #expect(try await server.eventually { try server.registry.openFiles() == 0 })
            #expect(try await server.eventually { server.log.all.count == 8 })
            #expect(server.log.all.allSatisfy { $0.contains("aborted=") })
        }
    }

    @Test("that takes nothing is dropped, one that is slow is not")
    func dropsStalledClients() async throws {
        var limits = ConnectionLimits.standard
        limits.stall = .seconds(1)
        try await RunningServer.with(limits: limits) { server in
            let path = try server.registry.add(zeros: 32 << 20)
            async let slow = command(
                "curl",
                "-q",
                "-s",
                "--limit-rate",
                "16M",
                "\(server.url)/\(path)"
            )
            let script = #"""
                exec 3<>"/dev/tcp/127.0.0.1/$0"
                printf 'GET /%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n' "$1" >&3
                sleep 4; cat <&3 | wc -c
                """#
            let stalled = try await command("bash", "-c", script, port(of: server.url), path)
            let received = try #require(
                Int(stalled.text.trimmingCharacters(in: .whitespacesAndNewlines))
            )
            #expect(received < 32 << 20)
            #expect(try await slow.output.count == 32 << 20)
        }
    }

    @Test("that sends nothing is dropped")
    func dropsIdleClients() async throws {
        var limits = ConnectionLimits.standard
        limits.idle = .milliseconds(200)
        try await RunningServer.with(limits: limits) { server in
            let result = try await raw("GET /zoo", to: server.url)
            #expect(result.status == 0)
        }
    }

    @Test("waits for its turn when there are too many")
    func limitsConnections() async throws {
        var limits = ConnectionLimits.standard
        limits.connections = 2
        try await RunningServer.with(limits: limits) { server in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<12 {
                    group.addTask { try await curl("\(server.url)/zoo.json").status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 200, count: 12))
        }
    }
}
