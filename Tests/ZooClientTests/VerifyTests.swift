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
import ZooTransport

@Suite struct VerifyTests {
    private func withInstalled(
        _ body: (TemporaryFolder, InstalledRelease) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            let registry = try SampleRegistry(in: folder)
            try await registry.publish("1.0.0", encoding: .zstd)
            let report = try await registry.puller(from: .folder(registry.root))
                .pull(.of("ami/sample"))
            try await body(folder, try InstalledRelease(folder: report.path))
        }
    }

    private func rewrite(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
        var bytes = try FileSystem.document(path, limit: 1 << 30)
        change(&bytes)
        try FileSystem.writeAtomically(path, bytes)
    }

    @Test func namesTheBlockAndTheFileOfAFlippedBit() async throws {
        try await withInstalled { _, release in
            try rewrite("\(release.folder)/model.safetensors") { $0[5_000_000] ^= 0x40 }
            let findings = try await release.findings()
            let finding = try #require(findings.first)
            #expect(findings.count == 1)
            #expect(finding.code == .blockMismatch)
            #expect(finding.path == "model.safetensors")
            #expect(finding.message.contains("block "))
            #expect(finding.remedy != nil)
        }
    }

    @Test func findsTruncatedLongerAndMissingFiles() async throws {
        try await withInstalled { _, release in
            try rewrite("\(release.folder)/model.safetensors") { $0.removeLast() }
            try rewrite("\(release.folder)/config.json") { $0.append(0x0A) }
            try FileSystem.remove("\(release.folder)/README.md")
            let findings = try await release.findings()
            #expect(findings.map(\.code) == [.fileWrong, .fileWrong, .fileWrong])
        }
    }

    @Test func findsFilesThatDoNotBelong() async throws {
        try await withInstalled { _, release in
            try FileSystem.writeAtomically("\(release.folder)/pytorch_model.bin", [1])
            let findings = try await release.findings()
            #expect(findings.map(\.code) == [.fileUnlisted])
        }
    }

    @Test(arguments: ["record.json", "blocks/weights.json"])
    func findsReceiptsThatTheManifestDoesNotBind(name: String) async throws {
        try await withInstalled { folder, release in
            try rewrite("\(release.folder)/.ami-zoo/\(name)") { $0[$0.count / 2] ^= 1 }
            let store = ModelStore(root: folder.path(of: "store"))
            let result = try await VerificationSubject(release.folder, in: store)
                .verify(AnchorSearch(store: store), deep: false)
            #expect(!result.passed)
            #expect(result.findings.contains { $0.code == .receiptMismatch })
        }
    }

    @Test func everyAnchorIsHeldAgainstTheManifest() async throws {
        try await withInstalled { folder, release in
            let store = ModelStore(root: folder.path(of: "store"))
            var search = AnchorSearch(store: store)
            search.registry = Registry(
                .folder(folder.path(of: "registry")),
                transport: .unused,
                cache: nil
            )
            let kinds = try await search.anchors(of: release).all.map(\.kind)
            #expect(kinds == [.registry, .store, .folder])

            search.requested = [
                VerificationAnchor(.requested, release.digest, source: "--digest")
            ]
            let right = try await VerificationSubject(release.folder, in: store)
                .verify(search, deep: false)
            #expect(right.passed)
            #expect(right.anchor?.kind == .requested)

            let other = ContentDigest(of: [1, 2, 3])
            search.requested = [VerificationAnchor(.requested, other, source: "--digest")]
            let wrong = try await VerificationSubject(release.folder, in: store)
                .verify(search, deep: false)
            #expect(!wrong.passed)
            #expect(wrong.findings.map(\.code) == [.anchorMismatch])
        }
    }

    @Test func aFolderThatWasSwappedForAnotherReleaseIsNotWhatTheStoreInstalled() async throws {
        try await withInstalled { folder, release in
            let registry = try SampleRegistry(in: folder, existing: true)
            let other = try await registry.publish("1.0.1", seeds: [9, 8, 7, 6, 5])
            let report = try await registry.puller(from: .folder(registry.root))
                .pull(.of("ami/sample:1.0.1"))
            #expect(report.digest == other.digest)
            // Sound in itself, and at the place of the other.
            try FileSystem.remove(release.folder)
            try FileSystem.rename(report.path, to: release.folder)
            let store = ModelStore(root: folder.path(of: "store"))
            let result = try await VerificationSubject(release.folder, in: store)
                .verify(AnchorSearch(store: store), deep: false)
            #expect(!result.passed)
            #expect(result.findings.map(\.code) == [.anchorMismatch])
        }
    }

    @Test func aDeletedFileIsNotHiddenByACorrectedReceipt() async throws {
        try await TemporaryFolder.with { folder in
            let registry = try TinyRegistry(in: folder)
            try registry.publish("1.0.0")
            let store = ModelStore(root: folder.path(of: "store"))
            let puller = Puller(
                registry: Registry(.folder(registry.root), transport: .unused, cache: nil),
                store: store
            )
            let path = try await puller.pull(.of("ami/tiny")).path
            // The folder now claims that only the probe was fetched, and it is sound as that.
            for name in ["encoder.safetensors", "predictor.safetensors"] {
                try FileSystem.remove("\(path)/\(name)")
            }
            try rewrite("\(path)/.ami-zoo/install.json") { bytes in
                let text = String(decoding: bytes, as: UTF8.self)
                bytes = Array(
                    text.replacingOccurrences(of: "{", with: #"{"components":["probe"],"#).utf8
                )
            }
            let result = try await VerificationSubject(path, in: store)
                .verify(AnchorSearch(store: store), deep: false)
            #expect(!result.passed)
            #expect(result.findings.map(\.code) == [.anchorMismatch])
        }
    }

    @Test func worksOnACopyOfTheFolderElsewhere() async throws {
        try await withInstalled { folder, release in
            for name in try FileSystem.files(below: release.folder) {
                let bytes = try FileSystem.document("\(release.folder)/\(name)", limit: 1 << 30)
                try folder.write(bytes, to: "usb-stick/\(name)")
            }
            let copy = try InstalledRelease(folder: folder.path(of: "usb-stick"))
            #expect(try await copy.findings(deep: true) == [])
        }
    }
}
