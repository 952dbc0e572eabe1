// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooStore
import ZooTesting
import ZooTransport

/// What a registry says about evidence follows what is attached.
@Suite struct RegistryEvidenceTests {
    private func with(
        _ body: (TemporaryFolder, TinyRegistry, SampleEvidence) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            try await body(
                folder,
                registry,
                try SampleEvidence(of: try registry.publish("1.0.0"), in: registry)
            )
        }
    }

    private func folder(_ registry: TinyRegistry) throws -> RegistryFolder {
        try RegistryFolder(opening: registry.root)
    }

    private func entry(_ evidence: SampleEvidence) throws -> IndexDocument.Entry {
        let documents = RegistryDocuments(root: evidence.registry.root)
        return try #require(try documents.index(of: evidence.record.name)?.entries.first)
    }

    /// Writes the entry as a program without the field `evidence`, or a liar, does.
    private func state(_ summary: EvidenceSummary?, _ evidence: SampleEvidence) throws {
        try folder(evidence.registry).changeIndex(of: evidence.record.name, Cancellation()) {
            index in
            try index.with(
                index.entries.map {
                    IndexDocument.Entry(
                        version: $0.version,
                        digest: $0.digest,
                        size: $0.size,
                        created: $0.created,
                        licence: $0.licence,
                        attachments: $0.attachments,
                        statedEvidence: summary
                    )
                },
                index.channels
            )
        }
    }

    @Test func theIndexIsMadeAgainFromTheAttachments() async throws {
        try await with { _, registry, evidence in
            try evidence.attach(try evidence.waiver("the data were lost"))
            let written = try entry(evidence)
            #expect(written.evidence?.state == .unvalidated)
            #expect(written.evidence?.reason == "the data were lost")
            #expect(written.evidence?.claims == ClaimCounts([]))
            #expect(try folder(registry).rebuild(Cancellation()) == [])
            #expect(try await RegistryCheck(root: registry.root).run().findings == [])

            try state(nil, evidence)
            #expect(try entry(evidence).evidence?.reason == nil)
            #expect(try folder(registry).rebuild(Cancellation()).count == 1)
            #expect(try entry(evidence) == written)

            for lie in [
                EvidenceSummary(.validated), EvidenceSummary(.unvalidated, reason: "it is good"),
                EvidenceSummary(.failed, reason: "no"),
            ] {
                try state(lie, evidence)
                let findings = try await RegistryCheck(root: registry.root).run().findings
                #expect(findings.map(\.code) == [.releaseInconsistent], "\(lie)")
                #expect(try folder(registry).rebuild(Cancellation()).count == 1)
                #expect(try entry(evidence) == written)
                #expect(try await RegistryCheck(root: registry.root).run().findings == [])
            }
        }
    }

    @Test func whatIsDetachedIsNoLongerSaid() async throws {
        try await with { _, registry, evidence in
            let waiver = try evidence.attach(try evidence.waiver("no data"))
            let validation = try evidence.attach(try evidence.validation())
            #expect(try entry(evidence).statedEvidence?.state == .validated)
            for (digest, expected) in [(validation, "unvalidated"), (waiver, "none")] {
                #expect(
                    try folder(registry).detach(digest, from: evidence.record.name, Cancellation())
                )
                #expect(
                    try entry(evidence).statedEvidence?.state.rawValue ?? "none" == expected
                )
            }
        }
    }

    /// Evidence whose bytes are gone or changed in the registry does not count as a validation.
    @Test func damagedEvidenceIsAFailure() async throws {
        try await with { _, registry, evidence in
            let draft = try evidence.validation()
            try evidence.attach(draft)
            let blobs = BlobFolder(root: registry.root)
            for blob in draft.blobs.map(\.bytes) + [draft.manifest] {
                let path = blobs.path(of: ContentDigest(of: blob))
                try FileSystem.remove(path)
                for bytes in [Array(blob.dropLast()), blob + [0x20], nil] {
                    if let bytes { try FileSystem.writeAtomically(path, bytes) }
                    _ = try folder(registry).rebuild(Cancellation())
                    #expect(try entry(evidence).evidence?.state == .failed)
                    #expect(try entry(evidence).evidence?.reason != nil)
                    try FileSystem.remove(path)
                }
                try blobs.write(blob)
                _ = try folder(registry).rebuild(Cancellation())
                #expect(try entry(evidence).evidence?.state == .validated)
            }
        }
    }

    /// A yank and a change of channels keep what is said.
    @Test func otherChangesKeepIt() async throws {
        try await with { _, registry, evidence in
            try evidence.attach(try evidence.validation())
            let before = try entry(evidence).statedEvidence
            let version = evidence.record.version
            for kind in [
                IndexChange.Kind.yank(version, reason: "x"), .unyank(version),
                .channel(.candidate, adding: [version], removing: []),
            ] {
                try folder(registry).changeIndex(of: evidence.record.name, Cancellation()) {
                    try $0.applying(
                        IndexChange(evidence.record.name, kind),
                        at: Timestamp(secondsSince1970: 9),
                        in: "here"
                    )
                }
                #expect(try entry(evidence).statedEvidence == before)
            }
        }
    }

    /// A registry without the referrers API lists attachments under a tag.
    @Test(.enabled(if: DockerRegistryServer.isInstalled, "needs docker-registry"))
    func evidenceTravelsThroughAnOCIRegistry() async throws {
        try await with { folder, registry, evidence in
            try await DockerRegistryServer.with { server in
                let target = try OCITarget(
                    base: server.url,
                    transport: .impatient,
                    credentials: { _ in nil },
                    spool: folder.path(of: "spool")
                )
                let publisher = Publisher(
                    from: RegistryDocuments(root: registry.root),
                    to: target
                )
                let draft = try evidence.validation()
                let planned = try await publisher.publish(
                    evidence.digest,
                    attaching: [draft],
                    isDryRun: true
                )
                #expect(planned.attached == [AttachmentDraft.validation])
                let first = try await publisher.publish(evidence.digest, attaching: [draft])
                #expect(first.attached == [AttachmentDraft.validation])
                let again = try await publisher.publish(evidence.digest, attaching: [draft])
                #expect(again.alreadyThere)
                #expect(again.attached == [])

                let store = ModelStore(root: folder.path(of: "store"))
                let client = Registry(
                    try RegistryLocation(parsing: server.url),
                    transport: .impatient,
                    cache: nil
                )
                #expect(await client.listsEvidence() == false)
                let path = try await Puller(registry: client, store: store)
                    .pull(.of("ami/tiny")).path
                let release = try InstalledRelease(folder: path)
                guard case .validated = release.keptEvidence().decision else {
                    Issue.record("no evidence")
                    return
                }
            }
        }
    }
}
