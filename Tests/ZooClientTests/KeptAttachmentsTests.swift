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

/// An installed folder keeps what is attached to its release, and nothing that is not.
@Suite struct KeptAttachmentsTests {
    // MARK: Pulling

    @Test(arguments: ["folder", "nginx", "scripted server"])
    func aPullKeepsEvidence(place name: String) async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            try place.evidence.attach(try place.evidence.waiver("at first"))
            let draft = try place.evidence.validation()
            try place.evidence.attach(draft)
            func check(_ location: RegistryLocation?) async throws {
                for destination in [nil, "elsewhere"] {
                    let path = try await place.pull(location, to: destination)
                    let names = Set(try AttachmentPlace.files(path))
                    for blob in draft.blobs.map(\.bytes) + [draft.manifest] {
                        let name = ContentDigest(of: blob).hex
                        #expect(names.contains(name))
                        #expect(
                            try FileSystem.document(
                                "\(path)/.ami-zoo/attachments/\(name)",
                                limit: 1 << 20
                            ) == blob
                        )
                    }
                    // Two manifests, two statements, one report, and one empty config for both.
                    #expect(names.count == 6)
                    let verification = try await place.verify(path)
                    #expect(verification.passed)
                    #expect(verification.findings == [])
                    guard case .validated(let found)? = verification.evidence?.decision else {
                        Issue.record("\(AttachmentPlace.state(verification.evidence))")
                        return
                    }
                    #expect(found.program == "9.8.7")
                    #expect(found.created == Timestamp(secondsSince1970: 0))
                }
                #expect(place.notes.taken == [])
            }
            switch name {
            case "folder": try await check(nil)
            case "nginx":
                try await NginxServer.with(folder: place.registry.root) {
                    try await check(try RegistryLocation(parsing: $0.url("")))
                }
            default:
                try await HostileServer.with { server in
                    server.serve(folder: place.registry.root)
                    try await check(try RegistryLocation(parsing: server.url("")))
                }
            }
        }
    }

    @Test func aReleaseWithoutAttachmentsNeedsNone() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            let path = try await place.pull()
            #expect(try FileSystem.status("\(path)/.ami-zoo/attachments") == nil)
            #expect(place.notes.taken == [])
            let verification = try await place.verify(path)
            #expect(verification.passed)
            #expect(AttachmentPlace.state(verification.evidence) == "none")
            // Evidence that comes later is fetched by a repair.
            try place.evidence.attach(try place.evidence.waiver("later"))
            let repaired = try await place.repair(path).repaired
            // Manifest, statement, config, and the list.
            #expect(repaired.count == 4)
            #expect(repaired.allSatisfy { $0.hasPrefix(".ami-zoo/attachments/") })
            #expect(
                try await AttachmentPlace.state(place.verify(path).evidence) == "unvalidated: later"
            )
            #expect(try await place.repair(path).repaired == [])
        }
    }

    /// The newest validation decides, whatever it says; a reason only where there is no validation.
    @Test func theNewestValidationDecides() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            let client = place.client()
            func both(_ path: String) async throws -> [String] {
                let record = place.evidence.record
                return [
                    AttachmentPlace.state(
                        try await client.evidence(of: record, place.evidence.digest)
                    ),
                    AttachmentPlace.state(
                        place.kept(path).evidence(of: record, place.evidence.digest)
                    ),
                    try await client.index(of: record.name).entries[0].evidence?.state.rawValue
                        ?? "none",
                    try await client.catalogue()[0].summary?.evidence?.state.rawValue ?? "none",
                ]
            }
            try place.evidence.attach(try place.evidence.waiver("no data"))
            let path = try await place.pull()
            #expect(
                try await both(path)
                    == [
                        "unvalidated: no data", "unvalidated: no data", "unvalidated",
                        "unvalidated",
                    ]
            )
            for (second, expected) in [(10, "validated"), (20, "failed"), (30, "validated")] {
                if expected == "failed" {
                    try place.evidence.attach(place.evidence.failure(at: second))
                } else {
                    try place.evidence.attach(try place.evidence.validation(at: second))
                }
                _ = try await place.repair(path)
                #expect(try await both(path) == Array(repeating: expected, count: 4))
            }
        }
    }

    /// A validation that the registry no longer lists does not stay behind in a folder.
    @Test func repairRemovesWhatTheRegistryWithdrew() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            let wrong = try place.evidence.attach(try place.evidence.validation(at: 10))
            let path = try await place.pull()
            #expect(try await AttachmentPlace.state(place.verify(path).evidence) == "validated")
            let registry = try RegistryFolder(opening: place.registry.root)
            #expect(try registry.detach(wrong, from: place.evidence.record.name, Cancellation()))
            // A registry that lists nothing may be one that has no place for it.
            _ = try await place.repair(path)
            #expect(try await AttachmentPlace.state(place.verify(path).evidence) == "validated")
            try place.evidence.attach(try place.evidence.waiver("measured wrongly"))
            let repaired = try await place.repair(path)
            #expect(repaired.repaired.contains(".ami-zoo/attachments/\(wrong.hex)"))
            let found = try await place.verify(path)
            #expect(AttachmentPlace.state(found.evidence) == "unvalidated: measured wrongly")
            #expect(found.passed && found.findings == [])
        }
    }

    // MARK: Damage

    @Test func everyByteOfAKeptAttachmentCounts() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            try place.evidence.attach(try place.evidence.validation())
            let path = try await place.pull()
            for name in try AttachmentPlace.files(path) {
                let file = "\(path)/.ami-zoo/attachments/\(name)"
                let sound = try FileSystem.document(file, limit: 1 << 20)
                for index in sound.indices {
                    var bytes = sound
                    bytes[index] ^= 1
                    let open = try OpenFile(file, .write)
                    try open.write(bytes, at: 0)
                    let kept = place.kept(path)
                    #expect(kept.findings.first?.code == .attachmentChanged, "\(name), \(index)")
                    #expect(kept.findings.first?.path == ".ami-zoo/attachments/\(name)")
                    let evidence = kept.evidence(of: place.evidence.record, place.evidence.digest)
                    #expect(
                        AttachmentPlace.state(evidence) == "evidence.attachment-changed",
                        "\(name), \(index): \(AttachmentPlace.state(evidence))"
                    )
                    try open.write(sound, at: 0)
                }
                #expect(place.kept(path).findings == [])
            }
        }
    }

    @Test func everyKindOfDamageIsNamedAndRepaired() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            let draft = try place.evidence.validation()
            try place.evidence.attach(draft)
            let path = try await place.pull()
            let names = try AttachmentPlace.files(path)
            let damages: [(Damage, ZooError.Code)] = [
                (.truncate(1), .attachmentChanged), (.truncate(0), .attachmentChanged),
                (.extend(1), .attachmentChanged), (.extend(1 << 20), .attachmentChanged),
                (.extend(9 << 20), .attachmentTooLarge), (.folder, .attachmentChanged),
                (.link, .attachmentChanged), (.pipe, .attachmentChanged),
            ]
            for name in names {
                let file = "\(path)/.ami-zoo/attachments/\(name)"
                for (damage, code) in damages {
                    try damage.apply(to: file, swap: nil, link: folder.path(of: "link-\(name)"))
                    let found = try await place.verify(path)
                    #expect(!found.passed, "\(damage)")
                    let finding = found.findings.first { $0.path == ".ami-zoo/attachments/\(name)" }
                    #expect(finding?.code == code, "\(damage)")
                    #expect(finding?.remedy?.contains("ami-zoo repair") == true)
                    #expect(AttachmentPlace.state(found.evidence) == code.rawValue, "\(damage)")
                    let repaired = try await place.repair(path).repaired
                    #expect(repaired.contains(".ami-zoo/attachments/\(name)"), "\(damage)")
                    let after = try await place.verify(path)
                    #expect(after.findings == [], "\(damage)")
                    #expect(AttachmentPlace.state(after.evidence) == "validated")
                }
            }
            // What the registry listed is missed, and so is what a manifest names.
            for name in names {
                try FileSystem.remove("\(path)/.ami-zoo/attachments/\(name)")
                let found = try await place.verify(path)
                #expect(!found.passed)
                #expect(AttachmentPlace.state(found.evidence) == "evidence.attachment-changed")
                _ = try await place.repair(path)
                #expect(try await place.verify(path).findings == [])
            }
        }
    }

    @Test func anotherReleasesAttachmentIsRefused() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            let other = try SampleEvidence(
                of: try place.registry.publish("2.0.0"),
                in: place.registry
            )
            let draft = try other.validation()
            let path = try await place.pull()
            for blob in draft.blobs.map(\.bytes) + [draft.manifest] {
                let name = ContentDigest(of: blob).hex
                try FileSystem.createFolder("\(path)/.ami-zoo/attachments")
                try FileSystem.writeAtomically("\(path)/.ami-zoo/attachments/\(name)", blob)
            }
            let found = try await place.verify(path)
            #expect(!found.passed)
            let errors = found.findings.filter { $0.severity == .error }
            #expect(errors.map(\.code) == [.evidenceOfAnother])
            #expect(errors[0].path == ".ami-zoo/attachments/\(draft.entry.digest.hex)")
            #expect(AttachmentPlace.state(found.evidence) == "evidence.other-release")
            _ = try await place.repair(path)
            #expect(try AttachmentPlace.files(path) == [])
            #expect(try await place.verify(path).findings == [])
        }
    }

    /// Statement and report of another release, in an attachment whose manifest names this one.
    @Test func aManifestDoesNotMakeEvidenceOfAnotherReleaseOurs() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            let other = try SampleEvidence(
                of: try place.registry.publish("2.0.0"),
                in: place.registry
            )
            let report = other.report()
            try place.evidence.attach(
                place.evidence.artifact(
                    AttachmentDraft.validation,
                    [
                        (EvidenceStatement.mediaType, EvidenceStatement.testResult(of: report)),
                        (ValidationReport.mediaType, report.json.canonicalBytes),
                    ]
                )
            )
            let path = try await place.pull()
            let found = try await place.verify(path)
            #expect(found.passed)
            #expect(AttachmentPlace.state(found.evidence) == "evidence.other-release")
        }
    }

    @Test func tenThousandFilesAreNotRead() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            try place.evidence.attach(try place.evidence.validation())
            let path = try await place.pull()
            for number in 0..<10_000 {
                let bytes = Array("\(number)".utf8)
                try OpenFile(
                    "\(path)/.ami-zoo/attachments/\(ContentDigest(of: bytes).hex)",
                    .write
                ).write(bytes, at: 0)
            }
            let found = try await place.verify(path)
            #expect(!found.passed)
            #expect(found.findings.map(\.code) == [.attachmentTooLarge])
            #expect(found.findings[0].path == ".ami-zoo/attachments")
            _ = try await place.repair(path)
            #expect(try AttachmentPlace.files(path).count == 4)
            #expect(try await place.verify(path).findings == [])
        }
    }

    /// Somebody who puts a link there at the last moment does not have files written elsewhere.
    @Test(arguments: ["link", "file", "pipe", "folder of links"])
    func whatLiesInPlaceOfTheFolderIsNotWrittenTo(kind: String) async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            try place.evidence.attach(try place.evidence.validation())
            let path = try await place.pull()
            let kept = "\(path)/.ami-zoo/attachments"
            let names = try FileSystem.names(in: kept)
            let outside = folder.path(of: "outside")
            try FileSystem.createFolder(outside)
            try FileSystem.remove(kept)
            switch kind {
            case "link":
                try FileManager.default.createSymbolicLink(
                    atPath: kept,
                    withDestinationPath: outside
                )
            case "file": try FileSystem.writeAtomically(kept, [1])
            case "pipe": #expect(unsafe mkfifo(kept, 0o600) == 0)
            default:
                try FileSystem.createFolder(kept)
                for name in names {
                    try FileManager.default.createSymbolicLink(
                        atPath: "\(kept)/\(name)",
                        withDestinationPath: "\(outside)/\(name)"
                    )
                }
            }
            let release = try InstalledRelease(folder: path)
            let whole = place.kept(try await place.pull(to: "elsewhere"))
            let receipt = InstallReceipt(
                manifest: [],
                record: [],
                blockTables: [:],
                components: nil,
                registry: "",
                attachments: whole.attachments
            )
            let staging = try #require(
                try place.store.staging(for: release.digest, destination: path)
            )
            _ = try staging.replaceAttachments(in: path, with: receipt)
            try staging.discard()
            #expect(try FileSystem.names(in: outside) == [])
            #expect(try FileSystem.names(in: kept) == names)
            #expect(place.kept(path).findings == [])
        }
    }

    @Test func aLinkInPlaceOfTheFolderIsNotFollowed() async throws {
        try await TemporaryFolder.with { folder in
            let place = try AttachmentPlace(in: folder)
            try place.evidence.attach(try place.evidence.validation())
            let path = try await place.pull()
            let outside = folder.path(of: "outside")
            try FileSystem.rename("\(path)/.ami-zoo/attachments", to: outside)
            try folder.write([1], to: "outside/notes.txt")
            try FileManager.default.createSymbolicLink(
                atPath: "\(path)/.ami-zoo/attachments",
                withDestinationPath: outside
            )
            let found = try await place.verify(path)
            #expect(!found.passed)
            #expect(AttachmentPlace.state(found.evidence) == "evidence.attachment-changed")
            _ = try await place.repair(path)
            #expect(try await place.verify(path).findings == [])
            // What the link led to is somebody else's.
            #expect(try FileSystem.names(in: outside).count == 6)
        }
    }
}
