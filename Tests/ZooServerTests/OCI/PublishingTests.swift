// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooRegistry
import ZooServer

@Suite("A release that is pushed")
struct PublishingTests {
    private let sample: SampleRelease

    init() throws { sample = try SampleRelease() }

    private func index(of name: String, _ registry: TestRegistry) throws -> IndexDocument? {
        try RegistryDocuments(root: registry.root).index(of: ModelName(parsing: name))
    }

    /// What `registry check` finds except blobs that no release refers to.
    private func faults(_ registry: TestRegistry) async throws -> [Finding] {
        try await RegistryCheck(root: registry.root).run().findings.filter {
            $0.code != .blobUnreferenced
        }
    }

    @Test("is checked, indexed and listed, and served as it is")
    func isPublished() async throws {
        try await RunningServer.withRegistry { server in
            let client = OCIClient(url: server.url)
            let early = try await client.put(sample.bytes, as: "1.1.0", to: "ami/ball-drop")
            #expect(early.status == 400)
            #expect(early.codes == ["MANIFEST_BLOB_UNKNOWN", "registry.blob-missing"])
            #expect(try index(of: "ami/ball-drop", server.registry) == nil)

            let reply = try await sample.publish(with: client, as: "1.1.0")
            #expect(reply.status == 201, "\(reply.text)")
            #expect(reply.fields["docker-content-digest"] == sample.digest.description)
            let entries = try index(of: "ami/ball-drop", server.registry)?.entries ?? []
            #expect(entries.map(\.digest) == [sample.digest])

            let path = "/v2/ami/ball-drop/manifests"
            for reference in ["1.1.0", sample.digest.description] {
                let found = try await client.send("GET", "\(path)/\(reference)")
                #expect(found.body == sample.bytes)
                #expect(found.fields["content-type"] == ReleaseManifest.MediaType.manifest)
                let again = try await client.send(
                    "GET",
                    "\(path)/\(reference)",
                    ["If-None-Match: \"\(sample.digest)\""]
                )
                #expect(again.status == 304)
                let head = try await client.send("HEAD", "\(path)/\(reference)")
                #expect(head.fields["content-length"] == "\(sample.bytes.count)")
            }
            let tags = try await client.send("GET", "/v2/ami/ball-drop/tags/list")
            #expect(tags.text == #"{"name":"ami/ball-drop","tags":["1.1.0"]}"#)
            for blob in sample.manifest.blobs {
                let range = "0-\(min(99, blob.size - 1))"
                let part = try await client.send(
                    "GET",
                    "/v2/ami/ball-drop/blobs/\(blob.digest)",
                    ["Range: bytes=\(range)"]
                )
                #expect(part.status == 206)
                #expect(part.body == Array(sample.blobs[blob.digest]?.prefix(100) ?? []))
            }
            let document = try await client.send("GET", "/index/ami/ball-drop.json")
            #expect(document.status == 200)
            #expect(try await faults(server.registry).isEmpty)
            // Once more: nothing changes.
            let repeated = try await client.put(sample.bytes, as: "1.1.0", to: "ami/ball-drop")
            #expect(repeated.status == 201)
        }
    }

