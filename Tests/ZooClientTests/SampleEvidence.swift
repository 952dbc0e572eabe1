// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry

/// Evidence about a release of a ``TinyRegistry``, which claims nothing.
struct SampleEvidence {
    let registry: TinyRegistry
    let digest: ContentDigest
    let record: ReleaseRecord
    let manifest: Descriptor

    init(of digest: ContentDigest, in registry: TinyRegistry) throws {
        self.registry = registry
        self.digest = digest
        let found = try RegistryDocuments(root: registry.root).release(digest)
        record = try found.record.requireModel()
        manifest = found.manifest.descriptor
    }

    /// A validation that passed, or whose rules failed.
    func report(passing: Bool = true, at second: Int = 0) -> ValidationReport {
        let finding = Finding(.fieldInvalid, path: "README.md", message: "it says nothing")
        return ValidationReport(
            of: record,
            digest,
            created: Timestamp(secondsSince1970: second),
            program: "9.8.7",
            machine: ["processor": "Abacus", "kernels": ["portable"], "precision": "f32"],
            checks: [
                .init(.integrity, "every byte", []),
                .init(.rules, "what a release must state", passing ? [] : [finding]),
            ],
            evaluations: [],
            claims: []
        )
    }

    func validation(at second: Int = 0) throws -> AttachmentDraft {
        let report = report(at: second)
        return AttachmentDraft(
            try ValidationEvidence(
                statement: EvidenceStatement.testResult(of: report),
                report: report.json.canonicalBytes,
                of: record,
                digest
            ),
            to: manifest
        )
    }

    func waiver(_ reason: String) throws -> AttachmentDraft {
        AttachmentDraft(
            try ValidationWaiver(reason: reason, date: Timestamp(secondsSince1970: 0)),
            name: "ami/tiny",
            to: manifest
        )
    }

    /// An attachment of another type, or one that no validation would give.
    func artifact(
        _ type: String,
        _ layers: [(type: String, bytes: [UInt8])],
        about subject: ContentDigest? = nil,
        at second: Int = 0
    ) -> (manifest: [UInt8], blobs: [[UInt8]]) {
        let blobs = [("application/vnd.oci.empty.v1+json", Array("{}".utf8))] + layers
        let links = blobs.map { type, bytes in
            Descriptor(mediaType: type, digest: ContentDigest(of: bytes), size: bytes.count).json
        }
        let document: JSONValue = [
            "schemaVersion": 2, "mediaType": .string(ReleaseManifest.MediaType.manifest),
            "artifactType": .string(type), "config": links[0],
            "layers": .array(Array(links.dropFirst())),
            "subject": Descriptor(
                mediaType: ReleaseManifest.MediaType.manifest,
                digest: subject ?? digest,
                size: manifest.size
            ).json,
            "annotations": [
                "org.opencontainers.image.created": .string(
                    Timestamp(secondsSince1970: second).text
                )
            ],
        ]
        return (document.canonicalBytes, blobs.map(\.1))
    }

    /// A validation that failed, which only another tool would attach.
    func failure(at second: Int) -> (manifest: [UInt8], blobs: [[UInt8]]) {
        let report = report(passing: false, at: second)
        return artifact(
            AttachmentDraft.validation,
            [
                (EvidenceStatement.mediaType, EvidenceStatement.testResult(of: report)),
                (ValidationReport.mediaType, report.json.canonicalBytes),
            ],
            at: second
        )
    }

    @discardableResult
    func attach(_ draft: AttachmentDraft) throws -> ContentDigest {
        try attach((draft.manifest, draft.blobs.map(\.bytes)))
    }

    @discardableResult
    func attach(_ artifact: (manifest: [UInt8], blobs: [[UInt8]])) throws -> ContentDigest {
        let folder = try RegistryFolder(opening: registry.root)
        for blob in artifact.blobs { try folder.blobs.write(blob) }
        return try folder.attach(artifact.manifest, to: record.name, Cancellation())
    }

    /// Lists an attachment whatever is wrong with it, as a hostile registry does.
    func list(_ attachment: IndexDocument.Attachment) throws {
        try RegistryFolder(opening: registry.root).changeIndex(of: record.name, Cancellation()) {
            index in
            try index.with(
                index.entries.map { entry in
                    entry.digest != digest
                        ? entry
                        : IndexDocument.Entry(
                            version: entry.version,
                            digest: entry.digest,
                            size: entry.size,
                            created: entry.created,
                            licence: entry.licence,
                            attachments: entry.attachments + [attachment]
                        )
                },
                index.channels
            )
        }
    }
}
