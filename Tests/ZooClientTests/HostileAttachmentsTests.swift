// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Synchronization
import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooStore
import ZooTesting

/// Registries whose attachments are missing, damaged, too large or of another release.
@Suite struct HostileAttachmentsTests {
    /// Whatever the registry says about attachments, the model is installed, and nothing wrong is kept.
    @Test(arguments: [
        "no manifest", "no blob", "a changed blob", "a wrong size", "another subject",
        "no manifest at all", "a large blob", "many blobs",
    ])
    func aBadAttachmentDoesNotSpoilThePull(what: String) async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            let evidence = place.evidence
            let draft = try evidence.validation()
            let blobs = BlobFolder(root: place.registry.root)
            switch what {
            case "no manifest":
                try evidence.attach(draft)
                try FileSystem.remove(blobs.path(of: draft.entry.digest))
            case "no blob":
                try evidence.attach(draft)
                try FileSystem.remove(blobs.path(of: draft.blobs[2].descriptor.digest))
            case "a changed blob":
                try evidence.attach(draft)
                let path = blobs.path(of: draft.blobs[1].descriptor.digest)
                var bytes = draft.blobs[1].bytes
                bytes[9] ^= 4
                try FileSystem.remove(path)
                try FileSystem.writeAtomically(path, bytes)
            case "a wrong size":
                try blobs.write(draft.manifest)
                try evidence.list(
                    .init(type: draft.type, digest: draft.entry.digest, size: draft.entry.size + 1)
                )
            case "another subject":
                let other = evidence.artifact(
                    AttachmentDraft.validation,
                    [],
                    about: ContentDigest(of: [7])
                )
                for blob in other.blobs { try blobs.write(blob) }
                try evidence.list(
                    .init(
                        type: AttachmentDraft.validation,
                        digest: try blobs.write(other.manifest),
                        size: other.manifest.count
                    )
                )
            case "no manifest at all":
                let bytes = Array("[1]".utf8)
                try evidence.list(
                    .init(type: draft.type, digest: try blobs.write(bytes), size: bytes.count)
                )
            case "a large blob":
                try evidence.attach(
                    evidence.artifact("x/y", [("a/b", [UInt8](repeating: 0, count: 9 << 20))])
                )
            default:
                try evidence.attach(
                    evidence.artifact("x/y", (0..<12).map { ("a/b", [UInt8($0)]) })
                )
            }
            // One that is sound, and that is kept.
            try evidence.attach(evidence.artifact("x/signature", [("a/b", [1, 2, 3])]))
            let path = try await place.pull()
            #expect(place.notes.taken.count == 1, "\(place.notes.taken)")
            #expect(place.notes.taken.first?.contains("is left out") == true)
            #expect(try AttachmentPlace.files(path).count == 3)
            let found = try await place.verify(path)
            #expect(found.passed)
            #expect(found.findings == [])
        }
    }

    @Test func aServerThatFailsForAttachmentsDoesNotSpoilThePull() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            let draft = try place.evidence.validation()
            try place.evidence.attach(draft)
            try await HostileServer.with { server in
                server.serve(folder: place.registry.root)
                server.on("/\(RegistryLayout.blob(draft.entry.digest))", .status(503))
                let path = try await place.pull(try RegistryLocation(parsing: server.url("")))
                #expect(place.notes.taken.count == 1)
                #expect(place.notes.taken.first?.contains("'ami-zoo repair' fetches them") == true)
                #expect(try await place.verify(path).passed)
                #expect(try await AttachmentPlace.state(place.verify(path).evidence) == "none")
                _ = try await place.repair(path)
                #expect(try await AttachmentPlace.state(place.verify(path).evidence) == "validated")
            }
        }
    }

    @Test func theSizeOfAllAttachmentsIsBounded() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            for number in 0..<10 as Range<UInt8> {
                let blob = [UInt8](repeating: number, count: AttachmentLimits.blob)
                try place.evidence.attach(place.evidence.artifact("x/y", [("a/b", blob)]))
            }
            // Evidence comes first, although it is the oldest.
            try place.evidence.attach(try place.evidence.validation())
            let path = try await place.pull()
            #expect(place.notes.taken.count == 3)
            let size = try FileSystem.allocatedBytes(below: "\(path)/.ami-zoo/attachments")
            #expect(size <= AttachmentLimits.total)
            let found = try await place.verify(path)
            #expect(found.passed)
            #expect(AttachmentPlace.state(found.evidence) == "validated")
        }
    }
}