    @Test("is refused when it breaks a rule of releases, and nothing of it is listed")
    func isRefused() async throws {
        try await RunningServer.withRegistry { server in
            let client = OCIClient(url: server.url)
            #expect(try await sample.publish(with: client, as: "1.1.0").status == 201)
            let before = try await client.send("GET", "/index/ami/ball-drop.json").body
            let other = sample.changing(["summary": "other words"])
            let renamed = sample.changing(["name": "ami/other"])
            let cases: [(release: SampleRelease, tag: String, status: Int, code: String)] = [
                (other, "1.1.0", 409, "registry.version-taken"),
                (sample, "1.1.1", 400, "registry.release-inconsistent"),
                (sample, "latest", 400, "version.malformed"),
                (renamed, "1.1.0", 400, "registry.release-inconsistent"),
                (
                    sample.changing(["format": "ami-zoo.release/9"]).version("2.0.0"), "2.0.0", 400,
                    "format.unknown"
                ),
                (sample.changing(["files": .array([])]).version("2.0.1"), "2.0.1", 400, ""),
            ]
            for (release, tag, status, code) in cases {
                let reply = try await release.publish(with: client, as: tag)
                #expect(reply.status == status, "\(tag): \(reply.text)")
                if !code.isEmpty { #expect(reply.codes.last == code, "\(tag): \(reply.text)") }
                #expect(!reply.text.contains(server.registry.root))
            }
            for body in [[], Array("{}".utf8), Array(#"{"schemaVersion":2}"#.utf8), noise(100)] {
                let reply = try await client.put(body, as: "3.0.0", to: "ami/ball-drop")
                #expect((400...403).contains(reply.status), "\(reply.text)")
            }
            let huge = [UInt8](repeating: 0x20, count: 5 << 20)
            #expect(try await client.put(huge, as: "3.0.0", to: "ami/ball-drop").status == 413)
            let wrong = try await client.put(
                sample.bytes,
                as: ContentDigest(of: [1]).description,
                to: "ami/ball-drop"
            )
            #expect(wrong.codes == ["DIGEST_INVALID", "upload.digest-mismatch"])
            let stated = try await client.send(
                "PUT",
                "/v2/ami/ball-drop/manifests/1.1.0",
                ["Content-Type: application/json"],
                body: sample.bytes
            )
            #expect(stated.codes == ["MANIFEST_INVALID", "release.manifest-invalid"])
            let after = try await client.send("GET", "/index/ami/ball-drop.json").body
            #expect(after == before)
            #expect(try await faults(server.registry).isEmpty)
        }
    }

    /// Every byte arrives as it was sent; what was sent does not fit together.
    @Test("is refused when an archive or a block table is damaged anywhere, and nothing is listed")
    func refusesDamage() async throws {
        try await RunningServer.withRegistry { server in
            let client = OCIClient(url: server.url)
            for bytes in sample.blobs.values {
                _ = try await client.upload(bytes, to: "ami/ball-drop")
            }
            for archive in sample.manifest.archives {
                for blob in [archive.archive, archive.blocks] {
                    let bytes = try #require(sample.blobs[blob.digest])
                    for (damage, changed) in damages(of: bytes) {
                        let manifest = sample.replacing(blob, with: changed).canonicalBytes
                        _ = try await client.upload(changed, to: "ami/ball-drop")
                        let reply = try await client.put(
                            manifest,
                            as: "1.1.0",
                            to: "ami/ball-drop"
                        )
                        #expect(
                            reply.status == 400,
                            "\(archive.name), \(blob.mediaType): \(damage)"
                        )
                        #expect(reply.codes.first == "MANIFEST_INVALID", "\(reply.text)")
                    }
                }
            }
            #expect(try index(of: "ami/ball-drop", server.registry) == nil)
            #expect(
                try await client.put(sample.bytes, as: "1.1.0", to: "ami/ball-drop").status == 201
            )
        }
    }

    /// Bytes with one bit flipped at places over the whole length, cut off, extended, and zeroed.
    private func damages(of bytes: [UInt8]) -> [(String, [UInt8])] {
        var damages: [(String, [UInt8])] = []
        let places = Set([0, bytes.count - 1] + (1..<10).map { bytes.count * $0 / 10 })
        for place in places.sorted() {
            var changed = bytes
            changed[place] ^= 1
            damages.append(("a bit of byte \(place) of \(bytes.count)", changed))
        }
        damages.append(("one byte less", Array(bytes.dropLast())))
        damages.append(("one byte more", bytes + [0]))
        damages.append(("nothing", []))
        damages.append(("zeros", [UInt8](repeating: 0, count: bytes.count)))
        return damages
    }

