// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooFiles
import ZooRegistry
import ZooServer
import ZooStore
import ZooTesting

/// What a block-wise upload refuses, and the limits that it shares with other uploads.
@Suite("A block-wise upload refuses")
struct BlockUploadRefusalTests {
    private let archive = BlockArchive(
        blocks: (0..<5).map { noise(1000, seed: UInt64($0 + 1)) }
    )

    @Test("ranges that are not whole missing blocks, and bodies of another length")
    func ranges() async throws {
        let cases: [(range: String, size: Int, status: Int, code: String)] = [
            ("0-998", 999, 416, "upload.range-invalid"),
            ("1-999", 999, 416, "upload.range-invalid"),
            ("0-1000", 1001, 416, "upload.range-invalid"),
            ("500-1499", 1000, 416, "upload.range-invalid"),
            ("4000-5000", 1001, 416, "upload.range-invalid"),
            ("5000-5999", 1000, 416, "upload.range-invalid"),
            ("0-5999", 6000, 416, "upload.range-invalid"),
            ("1000-1999", 1000, 416, "upload.range-invalid"),
            ("0-1999", 2000, 416, "upload.range-invalid"),
            ("9223372036854774000-9223372036854774999", 1000, 416, "upload.range-invalid"),
            ("0-999", 999, 400, "upload.range-invalid"),
            ("0-999", 1001, 400, "upload.range-invalid"),
            ("0-999", 0, 400, "upload.range-invalid"),
            ("0-9223372036854775807", 10, 400, "server.request-invalid"),
            ("999-0", 10, 400, "server.request-invalid"),
            ("-1-999", 1001, 400, "server.request-invalid"),
            ("x", 10, 400, "server.request-invalid"), ("", 10, 400, "server.request-invalid"),
        ]
        try await RunningServer.with(policy: OpenPolicy.everything) { server in
            let upload = BlockUploadClient(OCIClient(url: server.url), "ami/x", archive)
            let location = try await upload.start().location
            #expect(try await upload.send(1000..<2000, to: location).status == 202)
            let rest = [0..<1000, 2000..<5000]
            for isChunked in [false, true] {
                for (range, size, status, code) in cases {
                    var fields = ["Content-Range: \(range)"]
                    if isChunked { fields.append("Transfer-Encoding: chunked") }
                    let body = [UInt8](repeating: 7, count: size)
                    let reply = try await upload.client.send("PATCH", location, fields, body: body)
                    #expect(reply.status == status, "\(range) \(size): \(reply.text)")
                    #expect(reply.codes.last == code, "\(range) \(size)")
                    let missing = try await upload.client.send("GET", location).missing
                    #expect(missing == rest, "\(range) \(size)")
                }
            }
            // More bytes than the range: what is behind it is untouched.
            let body = Array(archive.bytes[0..<1000]) + [UInt8](repeating: 7, count: 300_000)
            let long = try await upload.client.send(
                "PATCH",
                location,
                ["Content-Range: 0-999", "Transfer-Encoding: chunked"],
                body: body
            )
            #expect(long.codes == ["SIZE_INVALID", "upload.range-invalid"])
            for range in try await upload.client.send("GET", location).missing {
                #expect(try await upload.send(range, to: location).status == 202)
            }
            let withBody = try await upload.client.send("PUT", location, body: [1])
            #expect(withBody.codes == ["SIZE_INVALID", "server.request-invalid"])
            #expect(try await upload.end(location).status == 201)
            try await upload.expectServed()
        }
    }

