// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooStore
import ZooTesting

/// One rule says which validation is the newest, wherever evidence is read.
@Suite struct EvidenceRuleTests {
    private typealias Artifact = (manifest: [UInt8], blobs: [[UInt8]])

    /// What everybody says about a release: the registry, a folder that was pulled, the index document, the catalogue.
    private func statements(_ place: AttachmentPlace) async throws -> [String] {
        let record = place.evidence.record
        let client = place.client()
        let path = try await place.pull()
        return [
            AttachmentPlace.state(try await client.evidence(of: record, place.evidence.digest)),
            AttachmentPlace.state(
                place.kept(path).evidence(of: record, place.evidence.digest)
            ),
            try await client.index(of: record.name).entries[0].evidence?.state.rawValue ?? "none",
            try await client.catalogue()[0].summary?.evidence?.state.rawValue ?? "none",
        ]
    }

    private func permutations(_ count: Int) -> [[Int]] {
        guard count > 0 else { return [[]] }
        return permutations(count - 1).flatMap { order in
            (0...order.count).map { place in
                var order = order
                order.insert(count - 1, at: place)
                return order
            }
        }
    }

    @Test func theOrderOfAttachingDoesNotCount() async throws {
        for order in permutations(3) {
            try await TemporaryFolder.with { folder in
                let place = try AttachmentPlace(in: folder)
                let draft = try place.evidence.validation(at: 10)
                let waiver = try place.evidence.waiver("no data")
                let artifacts: [Artifact] = [
                    (draft.manifest, draft.blobs.map(\.bytes)), place.evidence.failure(at: 20),
                    (waiver.manifest, waiver.blobs.map(\.bytes)),
                ]
                for index in order { try place.evidence.attach(artifacts[index]) }
                #expect(
                    try await statements(place) == Array(repeating: "failed", count: 4),
                    "\(order)"
                )
            }
        }
    }

    /// An annotation of the manifest is not the time of the statement.
    @Test func aLaterManifestDoesNotHideAFailure() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            try place.evidence.attach(place.evidence.failure(at: 20))
            let old = place.evidence.report(at: 10)
            try place.evidence.attach(
                place.evidence.artifact(
                    AttachmentDraft.validation,
                    [
                        (EvidenceStatement.mediaType, EvidenceStatement.testResult(of: old)),
                        (ValidationReport.mediaType, old.json.canonicalBytes),
                    ],
                    at: 99
                )
            )
            #expect(try await statements(place) == Array(repeating: "failed", count: 4))
        }
    }

    @Test func atEqualTimesTheGreaterDigestDecides() async throws {
        for isReversed in [false, true] {
            try await TemporaryFolder.with { folder in
                let place = try AttachmentPlace(in: folder)
                let draft = try place.evidence.validation(at: 10)
                let passed: Artifact = (draft.manifest, draft.blobs.map(\.bytes))
                let failed = place.evidence.failure(at: 10)
                for artifact in isReversed ? [failed, passed] : [passed, failed] {
                    try place.evidence.attach(artifact)
                }
                let isPassed =
                    ContentDigest(of: passed.manifest) > ContentDigest(of: failed.manifest)
                #expect(
                    try await statements(place)
                        == Array(repeating: isPassed ? "validated" : "failed", count: 4)
                )
            }
        }
    }

    /// What cannot be read may be newer than what passed, so that it is shown beside it.
    @Test func whatCannotBeReadIsShownBeside() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            try place.evidence.attach(try place.evidence.validation(at: 10))
            let lost = try place.evidence.attach(place.evidence.failure(at: 20))
            let blobs = BlobFolder(root: place.registry.root)
            try FileSystem.remove(blobs.path(of: lost))
            _ = try RegistryFolder(opening: place.registry.root).rebuild(Cancellation())
            let client = place.client()
            let record = place.evidence.record
            let found = try await client.evidence(of: record, place.evidence.digest)
            #expect(AttachmentPlace.state(found) == "validated")
            #expect(found.unreadable.map(\.code) == [.blobMissing])
            let entry = try await client.index(of: record.name).entries[0].evidence
            #expect(entry?.state == .validated && entry?.unreadable == 1)
            let line = try await client.catalogue()[0].summary?.evidence
            #expect(line?.state == .validated && line?.unreadable == 1)
            #expect(
                try await RegistryCheck(root: place.registry.root).run().findings.isEmpty == false
            )

            // In a folder that kept both, damage to one.
            try blobs.write(place.evidence.failure(at: 20).manifest)
            let path = try await place.pull()
            let file = "\(path)/.ami-zoo/attachments/\(lost.hex)"
            try FileSystem.remove(file)
            try FileSystem.writeAtomically(file, [1])
            let kept = place.kept(path).evidence(of: record, place.evidence.digest)
            #expect(AttachmentPlace.state(kept) == "validated")
            #expect(kept.unreadable.map(\.code) == [.attachmentChanged])
        }
    }

    /// A layer that is a manifest about the release is a layer, and not an attachment.
    @Test func aNestedManifestIsNotAnAttachment() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            try place.evidence.attach(try place.evidence.validation(at: 10))
            let nested = place.evidence.failure(at: 20)
            let layers = ([nested.manifest] + nested.blobs.dropFirst()).map { ("a/b", $0) }
            try place.evidence.attach(place.evidence.artifact("x/bundle", layers))
            #expect(try await statements(place) == Array(repeating: "validated", count: 4))
            let path = try await place.pull()
            #expect(place.kept(path).findings == [])
            #expect(place.kept(path).attachments.count == 2)
            // A folder of a program that recorded nothing hides nothing.
            try FileSystem.remove("\(path)/.ami-zoo/attachments/index.json")
            let kept = place.kept(path).evidence(of: place.evidence.record, place.evidence.digest)
            #expect(AttachmentPlace.state(kept) == "failed")
            #expect(try await place.repair(path).repaired == [".ami-zoo/attachments/index.json"])
        }
    }

    /// Every byte of the list counts: whatever becomes of it, no failure disappears.
    @Test func aDamagedListHidesNothing() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            try place.evidence.attach(try place.evidence.validation(at: 10))
            try place.evidence.attach(place.evidence.failure(at: 20))
            let path = try await place.pull()
            let file = "\(path)/.ami-zoo/attachments/index.json"
            let sound = try FileSystem.document(file, limit: 1 << 20)
            for index in sound.indices {
                var bytes = sound
                bytes[index] ^= 1
                try OpenFile(file, .write).write(bytes, at: 0)
                let kept = place.kept(path)
                let evidence = kept.evidence(of: place.evidence.record, place.evidence.digest)
                let isShown =
                    AttachmentPlace.state(evidence) == "failed" || !evidence.unreadable.isEmpty
                    || AttachmentPlace.state(evidence) == "evidence.attachment-changed"
                #expect(isShown, "byte \(index)")
                #expect(!kept.findings.isEmpty || kept.attachments.count == 2, "byte \(index)")
            }
            try OpenFile(file, .write).write(sound, at: 0)
            #expect(place.kept(path).findings == [])
        }
    }

    // MARK: Other registries

    /// A registry may list attachments on several pages, and in any order.
    @Test func allPagesOfReferrersAreRead() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            let evidence = place.evidence
            let passed = try evidence.attach(try evidence.validation(at: 10))
            let failed = try evidence.attach(evidence.failure(at: 20))
            let blobs = BlobFolder(root: place.registry.root)
            try await HostileServer.with { server in
                func serve(_ path: String, _ bytes: [UInt8], _ headers: [(String, String)] = []) {
                    var behaviour = Behaviour.serving(ServedContent(bytes))
                    for (name, value) in headers { behaviour = behaviour.header(name, value) }
                    server.on(path, behaviour)
                }
                func page(_ digest: ContentDigest) throws -> [UInt8] {
                    let size = try blobs.read(digest, limit: 1 << 20).count
                    let document: JSONValue = [
                        "schemaVersion": 2, "mediaType": .string(ArtifactManifest.indexType),
                        "manifests": [
                            [
                                "mediaType": .string(ReleaseManifest.MediaType.manifest),
                                "digest": .string(digest.description), "size": .integer(size),
                                "artifactType": .string(AttachmentDraft.validation),
                            ]
                        ],
                    ]
                    return document.canonicalBytes
                }
                let referrers = "/v2/ami/tiny/referrers/\(evidence.digest)"
                serve("/v2/", Array("{}".utf8))
                serve(
                    referrers,
                    try page(failed),
                    [("Link", "</x>; rel=\"prev\", <\(referrers)/2>; title=\"a, b\"; rel=\"next\"")]
                )
                serve("\(referrers)/2", try page(passed))
                for digest in try FileSystem.names(in: "\(place.registry.root)/blobs/sha256") {
                    let bytes = try blobs.read(
                        ContentDigest(parsing: "sha256:\(digest)"),
                        limit: 1 << 20
                    )
                    serve("/v2/ami/tiny/manifests/sha256:\(digest)", bytes)
                    serve("/v2/ami/tiny/blobs/sha256:\(digest)", bytes)
                }
                let client = place.client(try RegistryLocation(parsing: server.url("")))
                var found = try await client.evidence(of: evidence.record, evidence.digest)
                #expect(AttachmentPlace.state(found) == "failed")
                #expect(server.requests(for: "\(referrers)/2").count == 1)

                // A list without an end is refused, and not taken for a complete one.
                serve(
                    "\(referrers)/2",
                    try page(passed),
                    [("Link", "<\(referrers)/2>; rel=next")]
                )
                server.forgetRequests()
                found = try await client.evidence(of: evidence.record, evidence.digest)
                #expect(AttachmentPlace.state(found) == "evidence.attachment-too-large")
                #expect(server.requests(for: "\(referrers)/2").count < 100)
            }
        }
    }

    // MARK: Limits

    /// What a registry lists is charged before it is fetched, so that wrong bytes are not free.
    @Test func wrongBytesAreNotFetchedForever() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            let blobs = BlobFolder(root: place.registry.root)
            var large: [ContentDigest] = []
            for number in 0..<12 as Range<UInt8> {
                let blob = [UInt8](repeating: number, count: AttachmentLimits.blob)
                try place.evidence.attach(
                    place.evidence.artifact(AttachmentDraft.validation, [("a/b", blob)])
                )
                large.append(ContentDigest(of: blob))
            }
            for digest in large {
                try FileSystem.remove(blobs.path(of: digest))
                try FileSystem.writeAtomically(blobs.path(of: digest), [1])
            }
            try await HostileServer.with { server in
                server.serve(folder: place.registry.root)
                let location = try RegistryLocation(parsing: server.url(""))
                func fetched() -> Int {
                    large.count { !server.requests(for: "/\(RegistryLayout.blob($0))").isEmpty }
                }
                let most = AttachmentLimits.total / AttachmentLimits.blob
                _ = try await place.pull(location)
                #expect(fetched() < most)
                server.forgetRequests()
                let found = try await place.client(location)
                    .evidence(of: place.evidence.record, place.evidence.digest)
                #expect(fetched() < most)
                #expect(found.unreadable.count == 11)
            }
        }
    }

    /// Nothing longer than what a manifest states is received.
    @Test func aLongBlobIsNotReceived() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            try place.evidence.attach(place.evidence.artifact("x/y", [("a/b", [1, 2, 3])]))
            let path = RegistryLayout.blob(ContentDigest(of: [1, 2, 3]))
            try await HostileServer.with { server in
                server.serve(folder: place.registry.root)
                server.on(
                    "/\(path)",
                    .serving(ServedContent([UInt8](repeating: 7, count: 4 << 20)))
                )
                _ = try await place.pull(try RegistryLocation(parsing: server.url("")))
                let note = try #require(place.notes.taken.first)
                #expect(note.contains("longer than 3 B"), "\(note)")
            }
        }
    }
}
