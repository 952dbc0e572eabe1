// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooServer
import ZooStore
import ZooTesting

@Suite("A mounted registry")
struct MountTests {
    // MARK: Requests

    @Test("is a registry like any other, with its prefix in all that it hands out")
    func worksUnderItsPrefix() async throws {
        try await MountedServer.with { zoo in
            try await zoo.publishAll()
            let owner = zoo.client(zoo.partner.owner)
            let repository = "/v2/partner/lab/secret"
            let manifest = zoo.partner.release.digest
            let put = try await owner.put(
                zoo.partner.release.bytes,
                as: "1.1.0",
                to: "partner/lab/secret"
            )
            #expect(put.fields["location"] == "\(repository)/manifests/1.1.0")
            let second = zoo.partner.release.version("1.2.0")
            let more = try await second.publish(with: owner, as: "1.2.0", to: "partner/lab/secret")
            #expect(more.status == 201)
            let page = try await owner.send("GET", "\(repository)/tags/list?n=1")
            #expect(page.text.contains(#""name":"partner/lab/secret""#))
            let link = try #require(page.fields["link"]?.wholeMatch(of: /<(.+)>; rel="next"/))
            #expect(try await owner.send("GET", String(link.1)).text.contains(#"["1.2.0"]"#))
            let upload = try await owner.start("partner/lab/secret")
            #expect(upload.hasPrefix("\(repository)/blobs/uploads/"))
            let bytes = noise(10)
            let patch = try await owner.send("PATCH", upload, body: bytes)
            #expect(patch.fields["location"] == upload)
            let digest = ContentDigest(of: bytes)
            let end = try await owner.send("PUT", "\(upload)?digest=\(digest)")
            #expect(end.fields["location"] == "\(repository)/blobs/\(digest)")
            let mount = try await owner.send(
                "POST",
                "/v2/partner/lab/other/blobs/uploads/?mount=\(digest)&from=partner/lab/secret"
            )
            #expect(mount.fields["location"] == "/v2/partner/lab/other/blobs/\(digest)")
            let yank = try await owner.send(
                "PUT",
                "/partner/api/v1/models/lab/secret/versions/1.2.0/yank",
                body: Array(#"{"reason":"wrong units"}"#.utf8)
            )
            #expect(yank.status == 200)
            for path in [
                "/partner/zoo.json", "/partner/catalogue.json", "/partner/index/lab/secret.json",
                "/partner/blobs/sha256/\(manifest.hex)", "\(repository)/manifests/\(manifest)",
                "\(repository)/referrers/\(manifest)", "/v2/",
            ] { #expect(try await owner.send("GET", path).status == 200, "\(path)") }
            for path in [
                "/partner", "/partner/", "/partner/healthz", "/partner/metrics", "/partner/v2/",
                "/partner/v2/lab/secret/tags/list", "/v2/partner/", "/v2/partner",
                "/partner/partner/zoo.json", "/%70artner/zoo.json", "//partner/zoo.json",
            ] { #expect(try await owner.send("GET", path).status == 404, "\(path)") }
            #expect(zoo.server.log.all.contains { $0.hasPrefix("GET \(repository)/referrers/") })
            let log = try zoo.partner.policy.accounts.audit(limit: 1)
            #expect(log.first?.target == "lab/secret:1.2.0")
        }
    }

    @Test("names itself in the scope of a challenge, and a token for that scope is enough")
    func challenges() async throws {
        try await MountedServer.with { zoo in
            try await zoo.publishAll()
            let secret = "/v2/partner/lab/secret/manifests/1.1.0"
            let scope = "repository:partner/lab/secret:pull"
            let raw = try await command("curl", "-s", "-i", "\(zoo.server.url)\(secret)")
            #expect(raw.text.contains(#"realm="\#(zoo.server.url)/token","#))
            #expect(raw.text.contains(#"scope="\#(scope)""#))
            let reader = try zoo.partner.policy.create("reader", "lab:read")
            let session = try await zoo.session(reader, scope)
            #expect(try await zoo.client(session).send("GET", secret).status == 200)
            let push = "/v2/partner/lab/secret/blobs/uploads/"
            #expect(try await zoo.client(reader).send("POST", push).status == 403)
            #expect(try await zoo.client(session).send("POST", push).status == 401)
            let empty = try await zoo.session(reader, "repository:partner/other/x:pull")
            let narrow = try await command(
                "curl",
                "-s",
                "-i",
                "-H",
                "Authorization: Bearer \(empty)",
                "\(zoo.server.url)\(secret)"
            )
            #expect(narrow.text.contains(#"scope="\#(scope)""#))
            // Clients send the scope of the source of a blob as well, in one parameter or two.
            for scopes in [
                "\(scope),push&scope=repository:ami/ball-drop:pull",
                "\(scope),push%20repository:ami/ball-drop:pull",
            ] {
                let both = try await zoo.session(zoo.partner.owner, scopes)
                #expect(try await zoo.client(both).send("POST", push).status == 202)
            }
        }
    }

    @Test("has accounts of its own; a login accepts those of any registry of the server")
    func logins() async throws {
        try await MountedServer.with { zoo in
            for tenant in [zoo.main, zoo.partner, zoo.fellows] {
                let session = try await zoo.session(tenant.owner)
                for token in [tenant.owner, session] {
                    #expect(try await zoo.client(token).send("GET", "/v2/").status == 200)
                }
                let basic = try await curl("\(zoo.server.url)/token", "-u", "x:\(tenant.owner)")
                #expect(basic.status == 200)
            }
            for token in [nil, "amz_" + String(repeating: "0", count: 64)] {
                for path in ["/v2/", "/token"] {
                    #expect(try await zoo.client(token).send("GET", path).status == 401)
                }
            }
            try zoo.partner.policy.accounts.revoke("owner", by: "user:test", at: 1_000_000)
            #expect(try await zoo.client(zoo.partner.owner).send("GET", "/v2/").status == 401)
            let page = "/partner/zoo.json"
            #expect(try await zoo.client(zoo.partner.owner).send("GET", page).status == 401)
        }
    }

    @Test("hides no namespace: nobody can publish into the one with its name")
    func reservesItsNamespace() async throws {
        try await MountedServer.with { zoo in
            let all = zoo.client(zoo.main.owner)
            for (method, target) in [
                ("POST", "/v2/partner/x/blobs/uploads/"), ("PUT", "/v2/partner/x/manifests/1.0.0"),
                ("PUT", "/v2/partner/manifests/1.0.0"), ("DELETE", "/v2/partner/x/manifests/1.0.0"),
            ] {
                let reply = try await all.send(method, target, body: [1])
                #expect(reply.codes == ["DENIED", "server.access-denied"], "\(target)")
            }
            let change = try await all.send(
                "PUT",
                "/api/v1/models/partner/x/versions/1.0.0/yank",
                body: Array(#"{"reason":"x"}"#.utf8)
            )
            #expect(change.status == 403)
            #expect(try await all.send("POST", "/v2/partners/x/blobs/uploads/").status == 202)
        }
    }

    // MARK: Operation

    @Test("counts in the metrics, which only a reader of the whole root sees")
    func metrics() async throws {
        try await MountedServer.with { zoo in
            for (tenant, prefix) in [
                (zoo.main, ""), (zoo.partner, "partner/"), (zoo.fellows, "fellows/"),
            ] { _ = try await zoo.client(tenant.owner).start("\(prefix)lab/secret") }
            let page = try await zoo.client(zoo.main.owner).send("GET", "/metrics")
            #expect(try MetricsPage(parsing: page.text)["ami_zoo_uploads_incomplete"] == 3)
            let some = try zoo.main.policy.create("some", "ami:admin")
            for (token, status) in [(nil, 401), (zoo.partner.owner, 401), (some, 403)] {
                #expect(try await zoo.client(token).send("GET", "/metrics").status == status)
            }
            #expect(try await zoo.client().send("GET", "/healthz").status == 200)
        }
    }

    @Test("limits the rate and the uploads of its own tokens")
    func limits() async throws {
        let change: (inout TokenPolicy.Settings) -> Void = { ($0.rateLimit, $0.quota) = (2, 100) }
        try await MountedServer.with(mounted: change) { zoo in
            let partner = zoo.client(zoo.partner.owner)
            let large = try await partner.upload(noise(101), to: "partner/lab/secret")
            #expect(large.codes == ["TOOMANYREQUESTS", "accounts.quota-exceeded"])
            var statuses: Set<Int> = []
            for _ in 0..<6 {
                statuses.insert(try await partner.send("GET", "/partner/zoo.json").status)
            }
            #expect(statuses == [200, 429])
            let fellows = zoo.client(zoo.fellows.owner)
            #expect(try await fellows.upload(noise(99), to: "fellows/lab/secret").status == 201)
            let main = zoo.client(zoo.main.owner)
            for _ in 0..<6 { #expect(try await main.upload(noise(101), to: "a/b").status == 201) }
        }
    }

    @Test("is read-only where the server is, and loses uploads without progress")
    func writing() async throws {
        try await MountedServer.with(options: ServerOptions(writing: .never)) { zoo in
            let owner = zoo.client(zoo.partner.owner)
            #expect(try await owner.send("GET", "/partner/zoo.json").status == 200)
            let push = try await owner.send("POST", "/v2/partner/lab/secret/blobs/uploads/")
            #expect(push.codes == ["DENIED", "server.access-denied"])
        }
        try await MountedServer.with { zoo in
            _ = try await zoo.client(zoo.partner.owner).start("partner/lab/secret")
            let uploads = "\(zoo.partner.registry.root)/.uploads"
            _ = try await command("find", uploads, "-exec", "touch", "-d", "2 days ago", "{}", "+")
            func count() async throws -> Int {
                try await command("find", uploads, "-type", "f", "-name", "data").text
                    .split(separator: "\n").count
            }
            #expect(try await count() == 1)
            // Expiry starts with a server.
            let mount = MountedRegistry(
                prefix: try MountPrefix(parsing: "partner"),
                root: zoo.partner.registry.root,
                policy: zoo.partner.policy.policy
            )
            try await RunningServer.with(zoo.fellows.registry, mounts: [mount]) { server in
                for _ in 0..<100 where try await count() > 0 {
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(try await count() == 0)
            }
        }
    }

    // MARK: Refusals

    @Test("has a prefix of lower-case letters, digits and hyphens, which is no path of the server")
    func prefixes() throws {
        for text in ["partner", "p", "0", "a-b-c", "partner2", String(repeating: "a", count: 64)] {
            #expect(try MountPrefix(parsing: text).text == text)
        }
        for text in [
            "", "-", "-a", "a-", "a--b", "A", "a_b", "a.b", "a/b", "é", "a ", "a\0", "..", "%61",
            "e\u{301}", "*", String(repeating: "a", count: 65), "v2", "index", "blobs", "api",
            "healthz", "metrics", "token", "oci-layout", "log", "tuf",
        ] {
            #expect(throws: ZooError(.mountMalformed, "")) { try MountPrefix(parsing: text) }
        }
    }

    @Test("has a folder and a prefix of its own, or the server does not start")
    func conflicts() async throws {
        try await TestRegistry.withEmpty { main in
            try await TestRegistry.withEmpty { other in
                let link = "\(other.root)-link"
                try FileManager.default.createSymbolicLink(
                    atPath: link,
                    withDestinationPath: main.root
                )
                defer { try? FileManager.default.removeItem(atPath: link) }
                for (root, path) in [(main, "inside/zoo.json"), (other, "inside/zoo.json")] {
                    try root.write(RegistryDescription(name: "inside").canonicalBytes, at: path)
                }
                func refusal(_ mounts: [(String, String)]) async throws -> ZooError? {
                    let server = RegistryServer(
                        root: main.root,
                        mounts: try mounts.map {
                            MountedRegistry(
                                prefix: try MountPrefix(parsing: $0),
                                root: $1,
                                policy: OpenPolicy.everything
                            )
                        },
                        address: ListenAddress(host: "127.0.0.1", port: 0),
                        logger: LogLines().logger
                    )
                    return await #expect(throws: ZooError.self) {
                        try await server.run(stoppingOn: .none) { _, _ in
                            Issue.record("it listens with \(mounts)")
                        }
                    }
                }
                let parent = URL(filePath: main.root).deletingLastPathComponent().path
                for mounts in [
                    [("a", main.root)], [("a", "\(main.root)/")], [("a", link)],
                    [("a", "\(main.root)/inside")], [("a", "\(link)/inside")], [("a", parent)],
                    [("a", other.root), ("b", other.root)],
                    [("a", other.root), ("b", "\(other.root)/inside")],
                    [("a", "\(other.root)/inside"), ("b", other.root)],
                    [("a", other.root), ("a", "\(other.root)-2")],
                ] {
                    #expect(try await refusal(mounts)?.code == .mountConflict, "\(mounts)")
                }
                let missing = try await refusal([("a", "\(other.root)-2")])
                #expect(missing?.code == .rootInvalid)
                try main.write([1], at: "index/taken/model.json")
                try main.write([1], at: "oci/used/image/_tags/latest")
                for prefix in ["taken", "used"] {
                    let error = try await refusal([(prefix, other.root)])
                    #expect(error?.code == .mountConflict)
                    #expect(error?.message.contains("'\(prefix)'") == true)
                }
                // Nothing was written to a folder that was refused.
                #expect(!FileManager.default.fileExists(atPath: "\(other.root)/.uploads"))
            }
        }
    }
}
