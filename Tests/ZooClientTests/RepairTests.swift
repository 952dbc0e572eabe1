// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooArchive
import ZooClient
import ZooCore
import ZooFiles
import ZooStore
import ZooTesting

/// What a repair restores, and what it says that it changed.
@Suite struct RepairTests {
    private func with(
        _ components: Set<String>? = nil,
        isElsewhere: Bool = false,
        _ body: (TinyRegistry, ModelStore, String) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            try registry.publish("1.0.0")
            let store = ModelStore(root: folder.path(of: "store"))
            var request = try PullRequest.of("ami/tiny:1.0.0")
            request.components = components
            if isElsewhere { request.destination = folder.path(of: "copy") }
            let path = try await Puller(registry: client(registry), store: store)
                .pull(request).path
            // Another version, so that the newest one is not the one to restore.
            try registry.publish("2.0.0")
            try await body(registry, store, path)
        }
    }

    private func client(_ registry: TinyRegistry) -> Registry {
        Registry(.folder(registry.root), transport: .unused, cache: nil)
    }

    private func repair(
        _ path: String,
        _ registry: TinyRegistry,
        _ store: ModelStore
    ) async throws -> RepairReport {
        try await Repairer(registry: client(registry), store: store).repair(
            RepairTarget(folder: path, reference: nil, in: store)
        )
    }

    private func flip(_ path: String, at offset: Int) throws {
        var bytes = try FileSystem.document(path, limit: 1 << 20)
        bytes[offset] ^= 1
        try FileSystem.writeAtomically(path, bytes)
    }

    @Test(arguments: [nil, ["probe"], ["encoder", "probe"]] as [Set<String>?])
    func onlyTheFilesThatChangedAreReported(components: Set<String>?) async throws {
        try await with(components) { registry, store, path in
            // Blocks at the end of a part contain files that were not fetched, and are fetched again.
            #expect(try await repair(path, registry, store).repaired == [])
            let release = try InstalledRelease(folder: path)
            for file in release.files where file.size > 0 {
                for offset in [0, file.size - 1] {
                    try flip("\(path)/\(file.path)", at: offset)
                    #expect(
                        try await repair(path, registry, store).repaired == [file.path.text],
                        "byte \(offset) of \(file.path)"
                    )
                    #expect(try await release.verification(deep: true).passed)
                }
            }
        }
    }

    @Test(arguments: [false, true])
    func everyDocumentIsRestoredAndReported(isElsewhere: Bool) async throws {
        for components in [nil, ["probe"]] as [Set<String>?] {
            try await with(components, isElsewhere: isElsewhere) { registry, store, path in
                let names = try InstalledRelease(folder: path).documentNames
                for name in names {
                    let document = "\(path)/\(name)"
                    let sound = try FileSystem.document(document, limit: 1 << 20)
                    for damage in ["missing", "empty", "text", "flipped", "link"] {
                        try FileSystem.remove(document)
                        switch damage {
                        case "empty": try FileSystem.writeAtomically(document, [])
                        case "text": try FileSystem.writeAtomically(document, [0x7B, 0x20])
                        case "flipped":
                            var bytes = sound
                            // A digit of a digest or a letter of a text: still a canonical document.
                            bytes[bytes.count / 2] ^= 1
                            try FileSystem.writeAtomically(document, bytes)
                        case "link":
                            let other = registry.folder.path(of: "other-\(UUID())")
                            try FileSystem.writeAtomically(other, sound)
                            try FileManager.default.createSymbolicLink(
                                atPath: document,
                                withDestinationPath: other
                            )
                        default: break
                        }
                        let label: Comment = "\(name) \(damage) \(components ?? [])"
                        #expect(try await repair(path, registry, store).repaired == [name], label)
                        #expect(try FileSystem.document(document, limit: 1 << 20) == sound, label)
                    }
                }
            }
        }
    }

    @Test(arguments: [false, true])
    func aFolderOfDocumentsThatIsALinkIsReplaced(isElsewhere: Bool) async throws {
        try await with(isElsewhere: isElsewhere) { registry, store, path in
            let other = registry.folder.path(of: "documents")
            try FileSystem.rename("\(path)/.ami-zoo", to: other)
            try FileManager.default.createSymbolicLink(
                atPath: "\(path)/.ami-zoo",
                withDestinationPath: other
            )
            let before = try FileSystem.files(below: other)
            let result = try await VerificationSubject(path, in: store)
                .verify(AnchorSearch(store: store), deep: false)
            #expect(!result.passed)
            _ = try await repair(path, registry, store)
            #expect(try FileSystem.status("\(path)/.ami-zoo")?.kind == .folder)
            #expect(try FileSystem.files(below: other) == before)
            let repaired = try await VerificationSubject(path, in: store)
                .verify(AnchorSearch(store: store), deep: false)
            #expect(repaired.findings == [])
        }
    }

    @Test func aChangedReceiptDoesNotLeadToAnotherRelease() async throws {
        try await with { registry, store, path in
            let other = try await client(registry).resolve(
                ModelReference(parsing: "ami/tiny:2.0.0")
            )
            let receipt = try #require(try store.receipt(of: path))
            try store.remember(
                StoreReceipt(digest: other.digest, components: nil, registry: receipt.registry),
                of: path
            )
            let before = try FileSystem.document("\(path)/README.md", limit: 1 << 20)
            await #expect(throws: ZooError(.receiptMismatch, "")) {
                try await repair(path, registry, store)
            }
            // The receipt that states other components does not remove or add any.
            try store.remember(
                StoreReceipt(
                    digest: receipt.digest,
                    components: ["probe"],
                    registry: receipt.registry
                ),
                of: path
            )
            let report = try await repair(path, registry, store)
            #expect(report.repaired == [try #require(store.receiptPath(of: path))])
            #expect(try store.receipt(of: path) == receipt)
            #expect(try FileSystem.document("\(path)/README.md", limit: 1 << 20) == before)
        }
    }

    @Test func documentsThatStateNothingAreRefused() async throws {
        try await with(isElsewhere: true) { registry, store, path in
            for name in ["manifest.json", "record.json"] {
                try FileSystem.writeAtomically("\(path)/.ami-zoo/\(name)", [0x7B])
            }
            await #expect(throws: ZooError(.notARelease, "")) {
                try await repair(path, registry, store)
            }
        }
    }

    @Test func allPartsOfAReleaseAreVerified() async throws {
        try await with(["probe"]) { registry, store, path in
            var request = try PullRequest.of("ami/tiny:1.0.0")
            var paths = [path]
            let puller = Puller(registry: client(registry), store: store)
            for components in [["encoder"], ["predictor", "probe"]] as [Set<String>] {
                request.components = components
                paths.append(try await puller.pull(request).path)
            }
            for text in ["ami/tiny", "ami/tiny:1.0.0"] {
                let subjects = try VerificationSubject.all(text, in: store)
                #expect(Set(subjects.map(\.folder)) == Set(paths))
            }
            let holding = try VerificationSubject.all("ami/tiny", only: ["probe"], in: store)
            #expect(Set(holding.map(\.folder)) == [paths[0], paths[2]])
            request.components = nil
            let whole = try await puller.pull(request).path
            #expect(try VerificationSubject.all("ami/tiny", in: store)[0].folder == whole)
            #expect(try VerificationSubject("ami/tiny", in: store).folder == whole)
        }
    }

    // MARK: References

    @Test func aChannelIsNotTakenForTheNewestVersion() async throws {
        try await with { registry, store, path in
            let digest = try InstalledRelease(folder: path).digest
            func folder(_ text: String) throws -> String {
                try store.folder(of: ModelReference(parsing: text))
            }
            #expect(try folder("ami/tiny:stable") == path)
            #expect(try folder("ami/tiny:candidate@\(digest)") == path)
            #expect(throws: ZooError(.channelNotRecorded, "")) { try folder("ami/tiny:candidate") }
            #expect(throws: ZooError(.notInstalled, "")) { try folder("ami/none:candidate") }
            var request = try PullRequest.of("ami/tiny:candidate")
            request.offline = true
            #expect(throws: ZooError(.channelNotRecorded, "")) {
                try Puller.installed(request, in: store)
            }
            // A pre-release is not what a reference without a version means.
            try registry.publish("3.0.0-beta.1")
            let beta = try await Puller(registry: client(registry), store: store)
                .pull(.of("ami/tiny:3.0.0-beta.1")).path
            #expect(try folder("ami/tiny") == path)
            #expect(try folder("ami/tiny:3.0.0-beta.1") == beta)
        }
    }

    @Test func aHostIsThatOfTheReceipt() async throws {
        try await with { _, store, path in
            let receipt = try #require(try store.receipt(of: path))
            func folder(_ host: String) throws -> String {
                try store.folder(of: ModelReference(parsing: "\(host)/ami/tiny"))
            }
            #expect(throws: ZooError(.notInstalled, "")) { try folder("zoo.example.org") }
            for (address, host) in [
                ("https://zoo.example.org", "zoo.example.org"),
                ("http://localhost:8080", "localhost:8080"),
            ] {
                try store.remember(
                    StoreReceipt(digest: receipt.digest, components: nil, registry: address),
                    of: path
                )
                #expect(try folder(host) == path)
                #expect(throws: ZooError(.notInstalled, "")) { try folder("other.example.org") }
            }
        }
    }
}
