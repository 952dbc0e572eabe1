// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore

@Suite("The server")
struct ServingTests {
    @Test("serves documents that must be revalidated")
    func servesDocuments() async throws {
        try await RunningServer.with { server in
            for path in ["zoo.json", "oci-layout", "index.json", "index/ami/ball-drop.json"] {
                let content = try Data(
                    contentsOf: URL(fileURLWithPath: "\(server.registry.root)/\(path)")
                )
                let reply = try await curl("\(server.url)/\(path)")
                #expect(reply.status == 200)
                #expect(reply.body == Array(content))
                #expect(reply.fields["content-type"] == "application/json")
                #expect(reply.fields["cache-control"] == "no-cache")
                #expect(reply.fields["content-length"] == "\(content.count)")
                #expect(reply.fields["accept-ranges"] == "bytes")
                #expect(reply.fields["x-content-type-options"] == "nosniff")
                #expect(reply.fields["etag"] == "\"\(ContentDigest(of: content))\"")
                #expect(reply.fields["date"] != nil)
            }
        }
    }

    @Test("serves blobs that never change")
    func servesBlobs() async throws {
        try await RunningServer.with { server in
            let content = noise(1_000_000)
            let path = try server.registry.add(blob: content)
            let reply = try await curl("\(server.url)/\(path)")
            #expect(reply.status == 200)
            #expect(reply.body == content)
            #expect(reply.fields["content-type"] == "application/octet-stream")
            #expect(reply.fields["cache-control"] == "public, max-age=31536000, immutable")
            #expect(reply.fields["etag"] == "\"\(ContentDigest(of: content))\"")
        }
    }

    @Test("serves index documents under their digest, which never change")
    func servesRevisions() async throws {
        try await RunningServer.with { server in
            let content = server.registry.indexDocument
            let revision = IndexRevision(
                of: try ModelName(parsing: "ami/ball-drop"),
                ContentDigest(of: content)
            )
            try server.registry.write(content, at: revision.path)
            let reply = try await curl("\(server.url)/\(revision.path)")
            #expect(reply.status == 200)
            #expect(reply.body == content)
            #expect(reply.fields["content-type"] == "application/json")
            #expect(reply.fields["cache-control"] == "public, max-age=31536000, immutable")
            #expect(reply.fields["etag"] == "\"\(revision.digest)\"")
        }
    }

    @Test("serves an empty file, also when a range of it is asked for")
    func servesEmptyFiles() async throws {
        try await RunningServer.with { server in
            let path = try server.registry.add(blob: [])
            for range in ["0-", "-5"] {
                let reply = try await curl("\(server.url)/\(path)", "-r", range)
                #expect(reply.status == 200)
                #expect(reply.fields["content-length"] == "0")
            }
        }
    }

    @Test("sends everything before it closes a connection, also to a slow client")
    func completesBeforeClosing() async throws {
        try await RunningServer.with { server in
            let path = try server.registry.add(zeros: 16 << 20)
            let result = try await command(
                "curl",
                "-q",
                "-s",
                "-0",
                "--limit-rate",
                "16M",
                "\(server.url)/\(path)"
            )
            #expect(result.status == 0)
            #expect(result.output.count == 16 << 20)
        }
    }

    @Test("answers HEAD as GET, without the body")
    func answersHead() async throws {
        try await RunningServer.with { server in
            let path = try server.registry.add(blob: noise(5000))
            let whole = try await curl("\(server.url)/\(path)")
            let head = try await curl("\(server.url)/\(path)", "-I")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            #expect(
                head.fields.filter { $0.key != "date" } == whole.fields.filter { $0.key != "date" }
            )
            let missing = try await curl("\(server.url)/nothing", "-I")
            #expect(missing.status == 404)
            #expect(missing.body.isEmpty)
        }
    }

    @Test("sends 304 when the client has the content already")
    func revalidates() async throws {
        try await RunningServer.with { server in
            let url = "\(server.url)/index/ami/ball-drop.json"
            let tag = try #require(try await curl(url).fields["etag"])
            for header in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
                let reply = try await curl(url, "-H", "If-None-Match: \(header)")
                #expect(reply.status == 304, "\(header)")
                #expect(reply.body.isEmpty)
                #expect(reply.fields["etag"] == tag)
                #expect(reply.fields["cache-control"] == "no-cache")
                #expect(reply.fields["content-length"] == nil)
            }
            #expect(try await curl(url, "-H", "If-None-Match: \"x\"").status == 200)
        }
    }

    @Test("sees at once that a document was replaced, even by one of the same size")
    func seesReplacement() async throws {
        try await RunningServer.with { server in
            let url = "\(server.url)/index/ami/ball-drop.json"
            let first = try await curl(url)
            var content = server.registry.indexDocument
            content[2] ^= 1
            try server.registry.write(content, at: "index/ami/ball-drop.json")
            let tag = try #require(first.fields["etag"])
            let second = try await curl(url, "-H", "If-None-Match: \(tag)")
            #expect(second.status == 200)
            #expect(second.body == content)
        }
    }

    @Test("refuses with 412 when the content is not the one the client insists on")
    func refusesOtherContent() async throws {
        try await RunningServer.with { server in
            let url = "\(server.url)/zoo.json"
            let tag = try #require(try await curl(url).fields["etag"])
            #expect(try await curl(url, "-H", "If-Match: \(tag)").status == 200)
            let reply = try await curl(url, "-H", "If-Match: \"x\"")
            #expect(reply.status == 412)
            #expect(reply.text.contains("server.precondition-failed"))
        }
    }

    @Test("allows GET and HEAD only", arguments: ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
    func refusesOtherMethods(_ method: String) async throws {
        try await RunningServer.with { server in
            let reply = try await curl("\(server.url)/zoo.json", "-X", method, "-d", "x")
            #expect(reply.status == 405)
            #expect(reply.fields["allow"] == "GET, HEAD")
            #expect(reply.text.contains(#""code":"server.method-not-allowed""#))
        }
    }

    @Test("reports what is not there as JSON that is not kept")
    func reportsMissing() async throws {
        try await RunningServer.with { server in
            for path in [
                "index/ami/none.json", "blobs/sha256/\(String(repeating: "0", count: 64))",
            ] {
                let reply = try await curl("\(server.url)/\(path)")
                #expect(reply.status == 404)
                #expect(reply.fields["content-type"] == "application/json")
                #expect(reply.fields["cache-control"] == "no-cache")
                #expect(
                    reply.text
                        == #"{"error":{"code":"server.path-not-found","message":"there is no '/\#(path)' in this registry"}}"#
                )
            }
        }
    }

    @Test("logs one line per request")
    func logsRequests() async throws {
        try await RunningServer.with { server in
            _ = try await curl("\(server.url)/zoo.json", "-r", "0-3")
            _ = try await curl("\(server.url)/none")
            #expect(try await server.eventually { server.log.all.count == 2 })
            let lines = server.log.all
            #expect(lines[0].hasPrefix("GET /zoo.json 206 bytes=4 microseconds="))
            #expect(lines[0].contains("peer=127.0.0.1:"))
            #expect(lines[0].hasSuffix("range=bytes=0-3"))
            #expect(lines[1].hasPrefix("GET /none 404"))
        }
    }
}
