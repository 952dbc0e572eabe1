// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooArchive
import ZooCore
import ZooFiles
import ZooTesting

/// Archives that others made: Python, zstd, 7-Zip, and hostile ones.
@Suite struct ForeignArchiveTests {
    static let script = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Vectors/archives/make.py").path()

    /// The content of every file in the archives of the script.
    static let content = (0..<40).flatMap { _ in (0...255).map { UInt8($0) } }

    private func open(_ path: String, spool: String) throws -> ForeignArchive? {
        try ForeignArchive(path, spool: spool, Cancellation())
    }

    /// Reads every member.
    private func readAll(_ path: String, spool: String) throws -> [String: [UInt8]] {
        guard let archive = try open(path, spool: spool) else { return [:] }
        var found: [String: [UInt8]] = [:]
        for member in archive.members {
            let file = try archive.open("\(path)/\(member.name)")
            found[member.name] = try file.bytes(0..<file.byteCount)
        }
        return found
    }

    /// Reads every file of an archive in the reverse of its order.
    private func readBackwards(_ path: String, spool: String) throws -> [String: [UInt8]] {
        let opened = try ArchiveContents(
            path,
            spool: spool,
            limits: ArchiveLimits(),
            Cancellation()
        )
        guard let contents = opened else { return [:] }
        var found: [String: [UInt8]] = [:]
        for name in contents.names.reversed() {
            let place = try #require(contents[name])
            found[name] = try place.file.bytes(place.range)
        }
        return found
    }

