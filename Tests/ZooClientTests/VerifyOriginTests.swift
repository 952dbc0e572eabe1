// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooStore
import ZooTesting

/// What a verification compares a folder with, and what it says when nothing outside confirms it.
@Suite struct VerifyOriginTests {
    /// A model in the store, or in `copy` outside it.
    private struct Model {
        let folder: TemporaryFolder
        let store: ModelStore
        let registry: Registry
        let path: String

        func verify(
            _ text: String? = nil,
            digests: [ContentDigest] = [],
            only: Set<String>? = nil,
            fromRegistry: Bool = false
        ) async throws -> Verification {
            var search = AnchorSearch(store: store)
            search.requested = digests.map {
                VerificationAnchor(.requested, $0, source: "--digest")
            }
            if fromRegistry { search.registry = registry }
            return try await VerificationSubject(text ?? path, in: store)
                .verify(search, only: only, deep: false)
        }
    }

    private func with(
        _ components: Set<String>? = nil,
        isElsewhere: Bool = false,
        _ body: (Model) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let tiny = try TinyRegistry(in: folder)
            try tiny.publish("1.0.0")
            let registry = Registry(.folder(tiny.root), transport: .unused, cache: nil)
            let store = ModelStore(root: folder.path(of: "store"))
            var request = try PullRequest.of("ami/tiny")
            request.components = components
            if isElsewhere { request.destination = folder.path(of: "copy") }
            let path = try await Puller(registry: registry, store: store).pull(request).path
            try await body(
                Model(folder: folder, store: store, registry: registry, path: path)
            )
        }
    }

    @Test func everyRequestedDigestMustHold() async throws {
        try await with { model in
            let digest = try InstalledRelease(folder: model.path).digest
            let other = ContentDigest(of: [1])
            #expect(try await model.verify(digests: [digest, digest]).passed)
            for digests in [[digest, other], [other, digest]] {
                let result = try await model.verify(digests: digests)
                #expect(result.findings.map(\.code) == [.anchorMismatch])
            }
            // The record of a conversion likewise.
            let converted = model.folder.path(of: "converted")
            try FileManager.default.copyItem(atPath: model.path, toPath: converted)
            try FileSystem.rename(
                "\(converted)/.ami-zoo/record.json",
                to: "\(converted)/release.json"
            )
            try FileSystem.remove("\(converted)/.ami-zoo")
            let record = ContentDigest(
                of: try FileSystem.document("\(converted)/release.json", limit: 1 << 20)
            )
            #expect(try await model.verify(converted, digests: [record]).passed)
            for digests in [[record, other], [other, record]] {
                let result = try await model.verify(converted, digests: digests)
                #expect(result.findings.map(\.code) == [.anchorMismatch])
            }
        }
    }

    @Test func aDeletedReceiptIsReportedAndRestored() async throws {
        try await with { model in
            let receipt = try #require(model.store.receiptPath(of: model.path))
            try FileSystem.remove(receipt)
            let result = try await model.verify("ami/tiny")
            #expect(result.passed)
            #expect(result.anchor?.kind == .folder)
            #expect(result.findings.map(\.code) == [.receiptMissing])
            #expect(result.findings.map(\.severity) == [.warning])
            // The same with a digest from outside: the store still lacks its receipt.
            let digest = try InstalledRelease(folder: model.path).digest
            let pinned = try await model.verify("ami/tiny", digests: [digest])
            #expect(pinned.passed)
            #expect(pinned.findings.map(\.code) == [.receiptMissing])

            try await repair(model)
            let repaired = try await model.verify("ami/tiny")
            #expect(repaired.anchor?.kind == .store)
            #expect(repaired.findings == [])
        }
    }

    @Test(arguments: ["", "{", #"{"format":"ami-zoo.receipt/9"}"#])
    func anUnreadableReceiptFailsAndIsRestored(text: String) async throws {
        try await with { model in
            let receipt = try #require(model.store.receiptPath(of: model.path))
            try FileSystem.writeAtomically(receipt, Array(text.utf8))
            let result = try await model.verify("ami/tiny")
            #expect(!result.passed)
            #expect(result.findings.count == 1)
            #expect(result.findings.first?.path == receipt)
            try await repair(model)
            #expect(try await model.verify("ami/tiny").findings == [])
        }
    }

    private func repair(_ model: Model) async throws {
        _ = try await Repairer(registry: model.registry, store: model.store).repair(
            RepairTarget(folder: model.path, reference: nil, in: model.store)
        )
    }

    @Test func aLinkToTheStoreDoesNotHideTheReceipt() async throws {
        try await with { model in
            let relative = try #require(model.store.relative(model.path))
            let (toStore, toModel) = (model.folder.path(of: "s"), model.folder.path(of: "m"))
            for (link, target) in [(toStore, model.store.root), (toModel, model.path)] {
                try FileManager.default.createSymbolicLink(
                    atPath: link,
                    withDestinationPath: target
                )
            }
            let linked = ModelStore(root: toStore)
            for (store, path) in [
                (model.store, "\(toStore)/models/\(relative)"), (model.store, toModel),
                (linked, model.path), (linked, toModel),
            ] {
                #expect(store.owns(path))
                let kinds = try await AnchorSearch(store: store)
                    .anchors(of: InstalledRelease(folder: path)).all.map(\.kind)
                #expect(kinds == [.store, .folder], "\(path)")
                // One lock, whatever path leads to the folder.
                let digest = try InstalledRelease(folder: path).digest
                let area = try #require(
                    try model.store.staging(for: digest, destination: model.path)
                )
                #expect(try store.staging(for: digest, destination: path) == nil, "\(path)")
                try area.discard()
            }
        }
    }

    @Test func aPartThatNothingConfirmsIsReported() async throws {
        try await with(["probe"], isElsewhere: true) { model in
            let digest = try InstalledRelease(folder: model.path).digest
            let claimed = try await model.verify()
            #expect(claimed.passed)
            #expect(claimed.findings.map(\.code) == [.componentsUnconfirmed])
            #expect(claimed.findings.map(\.severity) == [.warning])
            for isPinned in [false, true] {
                let digests = isPinned ? [digest] : []
                let part = try await model.verify(digests: digests, only: ["probe"])
                #expect(part.passed)
                #expect(part.findings == [])
                let more = try await model.verify(digests: digests, only: ["probe", "encoder"])
                #expect(more.findings.map(\.code) == [.incomplete])
            }
            let listed = try await model.verify(fromRegistry: true)
            #expect(listed.findings.map(\.code) == [.incomplete])
            let pinned = try await model.verify(digests: [digest])
            #expect(!pinned.passed)
            #expect(pinned.findings.map(\.code) == [.incomplete])
            await #expect(throws: ZooError(.componentUnknown, "")) {
                try await model.verify(only: ["head"])
            }
        }
    }

    @Test func aPartThatTheStoreRecordedIsConfirmed() async throws {
        try await with(["probe"]) { model in
            let digest = try InstalledRelease(folder: model.path).digest
            for digests in [[], [digest]] {
                let result = try await model.verify(digests: digests)
                #expect(result.passed)
                #expect(result.findings == [])
            }
            // Without its receipt the store confirms nothing.
            try FileSystem.remove(try #require(model.store.receiptPath(of: model.path)))
            #expect(
                try await model.verify(digests: [digest]).findings.map(\.code)
                    == [.receiptMissing, .incomplete]
            )
        }
    }
}