    @Test("block tables that are none, are not there, or belong to another archive")
    func tables() async throws {
        try await RunningServer.with(policy: OpenPolicy.everything) { server in
            let upload = BlockUploadClient(OCIClient(url: server.url), "ami/x", archive)
            let table = archive.table.canonicalBytes
            let digest = ContentDigest(of: table)
            let absent = try await upload.start(archive.digest, digest)
            #expect(absent.status == 404)
            #expect(absent.codes == ["BLOB_UNKNOWN", "registry.blob-missing"])
            _ = try await upload.client.upload(table, to: "ami/x")
            let other = try await upload.start(ContentDigest(of: [1]), digest)
            #expect(other.status == 400)
            #expect(other.codes == ["BLOB_UPLOAD_INVALID", "upload.table-invalid"])
            let text = String(decoding: table, as: UTF8.self)
            // Blocks that overlap, are too large, have no end, or are too many.
            let one = try #require(
                text.firstMatch(of: /\{"archive":\{"digest":[^}]*\},"raw":[^}]*\}\}/)
            )
            let many = text.replacing(
                one.output,
                with: Array(repeating: String(one.output), count: 200_001).joined(separator: ","),
                maxReplacements: 1
            )
            let tables = [
                "", "{}", "[]", "hello", text + " ", String(text.dropLast()),
                text.replacing("\"offset\":1000", with: "\"offset\":999"),
                text.replacing("\"length\":1000", with: "\"length\":0"),
                text.replacing("\"length\":1000", with: "\"length\":9007199254740991"),
                text.replacing("\"size\":5000", with: "\"size\":5001"), many,
            ]
            for bytes in tables.map({ Array($0.utf8) }) {
                _ = try await upload.client.upload(bytes, to: "ami/x")
                let reply = try await upload.start(archive.digest, ContentDigest(of: bytes))
                #expect(reply.status == 400, "\(bytes.count) \(reply.text)")
                #expect(reply.codes == ["BLOB_UPLOAD_INVALID", "upload.table-invalid"])
            }
            let hex = String(repeating: "0", count: 128)
            for query in [
                "digest=\(archive.digest)&blocks=sha512:\(hex)",
                "digest=\(archive.digest)&blocks=", "digest=x&blocks=\(digest)",
                "digest=\(archive.digest)&blocks=../../zoo.json",
            ] {
                let path = "/v2/ami/x/blobs/uploads/?\(query)"
                let reply = try await upload.client.send("POST", path)
                #expect(reply.codes == ["DIGEST_INVALID", "digest.malformed"], "\(query)")
            }
            // Without a digest it is an ordinary upload.
            let plain = try await upload.client.send(
                "POST",
                "/v2/ami/x/blobs/uploads/?blocks=\(digest)"
            )
            #expect(plain.fields["range"] == "0-0")
        }
    }

    /// Two senders who may publish in every namespace.
    private struct TwoSenders: AccessPolicy {
        let isWritable = true

        func access(_ credentials: RequestCredentials?, peer: String) async throws -> Access {
            guard case .bearer(let name)? = credentials else {
                return Access(subject: nil) { _, _ in false }
            }
            return Access(subject: name) { _, _ in true }
        }

        func challenge(scope: String?, origin: String) -> String? { nil }
    }

    @Test("those who did not start it, and those of another repository")
    func others() async throws {
        try await RunningServer.with(policy: TwoSenders()) { server in
            let first = BlockUploadClient(
                OCIClient(url: server.url, token: "first"),
                "ami/x",
                archive
            )
            let second = BlockUploadClient(
                OCIClient(url: server.url, token: "second"),
                "ami/x",
                archive
            )
            let location = try await first.start().location
            _ = try await first.send(0..<1000, to: location)
            let own = try await second.start()
            #expect(try own.location != location)
            #expect(try own.missing == [0..<5000])
            let elsewhere = location.replacing("/ami/x/", with: "/ami/y/")
            for (client, place) in [(second, location), (first, elsewhere)] {
                for method in ["GET", "PUT", "DELETE"] {
                    let reply = try await client.client.send(method, place)
                    #expect(reply.status == 404, "\(method) \(place)")
                    #expect(reply.codes == ["BLOB_UPLOAD_UNKNOWN", "upload.not-found"])
                }
                #expect(try await client.send(1000..<2000, to: place).status == 404)
            }
            #expect(try await first.client.send("GET", location).missing == [1000..<5000])
            #expect(try await first.client.send("DELETE", location).status == 204)
            #expect(try await first.start().missing == [0..<5000])
        }
    }

    @Test("more bytes than the quota; blocks that are reused do not count")
    func quota() async throws {
        try await TemporaryFolder.with { folder in
            let sample = try SampleRelease()
            let blocks = try sample.weightBlocks()
            let accounts = try AccountDatabase(state: folder.path(of: "state"))
            var settings = TokenPolicy.Settings()
            let published = sample.blobs.values.reduce(0) { $0 + $1.count }
            settings.quota = published + 100_000
            let policy = TokenPolicy(accounts, settings) { 1_800_000_000 }
            let scope = try TokenScope(parsing: "ami:publish")
            let new = try NewToken("ci", [scope], expires: nil, creator: "user:test")
            let token = try accounts.createToken(new, at: 1_800_000_000).secret
            try await RunningServer.withRegistry(policy: policy) { server in
                let client = OCIClient(url: server.url, token: token)
                #expect(try await sample.publish(with: client, as: "1.1.0").status == 201)
                let reusing = BlockArchive(blocks: blocks.reversed() + [noise(50_000)])
                let upload = BlockUploadClient(client, "ami/ball-drop", reusing)
                let start = try await upload.start()
                let missing = try start.missing
                #expect(missing.map(\.count) == [50_000])
                #expect(try await upload.send(missing[0], to: start.location).status == 202)
                #expect(try await upload.end(try start.location).status == 201)
                try await upload.expectServed()
                let large = BlockArchive(blocks: [noise(60_000, seed: 9)])
                let other = BlockUploadClient(client, "ami/ball-drop", large)
                let location = try await other.start().location
                #expect(try await other.send(0..<60_000, to: location).status == 429)
                #expect(try await client.send("GET", location).missing == [0..<60_000])
            }
        }
    }

    @Test("to be forgotten before it expires, and to outlive collection without its table")
    func limits() async throws {
        try await TestRegistry.withEmpty { registry in
            var limits = UploadFolder.Limits()
            limits.uploads = 1
            let uploads = try UploadFolder(root: registry.root, limits: limits)
            let repository = try RepositoryName(parsing: "ami/x")
            let table = archive.table.canonicalBytes
            try registry.add(blob: table)
            let target = UploadSession.Blocks(
                archive: archive.digest,
                table: ContentDigest(of: table),
                subject: nil
            )
            let upload = try uploads.startBlocks(of: target, in: repository)
            upload.release()
            #expect(uploads.count == 1)
            // The same upload is found again, another one is one too many.
            try uploads.startBlocks(of: target, in: repository).release()
            #expect(uploads.count == 1)
            let other = UploadSession.Blocks(
                archive: target.archive,
                table: target.table,
                subject: "other"
            )
            #expect(throws: ZooError(.uploadsFull, "")) {
                try uploads.startBlocks(of: other, in: repository)
            }
            let folder = try RegistryFolder(opening: registry.root)
            let path = "\(registry.root)/\(RegistryLayout.blob(target.table))"
            let old = Clock.nanoseconds() - 3_600_000_000_000
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -7200)],
                ofItemAtPath: path
            )
            _ = try folder.collect(olderThan: old, dryRun: false, Cancellation())
            #expect(try FileSystem.status(path) != nil)
            #expect(try uploads.removeExpired() == 0)
            // A request that has it open keeps it.
            let open = try uploads.startBlocks(of: target, in: repository)
            #expect(try uploads.removeExpired(now: Clock.seconds() + 90_000) == 0)
            open.release()
            #expect(try uploads.removeExpired(now: Clock.seconds() + 90_000) == 1)
            #expect(uploads.count == 0)
            _ = try folder.collect(olderThan: old, dryRun: false, Cancellation())
            #expect(try FileSystem.status(path) == nil)
        }
    }
}
