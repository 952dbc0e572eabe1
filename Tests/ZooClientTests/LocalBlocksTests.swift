// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooClient
import ZooCore
import ZooFiles
import ZooStore
import ZooTesting

/// Blocks that other installed releases have are copied and not fetched, whatever happened to them.
@Suite struct LocalBlocksTests {
    /// Installs version 1.0.0, changes the store, and pulls a version that shares four of five tensors.
    private func pull(
        in folder: TemporaryFolder,
        _ change: (_ release: InstalledRelease) throws -> Void
    ) async throws -> PullReport {
        let registry = try SampleRegistry(in: folder)
        try await registry.publish("1.0.0")
        try await registry.publish("1.1.0", seeds: [1, 2, 9, 4, 5])
        let puller = registry.puller(from: .folder(registry.root))
        let first = try await puller.pull(.of("ami/sample:1.0.0"))
        try change(try InstalledRelease(folder: first.path))
        let report = try await puller.pull(.of("ami/sample:1.1.0"))
        let release = try InstalledRelease(folder: report.path)
        #expect(try await release.findings(deep: true) == [])
        return report
    }

    /// The bytes of the unchanged tensors, less than a block may hold of other bytes.
    private static let shared = 4 * SampleRegistry.tensorSize

    @Test func anUnchangedTensorIsNotFetched() async throws {
        try await TemporaryFolder.with { folder in
            let report = try await pull(in: folder) { _ in }
            #expect(report.bytesReused >= Self.shared)
            #expect(report.bytesDownloaded < report.bytesTotal - Self.shared + 100_000)
        }
    }

    @Test func aDamagedOrRemovedSourceIsFetched() async throws {
        try await TemporaryFolder.with { folder in
            let report = try await pull(in: folder) { release in
                let weights = "\(release.folder)/model.safetensors"
                try FileSystem.makeWritable(weights)
                // In the first tensor only.
                try OpenFile(weights, .write).write([0xAA, 0x55], at: 100_000)
            }
            #expect(report.bytesReused >= Self.shared - SampleRegistry.tensorSize)
            #expect(report.bytesReused < Self.shared)
        }
        try await TemporaryFolder.with { folder in
            let report = try await pull(in: folder) { release in
                try FileSystem.remove("\(release.folder)/model.safetensors")
            }
            // The small files are in another archive.
            #expect(report.bytesReused < 10_000)
        }
        try await TemporaryFolder.with { folder in
            let report = try await pull(in: folder) { try FileSystem.remove($0.folder) }
            #expect(report.bytesReused == 0)
        }
    }

    @Test(arguments: ["garbage", "gone", "folder", "stale"])
    func theIndexIsMadeAgain(_ fault: String) async throws {
        try await TemporaryFolder.with { folder in
            let index = folder.path(of: "store/blocks.sqlite")
            let report = try await pull(in: folder) { release in
                try #require(try FileSystem.status(index) != nil)
                switch fault {
                case "garbage":
                    try folder.write(Array(repeating: 0x41, count: 5000), to: "store/blocks.sqlite")
                case "gone": try FileSystem.remove(index)
                case "folder":
                    try FileSystem.remove(index)
                    try FileSystem.createFolder(index)
                default:
                    // The folder has moved, so the index knows a place that is gone, and one is new.
                    let moved = FileSystem.parent(of: release.folder) + "/1.0.0-000000000000"
                    try FileSystem.rename(release.folder, to: moved)
                }
            }
            #expect(report.bytesReused >= Self.shared)
        }
    }

    @Test(
        "disk blocks are shared where the file system can",
        .enabled(if: ReflinkVolume.isAvailable, "needs root, loop devices and mkfs.xfs")
    )
    func sharing() async throws {
        try await ReflinkVolume.with { volume in
            let registry = try SampleRegistry(in: volume)
            // The same files but for one tensor, at the same offsets.
            try await registry.publish("1.0.0")
            try await registry.publish("1.1.0", seeds: [1, 2, 9, 4, 5])
            let puller = registry.puller(from: .folder(registry.root))
            let first = try await puller.pull(.of("ami/sample:1.0.0"))
            let report = try await puller.pull(.of("ami/sample:1.1.0"))
            for path in [first.path, report.path] {
                #expect(try await InstalledRelease(folder: path).findings(deep: true) == [])
            }
            let extents = try await ProgramRun(
                "filefrag",
                ["-v", "\(report.path)/model.safetensors"]
            )
            #expect(extents.output.contains("shared"), "\(extents.output) \(extents.errors)")
        }
    }
}

/// An XFS file system in a file, with reflinks.
private enum ReflinkVolume {
    static let isAvailable =
        mayMount && FileManager.default.isExecutableFile(atPath: "/usr/sbin/mkfs.xfs")
        && FileManager.default.fileExists(atPath: "/dev/loop-control")

    /// Whether the tests have CAP_SYS_ADMIN (bit 21), which root in a container lacks.
    private static var mayMount: Bool {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let capabilities = line.flatMap { UInt64($0.split(separator: "\t")[1], radix: 16) }
        return (capabilities ?? 0) >> 21 & 1 == 1
    }

    static func with(_ body: (TemporaryFolder) async throws -> Void) async throws {
        try await TemporaryFolder.with { outer in
            let (image, mount) = (outer.path(of: "image"), outer.path(of: "mount"))
            try await run("truncate", ["-s", "400M", image])
            try await run("mkfs.xfs", ["-q", "-m", "reflink=1", image])
            try FileSystem.createFolder(mount)
            try await run("mount", ["-o", "loop", image, mount])
            let result: Result<Void, any Error>
            do {
                result = .success(try await TemporaryFolder.with(in: mount, body))
            } catch {
                result = .failure(error)
            }
            try await run("umount", [mount])
            try result.get()
        }
    }

    private static func run(_ program: String, _ arguments: [String]) async throws {
        let run = try await ProgramRun(program, arguments)
        try #require(run.status == 0, "\(program): \(run.errors)")
    }
}
