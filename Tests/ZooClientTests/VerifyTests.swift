// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooArchive
import ZooClient
import ZooCore
import ZooFiles
import ZooStore
import ZooTesting

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
        try FileSystem.replace(path, with: bytes)
    }

    @Test func namesTheBlockAndTheFileOfAFlippedBit() async throws {
        try await withInstalled { _, release in
            try rewrite("\(release.folder)/model.safetensors") { $0[5_000_000] ^= 0x40 }
            let findings = try await ReleaseVerifier(release, workers: 2).findings()
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
            let findings = try await ReleaseVerifier(release, workers: 2).findings()
            #expect(findings.map(\.code) == [.fileWrong, .fileWrong, .fileWrong])
        }
    }

    @Test func findsFilesThatDoNotBelong() async throws {
        try await withInstalled { _, release in
            try FileSystem.replace("\(release.folder)/pytorch_model.bin", with: [1])
            let findings = try await ReleaseVerifier(release, workers: 2).findings()
            #expect(findings.map(\.code) == [.fileUnlisted])
        }
    }

    @Test(arguments: ["record.json", "blocks/weights.json"])
    func refusesReceiptsThatTheManifestDoesNotBind(name: String) async throws {
        try await withInstalled { _, release in
            try rewrite("\(release.folder)/.ami-zoo/\(name)") { $0[$0.count / 2] ^= 1 }
            await #expect(throws: ZooError(.receiptMismatch, "")) {
                let opened = try InstalledRelease(folder: release.folder)
                _ = try await ReleaseVerifier(opened, workers: 2).findings()
            }
        }
    }

    @Test func worksOnACopyOfTheFolderElsewhere() async throws {
        try await withInstalled { folder, release in
            for name in try FileSystem.files(below: release.folder) {
                let bytes = try FileSystem.document("\(release.folder)/\(name)", limit: 1 << 30)
                try folder.write(bytes, to: "usb-stick/\(name)")
            }
            let copy = try InstalledRelease(folder: folder.path(of: "usb-stick"))
            #expect(try await ReleaseVerifier(copy, workers: 1).findings(deep: true) == [])
        }
    }
}
