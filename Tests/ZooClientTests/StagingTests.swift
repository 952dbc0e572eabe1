// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Synchronization
import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooStore
import ZooTesting

/// What others do to a staging area, or to a model folder that is repaired.
@Suite struct StagingTests {
    private func with(
        _ body: (TemporaryFolder, TinyRegistry, ModelStore, ContentDigest) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            let digest = try registry.publish("1.0.0")
            try await body(folder, registry, ModelStore(root: folder.path(of: "store")), digest)
        }
    }

    private func puller(
        _ registry: TinyRegistry,
        _ store: ModelStore,
        report: @escaping @Sendable (PullEvent) -> Void = { _ in }
    ) -> Puller {
        Puller(
            registry: Registry(.folder(registry.root), transport: .unused, cache: nil),
            store: store,
            report: report
        )
    }

    private func setMode(_ mode: Int, _ path: String) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    /// The only staging area of a folder.
    private func area(in parent: String) throws -> String {
        let names = try FileSystem.names(in: parent).filter { !$0.hasSuffix(".lock") }
        return
            "\(parent)/\(try #require(names.first { $0.hasPrefix(".ami-zoo-") || names.count == 1 }))"
    }

    // MARK: Owner and mode

    @Test func anAreaIsForItsOwnerAloneAndTheModelIsNot() async throws {
        try await with { folder, registry, store, digest in
            let area = try #require(
                try store.staging(for: digest, destination: folder.path(of: "m"))
            )
            let path = FileSystem.parent(of: area.files)
            #expect(try FileSystem.status(path)?.permissions == 0o700)
            try area.discard()
            let report = try await puller(registry, store).pull(.of("ami/tiny"))
            #expect(try FileSystem.status("\(store.root)/staging")?.permissions == 0o700)
            // Whoever may read the store may read the model.
            let mode = try FileSystem.status("\(store.root)/models")?.permissions
            #expect(try FileSystem.status(report.path)?.permissions == mode)
        }
    }

    @Test func anAreaOrAStagingFolderThatOthersCanWriteToIsRefused() async throws {
        try await with { folder, registry, store, digest in
            let destination = folder.path(of: "m")
            let area = try #require(try store.staging(for: digest, destination: destination))
            let path = FileSystem.parent(of: area.files)
            try setMode(0o777, path)
            #expect(throws: ZooError(.folderNotPrivate, "")) { try area.keepOnly([]) }
            var request = try PullRequest.of("ami/tiny")
            request.destination = folder.path(of: "n")
            let other = try #require(
                try store.staging(for: digest, destination: folder.path(of: "n"))
            )
            let planted = FileSystem.parent(of: other.files)
            try FileSystem.remove("\(planted).lock")
            try setMode(0o777, planted)
            await #expect(throws: ZooError(.folderNotPrivate, "")) {
                try await puller(registry, store).pull(request)
            }
            #expect(try FileSystem.status(folder.path(of: "n")) == nil)
            // The remedy works.
            try FileSystem.remove(planted)
            _ = try await puller(registry, store).pull(request)

            try FileSystem.createFolder("\(store.root)/staging")
            try setMode(0o775, "\(store.root)/staging")
            await #expect(throws: ZooError(.folderNotPrivate, "")) {
                try await puller(registry, store).pull(.of("ami/tiny"))
            }
            try FileSystem.remove("\(store.root)/staging")
            _ = try await puller(registry, store).pull(.of("ami/tiny"))
        }
    }

    /// What happens to an area after its blocks were verified, and the code that it must end with.
    enum Tampering: String, CaseIterable, CustomTestStringConvertible {
        case openToAll, twin, secondName, foreignReceipt, replaced
        var testDescription: String { rawValue }

        func apply(to area: String, in folder: TemporaryFolder) throws {
            let files = "\(area)/files"
            switch self {
            case .openToAll:
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o777],
                    ofItemAtPath: area
                )
            case .twin:
                // The Kelvin sign equals the letter K, if texts are compared and not bytes.
                try FileSystem.writeAtomically("\(files)/nested/deeper/\u{212A}nots.txt", [1])
            case .secondName:
                try FileManager.default.linkItem(
                    atPath: "\(files)/encoder.safetensors",
                    toPath: folder.path(of: "second")
                )
            case .foreignReceipt:
                try folder.write(
                    [1],
                    to: String(files.dropFirst(folder.path.count + 1)) + "/.ami-zoo/x"
                )
            case .replaced:
                try FileSystem.rename(area, to: folder.path(of: "away"))
                try FileManager.default.copyItem(atPath: folder.path(of: "away"), toPath: area)
            }
        }

        var code: ZooError.Code {
            switch self {
            case .openToAll, .replaced: .folderNotPrivate
            case .twin, .secondName, .foreignReceipt: .stagingMismatch
            }
        }
    }

    @Test(arguments: Tampering.allCases)
    func whatIsDoneToAnAreaAfterVerificationIsNotInstalled(tampering: Tampering) async throws {
        try await with { folder, registry, store, _ in
            var request = try PullRequest.of("ami/tiny")
            request.destination = folder.path(of: "plant/model")
            let failure = Mutex<(any Error)?>(nil)
            let puller = puller(registry, store) { event in
                guard case .finishing = event else { return }
                do {
                    try tampering.apply(to: try area(in: folder.path(of: "plant")), in: folder)
                } catch {
                    failure.withLock { $0 = error }
                }
            }
            await #expect(throws: ZooError(tampering.code, "")) { try await puller.pull(request) }
            #expect(failure.withLock { $0 } == nil)
            #expect(try FileSystem.status(folder.path(of: "plant/model")) == nil)
        }
    }

    // MARK: Canonical equivalents

    @Test func onlyFilesOfExactlyTheWantedNamesAreKept() async throws {
        try await with { folder, _, store, digest in
            let area = try #require(
                try store.staging(for: digest, destination: folder.path(of: "m"))
            )
            for name in ["\u{E9}.bin", "e\u{301}.bin", "K", "\u{212A}"] {
                try FileSystem.writeAtomically("\(area.files)/\(name)", [1])
            }
            try area.keepOnly([
                try ReleasePath(parsing: "\u{E9}.bin"), try ReleasePath(parsing: "K"),
            ])
            let kept = try FileSystem.names(in: area.files).map { Array($0.utf8) }
            #expect(Set(kept) == [Array("\u{E9}.bin".utf8), Array("K".utf8)])
        }
    }

    @Test func aTwinOfAReleasedFileIsUnlisted() async throws {
        try await with { _, registry, store, _ in
            let path = try await puller(registry, store).pull(.of("ami/tiny")).path
            try FileSystem.writeAtomically("\(path)/nested/deeper/\u{212A}nots.txt", [1])
            let findings = try await InstalledRelease(folder: path).findings()
            #expect(findings.map(\.code) == [.fileUnlisted])
        }
    }

    // MARK: Hard links

    @Test func aRepairLeavesOtherNamesOfAFileAsTheyAre() async throws {
        try await with { folder, registry, store, digest in
            let path = try await puller(registry, store).pull(.of("ami/tiny")).path
            let damaged = "\(path)/encoder.safetensors"
            try FileSystem.makeWritable(damaged)
            try OpenFile(damaged, .write).write([9, 9, 9], at: 700)
            let other = folder.path(of: "other")
            try FileManager.default.linkItem(atPath: damaged, toPath: other)
            try setMode(0o440, other)
            let bytes = try folder.read("other")
            let report = try await Repairer(
                registry: Registry(.folder(registry.root), transport: .unused, cache: nil),
                store: store
            ).repair(
                RepairTarget(
                    folder: path,
                    reference: try ModelReference(parsing: "ami/tiny"),
                    in: store
                )
            )
            #expect(report.digest == digest)
            #expect(try await InstalledRelease(folder: path).verification(deep: true).passed)
            #expect(try folder.read("other") == bytes)
            #expect(try FileSystem.status(other)?.permissions == 0o440)
        }
    }

    @Test func stagedFilesAndTheJournalAreWrittenUnderOneNameOnly() async throws {
        try await with { folder, registry, store, digest in
            let destination = folder.path(of: "plant/model")
            try FileSystem.createFolder(folder.path(of: "plant"))
            do {
                let area = try #require(try store.staging(for: digest, destination: destination))
                let root = FileSystem.parent(of: area.files)
                for (name, target) in [("a", "\(area.files)/README.md"), ("b", "\(root)/blocks")] {
                    let other = try folder.write(Array(repeating: 7, count: 16), to: name)
                    try setMode(0o444, other)
                    try FileSystem.remove(target)
                    try FileManager.default.linkItem(atPath: other, toPath: target)
                }
            }
            var request = try PullRequest.of("ami/tiny")
            request.destination = destination
            let report = try await puller(registry, store).pull(request)
            #expect(try await InstalledRelease(folder: report.path).verification(deep: true).passed)
            for name in ["a", "b"] {
                #expect(try folder.read(name) == Array(repeating: 7, count: 16))
                #expect(try FileSystem.status(folder.path(of: name))?.permissions == 0o444)
            }
        }
    }

    // MARK: Orphans

    @Test(arguments: [false, true])
    func whatAPullLeftAfterTheRenameIsRemovedByTheNext(isElsewhere: Bool) async throws {
        try await with { folder, registry, store, digest in
            var request = try PullRequest.of("ami/tiny")
            if isElsewhere { request.destination = folder.path(of: "plant/model") }
            let path = try await puller(registry, store).pull(request).path
            let parent = isElsewhere ? folder.path(of: "plant") : "\(store.root)/staging"
            let before = try FileSystem.names(in: parent)
            for isPinned in [false, true] where !(isPinned && isElsewhere) {
                _ = try #require(try store.staging(for: digest, destination: path))
                #expect(try FileSystem.names(in: parent).count == before.count + 2)
                if isPinned {
                    request = try PullRequest.of("ami/tiny:1.0.0@\(digest)")
                }
                #expect(try await puller(registry, store).pull(request).alreadyInstalled)
                #expect(try FileSystem.names(in: parent) == before)
            }
            // A process that works on the same folder keeps its area.
            let busy = try #require(try store.staging(for: digest, destination: path))
            #expect(try await puller(registry, store).pull(request).alreadyInstalled)
            #expect(try FileSystem.status(busy.files) != nil)
            try busy.discard()
        }
    }
}
