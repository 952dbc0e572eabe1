// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import HTTPTypes
import Testing
import ZooCore
import ZooServer

/// A policy with two publishers that read their own namespace only.
private struct TwoTenants: AccessPolicy {
    let isWritable = true

    func access(_ credentials: RequestCredentials?, peer: String) async throws -> Access {
        guard let credentials else { return Access(subject: nil) { _, _ in false } }
        guard case .bearer(let name) = credentials, ["ami", "other"].contains(name) else {
            throw AccessRefusal(.unauthorized, ZooError(.requestInvalid, "unknown"))
        }
        return Access(subject: name) { _, namespace in namespace == name }
    }

    func challenge(scope: String?, origin: String) -> String? {
        "Bearer realm=\"\(origin)/token\"" + (scope.map { ",scope=\"\($0)\"" } ?? "")
    }
}

@Suite("A repository")
struct RepositoryAccessTests {
    @Test("shows nothing to those who may not read it")
    func isPrivate() async throws {
        let sample = try SampleRelease()
        try await RunningServer.withRegistry(policy: TwoTenants()) { server in
            let owner = OCIClient(url: server.url, token: "ami")
            let other = OCIClient(url: server.url, token: "other")
            let nobody = OCIClient(url: server.url)
            #expect(try await sample.publish(with: owner, as: "1.1.0").status == 201)
            let blob = sample.manifest.archives[0].archive.digest
            let reads = [
                "/v2/ami/ball-drop/manifests/1.1.0", "/v2/ami/ball-drop/tags/list",
                "/v2/ami/ball-drop/blobs/\(blob)",
                "/v2/ami/ball-drop/referrers/\(sample.digest)",
            ]
            for path in reads {
                #expect(try await owner.send("GET", path).status == 200)
                #expect(try await other.send("GET", path).status == 403)
                let refused = try await nobody.send("GET", path)
                #expect(refused.status == 401)
                #expect(
                    refused.fields["www-authenticate"]
                        == "Bearer realm=\"\(server.url)/token\","
                        + "scope=\"repository:ami/ball-drop:pull\""
                )
            }
            // The static layout is for those who may read everything.
            for path in ["/index/ami/ball-drop.json", "/blobs/sha256/\(blob.hex)", "/zoo.json"] {
                #expect(try await other.send("GET", path).status == 404)
                #expect(try await nobody.send("GET", path).status == 404)
            }
            #expect(try await nobody.send("GET", "/v2/").status == 401)
            #expect(try await other.send("GET", "/v2/").status == 200)
            // Neither mounting a blob nor naming it in a manifest makes it readable.
            let mount = try await other.send(
                "POST",
                "/v2/other/x/blobs/uploads/?mount=\(blob)&from=ami/ball-drop"
            )
            #expect(mount.status == 202)
            #expect(try await other.send("GET", "/v2/other/x/blobs/\(blob)").status == 404)
            let renamed = sample.changing(["name": "other/x"])
            _ = try await other.upload(
                renamed.blobs[renamed.manifest.record.digest] ?? [],
                to: "other/x"
            )
            let reply = try await other.put(renamed.bytes, as: "1.1.0", to: "other/x")
            #expect(reply.codes == ["MANIFEST_BLOB_UNKNOWN", "registry.blob-missing"])
            let push = try await other.send("POST", "/v2/ami/ball-drop/blobs/uploads/")
            #expect(push.codes == ["DENIED", "server.access-denied"])
            let wrong = OCIClient(url: server.url, token: "guess")
            #expect(try await wrong.send("GET", reads[0]).status == 401)
        }
    }

    @Test("changes without accounts only for those who address this machine as itself")
    func refusesForeignHosts() async throws {
        let path = "/v2/ami/x/blobs/uploads/"
        try await RunningServer.withRegistry { server in
            let client = OCIClient(url: server.url)
            for host in [
                "127.0.0.1", "127.0.0.1:8080", "127.1.2.3", "localhost", "LOCALHOST:1", "[::1]",
                "[::1]:80",
            ] {
                let reply = try await client.send("POST", path, ["Host: \(host)"])
                #expect(reply.status == 202, "\(host)")
            }
            for host in [
                "zoo.example", "zoo.example:8080", "127.0.0.1.zoo.example", "10.0.0.1",
                "localhost.zoo.example", "[::2]:80", "127.0.0.1:8080:9", "1.127.0.0",
            ] {
                let reply = try await client.send("POST", path, ["Host: \(host)"])
                #expect(reply.status == 403, "\(host)")
                #expect(reply.codes == ["DENIED", "server.access-denied"], "\(host)")
                let read = try await client.send("GET", "/v2/", ["Host: \(host)"])
                #expect(read.status == 200, "\(host)")
            }
        }
    }

    @Test("takes a blob of another one that its sender may read, without a copy")
    func mounts() async throws {
        let sample = try SampleRelease()
        try await RunningServer.withRegistry { server in
            let client = OCIClient(url: server.url)
            #expect(try await sample.publish(with: client, as: "1.1.0").status == 201)
            let renamed = sample.changing(["name": "other/x"])
            for blob in renamed.manifest.blobs where blob.digest != renamed.manifest.record.digest {
                let reply = try await client.send(
                    "POST",
                    "/v2/other/x/blobs/uploads/?mount=\(blob.digest)&from=ami%2Fball-drop"
                )
                #expect(reply.status == 201)
                #expect(reply.fields["location"] == "/v2/other/x/blobs/\(blob.digest)")
            }
            _ = try await client.upload(
                renamed.blobs[renamed.manifest.record.digest] ?? [],
                to: "other/x"
            )
            #expect(try await client.put(renamed.bytes, as: "1.1.0", to: "other/x").status == 201)
        }
    }

    @Test("stores other artifacts where they are accepted, below /v2/ alone")
    func otherArtifacts() async throws {
        let empty = Array("{}".utf8)
        func artifact(_ words: String) -> [UInt8] {
            let descriptor: JSONValue = [
                "mediaType": "application/vnd.oci.empty.v1+json",
                "digest": .string(ContentDigest(of: empty).description), "size": 2,
            ]
            let document: JSONValue = [
                "schemaVersion": 2, "mediaType": .string(ReleaseManifest.MediaType.manifest),
                "artifactType": "application/x.note", "config": descriptor,
                "layers": .array([descriptor]), "annotations": ["words": .string(words)],
            ]
            return document.canonicalBytes
        }
        let sample = try SampleRelease()
        for accepts in [false, true] {
            let options = ServerOptions(acceptsAnyArtifact: accepts)
            try await RunningServer.withRegistry(options: options) { server in
                let client = OCIClient(url: server.url)
                _ = try await client.upload(empty, to: "ami/ball-drop")
                let first = try await client.put(artifact("a"), as: "latest", to: "ami/ball-drop")
                guard accepts else {
                    #expect(first.codes == ["DENIED", "server.artifact-not-accepted"])
                    return
                }
                #expect(first.status == 201, "\(first.text)")
                let second = try await client.put(
                    artifact("b"),
                    as: "latest",
                    to: "ami/ball-drop"
                )
                #expect(second.status == 201)
                let moved = try await client.send("GET", "/v2/ami/ball-drop/manifests/latest")
                #expect(moved.body == artifact("b"))
                #expect(try await client.send("GET", "/index/ami/ball-drop.json").status == 404)
                #expect(try await sample.publish(with: client, as: "1.1.0").status == 201)
                let over = try await client.put(artifact("c"), as: "1.1.0", to: "ami/ball-drop")
                #expect(over.codes == ["DENIED", "registry.version-taken"])
                let tags = try await client.send("GET", "/v2/ami/ball-drop/tags/list?n=1")
                #expect(tags.text == #"{"name":"ami/ball-drop","tags":["1.1.0"]}"#)
                #expect(
                    tags.fields["link"]
                        == "</v2/ami/ball-drop/tags/list?n=1&last=1.1.0>; rel=\"next\""
                )
                let rest = try await client.send(
                    "GET",
                    "/v2/ami/ball-drop/tags/list?n=1&last=1.1.0"
                )
                #expect(rest.text == #"{"name":"ami/ball-drop","tags":["latest"]}"#)
                let list = try await client.send("GET", "/catalogue.json")
                #expect(list.status == 200)
                #expect(!list.text.contains("latest"))
            }
        }
    }
}
