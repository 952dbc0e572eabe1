// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import ZooCore
import ZooRegistry

/// A small registry folder that exists while a closure runs.
struct TestRegistry: Sendable {
    let root: String
    let indexDocument = Array(#"{"name":"ami/ball-drop"}"#.utf8)

    /// Runs `body` with a new registry, then removes it.
    static func with(_ body: (TestRegistry) async throws -> Void) async throws {
        let registry = try TestRegistry()
        // Ignore errors: the test may have modified the folder.
        defer { try? FileManager.default.removeItem(atPath: registry.root) }
        try await body(registry)
    }

    /// Runs `body` with a new registry without models, then removes it.
    static func withEmpty(_ body: (TestRegistry) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("zoo-server-\(UUID().uuidString)").resolvingSymlinksInPath()
            .path
        try RegistryFolder.create(path, RegistryDescription(name: "test"))
        // Ignore errors: the test may have modified the folder.
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(TestRegistry(root: path))
    }

    private init(root: String) { self.root = root }

    private init() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("zoo-server-\(UUID().uuidString)").resolvingSymlinksInPath()
        root = folder.path
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent(RegistryLayout.blobs),
            withIntermediateDirectories: true
        )
        try write(RegistryDescription(name: "test").canonicalBytes, at: RegistryLayout.description)
        try write(Array(RegistryLayout.imageLayoutContent.utf8), at: RegistryLayout.imageLayout)
        try write(ImageIndex(entries: []).canonicalBytes, at: RegistryLayout.imageIndex)
        try write(indexDocument, at: "index/ami/ball-drop.json")
    }

    /// Writes a file, replacing it as a publisher does: by renaming.
    func write(_ bytes: [UInt8], at path: String) throws {
        let file = URL(fileURLWithPath: "\(root)/\(path)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(bytes).write(to: file, options: .atomic)
    }

    /// Stores a blob and returns its path.
    @discardableResult
    func add(blob bytes: [UInt8]) throws -> String {
        let path = RegistryLayout.blob(ContentDigest(of: bytes))
        try write(bytes, at: path)
        return path
    }

    /// Makes a blob of zeros that takes no space, under a name that is not its digest.
    func add(zeros size: Int) throws -> String {
        let path = RegistryLayout.blob(ContentDigest(of: Array("\(size)".utf8)))
        try write([], at: path)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(root)/\(path)"))
        try file.truncate(atOffset: UInt64(size))
        try file.close()
        return path
    }

    /// How many files below the root this process, and so the server in it, holds open.
    func openFiles() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count { name in
            // A descriptor that was closed since it was listed has no target any more.
            let target = try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/self/fd/\(name)"
            )
            return target?.hasPrefix(root + "/") ?? false
        }
    }
}

/// Bytes without a pattern shorter than 65,521, the same for the same seed.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    let block = (0..<65_521).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
    // Repeated by whole arrays, since a debug build makes single bytes slowly.
    var bytes: [UInt8] = []
    while bytes.count < count { bytes += block }
    return Array(bytes.prefix(count))
}
