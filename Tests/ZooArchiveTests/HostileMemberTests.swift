// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

import Testing
import ZooArchive
import ZooCore
import ZooFiles
import ZooTesting

/// Archives whose tar headers differ from the layout in the record; all of them are rejected.
@Suite struct HostileMemberTests {
    /// A change to the tar stream of two files, `a.txt` and `b.txt`, of 600 bytes each.
    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let apply: @Sendable (inout [UInt8]) -> Void

        /// Writes `bytes` at `offset` of a header and makes its checksum right again.
        static func header(_ name: String, _ offset: Int, _ bytes: [UInt8]) -> Change {
            Change(testDescription: name) { stream in
                stream.replaceSubrange(offset..<offset + bytes.count, with: bytes)
                stream.replaceSubrange(148..<156, with: Array(repeating: 0x20, count: 8))
                let sum = stream[..<512].reduce(0) { $0 + Int($1) }
                let digits = String(sum, radix: 8)
                let text = String(repeating: "0", count: 6 - digits.count) + digits
                stream.replaceSubrange(148..<156, with: Array(text.utf8) + [0, 0x20])
            }
        }

        static func type(_ name: String, _ flag: Character) -> Change {
            header(name, 156, Array(String(flag).utf8))
        }

        static func name(_ name: String, _ text: String) -> Change {
            header(name, 0, Array(text.utf8) + [0])
        }
    }

    static let changes: [Change] = [
        .type("a hard link", "1"), .type("a symbolic link", "2"), .type("a character device", "3"),
        .type("a block device", "4"), .type("a folder", "5"), .type("a fifo", "6"),
        .type("a long name of GNU tar", "L"), .type("a sparse file of GNU tar", "S"),
        .type("an extended header", "x"), .type("a global header", "g"),
        .name("an absolute path", "/etc/passwd"), .name("a parent path", "../a.txt"),
        .name("another file's path", "b.txt"), .name("a path in other case", "A.TXT"),
        .header("a setuid mode", 100, Array("0004755".utf8)),
        .header("another owner", 108, Array("0001750".utf8)),
        .header("a longer size", 124, Array("77777777777".utf8)),
        .header("the target of a link", 157, Array("/etc/passwd".utf8)),
        Change(testDescription: "bytes after a file") { $0[512 + 600] = 1 },
        Change(testDescription: "bytes after the end") { $0[$0.count - 1] = 1 },
    ]

    private func layout() throws -> ArchiveLayout {
        ArchiveLayout(files: [
            (try ReleasePath(parsing: "a.txt"), 600), (try ReleasePath(parsing: "b.txt"), 600),
        ])
    }

    private func stream(_ layout: ArchiveLayout) -> [UInt8] {
        layout.pieces(of: 0..<layout.rawSize).flatMap { piece -> [UInt8] in
            switch piece {
            case .fixed(let bytes): bytes
            case .content(_, let range): Array(repeating: 7, count: range.count)
            }
        }
    }

    private func extract(_ bytes: [UInt8], _ layout: ArchiveLayout, to folder: String) throws {
        let buffer = BlockBuffer()
        unsafe buffer.append(bytes.span.bytes)
        let digest = ContentDigest(of: bytes)
        let block = BlockTable.Block(
            archiveRange: 0..<bytes.count,
            archiveDigest: digest,
            rawRange: 0..<bytes.count,
            rawDigest: digest
        )
        try ArchiveFolder(layout, in: folder, .write)
            .write(try BlockDecoder.verify(buffer, of: block))
    }

    @Test func theStreamAsReleasedIsTaken() async throws {
        try await TemporaryFolder.with { folder in
            let layout = try layout()
            try extract(stream(layout), layout, to: folder.path(of: "out"))
            #expect(try folder.read("out/a.txt") == Array(repeating: 7, count: 600))
            #expect(try folder.read("out/b.txt") == Array(repeating: 7, count: 600))
        }
    }

    @Test(arguments: changes)
    func anythingElseIsRefused(change: Change) async throws {
        try await TemporaryFolder.with { folder in
            let layout = try layout()
            var bytes = stream(layout)
            change.apply(&bytes)
            #expect(throws: ZooError(.memberMismatch, "")) {
                try extract(bytes, layout, to: folder.path(of: "out"))
            }
            #expect(try FileSystem.names(in: folder.path).sorted() == ["out"])
            #expect(
                try FileSystem.files(below: folder.path(of: "out")).sorted() == ["a.txt", "b.txt"]
            )
        }
    }
}
