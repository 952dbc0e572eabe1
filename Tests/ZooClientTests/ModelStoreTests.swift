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

/// The local store over the versions of its format.
@Suite struct ModelStoreTests {
    private func installed(
        _ body: (TemporaryFolder, ModelStore, InstalledRelease) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            try registry.publish("1.0.0")
            let store = ModelStore(root: folder.path(of: "store"))
            let puller = Puller(
                registry: Registry(.folder(registry.root), transport: .unused, cache: nil),
                store: store
            )
            let path = try await puller.pull(.of("ami/tiny")).path
            try await body(folder, store, try InstalledRelease(folder: path))
        }
    }

    @Test func aStoreOfTheFirstFormatKeepsItsModelsAndLosesItsUnfinishedPulls() async throws {
        try await installed { folder, store, release in
            // What version 1 left: no receipts, and staging areas under other names.
            try FileSystem.remove("\(store.root)/receipts")
            let marker: JSONValue = ["format": "ami-zoo.store/1"]
            try FileSystem.writeAtomically("\(store.root)/store.json", marker.canonicalBytes)
            let area = "\(release.digest.hex)-0123456789ab"
            try folder.write([1], to: "store/staging/\(area)/files/model.safetensors")
            try folder.write([], to: "store/staging/\(area).lock")

            try store.prepare()
            #expect(try FileSystem.names(in: "\(store.root)/staging") == [])
            #expect(
                try store.installed(ModelReference(parsing: "ami/tiny")).digest == release.digest
            )
            // Without a receipt the folder vouches for itself, and that is what is said.
            let result = try await VerificationSubject("ami/tiny", in: store)
                .verify(AnchorSearch(store: store), deep: false)
            #expect(result.passed)
            #expect(result.anchor?.kind == .folder)
            #expect(result.findings.map(\.code) == [.receiptMissing])
            // Once more changes nothing.
            try store.prepare()
            #expect(
                try FileSystem.document("\(store.root)/store.json", limit: 4096)
                    == JSONValue.object(["format": "ami-zoo.store/2"]).canonicalBytes
            )
        }
    }

    @Test func aStoreOfALaterFormatIsRefused() async throws {
        try await installed { _, store, _ in
            let marker: JSONValue = ["format": "ami-zoo.store/3"]
            try FileSystem.writeAtomically("\(store.root)/store.json", marker.canonicalBytes)
            #expect(throws: ZooError(.storeTooNew, "")) { try store.prepare() }
        }
    }

    @Test func aPinnedReferenceToAChangedManifestIsNotTheRelease() async throws {
        try await installed { _, store, release in
            let reference = try ModelReference(parsing: "ami/tiny@\(release.digest)")
            #expect(try store.installed(reference).digest == release.digest)
            // A manifest that is sound in itself, and another one.
            let other = ReleaseManifest(
                record: release.manifest.record,
                archives: release.manifest.archives.reversed()
            )
            try FileSystem.writeAtomically(release.manifestPath, other.canonicalBytes)
            #expect(throws: ZooError(.receiptMismatch, "")) { try store.installed(reference) }
            let result = try await VerificationSubject("ami/tiny", in: store)
                .verify(AnchorSearch(store: store), deep: false)
            #expect(!result.passed)
            #expect(result.findings.map(\.code) == [.anchorMismatch])
        }
    }

    @Test func attachmentsAndSignaturesAreNotStrays() async throws {
        try await installed { folder, store, release in
            try FileSystem.createFolder("\(release.folder)/.ami-zoo/attachments")
            try FileSystem.writeAtomically("\(release.folder)/.ami-zoo/attachments/00ff", [1])
            try FileSystem.writeAtomically("\(release.folder)/model.sig", [1])
            #expect(try await release.verification().passed)
            try FileSystem.writeAtomically("\(release.folder)/.ami-zoo/other.json", [1])
            #expect(try await release.findings().map(\.code) == [.fileUnlisted])
        }
    }

    @Test func aReleaseInTheStoreIsNeverTakenForAConversion() async throws {
        try await installed { _, store, release in
            let record = try FileSystem.document(
                "\(release.folder)/.ami-zoo/record.json",
                limit: 1 << 20
            )
            try FileSystem.writeAtomically("\(release.folder)/release.json", record)
            try FileSystem.remove("\(release.folder)/.ami-zoo")
            for text in ["ami/tiny", "ami/tiny:1.0.0", release.folder] {
                let result = try await VerificationSubject(text, in: store)
                    .verify(AnchorSearch(store: store), deep: false)
                #expect(!result.passed, "\(text)")
            }
        }
    }

    @Test func anotherVersionUnderTheNameOfThisOneIsRefused() async throws {
        try await installed { _, store, release in
            let other = "\(FileSystem.parent(of: release.folder))/2.0.0-aaaaaaaaaaaa"
            try FileSystem.rename(release.folder, to: other)
            let result = try await VerificationSubject("ami/tiny:2.0.0", in: store)
                .verify(AnchorSearch(store: store), deep: false)
            #expect(!result.passed)
            #expect(throws: ZooError(.receiptMismatch, "")) {
                try store.installed(ModelReference(parsing: "ami/tiny:2.0.0"))
            }
        }
    }

    @Test(arguments: [#"[]"#, #"["nonexistent"]"#])
    func componentsThatTheRecordLacksAreRefused(components: String) async throws {
        try await installed { _, store, release in
            let text =
                #"{"components":\#(components),"format":"ami-zoo.install/1","registry":"x"}"#
            try FileSystem.writeAtomically(
                "\(release.folder)/.ami-zoo/install.json",
                Array(text.utf8)
            )
            #expect(throws: ZooError(.receiptMismatch, "")) {
                try InstalledRelease(folder: release.folder)
            }
        }
    }

    @Test func aLinkInPlaceOfAStagingFolderIsNotFollowed() async throws {
        try await TemporaryFolder.with { folder in
            let store = ModelStore(root: folder.path(of: "store"))
            let digest = ContentDigest(of: [1])
            let destination = folder.path(of: "shared/model")
            func stage() throws -> String {
                let area = try #require(try store.staging(for: digest, destination: destination))
                return area.files
            }
            let files = try stage()
            try folder.write([1], to: "victim/thesis.txt")
            try FileSystem.remove(files)
            try FileManager.default.createSymbolicLink(
                atPath: files,
                withDestinationPath: folder.path(of: "victim")
            )
            #expect(throws: ZooError(.folderNotPrivate, "")) { try stage() }
            #expect(try folder.read("victim/thesis.txt") == [1])
        }
    }
}