    @Test(arguments: [false, true])
    func readsGoodArchivesAndRefusesHostileOnesByCode(backwards: Bool) async throws {
        try await TemporaryFolder.with { folder in
            let archives = folder.path(of: "archives")
            let spool = folder.path(of: "spool")
            for path in [archives, spool] { try FileSystem.createFolder(path) }
            let made = try await ProgramRun("python3", [Self.script, archives])
            try #require(made.status == 0, "\(made.errors)")
            let names = try FileSystem.names(in: archives)
            #expect(names.count > 60)
            for name in names {
                let expected = name.components(separatedBy: "--")[0]
                do {
                    let path = "\(archives)/\(name)"
                    let found =
                        backwards
                        ? try readBackwards(path, spool: spool) : try readAll(path, spool: spool)
                    #expect(expected == "ok", "\(name) was read")
                    #expect(found.count == 2, "\(name)")
                    for (member, bytes) in found {
                        #expect(bytes == Self.content, "\(name): \(member)")
                    }
                } catch let error as ZooError {
                    #expect(
                        error.code.description == "archive.\(expected)",
                        "\(name): \(error.message)"
                    )
                    #expect(!error.message.contains("\u{1B}"), "\(name)")
                }
                #expect(try FileSystem.names(in: spool).isEmpty, "\(name) left a file")
            }
        }
    }

    @Test func readsWhat7ZipWrites() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write(Self.content, to: "in/a/model.pt")
            try folder.write(Self.content, to: "in/b.txt")
            let path = folder.path(of: "x.7z")
            let made = try await ProgramRun("7z", ["a", path, folder.path(of: "in") + "/."])
            try #require(made.status == 0, "\(made.output)")
            let found = try readAll(path, spool: folder.path)
            #expect(found == ["a/model.pt": Self.content, "b.txt": Self.content])
            var bytes = try folder.read("x.7z")
            try folder.write(bytes + [0], to: "long.7z")
            #expect(throws: ZooError(.foreignTrailingData, "")) {
                try open(folder.path(of: "long.7z"), spool: folder.path)
            }
            bytes[bytes.count - 9] ^= 0x10
            try folder.write(bytes, to: "bad.7z")
            #expect(throws: ZooError(.foreignMalformed, "")) {
                try readAll(folder.path(of: "bad.7z"), spool: folder.path)
            }
        }
    }

    @Test(arguments: ["ok--gzip.tar.gz", "ok--zstd.tar.zst", "ok--deflated.zip", "ok--pax.tar"])
    func damageNeverCrashesAndNeverChangesContentSilently(_ name: String) async throws {
        try await TemporaryFolder.with { folder in
            try FileSystem.createFolder(folder.path(of: "spool"))
            let made = try await ProgramRun("python3", [Self.script, folder.path])
            try #require(made.status == 0, "\(made.errors)")
            let good = try folder.read(name)
            var generator = SeededGenerator(state: 7)
            for _ in 0..<300 {
                var bytes = good
                if Bool.random(using: &generator) {
                    bytes.removeLast(Int.random(in: 1..<bytes.count, using: &generator))
                } else {
                    let place = Int.random(in: 0..<bytes.count, using: &generator)
                    bytes[place] ^= UInt8.random(in: 1...255, using: &generator)
                }
                let path = try folder.write(bytes, to: "damaged")
                do {
                    let found = try readAll(path, spool: folder.path(of: "spool"))
                    // Plain tar has no checksum of content; a name may change in a ZIP directory.
                    guard !name.hasSuffix(".tar"), found.count == 2 else { continue }
                    for content in found.values { #expect(content == Self.content) }
                } catch is ZooError {}
                #expect(try FileSystem.names(in: folder.path(of: "spool")).isEmpty)
            }
        }
    }

    @Test func aPlainTarIsReadInPlaceAndACompressedOneFromAPrivateFile() async throws {
        try await TemporaryFolder.with { folder in
            let made = try await ProgramRun("python3", [Self.script, folder.path])
            try #require(made.status == 0, "\(made.errors)")
            let missing = folder.path(of: "missing")
            let found = try readAll(folder.path(of: "ok--pax.tar"), spool: missing)
            #expect(found["a/model.pt"] == Self.content)
            #expect(throws: ZooError(.fileMissing, "")) {
                try readAll(folder.path(of: "ok--gzip.tar.gz"), spool: missing)
            }
        }
    }

    #if os(Linux)
    @Test func aFileSystemWithoutSpaceIsAClearError() async throws {
        try await TemporaryFolder.with { folder in
            let made = try await ProgramRun("python3", [Self.script, folder.path])
            try #require(made.status == 0, "\(made.errors)")
            let path = folder.path(of: "ok--gzip.tar.gz")
            // This file system has no free blocks.
            let archive = try #require(try open(path, spool: "/proc"))
            #expect(throws: ZooError(.diskFull, "")) { try archive.open("\(path)/a/model.pt") }
        }
    }
    #endif

    @Test func cancelledReadingEnds() async throws {
        try await TemporaryFolder.with { folder in
            let made = try await ProgramRun("python3", [Self.script, folder.path])
            try #require(made.status == 0, "\(made.errors)")
            let cancellation = Cancellation()
            let path = folder.path(of: "ok--gzip.tar.gz")
            let archive = try #require(
                try ForeignArchive(path, spool: folder.path, cancellation)
            )
            cancellation.cancel()
            #expect(throws: ZooError(.systemCall, "")) { try archive.open("\(path)/b.txt") }
            #expect(throws: CancellationError.self) {
                try ForeignArchive(path, spool: folder.path, cancellation)
            }
        }
    }

    @Test(arguments: [ArchiveEncoding.stored, .zstd])
    func ourArchivesAreReadByLibarchiveAsTheFiles(_ encoding: ArchiveEncoding) async throws {
        try await TemporaryFolder.with { folder in
            let files = ["a.txt": Self.content, "b/c.bin": [UInt8](repeating: 7, count: 9 << 20)]
            var digests: [ReleasePath: ContentDigest] = [:]
            for (name, bytes) in files {
                try folder.write(bytes, to: "in/\(name)")
                digests[try ReleasePath(parsing: name)] = ContentDigest(of: bytes)
            }
            let layout = ArchiveLayout(
                files: digests.keys.sorted().map { ($0, files[$0.text]?.count ?? 0) }
            )
            let path = folder.path(of: "archive")
            _ = try ArchiveWriter(
                layout: layout,
                plan: BlockPlan(layout: layout, tensorStarts: [:]),
                encoding: encoding
            ).write(
                from: folder.path(of: "in"),
                digests: digests,
                to: OpenFile(path, .createNew),
                Cancellation()
            )
            #expect(try readAll(path, spool: folder.path) == files)
        }
    }
}

/// A repeatable source of random numbers (xorshift64).
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
