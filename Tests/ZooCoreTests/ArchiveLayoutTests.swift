// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Foundation
import Testing
import ZooCore
import ZooTesting

@Suite("Archive layout")
struct ArchiveLayoutTests {
    /// Files with names and sizes around every edge of the format, chosen by `seed`.
    static func files(seed: UInt64) throws -> [(path: ReleasePath, size: Int)] {
        var random = SeededGenerator(seed: seed)
        return try (0..<Int.random(in: 0...12, using: &random)).map { index in
            let length = [3, 90, 97, 98, 99, 150, 240].randomElement(using: &random) ?? 3
            let letter = ["a", "é", "世"].randomElement(using: &random) ?? "a"
            let folder = Bool.random(using: &random) ? "folder/" : ""
            let stem = String(repeating: letter, count: length / letter.utf8.count)
            let size = [0, 1, 511, 512, 513, 1024, 3000].randomElement(using: &random) ?? 0
            return (try ReleasePath(parsing: "\(folder)\(stem)\(index)"), size)
        }
    }

    @Test("pieces of any range are that slice of the whole", arguments: 0..<40 as Range<UInt64>)
    func piecesAreSlices(seed: UInt64) throws {
        let layout = ArchiveLayout(files: try Self.files(seed: seed))
        let whole = layout.bytes(of: 0..<layout.rawSize)
        #expect(whole.count == layout.rawSize)
        var random = SeededGenerator(seed: ~seed)
        for _ in 0..<60 {
            let start = Int.random(in: 0...layout.rawSize, using: &random)
            let range = start..<Int.random(in: start...layout.rawSize, using: &random)
            #expect(layout.bytes(of: range) == Array(whole[range]), "\(range)")
        }
    }

    @Test("pieces have no gaps, and none is empty", arguments: 0..<10 as Range<UInt64>)
    func piecesAreNotEmpty(seed: UInt64) throws {
        let layout = ArchiveLayout(files: try Self.files(seed: seed))
        #expect(layout.pieces(of: 5..<5).isEmpty)
        for piece in layout.pieces(of: 0..<layout.rawSize) {
            switch piece {
            case .fixed(let bytes): #expect(!bytes.isEmpty)
            case .content(let member, let range):
                #expect(!range.isEmpty)
                #expect(range == 0..<layout.members[member].size)
            }
        }
    }

    @Test("the order in which files are given does not matter")
    func orderDoesNotMatter() throws {
        let files = try Self.files(seed: 7)
        #expect(ArchiveLayout(files: files) == ArchiveLayout(files: files.reversed()))
    }

    @Test("a file of many gigabytes costs no memory to lay out")
    func largeFiles() throws {
        let path = try ReleasePath(parsing: "model.safetensors")
        let layout = ArchiveLayout(files: [(path, FormatLimits.largestFile)])
        let end = layout.members[0].contentOffset + FormatLimits.largestFile
        #expect(layout.pieces(of: end - 10..<end + 10).count == 2)
        #expect(layout.rawSize == end + 1024)
    }

    @Test("GNU tar lists and unpacks what the pieces say", arguments: 0..<6 as Range<UInt64>)
    func tarReadsIt(seed: UInt64) async throws {
        let layout = ArchiveLayout(files: try Self.files(seed: seed))
        try await TemporaryFolder.with { folder in
            let archive = try folder.write(
                Array(layout.bytes(of: 0..<layout.rawSize)),
                to: "release.tar"
            )
            let list = try await Self.tar([
                "--list", "--verbose", "--numeric-owner", "--utc", "--full-time",
                "--quoting-style=literal", "--file", archive,
            ])
            let lines = list.split(separator: "\n").map { line in
                line.split(separator: " ", maxSplits: 5).map(String.init)
            }
            #expect(
                lines
                    == layout.members.map {
                        [
                            "-rw-r--r--", "0/0", String($0.size), "1970-01-01", "00:00:00",
                            $0.path.text,
                        ]
                    }
            )
            _ = try await Self.tar(["--extract", "--file", archive, "--directory", folder.path])
            for member in layout.members {
                let content = try folder.read(member.path.text)
                #expect(content == (0..<member.size).map { UInt8($0 % 251) })
            }
        }
    }

    /// Runs GNU tar, which must succeed without a word on standard error.
    private static func tar(_ arguments: [String]) async throws -> String {
        let run = try await ProgramRun("tar", arguments, environment: ["LC_ALL": "C.UTF-8"])
        #expect(run.status == 0)
        #expect(run.errors.isEmpty)
        return run.output
    }
}
