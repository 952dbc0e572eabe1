// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooServer
import ZooStore

/// Every kind of request with every kind of credential, below the prefix of a mounted registry and
/// below one that does not exist.
@Suite("Mounted registries are isolated")
struct MountIsolationTests {
    private typealias Request = (method: String, target: String, body: String?)

    /// Requests below `$P`; what they mean exists below `partner`.
    private static func requests(_ tenant: MountedServer.Tenant, _ upload: String) -> [Request] {
        let name = MountedServer.name
        let (manifest, record) = (tenant.release.digest, tenant.release.manifest.record.digest)
        let loose = ContentDigest(of: tenant.loose)
        let files =
            ["zoo.json", "catalogue.json", "index.json", "oci-layout", "index/\(name).json"]
            + [manifest, record, loose].map { "blobs/sha256/\($0.hex)" }
            + [
                "", "healthz", "metrics", "token", "v2/", "v2/\(name)/tags/list",
                "index/lab/no.json",
            ]
        let repository = "/v2/$P/\(name)"
        let reads =
            files.map { "/$P/\($0)" } + ["/$P", "/v2/$P", "/v2/$P/", "/v2/$P/lab", "/v2/$P//x"]
            + [
                "tags/list", "tags/list?n=1", "manifests/1.1.0", "manifests/9.9.9",
                "manifests/\(manifest)", "referrers/\(manifest)", "blobs/\(record)",
                "blobs/\(loose)", "blobs/uploads/\(upload)",
            ].map { "\(repository)/\($0)" }
        let changes = "/$P/api/v1/models/\(name)"
        let bytes = String(decoding: tenant.release.bytes, as: UTF8.self)
        let yank = #"{"reason":"x"}"#
        return reads.map { ("GET", $0, nil) } + [
            ("HEAD", "/$P/zoo.json", nil), ("HEAD", "\(repository)/manifests/1.1.0", nil),
            ("OPTIONS", "\(repository)/manifests/1.1.0", nil), ("PUT", "/$P/zoo.json", "{}"),
            ("POST", "\(repository)/blobs/uploads/", nil),
            ("POST", "\(repository)/blobs/uploads/?digest=\(loose)", "x"),
            ("POST", "\(repository)/blobs/uploads/?mount=\(record)&from=$P/\(name)", nil),
            ("POST", "\(repository)/blobs/uploads/?mount=\(record)&from=ami/ball-drop", nil),
            ("PATCH", "\(repository)/blobs/uploads/\(upload)", "x"),
            ("PUT", "\(repository)/blobs/uploads/\(upload)?digest=\(loose)", "x"),
            ("DELETE", "\(repository)/blobs/uploads/\(upload)", nil),
            ("PUT", "\(repository)/manifests/1.1.0", bytes),
            ("DELETE", "\(repository)/manifests/1.1.0", nil),
            ("DELETE", "\(repository)/blobs/\(loose)", nil),
            ("PUT", "\(changes)/versions/1.1.0/yank", yank),
            ("DELETE", "\(changes)/versions/1.1.0/yank", nil),
            ("PUT", "\(changes)/channels/tested", #"{"add":["1.1.0"],"remove":[]}"#),
            ("POST", "\(changes)/channels/tested", "{}"),
            ("GET", "/token?service=zoo&scope=repository:$P/\(name):pull,push", nil),
        ]
    }

    /// What a client can see of a reply, without what is different each time.
    private static func visible(_ reply: Reply) -> String {
        let fields = reply.fields.filter { $0.key != "date" }.map { "\($0.key): \($0.value)" }
        let text = "\(reply.status)\n\(fields.sorted().joined(separator: "\n"))\n\n\(reply.text)"
        return text.replacing(/amzs_[0-9a-f]+/, with: "amzs_")
    }

    @Test("What is forbidden answers exactly as what does not exist, whatever is sent")
    func forbiddenIsAbsent() async throws {
        try await MountedServer.with { zoo in
            try await zoo.publishAll()
            let owner = zoo.client(zoo.partner.owner)
            let upload = try await owner.start("partner/\(MountedServer.name)")
            let id = try #require(upload.split(separator: "/").last.map(String.init))
            let reader = try zoo.main.policy.create("reader", "*:read")
            let publisher = try zoo.main.policy.create("publisher", "ami:publish")
            let stranger = try zoo.fellows.policy.create("stranger", "lab:publish")
            // A namespace of the registry at the root gives nothing below the prefix of that name.
            let namesake = try zoo.main.policy.create("namesake", "partner:read", "nothing:read")
            let scope = "repository:partner/\(MountedServer.name):pull,push"
            let credentials = [
                ("none", nil), ("all of main", reader), ("some of main", publisher),
                ("namesake", namesake), ("another mount", stranger),
                ("all of another mount", zoo.fellows.owner),
                ("session of main", try await zoo.session(reader)),
                ("session of main with scope", try await zoo.session(publisher, scope)),
                ("session of another mount", try await zoo.session(zoo.fellows.owner, scope)),
                ("wrong", "amz_" + String(repeating: "0", count: 64)),
            ]
            let requests = Self.requests(zoo.partner, id)
            for (name, token) in credentials {
                let client = zoo.client(token)
                for request in requests {
                    var seen: [String] = []
                    for prefix in ["partner", "nothing"] {
                        // The address must not run out of wrong credentials.
                        if name == "wrong" { zoo.main.policy.advance(3) }
                        let reply = try await client.send(
                            request.method,
                            request.target.replacing("$P", with: prefix),
                            body: request.body.map { Array($0.utf8) }
                        )
                        seen.append(Self.visible(reply).replacing(prefix, with: "$P"))
                        // What does not exist has no referrers; a token may have no rights.
                        let isOpen =
                            request.target.hasPrefix("/token")
                            || request.target.contains("/referrers/")
                        #expect(isOpen || reply.status >= 400, "\(name) \(request)")
                    }
                    #expect(seen[0] == seen[1], "\(name): \(request.method) \(request.target)")
                }
            }
            // And nothing has changed.
            #expect(try await owner.send("GET", upload).fields["range"] == "0-0")
            let index = try await owner.send("GET", "/partner/index/\(MountedServer.name).json")
            #expect(!index.text.contains("yanked") && !index.text.contains("tested"))
            #expect(try zoo.partner.policy.accounts.audit(limit: 100).count == 2)
        }
    }

    @Test("Nothing of a mounted registry shows in another one")
    func nothingShowsElsewhere() async throws {
        try await MountedServer.with { zoo in
            try await zoo.publishAll()
            let all = zoo.client(zoo.main.owner)
            var pages = [
                "/zoo.json", "/index.json", "/catalogue.json", "/index/ami/ball-drop.json",
                "/metrics", "/v2/ami/ball-drop/tags/list", "/v2/_catalog", "/index/lab/secret.json",
            ]
            let blobs = try FileManager.default.contentsOfDirectory(
                atPath: "\(zoo.main.registry.root)/blobs/sha256"
            )
            pages += blobs.map { "/blobs/sha256/\($0)" }
            for page in pages {
                let text = try await all.send("GET", page).text
                for tenant in [zoo.partner, zoo.fellows] {
                    for digest in tenant.digests { #expect(!text.contains(digest.hex), "\(page)") }
                }
                for secret in ["lab/secret", "partner", "fellows"] where !page.contains("lab") {
                    #expect(!text.contains(secret), "\(page)")
                }
            }
            // A digest opens nothing: through files, a repository, a mount of a blob, or a manifest.
            let tokens = [
                (zoo.main, "", "ami/ball-drop"), (zoo.fellows, "fellows/", "lab/secret"),
            ]
            for (tenant, prefix, name) in tokens {
                let owner = zoo.client(tenant.owner)
                for digest in zoo.partner.digests {
                    for path in [
                        "/\(prefix)blobs/sha256/\(digest.hex)",
                        "/v2/\(prefix)\(name)/blobs/\(digest)",
                        "/v2/\(prefix)\(name)/manifests/\(digest)",
                    ] { #expect(try await owner.send("GET", path).status == 404, "\(path)") }
                    for source in ["partner/lab/secret", "lab/secret"] {
                        let mount = try await owner.send(
                            "POST",
                            "/v2/\(prefix)\(name)/blobs/uploads/?mount=\(digest)&from=\(source)"
                        )
                        #expect(mount.status == 202)
                    }
                }
                let put = try await owner.put(
                    zoo.partner.release.bytes,
                    as: "1.1.0",
                    to: "\(prefix)lab/secret2"
                )
                #expect(put.codes == ["MANIFEST_BLOB_UNKNOWN", "registry.blob-missing"])
            }
        }
    }

    @Test("Anonymous readers of the server, and holders of other tokens, read its root only")
    func anonymousReaders() async throws {
        try await MountedServer.with(main: { $0.anonymousRead = true }) { zoo in
            try await zoo.publishAll()
            let open = "/v2/ami/ball-drop/manifests/1.1.0"
            let session = try await zoo.session(zoo.partner.owner)
            let pull = try await zoo.session(zoo.partner.owner, "repository:ami/ball-drop:pull")
            for token in [nil, zoo.partner.owner, session, pull] {
                let client = zoo.client(token)
                #expect(try await client.send("GET", open).status == 200)
                #expect(try await client.send("GET", "/zoo.json").status == 200)
                let push = try await client.send("POST", "/v2/ami/ball-drop/blobs/uploads/")
                #expect(push.status == 401)
                #expect(try await client.send("GET", "/fellows/zoo.json").status == 404)
                let other = "/v2/fellows/lab/secret/manifests/1.1.0"
                #expect(try await client.send("GET", other).status == 404)
            }
            let secret = "/v2/partner/lab/secret/manifests/1.1.0"
            #expect(try await zoo.client().send("GET", secret).status == 404)
            #expect(try await zoo.client(pull).send("GET", secret).status == 401)
            #expect(try await zoo.client(session).send("GET", secret).status == 200)
        }
    }

    @Test("Accounts that cannot be read do not show whose they are")
    func brokenAccounts() async throws {
        try await TestRegistry.withEmpty { root in
            try await TestRegistry.withEmpty { mounted in
                let mount = MountedRegistry(
                    prefix: try MountPrefix(parsing: "partner"),
                    root: mounted.root,
                    policy: BrokenAccounts()
                )
                try await RunningServer.with(
                    root,
                    mounts: [mount],
                    policy: OneOpenNamespace()
                ) { server in
                    var texts: Set<String> = []
                    for path in ["/partner/zoo.json", "/nothing/zoo.json", "/zoo.json"] {
                        let reply = try await OCIClient(url: server.url, token: "some")
                            .send("GET", path)
                        #expect(reply.status == 503)
                        texts.insert(Self.visible(reply))
                    }
                    #expect(texts.count == 1)
                    #expect(!(texts.first ?? "").contains("partner"))
                    #expect(server.log.all.contains { $0.contains("/state/partner/accounts") })
                }
            }
        }
    }
}

/// A policy whose accounts cannot be read.
private struct BrokenAccounts: AccessPolicy {
    let isWritable = true

    private var failure: ZooError { ZooError(.databaseBusy, "'/state/partner/accounts' is busy") }

    func knows(_ credentials: RequestCredentials) async throws -> Bool { throw failure }

    func access(_ credentials: RequestCredentials?, peer: String) async throws -> Access {
        throw failure
    }

    func challenge(scope: String?, origin: String) -> String? { nil }
}
