// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore

/// The release of the embedded registry, and variants of it under other versions and names.
struct SampleRelease: Sendable {
    let manifest: ReleaseManifest
    let record: JSONValue
    /// The blobs by digest, the record among them.
    let blobs: [ContentDigest: [UInt8]]

    var bytes: [UInt8] { manifest.canonicalBytes }
    var digest: ContentDigest { ContentDigest(of: bytes) }

    /// Reads `ami/ball-drop:1.1.0` of the repository.
    init() throws {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Tests/Vectors/releases")
        func read(_ path: String) throws -> [UInt8] {
            Array(try Data(contentsOf: root.appendingPathComponent(path)))
        }
        let index = try IndexDocument(canonical: try read("index/ami/ball-drop.json"))
        let entry = try #require(index.entry(for: .version(SemanticVersion(parsing: "1.1.0"))))
        manifest = try ReleaseManifest(canonical: try read(RegistryLayout.blob(entry.digest)))
        var blobs: [ContentDigest: [UInt8]] = [:]
        for blob in manifest.blobs {
            blobs[blob.digest] = try read(RegistryLayout.blob(blob.digest))
        }
        self.blobs = blobs
        record = try JSONValue(parsing: try #require(blobs[manifest.record.digest]))
    }

    private init(
        _ manifest: ReleaseManifest,
        _ record: JSONValue,
        _ blobs: [ContentDigest: [UInt8]]
    ) {
        self.manifest = manifest
        self.record = record
        self.blobs = blobs
    }

    /// The same archives under a record with other members.
    func changing(_ changes: [String: JSONValue]) -> SampleRelease {
        guard case .object(var members) = record else { return self }
        members.merge(changes) { $1 }
        let new = JSONValue.object(members)
        let bytes = new.canonicalBytes
        let digest = ContentDigest(of: bytes)
        var blobs = blobs
        blobs[manifest.record.digest] = nil
        blobs[digest] = bytes
        return SampleRelease(
            ReleaseManifest(
                record: Descriptor(
                    mediaType: ReleaseManifest.MediaType.record,
                    digest: digest,
                    size: bytes.count
                ),
                archives: manifest.archives
            ),
            new,
            blobs
        )
    }

    /// The manifest with other content in the place of a blob.
    func replacing(_ old: Descriptor, with bytes: [UInt8]) -> ReleaseManifest {
        func replaced(_ descriptor: Descriptor) -> Descriptor {
            guard descriptor.digest == old.digest else { return descriptor }
            return Descriptor(
                mediaType: descriptor.mediaType,
                digest: ContentDigest(of: bytes),
                size: bytes.count,
                annotations: descriptor.annotations
            )
        }
        return ReleaseManifest(
            record: manifest.record,
            archives: manifest.archives.map { archive in
                ReleaseManifest.Archive(
                    name: archive.name,
                    archive: replaced(archive.archive),
                    blocks: replaced(archive.blocks)
                )
            }
        )
    }

    /// The same release under another version.
    func version(_ version: String) -> SampleRelease { changing(["version": .string(version)]) }

    /// Uploads every blob, and returns the reply to the manifest.
    func publish(
        with client: OCIClient,
        as tag: String,
        to repository: String = "ami/ball-drop"
    ) async throws -> Reply {
        for bytes in blobs.values {
            let reply = try await client.upload(bytes, to: repository)
            #expect(reply.status == 201, "\(reply.text)")
        }
        return try await client.put(bytes, as: tag, to: repository)
    }
}
