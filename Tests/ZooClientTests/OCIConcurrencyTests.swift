// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooTesting

/// Attachments and many versions in Docker's registry, which has neither the referrers API nor index
/// documents.
@Suite(.enabled(if: DockerRegistryServer.isInstalled, "needs docker-registry"))
struct OCIConcurrencyTests {
    private let name = ModelName.tiny

    private func target(_ server: DockerRegistryServer, in folder: TemporaryFolder) throws
        -> OCITarget
    {
        try OCITarget(
            base: server.url,
            transport: .impatient,
            credentials: { _ in nil },
            spool: folder.path(of: "spool")
        )
    }

    /// Every client has its own connection and knows nothing of the others.
    @Test func attachmentsOfSeveralWritersAreAllKept() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            let digest = try registry.publish("1.0.0")
            try await DockerRegistryServer.with { server in
                let target = try target(server, in: folder)
                let documents = RegistryDocuments(root: registry.root)
                _ = try await Publisher(from: documents, to: target).publish(digest)
                let size = try documents.blobs.read(digest, limit: FormatLimits.manifest).count
                var notes: [[UInt8]] = []
                for number in 0..<4 {
                    let document: JSONValue = [
                        "schemaVersion": 2,
                        "mediaType": .string(ArtifactManifest.manifestType),
                        "artifactType": "application/vnd.example.note",
                        "config": try await link(
                            "application/vnd.oci.empty.v1+json",
                            "{}",
                            target
                        ),
                        "layers": [try await link("text/plain", "note \(number)", target)],
                        "subject": Descriptor(
                            mediaType: ArtifactManifest.manifestType,
                            digest: digest,
                            size: size
                        ).json,
                    ]
                    notes.append(document.canonicalBytes)
                }
                try await withThrowingTaskGroup { [notes] group in
                    for note in notes {
                        let writer = try self.target(server, in: folder)
                        let attachment = IndexDocument.Attachment(
                            type: "application/vnd.example.note",
                            digest: ContentDigest(of: note),
                            size: note.count
                        )
                        group.addTask {
                            try await writer.attach(note, attachment, to: digest, of: name)
                        }
                    }
                    try await group.waitForAll()
                }
                let found = try await target.attachments(of: digest, name).map(\.digest)
                #expect(found.count == notes.count)
                #expect(Set(found) == Set(notes.map { ContentDigest(of: $0) }))
            }
        }
    }

    private func link(
        _ type: String,
        _ text: String,
        _ target: OCITarget
    ) async throws -> JSONValue {
        let bytes = Array(text.utf8)
        return Descriptor(
            mediaType: type,
            digest: try await target.put(bytes, of: name),
            size: bytes.count
        ).json
    }

    /// A reader takes the newest versions from tags, a mirror takes all of them.
    @Test func aMirrorCopiesEveryVersion() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            let first = try registry.publish("1.0.0")
            try await DockerRegistryServer.with { server in
                let target = try target(server, in: folder)
                let documents = RegistryDocuments(root: registry.root)
                _ = try await Publisher(from: documents, to: target).publish(first)
                for minor in 1...65 {
                    try await push("1.\(minor).0", like: first, documents.blobs, target)
                }
                let source = Registry(
                    try RegistryLocation(parsing: server.url),
                    transport: .impatient,
                    cache: nil
                )
                #expect(try await source.index(of: name).entries.count == 64)
                let copy = folder.path(of: "copy")
                try RegistryFolder.create(copy, RegistryDescription(name: "copy"))
                let mirror = RegistryMirror(from: source, to: try await FolderTarget(root: copy))
                let report = try await mirror.copy([.init(parsing: name.description)])
                #expect(report.releases.count == 66)
                #expect(report.releases.first?.digest == first)
                let index = try RegistryDocuments(root: copy).index(of: name)
                #expect(index?.entries.count == 66)
                #expect(index?.channels.values.map(\.count) == [66])
            }
        }
    }

    /// Pushes a copy of a release with another version.
    private func push(
        _ version: String,
        like release: ContentDigest,
        _ blobs: BlobFolder,
        _ target: OCITarget
    ) async throws {
        let manifest = try ReleaseManifest(
            canonical: try blobs.read(release, limit: FormatLimits.manifest)
        )
        let text = String(
            decoding: try blobs.read(manifest.record.digest, limit: FormatLimits.record),
            as: UTF8.self
        )
        let parts = text.components(separatedBy: #""version":"1.0.0""#)
        try #require(parts.count == 2)
        let record = Array(parts.joined(separator: #""version":"\#(version)""#).utf8)
        let copy = ReleaseManifest(
            record: Descriptor(
                mediaType: manifest.record.mediaType,
                digest: try await target.put(record, of: name),
                size: record.count
            ),
            archives: manifest.archives
        )
        let identity = RegistryFolder.Identity(
            name: name,
            version: try SemanticVersion(parsing: version)
        )
        let isNew = try await target.publish(copy.canonicalBytes, as: identity, written: [])
        #expect(isNew)
    }
}

extension ModelName {
    /// The model of ``TinyRegistry``.
    fileprivate static var tiny: ModelName {
        do { return try ModelName(parsing: "ami/tiny") } catch { preconditionFailure("\(error)") }
    }
}
