// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooCore
import ZooRegistry
import ZooServer

@Suite("A change of an index document")
struct ChangeTests {
    private static let name = "ami/ball-drop"

    @Test("is the same change when its request is parsed")
    func requestsAreParsed() throws {
        let name = try ModelName(parsing: Self.name)
        let versions = try ["1.0.0", "2.0.0-rc.1"].map { try SemanticVersion(parsing: $0) }
        let digest = ContentDigest(of: [1])
        let changes = [
            IndexChange(name, .yank(versions[0], reason: "a \"reason\"")),
            IndexChange(name, .yank(versions[1], reason: "b"), digest: digest),
            IndexChange(name, .unyank(versions[1])),
            IndexChange(name, .unyank(versions[0]), digest: digest),
            IndexChange(
                name,
                .channel(.stable, adding: [versions[0]], removing: [versions[1]])
            ),
        ]
        for change in changes {
            let request = change.request
            let parts = request.target.split(separator: "?", maxSplits: 1)
            let parsed = try IndexChange(
                method: request.method,
                path: String(parts[0]),
                digest: parts.count > 1 ? String(parts[1].dropFirst("digest=".count)) : nil,
                body: request.body?.canonicalBytes ?? []
            )
            #expect(parsed == change)
        }
    }

    @Test("is refused with a clear status when it is malformed, and changes nothing")
    func refusesMalformed() async throws {
        let sample = try SampleRelease()
        let versions = "/api/v1/models/\(Self.name)/versions"
        let channels = "/api/v1/models/\(Self.name)/channels"
        let cases: [(method: String, target: String, body: String, status: Int, code: String)] = [
            ("PUT", "\(versions)/1.1.0/yank", "", 400, "json.malformed"),
            ("PUT", "\(versions)/1.1.0/yank", "{}", 400, "format.field-invalid"),
            ("PUT", "\(versions)/1.1.0/yank", #"{"reason":1}"#, 400, "format.field-invalid"),
            (
                "PUT", "\(versions)/1.1.0/yank", #"{"reason":"x","digest":"sha256:0"}"#, 400,
                "digest.malformed"
            ),
            ("PUT", "\(versions)/1.1/yank", #"{"reason":"x"}"#, 400, "version.malformed"),
            (
                "PUT", "\(versions)/9.0.0/yank", #"{"reason":"x"}"#, 404,
                "registry.version-not-found"
            ),
            ("POST", "\(versions)/1.1.0/yank", "{}", 405, "server.method-not-allowed"),
            ("PUT", "\(versions)/1.1.0/delete", "{}", 405, "server.method-not-allowed"),
            ("PUT", "\(channels)/Bad%20Name", "{}", 400, ""),
            ("PUT", "\(channels)/stable", #"{"add":["9.0.0"]}"#, 404, "registry.version-not-found"),
            ("PUT", "\(channels)/stable", #"{"add":"1.1.0"}"#, 400, "format.field-invalid"),
            ("DELETE", "\(channels)/stable", "", 405, "server.method-not-allowed"),
            (
                "PUT", "/api/v1/models/ami/none/channels/stable", "{}", 404,
                "registry.model-not-found"
            ),
            ("PUT", "/api/v1/models/Ami/x/channels/stable", "{}", 400, "reference.malformed"),
            ("PUT", "/api/v1/models/../x/channels/stable", "{}", 400, "reference.malformed"),
        ]
        try await RunningServer.withRegistry { server in
            let client = OCIClient(url: server.url)
            #expect(try await sample.publish(with: client, as: "1.1.0").status == 201)
            let before = try await client.send("GET", "/index/ami/ball-drop.json").body
            for (method, target, body, status, code) in cases {
                let reply = try await client.send(method, target, body: Array(body.utf8))
                #expect(reply.status == status, "\(method) \(target): \(reply.text)")
                if !code.isEmpty { #expect(reply.text.contains("\"\(code)\""), "\(reply.text)") }
                #expect(!reply.text.contains(server.registry.root))
            }
            let huge = [UInt8](repeating: 0x20, count: 2 << 20)
            let large = try await client.send("PUT", "\(versions)/1.1.0/yank", body: huge)
            #expect(large.status == 413)
            #expect(try await client.send("GET", "/index/ami/ball-drop.json").body == before)
        }
    }
}
