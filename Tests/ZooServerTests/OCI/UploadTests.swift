// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooServer

@Suite("An upload")
struct UploadTests {
    private let bytes = noise(700_001)
    private var digest: ContentDigest { ContentDigest(of: bytes) }

    private func served(by client: OCIClient) async throws -> [UInt8] {
        try await client.send("GET", "/v2/ami/x/blobs/\(digest)").body
    }

    @Test("arrives in one request, in two, in pieces, and as a stream")
    func arrives() async throws {
        for way in ["post", "put", "pieces", "stream"] {
            try await RunningServer.with(policy: OpenPolicy.everything) { server in
                let client = OCIClient(url: server.url)
                let reply: Reply
                switch way {
                case "post": reply = try await client.upload(bytes, to: "ami/x")
                case "put":
                    let location = try await client.start("ami/x")
                    reply = try await client.send(
                        "PUT",
                        "\(location)?digest=\(digest)",
                        body: bytes
                    )
                case "pieces":
                    let location = try await client.start("ami/x")
                    for range in [0..<300_000, 300_000..<300_001, 300_001..<600_000] {
                        let piece = try await client.send(
                            "PATCH",
                            location,
                            ["Content-Range: \(range.lowerBound)-\(range.upperBound - 1)"],
                            body: Array(bytes[range])
                        )
                        #expect(piece.status == 202)
                        #expect(piece.fields["range"] == "0-\(range.upperBound - 1)")
                        #expect(piece.fields["location"] == location)
                    }
                    reply = try await client.send(
                        "PUT",
                        "\(location)?digest=sha256%3A\(digest.hex)",
                        ["Content-Range: 600000-700000"],
                        body: Array(bytes[600_000...])
                    )
                default:
                    let location = try await client.start("ami/x")
                    let piece = try await client.send(
                        "PATCH",
                        location,
                        ["Transfer-Encoding: chunked"],
                        body: bytes
                    )
                    #expect(piece.status == 202)
                    reply = try await client.send("PUT", "\(location)?digest=\(digest)")
                }
                #expect(reply.status == 201, "\(way): \(reply.text)")
                #expect(reply.fields["location"] == "/v2/ami/x/blobs/\(digest)")
                #expect(reply.fields["docker-content-digest"] == digest.description)
                #expect(try await served(by: client) == bytes)
                let names = try FileManager.default.contentsOfDirectory(
                    atPath: "\(server.registry.root)/.uploads"
                )
                #expect(names.isEmpty)
            }
        }
    }

    @Test("continues after a restart of the server, at the byte that the server names")
    func continuesAfterRestart() async throws {
        try await TestRegistry.with { registry in
            var location = ""
            try await RunningServer.with(registry, policy: OpenPolicy.everything) { server in
                let client = OCIClient(url: server.url)
                location = try await client.start("ami/x")
                let reply = try await client.send(
                    "PATCH",
                    location,
                    body: Array(bytes[..<400_000])
                )
                #expect(reply.status == 202)
            }
            try await RunningServer.with(registry, policy: OpenPolicy.everything) { server in
                let client = OCIClient(url: server.url)
                let state = try await client.send("GET", location)
                #expect(state.status == 204)
                #expect(state.fields["range"] == "0-399999")
                let reply = try await client.send(
                    "PUT",
                    "\(location)?digest=\(digest)",
                    ["Content-Range: 400000-700000"],
                    body: Array(bytes[400_000...])
                )
                #expect(reply.status == 201)
                #expect(try await served(by: client) == bytes)
            }
        }
    }

    @Test("keeps what arrived when the client breaks off")
    func keepsWhatArrived() async throws {
        try await RunningServer.with(policy: OpenPolicy.everything) { server in
            let client = OCIClient(url: server.url)
            let location = try await client.start("ami/x")
            // 700,001 bytes at this rate would take more than three seconds.
            let broken = try await command(
                "bash",
                "-c",
                "head -c 700001 /dev/zero | curl -q -s -X PATCH --limit-rate 200k --max-time 1 "
                    + "-H 'Content-Length: 700001' --data-binary @- \(server.url)\(location)"
            )
            #expect(broken.status == 28)
            var state = try await client.send("GET", location)
            for _ in 0..<100 where state.status == 409 {
                try await Task.sleep(for: .milliseconds(50))
                state = try await client.send("GET", location)
            }
            #expect(state.status == 204)
            let text = try #require(state.fields["range"]?.dropFirst(2))
            let kept = try #require(Int(text)) + 1
            #expect((1...700_000).contains(kept))
            let zeros = [UInt8](repeating: 0, count: 700_001)
            let digest = ContentDigest(of: zeros)
            let reply = try await client.send(
                "PUT",
                "\(location)?digest=\(digest)",
                ["Content-Range: \(kept)-700000"],
                body: Array(zeros[kept...])
            )
            #expect(reply.status == 201)
            let served = try await client.send("GET", "/v2/ami/x/blobs/\(digest)")
            #expect(served.body == zeros)
        }
    }

