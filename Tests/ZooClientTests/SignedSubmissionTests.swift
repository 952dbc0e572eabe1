// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooTesting
import ZooTrust

/// What a publisher sends to the server of a signed registry, or somebody who only says so.
struct Submission: Sendable, CustomTestStringConvertible {
    let name: String
    /// The code with which the registry refuses; nil when it must accept.
    let code: ZooError.Code?
    /// Changes the entries of the new index document, of which the last one is new.
    var entries: @Sendable ([IndexDocument.Entry]) throws -> [IndexDocument.Entry] = { $0 }
    /// Changes the metadata before it is signed.
    var targets: @Sendable (TargetsMetadata) throws -> TargetsMetadata = { $0 }
    /// Signs instead of the owner.
    var isForeign = false

    var testDescription: String { name }

    private static func changed(
        _ entry: IndexDocument.Entry,
        digest: ContentDigest? = nil,
        size: Int? = nil,
        evidence: EvidenceSummary? = nil
    ) -> IndexDocument.Entry {
        IndexDocument.Entry(
            version: entry.version,
            digest: digest ?? entry.digest,
            size: size ?? entry.size,
            created: entry.created,
            licence: entry.licence,
            yank: entry.yank,
            attachments: entry.attachments,
            statedEvidence: evidence ?? entry.statedEvidence
        )
    }

    /// The same metadata, valid for another time in seconds.
    private static func valid(_ targets: TargetsMetadata, for seconds: Int) -> TargetsMetadata {
        TargetsMetadata(
            header: MetadataHeader(
                version: targets.header.version,
                expires: Timestamp(secondsSince1970: OwnedRegistry.start + seconds)
            ),
            targets: targets.targets
        )
    }

    static let all = [
        Submission(name: "a new version", code: nil),
        Submission(name: "a foreign key", code: .trustSignatures, isForeign: true),
        Submission(
            name: "a version that disappears",
            code: .trustSubmission,
            entries: { Array($0.dropFirst()) }
        ),
        Submission(
            name: "another digest of a version",
            code: .versionTaken,
            entries: { [changed($0[0], digest: $0[1].digest), $0[1]] }
        ),
        Submission(
            name: "another size of a version",
            code: .trustSubmission,
            entries: { [changed($0[0], size: 1), $0[1]] }
        ),
        Submission(
            name: "another size than that of the record",
            code: .trustSubmission,
            entries: { [$0[0], changed($0[1], size: 1)] }
        ),
        Submission(
            name: "a manifest that was not pushed",
            code: .blobMissing,
            entries: { [$0[0], changed($0[1], digest: ContentDigest(of: [1]))] }
        ),
        Submission(
            name: "a manifest of another version",
            code: .releaseInconsistent,
            entries: { [$0[0], changed($0[1], digest: $0[0].digest)] }
        ),
        Submission(
            name: "evidence that is not attached",
            code: .trustSubmission,
            entries: { [$0[0], changed($0[1], evidence: EvidenceSummary(.validated))] }
        ),
        Submission(
            name: "a version that does not follow",
            code: .trustChanged,
            targets: { $0.next(at: OwnedRegistry.start) }
        ),
        Submission(
            name: "the current version again",
            code: .trustChanged,
            targets: {
                TargetsMetadata(
                    header: MetadataHeader(
                        version: $0.header.version - 1,
                        expires: $0.header.expires
                    ),
                    targets: $0.targets
                )
            }
        ),
        Submission(
            name: "expired metadata",
            code: .trustExpired,
            targets: {
                TargetsMetadata(
                    header: MetadataHeader(
                        version: $0.header.version,
                        expires: Timestamp(secondsSince1970: OwnedRegistry.start)
                    ),
                    targets: $0.targets
                )
            }
        ),
        Submission(
            name: "metadata that expires within a minute",
            code: .trustSubmission,
            targets: { valid($0, for: 60) }
        ),
        Submission(
            name: "metadata that is valid for ten years",
            code: .trustSubmission,
            targets: { valid($0, for: 3650 * OwnedRegistry.day) }
        ),
        Submission(
            name: "another model in the metadata",
            code: .trustSubmission,
            targets: { targets in
                var all = targets.targets
                all[ExactName("ami/other.json")] = TargetFile("ami/other.json", content: [])
                return TargetsMetadata(header: targets.header, targets: all)
            }
        ),
        Submission(
            name: "no model in the metadata",
            code: .trustSubmission,
            targets: { TargetsMetadata(header: $0.header) }
        ),
        Submission(
            name: "a delegation in the metadata",
            code: .trustSubmission,
            targets: { targets in
                let key = try PrivateKey.generate().publicKey
                let delegation = Delegation(
                    to: try RoleName(delegated: "other"),
                    try RoleKeys([key], threshold: 1),
                    patterns: ["other/*.json"]
                )
                return TargetsMetadata(
                    header: targets.header,
                    targets: targets.targets,
                    delegations: .roles([delegation])
                )
            }
        ),
    ]
}

@Suite struct SignedSubmissionTests {
    /// A registry with version 1.0.0, the blobs of 1.1.0, and the index document that would list both.
    private func prepare(_ folder: TemporaryFolder) throws -> (OwnedRegistry, IndexDocument) {
        let registry = try OwnedRegistry(in: folder)
        try registry.tiny.publish("1.0.0")
        let before = try registry.files()
        try registry.tiny.publish("1.1.0")
        let name = try ModelName(parsing: "ami/tiny")
        let index = try #require(try registry.open().documents.index(of: name))
        let blobs = try registry.files().filter { $0.key.hasPrefix("blobs/") }
        try registry.restore(before.merging(blobs) { first, _ in first })
        return (registry, index)
    }

    @Test(arguments: Submission.all)
    func theServerTakesWhatAPublisherMayChange(submission: Submission) async throws {
        try await TemporaryFolder.with { folder in
            let (registry, wanted) = try prepare(folder)
            let entries = try submission.entries(
                wanted.entries.sorted { $0.version < $1.version }
            )
            let versions = Set(entries.map(\.version))
            let index = try wanted.with(
                entries,
                wanted.channels.mapValues { $0.intersection(versions) }
            )
            let repository = MetadataRepository(registry: registry.tiny.root)
            let path = "ami/tiny.json"
            let role = try repository.role(for: path, in: repository.state())
            var targets = role.targets.content.targets
            targets[ExactName(path)] = TargetFile(path, content: index.canonicalBytes)
            let next = role.targets.content.next(targets: targets, at: OwnedRegistry.start)
            var draft = try MetadataDraft(submission.targets(next))
            if submission.isForeign {
                try draft.sign(with: PrivateKey.generate())
            } else {
                try draft.sign(with: registry.keys, for: role.keys)
            }
            // As it travels.
            let sent = try SignedSubmission(
                body: SignedSubmission(index: index, targets: draft.bytes).body.canonicalBytes
            )
            #expect(sent.targets == draft.bytes)
            let before = try registry.files()
            do {
                let added = try registry.open([]).accept(sent, Cancellation())
                #expect(submission.code == nil)
                #expect(added.map(\.description) == ["1.1.0"])
                let store = try registry.store()
                #expect(try await registry.versions(store) == ["1.0.0", "1.1.0"])
            } catch let error as ZooError {
                #expect(error.code == submission.code, "\(error)")
                #expect(try registry.files() == before)
            }
        }
    }
}