    @Test("of twenty versions at once are all there; of one version with other content, one wins")
    func concurrently() async throws {
        try await RunningServer.withRegistry { server in
            let client = OCIClient(url: server.url)
            #expect(try await sample.publish(with: client, as: "1.1.0").status == 201)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask { [sample] in
                        let release = sample.version("2.0.\(number)")
                        let reply = try await release.publish(with: client, as: "2.0.\(number)")
                        #expect(reply.status == 201, "\(reply.text)")
                    }
                }
                try await group.waitForAll()
            }
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for number in 0..<12 {
                    group.addTask { [sample] in
                        try await sample.changing(["summary": .string("words \(number)")])
                            .version("3.0.0").publish(with: client, as: "3.0.0")
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(replies.count { $0.status == 201 } == 1)
            #expect(
                replies.count {
                    $0.status == 409 && $0.codes == ["DENIED", "registry.version-taken"]
                } == 11
            )
            let versions = try index(of: "ami/ball-drop", server.registry)?.entries ?? []
            #expect(versions.count == 22)
            #expect(try await faults(server.registry).isEmpty)
        }
    }

    @Test("gets attachments, which are its referrers")
    func isAttachedTo() async throws {
        try await RunningServer.withRegistry { server in
            let client = OCIClient(url: server.url)
            #expect(try await sample.publish(with: client, as: "1.1.0").status == 201)
            let empty = Array("{}".utf8)
            _ = try await client.upload(empty, to: "ami/ball-drop")
            func attachment(_ type: String, to subject: ContentDigest) -> [UInt8] {
                let descriptor: JSONValue = [
                    "mediaType": "application/vnd.oci.empty.v1+json",
                    "digest": .string(ContentDigest(of: empty).description), "size": 2,
                ]
                let document: JSONValue = [
                    "schemaVersion": 2,
                    "mediaType": .string(ReleaseManifest.MediaType.manifest),
                    "artifactType": .string(type), "config": descriptor,
                    "layers": .array([descriptor]),
                    "subject": [
                        "mediaType": .string(ReleaseManifest.MediaType.manifest),
                        "digest": .string(subject.description),
                        "size": .integer(sample.bytes.count),
                    ],
                ]
                return document.canonicalBytes
            }
            for type in ["application/x.signature", "application/x.evidence"] {
                let bytes = attachment(type, to: sample.digest)
                let digest = ContentDigest(of: bytes)
                let reply = try await client.put(
                    bytes,
                    as: digest.description,
                    to: "ami/ball-drop"
                )
                #expect(reply.status == 201, "\(reply.text)")
                #expect(reply.fields["oci-subject"] == sample.digest.description)
                let found = try await client.send(
                    "GET",
                    "/v2/ami/ball-drop/manifests/\(digest)"
                )
                #expect(found.body == bytes)
            }
            let path = "/v2/ami/ball-drop/referrers/\(sample.digest)"
            func types(_ reply: Reply) throws -> Set<String> {
                let object = try JSONObject(try JSONValue(parsing: reply.body))
                return Set(
                    try object.objects("manifests", maximum: 10).map {
                        try $0.string("artifactType")
                    }
                )
            }
            let all = try await client.send("GET", path)
            #expect(
                try types(all) == ["application/x.signature", "application/x.evidence"]
            )
            #expect(all.fields["oci-filters-applied"] == nil)
            let some = try await client.send(
                "GET",
                "\(path)?artifactType=application%2Fx.evidence"
            )
            #expect(try types(some) == ["application/x.evidence"])
            #expect(some.fields["oci-filters-applied"] == "artifactType")
            let entry = try index(of: "ami/ball-drop", server.registry)?.entries.first
            #expect(entry?.attachments.count == 2)
            #expect(try await faults(server.registry).isEmpty)
            // Its subject is no release of this model.
            let stray = attachment("application/x.signature", to: ContentDigest(of: [1]))
            let reply = try await client.put(
                stray,
                as: ContentDigest(of: stray).description,
                to: "ami/ball-drop"
            )
            #expect(reply.codes == ["DENIED", "server.artifact-not-accepted"])
        }
    }

    @Test("is deleted where deletion is on, with its tag and not with the blobs of others")
    func isDeleted() async throws {
        let options = ServerOptions(allowsDeletion: true)
        try await RunningServer.withRegistry(options: options) { server in
            let client = OCIClient(url: server.url)
            let newer = sample.version("2.0.0")
            #expect(try await sample.publish(with: client, as: "1.1.0").status == 201)
            #expect(try await newer.publish(with: client, as: "2.0.0").status == 201)
            let blob = sample.manifest.archives[0].archive.digest
            let used = try await client.send("DELETE", "/v2/ami/ball-drop/blobs/\(blob)")
            #expect(used.codes == ["DENIED", "server.not-deletable"])
            let path = "/v2/ami/ball-drop/manifests"
            #expect(try await client.send("DELETE", "\(path)/\(sample.digest)").status == 202)
            #expect(try await client.send("DELETE", "\(path)/\(sample.digest)").status == 404)
            #expect(try await client.send("GET", "\(path)/1.1.0").status == 404)
            #expect(try await client.send("GET", "\(path)/2.0.0").status == 200)
            #expect(try await client.send("GET", "/v2/ami/ball-drop/blobs/\(blob)").status == 200)
            // A deleted version does not come back with other content.
            let reply = try await sample.changing(["summary": "other"])
                .publish(with: client, as: "1.1.0")
            #expect(reply.codes == ["DENIED", "registry.version-taken"])
            #expect(try await faults(server.registry).isEmpty)
        }
    }
}
