// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooRegistry
import ZooStore
import ZooTesting
import ZooTrust

/// What a pull from a signed registry keeps, and what it proves later.
@Suite struct TrustReceiptTests {
    /// A signed registry with one release, pulled into a store that trusts its root.
    private func pulled(
        in folder: TemporaryFolder
    ) async throws -> (
        registry: OwnedRegistry, store: ModelStore, release: InstalledRelease, receipt: String
    ) {
        let registry = try OwnedRegistry(in: folder)
        try registry.tiny.publish("1.0.0")
        let store = try registry.store()
        let pulled = try await Puller(registry: registry.client(store), store: store)
            .pull(.of("ami/tiny"))
        return (
            registry, store, try InstalledRelease(folder: pulled.path),
            try #require(store.trustPath(of: pulled.path))
        )
    }

    @Test func aPullProvesThatItWasCurrentAlsoAfterExpiry() async throws {
        try await TemporaryFolder.with { folder in
            let (registry, store, release, _) = try await pulled(in: folder)
            for (days, hasExpired) in [(6, false), (8, true)] {
                var search = AnchorSearch(store: store)
                search.now = Timestamp(
                    secondsSince1970: OwnedRegistry.start + days * OwnedRegistry.day
                )
                let anchor = try #require(try await search.anchors(of: release).all.first)
                #expect(anchor.kind == .tuf)
                #expect(anchor.digest == release.digest)
                #expect(
                    anchor.provedAt?.time
                        == Timestamp(secondsSince1970: OwnedRegistry.start)
                )
                #expect(anchor.provedAt?.hasExpired == hasExpired)
            }
            var search = AnchorSearch(store: store)
            search.registry = registry.client(store)
            #expect(
                try await search.anchors(of: release).all.map(\.kind) == [
                    .tuf, .tuf, .store, .folder,
                ]
            )
        }
    }

    @Test func aChangedReceiptProvesNothing() async throws {
        try await TemporaryFolder.with { folder in
            let (_, store, release, receipt) = try await pulled(in: folder)
            let names = try FileSystem.files(below: receipt)
            #expect(
                names.sorted() == [
                    "index.json", "pull.json", "tuf/root.json", "tuf/snapshot.json",
                    "tuf/targets.json", "tuf/timestamp.json",
                ]
            )
            for name in names where name != "pull.json" {
                let good = try FileSystem.document("\(receipt)/\(name)", limit: 1 << 20)
                for position in stride(from: 0, to: good.count, by: 37) {
                    var bad = good
                    bad[position] ^= 1
                    try FileSystem.writeAtomically("\(receipt)/\(name)", bad)
                    let anchors = try await AnchorSearch(store: store).anchors(of: release)
                    // A byte of the signature of a key beyond the threshold proves nothing and refuses nothing.
                    if name == "tuf/root.json" || name == "tuf/targets.json",
                        anchors.findings.isEmpty
                    {
                        #expect(anchors.all.first?.digest == release.digest)
                    } else {
                        #expect(anchors.findings.count == 1, "\(name) at \(position)")
                        #expect(anchors.all.first?.kind == .store)
                    }
                }
                try FileSystem.writeAtomically("\(receipt)/\(name)", good)
            }
        }
    }

    /// A registry of another owner with the same release, whose receipt is whole in itself.
    @Test func aReceiptOfAnotherRootIsNoProof() async throws {
        try await TemporaryFolder.with { folder in
            let (_, store, release, receipt) = try await pulled(in: folder)
            try await TemporaryFolder.with { elsewhere in
                let forged = try await pulled(in: elsewhere).receipt
                for name in try FileSystem.files(below: forged) where name != "pull.json" {
                    let bytes = try FileSystem.document("\(forged)/\(name)", limit: 1 << 20)
                    try FileSystem.writeAtomically("\(receipt)/\(name)", bytes)
                }
            }
            let anchors = try await AnchorSearch(store: store).anchors(of: release)
            #expect(anchors.all.map(\.kind) == [.store, .folder])
            #expect(anchors.findings.map(\.code) == [.trustSignatures])
            #expect(anchors.findings.map(\.severity) == [.warning])
        }
    }
}