/// Collection in the local store.
@Suite struct StoreCollectionTests {
    @Test func collectionTakesLeftoversAndLeavesModels() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            try registry.publish("1.0.0")
            let store = ModelStore(root: folder.path(of: "store"))
            let puller = Puller(
                registry: Registry(.folder(registry.root), transport: .unused, cache: nil),
                store: store
            )
            let path = try await puller.pull(.of("ami/tiny")).path
            try folder.write([1, 2], to: "store/staging/abc/files/model.safetensors")
            try folder.write([], to: "store/staging/abc.lock")
            try folder.write([1], to: "store/staging/nolock/files/x")
            try folder.write([1], to: "store/staging/removed-1/x")
            try folder.write([], to: "store/staging/alone.lock")
            try folder.write([1], to: "store/registries/00/index/ami/tiny.json")
            try folder.write([1], to: "store/registries/00/index/ami/.1-a.tmp")
            try folder.write([1], to: "store/imports/ami/tiny/part")
            let held = try #require(
                try store.staging(
                    for: ContentDigest(of: [7]),
                    destination: "\(store.root)/models/ami/tiny/9"
                )
            )
            let dry = try store.collect(.all, now: .max, dryRun: true, Cancellation())
            #expect(dry.staging == 5)
            #expect(dry.documents == 1)
            #expect(dry.temporaryFiles == 1)
            let young = try store.collect(.none, now: .max, dryRun: false, Cancellation())
            // An interrupted removal has no grace period.
            #expect(young.staging == 1)
            #expect(young.documents == 0)
            let done = try store.collect(.all, now: .max, dryRun: false, Cancellation())
            #expect(done.staging == 4)
            #expect(done.documents == 1)
            let left = try FileSystem.names(in: "\(store.root)/staging")
            let area = FileSystem.name(of: FileSystem.parent(of: held.files))
            #expect(left == [area, "\(area).lock"])
            #expect(try InstalledRelease(folder: path).digest == store.receipt(of: path)?.digest)
        }
    }

    /// Stored results that a run holds remain, and those that nothing used for long enough go.
    @Test func resultsThatARunUsesRemain() async throws {
        try await TemporaryFolder.with { folder in
            let store = ModelStore(root: folder.path(of: "store"))
            for key in ["used", "idle"] {
                try folder.write([1], to: "store/evaluation/\(key)/chunk-0000000.safetensors")
            }
            try folder.write([1], to: "store/evaluation/used/.1-a.tmp")
            try folder.write([1], to: "store/evidence/whole/statement.json")
            try folder.write([1], to: "store/evidence/whole/report.json")
            try folder.write([1], to: "store/evidence/part/report.json")
            let lock = try OpenFile("\(store.evaluation)/used.lock", .write)
            #expect(lock.tryLock(.shared))
            let before = try FileSystem.entries(below: store.root)
            for cutoff in [ModelStore.Cutoff.none, .all] {
                let found = try store.collect(cutoff, now: .max, dryRun: true, Cancellation())
                #expect(found.evaluations == (cutoff.evaluations == 0 ? 0 : 1))
                #expect(found.temporaryFiles == (cutoff.evaluations == 0 ? 0 : 2))
                #expect(try FileSystem.entries(below: store.root) == before)
            }
            let done = try store.collect(.all, now: .max, dryRun: false, Cancellation())
            #expect(done.evaluations == 1)
            #expect(
                try FileSystem.entries(below: store.root) == [
                    "evaluation/used.lock", "evaluation/used/chunk-0000000.safetensors",
                    "evidence/whole/report.json", "evidence/whole/statement.json",
                ]
            )
            lock.unlock()
            _ = try store.collect(.all, now: .max, dryRun: false, Cancellation())
            #expect(try FileSystem.entries(below: store.evaluation) == [])
            // A file that a program writes at this moment is not old.
            try folder.write([1], to: "store/evaluation/new/.1-a.tmp")
            let young = ModelStore.Cutoff(transfers: .max, evaluations: 0)
            let now = Clock.nanoseconds()
            let kept = try store.collect(young, now: now, dryRun: false, Cancellation())
            #expect(kept.temporaryFiles == 0)
        }
    }

    /// What a running import or validation uses remains, however long ago it was written.
    @Test func foldersThatACommandHoldsRemain() async throws {
        try await TemporaryFolder.with { folder in
            let store = ModelStore(root: folder.path(of: "store"))
            try folder.write([1], to: "store/imports/ami/tiny/weights")
            try folder.write([1], to: "store/evidence/part/report.json")
            let held = [folder.path(of: "store/imports/ami/tiny"), "\(store.evidence)/part"]
            let leases = try held.map { try FolderLease.hold($0, Cancellation()) }
            let other = try FolderLease.hold(held[0], Cancellation())
            _ = try store.collect(.all, now: .max, dryRun: false, Cancellation())
            for path in held { #expect(try FileSystem.status(path) != nil) }
            // Another command uses it too.
            try leases[0]?.end(removingFolder: true)
            #expect(try FileSystem.status(held[0]) != nil)
            try other?.end(removingFolder: true)
            #expect(try FileSystem.entries(below: "\(store.root)/imports") == [])
            try leases[1]?.end()
            #expect(try FileSystem.entries(below: store.evidence) == ["part/report.json"])
            let done = try store.collect(.all, now: .max, dryRun: false, Cancellation())
            #expect(done.temporaryFiles == 1)
            #expect(try FileSystem.names(in: store.evidence) == [])
        }
    }

    @Test func pullsAndCollectionRunTogether() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            for version in 0..<12 { try registry.publish("1.\(version).0") }
            let store = ModelStore(root: folder.path(of: "store"))
            let cancellation = Cancellation()
            let collecting = Task {
                while !cancellation.isCancelled {
                    _ = try store.collect(
                        .all,
                        now: Clock.nanoseconds(),
                        dryRun: false,
                        Cancellation()
                    )
                    await Task.yield()
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for version in 0..<12 {
                    group.addTask {
                        let puller = Puller(
                            registry: Registry(
                                .folder(registry.root),
                                transport: .unused,
                                cache: nil
                            ),
                            store: store
                        )
                        let path = try await puller.pull(.of("ami/tiny:1.\(version).0")).path
                        #expect(try await InstalledRelease(folder: path).findings() == [])
                    }
                }
                try await group.waitForAll()
            }
            cancellation.cancel()
            try await collecting.value
        }
    }
}

extension ModelStore.Cutoff {
    /// Everything is old.
    fileprivate static let all = Self(transfers: .max, evaluations: .max)
    /// Nothing is old.
    fileprivate static let none = Self(transfers: 0, evaluations: 0)
}