    @Test("with a wrong digest ends, and leaves no blob")
    func refusesWrongDigest() async throws {
        try await RunningServer.with(policy: OpenPolicy.everything) { server in
            let client = OCIClient(url: server.url)
            let location = try await client.start("ami/x")
            let other = ContentDigest(of: noise(10))
            let reply = try await client.send("PUT", "\(location)?digest=\(other)", body: bytes)
            #expect(reply.status == 400)
            #expect(reply.codes == ["DIGEST_INVALID", "upload.digest-mismatch"])
            #expect(try await client.send("GET", location).status == 404)
            for digest in [digest, other] {
                let found = try await client.send("HEAD", "/v2/ami/x/blobs/\(digest)")
                #expect(found.status == 404)
            }
            let stored = try FileManager.default.contentsOfDirectory(
                atPath: "\(server.registry.root)/blobs/sha256"
            )
            #expect(stored.isEmpty)
        }
    }

    @Test("accepts pieces in order only, and of the length that they state")
    func refusesDisorder() async throws {
        try await RunningServer.with(policy: OpenPolicy.everything) { server in
            let client = OCIClient(url: server.url)
            let location = try await client.start("ami/x")
            _ = try await client.send("PATCH", location, body: Array(bytes[..<1000]))
            let cases: [(range: String, status: Int, code: String)] = [
                ("0-99", 416, "upload.out-of-order"), ("999-1098", 416, "upload.out-of-order"),
                ("1001-1100", 416, "upload.out-of-order"),
                ("1000-1098", 400, "upload.out-of-order"),
                ("1000-1100", 400, "upload.out-of-order"),
                ("1000", 400, "server.request-invalid"), ("-5", 400, "server.request-invalid"),
                ("1099-1000", 400, "server.request-invalid"),
                ("1000-99999999999999999999", 400, "server.request-invalid"),
                ("a-b", 400, "server.request-invalid"),
                ("1000-9223372036854775807", 400, "server.request-invalid"),
            ]
            for (range, status, code) in cases {
                let reply = try await client.send(
                    "PATCH",
                    location,
                    ["Content-Range: \(range)"],
                    body: Array(bytes[1000..<1100])
                )
                #expect(reply.status == status, "\(range)")
                #expect(reply.codes.last == code, "\(range): \(reply.text)")
                if status == 416 { #expect(reply.fields["range"] == "0-999") }
                let state = try await client.send("GET", location)
                #expect(state.fields["range"] == "0-999", "\(range)")
            }
        }
    }

    @Test("has one writer at a time")
    func hasOneWriter() async throws {
        try await RunningServer.with(policy: OpenPolicy.everything) { server in
            let client = OCIClient(url: server.url)
            let location = try await client.start("ami/x")
            let slow = Task {
                // 700,001 bytes at this rate take two seconds.
                try await command(
                    "bash",
                    "-c",
                    "head -c 700001 /dev/zero | curl -q -s -X PATCH --limit-rate 350k "
                        + "-H 'Transfer-Encoding: chunked' --data-binary @- \(server.url)\(location)"
                )
            }
            var refused = false
            for _ in 0..<40 where !refused {
                try await Task.sleep(for: .milliseconds(25))
                let reply = try await client.send("PATCH", location, body: [])
                refused = reply.status == 409 && reply.codes.last == "upload.busy"
            }
            _ = try await slow.value
            #expect(refused)
            let state = try await client.send("GET", location)
            #expect(state.fields["range"] == "0-700000")
        }
    }

    @Test("is refused with a clear status when it is malformed")
    func refusesMalformed() async throws {
        let hex = String(repeating: "0", count: 64)
        let cases: [(method: String, target: String, status: Int, codes: [String])] = [
            (
                "POST", "/v2/ami/x/blobs/uploads/?digest=sha256:12", 400,
                ["DIGEST_INVALID", "digest.malformed"]
            ),
            (
                "POST", "/v2/ami/x/blobs/uploads/?digest=md5:\(hex)", 400,
                ["DIGEST_INVALID", "digest.malformed"]
            ),
            (
                "POST", "/v2/ami/x/blobs/uploads/?digest=sha512:\(hex)\(hex)", 400,
                ["UNSUPPORTED", "server.artifact-not-accepted"]
            ),
            ("POST", "/v2/Ami/x/blobs/uploads/", 400, ["NAME_INVALID", "reference.malformed"]),
            ("POST", "/v2/ami/../x/blobs/uploads/", 400, ["NAME_INVALID", "reference.malformed"]),
            (
                "POST", "/v2/ami/%2e%2e/blobs/uploads/", 400,
                ["NAME_INVALID", "reference.malformed"]
            ),
            ("POST", "/v2/ami/_x/blobs/uploads/", 400, ["NAME_INVALID", "reference.malformed"]),
            ("POST", "/v2//x/blobs/uploads/", 400, ["NAME_INVALID", "reference.malformed"]),
            (
                "POST", "/v2/\(String(repeating: "a", count: 300))/blobs/uploads/", 400,
                ["NAME_INVALID", "reference.malformed"]
            ),
            ("GET", "/v2/ami/x/blobs/uploads/", 405, ["UNSUPPORTED", "server.method-not-allowed"]),
            (
                "GET", "/v2/ami/x/blobs/uploads/0123", 404,
                ["BLOB_UPLOAD_UNKNOWN", "upload.not-found"]
            ),
            (
                "PUT", "/v2/ami/x/blobs/uploads/\(hex.prefix(32))", 404,
                ["BLOB_UPLOAD_UNKNOWN", "upload.not-found"]
            ),
            (
                "GET", "/v2/ami/x/blobs/uploads/../../../zoo.json", 404,
                ["UNSUPPORTED", "server.path-not-found"]
            ),
            (
                "GET", "/v2/ami/x/blobs/sha256:\(hex.dropLast())", 400,
                ["DIGEST_INVALID", "digest.malformed"]
            ),
            (
                "GET", "/v2/ami/x/blobs/sha256:\(hex)", 404,
                ["BLOB_UNKNOWN", "registry.blob-missing"]
            ),
            ("GET", "/v2/ami/x/manifests/.x", 400, ["MANIFEST_INVALID", "reference.malformed"]),
            (
                "GET", "/v2/ami/x/manifests/\(String(repeating: "a", count: 129))", 400,
                ["MANIFEST_INVALID", "reference.malformed"]
            ),
            (
                "GET", "/v2/ami/x/manifests/1.0.0", 404,
                ["MANIFEST_UNKNOWN", "registry.version-not-found"]
            ),
            ("GET", "/v2/ami/x/tags/list", 404, ["NAME_UNKNOWN", "registry.model-not-found"]),
            ("GET", "/v2/ami/x/referrers/latest", 400, ["DIGEST_INVALID", "digest.malformed"]),
            ("GET", "/v2/_catalog", 404, ["UNSUPPORTED", "server.path-not-found"]),
            (
                "POST", "/v2/ami/x/manifests/1.0.0", 405,
                ["UNSUPPORTED", "server.method-not-allowed"]
            ),
            (
                "DELETE", "/v2/ami/x/manifests/1.0.0", 405,
                ["UNSUPPORTED", "server.method-not-allowed"]
            ),
        ]
        try await RunningServer.with(policy: OpenPolicy.everything) { server in
            let client = OCIClient(url: server.url)
            for (method, target, status, codes) in cases {
                let reply = try await client.send(method, target)
                #expect(reply.status == status, "\(method) \(target)")
                #expect(reply.codes == codes, "\(method) \(target): \(reply.text)")
            }
            let location = try await client.start("ami/x")
            let elsewhere = location.replacing("/ami/x/", with: "/ami/y/")
            #expect(try await client.send("PATCH", elsewhere, body: [1]).status == 404)
            for digest in ["", "?digest=", "?digest=sha256:\(hex)0"] {
                let reply = try await client.send("PUT", location + digest)
                #expect(reply.codes == ["DIGEST_INVALID", "digest.malformed"])
            }
            #expect(try await client.send("DELETE", location).status == 204)
            #expect(try await client.send("GET", location).status == 404)
        }
    }

    @Test("is refused everywhere by a read-only server")
    func readOnly() async throws {
        try await RunningServer.with { server in
            let client = OCIClient(url: server.url)
            for (method, target) in [
                ("POST", "/v2/ami/x/blobs/uploads/"), ("PUT", "/v2/ami/x/manifests/1.0.0"),
                ("PATCH", "/v2/ami/x/blobs/uploads/\(String(repeating: "0", count: 32))"),
                ("DELETE", "/v2/ami/x/manifests/1.0.0"),
            ] {
                let reply = try await client.send(method, target, body: [1])
                #expect(reply.status == 403, "\(method) \(target)")
                #expect(reply.codes == ["DENIED", "server.access-denied"])
            }
            let names = try FileManager.default.contentsOfDirectory(
                atPath: server.registry.root
            )
            #expect(!names.contains(".uploads") && !names.contains(".locks"))
        }
    }
}
